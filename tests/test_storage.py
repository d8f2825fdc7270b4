"""Files appear whole or not at all; locks die with their holder."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from fercore import paths
from fercore.storage import digest, one_at_a_time, restore, whole_file, whole_folder, write_json

HOLD_THE_LOCK = """
import sys, time
from pathlib import Path
from fercore.storage import one_at_a_time
with one_at_a_time(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def listing(folder) -> dict:
    """Relative path -> content of every file, hidden ones included."""
    return {str(f.relative_to(folder)): f.read_text() for f in folder.rglob("*") if f.is_file()}


def fill_file(aside, text):
    aside.write_text(text)


def fill_folder(aside, text):
    (aside / "deep").mkdir()
    (aside / "deep" / "file.txt").write_text(text)


KINDS = pytest.mark.parametrize(("writer", "fill"), [(whole_file, fill_file), (whole_folder, fill_folder)])


@KINDS
def test_appears_under_its_name_only_when_whole(tmp_path, writer, fill):
    target = tmp_path / "new" / "thing.bin"
    with writer(target) as aside:
        fill(aside, "complete")
        assert not target.exists()
        assert aside.parent == target.parent  # the same file system: renaming is atomic
    assert target.exists() and not aside.exists()
    assert list(listing(tmp_path).values()) == ["complete"]
    assert os.stat(target).st_mode & 0o444 == 0o444  # readable by all, as an ordinary file


@KINDS
def test_is_on_the_disk_before_it_is_renamed_and_is_renamed_in_one_go(tmp_path, monkeypatch, writer, fill):
    events, replace_, flush = [], os.replace, os.fsync
    monkeypatch.setattr(os, "replace", lambda *a: events.append("renamed") or replace_(*a))
    monkeypatch.setattr(os, "fsync", lambda number: events.append(os.fstat(number).st_ino) or flush(number))
    with writer(tmp_path / "thing.bin") as aside:
        fill(aside, "complete")
        inode = aside.stat().st_ino
        files = [f.stat().st_ino for f in [aside, *aside.rglob("*")] if f.is_file()]
    assert (tmp_path / "thing.bin").stat().st_ino == inode  # not a copy
    assert events == [*files, "renamed"]


@KINDS
@pytest.mark.parametrize("failure", [RuntimeError, OSError, KeyboardInterrupt])
def test_failure_leaves_nothing_behind_and_the_old_one_untouched(tmp_path, writer, fill, failure):
    target = tmp_path / "thing.bin"
    for existing in (False, True):
        before = listing(tmp_path)
        with pytest.raises(failure), writer(target) as aside:
            fill(aside, "half")
            raise failure
        assert listing(tmp_path) == before and len(list(tmp_path.iterdir())) == existing
        if not existing:
            with writer(target) as aside:
                fill(aside, "old")


@pytest.mark.parametrize("failure", [OSError, KeyboardInterrupt])
def test_folder_that_cannot_take_the_place_of_the_old_one_leaves_it_there(tmp_path, monkeypatch, failure):
    target, ordinary = tmp_path / "thing", os.replace
    with whole_folder(target) as aside:
        fill_folder(aside, "old")
    before = listing(tmp_path)

    def replace_(source, destination):
        if destination == target and "former" not in source.name:
            raise failure
        ordinary(source, destination)

    monkeypatch.setattr(os, "replace", replace_)
    with pytest.raises(failure), whole_folder(target) as aside:
        fill_folder(aside, "new")
    assert listing(tmp_path) == before and [f.name for f in tmp_path.iterdir()] == ["thing"]


KILLED = """
import os, shutil, signal, sys
from pathlib import Path
from fercore import storage
target, when = Path(sys.argv[1]), sys.argv[2]
ordinary, remove = os.replace, shutil.rmtree
def die():
    os.kill(os.getpid(), signal.SIGKILL)
def replace(source, destination):
    if when == "between" and destination == target:
        die()
    ordinary(source, destination)
def rmtree(folder, ignore_errors):
    if when == "removing":
        die()
    remove(folder, ignore_errors)
os.replace, shutil.rmtree = replace, rmtree
with storage.whole_folder(target) as aside:
    (aside / "text").write_text("new")
    if when == "writing":
        die()
"""


def killed(target, when):
    """A process is killed while it replaces ``target``; the names beside it."""
    environment = os.environ | {"PYTHONPATH": str(paths.ROOT)}
    done = subprocess.run([sys.executable, "-c", KILLED, str(target), when], env=environment, timeout=60)
    assert done.returncode == -signal.SIGKILL
    return sorted(f.suffix for f in target.parent.iterdir() if f != target)


@pytest.fixture
def old(tmp_path):
    """A finished folder."""
    with whole_folder(tmp_path / "set.of" / "old") as aside:
        (aside / "text").write_text("old")
    return tmp_path / "set.of" / "old"


def test_folder_moved_away_by_a_killed_process_is_brought_back_by_readers_and_writers(old):
    for again in (lambda: restore(old.parent), lambda: write_again(old)):
        assert killed(old, "between") == [".former", ".new"] and not old.exists()
        again()
        assert listing(old.parent) == {"old/text": "old"}, again


def write_again(target):
    with pytest.raises(RuntimeError), whole_folder(target):
        assert target.exists()
        raise RuntimeError


def test_leftovers_of_killed_processes_are_removed_by_the_next_writer(old):
    assert killed(old, "removing") == [".former"] and (old / "text").read_text() == "new"
    write_again(old)
    assert listing(old.parent) == {"old/text": "new"}
    assert killed(old, "writing") == [".new"]
    write_again(old)
    (left,) = (f for f in old.parent.iterdir() if f != old)  # it might be about to be locked
    os.utime(left, (0, 0))
    write_again(old)
    assert listing(old.parent) == {"old/text": "new"}


def test_what_a_living_process_has_moved_away_or_begun_stays(old, monkeypatch):
    ordinary, seen = os.replace, []

    def replace_(source, destination):
        if destination == old and source.suffix == ".new":
            restore(old.parent)
            seen.append(old.exists())
        ordinary(source, destination)

    monkeypatch.setattr(os, "replace", replace_)
    with whole_folder(old) as aside:
        (aside / "text").write_text("new")
        os.utime(aside, (0, 0))
        with whole_folder(old):  # another writer of the same
            assert aside.exists()
    assert seen[-1] is False and (old / "text").read_text() == "new" and not list(old.parent.glob(".*"))


def test_two_former_folders_of_one_name_and_folders_of_other_names_stay(tmp_path):
    kept = [".old.aaaaaaaa.former", ".old.aaaaaaaa.new", ".old.bbbbbbbb.former", ".old.bbbbbbbb.new", ".old.unfinished",
            ".old.cccccccc", ".older.cccccccc.former"]  # fmt: skip
    for name in kept:
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (0, 0))
    with pytest.raises(RuntimeError), whole_folder(tmp_path / "old"):
        raise RuntimeError
    assert sorted(f.name for f in tmp_path.iterdir()) == sorted(kept)


@KINDS
def test_success_replaces_the_old_one_entirely(tmp_path, writer, fill):
    for text in ("old", "new"):
        with writer(tmp_path / "thing.bin") as aside:
            fill(aside, text)
            if writer is whole_folder:
                (aside / text).write_text(text)
    assert set(listing(tmp_path).values()) == {"new"}
    assert len(list(tmp_path.iterdir())) == 1


def test_json_is_readable_and_ends_with_a_line_break(tmp_path):
    write_json(tmp_path / "a.json", {"b": [1, 2], "a": "x"})
    text = (tmp_path / "a.json").read_text()
    assert json.loads(text) == {"a": "x", "b": [1, 2]} and text.endswith("}\n")


def test_json_that_cannot_be_written_keeps_the_old_file(tmp_path):
    write_json(tmp_path / "a.json", {"a": 1})
    with pytest.raises(TypeError):
        write_json(tmp_path / "a.json", {"a": object()})
    assert [f.name for f in tmp_path.iterdir()] == ["a.json"]
    assert json.loads((tmp_path / "a.json").read_text()) == {"a": 1}


def test_digest_is_sha256_of_all_parts_in_order(tmp_path):
    big = tmp_path / "big"
    big.write_bytes(os.urandom(3 << 20))
    expected = hashlib.sha256(b"head" + big.read_bytes() + b"tail").hexdigest()
    assert digest(b"head", big, b"tail") == expected != digest(b"tail", big, b"head")


def test_lock_keeps_a_second_holder_out_until_the_first_has_left(tmp_path):
    events, inside = [], threading.Event()

    def second():
        inside.wait(10)
        with one_at_a_time(tmp_path / "lock"):
            events.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with one_at_a_time(tmp_path / "lock"):
        inside.set()
        time.sleep(0.2)
        events.append("first")
    thread.join(10)
    assert events == ["first", "second"]


def test_lock_is_free_once_its_holder_is_killed(tmp_path):
    command = [sys.executable, "-c", HOLD_THE_LOCK, str(tmp_path / "lock")]
    environment = os.environ | {"PYTHONPATH": str(paths.ROOT)}
    holder = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert holder.stdout.readline() == "held\n"
        holder.send_signal(signal.SIGKILL)
        holder.wait(10)
        started = time.monotonic()
        with one_at_a_time(tmp_path / "lock"):
            assert time.monotonic() - started < 5
    finally:
        holder.kill()
        holder.communicate()
