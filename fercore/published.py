"""The numbers the papers printed, typed once in ``results/published``, one file per table."""

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

import pandas as pd

from fercore import paths

NAMES = {"gcnet": "GCNet", "occluded": "Occluded", "unpaired": "Unpaired", "idferm": "IDFERM"}  # in our order
COLUMNS = ["dataset", "method", "metric", "value", "unit", "source_note"]


def tables() -> dict[str, list[int]]:
    """Every paper and the numbers of its tables."""
    found: dict[str, list[int]] = {}
    for file in sorted(paths.published().glob("*_table*.csv")):
        paper, number = re.fullmatch(r"(.+)_table(\d+)", file.stem).groups()
        found.setdefault(paper, []).append(int(number))
    return found


def table(paper: str, number: int) -> pd.DataFrame:
    """One printed table in long form; a value the paper leaves blank is NaN, its note says how it is printed."""
    known = tables()
    if paper not in known:
        raise ValueError(f"paper {paper!r} has no published tables; valid: {', '.join(known)}")
    if number not in known[paper]:
        raise ValueError(f"{paper} has no table {number}; valid: {', '.join(map(str, known[paper]))}")
    file = paths.published() / f"{paper}_table{number}.csv"
    return pd.read_csv(file, keep_default_na=False, na_values={"value": [""]})[COLUMNS]


@dataclass(frozen=True)
class Cell:
    """One printed number, with the digits that are printed."""

    paper: str
    table: int
    dataset: str
    row: str
    metric: str  # "rank-1 accuracy" is accuracy: the best guess counts, as everywhere
    text: str  # as printed; "" where the paper leaves it blank
    unit: str
    own: bool  # a run of this paper, not cited from another

    @property
    def value(self) -> Decimal | None:
        """The number, None where it is blank."""
        return Decimal(self.text) if self.text else None


@cache
def cells(paper: str, number: int) -> tuple[Cell, ...]:
    """Every number of a printed table, in its order."""
    table(paper, number)  # refuses a table that does not exist
    rows = pd.read_csv(paths.published() / f"{paper}_table{number}.csv", dtype=str, keep_default_na=False)
    return tuple(
        Cell(paper, number, row.dataset, row.method, row.metric.removeprefix("rank-1 "), row.value, row.unit,
            own=not re.search(r"\[\d+\]", row.source_note))
        for row in rows.itertuples()
    )  # fmt: skip


def value(paper: str, number: int, method: str, dataset: str | None = None, metric: str | None = None) -> float:
    """One printed number; ``dataset`` and ``metric`` only where the method alone does not tell."""
    rows = table(paper, number)
    wanted = {"method": method, "dataset": dataset, "metric": metric}
    for column, name in wanted.items():
        if name is None:
            continue
        if name not in set(rows[column]):
            valid = ", ".join(rows[column].unique())
            raise ValueError(f"{paper} table {number} has no {column} {name!r}; valid: {valid}")
        rows = rows[rows[column] == name]
    if len(rows) != 1:
        raise ValueError(f"{paper} table {number}: {len(rows)} numbers fit {wanted}; give dataset and metric")
    return float(rows["value"].iloc[0])
