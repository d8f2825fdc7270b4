"""Losses that hold a network's scores against those of a teacher that saw more."""

import torch.nn.functional as F
from torch import Tensor


def similarity(scores: Tensor, privileged: Tensor) -> Tensor:
    """Squared distance of two vectors of class probabilities, the mean over images (Occluded, Eq. 1).

    ``mean of  ||softmax(scores) - softmax(privileged)||^2``; both B x K, before the softmax.
    Raises ValueError where the two do not know the same number of classes.
    """
    _same_classes(scores, privileged)
    return (scores.softmax(1) - privileged.softmax(1)).square().sum(1).mean()


def loss_inequality(scores: Tensor, privileged: Tensor, label: Tensor, flipped: bool = False) -> Tensor:
    """Loss inequality regularisation: what a teacher's loss exceeds the student's by, image by image (Occluded, Eq. 3).

    ``mean of  [l(y, privileged) - l(y, scores)]_+``, l the cross-entropy; the mean is over labelled images, 0 without.
    As printed it holds a student back that is surer than its teacher. ``flipped`` swaps the two losses: it then draws
    a student on that is less sure. scores, privileged: B x K before the softmax; label: B, class index or -1.
    Raises ValueError where the two do not know the same number of classes.
    """
    _same_classes(scores, privileged)
    own, teacher = (F.cross_entropy(s, label, ignore_index=-1, reduction="none") for s in (scores, privileged))  # B
    excess = own - teacher if flipped else teacher - own
    return excess.clamp(min=0).sum() / (label >= 0).sum().clamp(min=1)  # an unlabelled image has loss 0 twice


def _same_classes(scores: Tensor, privileged: Tensor) -> None:
    if scores.shape != privileged.shape:
        raise ValueError(
            f"student and teacher must score the same images and classes, not {tuple(scores.shape)} "
            f"and {tuple(privileged.shape)}; train both on one set of classes"
        )
