"""Which test of ours stands for a printed column (``results/published/columns.csv``), and how many images it was.

A row without a table is a test that no table of the paper has, on photographs that anybody may use.
"""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Any

from fercore import paths, published
from fercore.claims.reading import items


@dataclass(frozen=True)
class PrintedColumn:
    """One column of a printed table, or those of its rows that are trained alike."""

    paper: str
    table: int | None
    printed: str  # its name there
    dataset: str  # ours; several joined by "+"
    protocol: str
    images: int | None  # tested in print
    inferred: bool  # that number is not stated but inferred
    unit: str  # what it counts: "image" or "sequence"
    trial: str  # "" the runs' own test
    trial_protocol: str
    occlusions: tuple[str, ...]
    rows: Mapping[str, str] = field(hash=False)  # printed row -> variant; empty: as the paper's file says
    changes: Mapping[str, Any] = field(hash=False)  # of the tier's configuration


@cache
def columns(paper: str) -> tuple[PrintedColumn, ...]:
    """Those of a paper, in the order of its tables."""
    with open(paths.published() / "columns.csv", newline="") as file:
        return tuple(_column(row) for row in csv.DictReader(file) if row["paper"] == paper)


def columns_of(cell: published.Cell) -> list[PrintedColumn]:
    """Where a printed number stands; none for what is not a score of test images."""
    if cell.unit != "%":
        return []
    return [one for one in columns(cell.paper) if (one.table, one.printed) == (cell.table, cell.dataset)]


def elsewhere(paper: str) -> list[PrintedColumn]:
    """Tests that no table of the paper has."""
    return [one for one in columns(paper) if one.table is None]


def _column(row: dict[str, str]) -> PrintedColumn:
    return PrintedColumn(
        row["paper"],
        int(row["table"]) if row["table"] else None,
        row["printed"],
        row["dataset"],
        row["protocol"],
        int(row["images"]) if row["images"] else None,
        row["images_from"] == "inferred",
        row["unit"],
        row["trial"],
        row["trial_protocol"],
        tuple(items(row["occlusions"])),
        MappingProxyType(_loaded(row["rows"])),
        MappingProxyType(_loaded(row["changes"])),
    )


def _loaded(text: str) -> dict[str, Any]:
    """Lists become tuples, as a configuration has them."""
    found = json.loads(text or "{}")
    return {name: tuple(value) if isinstance(value, list) else value for name, value in found.items()}
