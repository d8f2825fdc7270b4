"""Which unit of evaluation fits a printed column better than chance."""

from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import binomtest

from fercore.forensics.reach import reachable, share, text, units

BEYOND = 1.0  # points below and above a column in which a chance value might have been printed


@dataclass(frozen=True)
class Fit:
    """How many of a column's different values ``images`` can give, and how many random values near there it would."""

    images: int
    values: int
    rounded: int
    either: int  # rounded or truncated
    chance: tuple[float, float]  # share of the values near there: rounded, either
    p: tuple[float, float]  # that chance gives as many or more


def fit_of(values: Sequence[str], n: int) -> Fit:
    """Hold a column against one number of images; a value that is printed twice counts once."""
    different = sorted(set(values))
    ways = [reachable(value, n) for value in different]
    low, high = _near(different)
    near = share(low, high, n)
    found = ways.count("rounded"), len(ways) - ways.count("no")
    p = tuple(at_least(k, len(ways), c) for k, c in zip(found, (near.rounded, near.either), strict=True))
    return Fit(n, len(ways), *found, (near.rounded, near.either), p)


@dataclass(frozen=True)
class Nested:
    """Two units of which the coarse one's values are all values of the fine one too."""

    only_fine: tuple[int, int]  # of the values that the coarse one cannot give, those that the fine one can
    p_fine: float  # that chance does as much: small speaks for the fine unit
    coarse: tuple[int, int]  # of the values that the fine one gives, those that the coarse one gives too
    p_coarse: float  # that chance does as much, if the fine unit is true: small speaks for the coarse one


def nested(values: Sequence[str], coarse: int, fine: int) -> Nested:
    """Compare k of ``coarse`` with k of ``fine`` images, by rounding; ValueError unless one divides the other."""
    if fine % coarse or fine == coarse:
        raise ValueError(f"{coarse} images are not nested in {fine}")
    different = sorted(set(values))
    low, high = _near(different)
    by_coarse = {value for value in different if reachable(value, coarse) == "rounded"}
    by_fine = {value for value in different if reachable(value, fine) == "rounded"}
    less, more = share(low, high, coarse).rounded, share(low, high, fine).rounded
    rest = len(different) - len(by_coarse)
    only = len(by_fine - by_coarse), rest
    both = len(by_coarse & by_fine), len(by_fine)
    return Nested(only, at_least(*only, (more - less) / (1 - less)), both, at_least(*both, less / more))


def at_least(found: int, values: int, chance: float) -> float:
    """p that chance fits ``found`` or more of ``values``; 1 where there are none."""
    return float(binomtest(found, values, min(1.0, chance), "greater").pvalue) if values else 1.0


def _near(values: Sequence[str]) -> tuple[str, str]:
    """The range in which the column's values might as well have been printed."""
    whole, digits = zip(*map(units, values), strict=True)
    if len(set(digits)) > 1:
        raise ValueError(f"{', '.join(values)} are printed with different digits; hold each kind against n by itself")
    margin = round(BEYOND * 10 ** digits[0])
    return text(max(0, min(whole) - margin), digits[0]), text(
        min(100 * 10 ** digits[0], max(whole) + margin), digits[0]
    )
