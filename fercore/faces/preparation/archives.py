"""Members of zip archives: whatever points outside, is locked, or would unpack to far more than it is, is refused."""

import lzma
import os
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import IO

MOST_BYTES = 4 << 30  # of one file in an archive; no photograph, video or inner archive of these datasets is larger
MOST_EXPANDED = 200  # times its compressed size, from a megabyte on: beyond that it is a bomb
DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, NotImplementedError, RuntimeError)


class SourceError(ValueError):
    """A source folder or archive cannot be used; names the file, says why and what to do."""


def members(archive: str, called: str) -> list[zipfile.ZipInfo]:
    """The files in an archive, which messages call ``called``, each of them fit to be read; raises SourceError."""
    try:
        listed = [member for member in _opened(archive, os.getpid()).infolist() if not member.is_dir()]
    except (*DAMAGE, ValueError) as error:
        raise SourceError(f"{called} is not a whole zip archive ({error}); download it again") from error
    for member in listed:
        _check(called, member)
    return listed


@contextmanager
def opened(archive: str, member: str) -> Iterator[IO[bytes]]:
    """A member as a stream; raises SourceError where the archive is damaged."""
    try:
        with _opened(archive, os.getpid()).open(member) as stream:
            yield stream
    except DAMAGE as error:
        raise SourceError(f"{archive}: {member} is damaged ({error}); download the archive again") from error


def unpacked(archive: str, member: str, size: int, target: Path) -> None:
    """Copy a member of ``size`` bytes to ``target``, piece by piece; raises SourceError where the disk has no room."""
    if size > shutil.disk_usage(target.parent).free:
        raise SourceError(f"{archive}: no room in {target.parent} to unpack {member}; unpack it by hand")
    with opened(archive, member) as stream, open(target, "wb") as copy:
        shutil.copyfileobj(stream, copy, 1 << 20)


def _check(archive: str, member: zipfile.ZipInfo) -> None:
    path = PurePosixPath(member.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or not path.parts or ":" in path.parts[0]:
        raise SourceError(f"{archive}: {member.filename!r} points outside of the archive; this is no official copy")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise SourceError(f"{archive}: {member.filename} is a symbolic link; this is no official copy")
    if member.flag_bits & 1:
        raise SourceError(f"{archive} is locked with a password; unpack it and give the folder to --source")
    expanded = member.file_size > 1 << 20 and member.file_size > MOST_EXPANDED * max(member.compress_size, 1)
    if member.file_size > MOST_BYTES or expanded:
        raise SourceError(
            f"{archive}: {member.filename} would unpack to {member.file_size} bytes; this is no photograph"
        )


@lru_cache(maxsize=32)
def _opened(path: str, process: int) -> zipfile.ZipFile:  # processes must not share a position in the file
    return zipfile.ZipFile(path)
