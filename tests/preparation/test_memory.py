"""Memory does not grow with the number of pictures, and nothing stays in the temporary folder."""

import fcntl
import os
import signal
import subprocess
import sys
import tempfile
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest

from data_prep.rafdb import RAFDB
from fercore.bench_preparation import rafdb_tree
from fercore.faces.preparation import command, temporary
from fercore.faces.preparation.source import Source
from fercore.faces.preparation.stored import StoredList, StoredSet
from tests.preparation import trees

MANY = 5_000


def traced(work) -> tuple[int, int]:
    """Bytes of Python's that ``work`` keeps, and the most that it had at once."""
    tracemalloc.start()
    kept = work()
    sizes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del kept
    return sizes


def test_listing_and_reading_keep_next_to_nothing_of_a_picture(tmp_path):
    rafdb_tree(tmp_path / "source", MANY)

    def read():
        source = Source([tmp_path / "source"])
        reading = RAFDB.read(source, {})
        assert len(source.files) == MANY + 1 and len(reading.shots) == MANY
        return source, reading

    read()  # what is imported and compiled on the way
    kept, most = traced(read)
    assert kept < 20 * MANY and most < 150 * MANY  # the label list is read whole, and some numbers are fixed


def test_preparing_more_pictures_needs_no_more_memory(tmp_path):
    def peak(count: int) -> int:
        root = tmp_path / str(count)
        rafdb_tree(root / "source", count)
        asked = ["--source", str(root / "source"), "--output", str(root / "set"), "--workers", "1", "--size", "16"]
        return traced(lambda: command.main(replace(RAFDB, expected={}), "", asked))[1]

    peak(100)
    few, many = peak(1_200), peak(2_400)  # both more than a piece of a table
    assert many - few < 150 * 1_200  # 106 where the collector runs at the wrong moment; a row kept costs far more


def test_a_stored_list_is_a_list_in_order_of_its_keys():
    stored = StoredList(("b1", "a1", "b2", "a2", "\udcff"), lambda word: word[0])
    assert list(stored) == ["a1", "a2", "b1", "b2", "\udcff"] and len(stored) == 5
    assert stored[1] == "a2" and stored[-1] == "\udcff" and stored[1:3] == ["a2", "b1"] and stored[::2][1] == "b1"
    with pytest.raises(IndexError):
        stored[5]
    assert not StoredList([]) and list(zip(stored, stored, strict=True))[2] == ("b1", "b1")


def test_a_stored_set_knows_what_it_has_seen():
    seen = StoredSet()
    assert [seen.add(word) for word in ("a", "b", "a", "A", "\udcff", "\udcff")] == [
        True,
        True,
        False,
        True,
        True,
        False,
    ]
    assert len(seen) == 4


HOLDING = """
import sys, time
from fercore.faces.preparation.temporary import TemporaryFolder
folder = TemporaryFolder()
print(folder.name, flush=True)
time.sleep(60)
"""


def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    command_ = [sys.executable, "-c", HOLDING]
    environment = os.environ | {"TMPDIR": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(command_, env=environment, stdout=subprocess.PIPE, text=True) as process:
        left = Path(process.stdout.readline().strip())
        trees.text(left / "0.zip", "inner archive")
        os.utime(left, (1, 1))
        temporary.remove_leftovers()
        assert left.is_dir()  # it is alive
        process.send_signal(signal.SIGKILL)
    just_made, foreign = tmp_path / f"{temporary.PREFIX}new", tmp_path / "other"
    just_made.mkdir()
    foreign.mkdir()
    os.utime(foreign, (1, 1))
    Source([foreign])
    assert not left.exists() and just_made.is_dir() and foreign.is_dir()


def test_a_temporary_folder_is_locked_while_it_is_used(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with temporary.TemporaryFolder() as name:
        place = os.open(name, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(place)
    assert not list(tmp_path.iterdir())
