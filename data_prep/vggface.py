"""Prepare VGG-Face (Parkhi et al. 2015), from its lists and the images that you could still fetch.

    python data_prep/vggface.py --source vgg_face_dataset IMAGES

The set distributes links only; images are expected as <Name>/<id>.jpg anywhere below the sources. IDFERM filtered its
frontal neutral targets with a commercial service; here "frontal" is what the lists say (pose > 2), and no expression is
claimed.
"""

import re
import sys
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from fercore.faces.photo import PhotoError
from fercore.faces.preparation import command
from fercore.faces.preparation.pictures import still
from fercore.faces.preparation.reading import Dataset, DatasetError, Option, Reading, Shot, around
from fercore.faces.preparation.source import File, Source

LINE = re.compile(
    r"(?P<id>\d{8})\s+\S.*?\s+(?P<left>-?[\d.]+)\s+(?P<top>-?[\d.]+)\s+(?P<right>-?[\d.]+)\s+(?P<bottom>-?[\d.]+)\s+"
    r"(?P<pose>[\d.]+)\s+-?[\d.]+\s+(?P<curated>[01])\s*"
)
FRONTAL = 2.0  # pose above this
MARGIN = 0.15  # of the box's side, added all around


def read(source: Source, options: Mapping[str, Any]) -> Reading:
    """The images that are there, cut to their listed box; split "frontal" or "profile"."""
    images = {(m["name"], m["id"]): file for file, m in source.matching(r"(?P<name>[^/]+)/(?P<id>\d{8})\.jpe?g")}
    shots, listed, identities = [], 0, 0
    for file, match in source.matching(r"files/(?P<name>[^/]+)\.txt"):
        identities += 1
        for line in file.read().decode("utf-8", "replace").splitlines():
            row = LINE.fullmatch(line)
            if row is None or (options["curated"] == "yes" and row["curated"] == "0"):
                continue
            listed += 1
            if found := images.get((match["name"], row["id"])):
                box = tuple(float(row[side]) for side in ("left", "top", "right", "bottom"))
                pose = "frontal" if float(row["pose"]) > FRONTAL else "profile"
                shots.append(
                    Shot(found.path, partial(_boxed, found, box), match["name"], "unknown", row["id"], split=pose)
                )
    if not shots:
        raise DatasetError(f"{listed} images are listed and none is there; give their folder to --source as well")
    return Reading.of(shots, [f"{len(shots)} of {listed} listed images are there"], identities=identities)


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
