"""Which pairs of accuracy and F1 one confusion matrix of known class counts can give."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from fercore.forensics.reach import ratio_fit, units


def errors(accuracy: str, n: int) -> list[int]:
    """Every number of errors with which ``n`` images print as ``accuracy`` (rounded or truncated)."""
    value, digits = units(accuracy)
    near = value * n // (100 * 10**digits)
    fitting = [k for k in (near, near + 1) if 0 <= k <= n and ratio_fit(k, n, value, digits) != "no"]
    return sorted(n - k for k in fitting)


def solutions(accuracy: str, f1: str, counts: tuple[int, int], average: str) -> list[tuple[int, int, int, int]]:
    """Every TP, FP, FN, TN of two classes that prints as both ``accuracy`` and ``f1``, pooled over all images.

    ``counts``: images of the positive and of the other class; ``average``: "binary", ``2 TP / (2 TP + FP + FN)``, or
    "macro", its mean with the other class's.
    """
    positive, negative = counts
    value, digits = units(f1)
    found = []
    for wrong in errors(accuracy, positive + negative):
        tp = np.arange(max(0, positive - wrong), positive - max(0, wrong - negative) + 1, dtype=np.int64)
        tn = negative - wrong + positive - tp
        top, bottom = _ratio(tp, tn, wrong, average)
        near = np.abs(100 * 10**digits * (top / np.maximum(bottom, 1)) - value) <= 1.5
        for one in np.flatnonzero(near & (bottom > 0)):
            if ratio_fit(int(top[one]), int(bottom[one]), value, digits) != "no":
                right, fn = int(tp[one]), positive - int(tp[one])
                found.append((right, wrong - fn, fn, int(tn[one])))
    return found


def _ratio(tp: np.ndarray, tn: np.ndarray, wrong: int, average: str) -> tuple[np.ndarray, np.ndarray]:
    """Numerator and denominator of F1."""
    if average == "binary":
        return 2 * tp, 2 * tp + wrong
    if average == "macro":
        return tp * (2 * tn + wrong) + tn * (2 * tp + wrong), (2 * tp + wrong) * (2 * tn + wrong)
    raise ValueError(f"average {average!r} is unknown; valid: binary, macro")


@dataclass(frozen=True)
class Range:
    """Between what F1 must lie, in percent, at a printed accuracy."""

    low: float
    high: float

    def holds(self, printed: str) -> bool:
        """Whether a printed value, rounded or truncated, can lie within."""
        value, digits = units(printed)
        return (value - 0.5) / 10**digits <= self.high and (value + 1) / 10**digits >= self.low


def two_class_range(accuracy: str, counts: tuple[int, int], average: str) -> Range:
    """All that F1 can be at about ``accuracy``, whether or not a whole number of errors prints as it.

    The errors run over the printed interval and one image to each side; exact, by trying every matrix.
    """
    positive, negative = counts
    low, high = 100.0, 0.0
    for wrong in _error_range(accuracy, positive + negative):
        tp = np.arange(max(0, positive - wrong), positive - max(0, wrong - negative) + 1, dtype=np.int64)
        top, bottom = _ratio(tp, negative - wrong + positive - tp, wrong, average)
        values = 100 * top / np.maximum(bottom, 1)
        low, high = min(low, values.min()), max(high, values.max())
    return Range(float(low), float(high))


def macro_range(accuracy: str, counts: tuple[int, ...]) -> Range:
    """Bounds that macro-F1 of any number of classes cannot leave at about ``accuracy``.

    With ``x_j`` missed and ``y_j`` wrongly claimed images of class j, ``F1_j = 2 (n_j - x_j) / (2 n_j - x_j + y_j)``
    and ``sum x = sum y = E``. For any prices a, b: ``sum_j F1_j <= sum_j max_{x,y} (F1_j - a x - b y) + (a + b) E``
    (weak duality), so the bound is certain whatever the search for prices finds.
    """
    bounds = [_dual(wrong, counts, sign) for wrong in _error_range(accuracy, sum(counts)) for sign in (1, -1)]
    return Range(100 * min(-bound for bound in bounds[1::2]), 100 * max(bounds[0::2]))


def _error_range(accuracy: str, n: int) -> range:
    value, digits = units(accuracy)
    whole = 100 * 10**digits
    fewest = n * (whole - value - 1) // whole
    most = -(-n * (2 * whole - 2 * value + 1) // (2 * whole))
    return range(max(0, fewest), min(n, most) + 1)


def _dual(wrong: int, counts: tuple[int, ...], sign: int) -> float:
    """An upper bound of ``sign`` times macro-F1 with ``wrong`` errors."""
    parts = [_extremes(n, sum(counts) - n, wrong, sign) for n in counts]

    def bound(prices: np.ndarray) -> float:
        best = [(score - prices[0] * x - prices[1] * y).max() for x, y, score in parts]
        return float(sum(best) + prices.sum() * wrong) / len(counts)

    start = -sign * np.full(2, len(counts) / sum(counts) / 2)
    return float(minimize(bound, start, method="Nelder-Mead").fun)


def _extremes(n: int, others: int, wrong: int, sign: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Missed and wrongly claimed images of a class where ``sign`` times its F1, less any prices, is largest.

    F1 is convex in y and concave in x: at its most y is 0 or all that is left, at its least x is. An error has two
    different classes, so x + y is at most ``wrong``.
    """
    if sign > 0:
        free = np.arange(min(n, wrong) + 1)
        x, y = np.tile(free, 2), np.concatenate([0 * free, np.minimum(others, wrong - free)])
    else:
        free = np.arange(min(others, wrong) + 1)
        x, y = np.concatenate([0 * free, np.minimum(n, wrong - free)]), np.tile(free, 2)
    return x, y, sign * 2 * (n - x) / np.maximum(2 * n - x + y, 1)
