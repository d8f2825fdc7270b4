"""Prepare the MAHNOB Laughter database (Petridis et al. 2013; licence from its authors): visible and thermal video.

    python data_prep/mahnob.py --source DOWNLOAD [DOWNLOAD ...] --thermal "*_thermal.avi"

How the thermal files are named is not published: --thermal gives their pattern, paired by the S001-005 in the name.
The papers' sub-sampling of frames is not published either; --stride takes every so manieth frame of an episode.
"""

import csv
import fnmatch
import io
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from fercore.faces.preparation import command, pictures
from fercore.faces.preparation.reading import Dataset, DatasetError, Option, Reading, Shot, around
from fercore.faces.preparation.source import File, Source

TYPES = {"laughter": "laughter", "posedlaughter": "posed_laughter", "speech": "speech"}  # others take no part
EXPECTED = {
    "subjects": around(22), "sessions": around(180), "episodes of laughter": around(563),
    "episodes of speech": around(849), "episodes of posed_laughter": around(51),
}  # fmt: skip


def read(source: Source, options: Mapping[str, Any]) -> Reading:
    """Frames of every annotated episode, in each modality that is there."""
    sessions = {m["session"]: f for f, m in source.matching(r"Sessions/(?P<session>\d+)/laughterAnnotation\.csv")}
    stride, shots, notes, episodes = max(1, options["stride"]), [], [], Counter()
    for session, annotation in sessions.items():
        films = _films(source, session, options["thermal"])
        if not films:
            notes.append(f"session {session} has no video")
            continue
        rows = list(_episodes(annotation))
        if not rows:
            notes.append(f"{annotation.path} annotates nothing")
        for number, (label, first, last) in enumerate(rows):
            episodes[f"episodes of {label}"] += 1
            for modality, (subject, film) in films.items():
                shots += [
                    Shot(f"{film.path}, frame {i}", partial(pictures.frame, film, i), subject, label,
                         f"{session}-{number}", i, modality=modality)
                    for i in range(first, last + 1, stride)
                ]  # fmt: skip
    shots.sort(key=lambda s: (s.subject, s.modality, s.name.split(",")[0], s.frame))  # film by film, in order
    return Reading.of(shots, notes, sessions=len(sessions), **episodes)


def _films(source: Source, session: str, thermal: str | None) -> dict[str, tuple[str, File]]:
    """The visible and the thermal film of a session with their subject."""
    films: dict[str, tuple[str, File]] = {}
    for file, match in source.matching(rf"Sessions/{session}/(?P<subject>S\d{{3}})[^/]*\.(avi|mp4|wmv|mkv)"):
        modality = "thermal" if thermal and fnmatch.fnmatch(file.name, thermal) else "visible"
        films.setdefault(modality, (match["subject"].upper(), file))
    return films


def _episodes(file: File) -> Iterator[tuple[str, int, int]]:
    """(label, first frame, last frame) of every episode that takes part; raises DatasetError for another table."""
    text = file.read().decode("iso-8859-1")
    if not text.strip():
        return
    rows = csv.DictReader(io.StringIO(text))
    columns = {re.sub(r"\W", "", name or "").lower(): name for name in rows.fieldnames or ()}
    if missing := {"type", "startframe", "endframe"} - set(columns):
        raise DatasetError(f"{file.path} has no column {sorted(missing)}; download it again")
    for row in rows:
        label = TYPES.get((row[columns["type"]] or "").strip().lower())
        try:
            first, last = (int(float(row[columns[name]])) for name in ("startframe", "endframe"))
        except (TypeError, ValueError):
            continue
        if label and 0 <= first <= last:
            yield label, first, last


MAHNOB = Dataset(
    "mahnob", "MAHNOB Laughter", read, EXPECTED, "MAHNOB Laughter (Petridis et al. 2013), under licence",
    ("unpaired", "eyes"), already_cropped=False,
    options=(
        Option("thermal", "pattern of the thermal files' names, such as '*_thermal.avi'", None),
        Option("stride", "every so manieth frame of an episode (%(default)s)", 5),
    ),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(command.main(MAHNOB, __doc__))
