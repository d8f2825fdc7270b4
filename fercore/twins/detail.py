"""What only a near camera sees: pores, freckles, single hairs, the fibres of an iris; nothing of it in small images."""

from dataclasses import replace
from types import SimpleNamespace

import torch
from torch import Tensor

from fercore.twins.canvas import Canvas, smoothstep


def resolved(c: Canvas) -> float:
    """How much fine detail the pixels can carry: 0 up to 80 pixels, 1 from about 180 on."""
    return min(max((0.034 - c.pixel) / 0.019, 0.0), 1.0)


def pores(c: Canvas, p: SimpleNamespace, skin: Tensor) -> Tensor | float:
    """Unevenness of the skin's height (in units of the face) and darkness, about -1..1; B x H x W."""
    share = resolved(c)
    if not share:
        return 0.0
    # products of fields whose periods do not fit together: no pattern repeats that an eye could find
    fine = c.field(skin, 0.23, 0.19) * c.field(skin, 0.131, 0.157)
    coarse = c.field(skin, 0.61, 0.53) * c.field(skin, 0.37, 0.43)
    return share * (0.6 * fine + 0.6 * coarse) * (0.6 + 0.5 * p.age)


def freckles(c: Canvas, p: SimpleNamespace, skin: Tensor) -> Tensor | float:
    """Small dark spots, most on nose and cheeks of fair people; 0..1."""
    share = resolved(c)
    if not share or not p.freckled.any():
        return 0.0
    spots = smoothstep(c.field(skin, 0.41, 0.37) * c.field(skin, 0.29, 0.31) - 1.1)
    band = torch.exp(-(((c.v - 0.42) / 0.35).square()))
    return share * p.freckled * spots * (0.25 + 0.75 * band)


def hairs(c: Canvas, hair: Tensor) -> Tensor | float:
    """Single hairs of the head, falling down and outwards, about -1..1."""
    share = resolved(c)
    if not share:
        return 0.0
    bent = replace(c, u=c.u * (1 + 0.10 * c.v))
    return share * 0.45 * (bent.field(hair, 0.13, 2.3) + bent.field(hair, 0.053, 1.9))


def brow_hairs(c: Canvas, hair: Tensor) -> Tensor | float:
    """Single hairs of the brows, slanting outwards and up, about -1..1."""
    share = resolved(c)
    if not share:
        return 0.0
    slanted = replace(c, u=c.u + 0.8 * c.v * c.side, a=c.a + 0.8 * c.v)
    coarse, fine = slanted.field(hair, 0.075, 0.8, folded=True), slanted.field(hair, 0.041, 0.6, folded=True)
    return share * (0.6 * coarse + 0.36 * fine)


def bristles(c: Canvas, hair: Tensor, strands: Tensor) -> Tensor:
    """The grain of a beard, about -1..1: ``strands`` from afar, short hairs from near."""
    share = resolved(c)
    if not share:
        return strands
    return (1 - 0.6 * share) * strands + 0.9 * share * (c.field(hair, 0.047, 0.31) + c.field(hair, 0.083, 0.23))


def fibres(c: Canvas, across: Tensor, down: Tensor, distance: Tensor) -> Tensor | float:
    """Radial fibres of the iris, about -1..1: a function of the direction from its centre alone."""
    share = resolved(c)
    if not share:
        return 0.0
    x, y = across / distance.clamp_min(1e-3), down / distance.clamp_min(1e-3)
    return share * (0.6 * torch.cos(14 * x + 9 * y + 2) + 0.4 * torch.cos(21 * x - 17 * y))
