"""The runs behind a table: what is there, what is missing, what the stamp says of both."""

from dataclasses import replace

import pytest
import torch
from result_factories import judged, store, store_all, study

from fercore import ablation as module
from fercore import provenance
from fercore.ablation import Ablation, tier_with
from fercore.faces.protocols import SEVEN
from fercore.runs import find

pytestmark = pytest.mark.usefixtures("prepared_faces")


def test_runs_are_every_variant_of_every_fold_and_seed():
    specs = study(folds=[0, 3], seeds=[0, 7]).specs
    assert len(specs) == len(set(specs)) == 8
    assert {(s.variant, s.fold, s.seed) for s in specs} == {
        (v, f, s) for v in ("CNN", "S1R1") for f in (0, 3) for s in (0, 7)
    }
    assert {s.protocol for s in specs} == {"ckplus7"}  # the paper's for this dataset


def test_lists_of_a_notebook_mean_the_same_runs_as_tuples():
    lists = Ablation("gcnet", "ckplus", ["CNN"], "ckplus7", [0], "smoke", "prepared", [0], [["image_size", 40]])
    tuples = Ablation("gcnet", "ckplus", ("CNN",), "ckplus7", (0,), "smoke", "prepared", (0,), (("image_size", 40),))
    assert [s.folder for s in lists.specs] == [s.folder for s in tuples.specs]


def test_stamp_names_tier_data_folds_seeds_commit_and_changes():
    stamp = store_all(study(seeds=[0, 4]), {("CNN", 0): [True], ("CNN", 1): [True]}).stamp
    parts = stamp.split(" · ")
    assert parts[0].startswith("tier smoke, image_size 16, ") and "iterations 10" in parts[0]
    assert parts[1] == "data: drawn by the tests; no person"
    assert parts[2] == "folds 0, 1 of 10 (missing 2-9)"
    assert parts[3] == "seeds 0, 4"
    assert parts[4] == "commit c0ffee0123"


def test_stamp_before_any_run_says_so():
    stamp = study(tier="twin", changes=()).stamp
    assert stamp.startswith("tier twin · data: ckplus (prepared) · folds none of 10 (missing 0-9) · seeds 0 · commit ")
    assert stamp.endswith("4 of 4 runs missing")


@pytest.mark.parametrize(("folds", "said"), [
    (range(10), "folds 0-9 of 10 ·"), ([4], "folds 4 of 10 (missing 0, 1, 2, 3, 5, 6, 7, 8, 9)"),
    ([0, 1, 2, 9], "folds 0, 1, 2, 9 of 10 (missing 3-8)"),
], ids=str)  # fmt: skip
def test_stamp_says_which_folds_are_there(folds, said):
    asked = study(["CNN"], range(10))
    assert said in store_all(asked, {("CNN", fold): [True] for fold in folds}).stamp


def test_stamp_counts_missing_and_stale_runs_and_names_every_commit():
    asked = study()
    cnn0, both0, cnn1, _ = asked.specs
    for spec, cause in ((cnn0, {}), (both0, {"source_digest": "old", "commit": "beef456789"}), (cnn1, {})):
        store(spec, judged([True], spec.fold), **cause)
    assert "commit beef456789, c0ffee0123" in asked.stamp
    assert asked.stamp.endswith("1 of 4 runs missing · 1 of 3 runs made with other code or images than today's")


def test_stamp_names_where_runs_were_trained():
    asked = study(["CNN"], [0, 1, 2, 3])
    for spec, device in zip(asked.specs, ("cpu", "A100", "H100", "cpu"), strict=True):
        store(spec, judged([True], spec.fold), device=device, **{"processor": "EPYC (AVX2)"} if spec.fold else {})
    assert asked.stamp.endswith(" · partly trained on A100, EPYC (AVX2), H100")  # an old run does not tell
    assert replace(asked, folds=(1,)).stamp.endswith(" · trained on A100")
    assert replace(asked, folds=(3,)).stamp.endswith(" · trained on EPYC (AVX2)")
    assert "trained on" not in replace(asked, folds=(0,)).stamp


def test_the_processor_is_told_with_its_vectors():
    assert provenance.processor().endswith(f"({torch.backends.cpu.get_cpu_capability()})")
    assert len(provenance.processor().split(" (")[0]) > 2


def test_the_share_tested_is_of_the_images_that_are_classified():
    asked = study(["CNN"], [0, 1])
    for spec, classified in zip(asked.specs, (10, 20), strict=True):
        store(spec, judged([True], spec.fold), images={"train": 99, "classified": classified, "test": 4})
    assert asked.test_per_training("CNN") == pytest.approx((0.4 + 0.2) / 2)


def test_a_run_alone_names_its_card_and_its_age_as_many_do():
    spec = study(["CNN"], [0]).specs[0]
    stamp = store(spec, judged([True], 0), source_digest="old", device="H100").stamp
    assert " · seed 0 · commit c0ffee0123 · trained on H100 · 1 of 1 runs made with other code" in stamp


def test_a_stamp_with_arms_speaks_of_their_runs_too_and_of_shared_ones_once():
    base = study(["CNN"], [0, 1])
    arm = replace(base, changes={**dict(base.changes), "iterations": 11})
    for spec in base.specs:
        store(spec, judged([True], spec.fold))
    store(arm.specs[0], judged([True], 0), source_digest="old", commit="beef456789", device="H100")
    stamp = base.stamp_with([replace(base, variants=("CNN",)), arm])
    assert stamp.startswith(base.stamp.split(" · commit")[0])
    assert " · commit beef456789, c0ffee0123 · partly trained on H100 · 1 of 4 runs missing · 1 of 3 runs made" in stamp


def test_a_stamp_takes_changes_that_are_lists():
    changes = {"occlusions": ["R8", "eyes"]}
    covered = Ablation("occluded", "ckplus", ["ResNet"], folds=[0], tier="smoke", changes=changes)
    assert "occlusions ['R8', 'eyes']" in covered.stamp_with([covered]) and "1 of 1 runs missing" in covered.stamp


def test_complete_study_of_today_says_neither_missing_nor_stale():
    stamp = store_all(study(["CNN"], range(10)), {("CNN", fold): [True] for fold in range(10)}).stamp
    assert "missing" not in stamp and "other code" not in stamp


def test_stamp_follows_the_code(monkeypatch):
    asked = store_all(study(["CNN"], [0]), {("CNN", 0): [True]})
    monkeypatch.setattr(provenance, "source_digest", lambda paper: "another")
    assert "1 of 1 runs made with other code" in asked.stamp


def test_predictions_hold_what_is_there_and_nothing_for_a_missing_fold():
    asked = store_all(study(folds=(0, 1)), {("CNN", 0): [True, False, True], ("S1R1", 1): [True]})
    predicted = asked.predictions("CNN")
    assert len(predicted) == 3 and set(predicted["fold"]) == {0} and set(predicted["seed"]) == {0}
    assert asked.predictions("CNN", early=True).empty and asked.predictions("metricCNN").empty
    assert [run.spec.variant for run in asked.runs()] == ["CNN", "S1R1"] and len(asked.runs("S1R1")) == 1
    assert asked.classes == list(SEVEN)


def test_predictions_of_two_seeds_stand_one_below_the_other():
    asked = store_all(study(["CNN"], [0], seeds=(3, 5)), {("CNN", 0): [True, False]})
    assert asked.predictions("CNN")["seed"].tolist() == [3, 3, 5, 5]
    assert asked.predictions("CNN").index.is_unique


def test_training_trains_what_is_missing_and_leaves_the_rest(monkeypatch):
    asked = store_all(study(["CNN"], (0, 1)), {("CNN", 0): [True]})
    record = asked.specs[0].folder / "run.json"
    before, ordinary, trained = record.stat().st_mtime_ns, module.get_or_train, []
    monkeypatch.setattr(module, "get_or_train", lambda spec, device: trained.append(spec) or ordinary(spec, device))
    assert asked.train() is asked
    assert trained == [asked.specs[1]] and find(asked.specs[1]) is not None
    assert record.stat().st_mtime_ns == before and len(asked.predictions("CNN").query("fold == 0")) == 1
    trained.clear()
    assert len(asked.train().runs()) == 2 and trained == []


def test_device_reaches_every_training(monkeypatch):
    devices = []
    monkeypatch.setattr(module, "get_or_train", lambda spec, device: devices.append(device))
    study().train("cuda")
    assert devices == ["cuda"] * 4


def test_an_official_division_is_the_only_fold_and_a_limited_twin_says_so():
    asked = Ablation("occluded", "rafdb", ["ResNet"], folds=[0])
    assert asked.n_folds == 1 and "folds none of 1 (missing 0)" in asked.stamp
    assert f"at most {asked.specs[0].config.twin_subjects} people of a twin" in asked.stamp
    assert "people of a twin" not in Ablation("occluded", "rafdb", ["ResNet"], folds=[0], tier="paper").stamp
    assert "people of a twin" not in Ablation("occluded", "rafdb", ["ResNet"], folds=[0], source="prepared").stamp


def test_a_limit_that_a_twin_does_not_reach_is_not_said():
    few, many = Ablation("occluded", "ckplus", ["ResNet"]), Ablation("occluded", "fedro+rafdb", ["ResNet"])
    assert few.specs[0].config.twin_subjects == many.specs[0].config.twin_subjects == 6000  # CK+ shows 118 people
    assert "people of a twin" not in few.stamp and "at most 6000 people of a twin" in many.stamp


def test_a_stamp_names_what_differs_from_the_tier_and_an_empty_value_in_words():
    assert tier_with("twin", ()) == "tier twin"
    assert tier_with("twin", (("pretraining", ""), ("base_rate", 0.1))) == "tier twin, pretraining none, base_rate 0.1"
