"""Tables of the forensics page: numbers that are the same, or too close, and gaps that could be told from chance."""

import re
from functools import cache
from itertools import combinations

import pandas as pd

from fercore.evaluation import Detectable, detectable_gap
from fercore.forensics import distinguishable
from fercore.forensics.cells import Column, accuracies, columns
from fercore.forensics.reach import units

DATASETS = {"CK+ (7": "CK+, 7 classes", "CK+ (8": "CK+, 8 classes", "MMI": "MMI", "Oulu": "Oulu-CASIA"}
SPELLINGS = re.compile(r"\(video\)|joint|zero-bias|[\s_+-]")  # in which the papers name a system differently


def same_in_papers() -> pd.DataFrame:
    """Systems whose accuracy on the same dataset several papers cite: are the numbers equal?"""
    cited = accuracies().query("not own")
    cited = cited.assign(system=cited["method"].map(_system), on=cited["dataset"].map(_dataset)).dropna(subset="on")
    rows = []
    for (_, dataset), cells in cited.groupby(["system", "on"]):
        values = cells.drop_duplicates("paper").set_index("paper")["value"]
        if len(values) > 1:
            row = {"system": cells["method"].iloc[0], "dataset": dataset, **values}
            rows.append(row | {"equal": _equal(list(values))})
    return pd.DataFrame(rows).set_index(["system", "dataset"]).sort_index()


def _system(method: str) -> str:
    return SPELLINGS.sub("", method.lower())


def _dataset(name: str) -> str | None:
    if name == "CK+":  # the unpaired paper, Sec. 5.1: seven classes
        return DATASETS["CK+ (7"]
    return next((whole for start, whole in DATASETS.items() if name.startswith(start)), None)


def _equal(values: list[str]) -> str:
    """Equal, or so when the longer one is rounded to the digits of the shorter."""
    digits = min(units(value)[1] for value in values)
    if len({float(value) for value in values}) == 1:
        return "yes"
    rounded = {round(float(value) + 1e-9, digits) for value in values}
    return "when rounded" if len(rounded) == 1 else "no"


def too_close() -> pd.DataFrame:
    """Own accuracies of a column that lie closer than one image of the finest candidate: they cannot both be pooled."""
    rows = []
    for column in columns():
        n = int(column.units["images"].max())
        for first, second in combinations(sorted(column.values), 2):
            if not distinguishable(first, second, n):
                named = {"first": _rows_with(column, first), "second": _rows_with(column, second)}
                gap = {"gap, points": float(second) - float(first), "one image, points": 100 / n}
                rows.append(column.key | named | {"values": f"{first}, {second}", "images": n} | gap)
    return pd.DataFrame(rows).set_index(["paper", "table", "dataset"])


def _rows_with(column: Column, value: str) -> str:
    return ", ".join(column.cells["method"][column.cells["value"] == value].unique())


def gaps() -> pd.DataFrame:
    """Every own row against the first one of its column: the gap, and what that many images could tell from chance.

    The number of images is that of the finest candidate, so that the thresholds are the lowest that can be defended.
    """
    rows = []
    for column in columns():
        first, *others = column.cells.drop_duplicates("method").itertuples()
        n = int(column.units["images"].max())
        for cell in others:
            told = _told(min(float(first.value), float(cell.value)), n)
            gap = float(cell.value) - float(first.value)
            rows.append(
                column.key
                | {"row": cell.method, "against": first.method, "images": n, "gap, points": gap}
                | {"least that could": told.least, "told at 80 % power": told.independent}
            )
    return pd.DataFrame(rows).set_index(["paper", "table", "dataset", "row"])


@cache
def _told(lower: float, n: int) -> Detectable:
    return detectable_gap(lower, lower, n)  # only the lower one counts


def gap_counts(table: pd.DataFrame) -> pd.DataFrame:
    """How many of each column's ``gaps`` reach each threshold, in size."""
    size = table["gap, points"].abs().round(6)
    least, power = table["least that could"].round(6), table["told at 80 % power"]
    found = pd.DataFrame({"gaps": 1, "losses": table["gap, points"] < 0, "reach the least": size >= least,
                          "reach 80 % power": size >= power}).astype(int)  # fmt: skip
    keys = ["paper", "table", "dataset"]
    thresholds = table.groupby(keys, sort=False)[["images", "least that could", "told at 80 % power"]].first()
    return found.groupby(keys, sort=False).sum().join(thresholds)


def leaders() -> pd.DataFrame:
    """The best own row of each column against the best other system in it: the paper's lead, and the thresholds."""
    rows, printed = [], accuracies()
    for column in columns():
        best = column.cells.loc[column.cells["value"].astype(float).idxmax()]
        same = printed[(printed["paper"] == column.paper) & (printed["dataset"] == column.dataset)]
        others = same[~same["own"]]
        if others.empty:
            continue
        second = others.loc[others["value"].astype(float).idxmax()]
        n = int(column.units["images"].max())
        told = _told(min(float(second["value"]), float(best["value"])), n)
        rows.append(
            column.key
            | {"best own row": best["method"], "best other": second["method"], "images": n}
            | {"gap, points": float(best["value"]) - float(second["value"])}
            | {"least that could": told.least, "told at 80 % power": told.independent}
        )
    return pd.DataFrame(rows).set_index(["paper", "table", "dataset"])
