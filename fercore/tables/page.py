"""How a page shows a table, and where it is kept."""

import pandas as pd
from pandas.io.formats.style import Styler

from fercore import paths
from fercore.storage import whole_file


def shown(table: pd.DataFrame, caption: str, digits: int = 2) -> Styler:
    """A table as a page shows it: the stamp as caption, missing values as a dash."""
    return table.style.format(precision=digits, na_rep="–").set_caption(caption)


def save(table: pd.DataFrame, name: str, stamp: str) -> None:
    """Write ``results/tables/<name>.csv``; its first line is the stamp."""
    with whole_file(paths.results() / "tables" / f"{name}.csv") as aside:
        aside.write_text(f"# {stamp}\n" + table.to_csv())
