"""Lips, teeth, the open mouth, and the nostrils."""

from types import SimpleNamespace

import torch
from torch import Tensor

from fercore.twins.canvas import BELOW, Canvas, bell, bump, reaches, smoothstep

MOUTH = (0.05, BELOW)  # v of the rows that mouth and chin can reach
TEETH = (0.0, 0.122, 0.218, 0.325, 0.420)  # where two upper teeth meet: incisors of 8.5 and 6.7 mm, a canine of 7.5


def mouth_lines(c: Canvas, p: SimpleNamespace, k: SimpleNamespace) -> SimpleNamespace:
    """The four curves of the mouth: outer upper, inner upper, inner lower, outer lower lip; and t = u / half width.

    They lie on the rows of ``c``; what is drawn along them must have the same rows.
    """
    t = c.a / c.sides(k.half_width)
    room = (1 - t.square()).clamp_min(0)
    line = c.sides(k.middle) + (c.sides(k.corner) + p.mouth_bow + p.mouth_uneven * c.side) * t.square().clamp(0, 1.4)
    bow = 1 - p.cupid * bump(t, 0.16) + 0.4 * p.cupid * bump(t - 0.28, 0.2)
    oval = room.sqrt()
    inner_upper = line - c.sides(k.gap_up) * oval + 0.012 * bump(t, 0.2)
    inner_lower = line + c.sides(k.gap_down) * (0.75 * oval + 0.25 * (1 - t.square().square()).clamp_min(0).sqrt())
    return SimpleNamespace(
        t=t,
        line=line,
        inner_upper=inner_upper,
        inner_lower=inner_lower,
        outer_upper=inner_upper - c.sides(k.upper_lip) * bow * (0.45 * oval + 0.55 * room),
        outer_lower=inner_lower + c.sides(k.lower_lip) * (0.35 * oval + 0.65 * room),
        within=smoothstep((1.03 - t) / 0.08),
    )


@reaches(*MOUTH)
def draw_mouth(
    image: Tensor, c: Canvas, p: SimpleNamespace, k: SimpleNamespace, light: Tensor, m: SimpleNamespace
) -> Tensor:
    """Lay lips, cavity, teeth and the line between the lips over ``image``, along the lines ``m``."""
    upper = c.inside(torch.minimum(c.v - m.outer_upper, m.inner_upper - c.v), 0.022) * m.within
    lower = c.inside(torch.minimum(c.v - m.inner_lower, m.outer_lower - c.v), 0.028) * m.within
    image = image * (1 - (1 - p.lip_tone * 0.88) * upper) * (1 - (1 - p.lip_tone * 1.04) * lower)
    full = (m.outer_lower - m.inner_lower).clamp_min(0.02)
    gloss = bump((c.v - m.inner_lower) / full - 0.45, 0.28) * lower * bump(m.t, 0.5)
    image = image + 0.06 * gloss * p.skin_tone
    gap = m.inner_lower - m.inner_upper
    opening = c.inside(torch.minimum(c.v - m.inner_upper, m.inner_lower - c.v)) * m.within
    opening = opening * smoothstep((gap - 0.008) / 0.03)
    image = torch.lerp(image, _cavity(c, p, k, m) * (0.5 + 0.5 * light), opening)
    seam = c.stroke(c.v - m.inner_upper, 0.013) * m.within * (1 - 0.5 * opening)
    below = 0.16 * bump(c.v - m.outer_lower - 0.045, 0.05) * bump(m.t, 0.75)
    corner = 0.30 * bell(((m.t - 1.0) / 0.07).square() + ((c.v - m.line) / 0.035).square())
    return image * (1 - 0.62 * seam) * (1 - below) * (1 - corner)


def _cavity(c: Canvas, p: SimpleNamespace, k: SimpleNamespace, m: SimpleNamespace) -> Tensor:
    inside = torch.full_like(c.v, 0.07) * p.flesh
    drop = (m.inner_lower - c.v).clamp_min(0)
    inside = inside + 0.22 * c.sides(k.tongue).clamp(0, 1) * bump(drop - 0.06, 0.10) * bump(m.t, 0.55) * p.flesh
    low = c.inside(c.sides(k.lower_teeth) - drop) * (0.60 - 0.25 * m.t) * p.enamel
    inside = torch.maximum(inside, low)
    rim = c.sides(k.teeth) * (1 - 0.35 * m.t.square())
    teeth = c.inside(torch.minimum(rim - (c.v - m.inner_upper), 0.97 - m.t))
    resolved = min(max((0.03 - c.pixel) / 0.02, 0.0), 1.0)  # single teeth show in large images only
    gaps = sum(c.stroke(c.a - at, 0.006) for at in TEETH) if resolved else 0.0
    shaded = (1 - 0.22 * resolved * gaps) * (0.72 + 0.28 * smoothstep((c.v - m.inner_upper) / 0.04))
    bright = (0.74 - 0.36 * m.t.square()) * shaded
    return torch.lerp(inside, bright * p.enamel, teeth)


@reaches(0.10, 0.95)
def draw_nostrils(image: Tensor, c: Canvas, nose_y: Tensor, nose_wide: Tensor, p: SimpleNamespace) -> Tensor:
    """Nostrils and the crease around each wing of the nose."""
    hole_x = (c.a - 0.50 * nose_wide) / (0.34 * nose_wide)
    hole_y = (c.v - nose_y + 0.005 - 0.03 * hole_x.clamp(-1, 1)) / (0.024 + 0.15 * c.pixel)
    hole = bell(hole_x.square() + hole_y.square())
    from_wing = ((c.a - p.alae * nose_wide * 0.80).square() + (c.v - nose_y + 0.055).square()).sqrt()
    outside = smoothstep((c.a - 0.8 * nose_wide) / 0.06) * smoothstep((c.v - nose_y + 0.15) / 0.08)
    crease = c.stroke(from_wing - 0.115, 0.022) * outside
    tip = bell((c.a / 0.07).square() + ((c.v - nose_y + 0.10) / 0.06).square())
    return (image + 0.02 * tip) * (1 - 0.52 * hole) * (1 - 0.18 * crease)
