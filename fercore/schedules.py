"""Learning rates as functions of the iteration."""

import math
from collections.abc import Callable


def inverse(base: float, gamma: float, power: float) -> Callable[[int], float]:
    """Caffe's "inv" policy: ``base (1 + gamma iteration)^(-power)``."""
    return lambda iteration: base * (1 + gamma * iteration) ** -power


def linear(base: float, last: float, iterations: int) -> Callable[[int], float]:
    """From ``base`` down (or up) to ``last`` times base after so many iterations."""
    return lambda iteration: base * (1 + (last - 1) * min(iteration / iterations, 1))


def cosine(base: float, last: float, iterations: int) -> Callable[[int], float]:
    """From ``base`` to ``last`` times base after so many iterations, along half a cosine (Loshchilov & Hutter 2017)."""
    fallen = lambda iteration: (1 - math.cos(math.pi * min(iteration / iterations, 1))) / 2  # noqa: E731
    return lambda iteration: base * (1 + (last - 1) * fallen(iteration))
