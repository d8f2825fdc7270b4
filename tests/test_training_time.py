"""Losses raced to one accuracy: the clock, the batches, what is counted and what is read from the curves."""

import pandas as pd
import pytest
import torch
from factories import same_bits, small_faces, snapshot

from fercore import training_time
from fercore.ablation import Ablation
from fercore.faces.protocols import SEVEN
from fercore.losses.comparisons import comparisons
from fercore.method import Batch, Method
from fercore.runs import begin
from fercore.training import fit

TINY = {"stored": 30, "image_size": 28, "iterations": 5, "per_class": 2, "pretraining": "", "base_rate": 0.01}


@pytest.fixture(scope="module")
def specs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("race")
    small_faces(12, SEVEN, 4, size=30).save(folder / "data" / "prepared" / "ckplus")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FERCORE_DATA", str(folder / "data"))
        patch.setenv("FERCORE_RESULTS", str(folder / "results"))
        rows = ["softmax", "triplet", "2B(N+M)"]
        study = Ablation("idferm", "ckplus", rows, "ckplus7", [0], "smoke", "prepared", changes=TINY)
        yield training_time.inner(study.specs, 0)


@pytest.fixture(scope="module")
def courses(specs):
    return training_time.race(specs, 2)


def test_every_row_runs_its_whole_schedule_and_is_tested_in_between(courses):
    for course in courses.values():
        assert course.curve["steps"].tolist() == [0, 2, 4, 5] and course.curve["seconds"].is_monotonic_increasing
        assert course.curve["seconds"].iloc[0] == 0 and len(course.per_step) == 3 and len(course.counted) == 5


def test_the_race_takes_the_steps_of_an_ordinary_training(specs):
    course, plain = training_time.Course(specs["triplet"], begin(specs["triplet"])), begin(specs["triplet"])
    course.advance(9)
    fit(plain.method, plain.examples, plain.course)
    assert same_bits(snapshot(course.run.method), snapshot(plain.method))


def test_tests_are_outside_the_clock_and_of_people_neither_trained_nor_of_the_test_fold(specs, monkeypatch):
    course = training_time.Course(specs["softmax"], begin(specs["softmax"]))
    now = [0.0]
    step, predict = Method.step, Method.predict
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    monkeypatch.setattr(Method, "step", lambda self, batch: now.__setitem__(0, now[0] + 1) or step(self, batch))
    monkeypatch.setattr(Method, "predict", lambda self, batch: now.__setitem__(0, now[0] + 99) or predict(self, batch))
    course.advance(3)
    assert course.seconds == 3 and course.per_step == [1]
    table, division = course.run.faces.table, course.run.division
    sides = [set(table["subject"][rows.rows]) for rows in (division.train, division.test)]
    assert not sides[0] & sides[1] and not set.union(*sides) & {"S000", "S010"}  # fold 0: every tenth person


LABEL, SUBJECT = torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1, 0, 1])


def batch(label=LABEL, neutral=()):
    reference = torch.tensor([i in neutral for i in range(len(label))])
    return Batch(torch.zeros(len(label), 1, 2, 2), label, is_reference=reference, subject=SUBJECT)


@pytest.mark.parametrize("every", [0, -1])
def test_a_race_that_would_not_end_is_refused(specs, every):
    with pytest.raises(ValueError, match=f"^every {every} is out of range; valid: 1 or above$"):
        training_time.race(specs, every)


def test_comparisons_are_those_of_the_loss():
    counts = comparisons(LABEL, SUBJECT)
    assert training_time.compared("triplet", batch(), ("a", "b")) == counts["triplet"] == 8
    assert training_time.compared("softmax", batch(), ("a", "b")) == 0
    assert training_time.compared("IDFERM", batch(), ("a", "b")) == 8  # 2 K
    assert training_time.compared("IDFERM", batch(neutral=[2]), ("a", "b")) == 7
    assert training_time.compared("2B(N+M)", batch(), ("a", "b")) == 4 * (2 + 1)
    assert training_time.compared("augmented", batch(), ("a", "b")) == 4 * (2 + 1 + 2)  # both x̂ of its person beside
    assert training_time.compared("augmented", batch(), ("neutral", "b")) == 2 * (6 + 1) + 2 * (2 + 3)


def test_the_first_test_that_is_high_enough_counts():
    curve = pd.DataFrame({"steps": [0, 2, 4], "seconds": [0.0, 1.5, 3.0], "accuracy": [0.1, 0.7, 0.6]})
    assert training_time.reached(curve, 0.6)["seconds"] == 1.5
    assert training_time.reached(curve, 0.71) is None


def test_printed_minutes_stand_beside_and_what_is_not_reached_is_said(courses):
    table = training_time.table(courses, 0.0)
    assert (table["reached"] == "yes").all() and (table["steps"] == 2).all()  # untrained ones do not count
    never = training_time.beside_printed(courses, 1.1, {"triplet": "Triplet Loss", "2B(N+M)": "2B(N + M) Softmax"},
                                         "CK+ (7-class)")  # fmt: skip
    assert never["printed, min"].tolist() == [324, 107] and never["ours, s"].isna().all()
    assert never.iloc[0, -1] == "2B(N+M) did not reach it" and never.iloc[1, -1] == ""
    assert (training_time.table(courses, 1.1)["reached"] == "no").all()
    assert training_time.target(courses, "softmax", 0.5) == courses["softmax"].curve["accuracy"].max() / 2
