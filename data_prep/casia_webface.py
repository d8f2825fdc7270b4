"""Prepare CASIA-WebFace (Yi et al. 2014), 10,575 identities, for pre-training: folders, or InsightFace's RecordIO.

python data_prep/casia_webface.py --source CASIA-WebFace
python data_prep/casia_webface.py --source faces_webface_112x112
"""

import struct
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, BinaryIO

import numpy as np

from fercore.faces.photo import decoded
from fercore.faces.preparation import command
from fercore.faces.preparation.reading import Dataset, DatasetError, Option, Reading, Shot, around
from fercore.faces.preparation.source import File, Source

IMAGE = r"(?P<subject>\d{7})/(?P<number>\d{3})\.jpg"
IN_LFW = {"0166921", "1056413", "1193098"}  # identities commonly removed, because LFW has them too
MAGIC = 0xCED7230A  # of every record
WHOLE, FIRST, LAST = 0, 1, 3  # what the upper bits of a length say of a part
HEADER = struct.Struct("<IfQQ")  # number of labels that follow, the label otherwise, id, second id
MOST_LABELS = 1 << 12  # bytes
JPEG = b"\xff\xd8"
EXPECTED = {"subjects": around(10_572, 10_575), "images": around(490_623, 494_414)}


def read(source: Source, options: Mapping[str, Any]) -> Reading:
    """Every image with its identity; no expression is known."""
    if not (limit := options["identities"]):
        return Reading.of(_shots(source))
    chosen = set(sorted({shot.subject for shot in _shots(source)})[:limit])
    return Reading.of(shot for shot in _shots(source) if shot.subject in chosen)


def _shots(source: Source) -> Iterator[Shot]:
    """Images in folders, else in RecordIO: identities are numbered differently in the two forms."""
    recorded = True
    for file, match in source.matching(IMAGE):
        if match["subject"] not in IN_LFW:
            recorded = False
            yield Shot(file.path, file, match["subject"], "unknown", match["number"], int(match["number"]))
    if recorded:
        for file, _ in source.matching(r"train\.rec"):
            yield from _records(file)


def _records(file: File) -> Iterator[Shot]:
    """The pictures of a RecordIO file; raises DatasetError."""
    if file.member:
        raise DatasetError(f"{file.path} is inside an archive; unpack it first")
    with open(file.where, "rb") as stream:
        for parts in _parts(stream, file):
            (start, length), *_ = parts
            stream.seek(start)
            record = stream.read(min(length, HEADER.size + MOST_LABELS))
            if len(record) < HEADER.size:
                raise _damage(file, start)
            labels, label, number, _ = HEADER.unpack_from(record)
            begin = HEADER.size + 4 * labels
            if labels and 4 <= 4 * labels <= len(record) - HEADER.size:
                (label,) = struct.unpack_from("<f", record, HEADER.size)
            if record[begin : begin + 2] != JPEG:
                continue  # an index, not a picture
            if not 0 <= label < 1e7:
                raise _damage(file, start)
            image = partial(_record, file, ((start + begin, length - begin), *parts[1:]))
            yield Shot(f"{file.path}:{number}", image, f"{int(label):07d}", "unknown", str(number))


def _parts(stream: BinaryIO, file: File) -> Iterator[tuple[tuple[int, int], ...]]:
    """Where each record lies (start, length): usually one part; more where its content contains the magic number."""
    parts: list[tuple[int, int]] = []
    at = 0
    while at < file.size:
        stream.seek(at)
        start = stream.read(8)
        if len(start) < 8:
            raise _damage(file, at)
        magic, length = struct.unpack("<II", start)
        place, length = length >> 29, length & (1 << 29) - 1  # whole, first, middle or last part
        if magic != MAGIC or at + 8 + length > file.size or (place in (WHOLE, FIRST)) == bool(parts):
            raise _damage(file, at)
        parts.append((at + 8, length))
        at += 8 + (length + 3) // 4 * 4
        if place in (WHOLE, LAST):
            yield tuple(parts)
            parts = []
    if parts:
        raise _damage(file, at)


def _damage(file: File, at: int) -> DatasetError:
    return DatasetError(f"{file.path} is damaged at byte {at}; copy it again")


def _record(file: File, parts: tuple[tuple[int, int], ...]) -> np.ndarray:
    pieces = []
    with open(file.where, "rb") as stream:
        for start, length in parts:
            stream.seek(start)
            pieces.append(stream.read(length))
    return decoded(struct.pack("<I", MAGIC).join(pieces), f"{file.path}, byte {parts[0][0]}")


CASIA_WEBFACE = Dataset(
    "casia_webface", "CASIA-WebFace", read, EXPECTED, "CASIA-WebFace (Yi et al. 2014), under licence",
    ("gcnet", "eyes"),
    already_cropped=True,
    options=(Option("identities", "only the first so many identities (0: all)", 0),),
)  # fmt: skip

if __name__ == "__main__":
    sys.exit(command.main(CASIA_WEBFACE, __doc__))
