"""Prepare CK+, the extended Cohn-Kanade database (Lucey et al. 2010; licence from its authors).

    python data_prep/ckplus.py --source FOLDER_OR_ZIPS

FOLDER holds extended-cohn-kanade-images.zip, Emotion_labels.zip and Landmarks.zip, packed or unpacked.
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pandas as pd

from fercore import paths
from fercore.faces.preparation import command, landmarks68
from fercore.faces.preparation.reading import (
    Dataset,
    DatasetError,
    Option,
    Reading,
    Shot,
    around,
    code,
    fold_counts,
    known,
    onset_to_apex,
)
from fercore.faces.preparation.source import File, Source

CODES = ("neutral", "anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")
IMAGE = r"S\d{3}/\d{3}/(?P<subject>S\d{3})_(?P<sequence>\d{3})_(?P<frame>\d{8})\.png"
BESIDE = r"(?P<subject>S\d{3})_(?P<sequence>\d{3})_(?P<frame>\d{8})_"
EXPECTED = {
    "sequences": known(593), "people with images": known(123), "labelled sequences": known(327),
    "labelled people": known(118), "images in the source": around(10_700, 10_720),
    "last three frames of the labelled sequences": known(981), "onset and apex, without contempt": known(636),
} | {
    f"sequences of {label}": known(count)
    for label, count in zip(CODES[1:], (45, 18, 59, 25, 69, 28, 83), strict=True)
} | {
    f"sequences of fold {k}": known(count) for k, count in enumerate((33, 39, 40, 35, 30, 37, 29, 29, 33, 22))
}  # fmt: skip


def read(source: Source, options: Mapping[str, Any]) -> Reading:
    """Every frame of the labelled sequences, from the neutral first to the labelled last one."""
    images: dict[tuple[str, str], dict[int, File]] = defaultdict(dict)
    for file, match in source.matching(IMAGE):
        images[match["subject"].upper(), match["sequence"]][int(match["frame"])] = file
    labels = {
        (match["subject"].upper(), match["sequence"]): (_label(file), int(match["frame"]))
        for file, match in source.matching(BESIDE + r"emotion\.txt")
    }
    marked = {
        (match["subject"].upper(), match["sequence"], int(match["frame"])): file
        for file, match in source.matching(BESIDE + r"landmarks\.txt")
    }
    if not labels:
        raise DatasetError(
            "images are there but no label (S005_001_00000011_emotion.txt); unpack Emotion_labels.zip too"
        )
    shots: list[Shot] = []
    for key in sorted(labels.keys() & images.keys()):
        shots += _sequence(key, images[key], labels[key][0], marked, options["neutral"])
    whole = sorted(labels.keys() & images.keys())
    counts = {
        "sequences": len(images), "people with images": len({subject for subject, _ in images}),
        "labelled sequences": len(whole), "labelled people": len({subject for subject, _ in whole}),
        "images in the source": sum(map(len, images.values())),
        "last three frames of the labelled sequences": sum(min(3, len(images[key])) for key in whole),
        "onset and apex, without contempt": len(whole) + sum(CODES[labels[key][0]] != "contempt" for key in whole),
    }  # fmt: skip
    counts |= {f"sequences of {label}": n for label, n in Counter(CODES[labels[key][0]] for key in whole).items()}
    return Reading.of(shots, _notes(images, labels), **counts, **fold_counts([subject for subject, _ in whole]))


def _label(file: File) -> int:
    number = code(file.read())
    if not 1 <= number <= 7:
        raise DatasetError(f"{file.path}: {number} is no label of CK+ (1 to 7); unpack it again")
    return number


def _sequence(key: tuple[str, str], frames: dict[int, File], number: int, marked: Mapping, neutral: int) -> list[Shot]:
    subject, sequence = key
    pictures = [(frame, file, file.path) for frame, file in sorted(frames.items())]
    shots = onset_to_apex(
        pictures, CODES[number], neutral=neutral, subject=subject, sequence=sequence, native=str(number)
    )
    files = [marked.get((subject, sequence, shot.frame)) for shot in shots]
    return [
        replace(shot, points=partial(landmarks68.in_text, file)) if file else shot
        for shot, file in zip(shots, files, strict=True)
    ]


def _notes(images: Mapping, labels: Mapping) -> list[str]:
    """What differs from the public list of labelled sequences, by name."""
    listed = pd.read_csv(paths.ROOT / "fercore" / "faces" / "ckplus_sequences.csv", dtype=str)
    listed = {(row.subject, row.sequence): row.label for row in listed.itertuples()}
    notes = [f"{'/'.join(key)} has no label file" for key in sorted(listed.keys() - labels.keys())]
    notes += [f"{'/'.join(key)} has no images" for key in sorted(labels.keys() - images.keys())]
    for key in sorted(listed.keys() & labels.keys()):
        if CODES[labels[key][0]] != listed[key]:
            notes.append(f"{'/'.join(key)} is labelled {CODES[labels[key][0]]}, the public list says {listed[key]}")
    for key in sorted(labels.keys() & images.keys()):
        if labels[key][1] != max(images[key]):
            notes.append(
                f"{'/'.join(key)}: the label names frame {labels[key][1]}, the last image is {max(images[key])}"
            )
    return notes


CKPLUS = Dataset(
    "ckplus", "CK+", read, EXPECTED, "CK+ (Lucey et al. 2010), under licence",
    ("gcnet", "eyes", "idferm", "unpaired", "occluded"), reference="sequence",
    options=(Option("neutral", "how many first frames of a sequence count as neutral (%(default)s)", 1),),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(command.main(CKPLUS, __doc__))
