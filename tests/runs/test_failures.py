"""Failures on the way to a finished run: existing means finished, whatever happens."""

import errno
import functools
import os
import resource
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from factories import same_bits
from run_factories import count_steps, files_of, no_training, spec, weights

from fercore import provenance, runs, training
from fercore.method import Method
from fercore.runs import RunError, find, get_or_train


def no_space(*args, **kwargs):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def fail_for(ending):
    """Path.write_bytes and write_text that find the disk full at files of this ending."""
    ordinary = {name: getattr(Path, name) for name in ("write_bytes", "write_text")}

    def failing(name):
        return lambda path, *a, **k: no_space() if path.name.endswith(ending) else ordinary[name](path, *a, **k)

    return {name: failing(name) for name in ordinary}


FULL_AT = {
    "checkpoint.pt": (Path, fail_for(".pt")),
    "weights.safetensors": (Path, fail_for(".safetensors")),
    "features.npy": (np, {"save": no_space}),
    "predictions.parquet": (pd.DataFrame, {"to_parquet": no_space}),
    "history.csv": (pd.DataFrame, {"to_csv": no_space}),
    "run.json": (Path, fail_for(".json")),
}


@pytest.mark.parametrize("file", FULL_AT)
def test_full_disk_is_one_clear_error_and_harms_nothing(file, results, monkeypatch):
    finished = get_or_train(spec(fold=1))
    before, bits = files_of(results), weights(finished)
    owner, failures = FULL_AT[file]
    with monkeypatch.context() as patch:
        for name, failing in failures.items():
            patch.setattr(owner, name, failing)
        with pytest.raises(RunError, match=f"cannot write .*{spec().folder.name}.*No space left.*make room"):
            get_or_train(spec())
    assert find(spec()) is None
    left = files_of(results) - before
    assert before <= files_of(results) and same_bits(bits, weights(find(finished.spec)))
    assert left == set() if file == "checkpoint.pt" else {Path(f).name for f in left} == {"checkpoint.pt"}
    if file != "checkpoint.pt":
        monkeypatch.setattr(Method, "step", no_training)  # training is kept
    repeated = get_or_train(spec())
    assert files_of(results) - before == {str((repeated.spec.folder / f.name).relative_to(results)) for f in
                                          repeated.spec.folder.iterdir()}  # fmt: skip


@pytest.mark.parametrize("when", ["checkpoint", "weights"])
def test_file_that_may_not_grow_is_an_error_of_writing_too(when, results, monkeypatch):
    """A real limit of the system instead of a simulated one: no library may hide it behind an error of its own."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ordinary = training.fit

    def limit_after(*args, **kwargs):
        history = ordinary(*args, **kwargs)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
        return history

    monkeypatch.setattr(runs, "fit", limit_after if when == "weights" else ordinary)
    try:
        if when == "checkpoint":
            resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
        with pytest.raises(RunError, match="cannot write"):
            get_or_train(spec())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert find(spec()) is None and {Path(f).name for f in files_of(results)} <= {"checkpoint.pt"}


def test_training_that_diverges_leaves_no_run():
    with pytest.raises(training.TrainingError):
        get_or_train(spec("S1R1", lambda_S=float("inf")))
    assert find(spec("S1R1", lambda_S=float("inf"))) is None


class InterruptionError(Exception):
    pass


def interrupt_at(monkeypatch, iteration):
    ordinary = Method.step

    def step(self, batch):
        if self.iteration == iteration:
            raise InterruptionError
        return ordinary(self, batch)

    monkeypatch.setattr(runs, "fit", functools.partial(training.fit, seconds_between=0))
    monkeypatch.setattr(Method, "step", step)


def test_interrupted_run_is_taken_up_and_ends_with_the_same_bits(monkeypatch, tmp_path):
    with monkeypatch.context() as patch:
        interrupt_at(patch, 9)
        with pytest.raises(InterruptionError):
            get_or_train(spec("S1R1"))
        assert find(spec("S1R1")) is None
    steps = count_steps(monkeypatch)
    resumed = get_or_train(spec("S1R1"))
    assert steps == [8, 9]  # epochs of four iterations: the second was saved
    bits, history = weights(resumed), resumed.history
    monkeypatch.setenv("FERCORE_RESULTS", str(tmp_path / "elsewhere"))
    whole = get_or_train(spec("S1R1"))
    assert same_bits(bits, weights(whole))
    pd.testing.assert_frame_equal(history, whole.history, check_exact=True)


def test_changed_code_or_data_do_not_continue_an_old_checkpoint(monkeypatch):
    with monkeypatch.context() as patch:
        interrupt_at(patch, 9)
        with pytest.raises(InterruptionError):
            get_or_train(spec())
    monkeypatch.setattr(provenance, "source_digest", lambda paper: "another")
    steps = count_steps(monkeypatch)
    get_or_train(spec())
    assert steps == list(range(10))
