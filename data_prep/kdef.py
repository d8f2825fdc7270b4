"""Prepare KDEF, 70 people, seven expressions, two sessions, five views (Lundqvist et al. 1998; free for research).

python data_prep/kdef.py --source FOLDER_OR_ZIP
"""

import sys
from collections.abc import Mapping
from typing import Any

from fercore.faces.preparation import command
from fercore.faces.preparation.reading import Dataset, DatasetError, Option, Reading, Shot, around, several
from fercore.faces.preparation.source import Source

LABELS = {
    "AF": "fear", "AN": "anger", "DI": "disgust", "HA": "happiness", "NE": "neutral", "SA": "sadness", "SU": "surprise",
}  # fmt: skip
VIEWS = ("S", "HL", "HR", "FL", "FR")  # straight; half and full profiles
IMAGE = rf"(?P<session>[AB])(?P<person>[FM]\d{{2}})(?P<label>{'|'.join(LABELS)})(?P<view>{'|'.join(VIEWS)})\.jpg"
BLACK = {  # files that are broken in every copy
    "AF01SUFR", "AF10AFFR", "AF11NEHL", "AF20DIHL", "AM25DIFL", "AM34DIFR", "BF13NEHR", "BM21DIFL", "BM22DIHL",
    "BM24DIFL",
}  # fmt: skip


def read(source: Source, options: Mapping[str, Any]) -> Reading:
    """The chosen views; both sessions of a person are one subject, and each has its own neutral picture."""
    wanted = set(options["views"].upper().split(","))
    if unknown := wanted - set(VIEWS):
        raise DatasetError(f"views {', '.join(sorted(unknown))} are none of {', '.join(VIEWS)}")
    shots, seen, broken = [], 0, []
    for file, match in source.matching(IMAGE):
        seen += 1
        if match["view"].upper() not in wanted:
            continue
        if file.name[:-4].upper() in BLACK:
            broken.append(file.name)
            continue
        label = match["label"].upper()
        shots.append(
            Shot(file.path, file, match["person"].upper(), LABELS[label],
                 f"{match['session']}{match['view']}".upper(), list(LABELS).index(label), label)
        )  # fmt: skip
    shots.sort(key=lambda shot: (shot.subject, shot.sequence, shot.label != "neutral", shot.frame))
    notes = several(broken, "images are left out: they are broken in every copy")
    return Reading.of(shots, notes, **{"images in the source": seen})


KDEF = Dataset(
    "kdef", "KDEF", read, {"images in the source": around(4_900), "subjects": around(70)},
    "KDEF (Lundqvist et al. 1998)",
    ("eyes", "gcnet", "idferm", "unpaired"), reference="sequence",
    options=(Option("views", f"some of {','.join(VIEWS)} (%(default)s: straight)", "S"),),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(command.main(KDEF, __doc__))
