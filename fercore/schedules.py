"""Learning rates as functions of the iteration."""

from collections.abc import Callable


def inverse(base: float, gamma: float, power: float) -> Callable[[int], float]:
    """Caffe's "inv" policy: ``base (1 + gamma iteration)^(-power)``."""
    return lambda iteration: base * (1 + gamma * iteration) ** -power


def linear(base: float, last: float, iterations: int) -> Callable[[int], float]:
    """From ``base`` down (or up) to ``last`` times base after so many iterations."""
    return lambda iteration: base * (1 + (last - 1) * min(iteration / iterations, 1))
