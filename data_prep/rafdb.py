"""Prepare RAF-DB, the basic set (Li et al. 2017; licence from its authors).

    python data_prep/rafdb.py --source FOLDER_OR_ZIPS

FOLDER holds basic/Image/aligned (or aligned.zip) and basic/EmoLabel/list_patition_label.txt, or the re-distribution
DATASET/{train,test}/{1..7}. Nobody in it is named: there is only the official division.
"""

import re
import sys
from collections.abc import Mapping
from typing import Any

from fercore.faces.preparation import command
from fercore.faces.preparation.reading import Dataset, DatasetError, Reading, Shot, around, known, several
from fercore.faces.preparation.source import Source

CODES = {1: "surprise", 2: "fear", 3: "disgust", 4: "happiness", 5: "sadness", 6: "anger", 7: "neutral"}
IMAGE = r"((?P<code>[1-7])/)?(?P<name>(?P<split>train|test)_\d{4,5})_aligned\.jpg"
LINE = re.compile(r"((?:train|test)_\d{4,5})\.jpg\s+([1-7])")
TRAIN = (1290, 281, 717, 4772, 1982, 705, 2524)
TEST = (329, 74, 160, 1185, 478, 162, 680)
EXPECTED = {"training images": known(12_271), "test images": known(3_068)} | {
    f"images of {label}": around(a + b) for label, a, b in zip(CODES.values(), TRAIN, TEST, strict=True)
}
COMPOUND = 11  # classes of the other set of RAF-DB


def read(source: Source, options: Mapping[str, Any]) -> Reading:
    """The aligned images with the labels of the list, or of their folders."""
    listed = _listed(source)
    shots, unlabelled = [], []
    for file, match in source.matching(IMAGE):
        name = match["name"].lower()
        number = listed.get(name, int(match["code"] or 0))
        if number not in CODES:
            unlabelled.append(name)
            continue
        shots.append(Shot(file.path, file, name, CODES[number], native=str(number), split=match["split"].lower()))
    if not shots:
        raise DatasetError(
            f"no aligned image with a label ({len(unlabelled)} without); unpack aligned.zip and EmoLabel"
        )
    notes = several(unlabelled, "images without a label")
    notes += several([*(listed.keys() - {shot.subject for shot in shots})], "images are listed and missing")
    split = [shot.split for shot in shots]
    return Reading.of(shots, notes, **{"training images": split.count("train"), "test images": split.count("test")})


def _listed(source: Source) -> dict[str, int]:
    """The label of every image in the list, by name; raises DatasetError for the compound set's."""
    listed = {}
    for file, _ in source.matching(r"list_par?tition_label\.txt"):
        for line in file.read().decode("ascii", "replace").splitlines():
            words = line.split()
            if len(words) == 2 and words[1].isdigit() and 7 < int(words[1]) <= COMPOUND:
                raise DatasetError(
                    f"{file.path} lists {COMPOUND} classes: this is the compound set, give the basic one"
                )
            if words[1:] == ["0"]:
                raise DatasetError(f"{file.path} counts its classes from 0, the official list from 1; take that one")
            if match := LINE.fullmatch(line.strip()):
                listed[match[1]] = int(match[2])
    return listed


RAFDB = Dataset(
    "rafdb", "RAF-DB (basic)", read, EXPECTED, "RAF-DB (Li et al. 2017), under licence", ("whole_colour", "whole"),
    already_cropped=True, size=100, folds=False,
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(command.main(RAFDB, __doc__))
