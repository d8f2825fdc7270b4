"""Prepare FER2013 (Goodfellow et al. 2013), free to download: the csv, folders of classes, or FER+ images.

    python data_prep/fer2013.py --source FOLDER
    python data_prep/fer2013.py --source FOLDER --labels ferplus

FOLDER holds fer2013.csv; or train/angry/*.jpg and test/...; or FER2013Train/fer0000000.png. FER+ labels (Barsoum et al.
2016) come from fer2013new.csv beside the csv or the images: the class that more than half of the ten raters chose.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from fercore.faces.preparation import command, tables
from fercore.faces.preparation.reading import Dataset, DatasetError, Option, Reading, Shot, around, code, known
from fercore.faces.preparation.source import File, Source
from fercore.faces.preparation.stored import StoredList

SIDE = 48
LABELS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")  # by code
FOLDERS = dict(zip(("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"), LABELS, strict=True))
RATED = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "nf")
SPLITS = {"training": "train", "publictest": "val", "privatetest": "test"}
EXPECTED = {"images in the source": known(35_887)}
WITHOUT_NAMELESS = {"images in the source": around(35_600, 35_887)}  # FER+ writes no file of what shows no face


class Picture(NamedTuple):
    """One image with its original label, "" where the source has none."""

    name: str
    image: File | Callable[[], np.ndarray]
    split: str
    label: str


def read(source: Source, options: Mapping[str, Any]) -> Reading:
    """Every image with the labels asked for; images without a label of FER+ are left out and counted."""
    pictures = _in_table(source) or _in_folders(source)
    expected = EXPECTED
    if not pictures:
        pictures, expected = _beside_ratings(source), WITHOUT_NAMELESS
    labels: Sequence[str | None] = [picture.label for picture in pictures]
    if options["labels"] == "ferplus" or not any(labels):
        labels = _rated(source, pictures)
    shots = (
        Shot(picture.name, picture.image, picture.name, label, native=picture.label, split=picture.split)
        for picture, label in zip(pictures, labels, strict=True)
        if label in (*LABELS, "contempt")
    )
    reading = Reading.of(shots, **{"images in the source": len(pictures)})
    if not reading.shots:
        raise DatasetError("no image has a label; FER+ labels suit fer2013.csv and the images named fer0000000.png")
    if dropped := len(pictures) - len(reading.shots):
        reading.notes.append(f"{dropped} images without a class that more than half of the raters chose are left out")
    reading.expected = expected
    return reading


def _in_table(source: Source) -> Sequence[Picture]:
    for file, _ in source.matching(r"(fer2013|icml_face_data)\.csv"):
        with file.on_disk() as path:
            rows = tables.rows(path, file.path, ("emotion", "pixels", "usage"), "ascii")
            return StoredList(_of_row(row, i, file.path) for i, row in enumerate(rows))
    return []


def _of_row(row: Mapping[str, str], i: int, called: str) -> Picture:
    number = code(row["emotion"])
    try:
        pixels = np.array(row["pixels"].split(), dtype=float)
    except ValueError:
        pixels = np.empty(0)
    if pixels.shape != (SIDE * SIDE,) or not (np.isfinite(pixels).all() and 0 <= number < len(LABELS)):
        raise DatasetError(f"{called}, row {i + 1}: {pixels.size} gray levels, label {number}; download it again")
    gray = pixels.clip(0, 255).astype(np.uint8).reshape(SIDE, SIDE)
    split = SPLITS.get(row["usage"].strip().lower(), "")
    return Picture(f"fer{i:07d}.png", partial(_colour, gray), split, LABELS[number])


def _colour(gray: np.ndarray) -> np.ndarray:
    return np.repeat(gray[..., None], 3, axis=2)


def _in_folders(source: Source) -> list[Picture]:
    images = rf"(?P<split>train|test)/(?P<label>{'|'.join(FOLDERS)})/[^/]+\.(jpg|png)"
    return [
        Picture(file.path, file, match["split"].lower(), FOLDERS[match["label"].lower()])
        for file, match in source.matching(images)
    ]


def _beside_ratings(source: Source) -> list[Picture]:
    splits = {"train": "train", "valid": "val", "test": "test"}
    return [
        Picture(file.name.lower(), file, splits[match["split"].lower()], "")
        for file, match in source.matching(r"FER2013(?P<split>Train|Valid|Test)/fer\d{7}\.png")
    ]


def _rated(source: Source, pictures: Sequence[Picture]) -> list[str | None]:
    """FER+'s label of each image, by its name or its row; raises DatasetError without the table."""
    for file, _ in source.matching(r"fer2013new\.csv"):
        by_name: dict[str, str | None] = {}
        with file.on_disk() as path:
            for i, row in enumerate(tables.rows(path, file.path, ("imagename", *RATED), "ascii")):
                by_name[row["imagename"].strip() or f"fer{i:07d}.png"] = _majority(row)
        return [by_name.get(picture.name) for picture in pictures]
    raise DatasetError("FER+ labels need fer2013new.csv (github.com/microsoft/FERPlus) in the source")


def _majority(row: Mapping[str, str]) -> str | None:
    counts = [code(row[name] or "0") for name in RATED]
    most = int(np.argmax(counts))
    return RATED[most] if 2 * counts[most] > sum(counts) else None


FER2013 = Dataset(
    "fer2013", "FER2013", read, EXPECTED, "FER2013 (Goodfellow et al. 2013)", ("whole",), licensed=False,
    already_cropped=True, size=SIDE, folds=False,
    options=(Option("labels", "the original ones, or FER+ (%(default)s)", "fer", ("fer", "ferplus")),),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(command.main(FER2013, __doc__))
