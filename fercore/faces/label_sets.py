"""Probabilities over different sets of classes, made comparable."""

import torch
from torch import Tensor


def shared_outcomes(classes: tuple[str, ...], others: tuple[str, ...]) -> list[str]:
    """The classes in both sets by name, and "other" where either has more; raises ValueError without any."""
    shared = [name for name in classes if name in others]
    if not shared:
        raise ValueError(f"the classes {', '.join(classes)} and {', '.join(others)} have none in common")
    return shared + ["other"] * (len(shared) < max(len(classes), len(others)))


def onto_shared(classes: tuple[str, ...], others: tuple[str, ...]) -> tuple[Tensor, Tensor]:
    """Two matrices that carry probabilities over ``classes`` (K) and ``others`` (K') onto what both can say.

    ``p @ matrix`` holds the S shared classes by name and, where either set has more, the remaining mass as "other":
    K x S (+ 1) and K' x S (+ 1). Raises ValueError where no class is shared.
    """
    outcomes = shared_outcomes(classes, others)
    return _carrying(classes, outcomes), _carrying(others, outcomes)


def _carrying(classes: tuple[str, ...], outcomes: list[str]) -> Tensor:
    matrix = torch.zeros(len(classes), len(outcomes))
    for i, name in enumerate(classes):
        matrix[i, outcomes.index(name if name in outcomes else "other")] = 1
    return matrix
