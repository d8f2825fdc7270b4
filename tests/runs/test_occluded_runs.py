"""Occluded through the run store: pre-training on the run's own images, shared between rows, blind to test people."""

import json

import numpy as np
import pytest
from factories import same_bits, snapshot
from run_factories import count_steps, covered_spec, files_of, no_training, weights

from fercore import runs, training
from fercore.faces.examples import Examples
from fercore.faces.protocols import WILD
from fercore.papers.occluded import VARIANTS
from fercore.predictions import predictions
from fercore.runs import RunSpec, find, get_or_train, pretrain

STAGES = {"occluded": "student", "clean": "teacher"}


@pytest.fixture
def trainings(monkeypatch):
    """Of every training: (variant, subjects it sees, networks at its start)."""
    begun, people, ordinary_fit, ordinary = [], {}, training.fit, RunSpec.examples

    def fit(method, examples, *args, title="", **kwargs):
        start = {name: snapshot(network) for name, network in method.named_children()}
        begun.append((title.split()[0], people[examples], start))
        return ordinary_fit(method, examples, *args, title=title, **kwargs)

    def watched(self, faces, part, *args):
        examples = ordinary(self, faces, part, *args)
        people[examples] = set(faces.table["subject"].iloc[part.rows])
        return examples

    monkeypatch.setattr(runs, "fit", fit)
    monkeypatch.setattr(RunSpec, "examples", watched)
    return begun


def names(trainings) -> list[str]:
    return [variant for variant, _, _ in trainings]


def test_ours_starts_from_its_stages_and_its_teacher_stays_what_it_was(trainings):
    spec = covered_spec("Ours", pretraining="own")
    run = get_or_train(spec)
    assert names(trainings) == ["occluded", "clean", "Ours"]
    at_start = trainings[-1][2]
    for stage, network in STAGES.items():
        provided = find(pretrain(spec, stage).spec)
        trained = snapshot(provided.method().get_submodule(network))
        assert same_bits(at_start[network], trained)
        assert not same_bits(trained, dict(zip(names(trainings), trainings, strict=True))[stage][2][network])
        assert same_bits(snapshot(run.method().get_submodule(network)), trained) == (network == "teacher")
    assert set(run.history) == {"epoch", "iteration", *VARIANTS["Ours"]}
    assert run.about["classes"] == list(WILD) and np.isfinite(run.history.to_numpy()).all()


def test_stages_are_trained_once_for_all_rows_and_weights_of_terms(trainings):
    for variant in ("Ours", "ResNet", "sim"):
        get_or_train(covered_spec(variant, pretraining="own"))
    others = {"lambda_1": 0.3, "lambda_2": 0.1, "lambda_3": 1.0, "lambda_4": 0.0, "LIR": "flipped", "K1": 2, "K2": 2}
    for field, value in (others | {"discriminator_rate": 0.5, "decoder_rate": 2.0, "iterations": 4}).items():
        for stage in STAGES:
            pretrain(covered_spec("Ours", pretraining="own", **{field: value}), stage)
    assert names(trainings) == ["occluded", "clean", "Ours", "ResNet", "sim"]


@pytest.mark.parametrize(("field", "value"), [
    ("batch_size", 9), ("width", 16), ("pretraining_rate", 0.5), ("occlusions", ("food",)), ("last_rate", 0.5),
])  # fmt: skip
def test_what_a_stage_has_a_use_for_makes_another_stage(field, value, monkeypatch):
    monkeypatch.setattr(runs, "get_or_train", lambda spec, device: spec)
    plain, other = (covered_spec(pretraining="own", **changes) for changes in ({}, {field: value}))
    assert pretrain(plain, "clean").folder != pretrain(other, "clean").folder


def test_a_row_asks_only_for_the_stages_it_needs(trainings):
    get_or_train(covered_spec("rec", pretraining="own"))
    assert names(trainings) == ["occluded", "rec"]
    get_or_train(covered_spec("gACNN", pretraining="own", iterations=1))
    assert names(trainings)[2:] == ["gACNN"]
    get_or_train(covered_spec("Ours", fold=1))  # pretraining ""
    assert names(trainings)[3:] == ["Ours"]


@pytest.mark.parametrize(("fold", "inner"), [(0, None), (4, None), (0, 2)])
def test_no_test_person_is_ever_seen_in_a_stage(trainings, fold, inner):
    spec = covered_spec("Ours", fold, inner=inner, pretraining="own")
    run = get_or_train(spec)
    tested = set(run.about["test_subjects"])
    held_out = set(get_or_train(covered_spec("ResNet", fold)).about["test_subjects"])
    assert tested and names(trainings)[:3] == ["occluded", "clean", "Ours"]
    for variant, people, _ in trainings[:3]:
        assert people and not people & tested and not people & held_out, variant
    for stage in STAGES:
        about = pretrain(spec, stage).about
        assert set(about["test_subjects"]) == tested
        assert (about["spec"]["fold"], about["spec"]["inner"]) == (fold, inner)


def test_a_stored_row_answers_as_its_networks_do_on_covered_test_images():
    run = get_or_train(covered_spec("Ours"))
    faces, division = run.faces(), run.division()
    examples = run.spec.examples(faces, division.test, "test")
    again = predictions(run.method(), faces, division.test, division.classes, examples).assign(fold=0)
    assert again.equals(run.predictions)
    clean = predictions(run.method(), faces, division.test, division.classes, uncovered(run))
    assert not clean.assign(fold=0).equals(run.predictions)
    assert run.features.shape == (len(run.predictions), 64)


def uncovered(run):
    return Examples(run.faces(), run.division().test, 32, channels=3)


def test_rows_of_one_seed_are_the_same_bits_and_of_another_are_not(results):
    first = weights(get_or_train(covered_spec("Ours")))
    (folder,) = results.rglob("ckplus636-Ours-*/run.json")
    for file in sorted(folder.parent.iterdir()):
        file.unlink()
    assert same_bits(weights(get_or_train(covered_spec("Ours"))), first)
    assert not same_bits(weights(get_or_train(covered_spec("Ours", seed=1))), first)


def test_an_interrupted_row_goes_on_where_it_stood_without_its_stages_again(monkeypatch, results):
    spec = covered_spec("adv", pretraining="own", iterations=12, K1=2)
    expected = weights(get_or_train(spec))
    history = get_or_train(spec).history
    assert np.isfinite(history.to_numpy()).all() and {"adv", "discriminate"} <= set(history)
    for file in spec.folder.iterdir():
        file.unlink()
    spec.folder.rmdir()
    save = training._save

    def stopping(*state):
        save(*state)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(training, "_save", stopping)
        patch.setattr(training.time, "monotonic", lambda now=[0.0]: now.append(now[-1] + 60) or now[-1])
        with pytest.raises(KeyboardInterrupt):
            get_or_train(spec)
    assert any("checkpoint" in name for name in files_of(results))
    steps = count_steps(monkeypatch)
    assert same_bits(weights(get_or_train(spec)), expected)
    assert 0 < len(steps) < 12 and get_or_train(spec).history.equals(history)


def test_published_weights_are_asked_for_by_stages_and_by_rows_without(monkeypatch):
    asked = []
    monkeypatch.setattr("fercore.networks.resnet.TappedResNet.load_published", lambda net: asked.append(type(net)))
    get_or_train(covered_spec("sim", weights="imagenet", pretraining="own"))
    assert len(asked) == 2  # the student's stage and the teacher's; the row starts from theirs
    get_or_train(covered_spec("ResNet", weights="imagenet"))
    assert len(asked) == 3


def test_missing_published_weights_stop_a_row_before_any_training(monkeypatch):
    monkeypatch.setattr(runs, "fit", no_training)
    with pytest.raises(ValueError, match="weights = 'random'"):
        get_or_train(covered_spec(weights="imagenet"))


def test_stage_runs_keep_their_configuration(results):
    get_or_train(covered_spec("sim", pretraining="own", pretraining_rate=0.5))
    for stage in STAGES:
        (file,) = results.rglob(f"ckplus636-{stage}-fold0-*/run.json")
        config = json.loads(file.read_text())["config"]
        assert (config["iterations"], config["base_rate"], config["pretraining"]) == (2, 0.5, "")
