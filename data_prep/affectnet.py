"""Prepare AffectNet (Mollahosseini et al. 2017; licence from its authors), the releases of 2017 and 2021.

    python data_prep/affectnet.py --source FOLDER

2017: Manually_Annotated_Images and training.csv, validation.csv. 2021: train_set and val_set with images, annotations.
The paper tests on the validation set; its "280,000" are 283,901. Contempt is left out unless --contempt yes.
"""

import csv
import io
import math
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from fercore.faces.preparation import command
from fercore.faces.preparation.landmarks68 import five_of
from fercore.faces.preparation.reading import (
    Dataset,
    DatasetError,
    Expected,
    Option,
    Reading,
    Shot,
    around,
    code,
    known,
    several,
)
from fercore.faces.preparation.source import File, Source
from fercore.faces.preparation.stored import StoredList

LABELS = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt")  # by code; more exist
COLUMNS = [
    "subDirectory_filePath", "face_x", "face_y", "face_width", "face_height", "facial_landmarks", "expression",
    "valence", "arousal",
]  # fmt: skip
IMAGE_2017 = r"(?P<key>\d+/[0-9a-f]{20,}\.(jpe?g|png|bmp|tiff?))"
FILE_2021 = r"(?P<split>train|val)_set/(images/(?P<image>\d+)\.jpg|annotations/(?P<number>\d+)_(?P<what>exp|lnd)\.npy)"
TRAINING = (74_874, 134_415, 25_459, 14_090, 6_378, 3_803, 24_882)  # by code, without contempt
SEVEN = {"training images": known(sum(TRAINING)), "validation images": around(3_499, 3_500)} | {
    f"training images of {label}": known(count) for label, count in zip(LABELS, TRAINING, strict=False)
}
EIGHT: dict[str, Expected] = {"training images": known(287_651), "validation images": around(3_999, 4_000)}
CODES = range(11)  # of the labels: the eight, then none, uncertain and no-face
MOST_BYTES = 1 << 16  # of an array of labels or landmarks


def read(source: Source, options: Mapping[str, Any]) -> Reading:
    """Images with an expression; none, uncertain and no-face are left out and counted."""
    notes: list[str] = []
    rows = StoredList(_release_2021(source, notes)) or StoredList(_release_2017(source, notes))
    if not rows:
        raise DatasetError("labels are there but not one of their images; unpack the images below --source too")
    contempt = options["contempt"] == "yes"
    wanted = LABELS if contempt else LABELS[:-1]
    shots = (
        Shot(name, image, name, LABELS[number], native=str(number), split=split, points=points)
        for name, image, split, number, points in rows
        if number < len(wanted)
    )
    reading = Reading.of(shots, notes)
    counts = {"training images": 0, "validation images": 0, "without an expression": 0}
    counts["without an expression"] = sum(number >= len(LABELS) for *_, number, _ in rows)
    for shot in reading.shots:
        counts["training images" if shot.split == "train" else "validation images"] += 1
        if shot.split == "train":
            name = f"training images of {shot.label}"
            counts[name] = counts.get(name, 0) + 1
    reading.counts |= counts
    reading.expected = EIGHT if contempt else SEVEN
    return reading


def _release_2021(source: Source, notes: list[str]) -> Iterator[tuple]:
    images, labels, marks, malformed = {}, {}, {}, []
    for file, match in source.matching(FILE_2021):
        kept = images if match["image"] else {"exp": labels, "lnd": marks}[match["what"].lower()]
        kept[match["split"].lower(), int(match["image"] or match["number"])] = file
    for key in sorted(labels.keys() & images.keys()):
        if (number := _label(labels[key])) not in CODES:
            malformed.append(f"{labels[key].path} ({number})")
            continue
        points = partial(_marks, marks[key]) if key in marks else None
        yield "-".join(map(str, key)), images[key], key[0], number, points
    notes += several(malformed, "malformed labels, left out")
    notes += several([f"{split}_set/{n}" for split, n in labels.keys() - images.keys()], "labels without an image")
    notes += several([f"{split}_set/{n}" for split, n in images.keys() - labels.keys()], "images without a label")


def _label(file: File) -> int:
    """The label in a 0-d array, a number or its digits."""
    try:
        return code(str(_array(file).item()))
    except ValueError as error:
        raise DatasetError(f"{file.path} is not a label ({error}); unpack it again") from error


def _marks(file: File) -> np.ndarray:
    """The five points of 68 landmarks in an array of 136; raises ValueError naming it."""
    try:
        return five_of(_array(file).astype(float).reshape(-1, 2))
    except ValueError as error:
        raise ValueError(f"{file.path} does not hold 68 landmarks ({error})") from error


def _array(file: File) -> np.ndarray:
    """A small array; ValueError for a pickled one, or one that claims to be larger than its file."""
    if file.size > MOST_BYTES:
        raise ValueError(f"{file.size} bytes are too many")
    stream = io.BytesIO(file.read())
    version = np.lib.format.read_magic(stream)
    header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in header:
        raise ValueError(f"arrays of version {version} are not read")
    shape, _, kind = header[version](stream)
    if kind.hasobject or math.prod(shape) * kind.itemsize > file.size:
        raise ValueError("a pickled array, or one larger than its file")
    stream.seek(0)
    return np.load(stream, allow_pickle=False)


def _release_2017(source: Source, notes: list[str]) -> Iterator[tuple]:
    images = {match["key"].lower(): file for file, match in source.matching(IMAGE_2017)}
    for name, split in (("training", "train"), ("validation", "val")):
        malformed, unboxed, lost = 0, 0, []
        for row in (row for file, _ in source.matching(rf"{name}\.csv") for row in _rows(file)):
            try:
                number, width = code(row["expression"]), float(row["face_width"])
                if number not in CODES:
                    raise ValueError(f"{number} is no label")
            except (KeyError, DatasetError, ValueError):
                malformed += 1
                continue
            key = row["subDirectory_filePath"].strip().lower()
            if number < len(LABELS) and width <= 0:
                unboxed += 1
            elif key in images:
                yield key, images[key], split, number, partial(_points, row["facial_landmarks"])
            elif number < len(LABELS):
                lost.append(key)
        if malformed or unboxed:
            notes.append(f"{name}.csv: {malformed} malformed rows, {unboxed} without a face box")
        notes += several(lost, f"images of {name}.csv are missing")


def _rows(file: File) -> Iterator[dict[str, str]]:
    """The rows of a list, with or without a header; a row of another length has no columns."""
    try:
        with file.on_disk() as path, open(path, newline="", encoding="utf-8", errors="replace") as lines:
            for row in csv.reader(lines):
                if row and row[0] != COLUMNS[0]:
                    yield dict(zip(COLUMNS, row, strict=True)) if len(row) == len(COLUMNS) else {}
    except csv.Error as error:
        raise DatasetError(f"{file.path} is no table that can be read ({error}); copy it again") from error


def _points(text: str) -> np.ndarray:
    return five_of(np.array(text.split(";"), float).reshape(-1, 2))


AFFECTNET = Dataset(
    "affectnet", "AffectNet", read, SEVEN, "AffectNet (Mollahosseini et al. 2017), under licence",
    ("occluded", "whole_colour", "eyes"), already_cropped=True, folds=False,
    options=(Option("contempt", "whether contempt takes part (%(default)s, as in the paper)", "no", ("yes", "no")),),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(command.main(AFFECTNET, __doc__))
