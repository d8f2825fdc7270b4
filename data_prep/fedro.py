"""Prepare FED-RO, real occlusions, a test set of 400 images (Li et al. 2018; from its authors).

python data_prep/fedro.py --source FOLDER
"""

import sys
from collections.abc import Mapping
from typing import Any

from fercore.faces.preparation import command
from fercore.faces.preparation.reading import Dataset, Reading, Shot, around
from fercore.faces.preparation.source import Source

LABELS = {
    "anger": "anger", "disgust": "disgust", "fear": "fear", "happy": "happiness", "neural": "neutral",  # sic
    "neutral": "neutral", "sad": "sadness", "surprise": "surprise",
}  # fmt: skip
IMAGE = rf"(?P<label>{'|'.join(LABELS)})/(?P<name>occ_img_\d+)\.jpe?g"
PAPER, DOWNLOAD = 400, 381  # images in the paper; in the download, as a user reports


def read(source: Source, options: Mapping[str, Any]) -> Reading:
    """Every image; all of them are for testing."""
    shots = [
        Shot(file.path, file, f"{match['label']}-{match['name']}".lower(),
             LABELS[match["label"].lower()],
             native=match["label"].lower(), split="test")
        for file, match in source.matching(IMAGE)
    ]  # fmt: skip
    notes = []
    if DOWNLOAD <= len(shots) < PAPER:
        notes.append(f"{len(shots)} of {PAPER} images: the public download lacks some, results differ from the paper's")
    return Reading.of(shots, notes)


FEDRO = Dataset(
    "fedro", "FED-RO", read, {"images": around(PAPER)}, "FED-RO (Li et al. 2018)",
    ("occluded", "whole_colour", "whole"), already_cropped=True, folds=False,
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(command.main(FEDRO, __doc__))
