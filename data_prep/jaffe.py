"""Prepare JAFFE, ten Japanese women (Lyons et al. 1998; free for research).

python data_prep/jaffe.py --source FOLDER_OR_ZIP
"""

import sys
from collections.abc import Mapping
from typing import Any

from fercore.faces.preparation import command
from fercore.faces.preparation.reading import Dataset, Reading, Shot, around, known
from fercore.faces.preparation.source import Source

LABELS = {
    "AN": "anger", "DI": "disgust", "FE": "fear", "HA": "happiness", "NE": "neutral", "SA": "sadness", "SU": "surprise",
}  # fmt: skip
IMAGE = rf"(?P<subject>[A-Z]{{2}})\.(?P<label>{'|'.join(LABELS)})(?P<take>\d?)\.(?P<number>\d+)\.tiff?"
EXPECTED = {"images": known(213), "subjects": known(10)} | {
    f"images of {label}": around(n) for label, n in zip(LABELS.values(), (30, 29, 32, 31, 30, 30, 31), strict=True)
}


def read(source: Source, options: Mapping[str, Any]) -> Reading:
    """Every image; the second field of its name is the label."""
    shots = [
        Shot(file.path, file, match["subject"].upper(), LABELS[match["label"].upper()],
             f"{match['label']}{match['take']}".upper(), int(match["number"]), match["label"].upper())
        for file, match in source.matching(IMAGE)
    ]  # fmt: skip
    return Reading.of(sorted(shots, key=lambda shot: (shot.subject, shot.frame)))


JAFFE = Dataset(
    "jaffe", "JAFFE", read, EXPECTED, "JAFFE (Lyons et al. 1998)", ("eyes", "gcnet", "idferm", "whole"),
    reference="subject", already_cropped=True,
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(command.main(JAFFE, __doc__))
