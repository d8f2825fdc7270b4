"""From per-image class scores to accuracy, F1, confusion, intervals over subjects and paired tests."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import asin, pi, sin, sqrt

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.metrics import confusion_matrix, f1_score
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.power import NormalIndPower, TTestPower

from fercore.predictions import SCORE

DRAWS = 2000
DECIMALS = 12  # of values and bounds; beyond lies how they were summed


def vote(predicted: pd.DataFrame) -> pd.DataFrame:
    """One row per sequence of each fold and seed instead of its images: the class of the highest mean score.

    Keeps the columns and order; ``row``, ``frame`` and ``intensity`` are those of the sequence's first image.
    """
    keys = [key for key in ("seed", "fold", "subject", "sequence") if key in predicted]
    scores = [column for column in predicted if column.startswith(SCORE)]
    voted = predicted.drop_duplicates(keys, ignore_index=True)
    voted[scores] = predicted.groupby(keys, sort=False)[scores].mean().to_numpy()
    voted["predicted"] = voted[scores].idxmax(axis=1).str.removeprefix(SCORE)
    return voted


def accuracy(predicted: pd.DataFrame) -> float:
    """Share of images classified rightly, pooled over all rows; NaN without rows."""
    return float((predicted["label"] == predicted["predicted"]).mean())


def mean_of_folds(predicted: pd.DataFrame) -> float:
    """Mean over folds (column ``fold``) of each fold's accuracy, as the papers' captions say."""
    return float((predicted["label"] == predicted["predicted"]).groupby(predicted["fold"]).mean().mean())


def macro_f1(predicted: pd.DataFrame) -> float:
    """F1 averaged over the classes that occur."""
    return float(f1_score(predicted["label"], predicted["predicted"], average="macro", zero_division=0))


def confusion(predicted: pd.DataFrame, classes: list[str]) -> pd.DataFrame:
    """Counts, true class by row, predicted class by column."""
    counts = confusion_matrix(predicted["label"], predicted["predicted"], labels=classes)
    return pd.DataFrame(counts, index=pd.Index(classes, name="true"), columns=pd.Index(classes, name="predicted"))


@dataclass(frozen=True)
class Interval:
    """A value and its 95 % interval; not a number where there is only one person to draw from."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        if np.isnan(self.low):
            return f"{100 * self.value:.1f} [one person]"
        return f"{100 * self.value:.1f} [{100 * self.low:.1f}, {100 * self.high:.1f}]".replace("inf", "∞")


class Ratio(Interval):
    """A ratio and its 95 % interval, told as it is and not in percent."""

    def __str__(self) -> str:
        if np.isnan(self.low):
            return "over nothing" if np.isnan(self.value) else f"{self.value:.2f} [one person]"
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]".replace("inf", "∞")


def subject_bootstrap(correct: pd.Series, subject: pd.Series, draws: int = DRAWS, seed: int = 0) -> Interval:
    """Mean of ``correct`` with a 95 % interval from resampling whole subjects (images of one person are no independent
    draws); ``correct`` may also hold differences between two methods on the same images."""
    return bounded(*_means_of_resampled(correct, pd.Series(1, correct.index), subject, draws, seed))


def ratio_interval(
    counts: pd.Series, others: pd.Series, subject: pd.Series, draws: int = DRAWS, seed: int = 0
) -> Ratio:
    """``sum(counts) / sum(others)`` with a 95 % interval from resampling whole subjects (rows are the same images).

    Not a number where ``others`` counts nothing; unbounded where too many drawings count something over nothing.
    """
    found = bounded(*_means_of_resampled(counts, others, subject, draws, seed))
    return Ratio(found.value, found.low, found.high)


def _means_of_resampled(
    top: pd.Series, bottom: pd.Series, subject: pd.Series, draws: int, seed: int
) -> tuple[float, np.ndarray]:
    """``sum(top) / sum(bottom)``, and the same for every drawing of as many subjects as there are, with repetition.

    Drawings of nothing over nothing are left out; of something over nothing they are infinite.
    """
    people = subject.to_numpy()
    sums = [values.astype(float).groupby(people).sum().to_numpy() for values in (top, bottom)]
    if len(sums[0]) < 2 or not sums[1].sum():
        value = sums[0].sum() / sums[1].sum() if sums[1].sum() else float("nan")
        return float(value), np.full(1, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):  # draws without any below the line
        drawn = stats.bootstrap(
            sums, lambda a, b, axis: a.sum(axis) / b.sum(axis), paired=True, n_resamples=draws, vectorized=True,
            method="percentile", rng=np.random.default_rng(seed),
        ).bootstrap_distribution  # fmt: skip
    return float(sums[0].sum() / sums[1].sum()), drawn[~np.isnan(drawn)]


def bounded(value: float, drawn: np.ndarray) -> Interval:
    """The value and the interval that holds 95 % of its drawings, those that are no number left out.

    To twelve decimals: what is the same number by two ways of counting is then the same interval, also in print.
    """
    if not len(drawn := drawn[~np.isnan(drawn)]):
        return Interval(round(value, DECIMALS), float("nan"), float("nan"))
    with np.errstate(invalid="ignore"):
        between, below, above = (np.quantile(drawn, [0.025, 0.975], method=m) for m in ("linear", "lower", "higher"))
        low, high = np.where(np.isinf(below + above), below + above, between)  # NumPy finds no number beside infinity
    return Interval(*(round(float(number), DECIMALS) + 0.0 for number in (value, low, high)))  # -0.0 becomes 0.0


def accuracy_interval(predicted: pd.DataFrame) -> Interval:
    """Pooled accuracy with its subject-cluster bootstrap interval."""
    return subject_bootstrap(predicted["label"] == predicted["predicted"], predicted["subject"])


def difference_interval(ours: pd.DataFrame, baseline: pd.DataFrame) -> Interval:
    """Pooled accuracy of ``ours`` minus ``baseline``, paired image by image; raises ValueError on different images."""
    return subject_bootstrap(_gained(ours, baseline), ours["subject"])


@dataclass(frozen=True)
class Comparison:
    """Two methods on the same images: the gap in accuracy, and two-sided p of four tests of "no difference"."""

    gap: Interval  # from resampling whole people
    p: float  # over people: of the same drawings or of Student's t, the larger, as drawings are too sure of a few
    corrected_t: float  # over folds and seeds, whose training sides overlap; not a number for fewer than two
    wilcoxon: float  # over folds and seeds, by rank; takes them as independent, which they are not quite
    mcnemar: float  # over images, exact; takes the images of one person as independent, so it is too sure
    images: int
    people: int
    folds: int  # fold and seed pairs
    detectable: float  # the gap, in accuracy, that four of five such studies would find; unknown where none varies


def compare(ours: pd.DataFrame, baseline: pd.DataFrame, test_per_training: float = float("nan")) -> Comparison:
    """Hold ``ours`` against ``baseline`` by every paired test there is; raises ValueError on different images.

    ``test_per_training``: images in a fold over images in its training side; without it there is no corrected t.
    """
    gained = _gained(ours, baseline)
    value, drawn = _means_of_resampled(gained, pd.Series(1, gained.index), ours["subject"], DRAWS, 0)
    people = gained.groupby(ours["subject"]).agg(["sum", "size"])
    without_each = ((gained.sum() - people["sum"]) / (len(gained) - people["size"])).to_numpy()
    folds = gained.groupby([ours[key] for key in ("fold", "seed") if key in ours]).mean()
    return Comparison(
        bounded(value, drawn), float(np.maximum(two_sided(drawn), jackknife_t(value, without_each))),
        corrected_resampled_t(folds.to_numpy(), test_per_training),
        _wilcoxon(folds), _mcnemar(gained), len(gained), len(people), len(folds),
        _effect(len(people)) * jackknife_error(without_each) or float("nan"),
    )  # fmt: skip


def two_sided(drawn: np.ndarray) -> float:
    """Share of the drawings of a gap on the other side of zero, doubled; never less than one drawing could tell.

    Drawings that are not a number say nothing; without any other there is no p.
    """
    drawn = drawn[~np.isnan(drawn)]
    if not len(drawn):
        return float("nan")
    share = min((drawn <= 0).mean(), (drawn >= 0).mean())
    return float(min(1.0, 2 * max(share, 1 / (len(drawn) + 1))))


def jackknife_error(without_each: np.ndarray) -> float:
    """Standard error of a value from what it is without each of J people; not a number for fewer than two.

    ``sqrt((J - 1)/J sum_j (value_-j - mean value_-j)^2)``
    """
    if (people := len(without_each)) < 2:
        return float("nan")
    return sqrt((people - 1) / people * ((without_each - without_each.mean()) ** 2).sum())


def jackknife_t(gap: float, without_each: np.ndarray) -> float:
    """Two-sided p of Student's t for a gap over its jackknife error, J - 1 degrees of freedom for J people.

    Not a number for fewer than two; 1 where no gap is and none appears.
    """
    if not (error := jackknife_error(without_each)):
        return 1.0 if not gap else 0.0
    return float(2 * stats.t.sf(abs(gap) / error, len(without_each) - 1))


@cache
def _effect(people: int) -> float:
    """How many standard errors a gap must measure to be found by Student's t at 5 % in four of five studies."""
    return TTestPower().solve_power(nobs=people, alpha=0.05, power=0.8) * sqrt(people) if people > 1 else float("nan")


def corrected_resampled_t(differences: np.ndarray, test_per_training: float) -> float:
    """Two-sided p of Student's t with the variance of a mean of J resamplings that share training images.

    ``t = mean(d) / sqrt((1/J + n_test/n_train) var(d))``, J - 1 degrees of freedom (Nadeau & Bengio 2003). Not a number
    for fewer than two differences; 1 where all are zero.
    """
    if (count := len(differences)) < 2:
        return float("nan")
    if not (spread := differences.var(ddof=1)):
        return 1.0 if not differences.any() else 0.0
    t = differences.mean() / sqrt((1 / count + test_per_training) * spread)
    return float(2 * stats.t.sf(abs(t), count - 1))


def holm(p_values: Sequence[float]) -> np.ndarray:
    """p-values adjusted for how many there are (Holm 1979); what is not a number stays so and does not count."""
    p_values = np.asarray(p_values, float)
    adjusted, order = np.full(len(p_values), np.nan), np.argsort(p_values)[: np.isfinite(p_values).sum()]
    # by hand: statsmodels' multipletests collects garbage at every call, half a second where torch is loaded
    steps = p_values[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1) if len(order) else steps
    return adjusted


@dataclass(frozen=True)
class Detectable:
    """How large a gap in accuracy, in points, must be to be told from none at 5 %."""

    independent: float  # found in four of five studies if errors are independent; not a number where 100 % is too low
    least: float  # all images on which the two differ favour the same one; anything less proves nothing whatever it is


def detectable_gap(first: float, second: float, images: int) -> Detectable:
    """What could be told between accuracies like ``first`` and ``second`` (percent) on that many images."""
    effect = NormalIndPower().solve_power(nobs1=images, alpha=0.05, power=0.8)
    lower = min(first, second) / 100
    angle = asin(sqrt(lower)) + effect / 2  # Cohen's h is the difference of two such angles, doubled
    above = sin(angle) ** 2 if angle < pi / 2 else float("nan")
    sides = next(n for n in range(1, 20) if stats.binomtest(n, n).pvalue < 0.05)
    return Detectable(100 * (above - lower), 100 * sides / images)


def _gained(ours: pd.DataFrame, baseline: pd.DataFrame) -> pd.Series:
    """+1 where only ``ours`` is right, -1 where only ``baseline`` is, else 0."""
    keys = [key for key in ("row", "fold", "seed") if key in ours]
    if not all(key in baseline and ours[key].equals(baseline[key]) for key in keys):
        raise ValueError("the two methods were not tested on the same images; train the missing folds first")
    right, base = ((p["label"] == p["predicted"]).astype(int) for p in (ours, baseline))
    return right - base


def _wilcoxon(folds: pd.Series) -> float:
    if len(folds) < 2:
        return float("nan")
    return float(stats.wilcoxon(folds).pvalue) if folds.any() else 1.0


def _mcnemar(gained: pd.Series) -> float:
    won, lost = int((gained > 0).sum()), int((gained < 0).sum())
    return float(mcnemar([[0, won], [lost, 0]], exact=True).pvalue)
