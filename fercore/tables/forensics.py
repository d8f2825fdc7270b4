"""Tables of the forensics page: which unit of evaluation the printed digits fit, and which numbers no unit gives."""

import re
from collections.abc import Callable
from itertools import combinations

import pandas as pd
from pandas.io.formats.style import Styler

from fercore import provenance, tables
from fercore.evaluation import holm
from fercore.forensics import nearest, reachable, runs_needed
from fercore.forensics.cells import Column, columns, folds_of
from fercore.forensics.counting import Fit, fit_of, nested
from fercore.forensics.fold_means import density, fold_mean

KEYS = ["paper", "table", "dataset"]
LONG = re.compile(r" expressions|-class|trained on |, (double )?dagger| VIS")  # what a name can do without


def stamp() -> str:
    """What these pages are made from."""
    return f"printed numbers of the four papers · nothing was run · commit {provenance.commit()}"


def place(paper: str, table: str, dataset: str) -> str:
    """A printed column in few words."""
    return f"{paper} {table}, " + LONG.sub("", dataset)


def shown(table: pd.DataFrame, digits: int = 2) -> Styler:
    """A table as the page shows it: what names its rows in one column each, and what follows beside it."""
    flat = table.reset_index()
    if set(KEYS) <= set(flat):
        flat.insert(0, "column", [place(*key) for key in flat[KEYS].itertuples(index=False)])
        flat = flat.drop(columns=KEYS if "number is" in flat else [*KEYS, "unit"], errors="ignore")  # named once
    if "reading" in flat:
        flat.insert(1 + ("row" in flat) * 2, "reading", flat.pop("reading"))
    return tables.shown(flat, stamp(), digits).hide()


def units(level: float = 0.05) -> pd.DataFrame:
    """Each column's candidates for its unit, pooled over all images: how many values fit, and how many would by chance.

    p is the smaller one of "rounded" and "rounded or truncated", after Holm over both and over all units of the paper.
    """
    rows = []
    for paper in dict.fromkeys(column.paper for column in columns()):
        tried = [(column, unit) for column in columns() if column.paper == paper for unit in column.units.itertuples()]
        fits = [fit_of(column.values, unit.images) for column, unit in tried]
        adjusted = holm([p for fit in fits for p in fit.p]).reshape(-1, 2).min(axis=1)
        for (column, unit), fit, p in zip(tried, fits, adjusted, strict=True):
            about = {"unit": unit.unit, "images": unit.images, "number is": unit.basis}
            rows.append(column.key | about | _told(fit) | {"p (Holm)": p, "reading": reading(fit, p, level)})
    return pd.DataFrame(rows).set_index(KEYS)


def _told(fit: Fit) -> dict:
    found = {"values": fit.values, "rounded": fit.rounded, "or truncated": fit.either}
    return found | {"chance %": 100 * fit.chance[0], "chance %, or truncated": 100 * fit.chance[1]}


def reading(fit: Fit, p: float, level: float) -> str:
    """What a fit says about the unit, if it is pooled."""
    missing = fit.values - fit.either
    if fit.chance[0] > 1 - level:
        return "cannot be told: it reaches every value"
    if missing:
        few = p < level and 4 * missing <= fit.values  # a quarter may be slips of the pen; more are no exceptions
        return f"fits but for {missing}" if few else f"excluded: {missing} of {fit.values} do not fit"
    return "fits" if p < level else "possible, and chance would do as well"


def nested_units() -> pd.DataFrame:
    """Pairs of candidates where all values of the coarse one are values of the fine one: which do the digits favour?"""
    return _rows(columns(), _nested_of)


def _nested_of(column: Column) -> list[dict]:
    rows = []
    for coarse, fine in combinations(column.units["images"], 2):
        if fine % coarse:
            continue
        found = nested(column.values, coarse, fine)
        rows.append(
            {
                "coarse": coarse,
                "fine": fine,
                "only the fine one gives": "{} of {}".format(*found.only_fine),
                "p of chance": found.p_fine,
                "of the fine one's, the coarse gives": "{} of {}".format(*found.coarse),
                "p if fine": found.p_coarse,
            }
        )
    return rows


def fold_means() -> pd.DataFrame:
    """For how many values a mean of fold accuracies was found, and the share of neighbouring values that it reaches."""
    return _rows(columns(), _fold_means_of)


def _fold_means_of(column: Column) -> list[dict]:
    rows = []
    middle = sorted(column.values)[len(column.values) // 2]
    for unit in column.units[column.units["folds"] != ""].itertuples():
        for equal, name in _kinds(unit.folds):
            sizes = folds_of(unit.folds, unit.images, equal)
            found = sum(fold_mean(value, sizes) is not None for value in column.values)
            rows.append(
                {
                    "unit": unit.unit,
                    "images": unit.images,
                    "folds": f"{len(sizes)}, {name}",
                    "smallest and largest": f"{min(sizes)} and {max(sizes)}",
                    "values": len(column.values),
                    "found": found,
                    "neighbours found %": 100 * density(middle, sizes),
                }
            )
    return rows


def _kinds(folds: str) -> list[tuple[bool, str]]:
    if folds.startswith("unknown"):
        return [(True, "if about equal"), (False, "if uneven")]
    return [(True, "all equal" if len(set(folds.split())) == 1 else "known")]


def impossible() -> pd.DataFrame:
    """Own accuracies that no candidate unit gives, pooled: the nearest ones that it does, and what else could."""
    return _rows(columns(), _impossible_of).sort_values("reading", kind="stable")


def _impossible_of(column: Column) -> list[dict]:
    rows = []
    for cell in column.cells.drop_duplicates(["method", "value"]).itertuples():
        if any(reachable(cell.value, n) != "no" for n in column.units["images"]):
            continue
        finest = column.units.iloc[-1]
        below, above = nearest(cell.value, finest.images)
        folds = as_fold_mean(cell.value, column)
        rows.append(
            {
                "row": cell.method,
                "printed": cell.value,
                "images": ", ".join(map(str, column.units["images"])),
                "nearest of the finest": f"{below}, {above}",
                "as a mean of folds": folds,
                "least runs": runs_needed(cell.value, finest.images),
                "reading": "impossible in one run" if folds.startswith("no") else "not pooled",
            }
        )
    return rows


def as_fold_mean(value: str, column: Column) -> str:
    """Whether some unit's mean of folds can print as ``value``, and with what folds."""
    folded = column.units[column.units["folds"] != ""]
    if folded.empty:
        return "no: there are no folds"
    found = {
        name
        for unit in folded.itertuples()
        for equal, name in _kinds(unit.folds)
        if fold_mean(value, folds_of(unit.folds, unit.images, equal)) is not None
    }
    if not found:
        return "no: the folds are equal" if set(_names(folded)) == {"all equal"} else "not found"
    return "yes" if "known" in found or "if about equal" in found else ", ".join(sorted(found))


def _names(units: pd.DataFrame) -> list[str]:
    return [name for folds in units["folds"] for _, name in _kinds(folds)]


def _rows(columns: list[Column], rows_of: Callable[[Column], list[dict]]) -> pd.DataFrame:
    rows = [column.key | row for column in columns for row in rows_of(column)]
    return pd.DataFrame(rows).set_index(KEYS)
