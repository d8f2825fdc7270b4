"""Settings chosen on inner folds: by their accuracy there, for each fold on its own, never on its test people."""

import numpy as np
import pytest
from result_factories import judged, store, study
from run_factories import TINY

from fercore import tables
from fercore.faces.sources import open_faces
from fercore.runs import find
from fercore.selection import Selection

CANDIDATES = {"slow": {"base_rate": 0.001}, "fast": {"base_rate": 0.1}, "long": {"base_rate": 0.1, "iterations": 12}}


pytestmark = pytest.mark.usefixtures("prepared_faces")


def answered(right: dict[tuple[int, str], list[bool]]) -> Selection:
    """A selection whose inner runs were right as told by (fold, candidate); others are not finished."""
    selection = Selection(study(folds=[0, 1]), "CNN", CANDIDATES)
    for (fold, name), answers in right.items():
        for spec in selection.specs(fold, name):
            store(spec, judged(answers))
    return selection


GOOD, FAIR, BAD = [True] * 8, [True] * 5 + [False] * 3, [True] + [False] * 7
ANSWERS = {
    (0, "slow"): BAD, (0, "fast"): GOOD, (0, "long"): FAIR,
    (1, "slow"): FAIR, (1, "fast"): BAD, (1, "long"): FAIR,
}  # fmt: skip


def test_scores_are_the_mean_accuracy_of_the_inner_folds():
    scores = answered(ANSWERS).scores()
    assert scores.loc["fast", 0] == 100 and scores.loc["long", 1] == 62.5 and scores.loc["slow", 0] == 12.5


def test_every_fold_gets_its_own_best_candidate_and_the_first_of_equals():
    settled = answered(ANSWERS).settled()
    rates = {spec.fold: (spec.config.base_rate, spec.config.iterations) for spec in settled.specs}
    assert rates == {0: (0.1, TINY["iterations"]), 1: (0.001, TINY["iterations"])}
    assert {spec.inner for spec in settled.specs} == {None}
    assert {spec.variant for spec in settled.specs} == {"CNN", "S1R1"}  # what is chosen holds for every row
    assert "chosen per fold on inner folds" in settled.stamp


def test_an_incomplete_comparison_chooses_nothing():
    selection = answered({key: value for key, value in ANSWERS.items() if key != (1, "long")})
    assert selection.scores().isna().sum().sum() == 1
    with pytest.raises(ValueError, match="fold 1: some candidates have no finished inner runs"):
        selection.settled()


def test_training_fills_every_inner_run_and_sees_no_test_person():
    selection = Selection(study(folds=[0]), "CNN", {"slow": {"base_rate": 0.001}, "fast": {"base_rate": 0.1}}).train()
    assert not selection.scores().isna().any(axis=None)
    subjects = sorted(open_faces("ckplus", "prepared", 16).table["subject"].unique())
    for spec in selection.specs(0, "fast"):
        division = find(spec).division()
        seen = open_faces("ckplus", "prepared", 16).table["subject"].iloc[[*division.train.rows, *division.test.rows]]
        assert not set(seen) & set(subjects[0::10])


def test_inner_runs_and_outer_runs_are_stored_apart():
    selection = Selection(study(folds=[0]), "CNN", {"as it is": {}})
    outer = study(variants=("CNN",), folds=[0]).specs
    folders = [spec.folder for spec in [*outer, *selection.specs(0, "as it is")]]
    assert len(set(folders)) == 3


def test_a_grid_shows_every_value_the_best_and_the_one_in_use():
    candidates = {"0.001": {"base_rate": 0.001}, "0.1": {"base_rate": 0.1}}
    search = Selection(study(folds=[0]), "CNN", candidates, inner=(0,))
    for name, answers in (("0.001", FAIR), ("0.1", GOOD)):
        (spec,) = search.specs(0, name)
        store(spec, judged(answers))
    row = tables.grid({"base_rate": search}).loc["base_rate"]
    assert row["accuracy % of each value"] == "0.001: 62.5, 0.1: 100.0" and row["judged by"] == "CNN"
    assert row["best"] == 0.1 and row["in use"] == search.study.specs[0].config.base_rate
    assert "inner folds 0 of fold 0" in search.stamp and "missing" not in search.stamp
    assert "2 of 4 inner runs missing" in Selection(study(folds=[0]), "CNN", candidates).stamp


def test_the_stamp_names_the_settings_the_limit_of_a_twin_and_how_the_inner_runs_were_made():
    tiny = study(folds=[0], source="twin", tier="twin", changes={"iterations": 11, "twin_subjects": 7})
    stamp = Selection(tiny, "CNN", {"slow": {"base_rate": 0.001}}).stamp
    assert stamp.startswith("tier twin, iterations 11, twin_subjects 7 · at most 7 people of a twin · data: ")
    search = Selection(study(folds=[0]), "CNN", {"slow": {"base_rate": 0.001}})
    for spec in search.specs(0, "slow"):
        store(spec, judged(GOOD), device="H100", source_digest="old")
    assert " · trained on H100 · 2 of 2 inner runs made with other code" in search.stamp


def test_a_grid_with_a_fold_missing_names_no_best():
    """The value whose only fold went well would lead the one that is finished."""
    candidates = {"0.001": {"base_rate": 0.001}, "0.1": {"base_rate": 0.1}}
    search = Selection(study(folds=[0, 1]), "CNN", candidates, inner=(0,))
    for name, fold, answers in (("0.001", 0, GOOD), ("0.1", 0, GOOD), ("0.1", 1, FAIR)):
        (spec,) = search.specs(fold, name)
        store(spec, judged(answers))
    row = tables.grid({"base_rate": search}).loc["base_rate"]
    assert row["accuracy % of each value"] == "0.001: missing, 0.1: 81.2" and np.isnan(row["best"])
    assert "1 of 4 inner runs missing" in search.stamp
