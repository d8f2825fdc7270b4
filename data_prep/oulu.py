"""Prepare Oulu-CASIA NIR&VIS (Zhao et al. 2011; licence from its authors).

    python data_prep/oulu.py --source FOLDER_OR_ZIP

FOLDER holds OriginalImg/VL/Strong/P001/Anger/000.jpeg and its like, or the cropped PreProcess_Img/VL_Acropped/...
The papers use the visible camera in normal light: VL, Strong.
"""

import sys
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from fercore.faces.preparation import command
from fercore.faces.preparation.reading import (
    Dataset,
    DatasetError,
    Option,
    Reading,
    fold_counts,
    known,
    onset_to_apex,
    several,
)
from fercore.faces.preparation.source import File, Source

LABELS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise")
IMAGE = (
    r"(?P<camera>VL|NI)(?P<cropped>_Acropped)?/(?P<light>Strong|Weak|Dark)/"
    r"(?P<subject>P\d{3})/(?P<label>\w+)/(?P<frame>\d{3})\.jpe?g"
)
PEOPLE = 80
EXPECTED = {"people": known(PEOPLE), "sequences": known(480)} | {f"sequences of fold {k}": known(48) for k in range(10)}


def read(source: Source, options: Mapping[str, Any]) -> Reading:
    """Every frame of one camera in one light, neutral to apex; original images rather than cropped ones."""
    wanted = (options["camera"].lower(), options["light"].lower())
    found: dict[bool, dict] = {True: defaultdict(dict), False: defaultdict(dict)}
    for file, match in source.matching(IMAGE):
        label = match["label"].lower()
        if (match["camera"].lower(), match["light"].lower()) == wanted and label in LABELS:
            found[bool(match["cropped"])][match["subject"].upper(), label][int(match["frame"])] = file
    sequences: dict[tuple[str, str], dict[int, File]] = found[False] or found[True]
    if not sequences:
        raise DatasetError(f"nothing of camera {options['camera']} in light {options['light']}; found {source.shape()}")
    shots, notes = [], _missing(sequences)
    for (subject, label), frames in sorted(sequences.items()):
        if len(frames) < 3:
            notes.append(f"{subject}/{label} has {len(frames)} frames: too few for the last three")
        pictures = [(frame, file, file.path) for frame, file in sorted(frames.items())]
        native = str(LABELS.index(label))
        shots += onset_to_apex(
            pictures, label, subject=subject, sequence=label, native=native, cropped=not found[False]
        )
    subjects = [subject for subject, _ in sequences]
    counts = {"people": len(set(subjects)), "sequences": len(sequences)}
    return Reading.of(shots, notes, **counts, **fold_counts(subjects))


def _missing(sequences: Mapping[tuple[str, str], dict]) -> list[str]:
    """Which of the 80 people are missing, and which sequences of the others."""
    people = [f"P{number:03d}" for number in range(1, PEOPLE + 1)]
    absent = [who for who in people if not any((who, label) in sequences for label in LABELS)]
    lacking = [
        f"{who}/{label}" for who in people if who not in absent for label in LABELS if (who, label) not in sequences
    ]
    return several(absent, "people are missing", PEOPLE) + several(lacking, "sequences are missing", len(lacking))


OULU = Dataset(
    "oulu", "Oulu-CASIA", read, EXPECTED, "Oulu-CASIA NIR&VIS (Zhao et al. 2011), under licence",
    ("gcnet", "eyes", "idferm", "unpaired"), reference="sequence",
    options=(
        Option("camera", "VL visible, NI near infrared (%(default)s)", "VL", ("VL", "NI")),
        Option("light", "%(default)s, as in the papers", "Strong", ("Strong", "Weak", "Dark")),
    ),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(command.main(OULU, __doc__))
