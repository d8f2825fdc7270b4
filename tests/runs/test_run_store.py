"""Where a run stands, what it holds, when it is stale, and what is refused before any work."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from factories import same_bits
from run_factories import covered_spec, files_of, no_training, spec, weights

from fercore import runs
from fercore.faces.augmentation import Augmentation
from fercore.faces.examples import Examples
from fercore.faces.faceset import FaceSetError
from fercore.faces.protocols import SEVEN
from fercore.papers.gcnet import TIERS, VARIANTS
from fercore.predictions import predictions
from fercore.runs import RunSpec, find, get_or_train
from fercore.training import Course


def test_folder_is_readable_and_the_same_for_the_same_spec(results):
    folder = spec("S1R1", 3).folder
    assert folder == spec("S1R1", 3).folder
    assert folder.parent == results / "runs" / "gcnet" / "ckplus-prepared-smoke"
    assert folder.name.startswith("ckplus7-S1R1-fold3-seed0-")


def test_a_run_that_is_read_is_noted_where_somebody_asks_for_it(results, tmp_path, monkeypatch):
    wanted = spec("CNN")
    wanted.folder.mkdir(parents=True)
    (wanted.folder / "run.json").write_text("{}")
    find(wanted)  # nobody asks
    monkeypatch.setenv("FERCORE_TRACE", str(tmp_path / "notes"))
    assert find(spec("S1R1", 9)) is None
    assert find(wanted) and find(wanted)
    assert set((tmp_path / "notes").read_text().splitlines()) == {f"gcnet/ckplus-prepared-smoke/{wanted.folder.name}"}


def test_lists_among_the_changes_make_no_other_run_and_can_be_looked_up():
    lists, tuples = (replace(spec(), changes=(("widths", kind([4, 8, 12])),)) for kind in (list, tuple))
    assert {lists: "found"}[tuples] == "found" and lists.folder == tuples.folder
    nested = replace(covered_spec(), changes=[["sizes", [["rafdb7", 96]]]])
    assert hash(nested) and nested.changes == (("sizes", (("rafdb7", 96),)),)


@pytest.mark.parametrize("change", [
    {"variant": "S0R0"}, {"dataset": "lonely"}, {"protocol": "ckplus8"}, {"fold": 1}, {"tier": "twin"},
    {"source": "twin"}, {"seed": 1}, {"changes": (("margin", 2.0),)},
], ids=str)  # fmt: skip
def test_whatever_determines_a_run_changes_its_folder(change):
    plain = replace(spec(), changes=())
    assert replace(plain, **change).folder != plain.folder


def test_every_field_of_the_configuration_changes_the_folder():
    plain = replace(spec(), changes=())
    for name, value in vars(plain.config).items():
        match value:
            case str():
                other = "l2" if name == "distance" else "other"
            case tuple():
                other = value[::-1]
            case float():
                other = value / 2 or 0.5
            case _:
                other = (value or 0) + 1
        assert replace(plain, changes=((name, other),)).folder != plain.folder, name


def test_other_values_of_a_tier_are_another_run(monkeypatch):
    s = spec()
    before = s.folder
    monkeypatch.setitem(TIERS, "smoke", replace(TIERS["smoke"], margin=TIERS["smoke"].margin + 1))
    assert s.folder != before


def test_training_is_asked_for_what_the_spec_says(monkeypatch):
    asked = []
    monkeypatch.setattr(runs, "fit", lambda method, examples, course, *a, **k: asked.append(course) or no_training())
    with pytest.raises(AssertionError):
        get_or_train(replace(spec(scale=0.3, rotation=4.0, intensity=0.5), seed=7))
    assert asked == [Course(iterations=10, batch_size=64, seed=7, augmentation=Augmentation(0.3, 4.0, 0.5))]


def test_configuration_is_the_tiers_with_the_changes():
    config = spec(margin=3.0).config
    assert (config.margin, config.image_size, config.momentum) == (3.0, 16, 0.9)
    with pytest.raises(ValueError, match="no_such_field.*valid: base_rate"):
        _ = spec(no_such_field=1).config


def test_find_knows_only_finished_runs():
    s = spec()
    assert find(s) is None
    s.folder.mkdir(parents=True)  # a folder without run.json is no run
    (s.folder / "weights.safetensors").write_bytes(b"")
    assert find(s) is None
    assert find(get_or_train(s).spec).about["spec"]["variant"] == "CNN"


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
    features = [method(b).feature for b in Examples(faces, division.test, 16).in_order()]
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
    counts = {"train": len(division.train.rows), "classified": len(division.train.labelled)}
    assert about["images"] == counts | {"test": len(division.test.rows)} and about["learned_from"] == []
    assert about["classes"] == list(SEVEN)
    assert (
        about["versions"]["torch"] == torch.__version__.split("+")[0] or about["versions"]["torch"] == torch.__version__
    )
    assert about["device"] == "cpu" and about["processor"] and torch.backends.cudnn.deterministic
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
    run = get_or_train(spec(iterations=100, base_rate=0.1, rotation=2.0, widths=(8, 12, 16)))
    correct = run.predictions["label"] == run.predictions["predicted"]
    assert correct.mean() > 0.7  # chance: 1/7


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


def test_smoke_tier_runs_from_twin_to_predictions(results):
    run = get_or_train(RunSpec("gcnet", "S1R1", "ckplus", "ckplus8", fold=0, tier="smoke"))
    assert len(run.predictions) > 0 and np.isfinite(run.features).all()
    assert run.about["data"]["source"] == "twin"
    assert len(list(results.rglob("run.json"))) == 3
