"""The printed accuracies as text, with the numbers of images they may have been counted on."""

import re
from dataclasses import dataclass

import pandas as pd

from fercore import paths, published
from fercore.forensics.fold_means import even, uneven

REFERENCE = re.compile(r"\[\d+\]")  # a note names the reference that a number was taken from
BORROWED = {("idferm", "2B(N+M)")}  # Table 5 cites it as Table 3 does, which its notes leave out
ACCURACY = ("accuracy", "rank-1 accuracy")
SIZES = ["paper", "table", "dataset", "unit", "images", "basis", "folds", "place"]


def printed() -> pd.DataFrame:
    """Every printed percentage of a quality, as text: paper, table, dataset, method, metric, value, ``own``."""
    parts = []
    for paper, numbers in published.tables().items():
        for number in numbers:
            file = paths.published() / f"{paper}_table{number}.csv"
            parts.append(pd.read_csv(file, dtype=str, keep_default_na=False))
    cells = pd.concat(parts, ignore_index=True)
    cells = cells[cells["metric"].isin((*ACCURACY, "F1", "macro-F1")) & (cells["value"] != "")]
    own = [_is_own(*row) for row in zip(cells["paper"], cells["method"], cells["source_note"], strict=True)]
    return cells.assign(own=own).drop(columns=["unit", "source_note"]).reset_index(drop=True)


def accuracies() -> pd.DataFrame:
    """The printed accuracies only."""
    cells = printed()
    return cells[cells["metric"].isin(ACCURACY)]


def _is_own(paper: str, method: str, note: str) -> bool:
    return not REFERENCE.search(note) and not any(p == paper and method.startswith(name) for p, name in BORROWED)


def sizes() -> pd.DataFrame:
    """``test_sizes.csv``: what each printed column may have been counted on; ValueError names a row that cannot be."""
    table = pd.read_csv(paths.published() / "test_sizes.csv", keep_default_na=False)
    if list(table.columns) != SIZES:
        raise ValueError(f"test_sizes.csv has columns {list(table.columns)}; needed: {SIZES}")
    known = set(accuracies()[["paper", "table", "dataset"]].itertuples(index=False, name=None))
    for number, row in enumerate(table.itertuples(index=False), start=2):
        if (row.paper, row.table, row.dataset) not in known:
            raise ValueError(f"test_sizes.csv line {number}: {row.paper} {row.table} has no column {row.dataset!r}")
        if row.basis not in ("stated", "inferred"):
            raise ValueError(f"test_sizes.csv line {number}: basis {row.basis!r}; valid: stated, inferred")
        if row.images < 1 or sum(folds_of(row.folds, row.images) or (row.images,)) != row.images:
            raise ValueError(f"test_sizes.csv line {number}: folds {row.folds!r} do not add up to {row.images} images")
    return table


def folds_of(folds: str, images: int, equal: bool = True) -> tuple[int, ...]:
    """Images in each fold: as listed, or for "unknown N" as ``equal`` as can be or uneven; () where there are none."""
    if folds.startswith("unknown "):
        return (even if equal else uneven)(images, int(folds.removeprefix("unknown ")))
    return tuple(map(int, folds.split()))


@dataclass(frozen=True)
class Column:
    """A paper's own printed accuracies on one dataset (several tables may print it), and the units they may be in."""

    paper: str
    tables: tuple[str, ...]
    dataset: str
    cells: pd.DataFrame  # own cells: table, method, value
    units: pd.DataFrame  # unit, images, basis, folds, place

    @property
    def values(self) -> list[str]:
        """The different printed values, in order."""
        return list(dict.fromkeys(self.cells["value"]))

    @property
    def key(self) -> dict[str, str]:
        """What names the column in a table."""
        numbers = " and ".join(table.removeprefix("Table ") for table in self.tables)
        return {"paper": self.paper, "table": numbers, "dataset": self.dataset}


def columns() -> list[Column]:
    """Every column of own accuracies, in the order of papers and tables."""
    own, known = accuracies().query("own"), sizes()
    found = []
    for (paper, dataset), cells in own.groupby(["paper", "dataset"], sort=False):
        units = known[(known["paper"] == paper) & (known["dataset"] == dataset)]
        if units.empty:
            raise ValueError(f"test_sizes.csv tells no number of images for {paper}, {dataset!r}")
        units = units.drop_duplicates(["unit", "images"]).sort_values("images")
        found.append(Column(paper, tuple(cells["table"].unique()), dataset, cells, units))
    return found
