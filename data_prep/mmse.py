"""Prepare MMSE, also called BP4D+ (Zhang et al. 2016; licence from its authors): visible and thermal, coded units.

    python data_prep/mmse.py --source BP4D+_v0.2 --frames LIST.csv
    python data_prep/mmse.py --source BP4D+_v0.2

The 2468 frames that the papers use are not published. With --frames, your own list (subject,task,frame,label) is taken;
without it they are approximated from the coded action units, and the certificate says so.
"""

import csv
import io
import sys
from collections import defaultdict
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from fercore.faces.preparation import command, pictures
from fercore.faces.preparation.pictures import still
from fercore.faces.preparation.reading import Dataset, DatasetError, Option, Reading, Shot, around
from fercore.faces.preparation.source import File, Source

LABELS = ("happiness", "surprise", "pain", "neutral")
CODED = ("T1", "T6", "T7", "T8")  # tasks with coded units
UNKNOWN = 9  # never to be read as absent
SHOWN = {  # units that must be there, where; a guess at the papers' frames, not their rule
    "happiness": ({6, 12}, ("T1",)), "surprise": ({1, 2}, ("T1", "T6", "T7")), "pain": ({4, 6, 7}, ("T8",)),
    "neutral": (set(), ("T1", "T6")),
}  # fmt: skip
PER_PERSON = 10  # approximated frames of each class
LEGEND = 0.88  # share of a thermal picture's width before its temperature scale
EXPECTED = {
    "subjects": around(72), "images of happiness": around(676), "images of surprise": around(715),
    "images of pain": around(593), "images of neutral": around(484),
}  # fmt: skip


def read(source: Source, options: Mapping[str, Any]) -> Reading:
    """The chosen frames, visible, and thermal where its film is there."""
    photos = {
        (m["subject"].upper(), m["task"].upper(), int(m["frame"])): file
        for file, m in source.matching(r"(?P<subject>[FM]\d{3})/(?P<task>T\d{1,2})/(?P<frame>\d{3,4})\.jpg")
    }
    films = {
        (m["subject"].upper(), m["task"].upper()): file
        for file, m in source.matching(r"Thermal/(?P<subject>[FM]\d{3})/(?P<task>T\d{1,2})\.wmv")
    }
    listed = options["frames"]
    chosen = _listed(Path(listed)) if listed else _approximated(source)
    notes = [] if listed else ["frames approximated from action units: the papers' list is not published"]
    shots, lost = [], 0
    for subject, task, frame, label in sorted(chosen):
        if (file := photos.get((subject, task, frame))) is None:
            lost += 1
            continue
        own = {"subject": subject, "label": label, "sequence": task, "frame": frame}
        shots.append(Shot(file.path, partial(still, file), **own))
        if film := films.get((subject, task)):
            shots.append(Shot(f"{film.path}, frame {frame}", partial(_warm, film, frame), modality="thermal", **own))
    if lost:
        notes.append(f"{lost} of {len(chosen)} chosen frames have no photograph")
    shots.sort(key=lambda s: (s.subject, s.modality, s.sequence, s.frame))
    reading = Reading.of(shots, notes)
    visible = Reading.of([shot for shot in shots if shot.modality == "visible"])
    return Reading(shots, visible.counts | {"thermal images": len(shots) - len(visible.shots)}, reading.notes)


def _warm(film: File, frame: int) -> np.ndarray:
    """A thermal frame without the scale burned into its right edge; its false colours are no temperatures."""
    image = pictures.frame(film, frame)
    return np.ascontiguousarray(image[:, : round(LEGEND * image.shape[1])])


def _listed(path: Path) -> set[tuple[str, str, int, str]]:
    try:
        with open(path, newline="") as lines:
            rows = list(csv.DictReader(lines))
        chosen = {(r["subject"].upper(), r["task"].upper(), int(r["frame"]), r["label"].lower()) for r in rows}
    except (OSError, KeyError, ValueError, AttributeError) as error:
        raise DatasetError(f"{path} is not a list of subject,task,frame,label ({error!r})") from error
    if unknown := {label for *_, label in chosen} - set(LABELS):
        raise DatasetError(f"{path}: labels {sorted(unknown)} are none of {', '.join(LABELS)}")
    return chosen


def _approximated(source: Source) -> set[tuple[str, str, int, str]]:
    """For each person and class, evenly spaced frames in which the class's units are coded as present."""
    candidates: dict[tuple[str, str], list[tuple[str, int]]] = defaultdict(list)
    for file, match in source.matching(r"(?P<subject>[FM]\d{3})_(?P<task>T\d{1,2})\.csv"):
        task = match["task"].upper()
        if task not in CODED or "au_int" in file.path.lower():
            continue
        for frame, units in _units(file):
            for label, (needed, tasks) in SHOWN.items():
                present = {unit for unit, value in units.items() if value == 1}
                fits = needed <= present if needed else not present and UNKNOWN not in units.values()
                if task in tasks and fits:
                    candidates[match["subject"].upper(), label].append((task, frame - 1))  # coded from 1, named from 0
    chosen = set()
    for (subject, label), frames in candidates.items():
        for i in np.linspace(0, len(frames) - 1, min(PER_PERSON, len(frames))).round().astype(int):
            chosen.add((subject, *frames[i], label))
    return chosen


def _units(file: File):
    """(frame, {unit: 0, 1 or 9}) of every row; units by the header, whose order differs between releases."""
    rows = csv.reader(io.StringIO(file.read().decode("ascii", "replace")))
    header = [int(float(name)) if name.strip() else 0 for name in next(rows, [])]
    for row in rows:
        if len(row) == len(header):
            values = [int(float(value)) for value in row]
            yield values[0], dict(zip(header[1:], values[1:], strict=True))


MMSE = Dataset(
    "mmse", "MMSE / BP4D+", read, EXPECTED, "MMSE / BP4D+ (Zhang et al. 2016), under licence", ("unpaired", "eyes"),
    reference="subject",
    options=(Option("frames", "your list of frames: subject,task,frame,label", None),),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(command.main(MMSE, __doc__))
