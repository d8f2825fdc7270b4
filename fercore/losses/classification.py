"""Losses on class scores."""

import torch.nn.functional as F
from torch import Tensor


def cross_entropy(logits: Tensor, label: Tensor) -> Tensor:
    """Softmax cross-entropy, the mean over labelled images (GCNet, L_Cls in Eq. 3).

    ``-1/n sum_i log softmax(logits_i)[label_i]`` over the n images with label >= 0; 0 where n = 0.
    logits: B x K, label: B (class index, or -1 for an image without part in classification).
    """
    total = F.cross_entropy(logits, label, ignore_index=-1, reduction="sum")
    return total / (label >= 0).sum().clamp(min=1)
