"""Temporary folders that do not stay: what a killed process left there, the next one removes when it starts."""

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
import weakref
from pathlib import Path

PREFIX = "fercore-unpacked-"
NEW = 60  # seconds in which a folder may not be locked yet


class TemporaryFolder(tempfile.TemporaryDirectory):
    """A folder that is removed when it is no longer used, and locked until then: the kernel forgets no dead process."""

    def __init__(self):
        super().__init__(prefix=PREFIX)
        lock = os.open(self.name, os.O_RDONLY)
        weakref.finalize(self, os.close, lock)
        fcntl.flock(lock, fcntl.LOCK_EX)


def remove_leftovers() -> None:
    """Remove the folders of processes that are no more."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):  # in use, another user's, or gone meanwhile
            if time.time() - folder.lstat().st_mtime > NEW:
                _remove(folder)


def _remove(folder: Path) -> None:
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)
