"""Prepare AffectNet (Mollahosseini et al. 2017; licence from its authors), the releases of 2017 and 2021.

    python data_prep/affectnet.py --source FOLDER

2017: Manually_Annotated_Images and training.csv, validation.csv. 2021: train_set and val_set with images, annotations.
The paper tests on the validation set; contempt is left out unless --contempt yes.
"""

import csv
import io
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from fercore.faces.preparation import command
from fercore.faces.preparation.landmarks68 import five_of
from fercore.faces.preparation.pictures import still
from fercore.faces.preparation.reading import Dataset, DatasetError, Option, Reading, Shot, around, code
from fercore.faces.preparation.source import File, Source

LABELS = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt")  # by code; more exist
COLUMNS = [
    "subDirectory_filePath", "face_x", "face_y", "face_width", "face_height", "facial_landmarks", "expression",
    "valence", "arousal",
]  # fmt: skip
IMAGE_2017 = r"(?P<key>\d+/[0-9a-f]{20,}\.(jpe?g|png|bmp|tiff?))"
FILE_2021 = r"(?P<split>train|val)_set/(images/(?P<image>\d+)\.jpg|annotations/(?P<label>\d+)_exp\.npy)"
EXPECTED = {  # of seven classes: verified for 2017; 2021 has about as many
    "training images": around(283_000, 287_651), "validation images": around(3_499, 4_000),
}  # fmt: skip


def read(source: Source, options: Mapping[str, Any]) -> Reading:
    """Images with an expression; none, uncertain and no-face are left out and counted."""
    notes: list[str] = []
    rows = list(_release_2021(source, notes)) or list(_release_2017(source, notes))
    if not rows:
        raise DatasetError("labels are there but not one of their images; unpack the images below --source too")
    wanted = LABELS if options["contempt"] == "yes" else LABELS[:-1]
    shots = [
        Shot(name, image, name, LABELS[number], native=str(number), split=split, points=points)
        for name, image, split, number, points in rows
        if number < len(LABELS) and LABELS[number] in wanted
    ]
    split = [shot.split for shot in shots]
    counts = {"training images": split.count("train"), "validation images": split.count("val")}
    return Reading.of(
        shots, notes, **counts, **{"images without an expression": sum(n >= len(LABELS) for *_, n, _ in rows)}
    )


def _release_2021(source: Source, notes: list[str]) -> Iterator[tuple]:
    images, labels = {}, {}
    for file, match in source.matching(FILE_2021):
        key = (match["split"].lower(), match["image"] or match["label"])
        (images if match["image"] else labels)[key] = file
    for split, number in sorted(labels.keys() & images.keys(), key=lambda key: (key[0], int(key[1]))):
        key = (split, number)
        yield f"{split}-{number}", partial(still, images[key]), split, _scalar(labels[key]), None
    if lost := labels.keys() ^ images.keys():
        notes.append(f"{len(lost)} images or labels without their partner, such as {'/'.join(min(lost))}")


def _scalar(file: File) -> int:
    """The label in a 0-d array, a number or its digits; pickled arrays are refused."""
    try:
        return code(str(np.load(io.BytesIO(file.read()), allow_pickle=False).item()))
    except (ValueError, EOFError) as error:
        raise DatasetError(f"{file.path} is not a label ({error}); unpack it again") from error


def _release_2017(source: Source, notes: list[str]) -> Iterator[tuple]:
    images = {match["key"].lower(): file for file, match in source.matching(IMAGE_2017)}
    for split in ("training", "validation"):
        bad = lost = 0
        for file, _ in source.matching(rf"{split}\.csv"):
            for row in _rows(file):
                try:
                    number, width = code(row["expression"]), float(row["face_width"])
                except (DatasetError, ValueError, TypeError):
                    bad += 1
                    continue
                key = row["subDirectory_filePath"].strip().lower()
                if number < len(LABELS) and (width <= 0 or key not in images):
                    lost += 1
                    continue
                if key in images:
                    points = partial(_points, row["facial_landmarks"])
                    yield (
                        key,
                        partial(still, images[key]),
                        split.removesuffix("ing").replace("validation", "val"),
                        number,
                        points,
                    )
        if bad or lost:
            notes.append(f"{split}.csv: {bad} malformed rows, {lost} images missing or without a face box")


def _rows(file: File) -> Iterator[dict[str, str]]:
    """The rows of a list, with or without a header."""
    with file.on_disk() as path, open(path, newline="", encoding="utf-8", errors="replace") as lines:
        for row in csv.reader(lines):
            if row and row[0] != COLUMNS[0] and len(row) == len(COLUMNS):
                yield dict(zip(COLUMNS, row, strict=True))


def _points(text: str) -> np.ndarray:
    return five_of(np.array(text.split(";"), float).reshape(-1, 2))


AFFECTNET = Dataset(
    "affectnet", "AffectNet", read, EXPECTED, "AffectNet (Mollahosseini et al. 2017), under licence",
    ("occluded", "whole_colour", "eyes"), already_cropped=True, folds=False,
    options=(Option("contempt", "whether contempt takes part (%(default)s, as in the paper)", "no", ("yes", "no")),),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(command.main(AFFECTNET, __doc__))
