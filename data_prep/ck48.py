"""Prepare CK+48, the widely re-distributed 48 x 48 crops of CK+ (three last frames of every labelled sequence).

    python data_prep/ck48.py --source FOLDER

FOLDER holds anger/S010_004_00000017.png and its like. Nothing in it is neutral; file names tell people apart.
"""

import sys
from collections.abc import Mapping
from typing import Any

from fercore.faces.preparation import command
from fercore.faces.preparation.reading import Dataset, Reading, Shot, known
from fercore.faces.preparation.source import Source

LABELS = {
    "anger": "anger", "contempt": "contempt", "disgust": "disgust", "fear": "fear", "happy": "happiness",
    "sadness": "sadness", "surprise": "surprise",
}  # fmt: skip
IMAGE = rf"(?P<label>{'|'.join(LABELS)})/(?P<subject>S\d{{3}})_(?P<sequence>\d{{3}})_(?P<frame>\d{{8}})\.png"
EXPECTED = {"images": known(981), "subjects": known(118)} | {
    f"images of {label}": known(count)
    for label, count in zip(LABELS.values(), (135, 54, 177, 75, 207, 84, 249), strict=True)
}


def read(source: Source, options: Mapping[str, Any]) -> Reading:
    """Every image; subject and sequence from its name."""
    shots = [
        Shot(
            file.path, file, match["subject"].upper(), LABELS[match["label"].lower()],
            match["sequence"],
            int(match["frame"]), match["label"].lower(),
        )
        for file, match in source.matching(IMAGE)
    ]  # fmt: skip
    return Reading.of(sorted(shots, key=lambda shot: (shot.subject, shot.sequence, shot.frame)))


CK48 = Dataset(
    "ck48",
    "CK+48",
    read,
    EXPECTED,
    "CK+48 (crops of CK+, Lucey et al. 2010)",
    ("whole",),
    already_cropped=True,
    size=48,
)

if __name__ == "__main__":
    sys.exit(command.main(CK48, __doc__))
