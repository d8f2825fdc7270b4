"""Prepare VGG-Face (Parkhi et al. 2015), from its lists and the images that you could still fetch.

    python data_prep/vggface.py --source vgg_face_dataset IMAGES

The set distributes links only; images are expected as <Name>/<id>.jpg anywhere below the sources. IDFERM filtered its
frontal neutral targets with a commercial service; here "frontal" is what the lists say (pose > 2), and no expression is
claimed.
"""

import math
import re
import sys
from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from fercore.faces.photo import PhotoError
from fercore.faces.preparation import command
from fercore.faces.preparation.pictures import still
from fercore.faces.preparation.reading import Dataset, DatasetError, Option, Reading, Shot, around
from fercore.faces.preparation.source import File, Source

FRONTAL = 2.0  # pose above this
MARGIN = 0.15  # of the box's side, added all around


class Row(NamedTuple):
    """What a list says of an image."""

    number: str
    box: tuple[float, float, float, float]  # left, top, right, bottom
    pose: float
    curated: bool


def read(source: Source, options: Mapping[str, Any]) -> Reading:
    """The images that are there, cut to their listed box; split "frontal" or "profile"."""
    images = {(m["name"], m["id"]): file for file, m in source.matching(r"(?P<name>[^/]+)/(?P<id>\d{8})\.jpe?g")}
    shots, listed, identities = [], 0, 0
    for file, match in source.matching(r"files/(?P<name>[^/]+)\.txt"):
        identities += 1
        for line in file.read().decode("utf-8", "replace").splitlines():
            if (row := _row(line)) is None or (options["curated"] == "yes" and not row.curated):
                continue
            listed += 1
            if found := images.get((match["name"], row.number)):
                pose = "frontal" if row.pose > FRONTAL else "profile"
                image = partial(_boxed, found, row.box)
                shots.append(Shot(found.path, image, match["name"], "unknown", row.number, split=pose))
    if not shots:
        raise DatasetError(f"{listed} images are listed and none is there; give their folder to --source as well")
    return Reading.of(shots, [f"{len(shots)} of {listed} listed images are there"], identities=identities)


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
    already_cropped=True,
    options=(Option("curated", "only images of the curated set (%(default)s)", "yes", ("yes", "no")),),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(command.main(VGGFACE, __doc__))
