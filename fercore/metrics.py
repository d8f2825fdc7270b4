"""Scores that are means of ratios of counts (accuracy, F1, balanced accuracy), with intervals over subjects."""

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from fercore.evaluation import Interval, bounded

DRAWS = 2000


@dataclass(frozen=True)
class Counts:
    """What every image adds above and below the line of each ratio (N x C both), and whose image it is (N)."""

    top: np.ndarray
    bottom: np.ndarray
    subject: np.ndarray

    def value(self) -> float:
        """The mean of the ratios; one with nothing below the line is left out."""
        return float(_mean_ratio(self.top.sum(0), self.bottom.sum(0)))

    def drawn(self, seed: int = 0) -> np.ndarray:
        """The same for DRAWS resamplings of whole subjects, none of one person; sets of one order are drawn alike."""
        sums = self._by_subject()
        if (people := sums[0].shape[1]) < 2:
            return np.empty(0)
        picks = np.random.default_rng(seed).integers(0, people, size=(DRAWS, people))
        return _mean_ratio(*(part[:, picks].sum(2).T for part in sums))

    def without_each(self) -> np.ndarray:
        """The same without each subject in turn, in their order."""
        return _mean_ratio(*((part.sum(1, keepdims=True) - part).T for part in self._by_subject()))

    def _by_subject(self) -> list[np.ndarray]:
        """The sums of each subject above and below the line, both C x subjects."""
        groups = pd.factorize(self.subject, sort=True)[0]
        return [np.stack([np.bincount(groups, column) for column in part.T]) for part in (self.top, self.bottom)]


def pooled(parts: list[Counts]) -> Counts:
    """The images of several folds as one."""
    return Counts(*(np.concatenate([getattr(part, own.name) for part in parts]) for own in fields(Counts)))


def interval(counts: Counts) -> Interval:
    """The score and its 95 % interval."""
    return bounded(counts.value(), counts.drawn())


def difference(ours: Counts, base: Counts) -> Interval:
    """Score of ``ours`` minus ``base``, paired by subject; raises ValueError where they are not of the same images."""
    if not np.array_equal(ours.subject, base.subject):
        raise ValueError("the two were not tested on the same images; train the missing folds first")
    return bounded(ours.value() - base.value(), ours.drawn() - base.drawn())


def nearer_to_chance(ours: Counts, base: Counts, chance: float = 0.5) -> Interval:
    """How much nearer to ``chance`` the score of ``ours`` lies than that of ``base``, likewise."""
    if not np.array_equal(ours.subject, base.subject):
        raise ValueError("the two were not tested on the same images")
    far = [abs(np.append(counts.drawn(), counts.value()) - chance) for counts in (base, ours)]
    closer = far[0] - far[1]
    return bounded(float(closer[-1]), closer[:-1])


def accuracy(predicted: pd.DataFrame, classes: tuple[str, ...]) -> Counts:
    """Share of images classified rightly."""
    right = (predicted["label"] == predicted["predicted"]).to_numpy(float)[:, None]
    return Counts(right, np.ones_like(right), predicted["subject"].to_numpy())


def f1(predicted: pd.DataFrame, classes: tuple[str, ...]) -> Counts:
    """F1 of the last class, ``2 TP / (2 TP + FP + FN)``: of two classes the second-named one is the positive one."""
    return _f1_of(predicted, classes[-1:])


def macro_f1(predicted: pd.DataFrame, classes: tuple[str, ...]) -> Counts:
    """Mean of the F1 of every class."""
    return _f1_of(predicted, classes)


METRICS: dict[str, Callable[[pd.DataFrame, tuple[str, ...]], Counts]] = {
    "accuracy": accuracy, "F1": f1, "macro-F1": macro_f1,
}  # fmt: skip


def _f1_of(predicted: pd.DataFrame, classes: tuple[str, ...]) -> Counts:
    true, guess = (predicted[name].to_numpy()[:, None] == np.array(classes) for name in ("label", "predicted"))
    return Counts(2.0 * (true & guess), true.astype(float) + guess, predicted["subject"].to_numpy())


def _mean_ratio(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    counted = bottom > 0
    with np.errstate(invalid="ignore"):
        return np.where(counted, top / bottom, 0).sum(-1) / counted.sum(-1)
