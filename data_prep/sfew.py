"""Prepare SFEW 2.0, stills from films (Dhall et al. 2015; licence from its authors).

    python data_prep/sfew.py --source FOLDER_OR_ZIPS

FOLDER holds Train/Train_Aligned_Faces and Val/Val_Aligned_Faces, or the copy with sfew2.0_images, sfew_2.0_labels.csv.
The official test set has no labels and is left out. Some dozens of the aligned faces show no face; they are kept, as in
the official division.
"""

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from fercore.faces.preparation import command, tables
from fercore.faces.preparation.reading import Dataset, Reading, Shot, around, code, known
from fercore.faces.preparation.source import Source

LABELS = {
    "angry": "anger", "disgust": "disgust", "fear": "fear", "happy": "happiness", "neutral": "neutral",
    "sad": "sadness", "surprise": "surprise",
}  # fmt: skip
IMAGE = (
    r"(?P<split>Train|Val)_Aligned_Faces(_new)?/"
    rf"(?P<label>{'|'.join(LABELS)})/(?P<movie>[^/]+)_\d{{9}}_\d{{8}}\.png"
)


def read(source: Source, options: Mapping[str, Any]) -> Reading:
    """Aligned training and validation faces; the film stands for the person."""
    shots = {  # archive and folder may be there, whose names differ
        (match["split"].lower(), file.name.lower()): Shot(
            file.path, file, match["movie"], LABELS[match["label"].lower()], file.name,
            native=match["label"].lower(), split=match["split"].lower())
        for file, match in source.matching(IMAGE)
    }  # fmt: skip
    shots = list(shots.values()) or list(_redistributed(source))
    split = [shot.split for shot in shots]
    return Reading.of(shots, **{"training images": split.count("train"), "validation images": split.count("val")})


def _redistributed(source: Source) -> Iterator[Shot]:
    """The copy with numbered images and one table, which does not tell the films."""
    images = {file.name.lower(): file for file, _ in source.matching(r"sfew2\.0_images/[^/]+\.png")}
    for table, _ in source.matching(r"sfew_2\.0_labels\.csv"):
        with table.on_disk() as path:
            for row in tables.rows(path, table.path, ("imagename", "label", "originalsplit")):
                split, file = row["originalsplit"].strip().lower(), images.get(row["imagename"].strip().lower())
                number = code(row["label"])
                if file and split in ("train", "val") and 0 <= number < len(LABELS):
                    native = [*LABELS][number]  # codes follow the alphabet
                    yield Shot(file.path, file, file.name, LABELS[native], native=native, split=split)


SFEW = Dataset(
    "sfew", "SFEW 2.0", read, {"training images": known(891), "validation images": around(425, 436)},
    "SFEW 2.0 (Dhall et al. 2015), under licence", ("whole_colour", "whole"), already_cropped=True, size=144,
    folds=False,
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(command.main(SFEW, __doc__))
