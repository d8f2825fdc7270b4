"""Files appear whole or not at all: write aside, flush, rename; one writer at a time."""

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ASIDE = re.compile(r"\.(?P<name>.+)\.[a-z0-9_]{8}\.(?P<kind>new|former)")  # of whole_folder; the eight are tempfile's
NEW = 60  # seconds in which a folder may not be locked yet


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; on success it becomes ``path``, on failure it vanishes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
    os.close(handle)
    aside = Path(name)
    try:
        yield aside
        _flush(aside)
        os.chmod(aside, 0o644)
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside ``path``; on success it replaces ``path``, on failure it vanishes.

    A process that is killed leaves ``path`` as it was, or moved away for the next one to bring back (``restore``).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    restore(path.parent)
    _remove_leftovers(path)
    aside = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.", suffix=".new"))
    former = aside.with_suffix(".former")
    lock = os.open(aside, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)  # while this process lives, others see that the folder is no leftover
        yield aside
        for file in aside.rglob("*"):
            if file.is_file():
                _flush(file)
        os.chmod(aside, 0o755)
        if path.exists():
            os.replace(path, former)  # moved, not removed, so that path is missing for an instant only
        os.replace(aside, path)
    finally:
        if former.exists() and not path.exists():
            os.replace(former, path)  # interrupted between the two renames
        shutil.rmtree(former, ignore_errors=True)
        shutil.rmtree(aside, ignore_errors=True)
        os.close(lock)


def restore(place: Path) -> None:
    """Bring back every folder in ``place`` that a process, killed then, had moved away to replace it.

    Where two such processes left a former folder of one name, both stay: which is wanted is not known here.
    """
    moved = [(folder, match["name"]) for folder, match in _aside_in(place) if match["kind"] == "former"]
    for former, name in moved:
        path, new = place / name, former.with_suffix(".new")
        alone = [other for _, other in moved].count(name) == 1
        if alone and not path.exists() and new.is_dir() and not _held(new):
            with contextlib.suppress(OSError):  # another process was faster
                os.replace(former, path)
            shutil.rmtree(new, ignore_errors=True)


def _remove_leftovers(path: Path) -> None:
    """Remove what killed processes left beside ``path``: what was replaced, and what was never finished."""
    for folder, match in _aside_in(path.parent):
        new, former = folder.with_suffix(".new"), folder.with_suffix(".former")
        if match["name"] != path.name or _held(new):
            continue
        with contextlib.suppress(OSError):  # another process was faster
            unfinished = not former.exists() and time.time() - folder.stat().st_mtime > NEW
            if path.exists() if folder == former else unfinished:
                shutil.rmtree(folder, ignore_errors=True)


def _aside_in(place: Path) -> list[tuple[Path, re.Match]]:
    found = ((folder, ASIDE.fullmatch(folder.name)) for folder in place.glob(".*"))
    return [(folder, match) for folder, match in found if match]


def _held(folder: Path) -> bool:
    """Whether the process that makes ``folder`` lives: the kernel forgets no dead one's lock."""
    try:
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        return not isinstance(error, FileNotFoundError)  # another user's
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(lock)


@contextlib.contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Hold the advisory lock ``path``; the kernel frees it when its holder dies, however it dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def write_json(path: Path, content: dict) -> None:
    """Write ``content`` as readable JSON, whole or not at all."""
    with whole_file(path) as aside:
        aside.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n")


def digest(*parts: Path | bytes) -> str:
    """SHA-256 over files (by content) and byte strings, in the given order."""
    total = hashlib.sha256()
    for part in parts:
        if isinstance(part, bytes):
            total.update(part)
        else:
            with open(part, "rb") as file:
                while block := file.read(1 << 20):
                    total.update(block)
    return total.hexdigest()


def _flush(path: Path) -> None:
    with open(path, "rb") as file:
        os.fsync(file.fileno())
