"""What LIR presupposes: the teacher on clean faces against the student on covered ones, by hand and on tiny runs."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from result_factories import judged

from fercore import precondition
from fercore.ablation import Ablation
from fercore.evaluation import accuracy_interval
from fercore.trials import Trial

RIGHT = {"teacher clean": 18, "teacher covered": 4, "own covered": 10, "own clean": 12}  # of twenty images


def answers(what: str) -> pd.DataFrame:
    return judged([i < RIGHT[what] for i in range(20)]).assign(fold=0)


@pytest.fixture
def told(occluded_study, monkeypatch) -> Ablation:
    """The study with a teacher and a student that were right as RIGHT says."""
    teacher = SimpleNamespace(spec=SimpleNamespace(seed=0), predictions=answers("teacher covered"))
    monkeypatch.setattr(Ablation, "pretrained", lambda self, stage, device: {"clean": [teacher]}[stage])
    monkeypatch.setattr(Trial, "predictions", lambda self, run: {"clean": answers("teacher clean")}[self.name])

    def predictions(self, variant, early=False, trial=None):
        return answers({None: "own covered", precondition.CLEAN: "own clean"}[trial]).assign(seed=0)

    monkeypatch.setattr(Ablation, "predictions", predictions)
    return occluded_study


def test_every_cell_is_of_its_own_network_and_images(told):
    row = precondition.table([told]).loc["ckplus"]
    assert row["teacher, clean %"].startswith("90.0 [") and row["teacher, occluded %"].startswith("20.0 [")
    assert row["ResNet, occluded %"].startswith("50.0 [") and row["ResNet, clean %"].startswith("60.0 [")
    assert row["teacher on clean over ResNet on occluded"].startswith("+40.0 [")
    assert row["images"] == 20


def scored(true: list[float]) -> pd.DataFrame:
    """Images of class "anger" with this score of it."""
    table = pd.DataFrame({"row": range(len(true)), "subject": [f"P{i}" for i in range(len(true))], "label": "anger"})
    return table.assign(predicted="anger", fold=0, seed=0, p_anger=true, p_fear=1 - np.array(true))


def test_hinges_are_trained_with_their_direction_and_active_where_their_equation_says(occluded_study, monkeypatch):
    scores = {"printed": [0.9, 0.9, 0.9, 0.3], "flipped": [0.5, 0.5, 0.9, 0.9]}
    asked, teacher = [], SimpleNamespace(spec=SimpleNamespace(seed=0))

    def train(self, device):
        asked.append((self.variants, dict(self.changes)))
        return self

    monkeypatch.setattr(Ablation, "train", train)
    monkeypatch.setattr(Ablation, "pretrained", lambda self, stage, device: [teacher])
    monkeypatch.setattr(Trial, "predictions", lambda self, run: scored([0.6] * 4))  # the teacher

    def predictions(self, variant):
        return scored(scores[dict(self.changes)["LIR"]] if variant == "LIR" else [0.6] * 4)

    monkeypatch.setattr(Ablation, "predictions", predictions)
    table = precondition.hinges(occluded_study, 0.25)
    told = [(rows, changes["LIR"], changes["lambda_2"]) for rows, changes in asked]
    assert told == [(("LIR",), "printed", 0.25), (("LIR",), "flipped", 0.25)]
    assert asked[0][1]["width"] == 8  # the study's own changes stay
    active = table["active after training, % of test images"]
    assert active.to_dict() == {"printed": 75, "flipped": 50}  # surer than the teacher; less sure than the teacher


def test_eq_2_holds_where_the_student_loses_more(occluded_study):
    row = precondition.table([occluded_study]).loc["ckplus"]
    teachers = occluded_study.pretrained("clean")
    assert [run.spec.variant for run in teachers] == ["clean", "clean"]
    clean = pd.concat([Trial("clean").predictions(run) for run in teachers], ignore_index=True)
    assert row["teacher, clean %"] == str(accuracy_interval(clean))
    student, teacher = precondition.loss(occluded_study.predictions("ResNet")), precondition.loss(clean)
    assert row["Eq. 2 holds for, % of images"] == pytest.approx(100 * np.mean(student >= teacher))


def test_loss_is_the_cross_entropy_of_the_true_class():
    table = pd.DataFrame({"label": ["a", "b"], "p_a": [0.2, 0.6], "p_b": [0.8, 0.4]})
    assert precondition.loss(table).tolist() == pytest.approx([-np.log(0.2), -np.log(0.4)])
