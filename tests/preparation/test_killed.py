"""Killed without warning: no process stays behind, and the same command goes on after the blocks that were done."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from data_prep.oulu import OULU
from fercore.faces.alignment import TEMPLATE
from fercore.faces.faceset import FaceSet
from fercore.faces.preparation import command, pipeline
from tests.preparation import trees

SLOW = """
import sys, time
from dataclasses import replace
from data_prep.oulu import OULU
from fercore.faces.preparation import command, pipeline
from tests.preparation.test_killed import detector
pipeline.BLOCK = 4
def slow():
    return lambda image: time.sleep(0.1) or detector()(image)
sys.exit(command.main(replace(OULU, expected={}), "", sys.argv[1:], slow))
"""


def detector():
    return lambda image: TEMPLATE * (image.shape[1], image.shape[0])


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def waited(condition, seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


def test_killed_and_taken_up(tmp_path, monkeypatch):
    monkeypatch.setattr(pipeline, "BLOCK", 4)
    tree, ours = trees.oulu(tmp_path / "tree"), replace(OULU, expected={})
    output, scratch = tmp_path / "set", tmp_path / ".set.unfinished"
    asked = ["--source", str(tree), "--output", str(output)]
    root = Path(__file__).parents[2]
    process = subprocess.Popen([sys.executable, "-c", SLOW, *asked], cwd=root, stderr=subprocess.DEVNULL)
    assert waited(lambda: len(list(scratch.glob("[0-9]*.json"))) >= 2)
    workers = children(process.pid)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert workers and waited(lambda: not any(map(alive, workers)), 10)
    done, seen = len(list(scratch.glob("[0-9]*.json"))), []

    def counting():
        return lambda image: seen.append(1) or detector()(image)

    assert not output.exists() and command.main(ours, "", [*asked, "--workers", "1"], counting) == 0
    assert len(seen) == 16 - 4 * done
    asked[-1] = str(tmp_path / "whole")
    assert command.main(ours, "", asked, detector) == 0
    assert np.array_equal(FaceSet.open(output).images, FaceSet.open(tmp_path / "whole").images)
