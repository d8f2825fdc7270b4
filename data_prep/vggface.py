"""Prepare VGG-Face (Parkhi et al. 2015), from its lists and the images that you could still fetch.

    python data_prep/vggface.py --source vgg_face_dataset IMAGES --targets LIST.txt

The set distributes links only; images are expected as <Name>/<id>.jpg anywhere below the sources. IDFERM filtered its
frontal neutral targets with a commercial service and published no list; here "frontal" is what the lists say (pose >
2), and no expression is claimed. A list of your own, --targets, names the frontal neutral picture of each person, one
path below the sources on a line: it is the reference of all pictures of that person, and people without one are left
out. IDFERM's generator needs it; its judge of identities (Table 1) does without.
"""

import math
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fercore.faces.photo import PhotoError
from fercore.faces.preparation import command
from fercore.faces.preparation.pictures import still
from fercore.faces.preparation.reading import Dataset, DatasetError, Option, Reading, Shot, around, several
from fercore.faces.preparation.source import File, Source

FRONTAL = 2.0  # pose above this
MARGIN = 0.15  # of the box's side, added all around
IMAGE = r"(?P<name>[^/]+)/(?P<id>\d{8})\.jpe?g"
MOST_BYTES = 1 << 24  # of a list of targets: a hundred times more than one with everybody


class Row(NamedTuple):
    """What a list says of an image."""

    number: str
    box: tuple[float, float, float, float]  # left, top, right, bottom
    pose: float
    curated: bool


class Target(NamedTuple):
    """The picture that a user calls a person's frontal neutral one."""

    number: str
    place: str  # the line of the user's list, as messages name it


def read(source: Source, options: Mapping[str, Any]) -> Reading:
    """The images that are there, cut to their listed box; split "frontal" or "profile", targets are "neutral"."""
    images = {(m["name"], m["id"]): file for file, m in source.matching(IMAGE)}
    targets = _targets(options["targets"], images) if options["targets"] else None
    shots: list[Shot] = []
    listed, there, lists, without, notes = 0, 0, set(), [], []
    for file, match in source.matching(r"files/(?P<name>[^/]+)\.txt"):
        rows = [row for row in _rows(file) if row.curated or options["curated"] == "no"]
        own = _shots(match["name"], rows, images)
        lists.add(match["name"])
        listed, there = listed + len(rows), there + len(own)
        if targets is not None and (own or match["name"] in targets):
            own, problem = _compared(own, targets.get(match["name"]))
            notes += [problem] * bool(problem)
            without += [match["name"]] * (not own)
        shots += own
    if not there:
        raise DatasetError(f"{listed} images are listed and none is there; give their folder to --source as well")
    if strangers := [target.place for name, target in (targets or {}).items() if name not in lists]:
        raise DatasetError(f"{strangers[0]}: no list of vgg_face_dataset is of this person; take the line out")
    if not shots:
        raise DatasetError(f"not one target of {options['targets']} can be used; {notes[0]}")
    notes += several(without, "people are left out, without a target")
    return Reading.of(shots, [f"{there} of {listed} listed images are there", *notes], identities=len(lists))


def _rows(file: File) -> Iterable[Row]:
    rows = (_row(line) for line in file.read().decode("utf-8", "replace").splitlines())
    return (row for row in rows if row is not None)


def _shots(name: str, rows: Iterable[Row], images: Mapping[tuple[str, str], File]) -> list[Shot]:
    """What is there of one person."""
    there = [(row, images[name, row.number]) for row in rows if (name, row.number) in images]
    return [
        Shot(file.path, partial(_boxed, file, row.box), name, "unknown", row.number,
            split="frontal" if row.pose > FRONTAL else "profile")
        for row, file in there
    ]  # fmt: skip


def _compared(shots: list[Shot], target: Target | None) -> tuple[list[Shot], str]:
    """A person's pictures with the target called neutral, their reference then; none without a target to be seen.

    Says what is wrong with the target; raises DatasetError where it is not among them.
    """
    if target is None:
        return [], ""
    if target.number not in (shot.sequence for shot in shots):
        raise DatasetError(f"{target.place}: this image is not listed, or not as curated: name another")
    shots = [replace(shot, label="neutral") if shot.sequence == target.number else shot for shot in shots]
    try:
        next(shot for shot in shots if shot.label == "neutral").pixels()
    except PhotoError as error:
        return [], f"{target.place}: {error}"
    return shots, ""


def _targets(path: str, images: Mapping[tuple[str, str], File]) -> dict[str, Target]:
    """A user's own list, by person; nothing it names is opened, and a line that is no image raises DatasetError."""
    try:
        with open(path, "rb") as file:
            content = file.read(MOST_BYTES + 1)
        lines = content.decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path} is no text that can be read ({error}); save it again as UTF-8") from error
    if len(content) > MOST_BYTES:
        raise DatasetError(f"{path} has more than {MOST_BYTES >> 20} MB, too many for one line per person")
    targets: dict[str, Target] = {}
    for number, line in enumerate(map(str.strip, lines), 1):
        if not line:
            continue
        place, match = f"{Path(path).name}, line {number}", re.search(rf"(?:^|/){IMAGE}$", line, re.IGNORECASE)
        file = images.get((match["name"], match["id"])) if match else None
        if file is None or not f"/{file.path}".endswith(f"/{line}"):
            raise DatasetError(f"{place}: {line!r:.100} is no image of the source; write its path below --source")
        if before := targets.get(match["name"]):
            raise DatasetError(f"{place}: {match['name']} has a target already, {before.place}; keep one of them")
        targets[match["name"]] = Target(match["id"], place)
    if not targets:
        raise DatasetError(f"{path} names no image; write one line per person, such as A.J._Buckley/00000001.jpg")
    return targets


def _row(line: str) -> Row | None:
    """A line of a list, read from its right end, as addresses may hold anything; None for other lines."""
    words = line.rsplit(None, 7)
    number = words[0].split(None, 1)[0] if words else ""
    try:
        *box, pose, _, curated = map(float, words[1:])
    except ValueError:
        return None
    fits = len(box) == 4 and re.fullmatch(r"\d{8}", number) and all(map(math.isfinite, (*box, pose)))
    return Row(number, tuple(box), pose, curated == 1) if fits else None


def _boxed(file: File, box: tuple[float, float, float, float]) -> np.ndarray:
    """The listed box of a photograph with a margin, inside its edges; raises PhotoError where they do not meet."""
    image = still(file)
    left, top, right, bottom = box
    room = MARGIN * max(right - left, bottom - top)
    rows = slice(max(round(top - room), 0), max(round(bottom + room), 0))
    columns = slice(max(round(left - room), 0), max(round(right + room), 0))
    face = image[rows, columns]
    if min(face.shape[:2]) < 16:
        raise PhotoError(f"{file.path}: its listed box {box} shows nothing of it; it is another photograph")
    return face


VGGFACE = Dataset(
    "vggface", "VGG-Face", read, {"identities": around(2_622)}, "VGG-Face (Parkhi et al. 2015)", ("idferm", "eyes"),
    reference="subject", already_cropped=True,
    options=(
        Option("curated", "only images of the curated set (%(default)s)", "yes", ("yes", "no")),
        Option("targets", "your list of everyone's frontal neutral picture, one path below --source on a line", None),
    ),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(command.main(VGGFACE, __doc__))
