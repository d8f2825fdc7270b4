"""How a value that cannot be is refused: in one line, which names it and lists what can."""

from collections.abc import Iterable
from math import inf
from typing import Any


class ParameterError(ValueError):
    """A parameter that does not exist or a value that cannot be; the message is one line and lists what can."""


def listed(valid: Iterable) -> str:
    """What can be, for a message."""
    return ", ".join(str(one) or '""' for one in valid) or "none"


def one_of(name: str, value: Any, valid: Iterable, hint: str = "") -> None:
    """Refuse a value that is not among the valid ones."""
    valid = list(valid)
    if value not in valid:
        raise ParameterError(f"{name} {value!r} is unknown; valid: {listed(valid)}{hint}")


def within(name: str, value: float, least: float, most: float = inf) -> None:
    """Refuse a number below the least or above the most that can be."""
    if not least <= value <= most:
        valid = f"{least} or above" if most == inf else f"{least} to {most}" if most > least else f"{least}"
        raise ParameterError(f"{name} {value} is out of range; valid: {valid}")
