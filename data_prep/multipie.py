"""Prepare CMU Multi-PIE (Gross et al. 2010; licence from its authors): four expressions, five cameras, twenty lights.

    python data_prep/multipie.py --source FOLDER

IDFERM's text says 204,156 images and its classes add to 204,206; five cameras "from -45 to 45 degrees" would be seven.
The class counts fit the five of -30 to 30 degrees, which are the default.
"""

import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fercore.faces.preparation import command
from fercore.faces.preparation.reading import Dataset, DatasetError, Option, Reading, Shot, around
from fercore.faces.preparation.source import Source

EXPRESSIONS = {  # by session and recording; squint and scream take no part
    ("01", "01"): "neutral", ("01", "02"): "happiness", ("02", "01"): "neutral", ("02", "02"): "surprise",
    ("03", "01"): "neutral", ("03", "02"): "happiness", ("03", "03"): "disgust", ("04", "01"): "neutral",
    ("04", "02"): "neutral",
}  # fmt: skip
FRONT = "051"
CAMERAS = f"130,140,{FRONT},050,041"  # -30, -15, 0, 15, 30 degrees
IMAGE = r"(?P<subject>\d{3})_(?P<session>0[1-4])_(?P<recording>0[1-3])_(?P<camera>\d{3})_(?P<shot>\d{2})\.png"
PAPER = {"neutral": 114_305, "happiness": 47_388, "surprise": 19_817, "disgust": 22_696}
PAPER_SAYS = "IDFERM says 204156 images in its text; its four classes add to 204206"
EXPECTED = {f"images of {label}": around(round(0.97 * n), round(1.03 * n)) for label, n in PAPER.items()}


def read(source: Source, options: Mapping[str, Any]) -> Reading:
    """Pictures of the chosen cameras; a sequence is one session under one light, its reference neutral and frontal."""
    cameras = options["cameras"].replace("_", "").split(",")
    if unknown := [camera for camera in cameras if not re.fullmatch(r"\d{3}", camera)]:
        raise DatasetError(f"cameras {', '.join(unknown)}: write them like {CAMERAS}")
    left_out: Counter = Counter()
    reading = Reading.of(_shots(source, cameras, left_out), [PAPER_SAYS], _order)
    if not reading.shots:
        raise DatasetError(f"no image of the cameras {options['cameras']}; found {source.shape()}")
    reading.notes += [f"left out: {n} images of {what}" for what, n in left_out.items()]
    return reading


def _shots(source: Source, cameras: Sequence[str], left_out: Counter) -> Iterator[Shot]:
    for file, match in source.matching(IMAGE):
        label = EXPRESSIONS.get((match["session"], match["recording"]))
        if label is None or match["camera"] not in cameras:
            left_out["squint or scream" if label is None else "other cameras"] += 1
            continue
        yield Shot(
            file.path, file, match["subject"], label, f"{match['session']}-{match['shot']}",
            100 * cameras.index(match["camera"]) + int(match["recording"]), match["camera"],
        )  # fmt: skip


def _order(shot: Shot) -> str:
    """Neutral and frontal pictures first: the first one of a sequence is its reference."""
    return f"{shot.subject} {shot.sequence} {shot.label != 'neutral':d} {shot.native != FRONT:d} {shot.frame:06d}"


MULTIPIE = Dataset(
    "multipie", "CMU Multi-PIE", read, EXPECTED | {"subjects": around(337)},
    "CMU Multi-PIE (Gross et al. 2010), under licence",
    ("idferm", "eyes"), reference="sequence",
    options=(Option("cameras", "their numbers (%(default)s)", CAMERAS),),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(command.main(MULTIPIE, __doc__))
