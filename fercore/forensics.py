"""What the digits of a printed accuracy give away."""

from decimal import Decimal
from fractions import Fraction


def reachable(printed: str | Decimal, n: int) -> str:
    """Whether a percentage can be k of n: "rounded" to its digits, "truncated" to them, or "no"."""
    value = Decimal(printed)
    exact, step = Fraction(value), Fraction(Decimal(1).scaleb(value.as_tuple().exponent))
    k = int(exact * n / 100)
    shares = [Fraction(100 * near, n) for near in range(max(k - 1, 0), min(k + 2, n) + 1)]
    if any(abs(share - exact) <= step / 2 for share in shares):
        return "rounded"
    return "truncated" if any(0 <= share - exact < step for share in shares) else "no"
