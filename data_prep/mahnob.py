"""Prepare the MAHNOB Laughter database (Petridis et al. 2013; licence from its authors): visible and thermal video.

    python data_prep/mahnob.py --source DOWNLOAD [DOWNLOAD ...] --thermal "*_thermal.avi"

How the thermal files are named is not published: --thermal gives their pattern; they may lie anywhere in the sources
and are paired by the S001-005 in their name. The papers' sub-sampling of frames (8252 of laughter and 12914 of speech,
2124 of laughter and 1437 of posed laughter) is not published either; --stride takes every so manieth frame.
"""

import fnmatch
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from tqdm import tqdm

from fercore.faces.photo import PhotoError
from fercore.faces.preparation import command, pictures, tables
from fercore.faces.preparation.reading import Dataset, Option, Reading, Shot, around
from fercore.faces.preparation.source import File, Source

TYPES = {"laughter": "laughter", "posedlaughter": "posed_laughter", "speech": "speech"}  # others take no part
RATE = 25  # frames a second, by which the annotations count
LONGEST = 100_000  # frames of an episode: more than an hour is a slip
EXPECTED = {
    "subjects": around(22), "sessions": around(180), "episodes of laughter": around(563),
    "episodes of speech": around(849), "episodes of posed_laughter": around(51),
}  # fmt: skip
RECORDING = r"(?P<recording>(?P<subject>S\d{3})(-\d{3})?)[^/]*\.(avi|mp4|wmv|mkv|mov|mpe?g)"


def read(source: Source, options: Mapping[str, Any]) -> Reading:
    """Frames of every annotated episode, in each modality that is there."""
    sessions = {m["session"]: f for f, m in source.matching(r"Sessions/(?P<session>\d+)/laughterAnnotation\.csv")}
    visible, thermal = _films(source, options["thermal"])
    stride, shots, notes, episodes = max(1, options["stride"]), [], [], Counter()
    for session, annotation in tqdm(sessions.items(), unit="session", desc="annotations"):
        if session not in visible:
            notes.append(f"session {session} has no video")
            continue
        recording, film = visible[session]
        films = {"visible": film} | ({"thermal": thermal[recording]} if recording in thermal else {})
        notes += _compared(films)
        rows = list(_episodes(annotation, notes))
        for number, (label, first, last) in enumerate(rows):
            episodes[f"episodes of {label}"] += 1
            for modality, shown in films.items():
                shots += [
                    Shot(f"{shown.path}, frame {i}", partial(pictures.frame, shown, i), recording[:4], label,
                         f"{session}-{number}", i, modality=modality)
                    for i in range(first, last + 1, stride)
                ]  # fmt: skip
    if options["thermal"] and not thermal:
        notes.append(f"no video is named like {options['thermal']}")
    shots.sort(key=lambda s: (s.subject, s.modality, s.name.split(",")[0], s.frame))  # film by film, in order
    return Reading.of(shots, notes, sessions=len(sessions), **episodes)


def _films(source: Source, pattern: str | None) -> tuple[dict[str, tuple[str, File]], dict[str, File]]:
    """The visible film of every session with its recording, and the thermal one of every recording."""
    visible, thermal = {}, {}
    for file, match in source.matching(r"(.*/)?" + RECORDING):
        inside = re.search(r"(?:^|/)Sessions/(\d+)/[^/]+$", file.path, re.IGNORECASE)
        if pattern and fnmatch.fnmatch(file.name.lower(), pattern.lower()):
            thermal.setdefault(match["recording"].upper(), file)
        elif inside:
            visible.setdefault(inside[1], (match["recording"].upper(), file))
    return visible, thermal


def _compared(films: Mapping[str, File]) -> Iterator[str]:
    """What speaks against the same frame number showing the same moment in both films."""
    try:
        told = {modality: pictures.told(film) for modality, film in films.items()}
    except PhotoError as error:
        yield str(error)
        return
    (frames, rate), thermal = told["visible"], told.get("thermal")
    if rate != RATE:
        yield f"{films['visible'].path} has {rate} frames a second, annotations count {RATE}"
    if thermal not in (None, (frames, rate)):
        yield (
            f"{films['thermal'].path} has {thermal[0]} frames, {thermal[1]} a second; "
            f"the visible film has {frames}, {rate} a second: frames may not belong together"
        )


def _episodes(file: File, notes: list[str]) -> Iterator[tuple[str, int, int]]:
    """(label, first frame, last frame) of every episode that takes part; what is odd goes to ``notes``."""
    seen = unread = late = 0
    with file.on_disk() as path:
        for row in tables.rows(path, file.path, ("type", "startframe", "endframe"), "iso-8859-1"):
            seen += 1
            label = TYPES.get(row["type"].strip().lower())
            try:
                first, last = (int(float(row[name])) for name in ("startframe", "endframe"))
            except (ValueError, OverflowError):
                unread += label is not None
                continue
            late += abs(_seconds(row, first / RATE) * RATE - first) > 2
            if label and 0 <= first <= last < first + LONGEST:
                yield label, first, last
            else:
                unread += label is not None
    if not seen:
        notes.append(f"{file.path} annotates nothing")
    if unread:
        notes.append(f"{file.path}: {unread} episodes have no frames that can be")
    if late:
        notes.append(f"{file.path}: {late} episodes start at another time than their frame says at {RATE} a second")


def _seconds(row: Mapping[str, str], otherwise: float) -> float:
    try:
        return float(row.get("starttimesec") or otherwise)
    except ValueError:
        return otherwise


MAHNOB = Dataset(
    "mahnob", "MAHNOB Laughter", read, EXPECTED, "MAHNOB Laughter (Petridis et al. 2013), under licence",
    ("unpaired", "eyes"),
    options=(
        Option("thermal", "pattern of the thermal files' names, such as '*_thermal.avi'", None),
        Option("stride", "every so manieth frame of an episode (%(default)s)", 5),
    ),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(command.main(MAHNOB, __doc__))
