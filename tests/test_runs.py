"""The run store: existing means finished, whatever happens on the way."""

import errno
import functools
import json
import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from factories import same_bits, small_faces, snapshot

from fercore import paths, provenance, runs, training
from fercore.evaluation import predictions
from fercore.faces.examples import Examples
from fercore.faces.faceset import FaceSet, FaceSetError
from fercore.faces.protocols import SEVEN
from fercore.method import Method
from fercore.papers.gcnet import PRETRAINING, VARIANTS
from fercore.runs import Run, RunError, RunSpec, find, get_or_train

TINY = {"image_size": 16, "widths": (3, 4, 5), "batch_size": 64, "iterations": 10, "pretraining": ""}


@pytest.fixture(scope="module", autouse=True)
def data(tmp_path_factory):
    """A data folder with two prepared sets: "ckplus", drawn, and "lonely", where some images have no reference."""
    folder = tmp_path_factory.mktemp("data")
    faces = small_faces(12, SEVEN, 5)
    faces.save(folder / "prepared" / "ckplus")
    faces.table["reference"] = faces.table["reference"].where(faces.table["subject"] != "S005", -1)
    faces.save(folder / "prepared" / "lonely")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FERCORE_DATA", str(folder))
        yield folder


@pytest.fixture(autouse=True)
def results(tmp_path, monkeypatch):
    """An empty results folder for each test."""
    monkeypatch.setenv("FERCORE_RESULTS", str(tmp_path / "results"))
    return tmp_path / "results"


def spec(variant="CNN", fold=0, dataset="ckplus", **changes) -> RunSpec:
    return RunSpec(
        "gcnet", variant, dataset, "ckplus7", fold, "smoke", "prepared", changes=tuple((TINY | changes).items())
    )  # fmt: skip


def weights(run: Run) -> dict:
    return snapshot(run.method())


def files_of(results) -> set[str]:
    """Every file but locks, which stay."""
    return {str(f.relative_to(results)) for f in results.rglob("*") if f.is_file() and f.suffix != ".lock"}


def no_training(*args, **kwargs):
    raise AssertionError("trained again")


# --- where a run stands ----------------------------------------------------------------------------------------------


def test_folder_is_readable_and_the_same_for_the_same_spec(results):
    folder = spec("S1R1", 3).folder
    assert folder == spec("S1R1", 3).folder
    assert folder.parent == results / "runs" / "gcnet" / "ckplus-prepared-smoke"
    assert folder.name.startswith("ckplus7-S1R1-fold3-seed0-")


@pytest.mark.parametrize("change", [
    {"variant": "S0R0"}, {"dataset": "lonely"}, {"protocol": "ckplus8"}, {"fold": 1}, {"tier": "twin"}, {"source": "twin"},
    {"seed": 1}, {"changes": (("margin", 2.0),)},
], ids=str)  # fmt: skip
def test_whatever_determines_a_run_changes_its_folder(change):
    plain = replace(spec(), changes=())
    assert replace(plain, **change).folder != plain.folder


def test_every_field_of_the_configuration_changes_the_folder():
    plain = replace(spec(), changes=())
    for name, value in vars(plain.config).items():
        other = "other" if isinstance(value, str) else (7,) if isinstance(value, tuple) else (value or 0) + 1
        assert replace(plain, changes=((name, other),)).folder != plain.folder, name


def test_configuration_is_the_tiers_with_the_changes():
    config = spec(margin=3.0).config
    assert (config.margin, config.image_size, config.momentum) == (3.0, 16, 0.9)
    with pytest.raises(TypeError, match="no_such_field"):
        _ = spec(no_such_field=1).config


def test_find_knows_only_finished_runs():
    s = spec()
    assert find(s) is None
    s.folder.mkdir(parents=True)  # a folder without run.json is no run
    (s.folder / "weights.safetensors").write_bytes(b"")
    assert find(s) is None
    assert find(get_or_train(s).spec).about["spec"]["variant"] == "CNN"


# --- what a run holds ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", VARIANTS)
def test_stored_run_reproduces_its_scores_exactly(variant, results):
    run = get_or_train(spec(variant, fold=3))
    again = find(run.spec)
    faces, division, method = again.faces(), again.division(), again.method()
    for part, stored in ((division.test, again.predictions), (division.early, again.early)):
        examples = Examples(faces, part, 16)
        fresh = predictions(method, faces, part, division.classes, examples)
        pd.testing.assert_frame_equal(stored.drop(columns="fold"), fresh, check_exact=True, check_dtype=False)
        assert len(stored) > 0 and (stored["fold"] == 3).all()
    features = [method.look(b.image, b.reference).feature for b in Examples(faces, division.test, 16).in_order()]
    np.testing.assert_array_equal(again.features, torch.cat(features).numpy())
    assert set(again.history.columns) == {"epoch", "iteration", *VARIANTS[variant]}
    assert not any(p.requires_grad or m.training for m in method.modules() for p in m.parameters())
    assert len(files_of(results)) == 6 and not [f for f in files_of(results) if "/." in f]


def test_record_says_what_the_run_was_made_of():
    run = get_or_train(spec(fold=1))
    about = json.loads((run.spec.folder / "run.json").read_text())
    faces, division = run.faces(), run.division()
    assert about["spec"]["fold"] == 1 and about["config"]["iterations"] == 10
    assert about["data"]["fingerprint"] == faces.fingerprint and about["data"]["credit"] == faces.credit
    assert about["test_subjects"] == sorted(set(run.predictions["subject"])) == ["S001", "S011"]
    assert about["images"] == {"train": len(division.train.rows), "test": len(division.test.rows)}
    assert about["classes"] == list(SEVEN)
    assert (
        about["versions"]["torch"] == torch.__version__.split("+")[0] or about["versions"]["torch"] == torch.__version__
    )
    assert not run.stale


def test_second_call_trains_nothing(monkeypatch):
    first = get_or_train(spec())
    monkeypatch.setattr(runs, "fit", no_training)
    assert get_or_train(spec()).about == json.loads(json.dumps(first.about))


def test_two_runs_of_one_spec_have_the_same_bits_and_another_seed_others(results, monkeypatch, tmp_path):
    first = weights(get_or_train(spec()))
    other = weights(get_or_train(replace(spec(), seed=1)))
    monkeypatch.setenv("FERCORE_RESULTS", str(tmp_path / "elsewhere"))
    torch.manual_seed(99)  # what happened before must not matter
    assert same_bits(first, weights(get_or_train(spec())))
    assert not same_bits(first, other)


def test_networks_learn_the_gratings():
    """Not only mechanics: the label of a grating is its direction, and the CNN finds it."""
    run = get_or_train(spec(iterations=150, base_rate=0.02))
    correct = run.predictions["label"] == run.predictions["predicted"]
    assert correct.mean() > 0.6  # chance: 1/7


# --- stale -----------------------------------------------------------------------------------------------------------


def test_run_is_stale_once_the_training_code_has_changed(monkeypatch):
    run = get_or_train(spec())
    monkeypatch.setattr(provenance, "source_digest", lambda paper: "another")
    assert find(run.spec).stale


@pytest.fixture
def package_copy(tmp_path, monkeypatch):
    """A copy of the training code that a test may change."""
    place = tmp_path / "fercore"
    for name in provenance.TRAINING_CODE:
        source = paths.ROOT / "fercore" / name
        for file in [source] if source.is_file() else source.rglob("*.py"):
            target = place / file.relative_to(paths.ROOT / "fercore")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes())
    (place / "papers" / "other.py").write_text("")
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    provenance.source_digest.cache_clear()
    yield place
    provenance.source_digest.cache_clear()


@pytest.mark.parametrize(("file", "matters"), [
    ("losses/contrastive.py", True), ("networks/encoder_decoder.py", True), ("faces/augmentation.py", True),
    ("method.py", True), ("training.py", True), ("papers/gcnet.py", True), ("papers/other.py", False),
])  # fmt: skip
def test_digest_of_the_source_follows_what_training_runs_through(package_copy, file, matters):
    before = provenance.source_digest("gcnet")
    (package_copy / file).write_text((package_copy / file).read_text() + "\n# changed\n")
    provenance.source_digest.cache_clear()
    assert (provenance.source_digest("gcnet") != before) == matters


# --- refusals, before any work ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("wrong", "error", "message"), [
    (spec(fold=10), ValueError, r"fold 10 is out of range; valid: 0\.\.9"),
    (spec(fold=-1), ValueError, r"fold -1 is out of range"),
    (spec(dataset="absent"), FaceSetError, "dataset absent is not prepared.*prepared now:.*ckplus"),
    (spec("S1R1", dataset="lonely"), FaceSetError, "reference"),  # lacking in training
    (spec("S1R1", dataset="lonely", fold=5), FaceSetError, "reference"),  # lacking in the test fold only
    (spec("metricCNN", dataset="lonely", fold=5), FaceSetError, "reference"),
], ids=str)  # fmt: skip
def test_what_cannot_run_is_refused_before_any_training(wrong, error, message, monkeypatch, results):
    monkeypatch.setattr(runs, "fit", no_training)
    with pytest.raises(error, match=message):
        get_or_train(wrong)
    assert files_of(results) == set()


def test_cnn_runs_on_data_without_references():
    assert len(get_or_train(spec("CNN", dataset="lonely", fold=5)).predictions) == 7 * 3


def test_damaged_data_are_named_and_nothing_is_written(data, results):
    images = data / "prepared" / "ckplus" / "images.npy"
    content = images.read_bytes()
    images.write_bytes(content[:-1])
    try:
        with pytest.raises(FaceSetError, match="images.npy is damaged"):
            get_or_train(spec())
    finally:
        images.write_bytes(content)
    assert files_of(results) == set()


# --- failures on the way ---------------------------------------------------------------------------------------------


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


class Interrupted(Exception):
    pass


def interrupt_at(monkeypatch, iteration):
    ordinary = Method.step

    def step(self, batch):
        if self.iteration == iteration:
            raise Interrupted
        return ordinary(self, batch)

    monkeypatch.setattr(runs, "fit", functools.partial(training.fit, seconds_between=0))
    monkeypatch.setattr(Method, "step", step)


def test_interrupted_run_is_taken_up_and_ends_with_the_same_bits(monkeypatch, tmp_path):
    with monkeypatch.context() as patch:
        interrupt_at(patch, 9)
        with pytest.raises(Interrupted):
            get_or_train(spec("S1R1"))
        assert find(spec("S1R1")) is None
    steps, ordinary = [], Method.step
    monkeypatch.setattr(Method, "step", lambda self, batch: steps.append(self.iteration) or ordinary(self, batch))
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
        with pytest.raises(Interrupted):
            get_or_train(spec())
    steps, ordinary = [], Method.step
    monkeypatch.setattr(provenance, "source_digest", lambda paper: "another")
    monkeypatch.setattr(Method, "step", lambda self, batch: steps.append(self.iteration) or ordinary(self, batch))
    get_or_train(spec())
    assert steps == list(range(10))


# --- other processes -------------------------------------------------------------------------------------------------

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
    steps, ordinary = [], Method.step
    with monkeypatch.context() as patch:
        patch.setattr(Method, "step", lambda self, batch: steps.append(self.iteration) or ordinary(self, batch))
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


# --- pre-training ----------------------------------------------------------------------------------------------------


@pytest.fixture
def pretrained_on_gratings(monkeypatch):
    """The identities of pre-training are the drawn faces; collects (variant, networks at the start) of each training."""
    monkeypatch.setattr(runs, "open_faces", lambda *a: FaceSet.open(paths.data() / "prepared" / "ckplus"))
    begun, ordinary = [], training.fit

    def fit(method, *args, title="", **kwargs):
        begun.append((title.split()[0], {name: snapshot(network) for name, network in method.named_children()}))
        return ordinary(method, *args, title=title, **kwargs)

    monkeypatch.setattr(runs, "fit", fit)
    return begun


def stage_run(results, stage) -> dict:
    (folder,) = results.rglob(f"identities-{stage}-*/run.json")
    return json.loads(folder.read_text())


def test_pretraining_reaches_the_networks_it_provides_and_no_other(pretrained_on_gratings, results):
    get_or_train(spec("S1R1", pretraining="casia_webface", pretraining_iterations=3))
    begun = dict(pretrained_on_gratings)
    assert list(begun) == ["reconstruction", "identification", "S1R1"]
    get_or_train(spec("S1R1"))
    random = pretrained_on_gratings[-1][1]
    provided = {name: stage for stage, about in PRETRAINING.items() for name in about.provides}
    assert provided == {"En1": "reconstruction", "De1": "reconstruction", "En2": "identification"}
    for name, at_start in begun["S1R1"].items():
        if name not in provided:
            assert same_bits(at_start, random[name]), name
            continue
        about = stage_run(results, provided[name])
        changes = tuple((key, tuple(v) if isinstance(v, list) else v) for key, v in about["spec"].pop("changes"))
        stage = Run(RunSpec(**about["spec"], changes=changes), about)
        assert same_bits(at_start, snapshot(stage.method().get_submodule(name))), name
        assert not same_bits(at_start, begun[provided[name]][name]), name  # it has learned


def test_pretraining_has_its_own_length_rate_and_data(pretrained_on_gratings, results):
    get_or_train(spec("S0R0", pretraining="casia_webface", pretraining_iterations=3, pretraining_rate=0.5))
    for stage in PRETRAINING:
        about = stage_run(results, stage)
        assert (about["config"]["iterations"], about["config"]["base_rate"]) == (3, 0.5)
        assert about["spec"]["protocol"] == "identities" and about["spec"]["dataset"] == "casia_webface"
        assert len(about["classes"]) == 12  # subjects


def test_pretraining_is_done_once_for_all_folds_and_variants(pretrained_on_gratings):
    for variant, fold in (("CNN", 0), ("S1R1", 0), ("S1R1", 1)):
        get_or_train(spec(variant, fold, pretraining="casia_webface", pretraining_iterations=3))
    trained = [variant for variant, _ in pretrained_on_gratings]
    assert trained == ["reconstruction", "identification", "CNN", "S1R1", "S1R1"]


def test_pretraining_is_switched_off_by_an_empty_name(pretrained_on_gratings, results):
    get_or_train(spec("S1R1", pretraining=""))
    assert [variant for variant, _ in pretrained_on_gratings] == ["S1R1"]
    assert not list(results.rglob("identities-*"))


# --- from drawn twin to numbers --------------------------------------------------------------------------------------


def test_smoke_tier_runs_from_twin_to_predictions(results):
    run = get_or_train(RunSpec("gcnet", "S1R1", "ckplus", "ckplus8", fold=0, tier="smoke"))
    assert len(run.predictions) > 0 and np.isfinite(run.features).all()
    assert run.about["data"]["source"] == "twin"
    assert len(list(results.rglob("run.json"))) == 3
