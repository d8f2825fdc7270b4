"""Metrics face a perfect, a constant and a shuffled predictor; intervals face data whose answer is known."""

import numpy as np
import pandas as pd
import pytest
import torch
from factories import gcnet, small_examples, small_faces
from scipy import stats
from statsmodels.stats.multitest import multipletests

from fercore.evaluation import (
    Interval,
    Ratio,
    accuracy,
    accuracy_interval,
    bounded,
    compare,
    confusion,
    corrected_resampled_t,
    detectable_gap,
    difference_interval,
    holm,
    macro_f1,
    mean_of_folds,
    ratio_interval,
    subject_bootstrap,
    two_sided,
    vote,
)
from fercore.faces.protocols import Part
from fercore.method import Batch
from fercore.papers.gcnet import VARIANTS
from fercore.predictions import SCORE, predictions

CLASSES = ["anger", "fear", "joy"]


def judged(label, predicted, subject=None, fold=0) -> pd.DataFrame:
    n = len(label)
    subject = [f"S{i}" for i in range(n)] if subject is None else subject
    return pd.DataFrame({"row": range(n), "subject": subject, "label": label, "predicted": predicted, "fold": fold})


@pytest.fixture
def truth():
    """3000 images of three classes in equal number, of 100 subjects."""
    return np.random.default_rng(0).permutation(np.repeat(CLASSES, 1000))


def test_perfect_predictor(truth):
    table = judged(truth, truth)
    assert accuracy(table) == mean_of_folds(table) == macro_f1(table) == 1
    assert (confusion(table, CLASSES).to_numpy() == np.diag([1000] * 3)).all()
    assert accuracy_interval(table) == Interval(1, 1, 1)


def test_constant_predictor(truth):
    table = judged(truth, ["fear"] * len(truth))
    assert accuracy(table) == mean_of_folds(table) == pytest.approx(1 / 3)
    assert macro_f1(table) == pytest.approx((2 * 1 / 3 / (4 / 3)) / 3)  # F1 of fear 1/2, of the others 0
    assert confusion(table, CLASSES)["fear"].tolist() == [1000] * 3


def test_shuffled_predictor(truth):
    table = judged(truth, np.random.default_rng(2).permutation(truth))
    assert accuracy(table) == pytest.approx(1 / 3, abs=0.03)
    assert macro_f1(table) == pytest.approx(1 / 3, abs=0.03)
    interval = accuracy_interval(table)
    assert interval.low < 1 / 3 < interval.high and interval.high - interval.low < 0.05


def test_mean_of_unequal_folds_is_not_the_pooled_accuracy():
    label, predicted = ["joy"] * 5, ["joy", "joy", "joy", "fear", "fear"]
    table = judged(label, predicted, fold=[0, 0, 0, 0, 1])
    assert accuracy(table) == 0.6
    assert mean_of_folds(table) == (3 / 4 + 0) / 2


def test_accuracy_of_nothing_is_not_a_number():
    assert np.isnan(accuracy(judged([], [])))


def test_macro_f1_by_hand():
    table = judged(["anger", "anger", "fear", "joy"], ["anger", "fear", "fear", "fear"])
    anger, fear, joy = 2 * 1 / (2 + 1), 2 * 1 / (1 + 3), 0  # 2 TP / (true + predicted)
    assert macro_f1(table) == pytest.approx((anger + fear + joy) / 3)


def test_confusion_has_the_true_class_by_row():
    table = judged(["anger", "anger", "fear", "joy"], ["anger", "fear", "fear", "fear"])
    counts = confusion(table, CLASSES)
    assert counts.to_numpy().tolist() == [[1, 1, 0], [0, 1, 0], [0, 1, 0]]
    assert counts.sum(axis=1).to_dict() == table["label"].value_counts().to_dict()
    assert (counts.index.name, counts.columns.name) == ("true", "predicted")


def test_interval_covers_the_truth_at_its_stated_rate():
    """120 experiments of 60 subjects who succeed with a probability of their own, 0.7 in the mean."""
    numbers, covered = np.random.default_rng(0), 0
    for _ in range(120):
        skill = numbers.beta(7, 3, size=60)
        correct = pd.Series((numbers.random((60, 6)) < skill[:, None]).ravel())
        interval = subject_bootstrap(correct, pd.Series(np.repeat(np.arange(60), 6)), draws=300)
        covered += interval.low <= 0.7 <= interval.high
    assert 0.88 * 120 <= covered <= 0.99 * 120


def test_images_of_one_subject_that_agree_count_as_one_draw():
    per_subject = pd.Series([True, False] * 20)
    images, subject = per_subject.repeat(10).reset_index(drop=True), pd.Series(np.repeat(range(40), 10))
    clustered = subject_bootstrap(images, subject)
    independent = subject_bootstrap(images, pd.Series(range(400)))
    few = subject_bootstrap(per_subject, pd.Series(range(40)))
    width = {name: i.high - i.low for name, i in [("c", clustered), ("i", independent), ("f", few)]}
    assert width["c"] == pytest.approx(width["f"]) and width["c"] > 2.5 * width["i"]
    assert clustered.value == independent.value == 0.5
    assert width["f"] == pytest.approx(2 * 1.96 * (0.25 / 40) ** 0.5, rel=0.15)  # normal approximation


def test_interval_is_of_95_percent_and_repeatable():
    correct, subject = pd.Series(np.arange(200) % 4 > 0), pd.Series(range(200))
    one, again, other = (subject_bootstrap(correct, subject, seed=seed) for seed in (0, 0, 1))
    assert one == again != other
    assert one.high - one.low == pytest.approx(2 * 1.96 * (0.75 * 0.25 / 200) ** 0.5, rel=0.1)
    assert str(Interval(0.5, 0.25, 0.75)) == "50.0 [25.0, 75.0]"


def test_value_weighs_images_not_subjects():
    interval = subject_bootstrap(pd.Series([1, 1, 1, 0]), pd.Series(["a", "a", "a", "b"]))
    assert interval.value == 0.75 and (interval.low, interval.high) == (0, 1)


def test_drawn_subjects_weigh_by_their_images_too():
    """Fifteen subjects with 20 images, all right, and fifteen with one, wrong."""
    sizes = [20, 1] * 15
    correct, subject = pd.Series(np.repeat([True, False] * 15, sizes)), pd.Series(np.repeat(range(30), sizes))
    assert subject_bootstrap(correct, subject).low > 0.85  # a mean of subjects' means would lie at 1/2


def test_rows_are_matched_to_subjects_by_position():
    correct = pd.Series([1.0, 0.0, 0.0], index=[7, 8, 9])
    assert subject_bootstrap(correct, pd.Series(["a", "b", "b"], index=[0, 1, 2])).value == pytest.approx(1 / 3)


def test_difference_is_paired_image_by_image(truth):
    base = truth.copy()
    base[:300] = "nothing"
    subject = np.arange(3000) // 30
    ours, baseline = judged(truth, truth, subject), judged(truth, base, subject)
    interval = difference_interval(ours, baseline)
    assert interval.value == pytest.approx(0.1) and 0 < interval.low < 0.1 < interval.high
    back = difference_interval(baseline, ours)
    assert (back.value, back.low, back.high) == pytest.approx(
        (-interval.value, -interval.high, -interval.low), abs=0.01
    )
    assert difference_interval(ours, ours) == Interval(0, 0, 0)


@pytest.mark.parametrize("change", [{"row": [1, 2, 4]}, {"fold": [0, 0, 1]}])
def test_difference_on_different_images_is_refused(change):
    table = judged(["joy"] * 3, ["joy"] * 3).assign(row=[1, 2, 3])
    with pytest.raises(ValueError, match="not tested on the same images"):
        difference_interval(table, table.assign(**change))
    with pytest.raises(ValueError, match="not tested on the same images"):
        difference_interval(table, table.iloc[:2])


def test_predictions_say_who_what_and_every_score(monkeypatch):
    faces = small_faces(subjects=2)
    part = Part(np.array([9, 3, 14, 21]), np.array([2, 1, 3, 1]))  # not in ascending order
    examples, net = small_examples(faces, part), gcnet(VARIANTS["CNN"]).eval()
    classes = tuple(faces.classes)
    table = predictions(net, faces, part, classes, examples)
    scores = table[[SCORE + name for name in classes]].to_numpy()
    image = torch.from_numpy(faces.images[part.rows][:, None, :16, :16] / 255).float()
    np.testing.assert_allclose(scores, net.predict(Batch(image)).numpy(), rtol=1e-5)
    assert table["row"].tolist() == [9, 3, 14, 21]
    assert table["label"].tolist() == [classes[i] for i in part.target]
    assert table["predicted"].tolist() == [classes[i] for i in scores.argmax(1)]
    for column in ("subject", "sequence", "frame", "intensity"):
        assert table[column].tolist() == faces.table[column].iloc[part.rows].tolist()


def test_predictions_of_an_empty_part_have_all_columns():
    faces = small_faces(subjects=2)
    nothing = Part(np.array([], dtype=int), np.array([], dtype=int))
    table = predictions(
        gcnet(VARIANTS["S1R1"]).eval(), faces, nothing, tuple(faces.classes), small_examples(faces, nothing)
    )
    assert len(table) == 0 and {"subject", "label", "predicted", "p_neutral", "p_surprise"} <= set(table.columns)


def test_ratio_of_errors_with_its_interval():
    """Twice as many errors, in the same proportion for every subject: no doubt about the ratio; else there is some."""
    subject, errors = pd.Series(np.repeat(range(40), 10)), pd.Series(np.arange(400) % 10 < 2)
    twice = pd.Series(np.arange(400) % 10 < 4)
    assert ratio_interval(twice, errors, subject) == Ratio(2, 2, 2)
    unequal = pd.Series(np.random.default_rng(0).random(400) < 0.4)
    interval = ratio_interval(unequal, errors, subject)
    assert interval.value == unequal.sum() / errors.sum() and interval.low < interval.value < interval.high
    assert str(Ratio(2, 1.5, 2.25)) == "2.00 [1.50, 2.25]"
    assert str(ratio_interval(twice[:10], errors[:10], subject[:10])) == "2.00 [one person]"


def test_ratio_to_nothing_is_not_a_number_and_draws_without_any_do_not_count():
    none, some = pd.Series([0, 0, 0]), pd.Series([1, 1, 1])
    subject = pd.Series(["a", "b", "c"])
    assert np.isnan(ratio_interval(some, none, subject).value)
    assert str(ratio_interval(none, none, subject)) == "over nothing"
    assert ratio_interval(pd.Series([2, 0, 0]), pd.Series([1, 0, 0]), subject) == Ratio(2, 2, 2)


def test_draws_of_something_over_nothing_lie_above_all_others():
    """Five people of one error each, against the single error of one of them, whom every third draw leaves out."""
    interval = ratio_interval(pd.Series([1] * 5), pd.Series([1, 0, 0, 0, 0]), pd.Series(list("abcde")))
    assert (interval.value, interval.high) == (5, np.inf) and 1 < interval.low < 5
    assert str(interval) == f"5.00 [{interval.low:.2f}, ∞]"


@pytest.mark.parametrize("infinite", [1, 25, 26, 975, 1000])  # the bound lies at place 974.025 of 0 to 999
def test_a_bound_between_a_number_and_infinity_is_infinite(infinite):
    finite = np.arange(1000.0)
    drawn = np.where(finite >= 1000 - infinite, np.inf, finite)
    found = bounded(0.0, np.random.default_rng(0).permutation(drawn))
    assert found.high == (np.inf if infinite >= 25 else np.quantile(finite, 0.975))
    assert found.low == (np.inf if infinite >= 975 else np.quantile(finite, 0.025))
    mirrored = bounded(0.0, -drawn)
    assert (mirrored.low, mirrored.high) == pytest.approx((-found.high, -found.low))
    assert str(Interval(-np.inf, -np.inf, 0.5)) == "-∞ [-∞, 50.0]"


def test_an_infinite_gap_lies_on_its_side_of_zero():
    assert two_sided(np.array([np.inf, np.inf, np.inf, 1, -1, np.nan])) == 2 / 5
    assert two_sided(np.array([np.inf, -np.inf, 1, np.nan])) == 2 / 3
    assert np.isnan(two_sided(np.array([np.nan])))


def frames(label, scores, subject, sequence, **others) -> pd.DataFrame:
    """Scored images: two classes, ``scores`` those of the first."""
    n, names = len(label), np.array(["anger", "joy"])
    table = judged(label, names[(np.array(scores) < 0.5).astype(int)], subject).assign(
        sequence=sequence, frame=range(n), intensity=np.linspace(0, 1, n), p_anger=scores, p_joy=1 - np.array(scores)
    )
    return table.assign(**others)


def slow_vote(table) -> list[tuple]:
    """(fold, subject, sequence, predicted) of each, in the order of first appearance."""
    found = {}
    for row in table.to_dict("records"):
        key = row.get("seed"), row.get("fold"), row["subject"], row["sequence"]
        found.setdefault(key, []).append([row["p_anger"], row["p_joy"]])
    means = {key: [sum(column) / len(column) for column in zip(*scores, strict=True)] for key, scores in found.items()}
    return [(*key, "anger" if mean[0] > mean[1] else "joy", mean[0]) for key, mean in means.items()]


def test_a_sequence_is_what_its_images_say_in_the_mean_not_what_most_of_them_say():
    table = frames(["anger"] * 3, [0.99, 0.4, 0.4], ["a"] * 3, ["1"] * 3, intensity=[np.nan, 0.5, 1])
    voted = vote(table)
    assert (table["predicted"] == "joy").sum() == 2 and voted["predicted"].tolist() == ["anger"]
    assert voted["p_anger"].tolist() == pytest.approx([(0.99 + 0.4 + 0.4) / 3])
    assert voted["frame"].tolist() == [0] and np.isnan(voted["intensity"][0])  # the first image's
    assert table["predicted"].tolist() == ["anger", "joy", "joy"]  # left as it was


def test_votes_are_those_of_a_slow_loop_over_seeds_folds_people_and_their_sequences():
    numbers = np.random.default_rng(0)
    n = 240
    table = frames(
        numbers.choice(["anger", "joy"], n), numbers.random(n), numbers.choice(["b", "a", "c"], n),
        numbers.choice(["2", "1"], n), fold=numbers.integers(0, 2, n), seed=numbers.integers(0, 3, n),
    )  # fmt: skip
    voted, expected = vote(table), slow_vote(table)
    assert len(voted) == 36 and list(voted) == list(table)
    found = voted[["seed", "fold", "subject", "sequence", "predicted"]].itertuples(index=False, name=None)
    assert list(found) == [row[:5] for row in expected]
    np.testing.assert_allclose(voted["p_anger"], [row[5] for row in expected])


def test_a_perfect_predictor_votes_perfectly_and_nothing_votes_for_nothing():
    truth = ["anger"] * 3 + ["joy"] * 3
    table = frames(truth, [1.0] * 3 + [0.0] * 3, ["a"] * 6, ["1"] * 3 + ["2"] * 3)
    assert accuracy(vote(table)) == 1 and vote(table)["label"].tolist() == ["anger", "joy"]
    assert len(vote(table.iloc[:0])) == 0 and list(vote(table.iloc[:0])) == list(table)
    single = vote(frames(truth, [0.2] * 6, list("abcdef"), ["1"] * 6))
    assert single["subject"].tolist() == list("abcdef")  # each person's sequence 1 is one of its own


def pair(gain: float, people: int = 20, images: int = 12, folds: int = 5, seed: int = 0) -> tuple[pd.DataFrame, ...]:
    """Two methods on images of some people, a person's images all a bit easier or harder, and the first better."""
    rng = np.random.default_rng(seed)
    n = people * images
    who = np.repeat(np.arange(people), images)
    skill = (0.6 + 0.2 * rng.standard_normal((people, 2)))[who] + [gain, 0]
    right = rng.random((n, 2)) < skill
    both = [judged(["joy"] * n, np.where(hit, "joy", "fear"), who.astype(str), who % folds) for hit in right.T]
    return tuple(both)


def test_a_method_against_itself_shows_nothing():
    ours, _ = pair(0)
    same = compare(ours, ours, 1 / 4)
    assert same.gap == Interval(0, 0, 0)
    assert same.p == same.corrected_t == same.wilcoxon == same.mcnemar == 1
    assert (same.images, same.people, same.folds) == (240, 20, 5)
    assert np.isnan(same.detectable)  # errors that never differ do not tell how much they could


def test_a_large_gain_is_shown_by_every_test_and_its_sign_turns_with_the_methods():
    ours, base = pair(0.3, folds=10)
    there, back = compare(ours, base, 1 / 9), compare(base, ours, 1 / 9)
    assert there.gap.low > 0 > back.gap.high
    assert there.gap.value == pytest.approx(-back.gap.value)
    for test in ("p", "corrected_t", "wilcoxon", "mcnemar"):
        assert getattr(there, test) < 0.05, test
        assert getattr(there, test) == pytest.approx(getattr(back, test), abs=1e-3), test


def test_the_tests_are_those_of_the_libraries():
    ours, base = pair(0.1)
    right, theirs = (p["label"] == p["predicted"] for p in (ours, base))
    folds = [right[ours["fold"] == k].mean() - theirs[ours["fold"] == k].mean() for k in range(5)]
    found = compare(ours, base, 1 / 4)
    assert np.isnan(compare(ours, base).corrected_t)
    assert found.wilcoxon == pytest.approx(stats.wilcoxon(folds).pvalue)
    won, lost = int((right & ~theirs).sum()), int((theirs & ~right).sum())
    assert found.mcnemar == pytest.approx(stats.binomtest(won, won + lost).pvalue)
    # where resamplings share no training image, the corrected test is Student's own
    assert corrected_resampled_t(np.array(folds), 0) == pytest.approx(stats.ttest_1samp(folds, 0).pvalue)
    t = np.mean(folds) / np.sqrt((1 / 5 + 1 / 4) * np.var(folds, ddof=1))
    assert found.corrected_t == pytest.approx(2 * stats.t.sf(abs(t), 4))


def test_one_fold_or_one_person_decides_nothing():
    ours, base = pair(0.3, folds=1)
    assert np.isnan([compare(ours, base, 1 / 4).corrected_t, compare(ours, base).wilcoxon]).all()
    ours, base = pair(0.3, people=1)
    alone = compare(ours, base)
    assert np.isnan([alone.gap.low, alone.p, alone.detectable]).all() and alone.images == 12


def test_methods_on_different_images_are_not_compared():
    ours, base = pair(0)
    with pytest.raises(ValueError, match="same images"):
        compare(ours, base.iloc[:-1])
    with pytest.raises(ValueError, match="same images"):
        compare(ours.assign(seed=0), base.assign(seed=1))


def test_without_a_difference_a_gain_is_shown_in_at_most_five_of_a_hundred_studies():
    shown = sum(compare(*pair(0, people=12, seed=seed)).gap.low > 0 for seed in range(200))
    assert 0 < shown <= 0.05 * 200  # one side of a 95 % interval: 2.5 % in theory


def test_a_gap_of_the_detectable_size_is_found_in_four_of_five_studies():
    aim = np.mean([compare(*pair(0, people=30, seed=seed)).detectable for seed in range(20)])
    found = np.mean([compare(*pair(aim, people=30, seed=seed)).p < 0.05 for seed in range(100, 200)])
    assert 0.7 < found < 0.9


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]).tolist() == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.01, np.nan, 0.04]).tolist() == pytest.approx([0.02, np.nan, 0.04], nan_ok=True)
    assert holm([0.9, 0.8]).max() <= 1 and len(holm([])) == 0


def test_holm_is_that_of_statsmodels():
    p_values = np.random.default_rng(0).random(20) ** 4
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1])


def test_detectable_gaps_of_printed_accuracies():
    gap = detectable_gap(95.0, 94.0, 327)
    assert gap.least == pytest.approx(100 * 6 / 327)  # 2 * 0.5 ** 5 = 0.0625, 2 * 0.5 ** 6 = 0.03125
    better = 0.94 + gap.independent / 100  # power recomputed from the definition of Cohen's h
    effect = 2 * (np.arcsin(np.sqrt(better)) - np.arcsin(np.sqrt(0.94)))
    assert stats.norm.sf(stats.norm.ppf(0.975) - effect * np.sqrt(327 / 2)) == pytest.approx(0.8, abs=1e-3)
    assert detectable_gap(94.0, 95.0, 327) == gap
    assert detectable_gap(94.0, 95.0, 3270).independent < gap.independent
    assert np.isnan(detectable_gap(99.5, 99.0, 20).independent)
