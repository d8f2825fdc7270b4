"""Pre-training reaches the networks it is meant for, once, and can be switched off."""

import json

import pytest
from factories import same_bits, snapshot
from run_factories import spec

from fercore import paths, runs, training
from fercore.faces.faceset import FaceSet
from fercore.papers.gcnet import PRETRAINING
from fercore.runs import Run, RunSpec, get_or_train


@pytest.fixture
def pretrained_on_gratings(monkeypatch):
    """Pre-training sees the drawn faces too; collects (variant, networks at the start) of each training."""
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
