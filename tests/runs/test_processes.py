"""Runs among processes: one is killed, two want the same."""

import os
import signal
import subprocess
import sys
import time

import pytest
from factories import same_bits
from run_factories import count_steps, spec, weights

from fercore import paths
from fercore.method import Method
from fercore.runs import find, get_or_train

PRELUDE = """
import functools, sys, time
from fercore import runs, training
from fercore.method import Method
from fercore.runs import RunSpec
runs.fit = functools.partial(training.fit, seconds_between=0)
ordinary, spec = Method.step, {spec!r}
"""

STOP_IN_THE_MIDDLE = """
def step(self, batch):
    if self.iteration == 9:
        print("in the middle", flush=True)
        time.sleep(60)
    return ordinary(self, batch)
Method.step = step
runs.get_or_train(spec)
"""

COUNT_STEPS = """
steps = []
Method.step = lambda self, batch: steps.append(time.sleep(0.1)) or ordinary(self, batch)
print("ready", flush=True)
sys.stdin.readline()
run = runs.get_or_train(spec)
print(len(steps), run.about["seconds"], flush=True)
"""


@pytest.fixture
def start():
    """Start python with a piece of code; whatever still runs at the end of the test is killed."""
    started = []

    def begin(code, spec):
        environment = os.environ | {"PYTHONPATH": str(paths.ROOT)}
        command = [sys.executable, "-c", PRELUDE.format(spec=spec) + code]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        started.append(subprocess.Popen(command, text=True, env=environment, **pipes))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def test_kill_9_in_the_middle_leaves_no_run_and_the_next_call_ends_with_the_same_bits(start, monkeypatch, tmp_path):
    s = spec("S1R1")
    process = start(STOP_IN_THE_MIDDLE, s)
    assert process.stdout.readline() == "in the middle\n"
    process.send_signal(signal.SIGKILL)
    assert process.wait(10) == -signal.SIGKILL
    assert find(s) is None and not s.folder.exists()
    assert not list(s.folder.parent.rglob("run.json"))
    with monkeypatch.context() as patch:
        steps = count_steps(patch)
        resumed = weights(get_or_train(s))
    assert steps == [8, 9]
    monkeypatch.setenv("FERCORE_RESULTS", str(tmp_path / "elsewhere"))
    assert same_bits(resumed, weights(get_or_train(s)))


def test_two_processes_that_want_one_run_train_it_once(start, monkeypatch):
    other = start(COUNT_STEPS, spec())
    assert other.stdout.readline() == "ready\n"
    steps, ordinary = [], Method.step
    slow = lambda self, batch: steps.append(time.sleep(0.1)) or ordinary(self, batch)  # noqa: E731
    monkeypatch.setattr(Method, "step", slow)
    other.stdin.write("go\n")
    other.stdin.flush()
    run = get_or_train(spec())
    their_steps, their_seconds = other.stdout.readline().split()
    assert {len(steps), int(their_steps)} == {0, 10}
    assert float(their_seconds) == run.about["seconds"]
