"""Prepare MMI (Pantic et al. 2005; licence from its authors): posed videos, onset to apex to offset.

    python data_prep/mmi.py --source DOWNLOAD [DOWNLOAD ...]

Every download holds Sessions/<n>/ with S002-106.avi, S002-106.xml and session.xml; several are merged. The papers
count 205, 208 or 236 sequences and publish no list: here, all of the six expressions seen from the front.
"""

import csv
import sys
from collections.abc import Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from fercore.faces.preparation import command, pictures
from fercore.faces.preparation.reading import Dataset, DatasetError, Option, Reading, Shot, around, onset_to_apex
from fercore.faces.preparation.source import File, Source
from fercore.quality.detectors import haar

LABELS = {1: "anger", 2: "disgust", 3: "fear", 4: "happiness", 5: "sadness", 6: "surprise"}
FRONTAL, PROFILE, DUAL = 0, 1, 2  # views
UPRIGHT_HEIGHT = 480  # frontal videos of another height are stored lying on their side
HALF = 361  # columns of a dual picture's left part
EXPECTED = {"sequences": around(205, 208), "subjects": around(30, 31)}


def read(source: Source, options: Mapping[str, Any]) -> Reading:
    """Frames of every frontal or dual sequence with one of six expressions; profiles are left out and counted."""
    videos = {
        m["name"].upper(): (m["session"], f)
        for f, m in source.matching(r"Sessions/(?P<session>\d+)/(?P<name>S\d{3}-\d{3})\.avi")
    }
    views = {m["session"]: f for f, m in source.matching(r"Sessions/(?P<session>\d+)/session\.xml")}
    apexes = _apexes(options["peaks"])
    shots: list[Shot] = []
    notes, sequences, profiles, others = [], 0, 0, 0
    for file, match in source.matching(r"Sessions/(?P<session>\d+)/(?P<name>S\d{3}-\d{3})\.xml"):
        name = match["name"].upper()
        number, view = _emotion(file), _view(views.get(match["session"]), name)
        if number not in LABELS or view == PROFILE:
            others, profiles = others + (number not in LABELS), profiles + (number in LABELS)
            continue
        if name not in videos:
            notes.append(f"{file.path} has no video {name}.avi")
            continue
        session, video = videos[name]
        shots += _sequence(video, name, session, number, view, apexes.get(name))
        sequences += 1
    notes += [f"left out: {profiles} profile views, {others} recordings without one of the six expressions"]
    return Reading.of(shots, notes, sequences=sequences)


def _sequence(video: File, name: str, session: str, number: int, view: int, apex: int | None) -> list[Shot]:
    length = pictures.length(video)
    frames = range(length) if apex is None else range(min(apex + 1, length))  # to the peak that the user chose
    shown = [(i, partial(_upright, video, i, view), f"{video.path}, frame {i}") for i in frames]
    return onset_to_apex(
        shown, LABELS[number], offset=apex is None, subject=name[:4], sequence=session, native=str(number)
    )


def _upright(video: File, index: int, view: int) -> np.ndarray:
    """A frame as it was meant: the frontal half of a dual one, turned where it was stored on its side."""
    image = pictures.frame(video, index)
    if view == DUAL:
        return image[:, :HALF] if _frontal_is_left(video) else image[:, HALF:]
    return image if image.shape[0] == UPRIGHT_HEIGHT else np.ascontiguousarray(np.rot90(image, -1))


@lru_cache(maxsize=4)
def _frontal_is_left(video: File) -> bool:
    """Which half of a dual video shows the front: where a frontal detector finds a face."""
    image, finds = pictures.frame(video, 0), haar()
    left, right = (finds(half[..., 1]) for half in (image[:, :HALF], image[:, HALF:]))
    return left or not right


def _parsed(file: File):
    try:
        return ElementTree.fromstring(file.read(), forbid_dtd=True)
    except (ElementTree.ParseError, DefusedXmlException) as error:
        raise DatasetError(f"{file.path} is damaged or hostile ({error!r}); download it again") from error


def _emotion(file: File) -> int:
    """The number of the emotion, 0 where there is none."""
    for tag in _parsed(file).iter("Metatag"):
        if tag.get("Name") == "Emotion":
            return int(tag.get("Value")) if (tag.get("Value") or "").isdigit() else 0
    return 0


def _view(file: File | None, name: str) -> int:
    """The view of a recording; frontal where its session does not say."""
    if file is None:
        return FRONTAL
    for track in _parsed(file).iter():
        if (
            track.tag.lower() == "track"
            and (track.get("filename") or name).upper().startswith(name)
            and track.get("view")
        ):
            return int(track.get("view")) if track.get("view").isdigit() else FRONTAL
    return FRONTAL


def _apexes(path: str | None) -> dict[str, int]:
    """A user's own peaks: rows ``S002-106,57``; raises DatasetError."""
    if path is None:
        return {}
    try:
        with open(Path(path), newline="") as lines:
            return {
                row[0].strip().upper(): int(row[1]) for row in csv.reader(lines) if row and row[1].strip().isdigit()
            }
    except (OSError, IndexError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path} is not a list of recording,frame ({error})") from error


MMI = Dataset(
    "mmi", "MMI", read, EXPECTED, "MMI (Pantic et al. 2005), under licence", ("gcnet", "eyes", "idferm", "unpaired"),
    reference="sequence",
    options=(Option("peaks", "your list of peak frames, recording,frame; the frames after a peak are left out", None),),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(command.main(MMI, __doc__))
