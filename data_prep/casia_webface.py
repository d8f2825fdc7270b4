"""Prepare CASIA-WebFace (Yi et al. 2014), 10,575 identities, for pre-training: folders, or InsightFace's RecordIO.

python data_prep/casia_webface.py --source CASIA-WebFace
python data_prep/casia_webface.py --source faces_webface_112x112
"""

import struct
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from fercore.faces.photo import decoded
from fercore.faces.preparation import command
from fercore.faces.preparation.pictures import still
from fercore.faces.preparation.reading import Dataset, DatasetError, Option, Reading, Shot, around
from fercore.faces.preparation.source import File, Source

IMAGE = r"(?P<subject>\d{7})/(?P<number>\d{3})\.jpg"
IN_LFW = {"0166921", "1056413", "1193098"}  # identities commonly removed, because LFW has them too
MAGIC = 0xCED7230A  # of every record
HEADER = struct.Struct("<IfQQ")  # number of further labels, label, id, second id
EXPECTED = {"subjects": around(10_572, 10_575), "images": around(490_623, 494_414)}


def read(source: Source, options: Mapping[str, Any]) -> Reading:
    """Every image with its identity; no expression is known."""
    shots = [
        Shot(file.path, partial(still, file), match["subject"], "unknown", match["number"], int(match["number"]))
        for file, match in source.matching(IMAGE)
        if match["subject"] not in IN_LFW
    ]
    for file, _ in source.matching(r"train\.rec"):
        shots += list(_records(file))
    if limit := options["identities"]:
        chosen = set(sorted({shot.subject for shot in shots})[:limit])
        shots = [shot for shot in shots if shot.subject in chosen]
    return Reading.of(shots)


def _records(file: File) -> Iterator[Shot]:
    """The pictures of a RecordIO file: magic, length, header, JPEG, padding to four bytes; raises DatasetError."""
    if file.member:
        raise DatasetError(f"{file.path} is inside an archive; unpack it first")
    size = Path(file.where).stat().st_size
    with open(file.where, "rb") as stream:
        while len(start := stream.read(8)) == 8:
            magic, length = struct.unpack("<II", start)
            length &= (1 << 29) - 1
            begin = stream.tell()
            if magic != MAGIC or length < HEADER.size or begin + length > size:
                raise DatasetError(f"{file.path} is damaged at byte {begin - 8}; copy it again")
            more, label, number, _ = HEADER.unpack(stream.read(HEADER.size))
            if more == 0:  # a record with a list of labels is an index, not a picture
                where = (begin + HEADER.size, length - HEADER.size)
                name = f"{file.path}:{number}"
                image = partial(_record, file.where, *where)
                yield Shot(name, image, f"{int(label):07d}", "unknown", str(number))
            stream.seek(begin + (length + 3) // 4 * 4)


def _record(path: str, start: int, length: int) -> np.ndarray:
    with open(path, "rb") as stream:
        stream.seek(start)
        return decoded(stream.read(length), f"{path}, byte {start}")


CASIA_WEBFACE = Dataset(
    "casia_webface", "CASIA-WebFace", read, EXPECTED, "CASIA-WebFace (Yi et al. 2014), under licence",
    ("gcnet", "eyes"),
    already_cropped=True,
    options=(Option("identities", "only the first so many identities (0: all)", 0),),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(command.main(CASIA_WEBFACE, __doc__))
