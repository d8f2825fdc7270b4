"""Weights of images by how transferable critics find them."""

from torch import Tensor, zeros_like
from torch.nn.functional import cross_entropy, softplus


def binary_entropy(logit: Tensor) -> Tensor:
    """H(p) = -p ln p - (1 - p) ln(1 - p) of ``p = sigmoid(logit)``, in nats, 0 to ln 2; any shape."""
    p = logit.sigmoid()
    return p * softplus(-logit) + (1 - p) * softplus(logit)


def transferability(judged: Tensor, judged_label: Tensor | None) -> Tensor:
    """How unsure two critics are of each image (Unpaired, Eq. 6): ``w = 1 + (H(p_h) + H(p_l)) / 2``, B, 1 to 1 + ln 2.

    judged, judged_label: logits of D_h(a_v) and D_l(y_v), B; without a label critic H(p_l) is 0. No gradient passes:
    lowering w would reward images that are told apart, against L_h and L_l.
    """
    of_label = zeros_like(judged) if judged_label is None else binary_entropy(judged_label)
    return (1 + (binary_entropy(judged) + of_label) / 2).detach()


def weighted_cross_entropy(logits: Tensor, label: Tensor, w: Tensor) -> Tensor:
    """Cross-entropy of each image times its weight (Unpaired, Eq. 7), the mean over labelled images; 0 without any.

    logits: B x K, label: B (class index or -1), w: B.
    """
    each = cross_entropy(logits, label, ignore_index=-1, reduction="none")
    return (w * each).sum() / (label >= 0).sum().clamp(min=1)
