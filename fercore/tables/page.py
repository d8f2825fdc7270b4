"""How a page shows a table, and where it is kept."""

from html import escape

import pandas as pd
from pandas.io.formats.style import Styler

from fercore import paths
from fercore.storage import whole_file

NOTE = "note"  # where a table carries what its caption must say, whatever the page says
UP, DOWN = "↑", "↓"  # of an interval that leaves out zero
TOO_NARROW = "an interval over a dozen people is too narrow"  # what stands under every table with such an arrow


def noted(table: pd.DataFrame, note: str) -> pd.DataFrame:
    """The table, with a note that ``shown`` puts after its caption: no page can forget it."""
    table.attrs[NOTE] = note
    return table


def shown(table: pd.DataFrame, caption: str, digits: int = 2) -> Styler:
    """A table as a page shows it: the stamp as caption, missing values as a dash, all else as text, never as markup.

    The caption ends with the table's own note, or says of one with arrows that intervals are narrow.
    """
    note = table.attrs.get(NOTE) or (TOO_NARROW if TOO_NARROW not in caption and _has_arrow(table) else None)
    caption = " · ".join(filter(None, [caption, note]))
    styled = table.style.format(precision=digits, na_rep="–", escape="html").set_caption(escape(caption, quote=False))
    return styled.format_index(escape="html", axis="index").format_index(escape="html", axis="columns")


def _has_arrow(table: pd.DataFrame) -> bool:
    return any(arrow in str(cell) for cell in table.to_numpy().ravel() for arrow in (UP, DOWN))


def joined(stamps: dict[str, str]) -> str:
    """The stamps of several parts of a table as one: what all of them say first, then by part what it says beyond."""
    parts = {name: stamp.split(" · ") for name, stamp in stamps.items()}
    common = [one for one in next(iter(parts.values())) if all(one in own for own in parts.values())]
    beyond = {name: " · ".join(one for one in own if one not in common) for name, own in parts.items()}
    return " ‖ ".join([" · ".join(common), *(f"{name}: {rest}" for name, rest in beyond.items() if rest)])


def save(table: pd.DataFrame, name: str, stamp: str) -> None:
    """Write ``results/tables/<name>.csv``; its first line is the stamp."""
    with whole_file(paths.results() / "tables" / f"{name}.csv") as aside:
        aside.write_text(f"# {stamp}\n" + table.to_csv())
