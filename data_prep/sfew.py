"""Prepare SFEW 2.0, stills from films (Dhall et al. 2015; licence from its authors).

    python data_prep/sfew.py --source FOLDER_OR_ZIPS

FOLDER holds Train/Train_Aligned_Faces and Val/Val_Aligned_Faces; the official test set has no labels and is left out.
Some dozens of the aligned faces show no face; they are kept, as in the official division.
"""

import sys
from collections.abc import Mapping
from functools import partial
from typing import Any

from fercore.faces.preparation import command
from fercore.faces.preparation.pictures import still
from fercore.faces.preparation.reading import Dataset, Reading, Shot, around, known
from fercore.faces.preparation.source import Source

LABELS = {
    "angry": "anger", "disgust": "disgust", "fear": "fear", "happy": "happiness", "neutral": "neutral",
    "sad": "sadness", "surprise": "surprise",
}  # fmt: skip
IMAGE = (
    r"(?P<split>Train|Val)_Aligned_Faces(_new)?/(.+/)?"
    rf"(?P<label>{'|'.join(LABELS)})/(?P<movie>[^/]+)_\d{{9}}_\d{{8}}\.png"
)


def read(source: Source, options: Mapping[str, Any]) -> Reading:
    """Aligned training and validation faces; the film stands for the person."""
    shots = [
        Shot(file.path, partial(still, file), match["movie"], LABELS[match["label"].lower()], file.name,
             native=match["label"].lower(), split=match["split"].lower())
        for file, match in source.matching(IMAGE)
    ]  # fmt: skip
    split = [shot.split for shot in shots]
    return Reading.of(shots, **{"training images": split.count("train"), "validation images": split.count("val")})


SFEW = Dataset(
    "sfew", "SFEW 2.0", read, {"training images": known(891), "validation images": around(425, 436)},
    "SFEW 2.0 (Dhall et al. 2015), under licence", ("whole_colour", "whole"), already_cropped=True, size=144,
    folds=False,
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(command.main(SFEW, __doc__))
