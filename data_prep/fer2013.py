"""Prepare FER2013 (Goodfellow et al. 2013), free to download: the csv, folders of classes, or FER+ images.

    python data_prep/fer2013.py --source FOLDER
    python data_prep/fer2013.py --source FOLDER --labels ferplus

FOLDER holds fer2013.csv; or train/angry/*.jpg and test/...; or FER2013Train/fer0000000.png. FER+ labels (Barsoum et al.
2016) come from fer2013new.csv beside the csv or the images: the class that more than half of the ten raters chose.
"""

import csv
import io
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from fercore.faces.preparation import command
from fercore.faces.preparation.pictures import still
from fercore.faces.preparation.reading import Dataset, DatasetError, Option, Reading, Shot, around, code, known
from fercore.faces.preparation.source import File, Source

SIDE = 48
LABELS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")  # by code
FOLDERS = dict(zip(("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"), LABELS, strict=True))
RATED = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF")
SPLITS = {"training": "train", "publictest": "val", "privatetest": "test"}
EXPECTED = {"images in the source": known(35_887), "images without any contrast": around(0, 20)}


def read(source: Source, options: Mapping[str, Any]) -> Reading:
    """Every image with the labels asked for; without any contrast (black) it is left out and counted."""
    pictures = list(_pictures(source))
    if not pictures:
        raise DatasetError(f"neither fer2013.csv nor images of it; found {source.shape()}")
    labels = [label for *_, label in pictures]
    dropped = 0
    if options["labels"] == "ferplus":
        labels = _rated(source, [name for name, *_ in pictures])
    shots, flat = [], 0
    for (name, image, split, native), label in zip(pictures, labels, strict=True):
        if isinstance(image, partial) is False and image.std() == 0:
            flat += 1
        elif label is None or label not in (*LABELS, "contempt"):
            dropped += 1
        else:
            load = image if isinstance(image, partial) else partial(_colour, image)
            shots.append(Shot(name, load, name, label, native=native, split=split))
    notes = (
        [f"{dropped} images without a class that more than half of the raters chose are left out"] if dropped else []
    )
    return Reading.of(shots, notes, **{"images in the source": len(pictures), "images without any contrast": flat})


def _colour(gray: np.ndarray) -> np.ndarray:
    return np.repeat(gray[..., None], 3, axis=2)


def _pictures(source: Source) -> Iterator[tuple[str, Any, str, str]]:
    """(name, pixels or how to read them, split, native label) from the first form that is there."""
    for file, _ in source.matching(r"(fer2013|icml_face_data)\.csv"):
        yield from _rows(file)
        return
    images = rf"(?P<split>train|test)/(?P<label>{'|'.join(FOLDERS)})/[^/]+\.(jpg|png)"
    folders = [
        (f.path, partial(still, f), m["split"].lower(), FOLDERS[m["label"].lower()]) for f, m in source.matching(images)
    ]
    rated = r"FER2013(?P<split>Train|Valid|Test)/fer\d{7}\.png"
    names = {"train": "train", "valid": "val", "test": "test"}
    yield from folders or [
        (f.name, partial(still, f), names[m["split"].lower()], "") for f, m in source.matching(rated)
    ]


def _rows(file: File) -> Iterator[tuple[str, np.ndarray, str, str]]:
    with file.on_disk() as path, open(path, newline="", encoding="ascii", errors="replace") as lines:
        rows = csv.DictReader(lines)
        columns = {name.strip().lower(): name for name in rows.fieldnames or ()}
        if missing := {"emotion", "pixels", "usage"} - set(columns):
            raise DatasetError(f"{file.path} has no column {sorted(missing)}; download it again")
        for i, row in enumerate(rows):
            pixels = np.array((row[columns["pixels"]] or "").split(), dtype=float)
            number = code(row[columns["emotion"]])
            if pixels.shape != (SIDE * SIDE,) or not 0 <= number < len(LABELS):
                raise DatasetError(
                    f"{file.path}, row {i + 1}: {pixels.size} gray levels, label {number}; download it again"
                )
            split = SPLITS.get((row[columns["usage"]] or "").strip().lower(), "")
            yield f"fer{i:07d}.png", pixels.clip(0, 255).astype(np.uint8).reshape(SIDE, SIDE), split, LABELS[number]


def _rated(source: Source, names: list[str]) -> list[str | None]:
    """FER+'s label of each image, by its name or its row; raises DatasetError without the table."""
    for file, _ in source.matching(r"fer2013new\.csv"):
        rows = list(csv.DictReader(io.StringIO(file.read().decode("ascii", "replace"))))
        votes = [_majority(row) for row in rows]
        by_name = {f"fer{i:07d}.png": vote for i, vote in enumerate(votes)}
        by_name |= {row["Image name"]: vote for row, vote in zip(rows, votes, strict=True) if row.get("Image name")}
        return [by_name.get(name) for name in names]
    raise DatasetError("FER+ labels need fer2013new.csv (github.com/microsoft/FERPlus) in the source")


def _majority(row: Mapping[str, str]) -> str | None:
    counts = [code(row.get(name) or "0") for name in RATED]
    most = int(np.argmax(counts))
    return RATED[most] if 2 * counts[most] > sum(counts) else None


FER2013 = Dataset(
    "fer2013", "FER2013", read, EXPECTED, "FER2013 (Goodfellow et al. 2013)", ("whole",), licensed=False,
    already_cropped=True, size=SIDE, folds=False,
    options=(Option("labels", "the original ones, or FER+ (%(default)s)", "fer", ("fer", "ferplus")),),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(command.main(FER2013, __doc__))
