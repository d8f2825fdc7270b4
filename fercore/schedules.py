"""Learning rates as functions of the iteration."""

from collections.abc import Callable


def inverse(base: float, gamma: float, power: float) -> Callable[[int], float]:
    """Caffe's "inv" policy: ``base (1 + gamma iteration)^(-power)``."""
    return lambda iteration: base * (1 + gamma * iteration) ** -power
