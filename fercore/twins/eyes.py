"""Eyes and brows, drawn over the skin."""

from types import SimpleNamespace

import torch
from torch import Tensor

from fercore.twins import detail
from fercore.twins.canvas import Canvas, bump, reaches, smoothstep


@reaches(-0.50, 0.45)
def draw_eyes(image: Tensor, c: Canvas, light: Tensor, p: SimpleNamespace, k: SimpleNamespace) -> Tensor:
    """Lay eyeballs, lashes and the fold of the lid over ``image``; ``light`` is the diffuse factor."""
    y = c.v + p.tilt * (c.a - p.eye_x)
    x = (c.a - p.eye_x) / p.eye_width
    upper_profile, lower_profile = _almond(x + 0.10), _almond(x - 0.10)  # the upper lid peaks towards the nose
    below_upper = y + c.sides(k.upper_lid) * upper_profile
    above_lower = c.sides(k.lower_lid) * lower_profile - y
    within = smoothstep((1.08 - x.abs()) / 0.12)
    opening = c.inside(torch.minimum(below_upper, above_lower)) * within
    ball = _eyeball(c, p, y, below_upper) * (0.45 + 0.55 * light)
    image = torch.lerp(image, ball, opening)
    fold = c.stroke(y + c.sides(k.rest_lid) * upper_profile + p.crease * (0.6 + 0.4 * upper_profile), 0.018)
    lash_width = 0.014 + 0.008 * smoothstep(0.5 + 0.5 * x)
    lash = (0.80 - 0.22 * p.masculine) * c.stroke(below_upper - 0.004, lash_width) * within
    lower_lash = 0.38 * c.stroke(above_lower, 0.012) * within
    shade = (1 - 0.26 * fold * smoothstep((1.15 - x.abs()) / 0.3)) * (1 - lower_lash)
    return image * shade * (1 - lash) + 0.04 * lash


def _almond(x: Tensor) -> Tensor:
    room = (1 - x.square()).clamp_min(0)
    return 0.5 * room.sqrt() + 0.5 * room


def _eyeball(c: Canvas, p: SimpleNamespace, y: Tensor, below_upper: Tensor) -> Tensor:
    across = (c.a - p.eye_x) * c.side - p.gaze_x
    down = y - p.gaze_y + 0.012
    distance = (across.square() + down.square()).sqrt()
    white = (0.60 - 0.8 * (c.a - p.eye_x).square() / p.eye_width) * p.sclera
    flesh = bump(c.a - p.eye_x + 0.95 * p.eye_width, 0.05)  # in the inner corner
    white = torch.lerp(white, 0.5 * p.skin_tone * p.lip_tone, flesh)
    fibres = 1 + 0.16 * detail.fibres(c, across, down, distance)
    iris = p.iris_tone * (0.60 + 0.75 * smoothstep((p.iris - distance) / 0.045)) * fibres  # a dark ring at its rim
    ball = torch.lerp(white, iris, c.inside(p.iris - distance, 0.012))
    ball = ball * (1 - c.inside(0.030 - distance, 0.008) * 0.85)
    ball = ball * (1 - 0.50 * bump(below_upper, 0.06))  # the lid's shadow
    glint = bump(((across + 0.032).square() + (down + 0.035).square()).sqrt(), 0.017 + 0.2 * c.pixel)
    return ball + 0.75 * glint * (1 - ball)


@reaches(-1.00, 0.55)
def draw_brows(
    image: Tensor,
    c: Canvas,
    p: SimpleNamespace,
    k: SimpleNamespace,
    strands: Tensor,
    hair: Tensor,
) -> Tensor:
    """Lay the brows over ``image``; the random fields ``strands`` and ``hair`` break their edge and their cover."""
    hairs = detail.brow_hairs(c, hair)
    position = (c.a - 0.47) / p.brow_length  # -1 inner end .. 1 outer end
    inner = smoothstep(0.5 - 0.62 * position)
    position = (c.a - 0.47 + c.sides(k.brow_medial) * inner) / p.brow_length
    arch = c.sides(k.brow_arch) * (1 - ((position - 0.30) / 1.1).square())
    outer = 0.65 * (1 - inner) + 0.35 * (1 - inner).sqrt()
    line = p.brow_y + p.brow_uneven * c.side + p.brow_slope * position.clamp(-1, 1) - arch + 0.02
    line = line + c.sides(k.brow_inner) * smoothstep(0.62 - 0.5 * position) + c.sides(k.brow_outer) * outer
    room = (1 - position.square() * position.abs()).clamp_min(0).sqrt()
    half = p.brow_thick * room * (1 - 0.35 * position.clamp(-0.6, 1)) * (1 + 0.08 * strands + 0.16 * hairs)
    cover = c.inside(half - (c.v - line).abs(), 0.036) * smoothstep((1.04 - position.abs()) / 0.25)
    cover = cover * p.brow_dark * (1 + 0.12 * strands + 0.30 * hairs).clamp(0.35, 1.15)
    return torch.lerp(image, p.hair_tone * 0.7 + 0.02, cover.clamp(0, 1))
