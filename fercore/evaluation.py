"""From per-image class scores to accuracy, F1, confusion and intervals over subjects."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix, f1_score

from fercore.predictions import SCORE


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
        if self.low != self.low:
            return f"{100 * self.value:.1f} [one person]"
        return f"{100 * self.value:.1f} [{100 * self.low:.1f}, {100 * self.high:.1f}]"


class Ratio(Interval):
    """A ratio and its 95 % interval, told as it is and not in percent."""

    def __str__(self) -> str:
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


def subject_bootstrap(correct: pd.Series, subject: pd.Series, draws: int = 2000, seed: int = 0) -> Interval:
    """Mean of ``correct`` with a 95 % interval from resampling whole subjects (images of one person are no independent
    draws); ``correct`` may also hold differences between two methods on the same images."""
    grouped = correct.astype(float).groupby(subject.to_numpy())
    sums, sizes = grouped.sum().to_numpy(), grouped.size().to_numpy()
    if len(sums) == 1:
        return Interval(float(sums[0] / sizes[0]), float("nan"), float("nan"))
    picks = np.random.default_rng(seed).integers(0, len(sums), size=(draws, len(sums)))
    means = sums[picks].sum(1) / sizes[picks].sum(1)
    low, high = np.quantile(means, [0.025, 0.975])
    return Interval(float(sums.sum() / sizes.sum()), float(low), float(high))


def ratio_interval(counts: pd.Series, others: pd.Series, subject: pd.Series, draws: int = 2000, seed: int = 0) -> Ratio:
    """``sum(counts) / sum(others)`` with a 95 % interval from resampling whole subjects (rows are the same images).

    Not a number where ``others`` counts nothing.
    """
    groups = subject.to_numpy()
    above, below = (values.astype(float).groupby(groups).sum().to_numpy() for values in (counts, others))
    picks = np.random.default_rng(seed).integers(0, len(above), size=(draws, len(above)))
    if not below.sum():
        return Ratio(float("nan"), float("nan"), float("nan"))
    top, bottom = above[picks].sum(1), below[picks].sum(1)
    low, high = np.quantile(top[bottom > 0] / bottom[bottom > 0], [0.025, 0.975])  # a draw without any says nothing
    return Ratio(float(above.sum() / below.sum()), float(low), float(high))


def accuracy_interval(predicted: pd.DataFrame) -> Interval:
    """Pooled accuracy with its subject-cluster bootstrap interval."""
    return subject_bootstrap(predicted["label"] == predicted["predicted"], predicted["subject"])


def difference_interval(ours: pd.DataFrame, baseline: pd.DataFrame) -> Interval:
    """Pooled accuracy of ``ours`` minus ``baseline``, paired image by image; raises ValueError on different images."""
    if not ours["row"].equals(baseline["row"]) or not ours["fold"].equals(baseline["fold"]):
        raise ValueError("the two methods were not tested on the same images; train the missing folds first")
    right, base = (p["label"] == p["predicted"] for p in (ours, baseline))
    return subject_bootstrap(right.astype(int) - base.astype(int), ours["subject"])
