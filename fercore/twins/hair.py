"""What frames the face: background, neck, clothes, ears, hair, cap and glasses."""

from types import SimpleNamespace

import torch
from torch import Tensor

from fercore.twins.canvas import ABOVE, BELOW, Canvas, bump, reaches, smoothstep
from fercore.twins.colour import under_skin


def draw_behind(c: Canvas, p: SimpleNamespace, strands: Tensor) -> Tensor:
    """Background, hair behind the head, neck and shoulders: the image before the head is drawn."""
    image = _body(p.back + p.back_x * c.u + p.back_y * (c.v - 0.34), c, p)
    locks = p.hair_tone * (0.85 + 0.18 * strands).clamp_min(0.3) * (1.15 - 0.25 * smoothstep(c.a - 0.6))
    if p.long_hair.any():
        closing = 0.25 * smoothstep((-0.4 - c.v) / 0.6)  # over the head
        edge = 1.17 + 0.05 * torch.sin(5 * c.v + 3 * p.part) + 0.02 * strands - closing
        long = c.inside(edge - c.a, 0.05) * c.inside(c.a - 0.35) * (c.v > -1.2) * p.long_hair
        image = torch.lerp(image, locks, long)
    across, up = c.a / (p.width + 0.10), (c.v / 1.72).abs()
    skull = across * across.square() + up * up.square()
    cap = c.inside((1 - skull) / 3, 0.03) * (c.v < 0.1 + 0.9 * p.long_hair)
    return torch.lerp(image, locks, cap * smoothstep((0.02 - c.v) / 0.3 + p.long_hair))


@reaches(0.60, BELOW)
def _body(image: Tensor, c: Canvas, p: SimpleNamespace) -> Tensor:
    """Neck and clothed shoulders over the background."""
    shoulder = c.v - 1.62 - 0.35 * smoothstep((0.95 - c.a) / 0.5)
    neck = c.inside(0.70 + 0.10 * smoothstep((c.v - 1.5) / 0.5) - c.a, 0.03) * (c.v > 0.6)
    cast = 0.37 + 0.37 * smoothstep((c.v - 1.45) / 0.7)  # shadow of the chin
    rounding = 1 - 0.5 * smoothstep((c.a - 0.25) / 0.5)
    image = torch.lerp(image, p.skin_tone * under_skin(cast * rounding, p), neck)
    return torch.lerp(image, p.clothes, c.inside(shoulder, 0.02))


@reaches(-0.30, 0.75)
def draw_ears(image: Tensor, c: Canvas, p: SimpleNamespace) -> Tensor:
    """Ears, unless long hair hides them."""
    rim = ((c.a - p.width - 0.015) / 0.115).square() + ((c.v - 0.22) / 0.30).square()
    cover = c.inside((1 - rim) * 0.06, 0.01) * (1 - p.long_hair)
    shell = bump(c.a - p.width - 0.03, 0.05) * bump(c.v - 0.2, 0.16)
    tone = p.skin_tone * under_skin(0.60 - 0.30 * shell + 0.12 * bump(rim - 0.62, 0.2), p)
    return torch.lerp(image, tone, cover)


def draw_front_hair(image: Tensor, c: Canvas, p: SimpleNamespace, strands: Tensor, radius: Tensor) -> Tensor:
    """Hair over forehead and temples, with an uneven hairline, and the fringe."""
    wave = 0.025 * torch.sin(4.5 * (c.u + p.part)) + (0.02 + 0.03 * p.fringe) * strands
    temple = (c.a / 0.89).square().square()
    side = (0.50 * temple * temple * (1 + 0.05 * strands)).clamp_max(1.40 + 0.4 * p.long_hair)
    line = p.hairline + wave + side + 0.30 * p.fringe * bump(c.u, 0.75)
    front = c.inside(line - c.v, 0.07)
    sheen = 1 + 0.35 * bump(c.v + 1.05, 0.2) * (0.5 + 0.5 * strands)
    tone = p.hair_tone * (0.80 + 0.17 * strands).clamp_min(0.3) * sheen
    inside = c.inside((1.12 - radius) * 0.5, 0.02)
    above_ear = smoothstep((0.30 + 0.06 * strands - c.v) / 0.22 + p.long_hair)  # where short hair ends
    return torch.lerp(image, tone, front * inside * above_ear)


def draw_accessories(image: Tensor, c: Canvas, p: SimpleNamespace) -> Tensor:
    """Glasses and a cap, where anyone of the batch has them."""
    image = _glasses(image, c, p) if p.glasses.any() else image
    return _cap(image, c, p) if p.cap.any() else image


@reaches(-0.45, 0.50)
def _glasses(image: Tensor, c: Canvas, p: SimpleNamespace) -> Tensor:
    """A frame and a pale reflection."""
    x, y = (c.a - p.eye_x - 0.01) / 0.30, (c.v - 0.03) / 0.205
    lens = (x.square().square() + y.square().square()).clamp_min(1e-6).sqrt().sqrt()
    frame = c.stroke((lens - 1) * 0.24, 0.020)
    bridge = c.stroke(c.v + 0.03, 0.018) * (c.a < 0.17)
    arm = c.stroke(c.v + 0.05, 0.018) * (c.a > p.eye_x + 0.29) * (c.a < 1.02)
    wire = p.glasses * (frame + bridge + arm).clamp(0, 1)
    image = image + p.glasses * 0.05 * c.inside((1 - lens) * 0.24) * (1 - image)
    return image * (1 - 0.85 * wire) + 0.03 * wire


@reaches(ABOVE, -0.30)
def _cap(image: Tensor, c: Canvas, p: SimpleNamespace) -> Tensor:
    """A brim over the forehead and its shadow."""
    brim = -0.60 - 0.10 * (1 - (c.a / 1.05).square()).clamp_min(0)
    cap = p.cap * c.inside(brim - c.v, 0.01) * (c.a < 1.16)
    image = image * (1 - 0.35 * p.cap * bump(c.v - brim, 0.12) * (c.a < 1.0))
    return torch.lerp(image, p.clothes * (0.6 + 0.4 * smoothstep((brim - c.v) / 0.3)), cap)
