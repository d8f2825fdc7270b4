"""What the papers' own numbers say of their claims: decimal by decimal, a tie is no lead."""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from fractions import Fraction

from fercore.claims.arithmetic import evaluated
from fercore.claims.reading import MOST, READINGS, Claim, items
from fercore.published import Cell

CONSISTENT, CONTRADICTED, UNTOLD = "consistent in print", "contradicted in print", "cannot be told"
ORDERS = {
    ">": operator.gt, "> in turn": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le,
    "=": operator.eq, "never rising": operator.ge,
}  # fmt: skip


@dataclass(frozen=True)
class Printed:
    """A verdict, and what it was found from: counts and what failed, or the actual value."""

    verdict: str
    found: str


def in_print(claim: Claim) -> Printed:
    """The verdict of the printed numbers alone."""
    return KINDS[claim.kind](claim)


def holds(claim: Claim, left: Cell, right: Cell) -> bool:
    """Whether one pair of printed numbers stands as the claim says."""
    return ORDERS[claim.relation](left.value, right.value)


def _told(good: bool, found: str) -> Printed:
    return Printed(CONSISTENT if good else CONTRADICTED, found)


def _ordering(claim: Claim) -> Printed:
    failed = [(left, right) for left, right in claim.pairs if not holds(claim, left, right)]
    right_ones = len(claim.pairs) - len(failed)
    count = f"{right_ones}/{len(claim.pairs)} hold" + ("; fails: " if failed else "")
    losers = dict.fromkeys(left for left, _ in failed)
    found = count + "; ".join(_failure(one, [right for left, right in failed if left == one]) for one in losers)
    if claim.columns_needed is not None:
        columns = dict.fromkeys((left.dataset, left.metric) for left, _ in claim.pairs)
        lost = {(left.dataset, left.metric) for left, _ in failed}
        return _told(len(columns) - len(lost) == claim.columns_needed, f"{len(columns) - len(lost)} columns; {found}")
    return _told(2 * right_ones > len(claim.pairs) if claim.expected == MOST else not failed, found)


def _failure(left: Cell, others: list[Cell]) -> str:
    """A number that does not stand as claimed: where, whose, and beside which others."""
    where = left.dataset if left.metric == "accuracy" else f"{left.dataset}, {left.metric}"
    return f"{where}: {left.row} {left.text} vs {', '.join(f'{one.row} {one.text}' for one in others)}"


def _difference(claim: Claim) -> Printed:
    gaps = [left.value - right.value for left, right in claim.pairs]
    if claim.relation == ">":
        good = all(Fraction(gap) > evaluated(claim.expected) for gap in gaps)
    else:
        good = all(_rounded(gap, claim.expected) == Decimal(claim.expected) for gap in gaps)
    return _told(good, ", ".join(f"{gap:+}" for gap in gaps))


def _ratio(claim: Claim) -> Printed:
    found = [Fraction(left.value) / Fraction(right.value) for left, right in claim.pairs]
    shown = [Decimal(one.numerator) / Decimal(one.denominator) for one in found]
    told = ", ".join(f"{one:.3f}" for one in shown)
    if "/" in claim.expected:  # a ratio of two stated numbers, exact
        return _told(all(one == evaluated(claim.expected) for one in found), told)
    wanted = Decimal(claim.expected)
    if all(_rounded(one, claim.expected) == wanted for one in shown):
        return _told(True, told)
    return _told(all(_rounded(one, claim.expected, ROUND_DOWN) == wanted for one in shown), f"{told}, cut off")


def _value(claim: Claim) -> Printed:
    values = [cell.value for cell in claim.cells if cell.row in items(claim.left)]
    if claim.relation == "rounds to":
        values_told = [_rounded(value, claim.expected) for value in values]
    else:
        values_told = values
    return _told(all(one == Decimal(claim.expected) for one in values_told), ", ".join(map(str, values)))


def _rounded(value: Decimal, like: str, rounding: str = ROUND_HALF_UP) -> Decimal:
    return value.quantize(Decimal(like), rounding)


def _arithmetic(claim: Claim) -> Printed:
    pairs = [(a, b) for a in items(claim.left) for b in items(claim.right)]
    good = [ORDERS[claim.relation](evaluated(a), evaluated(b)) for a, b in pairs]
    if claim.relation == "=":
        gaps = [_plain(evaluated(a) - evaluated(b), "+") for a, b in pairs]
        found = "; ".join(f"{_plain(evaluated(a))} vs {b} ({gap})" for (a, b), gap in zip(pairs, gaps, strict=True))
    else:
        found = "; ".join(f"{_plain(evaluated(a))} vs {_plain(evaluated(b))}" for a, b in pairs)
    found = f"{sum(good)}/{len(good)} hold: {found}" if len(good) > 1 else found
    if claim.expected == READINGS and 0 < sum(good) < len(good):
        return Printed(UNTOLD, f"depends on the reading; {found}")
    return _told(all(good), found)


def _plain(number: Fraction, sign: str = "") -> str:
    return f"{float(number):{sign},.6g}".replace(",", "") if number.denominator > 1 else f"{int(number):{sign}}"


def _facts(claim: Claim) -> Printed:
    left, right = items(claim.left), items(claim.right)
    if claim.relation == "count":
        return _told(len(left) == int(claim.right), f"{len(left)} listed, {claim.right} stated")
    return _told(FACTS[claim.relation](left, right), f"{'; '.join(left)} against {'; '.join(right)}")


FACTS: dict[str, Callable[[list[str], list[str]], bool]] = {
    "same set": lambda left, right: set(left) == set(right),
    "same list": lambda left, right: left == right,
    "all equal": lambda left, right: len({*left, *right}) == 1,
    "different": lambda left, right: left != right,
    "disjoint": lambda left, right: not set(left) & set(right),
    "among": lambda left, right: set(left) <= set(right),
}
KINDS: dict[str, Callable[[Claim], Printed]] = {
    "ordering": _ordering, "difference": _difference, "ratio": _ratio, "value": _value, "arithmetic": _arithmetic,
    "facts": _facts, "statement": lambda claim: Printed(UNTOLD, ""),
}  # fmt: skip
