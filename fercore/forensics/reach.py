"""Which printed percentages are k of n, counted in whole numbers; the digits of a printed text count."""

import operator
import re
from dataclasses import dataclass
from functools import cache

PRINTED = re.compile(r"(\d{1,3})(?:\.(\d{1,4}))?")


def units(printed: str) -> tuple[int, int]:
    """``printed`` in units of its last digit, and its decimals: "97.10" is (9710, 2); ValueError for anything else."""
    if not isinstance(printed, str):
        raise ValueError(f"a printed number is text, as its digits count ('97.10', not 97.1); got {printed!r}")
    match = PRINTED.fullmatch(printed)
    if match is None:
        raise ValueError(f"{printed!r} is no printed percentage; valid: such as 97, 97.1 or 97.10")
    decimals = match[2] or ""
    value = int(match[1] + decimals)
    if value > 100 * 10 ** len(decimals):
        raise ValueError(f"{printed!r} is above 100 %")
    return value, len(decimals)


def text(value: int, digits: int) -> str:
    """The inverse of ``units``."""
    return f"{value / 10**digits:.{digits}f}"


def reachable(printed: str, n: int) -> str:
    """Whether ``printed`` percent can be k of n: "rounded" (half up or half even), "truncated", or "no".

    Raises ValueError for a number that is not text such as "97.10", and for n below 1.
    """
    return fit(*units(printed), images(n))


def images(n: int) -> int:
    """``n`` as a whole number; ValueError below 1."""
    n = operator.index(n)
    if n < 1:
        raise ValueError(f"a number of images is at least 1, not {n}")
    return n


def fit(value: int, digits: int, n: int) -> str:
    """``reachable`` of ``value`` units of the last of ``digits``."""
    below = value * n // (100 * 10**digits)
    found = {ratio_fit(k, n, value, digits) for k in (below, below + 1) if k <= n}
    return next(way for way in ("rounded", "truncated", "no") if way in found)


def ratio_fit(k: int, n: int, value: int, digits: int) -> str:
    """How k of n, in percent, prints as ``value`` units of the last of ``digits``."""
    above = 100 * 10**digits * k - value * n  # (100 k / n - printed) in units of the last digit, times n
    if -n <= 2 * above < n or (2 * above == n and value % 2 == 0):  # a half goes up, or to the even digit
        return "rounded"
    return "truncated" if 0 <= above < n else "no"


def nearest(printed: str, n: int) -> tuple[str, str]:
    """The next printable values below and above ``printed`` that k of n gives, rounded half up."""
    value, digits = units(printed)
    below = value * images(n) // (100 * 10**digits)
    around = sorted({(200 * 10**digits * k + n) // (2 * n) for k in range(max(0, below - 1), min(n, below + 2) + 1)})
    lower = [v for v in around if v < value] or [value]
    upper = [v for v in around if v > value] or [value]
    return text(lower[-1], digits), text(upper[0], digits)


def runs_needed(printed: str, n: int, most: int = 20) -> int | None:
    """The least number of runs whose mean on the same n images can round to ``printed``; None beyond ``most``."""
    return next((runs for runs in range(1, most + 1) if reachable(printed, runs * images(n)) == "rounded"), None)


@dataclass(frozen=True)
class Share:
    """Share of the printable values of a range that k of n gives, 0 to 1: the chance that a random one fits."""

    rounded: float
    either: float  # rounded or truncated


@cache
def share(low: str, high: str, n: int) -> Share:
    """What ``n`` images reach of the values from ``low`` to ``high``, printed with the same number of digits."""
    (first, digits), (last, others) = units(low), units(high)
    if digits != others or last < first:
        raise ValueError(f"{low} to {high} is no range of numbers with the same digits")
    ways = [fit(value, digits, images(n)) for value in range(first, last + 1)]
    return Share(ways.count("rounded") / len(ways), 1 - ways.count("no") / len(ways))


def distinguishable(first: str, second: str, n: int) -> bool:
    """Whether two different printed values can both be k of n: then they are at least one image apart.

    One image is 100/n points; rounding or truncating both may take away less than one unit of the last digit.
    """
    (a, digits), (b, others) = units(first), units(second)
    if digits != others:
        raise ValueError(f"{first} and {second} are printed with different digits")
    return a == b or (abs(a - b) + 1) * images(n) > 100 * 10**digits
