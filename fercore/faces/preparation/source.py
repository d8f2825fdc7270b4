"""What lies in a source: folders and archives as one list of files, whatever is hostile in them refused."""

import os
import re
import stat
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath

JUNK = re.compile(r"(^|/)(\.DS_Store|Thumbs\.db|desktop\.ini|__MACOSX|\._[^/]*|README[^/]*)(/|$)", re.IGNORECASE)
MOST_BYTES = 4 << 30  # of one file in an archive; no photograph, video or inner archive of these datasets is larger
MOST_EXPANDED = 200  # times its compressed size, from a megabyte on: beyond that it is a bomb
DEEPEST = 2  # archives inside archives


class SourceError(ValueError):
    """A source folder or archive cannot be used; names the file, says why and what to do."""


@dataclass(frozen=True, slots=True)
class File:
    """One file below a source; ``path`` is relative to it, with archives as folders."""

    path: str
    size: int
    where: str  # on disk: the file itself, or the archive that holds it
    member: str = ""  # its name in that archive

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rsplit("/", 1)[-1]

    def read(self) -> bytes:
        """The whole content; raises SourceError where the archive is damaged."""
        if not self.member:
            return Path(self.where).read_bytes()
        try:
            return _archive(self.where).read(self.member)
        except (zipfile.BadZipFile, OSError, EOFError) as error:
            raise SourceError(
                f"{self.where}: {self.member} is damaged ({error}); download the archive again"
            ) from error

    @contextmanager
    def on_disk(self) -> Iterator[Path]:
        """The file as a path, for libraries that read nothing else; a copy where it lies in an archive."""
        if not self.member:
            yield Path(self.where)
            return
        with tempfile.NamedTemporaryFile(suffix=PurePosixPath(self.path).suffix) as copy:
            copy.write(self.read())
            copy.flush()
            yield Path(copy.name)


class Source:
    """All files below some folders or archives, junk left out, in the order of their paths."""

    def __init__(self, roots: Iterable[Path]):
        self.roots = list(roots)
        self._opened = tempfile.TemporaryDirectory(prefix="fercore-archives-")  # inner archives
        self.files: list[File] = []
        for root in self.roots:
            if root.is_dir():
                self._walk(root)
            elif zipfile.is_zipfile(root):
                self._look_into(str(root), root.stem, 0)
            else:
                raise SourceError(f"{root} is neither a folder nor a zip archive; give --source the dataset's folder")
        self.files.sort(key=lambda file: _natural(file.path))

    def matching(self, pattern: str | re.Pattern) -> Iterator[tuple[File, re.Match]]:
        """Files whose path ends as ``pattern`` says (letters of any case); of equal ends the first only.

        Users unpack beside the archive, or into folders doubled: the same file, named twice, counts once.
        """
        wanted, seen = re.compile(rf"(?:^|/)(?:{pattern})$", re.IGNORECASE), set()
        for file in self.files:
            match = wanted.search(file.path)
            if match and (end := match[0].lstrip("/").lower()) not in seen:
                seen.add(end)
                yield file, match

    def shape(self, most: int = 8) -> str:
        """A few of the paths, to show what was found instead."""
        if not self.files:
            return "no file at all"
        step = max(1, len(self.files) // most)
        return f"{len(self.files)} files, such as {', '.join(file.path for file in self.files[::step][:most])}"

    def _walk(self, root: Path) -> None:
        inside = root.resolve()
        for folder, folders, names in os.walk(root):
            folders.sort()
            for name in [*names, *(f for f in folders if os.path.islink(os.path.join(folder, f)))]:
                path = Path(folder, name)
                below = path.relative_to(root).as_posix()
                if JUNK.search(below):
                    continue
                if path.is_symlink() and not path.resolve().is_relative_to(inside):
                    raise SourceError(f"{path} is a link to a place outside of {root}; replace it by the file itself")
                if path.suffix.lower() == ".zip" and path.is_file():
                    self._look_into(str(path), below.removesuffix(path.suffix), 0)
                elif path.is_file():
                    self.files.append(File(below, path.stat().st_size, str(path)))

    def _look_into(self, archive: str, below: str, depth: int) -> None:
        try:
            members = _archive(archive).infolist()
        except (zipfile.BadZipFile, OSError) as error:
            raise SourceError(f"{archive} is not a whole zip archive ({error}); download it again") from error
        for member in members:
            if member.is_dir() or JUNK.search(member.filename):
                continue
            _check_member(archive, member)
            path = f"{below}/{member.filename}"
            if path.lower().endswith(".zip") and depth < DEEPEST:
                inner = Path(self._opened.name, f"{len(os.listdir(self._opened.name))}.zip")
                inner.write_bytes(_archive(archive).read(member))
                self._look_into(str(inner), path[:-4], depth + 1)
            else:
                self.files.append(File(path, member.file_size, archive, member.filename))


def _check_member(archive: str, member: zipfile.ZipInfo) -> None:
    path = PurePosixPath(member.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        raise SourceError(f"{archive}: {member.filename} points outside of the archive; this is no official copy")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise SourceError(f"{archive}: {member.filename} is a symbolic link; this is no official copy")
    if member.flag_bits & 1:
        raise SourceError(f"{archive} is locked with a password; unpack it and give the folder to --source")
    expanded = member.file_size > 1 << 20 and member.file_size > MOST_EXPANDED * max(member.compress_size, 1)
    if member.file_size > MOST_BYTES or expanded:
        raise SourceError(
            f"{archive}: {member.filename} would unpack to {member.file_size} bytes; this is no photograph"
        )


def _archive(path: str) -> zipfile.ZipFile:
    return _opened(path, os.getpid())  # processes must not share a position in the file


@lru_cache(maxsize=32)
def _opened(path: str, process: int) -> zipfile.ZipFile:
    return zipfile.ZipFile(path)


def _natural(path: str) -> str:
    """Sorts numbers in names by value: frame 10 after frame 9."""
    return re.sub(r"\d+", lambda number: number[0].zfill(12), path.lower())
