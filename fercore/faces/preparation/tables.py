"""Tables that come with datasets, or from a user: csv with a header, whose columns go by name."""

import csv
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from fercore.faces.preparation.reading import DatasetError


def rows(path: Path, called: str, needed: Iterable[str], encoding: str = "utf-8") -> Iterator[dict[str, str]]:
    """Each row by column, whose names are reduced to small letters and digits; an empty file has none.

    Messages call the file ``called``; raises DatasetError where a column of ``needed`` is missing, or for no table.
    """
    try:
        with open(path, newline="", encoding=encoding, errors="replace") as lines:
            table = csv.DictReader(lines)
            if not table.fieldnames:
                return
            table.fieldnames = [re.sub(r"[\W_]", "", name).lower() for name in table.fieldnames]
            if missing := sorted(set(needed) - set(table.fieldnames)):
                raise DatasetError(f"{called} has no column {', '.join(missing)}; its first line must name them")
            for row in table:
                yield {name: value or "" for name, value in row.items() if isinstance(name, str)}
    except (csv.Error, OSError) as error:
        raise DatasetError(f"{called} is no table that can be read ({error}); copy it again") from error
