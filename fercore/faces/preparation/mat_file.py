"""Variables of MATLAB's .mat files, whose compressed parts are measured before anything is loaded."""

import struct
import zlib
from pathlib import Path
from typing import Any, BinaryIO

from scipy.io import loadmat

MOST_BYTES = 256 << 20  # unpacked; tracked points of the longest take have about ten million
PIECE = 1 << 20
HEADER = 128  # bytes; the last two tell the order of bytes
COMPRESSED = 15  # kind of an element


def variable(path: Path, name: str) -> Any:
    """One variable of a file; raises ValueError where it would unpack to too much, else whatever loadmat raises."""
    if _unpacked(path) > MOST_BYTES:
        raise ValueError(f"it would unpack to more than {MOST_BYTES >> 20} MB")
    return loadmat(path, variable_names=[name], squeeze_me=True, struct_as_record=True)[name]


def _unpacked(path: Path) -> int:
    """Bytes of all elements, unpacked; counting ends beyond MOST_BYTES."""
    total = path.stat().st_size
    with open(path, "rb") as stream:
        order = ">" if stream.read(HEADER)[-2:] == b"MI" else "<"
        while total <= MOST_BYTES and len(tag := stream.read(8)) == 8:
            kind, size = struct.unpack(f"{order}II", tag)
            end = stream.tell() + size
            if kind == COMPRESSED:
                total += _inflated(stream, size, MOST_BYTES - total)
            stream.seek(end)
    return total


def _inflated(stream: BinaryIO, size: int, most: int) -> int:
    """Bytes that ``size`` compressed ones unpack to, at the most a piece more than ``most``."""
    unpacking, count = zlib.decompressobj(), 0
    while size > 0 and count <= most and (packed := stream.read(min(size, PIECE))):
        size -= len(packed)
        while packed and count <= most:
            count += len(unpacking.decompress(packed, PIECE))
            packed = unpacking.unconsumed_tail
    return count
