"""Embeddings with which relative metric losses are content and clusters loss is not (IDFERM, Fig. 3).

Two persons with two classes each, two images of a class, in the plane. Around one person everything is wide, around the
other narrow: every positive is nearer to its anchor than every negative, but no one distance parts the two kinds. The
coordinates of the printed figure are not known; these are ours.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor

from fercore.losses import metric
from fercore.losses.mined import n_pair, triplet

RADIUS = 1000.0  # all lie on a circle of it, so that scalar products, as (N+1)-tuplet loss has them, rank as distances
WIDE, NARROW = (0, 0.020, 0.045, 0.065), (0, 0.001, 0.010, 0.011)  # angles, the first two of one class
MARGIN = 1.0  # of triplet and coupled clusters loss, and tau / 2 of clusters loss
ZERO = 1e-6  # a logarithm of more than 1, as (N+1)-tuplet loss has it, is never 0 itself: what we call zero


@dataclass(frozen=True)
class Scene:
    """Embeddings f (B x 2) with class and person of each (B)."""

    f: Tensor
    label: Tensor
    subject: Tensor


def scene() -> Scene:
    """The configuration, in double precision."""
    angle = torch.tensor([*WIDE, *(math.pi + a for a in NARROW)], dtype=torch.float64)
    f = RADIUS * torch.stack([angle.cos(), angle.sin()], 1)
    return Scene(f, torch.tensor([0, 0, 1, 1, 2, 2, 3, 3]), torch.tensor([0] * 4 + [1] * 4))


def clusters(f: Tensor, label: Tensor, subject: Tensor, threshold: float) -> Tensor:
    """(N+M)-tuplet clusters loss with one threshold T for all: H = T - D."""
    positive, negative = metric.tuplets(label, subject)
    distance = metric.squared_distance(metric.centres(f, positive)[:, None], f)
    return metric.clusters(threshold - distance, positive, negative, MARGIN)


def best_threshold(of: Scene) -> float:
    """The T at which clusters loss is smallest: it is convex and piecewise linear in T, so one of its kinks."""
    positive, _ = metric.tuplets(of.label, of.subject)
    distance = metric.squared_distance(metric.centres(of.f, positive)[:, None], of.f).flatten()
    kinks = torch.cat([distance + MARGIN, distance - MARGIN]).tolist()
    return min(kinks, key=lambda T: clusters(of.f, of.label, of.subject, T).item())


def person(of: Scene, number: int) -> Scene:
    """One person's part of the scene."""
    own = of.subject == number
    return Scene(of.f[own], of.label[own], of.subject[own])


def losses(of: Scene) -> dict[str, Callable[[Tensor], Tensor]]:
    """The four losses of Fig. 3 as functions of the embeddings; clusters loss at its best threshold."""
    member, threshold = of.label.unique()[:, None] == of.label, best_threshold(of)
    return {
        "triplet": lambda f: triplet(f, of.label, MARGIN),
        "(N+1)-tuplet": lambda f: n_pair(f, of.label),
        "coupled clusters": lambda f: metric.coupled_clusters(f, member, ~member, MARGIN),
        "(N+M)-tuplet clusters, best T": lambda f: clusters(f, of.label, of.subject, threshold),
    }


def table(of: Scene) -> pd.DataFrame:
    """Value of every loss, whether it is zero, and the longest gradient that an embedding gets from it."""
    rows = {}
    for name, loss in losses(of).items():
        f = of.f.clone().requires_grad_()
        value = loss(f)
        gradient = torch.autograd.grad(value, f)[0].norm(dim=1).max().item()
        rows[name] = {"value": value.item(), f"zero (below {ZERO:g})": _word(value.item() < ZERO), "gradient": gradient}
    return pd.DataFrame(rows).T.rename_axis("loss")


def by_person(of: Scene) -> pd.DataFrame:
    """Clusters loss at its best threshold T, of all and of every person alone."""
    parts = {"both": of} | {f"person {n} alone": person(of, n) for n in of.subject.unique().tolist()}
    rows = {}
    for name, part in parts.items():
        threshold = best_threshold(part)
        rows[name] = {"best T": threshold, "value": clusters(part.f, part.label, part.subject, threshold).item()}
    return pd.DataFrame(rows).T.rename_axis("of whom")


def agrees(of: Scene) -> bool:
    """Whether the losses stand as Fig. 3 says: three are zero, the last is not."""
    *relative, absolute = (loss(of.f).item() for loss in losses(of).values())
    return max(relative) < ZERO < absolute


def verdict(of: Scene) -> pd.DataFrame:
    """The same beside what the paper says."""
    row = {"the paper": "the first three are 0, clusters loss is not", "agrees": _word(agrees(of))}
    return pd.DataFrame([row]).set_index("the paper")


def _word(true: bool) -> str:
    return "yes" if true else "no"
