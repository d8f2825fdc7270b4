"""The tables of a prepared set, written row by row: a large one never stands in memory."""

import csv
import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, compress
from pathlib import Path

import numpy as np

from fercore.faces.faceset import COLUMNS
from fercore.faces.preparation.framing import NOT_THERE, Framing
from fercore.faces.preparation.reading import DatasetError, Shot, references

NO_POINTS = [math.nan] * 10


def framing(file: Path, shots: Sequence[Shot], blocks: Iterable[dict]) -> tuple[Framing, np.ndarray]:
    """Write how each face was found, what was wrong and where its five points are.

    Returns it in short, and which of the pictures show a face.
    """
    said, kept = Framing(), np.zeros(len(shots), bool)
    found = chain.from_iterable(zip(block["how"], block["problem"], block["points"], strict=True) for block in blocks)

    def rows() -> Iterator[Sequence]:
        for row, (shot, (how, problem, points)) in enumerate(zip(shots, found, strict=True)):
            kept[row] = how not in NOT_THERE
            said.note(shot.name, how, problem)
            yield shot.name, shot.subject, how, problem, *(points or NO_POINTS)

    _write(file, ["picture", "subject", "how", "problem", *(f"p{i}" for i in range(10))], rows())
    return said, kept


def manifest(file: Path, shots: Sequence[Shot], kept: np.ndarray, reference: str) -> None:
    """Write the face set's table, one row per shot that is ``kept``; raises DatasetError for one without a label."""
    names = [*COLUMNS, *(["native"] if any(shot.native for shot in shots) else [])]
    neutral = references(compress(shots, kept), reference)

    def rows() -> Iterator[Sequence]:
        for shot, row in zip(compress(shots, kept), neutral, strict=True):
            if not (shot.subject and shot.label):
                raise DatasetError(f"{shot.name} has no label or no subject")
            yield [int(row) if name == "reference" else getattr(shot, name) for name in names]

    _write(file, names, rows())


def _write(file: Path, header: Sequence[str], rows: Iterable[Sequence]) -> None:
    with open(file, "w", newline="", encoding="utf-8") as lines:
        table = csv.writer(lines, lineterminator="\n")
        table.writerow(header)
        for row in rows:
            table.writerow(["" if value != value else value for value in row])  # NaN
