"""What the four papers claim, as data (``results/published/claims.csv``): which printed numbers relate how.

A side names rows of the printed tables as they do, separated by ``;``. ``*`` is every row that the left side does not
name, ``not ROW`` takes one out again, ``same @ DATASET`` is the same row on another dataset. Sides of arithmetic are
sums of numbers, sides of facts are values told in words; a statement has none.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cached_property

from fercore import paths, published
from fercore.claims.arithmetic import evaluated

COMPARES = ("=", ">", "<", ">=", "<=")
RELATIONS = {  # kind -> what its two sides may be said to be
    "ordering": (">", "<", "> in turn", "never rising"),  # every row against every other; first against first
    "difference": ("=", ">"),
    "ratio": ("=",),
    "value": ("=", "rounds to"),
    "arithmetic": COMPARES,
    "facts": ("same set", "same list", "all equal", "different", "disjoint", "among", "count"),
    "statement": ("",),  # in words or a figure only
}
OF_TABLES = ("ordering", "difference", "ratio", "value")
FIGURES = {"difference", "ratio", "value"}  # kinds that expect a number
NO_PAGE = "none: "  # the start of a page that is none, why follows
MOST, READINGS = "most", "readings"  # expected: more than half of the pairs; each left side is one reading of the claim


class ClaimError(ValueError):
    """A claim names what does not exist; says which claim, what is missing and what is valid."""


@dataclass(frozen=True)
class Claim:
    """One row of the file."""

    id: str
    paper: str
    place: str  # section, table or figure
    claim: str  # in our words
    kind: str
    tables: str
    datasets: str  # columns of the tables; * all
    metrics: str
    left: str
    relation: str
    right: str
    expected: str  # a number; or how many pairs must hold where not all: "most", "3 columns", "readings"
    note: str
    page: str  # the notebook that shows it, or NO_PAGE and why none does

    @cached_property
    def cells(self) -> list[published.Cell]:
        """The printed numbers that its columns hold, whatever the row."""
        numbers = [int(number) for number in items(self.tables)]
        cells = [cell for number in numbers for cell in published.cells(self.paper, number)]
        for name, wanted in (("dataset", self.datasets), ("metric", self.metrics)):
            cells = _only(self, cells, name, items(wanted))
        return cells

    @property
    def columns_needed(self) -> int | None:
        """In how many columns the order must hold, where the claim says so."""
        number, _, unit = self.expected.partition(" ")
        return int(number) if unit == "columns" else None

    @cached_property
    def pairs(self) -> list[tuple[published.Cell, published.Cell]]:
        """The printed numbers that it holds against each other, left and right; a blank one is held against none."""
        pairs = []
        for column in dict.fromkeys((cell.dataset, cell.metric) for cell in self.cells):
            pairs += _pairs(self, {cell.row: cell for cell in self.cells if (cell.dataset, cell.metric) == column})
        return [(left, right) for left, right in pairs if left.value is not None and right.value is not None]


def claims(paper: str | None = None) -> list[Claim]:
    """Every claim, or those of one paper; raises ClaimError where one names what does not exist."""
    with open(paths.published() / "claims.csv", newline="") as file:
        found = [Claim(**row) for row in csv.DictReader(file)]
    known = {one.paper for one in found}
    if paper is not None and paper not in known:
        raise ClaimError(f"paper {paper!r} has no claims; valid: {', '.join(sorted(known))}")
    for one in found:
        check(one)
    return [one for one in found if paper in (None, one.paper)]


def items(text: str) -> list[str]:
    """The parts of a list in a cell."""
    return [part.strip() for part in text.split(";") if part.strip()]


def check(claim: Claim) -> None:
    """Raise ClaimError, with what is missing and what is valid, where a claim cannot be judged as it stands."""
    _one_of(claim, "kind", claim.kind, RELATIONS)
    _one_of(claim, "relation", claim.relation, RELATIONS[claim.kind])
    told = claim.page.startswith(NO_PAGE) or not claim.page
    if not told and not (paths.ROOT / "notebooks" / claim.paper / f"{claim.page}.ipynb").is_file():
        valid = sorted(page.stem for page in (paths.ROOT / "notebooks" / claim.paper).glob("*.ipynb"))
        _one_of(claim, "page", claim.page, valid)
    if claim.kind in OF_TABLES:
        _check_tables(claim)
    elif claim.kind != "statement" and not (claim.left and claim.right):
        raise ClaimError(f"claim {claim.id}: {claim.kind} needs a left and a right side")
    _check_numbers(claim)


def _check_tables(claim: Claim) -> None:
    known = published.tables().get(claim.paper, [])
    for number in items(claim.tables) or [""]:
        _one_of(claim, "table", number, list(map(str, known)))
    rows = list(dict.fromkeys(cell.row for cell in claim.cells))
    for side in (claim.left, claim.right):
        for name in items(side):
            row, _, dataset = name.removeprefix("not ").partition(" @ ")
            if row != "same":
                _one_of(claim, "row", row, ["*", *rows])
            if dataset:
                every = [cell for number in items(claim.tables) for cell in published.cells(claim.paper, int(number))]
                _one_of(claim, "dataset", dataset, list(dict.fromkeys(cell.dataset for cell in every)))
    if claim.kind != "value" and not claim.pairs:
        raise ClaimError(f"claim {claim.id}: no column prints both {claim.left!r} and {claim.right!r}")


def _check_numbers(claim: Claim) -> None:
    sums = items(claim.left) + items(claim.right) if claim.kind == "arithmetic" else []
    try:
        for text in sums + [claim.expected] * (claim.kind in FIGURES):
            evaluated(text)
    except ValueError as error:
        raise ClaimError(f"claim {claim.id}: {error}") from None
    counted = claim.kind == "ordering" and claim.columns_needed
    if claim.kind not in FIGURES and not counted:
        valid = {"ordering": ("", MOST, "3 columns"), "arithmetic": ("", READINGS)}.get(claim.kind, ("",))
        _one_of(claim, "expected", claim.expected, valid)


def _one_of(claim: Claim, what: str, value: str, valid: Iterable[str]) -> None:
    if value not in valid:
        raise ClaimError(f"claim {claim.id}: there is no {what} {value!r}; valid: {', '.join(valid) or 'none'}")


def _only(claim: Claim, cells: list[published.Cell], name: str, wanted: list[str]) -> list[published.Cell]:
    if wanted == ["*"]:
        return cells
    known = list(dict.fromkeys(getattr(cell, name) for cell in cells))
    for value in wanted or [""]:
        _one_of(claim, name, value, known)
    return [cell for cell in cells if getattr(cell, name) in wanted]


def _pairs(claim: Claim, column: dict[str, published.Cell]) -> list[tuple[published.Cell, published.Cell]]:
    """Of one column, by row."""
    if claim.relation == "never rising":
        return list(zip(list(column.values())[:-1], list(column.values())[1:], strict=True))
    left = [column.get(row) for row in items(claim.left)]
    if claim.right.startswith("same @ "):
        elsewhere = _elsewhere(claim)
        return [(cell, elsewhere[cell.row]) for cell in left if cell and cell.row in elsewhere]
    right = [column.get(row) for row in _named(claim.right, column, items(claim.left))]
    pairs = zip(left, right, strict=True) if claim.relation == "> in turn" else [(a, b) for a in left for b in right]
    return [(a, b) for a, b in pairs if a and b and a != b]


def _named(side: str, column: dict[str, published.Cell], other: list[str]) -> list[str]:
    names = items(side)
    out = {name.removeprefix("not ") for name in names if name.startswith("not ")}
    if "*" in names:
        return [row for row in column if row not in out and row not in other]
    return [name for name in names if name not in out]


def _elsewhere(claim: Claim) -> dict[str, published.Cell]:
    """The cells of the dataset that ``same @ DATASET`` names, by row."""
    dataset = claim.right.removeprefix("same @ ")
    cells = [cell for number in items(claim.tables) for cell in published.cells(claim.paper, int(number))]
    return {cell.row: cell for cell in cells if cell.dataset == dataset}


COLUMNS = [field.name for field in fields(Claim)]
