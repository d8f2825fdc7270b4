"""Skin: tone, mottling, beard, and the furrows that action units carve into it."""

from types import SimpleNamespace

import torch
from torch import Tensor

from fercore.twins import detail
from fercore.twins.canvas import BELOW, Canvas, bell, bump, reaches, smoothstep


def skin_tone(
    c: Canvas, p: SimpleNamespace, k: SimpleNamespace, mottle: Tensor, strands: Tensor, hair: Tensor
) -> Tensor:
    """Reflectance of the skin, B x H x W: tone, flush of the cheeks, mottling, beard and stubble."""
    flush = 0.05 * bell(((c.a - 0.57) / 0.30).square() + ((c.v - 0.5) / 0.30).square())
    flush = flush + 0.04 * bell((c.a / 0.17).square() + ((c.v - c.sides(k.nose_y) + 0.08) / 0.16).square())
    rings = 0.06 * p.age * bell(((c.a - p.eye_x + 0.03) / 0.2).square() + ((c.v - 0.17) / 0.06).square())
    return _beard(p.skin_tone * (1 + p.mottle * mottle) * (1 - flush * p.blood - rings), c, p, k, strands, hair)


@reaches(0.05, BELOW)
def _beard(tone: Tensor, c: Canvas, p: SimpleNamespace, k: SimpleNamespace, strands: Tensor, hair: Tensor) -> Tensor:
    middle = c.sides(k.middle)
    jaw = smoothstep((c.v - middle + 0.42 + 0.5 * (c.a - 0.25).clamp(-0.1, 0.6) * -1.0) / 0.22)
    bare = bump(c.a, 0.42) * bump(c.v - middle, 0.10)  # the lips stay free
    bristle = jaw * (1 - 0.8 * bare) * (0.85 + 0.15 * detail.bristles(c, hair, strands)).clamp_min(0.3)
    cheek = smoothstep((c.v - middle + 0.42 - 0.55 * (0.75 - c.a).clamp_min(0)) / 0.25)
    cover = (p.beard + 0.35 * p.stubble) * bristle * (0.25 + 0.75 * cheek)
    return torch.lerp(tone, p.hair_tone * 1.1 + 0.03, cover.clamp(0, 0.9))


def furrows(c: Canvas, p: SimpleNamespace, k: SimpleNamespace, au: dict[int, Tensor], mottle: Tensor) -> Tensor:
    """Factor (1 smooth skin, below 1 in a furrow), B x H x W; ``mottle`` keeps their lines from being even."""
    smooth = _forehead(torch.ones_like(c.v), c, p, au, mottle)
    return _lower_furrows(_upper_furrows(smooth, c, p, au), c, p, k, au)


@reaches(-0.62, 0.36)
def _upper_furrows(smooth: Tensor, c: Canvas, p: SimpleNamespace, au: dict[int, Tensor]) -> Tensor:
    return smooth * (1 - (p.furrow * (_frown(c, p, au) + _around_eyes(c, p, au))).clamp(0, 0.6))


@reaches(0.05, BELOW)
def _lower_furrows(smooth: Tensor, c: Canvas, p: SimpleNamespace, k: SimpleNamespace, au: dict[int, Tensor]) -> Tensor:
    return smooth * (1 - (p.furrow * (_nasolabial(c, p, k, au) + _around_mouth(c, p, k, au))).clamp(0, 0.55))


@reaches(-0.92, -0.42)
def _forehead(smooth: Tensor, c: Canvas, p: SimpleNamespace, au: dict[int, Tensor], mottle: Tensor) -> Tensor:
    waves = torch.cos(40 * c.v + 3 * c.u.square() + 0.9 * mottle).clamp_min(0).square() * (0.8 + 0.3 * mottle)
    band = smoothstep((-0.42 - c.v) / 0.10) * smoothstep((c.v + 0.92) / 0.12)
    centre = bump(c.a, 0.42)
    lateral = (1 - centre) * bump(c.a, 0.85)
    forehead = waves * band * (c.sides(0.26 * au[1] + 0.04 * p.age) * centre + c.sides(0.34 * au[2]) * lateral)
    return smooth * (1 - (p.furrow * forehead).clamp(0, 0.6))


def _frown(c: Canvas, p: SimpleNamespace, au: dict[int, Tensor]) -> Tensor:
    frown = c.sides(0.55 * au[4] + 0.05 * p.age) * bump(c.a - 0.090, 0.042 + 0.2 * c.pixel) * bump(c.v + 0.30, 0.15)
    root = c.sides(0.48 * au[9]) * bump(c.a, 0.13) * bump(c.v + 0.04, 0.10) * (0.5 + 0.5 * torch.cos(70 * c.v))
    shade = c.sides(0.16 * au[4]) * bump(c.a, 0.22) * bump(c.v + 0.18, 0.10)
    return frown + root + shade


def _around_eyes(c: Canvas, p: SimpleNamespace, au: dict[int, Tensor]) -> Tensor:
    below = c.v - 0.15 - 0.10 * (1 - ((c.a - p.eye_x) / 0.3).square()).clamp_min(0)
    bag = c.sides(0.27 * au[6] + 0.27 * au[9] + 0.20 * au[7] + 0.10 * p.age)
    bag = bag * bump(below, 0.042) * bump(c.a - p.eye_x, 0.25)
    feet = torch.cos(38 * (c.v - 0.02) / (0.35 + c.a)).clamp_min(0).square()
    crow = c.sides(0.34 * au[6] + 0.06 * p.age) * feet * bump(c.a - 0.80, 0.075) * bump(c.v - 0.02, 0.13)
    return bag + crow


def _nasolabial(c: Canvas, p: SimpleNamespace, k: SimpleNamespace, au: dict[int, Tensor]) -> Tensor:
    """The fold from the wing of the nose to outside the mouth corner."""
    strength = c.sides((0.20 * au[12] + 0.24 * au[10] + 0.30 * au[9] + 0.10 * au[6] + 0.07 * p.age).clamp(0, 0.40))
    top, bottom = c.sides(k.nose_y) - 0.12, c.sides(k.middle + k.corner) + 0.02
    along = ((c.v - top) / (bottom - top)).clamp(-0.2, 1.2)
    start, end = 1.3 * c.sides(k.nose_wide), c.sides(k.half_width) + 0.11
    path = start + (end - start) * (0.35 * along + 0.65 * along.clamp_min(0).sqrt() * along.clamp_min(0))
    fade = smoothstep((along + 0.15) / 0.25) * smoothstep((1.15 - along) / 0.35)
    return strength * fade * (0.95 * c.stroke(c.a - path, 0.050) + 0.45 * bump(c.a - path - 0.03, 0.10))


def _around_mouth(c: Canvas, p: SimpleNamespace, k: SimpleNamespace, au: dict[int, Tensor]) -> Tensor:
    corner_y, half = c.sides(k.middle + k.corner), c.sides(k.half_width)
    down = smoothstep((c.v - corner_y) / 0.08) * smoothstep((corner_y + 0.24 - c.v) / 0.15)
    path = half + 0.04 + 0.15 * (c.v - corner_y)
    marionette = c.sides(0.30 * au[15] + 0.05 * p.age) * down * c.stroke(c.a - path, 0.050)
    pit = ((c.a - half - 0.055) / 0.055).square() + ((c.v - corner_y) / 0.10).square()
    pit = c.sides(0.28 * au[14] + 0.10 * au[12]) * bell(pit)
    dimples = 0.5 + 0.5 * torch.cos(55 * c.u) * torch.cos(48 * c.v)
    boss = bell((c.a / 0.22).square() + ((c.v - c.sides(k.chin) + 0.24) / 0.11).square())
    boss = c.sides(0.26 * au[17]) * dimples * boss
    drawn = bump(c.v - c.sides(k.middle + k.gap_down + k.lower_lip) - 0.06, 0.035) * bump(c.a, 0.26)
    drawn = c.sides(0.30 * au[16]) * drawn  # the skin bulges below a lip that is pulled down
    stretch = c.sides(0.22 * au[20]) * c.stroke(c.a - half - 0.10, 0.04) * bump(c.v - corner_y - 0.02, 0.16)
    return marionette + pit + boss + drawn + stretch
