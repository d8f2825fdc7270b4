"""Which printed percentages are a mean of fold accuracies, found in whole numbers."""

from math import lcm

import numpy as np

from fercore.forensics.reach import text, units

FREE = 6  # folds of each half whose right answers are varied; leaving out 22 people needs no more


def fold_mean(printed: str, sizes: tuple[int, ...]) -> list[int] | None:
    """Right answers in each fold whose mean of fold accuracies rounds to ``printed``; None where none were found.

    ``mean = 1/F sum_i k_i / n_i`` with fold sizes ``n_i``. Each ``k_i`` stays within two images of the printed
    accuracy, so what is found is proven, and None proves nothing unless the folds are equal: there ``mean = k / n``.
    """
    value, digits = units(printed)
    if not sizes or min(sizes) < 1:
        raise ValueError(f"fold sizes {sizes}: each fold needs at least 1 image")
    found = (_search(value, 100 * 10**digits, sizes, around) for around in (1, 2))
    return next((right for right in found if right is not None), None)


def density(printed: str, sizes: tuple[int, ...], around: int = 10) -> float:
    """Share of the printable values within ``around`` units of the last digit for which such a mean was found."""
    value, digits = units(printed)
    values = range(max(0, value - around), min(100 * 10**digits, value + around) + 1)
    return sum(fold_mean(text(one, digits), sizes) is not None for one in values) / len(values)


def even(images: int, folds: int) -> tuple[int, ...]:
    """Sizes of folds as equal as they can be: what reaches least, where a paper's folds are unknown."""
    return tuple(images // folds + (i < images % folds) for i in range(folds))


def uneven(images: int, folds: int) -> tuple[int, ...]:
    """Sizes that rise evenly until the last fold has about twice the images of the first, as CK+'s have (22 to 40)."""
    ends = [round(images * i * (1 + (i - 1) / (2 * (folds - 1))) / (1.5 * folds)) for i in range(1, folds)]
    return tuple(b - a for a, b in zip([0, *ends], [*ends, images], strict=True))


def _search(value: int, whole: int, sizes: tuple[int, ...], around: int) -> list[int] | None:
    """Meet in the middle: sums of the first folds' numerators, and of the next ones', that add up to the value."""
    common = lcm(*sizes)
    total = common * len(sizes)  # all right: the sum of numerators k_i common / n_i that is 100 %
    exact = np.int64 if 2 * total < 2**62 else object  # Python's own whole numbers where 64 bits are too few
    low, high = (-((1 - 2 * v) * total // (2 * whole)) for v in (value, value + 1))  # from low to below high rounds
    choices = [_near(round(value * n / whole), n, around) for n in sizes]
    half = min(FREE, len(sizes) // 2)
    (left, left_right), (right, right_right), (rest, rest_right) = (
        _combined(choices[part], np.array([common // n for n in sizes[part]], dtype=exact))
        for part in (slice(half), slice(half, half + FREE), slice(half + FREE, None, None))
    )
    order = np.argsort(right)
    needed = low - rest[0] - left
    place = np.searchsorted(right[order], needed).clip(max=len(order) - 1)
    hit = (right[order][place] >= needed) & (right[order][place] < needed + (high - low))
    if not hit.any():
        return None
    one = int(np.argmax(hit))
    return [*left_right[one].tolist(), *right_right[order[place[one]]].tolist(), *rest_right[0].tolist()]


def _near(middle: int, n: int, around: int) -> np.ndarray:
    return np.arange(max(0, middle - around), min(n, middle + around) + 1)


def _combined(choices: list[np.ndarray], steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The sum of numerators of every combination of choices (many: of the middle ones only), and the choices."""
    if len(choices) > FREE:
        choices = [few[len(few) // 2 :][:1] for few in choices]
    grid = np.meshgrid(*choices, indexing="ij")
    picks = np.stack([axis.ravel() for axis in grid], axis=1) if choices else np.zeros((1, 0), dtype=np.int64)
    return picks.astype(steps.dtype) @ steps, picks
