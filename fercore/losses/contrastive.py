"""Losses that compare pairs of codes."""

import torch
from torch import Tensor


def contrastive(code: Tensor, other: Tensor, different: Tensor, margin: float) -> Tensor:
    """Contrastive loss: equal pairs are drawn together, different ones pushed out to the margin (GCNet, Eq. 4-5).

    ``mean of  a 1/2 max(0, m - S)^2 + (1 - a) 1/2 S^2,  S = ||code - other||_2``, a = 1 where the pair is different.
    code, other: B x ... (compared as flat vectors), different: B (bool).
    """
    distance = torch.linalg.vector_norm((code - other).flatten(1), dim=1)  # B; its gradient at 0 is 0
    apart = 0.5 * (margin - distance).clamp(min=0).square()
    together = 0.5 * distance.square()
    return torch.where(different, apart, together).mean()
