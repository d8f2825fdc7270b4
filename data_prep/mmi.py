"""Prepare MMI (Pantic et al. 2005; licence from its authors): posed videos, onset to apex to offset.

    python data_prep/mmi.py --source DOWNLOAD [DOWNLOAD ...]
    python data_prep/mmi.py --source DOWNLOAD --peaks LIST.csv

Every download holds Sessions/<n>/ with S002-106.avi, S002-106.xml and session.xml; several are merged. The papers
count 205, 208 or 236 sequences and publish no list: here, all of the six expressions seen from the front (--views all
adds profiles). A list of your own chooses recordings: --recordings, of which each is taken whole, or --peaks with
recording,frame, of which each ends at its peak. Peaks make a set of their own, mmi-peaks, whose protocol mmi6peaks
takes the last frames up to a peak.
"""

import sys
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException
from tqdm import tqdm

from fercore.faces.photo import PhotoError
from fercore.faces.preparation import command, pictures, tables
from fercore.faces.preparation.reading import (
    Dataset,
    DatasetError,
    Option,
    Reading,
    Shot,
    around,
    onset_to_apex,
    several,
)
from fercore.faces.preparation.source import File, Source
from fercore.quality.detectors import haar

LABELS = {1: "anger", 2: "disgust", 3: "fear", 4: "happiness", 5: "sadness", 6: "surprise"}
FRONTAL, PROFILE, DUAL = 0, 1, 2  # views
UPRIGHT_HEIGHT = 480  # frontal videos of another height are stored lying on their side
HALF = 361  # columns of a dual picture's left part
PAPERS = "sequences in the papers: GCNet 205, IDFERM 208 of 213, Unpaired 208 of 236; none of their lists is published"
EXPECTED = {"sequences": around(205, 208), "subjects": around(30, 31)}
WITH_PROFILES = {"sequences": around(205, 236), "subjects": around(30, 31)}


def read(source: Source, options: Mapping[str, Any]) -> Reading:
    """Frames of every sequence with one of six expressions; what is left out is counted or named."""
    videos = {
        m["name"].upper(): f for f, m in source.matching(r"Sessions/(?P<session>\d+)/(?P<name>S\d{3}-\d{3})\.avi")
    }
    views = {m["session"]: f for f, m in source.matching(r"Sessions/(?P<session>\d+)/session\.xml")}
    listed = Path(options["peaks"] or options["recordings"] or "").name  # its folder is no part of a certificate
    chosen, profiles = _chosen(options), options["views"] == "all"
    shots: list[Shot] = []
    notes, counts = [PAPERS], Counter()
    recordings = list(source.matching(r"Sessions/(?P<session>\d+)/(?P<name>S\d{3}-\d{3})\.xml"))
    for file, match in tqdm(recordings, unit="recording", desc="lengths of the videos"):
        name = match["name"].upper()
        number, view = _emotion(file), _view(views.get(match["session"]), name)
        if number not in LABELS or (view == PROFILE and not profiles) or (chosen and name not in chosen):
            counts["left out"] += 1
        elif name not in videos:
            notes.append(f"{file.path} has no video {name}.avi")
        else:
            try:
                shots += _sequence(videos[name], name, match["session"], number, view, chosen.get(name))
                counts["sequences"] += 1
                counts[f"sequences of {LABELS[number]}"] += 1
            except PhotoError as error:
                notes.append(str(error))
    notes.append(f"left out: {counts.pop('left out', 0)} recordings of other expressions, from the side, or not listed")
    notes += several([name for name in chosen if name not in videos], f"recordings of {listed} are missing")
    reading = Reading.of(shots, notes, **counts)
    reading.expected = WITH_PROFILES if profiles else EXPECTED
    return reading


def _sequence(video: File, name: str, session: str, number: int, view: int, peak: int | None) -> list[Shot]:
    length = pictures.length(video)
    if peak is not None and peak >= length:
        raise PhotoError(f"{video.path} has {length} frames, your list says that {peak} is its peak; left out")
    frames = range(length) if peak is None else range(peak + 1)
    shown = [(i, partial(_upright, video, i, view), f"{video.path}, frame {i}") for i in frames]
    return onset_to_apex(
        shown, LABELS[number], offset=peak is None, subject=name[:4], sequence=session, native=str(number)
    )


def _upright(video: File, index: int, view: int) -> np.ndarray:
    """A frame as it was meant: the frontal half of a dual one, turned where it was stored on its side."""
    image = pictures.frame(video, index)
    if view == DUAL:
        return image[:, :HALF] if _frontal_is_left(video) else image[:, HALF:]
    if view == PROFILE:
        return np.ascontiguousarray(np.rot90(image))
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
    except (ElementTree.ParseError, DefusedXmlException, ValueError) as error:
        raise DatasetError(f"{file.path} is damaged or hostile ({error!r}); download it again") from error


def _emotion(file: File) -> int:
    """The number of the emotion, 0 where there is none."""
    for tag in _parsed(file).iter("Metatag"):
        if tag.get("Name") == "Emotion":
            return _number(tag.get("Value"))
    return 0


def _view(file: File | None, name: str) -> int:
    """The view of a recording; frontal where its session does not say."""
    tracks = _parsed(file).iter() if file else ()
    for track in tracks:
        mine = (track.get("filename") or name).upper().startswith(name)
        if track.tag.lower() == "track" and mine and track.get("view"):
            return _number(track.get("view"))
    return FRONTAL


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else 0


def _chosen(options: Mapping[str, Any]) -> dict[str, int | None]:
    """A user's own recordings with their peaks, None where they are wanted whole; raises DatasetError."""
    peaks, whole = options["peaks"], options["recordings"]
    if peaks and whole:
        raise DatasetError("give --peaks or --recordings, not both: a list of peaks chooses the recordings as well")
    if not (path := peaks or whole):
        return {}
    chosen = {}
    for row in tables.rows(Path(path), path, ("recording", "frame") if peaks else ("recording",)):
        recording, frame = row["recording"].strip(), row["frame"].strip() if peaks else ""
        if peaks and not frame:
            raise DatasetError(
                f"{path}: {recording} has no peak frame; give every recording one, or choose whole ones by --recordings"
            )
        if frame and not frame.isdigit():
            raise DatasetError(f"{path}: {frame!r} of {recording} is no frame's number, from 0 on")
        chosen[recording.upper()] = int(frame) if frame else None
    if not chosen:
        columns, example = ("recording,frame", "S002-106,57") if peaks else ("recording", "S002-106")
        raise DatasetError(f"{path} names no recording; write {columns} and below it {example}")
    return chosen


MMI = Dataset(
    "mmi", "MMI", read, EXPECTED, "MMI (Pantic et al. 2005), under licence", ("gcnet", "eyes", "idferm", "unpaired"),
    reference="sequence",
    options=(
        Option("views", "from the front only, or profiles too (%(default)s)", "front", ("front", "all")),
        Option("recordings", "your list of recordings, which are taken whole (a column named recording)", None),
        Option("peaks", "your list of recordings and their peak frames (recording,frame; frames from 0 on)", None,
            makes_set=True),
    ),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(command.main(MMI, __doc__))
