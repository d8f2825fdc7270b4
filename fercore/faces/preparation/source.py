"""What lies in a source: folders and archives as one list of files, whatever is hostile in them refused."""

import os
import re
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from fercore.faces.preparation import archives
from fercore.faces.preparation.archives import SourceError

JUNK = re.compile(r"(^|/)(\.DS_Store|Thumbs\.db|desktop\.ini|__MACOSX|\._[^/]*|README[^/]*)(/|$)", re.IGNORECASE)
MOST_READ = 256 << 20  # bytes of a file read at once: photographs and labels; videos and tables go through the disk
DEEPEST = 2  # archives inside archives


@dataclass(frozen=True, slots=True)
class File:
    """One file below a source; ``path`` is relative to it, with archives as folders."""

    path: str
    size: int
    root: str  # the folder that holds it, or the archive; shared by all its files, of which there may be many
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
        with tempfile.TemporaryDirectory(prefix="fercore-member-") as folder:
            copy = Path(folder, f"copy{PurePosixPath(self.path).suffix}")
            archives.unpacked(self.where, self.member, self.size, copy)
            yield copy


class Source:
    """All files below some folders or archives, junk left out, in the order of their paths."""

    def __init__(self, roots: Iterable[Path]):
        self.roots = list(roots)
        self._inner = tempfile.TemporaryDirectory(prefix="fercore-archives-")  # archives that lay inside others
        self.files: list[File] = []
        for root in self.roots:
            if root.is_dir():
                self._walk(root)
            elif zipfile.is_zipfile(root):
                self._look_into(str(root), root.stem, str(root))
            else:
                if not root.exists():
                    raise SourceError(f"{root} does not exist; give --source the dataset's folder or archive")
                raise SourceError(f"{root} is neither a folder nor a zip archive; give --source the unpacked folder")
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
        inside, held = root.resolve(), str(root)
        for folder, folders, names in os.walk(root):
            folders.sort()
            for name in [*names, *(f for f in folders if os.path.islink(os.path.join(folder, f)))]:
                path = Path(folder, name)
                below = path.relative_to(root).as_posix()
                if JUNK.search(below):
                    continue
                if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(inside):
                    raise SourceError(f"{path} is a link to a place outside of {root}; replace it by the file itself")
                if path.suffix.lower() == ".zip" and path.is_file():
                    self._look_into(str(path), below.removesuffix(path.suffix), str(path))
                elif path.is_file():
                    self.files.append(File(below, path.stat().st_size, held))

    def _look_into(self, archive: str, below: str, called: str, depth: int = 0) -> None:
        for member in archives.members(archive, called):
            if JUNK.search(member.filename):
                continue
            path = f"{below}/{member.filename}"
            if path.lower().endswith(".zip") and depth < DEEPEST:
                inner = Path(self._inner.name, f"{len(os.listdir(self._inner.name))}.zip")
                archives.unpacked(archive, member.filename, member.file_size, inner)
                self._look_into(str(inner), path[:-4], f"{called}: {member.filename}", depth + 1)
            else:
                self.files.append(File(path, member.file_size, archive, member.filename))


def _natural(path: str) -> str:
    """Sorts numbers in names by value: frame 10 after frame 9."""
    return re.sub(r"\d+", lambda number: number[0].zfill(12), path.lower())
