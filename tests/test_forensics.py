"""Printed digits: known answers by plain counting, against every row that was once worked out by hand."""

import itertools
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from fercore import paths
from fercore.faces.folds import fold_of
from fercore.forensics import distinguishable, nearest, reachable, runs_needed, share
from fercore.forensics.cells import accuracies, columns, folds_of, sizes
from fercore.forensics.counting import fit_of, nested
from fercore.forensics.f1 import macro_range, solutions, two_class_range
from fercore.forensics.fold_means import even, fold_mean, uneven

CKPLUS = (33, 39, 40, 35, 30, 37, 29, 29, 33, 22)
LISTS = [place / "shared" / "papers" / "granularity_check.csv" for place in paths.ROOT.parents]
SHARED = next((file for file in LISTS if file.is_file()), None)
BY_HAND = [  # of that list: one of each column, and all that decide something
    ("gcnet 2", "96.94", 327, "rounded"), ("gcnet 2", "97.08", 981, "no"), ("gcnet 3", "97.28", 654, "no"),
    ("gcnet 4", "78.86", 615, "rounded"), ("gcnet 4", "81.53", 205, "no"), ("gcnet 5", "83.96", 480, "rounded"),
    ("gcnet 5", "84.65", 480, "no"), ("gcnet 5", "84.65", 1440, "rounded"), ("gcnet 5", "86.39", 480, "no"),
    ("gcnet 5", "86.39", 1440, "rounded"), ("gcnet 5", "85.83", 480, "rounded"), ("gcnet 5", "86.11", 1440, "rounded"),
    ("idferm 3", "98.35", 981, "no"), ("idferm 4", "97.76", 1308, "no"), ("idferm 5", "81.11", 624, "no"),
    ("idferm 6", "88.25", 480, "no"), ("idferm 6", "88.25", 1440, "no"), ("occluded 1", "80.73", 3068, "truncated"),
    ("occluded 1", "81.97", 3068, "truncated"), ("occluded 1", "77.54", 3068, "rounded"),
    ("occluded 1", "56.02", 3500, "truncated"), ("occluded 1", "56.42", 3500, "truncated"),
    ("occluded 1", "78.46", 636, "rounded"), ("occluded 1", "78.47", 636, "no"), ("occluded 1", "79.21", 636, "no"),
    ("occluded 1", "89.90", 636, "no"), ("occluded 1", "89.46", 636, "truncated"),
    ("occluded 2", "95.59", 636, "truncated"), ("occluded 2", "97.80", 636, "rounded"),
    ("occluded 3", "69.75", 400, "rounded"), ("unpaired 1", "93.93", 3561, "rounded"),
    ("unpaired 1", "96.92", 3561, "no"), ("unpaired 1", "91.62", 21166, "rounded"), ("unpaired 1", "94.92", 2468, "no"),
    ("unpaired 2", "98.37", 981, "rounded"), ("unpaired 2", "98.37", 327, "no"), ("unpaired 2", "89.11", 1440, "no"),
    ("unpaired 2", "78.68", 624, "truncated"), ("unpaired 2", "79.33", 208, "rounded"),
]  # fmt: skip


def slowly(printed: str, n: int) -> str:
    """Every k of n, printed by Decimal."""
    step = Decimal(1).scaleb(-len(printed.partition(".")[2]))
    context = [Decimal(100 * k) / Decimal(n) for k in range(n + 1)]
    for name, ways in (("rounded", (ROUND_HALF_UP, ROUND_HALF_EVEN)), ("truncated", (ROUND_DOWN,))):
        if any(value.quantize(step, way) == Decimal(printed) for value in context for way in ways):
            return name
    return "no"


@pytest.mark.parametrize("n", [1, 7, 8, 400])
@pytest.mark.parametrize("printed", ["0.0", "12.5", "64.25", "99.9", "100", "33.33"])
def test_reachable_is_what_plain_counting_finds(printed, n):
    assert reachable(printed, n) == slowly(printed, n)


def test_reachable_of_all_values_of_one_decimal():
    ways = {reachable(f"{value / 10:.1f}", 48) for value in range(1001)}
    assert ways == {"rounded", "truncated", "no"}
    assert all(reachable(f"{v / 10:.1f}", 48) == slowly(f"{v / 10:.1f}", 48) for v in range(0, 1001, 7))


def test_halves_may_go_up_or_to_the_even_digit_and_digits_count():
    assert reachable("64.3", 400) == "rounded"  # 257 of 400 are 64.25
    assert reachable("64.2", 400) == "rounded"
    assert reachable("97.1", 981) == "rounded" and reachable("97.10", 981) == "no"


@pytest.mark.parametrize("row", BY_HAND, ids=lambda row: f"{row[0]} {row[1]} of {row[2]}")
def test_rows_worked_out_by_hand(row):
    assert reachable(row[1], row[2]) == row[3]


def test_those_rows_are_printed_and_name_every_table():
    printed = {(f"{c.paper} {c.table.removeprefix('Table ')}", c.value) for c in accuracies().itertuples()}
    assert {(row[0], row[1]) for row in BY_HAND} <= printed
    assert {row[0] for row in BY_HAND} == {f"{c.paper} {t.removeprefix('Table ')}" for c in columns() for t in c.tables}


@pytest.mark.skipif(SHARED is None, reason="the reviewers' list lies outside the repository")
def test_the_whole_list_of_the_reviewers():
    rows = pd.read_csv(SHARED, dtype=str)
    ours = [reachable(printed, int(n)) for printed, n in zip(rows["printed"], rows["n_test_assumed"], strict=True)]
    assert ours == list(rows["reachable"]) and len(rows) > 150


@pytest.mark.parametrize("bad", [97.08, "97,08", "-1", "100.01", "1e2", "nan", ""])
def test_what_is_no_printed_percentage_is_refused(bad):
    with pytest.raises(ValueError, match="text|no printed|above 100"):
        reachable(bad, 100)


def test_no_image_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        reachable("50.00", 0)


def test_nearest_values_are_reachable_and_none_lies_between():
    below, above = nearest("97.08", 981)
    assert (below, above) == ("97.04", "97.15")
    between = range(int(Decimal(below) * 100) + 1, int(Decimal(above) * 100))
    assert not any(reachable(f"{value / 100:.2f}", 981) == "rounded" for value in between)


def test_runs_needed_is_the_least():
    assert runs_needed("88.25", 1440) == 4  # 5083 of 5760
    assert [reachable("88.25", 1440 * m) for m in (1, 2, 3)] == ["no"] * 3
    assert runs_needed("96.94", 327) == 1 and runs_needed("78.47", 636, most=9) is None


def test_share_of_all_values_is_their_number():
    assert share("0.00", "100.00", 327).rounded == pytest.approx(328 / 10001)
    assert share("0.00", "100.00", 3561).rounded == pytest.approx(3562 / 10001)
    assert share("0.00", "100.00", 21166).rounded == 1
    with pytest.raises(ValueError, match="same digits"):
        share("90.0", "91.00", 10)


def test_random_values_fit_as_often_as_chance_says():
    rng = np.random.default_rng(0)
    found = [fit_of([f"{v / 100:.2f}" for v in rng.integers(9000, 9600, 8)], 636).p[0] < 0.05 for _ in range(200)]
    assert np.mean(found) <= 0.09  # 5 %, and twice the standard error of 200 draws


def test_the_true_unit_is_found_and_the_coarse_one_is_not_credited():
    values = [f"{100 * k / 1440:.2f}" for k in (1203, 1219, 1244, 1237, 1241, 1250)]
    assert fit_of(values, 1440).rounded == 6 and fit_of(values, 1440).p[0] < 1e-4
    found = nested(values, 480, 1440)
    assert found.p_fine < 0.01 and found.p_coarse > 0.1
    sequences = nested([f"{100 * k / 480:.2f}" for k in (401, 403, 407, 411, 412, 416)], 480, 1440)
    assert sequences.p_coarse < 0.01 and sequences.p_fine == 1
    with pytest.raises(ValueError, match="not nested"):
        nested(values, 480, 1000)


def test_a_repeated_value_counts_once():
    assert fit_of(["95.91", "95.91", "96.23"], 636).values == 2


def test_too_close_values_are_noticed_by_plain_counting():
    gives = {f"{Decimal(100 * k) / 636:.2f}" for k in range(637)}
    assert not distinguishable("78.46", "78.47", 636) and not {"78.46", "78.47"} <= gives
    assert all(distinguishable(a, b, 636) for a, b in itertools.pairwise(sorted(gives, key=float)))


@pytest.mark.parametrize("printed", ["97.08", "97.83", "50.00", "100.00", "0.00", "99.7"])
def test_a_mean_of_folds_that_is_found_prints_so(printed):
    right = fold_mean(printed, CKPLUS)
    mean = 100 * sum(Fraction(k, n) for k, n in zip(right, CKPLUS, strict=True)) / len(CKPLUS)
    places = len(printed.partition(".")[2])
    assert int(mean * 10**places + Fraction(1, 2)) == round(float(printed) * 10**places)
    assert all(0 <= k <= n for k, n in zip(right, CKPLUS, strict=True))


def test_equal_folds_are_as_pooled():
    for value in range(8800, 8840):
        printed = f"{value / 100:.2f}"
        assert (fold_mean(printed, (48,) * 10) is not None) == (Decimal(printed) in _half_up(480))


def _half_up(n: int) -> set[Decimal]:
    return {(Decimal(100 * k) / n).quantize(Decimal("0.01"), ROUND_HALF_UP) for k in range(n + 1)}


def test_folds_of_22_people_are_counted_exactly():
    people = uneven(3561, 22)
    right = fold_mean("96.92", people)
    assert round(float(100 * sum(Fraction(k, n) for k, n in zip(right, people, strict=True)) / 22), 2) == 96.92
    assert sum(people) == 3561 and 1.9 < max(people) / min(people) < 2.1 and sum(even(3561, 22)) == 3561


def test_no_fold_may_be_empty():
    with pytest.raises(ValueError, match="at least 1 image"):
        fold_mean("50.00", (3, 0))


def _every_matrix(counts):
    for fn, fp in itertools.product(range(counts[0] + 1), range(counts[1] + 1)):
        yield counts[0] - fn, fp, fn, counts[1] - fp


@pytest.mark.parametrize("average", ["binary", "macro"])
def test_solutions_are_all_matrices_that_print_so(average):
    counts, ways = (13, 9), (ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_DOWN)

    def prints(value: Fraction, printed: str) -> bool:
        exact = Decimal(value.numerator) / Decimal(value.denominator) * 100
        return any(exact.quantize(Decimal("0.1"), way) == Decimal(printed) for way in ways)

    expected = []
    for tp, fp, fn, tn in _every_matrix(counts):
        ours, other = (Fraction(2 * t, 2 * t + fp + fn) if t + fp + fn else Fraction(0) for t in (tp, tn))
        f1 = ours if average == "binary" else (ours + other) / 2
        if prints(Fraction(tp + tn, 22), "77.2") and prints(f1, "78.2" if average == "binary" else "77.2"):
            expected.append((tp, fp, fn, tn))
    assert sorted(solutions("77.2", "78.2" if average == "binary" else "77.2", counts, average)) == sorted(expected)
    assert expected


def test_no_matrix_leaves_the_range():
    for average in ("binary", "macro"):
        span = two_class_range("77.3", (13, 9), average)
        values = []
        for tp, fp, fn, tn in _every_matrix((13, 9)):
            if tp + tn == 17:
                true, told = [1] * 13 + [0] * 9, [1] * tp + [0] * fn + [1] * fp + [0] * tn
                values.append(100 * f1_score(true, told, average=average))
        assert span.low <= min(values) + 1e-9 and span.high >= max(values) - 1e-9
        assert not span.holds(f"{max(0, span.low - 1.5):.2f}") and not span.holds(f"{span.high + 0.05:.2f}")


def test_macro_bounds_hold_for_every_confusion_of_three_classes():
    counts = (12, 9, 7)
    found = [100 * f1 for wrong in (6, 7, 8) for f1 in _every_macro_f1(counts, wrong)]  # 75.0 % and an image around
    span = macro_range("75.0", counts)
    assert span.low <= min(found) + 1e-6 and max(found) <= span.high + 1e-6
    assert span.high - max(found) < 2 and min(found) - span.low < 4  # no empty bound
    assert not span.holds("40.0") and not span.holds("95.0")
    assert macro_range("100.00", counts).holds("100.00")


def _every_macro_f1(counts, wrong):
    """From every number of missed and of wrongly claimed images per class that some confusion matrix has."""
    splits = [s for s in itertools.product(range(wrong + 1), repeat=len(counts)) if sum(s) == wrong]
    for missed, claimed in itertools.product(splits, repeat=2):
        fits = zip(missed, claimed, counts, strict=True)
        if all(x <= n and x + y <= wrong for x, y, n in fits):
            ratios = [2 * (n - x) / (2 * n - x + y) for x, y, n in zip(missed, claimed, counts, strict=True)]
            yield sum(ratios) / len(counts)


def test_known_folds_are_those_of_the_sequences():
    table = pd.read_csv(paths.ROOT / "fercore" / "faces" / "ckplus_sequences.csv", dtype=str)
    fold = fold_of(table)
    sequences, people = fold.value_counts().sort_index(), table.groupby(fold)["subject"].nunique()
    assert tuple(sequences) == CKPLUS
    listed = sizes().query("dataset.str.startswith('CK+ (7') or dataset.str.startswith('CK+ (8')")
    for unit in listed.itertuples():
        each, neutral = divmod(unit.images, 327)
        expected = [each * s + (p if neutral == 118 else 0) for s, p in zip(sequences, people, strict=True)]
        assert list(folds_of(unit.folds, unit.images)) == expected


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("gcnet,Table 2,CK,sequences,327,stated,,x", "line 2: gcnet Table 2 has no column 'CK'"),
        ("gcnet,Table 2,CK+ (7 expressions),sequences,327,guessed,,x", "valid: stated, inferred"),
        ("gcnet,Table 2,CK+ (7 expressions),sequences,327,stated,300 20,x", "do not add up to 327"),
        ("gcnet,Table 2,CK+ (7 expressions),sequences,0,stated,,x", "do not add up"),
    ],
)
def test_impossible_sizes_are_refused(tmp_path, monkeypatch, line, complaint):
    for file in paths.published().glob("*_table*.csv"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "test_sizes.csv").write_text("paper,table,dataset,unit,images,basis,folds,place\n" + line + "\n")
    monkeypatch.setattr(paths, "published", lambda: tmp_path)
    with pytest.raises(ValueError, match=complaint.replace("+", r"\+")):
        sizes()
