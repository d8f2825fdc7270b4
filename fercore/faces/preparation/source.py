"""What lies in a source: folders and archives as one list of files, whatever is hostile in them refused."""

import os
import re
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from fercore.faces.preparation import archives
from fercore.faces.preparation.archives import SourceError
from fercore.faces.preparation.stored import StoredList, StoredSet
from fercore.faces.preparation.temporary import TemporaryFolder, remove_leftovers

JUNK = re.compile(r"(^|/)(\.DS_Store|Thumbs\.db|desktop\.ini|__MACOSX|\._[^/]*|README[^/]*)(/|$)", re.IGNORECASE)
MOST_READ = 256 << 20  # bytes of a file read at once: photographs and labels; videos and tables go through the disk
DEEPEST = 2  # archives inside archives


@dataclass(frozen=True, slots=True)
class File:
    """One file below a source; ``path`` is relative to it, with archives as folders."""

    path: str
    size: int
    root: str  # the folder that holds it, or the archive
    member: str = ""  # its name in that archive

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rsplit("/", 1)[-1]

    @property
    def where(self) -> str:
        """The file that holds it on disk: itself, or the archive."""
        return self.root if self.member else f"{self.root}/{self.path}"

    def read(self) -> bytes:
        """The whole content; raises SourceError where it is too large, or the archive damaged."""
        if self.size > MOST_READ:
            raise SourceError(f"{self.path} has {self.size} bytes, too many for a photograph or a label; remove it")
        if not self.member:
            return Path(self.where).read_bytes()
        with archives.opened(self.where, self.member) as stream:
            return stream.read()

    @contextmanager
    def on_disk(self) -> Iterator[Path]:
        """The file as a path, for what is large or read by other libraries; a copy where it lies in an archive."""
        if not self.member:
            yield Path(self.where)
            return
        with TemporaryFolder() as folder:
            copy = Path(folder, f"copy{PurePosixPath(self.path).suffix}")
            archives.unpacked(self.where, self.member, self.size, copy)
            yield copy


class Source:
    """All files below some folders or archives, junk left out, in the order of their paths."""

    def __init__(self, roots: Iterable[Path]):
        self.roots = list(roots)
        remove_leftovers()
        self._inner = TemporaryFolder()  # archives that lay inside others
        found = (file for root in self.roots for file in self._below(root))
        self.files = StoredList(found, lambda file: _natural(file.path))

    def matching(self, pattern: str | re.Pattern) -> Iterator[tuple[File, re.Match]]:
        """Files whose path ends as ``pattern`` says (letters of any case); of equal ends the first only.

        Users unpack beside the archive, or into folders doubled: the same file, named twice, counts once.
        """
        wanted, seen = re.compile(rf"(?:^|/)(?:{pattern})$", re.IGNORECASE), StoredSet()
        for file in self.files:
            match = wanted.search(file.path)
            if match and seen.add(match[0].lstrip("/").lower()):
                yield file, match

    def shape(self, most: int = 8) -> str:
        """A few of the paths, to show what was found instead."""
        if not self.files:
            return "no file at all"
        step = max(1, len(self.files) // most)
        return f"{len(self.files)} files, such as {', '.join(file.path for file in self.files[::step][:most])}"

    def _below(self, root: Path) -> Iterator[File]:
        if root.is_dir():
            yield from self._walk(root)
        elif zipfile.is_zipfile(root):
            yield from self._look_into(str(root), root.stem, str(root))
        elif root.exists():
            raise SourceError(f"{root} is neither a folder nor a zip archive; give --source the unpacked folder")
        else:
            raise SourceError(f"{root} does not exist; give --source the dataset's folder or archive")

    def _walk(self, root: Path) -> Iterator[File]:
        inside, held, waiting = root.resolve(), str(root), [root]
        while waiting:
            with os.scandir(waiting.pop()) as entries:  # one by one: a folder may hold all the files
                for entry in entries:
                    path = Path(entry.path)
                    below = path.relative_to(root).as_posix()
                    if JUNK.search(below):
                        continue
                    if entry.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(inside):
                        raise SourceError(
                            f"{path} is a link to a place outside of {root}; replace it by the file itself"
                        )
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(path)
                    elif path.suffix.lower() == ".zip" and path.is_file():
                        yield from self._look_into(str(path), below.removesuffix(path.suffix), str(path))
                    elif path.is_file():
                        yield File(below, path.stat().st_size, held)

    def _look_into(self, archive: str, below: str, called: str, depth: int = 0) -> Iterator[File]:
        for member in archives.members(archive, called):
            if JUNK.search(member.filename):
                continue
            path = f"{below}/{member.filename}"
            if path.lower().endswith(".zip") and depth < DEEPEST:
                inner = Path(self._inner.name, f"{len(os.listdir(self._inner.name))}.zip")
                archives.unpacked(archive, member.filename, member.file_size, inner)
                yield from self._look_into(str(inner), path[:-4], f"{called}: {member.filename}", depth + 1)
            else:
                yield File(path, member.file_size, archive, member.filename)


def _natural(path: str) -> str:
    """Sorts numbers in names by value: frame 10 after frame 9; names that are equal so, as they are."""
    return re.sub(r"\d+", lambda number: number[0].zfill(12), path.lower()) + "\0" + path
