"""Does a face's place in the image give its expression away? Tests on the eyes alone, before and after alignment."""

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

PLACE = ("x", "y", "scale", "roll")
FOLDS = 10
RESAMPLES = 2000


@dataclass(frozen=True)
class PairedShare:
    """Share of persons whose value moves the commoner way (1/2: no leak, 1: all), with its 95 % interval."""

    share: float
    low: float
    high: float
    way: int  # +1 where the second value of a pair is commonly the larger one, -1 the smaller one


def place(left_eye: np.ndarray, right_eye: np.ndarray) -> np.ndarray:
    """Eyes (each N x 2) -> N x 4: midpoint x and y, distance (all in the unit given), roll (degrees)."""
    middle, across = (left_eye + right_eye) / 2, right_eye - left_eye
    return np.column_stack([middle, np.hypot(*across.T), np.degrees(np.arctan2(across[:, 1], across[:, 0]))])


def paired_share(first: np.ndarray, second: np.ndarray, seed: int = 0) -> PairedShare:
    """How often ``second`` > ``first`` (one value per person, N each), a tie counting half.

    The interval is the percentile bootstrap over persons with the way held fixed. The commoner way of N fair coins has
    an expected share of about 1/2 + 0.4 / sqrt(N), so read the interval, not the share. Raises ValueError.
    """
    _check_pairs(first, second, dimensions=1)
    greater = (np.sign(second - first) + 1) / 2  # 1, 1/2 or 0
    way = 1 if greater.mean() >= 0.5 else -1
    moved = greater if way > 0 else 1 - greater
    drawn = np.random.default_rng(seed).integers(len(moved), size=(RESAMPLES, len(moved)))
    low, high = np.quantile(moved[drawn].mean(1), (0.025, 0.975))
    return PairedShare(float(moved.mean()), float(low), float(high), way)


def single_accuracy(first: np.ndarray, second: np.ndarray) -> float:
    """Accuracy of a logistic regression that sees one image's place (N x D per expression), both images of a person
    in one fold; chance 1/2. Raises ValueError.
    """
    _check_pairs(first, second, dimensions=2)
    right = 0.0
    for test in _folds(len(first)):
        values, labels = np.concatenate([first[~test], second[~test]]), np.repeat([0, 1], (~test).sum())
        model = make_pipeline(StandardScaler(), LogisticRegression()).fit(values, labels)
        right += (model.predict(first[test]) == 0).sum() + (model.predict(second[test]) == 1).sum()
    return float(right / (2 * len(first)))


def paired_accuracy(first: np.ndarray, second: np.ndarray) -> float:
    """Accuracy of telling which of a person's two images comes second, from the difference of their places (N x D):
    logistic regression without intercept, trained on both signs, tested on the other persons; a tie counts half.
    Raises ValueError.
    """
    _check_pairs(first, second, dimensions=2)
    change = second - first
    right = 0.0
    for test in _folds(len(change)):
        known = change[~test]
        unit = np.sqrt((known**2).mean(0))
        known, unknown = (values / np.where(unit > 0, unit, 1) for values in (known, change[test]))
        labels = np.repeat([1, 0], len(known))
        model = LogisticRegression(fit_intercept=False).fit(np.concatenate([known, -known]), labels)
        right += ((np.sign(unknown @ model.coef_[0]) + 1) / 2).sum()
    return float(right / len(change))


def _folds(persons: int) -> list[np.ndarray]:
    return [np.arange(persons) % FOLDS == k for k in range(FOLDS)]


def _check_pairs(first: np.ndarray, second: np.ndarray, dimensions: int) -> None:
    if first.shape != second.shape or first.ndim != dimensions or len(first) < FOLDS:
        raise ValueError(f"two equal {dimensions}-d arrays of >= {FOLDS} persons, not {first.shape}, {second.shape}")
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError("a place is not finite; drop that person first")
