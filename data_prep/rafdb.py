"""Prepare RAF-DB, the basic set (Li et al. 2017; licence from its authors).

    python data_prep/rafdb.py --source FOLDER_OR_ZIPS

FOLDER holds basic/Image/aligned (or aligned.zip) and basic/EmoLabel/list_patition_label.txt, or the re-distribution
DATASET/{train,test}/{1..7}. Nobody in it is named: there is only the official division.
"""

import io
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from fercore.faces.preparation import command
from fercore.faces.preparation.reading import Dataset, DatasetError, Reading, Shot, around, known, several
from fercore.faces.preparation.source import Source

CODES = {1: "surprise", 2: "fear", 3: "disgust", 4: "happiness", 5: "sadness", 6: "anger", 7: "neutral"}
IMAGE = r"((?P<code>[1-7])/)?(?P<name>(?P<split>train|test)_(?P<number>\d{4,5}))_aligned\.jpg"
LINE = re.compile(r"(train|test)_(\d{4,5})\.jpg\s+([1-7])")
DIGITS = {"train": 5, "test": 4}  # of a number
MOST = 100_000  # numbers
TRAIN = (1290, 281, 717, 4772, 1982, 705, 2524)
TEST = (329, 74, 160, 1185, 478, 162, 680)
EXPECTED = {"training images": known(12_271), "test images": known(3_068)} | {
    f"images of {label}": around(a + b) for label, a, b in zip(CODES.values(), TRAIN, TEST, strict=True)
}
COMPOUND = 11  # classes of the other set of RAF-DB


def read(source: Source, options: Mapping[str, Any]) -> Reading:
    """The aligned images with the labels of the list, or of their folders."""
    listed, split = _listed(source), Counter()
    unlabelled: list[str] = []
    reading = Reading.of(_shots(source, listed, unlabelled, split))
    if not reading.shots:
        raise DatasetError(
            f"no aligned image with a label ({len(unlabelled)} without); unpack aligned.zip and EmoLabel"
        )
    missing = [f"{part}_{n:0{DIGITS[part]}d}" for part in DIGITS for n, label in enumerate(listed[part]) if label]
    reading.notes += several(unlabelled, "images without a label") + several(missing, "images are listed and missing")
    reading.counts |= {"training images": split["train"], "test images": split["test"]}
    return reading


def _shots(source: Source, listed: dict[str, bytearray], unlabelled: list[str], split: Counter) -> Iterator[Shot]:
    """Every labelled image; its label is taken out of ``listed``."""
    for file, match in source.matching(IMAGE):
        part, number = match["split"].lower(), int(match["number"])
        name = match["name"].lower()
        label = listed[part][number] or int(match["code"] or 0)
        listed[part][number] = 0
        if label not in CODES:
            unlabelled.append(name)
            continue
        split[part] += 1
        yield Shot(file.path, file, name, CODES[label], native=str(label), split=part)


def _listed(source: Source) -> dict[str, bytearray]:
    """The labels of the list by division and number, 0 for none; raises DatasetError for the compound set's."""
    listed = {part: bytearray(MOST) for part in DIGITS}
    for file, _ in source.matching(r"list_par?tition_label\.txt"):
        for line in io.TextIOWrapper(io.BytesIO(file.read()), "ascii", "replace"):
            words = line.split()
            if len(words) == 2 and words[1].isdigit() and 7 < int(words[1]) <= COMPOUND:
                raise DatasetError(
                    f"{file.path} lists {COMPOUND} classes: this is the compound set, give the basic one"
                )
            if words[1:] == ["0"]:
                raise DatasetError(f"{file.path} counts its classes from 0, the official list from 1; take that one")
            if match := LINE.fullmatch(line.strip()):
                listed[match[1]][int(match[2])] = int(match[3])
    return listed


RAFDB = Dataset(
    "rafdb", "RAF-DB (basic)", read, EXPECTED, "RAF-DB (Li et al. 2017), under licence", ("whole_colour", "whole"),
    already_cropped=True, size=100, folds=False,
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(command.main(RAFDB, __doc__))
