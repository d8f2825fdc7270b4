"""Files appear whole or not at all: write aside, flush, rename; one writer at a time."""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path


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
    """Yield a temporary folder beside ``path``; on success it replaces ``path``, on failure it vanishes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    former = aside.with_name(f"{aside.name}.former")
    try:
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
