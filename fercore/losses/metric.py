"""Losses that hold embeddings against the centre of a group: radial metric learning and its kin.

Symbols as in IDFERM: f_i the embedding of query i, f̄_i that of its generated reference, C_k the centre of class k, D a
squared distance, H = S - D a similarity (networks/metric_head.py), positive where two embeddings belong together.
"""

import torch
from torch import Tensor


def squared_distance(f1: Tensor, f2: Tensor) -> Tensor:
    """D of Eq. 9 with M = 1, ``||f1 - f2||^2``; ... x d twice -> ...; the square root printed there is left out."""
    return (f1 - f2).square().sum(-1)


def centres(f: Tensor, members: Tensor) -> Tensor:
    """The mean of each group's embeddings, zeros for a group without any; f: B x d, members: G x B (bool) -> G x d."""
    return members.to(f.dtype) @ f / members.sum(1, keepdim=True).clamp(min=1)


def class_centres(f: Tensor, label: Tensor, classes: int) -> Tensor:
    """C_k, the mean of the batch's queries of class k, with its gradient (IDFERM, Algorithm 2, line 3), K x d.

    f: B x d, label: B, class index, or -1 for one that enters no centre. References are never given here.
    """
    return centres(f, torch.arange(classes, device=label.device)[:, None] == label)


def inside(h: Tensor, margin: float = 1.0) -> Tensor:
    """What queries lack to be like their centres: ``mean of max(0, m - h)`` (IDFERM, Eq. 16, first term); h: Q."""
    return (margin - h).clamp(min=0).mean()


def outside(h: Tensor, pushed: Tensor | None = None, margin: float = 1.0) -> Tensor:
    """What references lack to be unlike their query's centre: ``mean of max(0, m + h)`` (Eq. 16, second term); h: Q.

    pushed: Q (bool), the references to push, by default all; the mean remains one over all queries. A neutral query's
    reference belongs to its centre: 8-class CK+ leaves it out.
    """
    each = (margin + h).clamp(min=0)
    return (each if pushed is None else each * pushed).mean()


def radial(own: Tensor, reference: Tensor, pushed: Tensor | None = None, margin: float = 1.0) -> Tensor:
    """Radial metric learning (IDFERM, Eq. 16; Eq. 15 with ``margin`` = tau / 2; Eq. 8 with H = T - D).

    ``1/K sum_i max(0, m - H(f_i, C_{y_i})) + max(0, m + H(f̄_i, C_{y_i}))``. Printed are two plus signs and f_i twice,
    which would push every query away from its centre. own: H(f_i, C_{y_i}), reference: H(f̄_i, C_{y_i}), K each.
    """
    return inside(own, margin) + outside(reference, pushed, margin)


def tuplets(label: Tensor, subject: Tensor) -> tuple[Tensor, Tensor]:
    """For each image as a query, its positives and negatives in the batch, B x B (bool) twice (IDFERM, Sec. 4).

    Positive: of its class, itself included. Negative: of its subject, but of another class.
    """
    positive = label[:, None] == label
    return positive, (subject[:, None] == subject) & ~positive


def clusters(h: Tensor, positive: Tensor, negative: Tensor, margin: float = 1.0) -> Tensor:
    """(N+M)-tuplet clusters loss (Liu et al. 2017; IDFERM, Fig. 3d), the mean over queries of

    ``1/N sum_j max(0, m - H(f_j+, c+)) + 1/M sum_j max(0, m + H(f_j-, c+))``, a sum over nobody being 0.
    h: Q x B, H of every image and the centre of each query's positives; positive, negative: Q x B (bool).
    """
    pull, push = (margin - h).clamp(min=0), (margin + h).clamp(min=0)
    return (_mean(pull, positive) + _mean(push, negative)).mean()


def coupled_clusters(f: Tensor, positive: Tensor, negative: Tensor, margin: float) -> Tensor:
    """Coupled clusters loss (Liu et al. 2016; IDFERM, Fig. 3c), the mean over clusters and their positives of

    ``1/2 max(0, ||f_i - c||^2 + a - ||f_* - c||^2)``, c the mean of a cluster's positives and f_* the negative nearest
    to it; 0 without negatives. f: B x d; positive, negative: G x B (bool), for classes ``member`` and ``~member``.
    """
    distance = squared_distance(centres(f, positive)[:, None], f)  # G x B
    nearest = distance.masked_fill(~negative, torch.inf).amin(1, keepdim=True)
    return _mean(0.5 * (distance + margin - nearest).clamp(min=0), positive).mean()


def centre(f: Tensor, label: Tensor, centres: Tensor) -> Tensor:
    """Centre loss (Wen et al. 2016), ``mean of 1/2 ||f_i - C_{y_i}||^2``; f: B x d, label: B, centres: K x d."""
    return 0.5 * squared_distance(f, centres[label]).mean()


def _mean(values: Tensor, among: Tensor) -> Tensor:
    """The mean of each row's values ``among`` which it counts, 0 without any; Q x B twice -> Q."""
    return (values * among).sum(1) / among.sum(1).clamp(min=1)
