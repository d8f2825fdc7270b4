"""Prepare MMSE, also called BP4D+ (Zhang et al. 2016; licence from its authors): visible and thermal, coded units.

    python data_prep/mmse.py --source BP4D+_v0.2 --frames LIST.csv
    python data_prep/mmse.py --source BP4D+_v0.2

The 2468 frames that the papers use are not published. With --frames, your own list (subject,task,frame,label) is taken;
without it they are approximated from the coded action units, and the certificate says so.
"""

import csv
import io
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from fercore.faces.preparation import command, landmarks_mmse, pictures, tables
from fercore.faces.preparation.reading import Dataset, DatasetError, Option, Reading, Shot, around, several
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
TAKE = r"(?P<subject>[FM]\d{3})/(?P<task>T\d{1,2})"
TAKE_IN_NAME = r"(?P<subject>[FM]\d{3})_(?P<task>T\d{1,2})"
EXPECTED = {
    "subjects": around(72), "women": around(45), "men": around(27), "images of happiness": around(676),
    "images of surprise": around(715), "images of pain": around(593), "images of neutral": around(484),
}  # fmt: skip


def read(source: Source, options: Mapping[str, Any]) -> Reading:
    """The chosen frames, visible, and thermal where its film is there."""
    photos = {(*_take(m), int(m["frame"])): file for file, m in source.matching(TAKE + r"/(?P<frame>\d{3,4})\.jpg")}
    films = {_take(m): file for file, m in source.matching(r"Thermal/" + TAKE + r"\.wmv")}
    marks = {_take(m): file for file, m in source.matching(r"2DFeatures/" + TAKE_IN_NAME + r"\.mat")}
    warm_marks = {_take(m): file for file, m in source.matching(r"IRFeatures/" + TAKE_IN_NAME + r"\.txt")}
    listed = options["frames"]
    chosen = _listed(listed) if listed else _approximated(source)
    notes = [] if listed else ["frames approximated from action units: the papers' list is not published"]
    shots, lost = [], []
    for subject, task, frame, label in sorted(chosen):
        take = subject, task
        if (file := photos.get((*take, frame))) is None:
            lost.append(f"{subject}/{task}/{frame}")
            continue
        own = {"subject": subject, "label": label, "sequence": task, "frame": frame}
        points = partial(landmarks_mmse.of_photo, marks[take], frame) if take in marks else None
        shots.append(Shot(file.path, file, points=points, **own))
        if film := films.get(take):
            warm = partial(landmarks_mmse.of_thermal, warm_marks[take], frame) if take in warm_marks else None
            name = f"{film.path}, frame {frame}"
            shots.append(Shot(name, partial(_warm, film, frame), modality="thermal", points=warm, **own))
    notes += several(lost, "chosen frames have no photograph")
    notes += _unequal(photos, {take: warm_marks[take] for take in films.keys() & warm_marks.keys()})
    shots.sort(key=lambda s: (s.subject, s.modality, s.sequence, s.frame))
    visible = Reading.of([shot for shot in shots if shot.modality == "visible"])
    people = {shot.subject for shot in shots}
    sexes = {"women": sum(who[0] == "F" for who in people), "men": sum(who[0] == "M" for who in people)}
    return Reading(shots, visible.counts | sexes | {"thermal images": len(shots) - len(visible.shots)}, notes)


def _take(match: re.Match) -> tuple[str, str]:
    return match["subject"].upper(), match["task"].upper()


def _unequal(photos: Mapping[tuple[str, str, int], File], marks: Mapping[tuple[str, str], File]) -> list[str]:
    """Takes whose photographs and thermal pictures end at different frames: they may not show the same moments."""
    last: dict[tuple[str, str], int] = {}
    for *take, frame in photos:
        last[tuple(take)] = max(frame, last.get(tuple(take), 0))
    unequal = []
    for take in sorted(marks.keys() & last.keys()):
        try:
            frames = landmarks_mmse.thermal_frames(marks[take])
        except ValueError as error:
            unequal.append(str(error))
            continue
        if frames != last[take] + 1:
            unequal.append(f"{'_'.join(take)} ({last[take] + 1} and {frames})")
    return several(unequal, "takes whose photographs and thermal pictures differ in number")


def _warm(film: File, frame: int) -> np.ndarray:
    """A thermal frame without the scale burned into its right edge; its false colours are no temperatures."""
    image = pictures.frame(film, frame)
    return np.ascontiguousarray(image[:, : round(LEGEND * image.shape[1])])


def _listed(path: str) -> set[tuple[str, str, int, str]]:
    chosen = set()
    for row in tables.rows(Path(path), path, ("subject", "task", "frame", "label")):
        label, frame = row["label"].strip().lower(), row["frame"].strip()
        if label not in LABELS or not frame.isdigit():
            raise DatasetError(f"{path}: frame {frame!r}, label {label!r}; labels are {', '.join(LABELS)}")
        chosen.add((row["subject"].strip().upper(), row["task"].strip().upper(), int(frame), label))
    return chosen


def _approximated(source: Source) -> set[tuple[str, str, int, str]]:
    """For each person and class, evenly spaced frames in which the class's units are coded as present."""
    candidates: dict[tuple[str, str], list[tuple[str, int]]] = defaultdict(list)
    for file, match in source.matching(TAKE_IN_NAME + r"\.csv"):
        subject, task = _take(match)
        if task not in CODED:
            continue
        for frame, units in _units(file):
            for label, (needed, tasks) in SHOWN.items():
                present = {unit for unit, value in units.items() if value == 1}
                fits = needed <= present if needed else not present and UNKNOWN not in units.values()
                if task in tasks and fits:
                    candidates[subject, label].append((task, frame - 1))  # coded from 1, named from 0
    chosen = set()
    for (subject, label), frames in candidates.items():
        for i in np.linspace(0, len(frames) - 1, min(PER_PERSON, len(frames))).round().astype(int):
            chosen.add((subject, *frames[i], label))
    return chosen


def _units(file: File) -> Iterator[tuple[int, dict[int, int]]]:
    """(frame, {unit: 0, 1 or 9}) of every row; units by the header, whose order differs between releases."""
    rows = csv.reader(io.StringIO(file.read().decode("ascii", "replace")))
    try:
        header = [int(float(name)) if name.strip() else 0 for name in next(rows, [])]
        for row in rows:
            if len(row) == len(header):
                values = [int(float(value)) for value in row]
                yield values[0], dict(zip(header[1:], values[1:], strict=True))
    except (ValueError, OverflowError, csv.Error) as error:
        raise DatasetError(f"{file.path} is no table of action units ({error}); unpack it again") from error


MMSE = Dataset(
    "mmse", "MMSE / BP4D+", read, EXPECTED, "MMSE / BP4D+ (Zhang et al. 2016), under licence", ("unpaired", "eyes"),
    reference="subject",
    options=(Option("frames", "your list of frames: subject,task,frame,label", None),),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(command.main(MMSE, __doc__))
