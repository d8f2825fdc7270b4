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
from fercore.storage import digest, one_at_a_time, whole_file, whole_folder, write_json

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
