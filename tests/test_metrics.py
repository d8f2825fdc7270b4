"""Scores of counts against scikit-learn, on a perfect, a constant and a shuffled predictor; intervals over subjects."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score

from fercore.evaluation import accuracy_interval, difference_interval
from fercore.metrics import DRAWS, METRICS, Counts, accuracy, difference, f1, interval, macro_f1, nearer_to_chance

CLASSES = ("laughter", "speech", "posed_laughter")
PREDICTORS = ("perfect", "constant", "shuffled", "noisy")


def predicted(kind: str, seed: int = 0, images: int = 120) -> pd.DataFrame:
    """Images of 12 people, unequally many each; rows of a person do not stand together."""
    numbers = np.random.default_rng(seed)
    label = np.random.default_rng(9).choice(CLASSES, images, p=[0.5, 0.3, 0.2])
    guess = {
        "perfect": label, "constant": np.full(images, CLASSES[0]), "shuffled": numbers.permutation(label),
        "noisy": np.where(numbers.uniform(size=images) < 0.7, label, numbers.permutation(label)),
    }[kind]  # fmt: skip
    subject = [f"S{int(12 * u**1.5):02d}" for u in np.random.default_rng(8).uniform(size=images)]
    return pd.DataFrame({"row": range(images), "fold": 0, "subject": subject, "label": label, "predicted": guess})


every_predictor = pytest.mark.parametrize("kind", PREDICTORS)


@every_predictor
def test_scores_are_those_of_scikit_learn(kind):
    table = predicted(kind)
    true, guess = table["label"], table["predicted"]
    last = f1_score(true, guess, labels=CLASSES[-1:], average=None, zero_division=0)[0]
    macro = f1_score(true, guess, labels=CLASSES, average="macro", zero_division=0)
    assert accuracy(table, CLASSES).value() == pytest.approx(accuracy_score(true, guess), rel=1e-12)
    assert f1(table, CLASSES).value() == pytest.approx(last, abs=1e-12)
    assert macro_f1(table, CLASSES).value() == pytest.approx(macro, rel=1e-12)


def test_hand_values():
    table = pd.DataFrame({"label": [*"aaabb"], "predicted": [*"aabbb"], "subject": [*"PPQQQ"]})
    assert accuracy(table, ("a", "b")).value() == 4 / 5
    assert f1(table, ("a", "b")).value() == pytest.approx(4 / 5)  # of b: 2 TP / (2 TP + FP + FN) = 4 / 5
    assert f1(table, ("b", "a")).value() == pytest.approx(4 / 5)  # of a: 4 / 5
    table["predicted"] = [*"aabba"]
    assert f1(table, ("a", "b")).value() == 1 / 2 and f1(table, ("b", "a")).value() == 2 / 3
    assert macro_f1(table, ("a", "b")).value() == pytest.approx(7 / 12)


def test_a_perfect_predictor_scores_one_and_a_constant_one_the_share_of_its_class():
    for metric in METRICS.values():
        found = interval(metric(predicted("perfect"), CLASSES))
        assert (found.value, found.low, found.high) == (1, 1, 1)
    table = predicted("constant")
    assert accuracy(table, CLASSES).value() == (table["label"] == CLASSES[0]).mean()
    assert f1(table, CLASSES).value() == 0  # the last class is never said
    assert macro_f1(table, CLASSES).value() < 0.3


def test_the_positive_class_is_the_second_named_one():
    table = predicted("noisy")
    others = {f1(table, (*CLASSES[:i], *CLASSES[i + 1 :], CLASSES[i])).value() for i in range(3)}
    assert len(others) == 3 and f1(table, CLASSES).value() in others
    assert macro_f1(table, CLASSES).value() == pytest.approx(sum(others) / 3)


def test_a_class_that_neither_occurs_nor_is_said_is_left_out():
    table = predicted("noisy")
    assert macro_f1(table, (*CLASSES, "anger")).value() == macro_f1(table, CLASSES).value()


@every_predictor
def test_the_interval_of_accuracy_is_the_one_of_all_tables(kind):
    table = predicted(kind)
    ours, theirs = interval(accuracy(table, CLASSES)), accuracy_interval(table)
    assert (ours.value, ours.low, ours.high) == pytest.approx((theirs.value, theirs.low, theirs.high), rel=1e-12)


@pytest.mark.parametrize("name", METRICS)
def test_draws_are_scores_of_whole_people_drawn_again(name):
    table = predicted("noisy")
    drawn = METRICS[name](table, CLASSES).drawn(seed=3)
    people = sorted(table["subject"].unique())
    picks = np.random.default_rng(3).integers(0, len(people), size=(DRAWS, len(people)))
    assert len(drawn) == DRAWS
    for i in (0, 1, DRAWS - 1):
        again = pd.concat([table[table["subject"] == people[p]] for p in picks[i]])
        assert drawn[i] == pytest.approx(METRICS[name](again, CLASSES).value(), rel=1e-12)


def test_intervals_are_around_the_score_and_do_not_depend_on_the_order_of_rows():
    table = predicted("noisy")
    mixed = table.sample(frac=1, random_state=0)
    for metric in METRICS.values():
        found, again = interval(metric(table, CLASSES)), interval(metric(mixed, CLASSES))
        assert found.low < found.value < found.high
        assert (found.low, found.high) == pytest.approx((again.low, again.high), rel=1e-12)


def test_draws_without_the_positive_class_say_nothing_and_spoil_nothing():
    """Only one of three people ever laughs: 8 of 27 draws leave that person out."""
    label = [*"ab", *"aa", *"aa"]
    table = pd.DataFrame({"label": label, "predicted": label, "subject": [*"PPQQRR"]})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = interval(f1(table, ("a", "b")))
    assert (found.value, found.low, found.high) == (1, 1, 1)


def test_differences_are_paired_by_subject():
    ours, base = predicted("noisy"), predicted("shuffled")
    found, theirs = difference(*(accuracy(t, CLASSES) for t in (ours, base))), difference_interval(ours, base)
    assert (found.value, found.low, found.high) == pytest.approx((theirs.value, theirs.low, theirs.high), abs=1e-12)
    assert found.value > 0
    for metric in METRICS.values():
        one, other = (metric(t, CLASSES) for t in (ours, base))
        there, back, nothing = difference(one, other), difference(other, one), difference(one, one)
        assert (there.value, there.low, there.high) == pytest.approx((-back.value, -back.high, -back.low))
        assert (nothing.value, nothing.low, nothing.high) == (0, 0, 0)
        assert there.value == pytest.approx(one.value() - other.value())


@pytest.mark.parametrize("seed", range(5))
def test_one_comparison_is_one_interval_by_either_way_of_counting(seed):
    """400 people of one image: gaps end on 0.25 points, where the noise of a sum decides how they are rounded."""
    numbers = np.random.default_rng(seed)
    guesses = [np.where(numbers.uniform(size=400) < share, "a", "b") for share in (0.55, 0.63)]
    ours, base = (
        pd.DataFrame({"row": range(400), "subject": range(400), "label": "a", "predicted": guess}) for guess in guesses
    )
    one, other = difference(accuracy(ours, ("a", "b")), accuracy(base, ("a", "b"))), difference_interval(ours, base)
    assert one == other and str(one) == str(other)
    assert interval(accuracy(ours, ("a", "b"))) == accuracy_interval(ours)


@pytest.mark.parametrize("compare", [difference, nearer_to_chance])
def test_scores_of_other_images_are_not_compared(compare):
    one, fewer = (accuracy(predicted("noisy", images=n), CLASSES) for n in (120, 119))
    with pytest.raises(ValueError, match="not tested on the same images"):
        compare(one, fewer)
    other = Counts(one.top, one.bottom, one.subject[::-1])
    with pytest.raises(ValueError, match="not tested on the same images"):
        compare(one, other)


def told(share: float, people: int = 10) -> Counts:
    """Ten images of every person, of which this share is told rightly."""
    right = np.tile(np.arange(10) < 10 * share, people).astype(float)[:, None]
    return Counts(right, np.ones_like(right), np.repeat(np.arange(people), 10))


@pytest.mark.parametrize(("ours", "base", "closer"), [
    (0.5, 0.9, 0.4), (0.9, 0.5, -0.4), (0.6, 0.8, 0.2), (0.2, 0.9, 0.1), (0.1, 0.9, 0.0), (0.3, 0.4, -0.1),
])  # fmt: skip
def test_nearer_to_chance_is_positive_where_ours_is_whichever_side_it_stands(ours, base, closer):
    found = nearer_to_chance(told(ours), told(base))
    assert (found.value, found.low, found.high) == pytest.approx((closer,) * 3)


def test_another_chance_level_can_be_named():
    assert nearer_to_chance(told(0.3), told(0.6), chance=0.25).value == pytest.approx(0.3)
