"""The same face by its warmth: a long-wave infrared camera's picture, untouched by visible light.

Relative temperatures of skin regions follow textbooks of thermal imaging: warm inner corners of the eyes, forehead and
mouth; cool nose, cheeks and ears; hair, glasses and clothes cover the skin and are cooler still.
"""

from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from fercore.twins.canvas import Canvas, bell, bump, smoothstep
from fercore.twins.curves import face_curves
from fercore.twins.mouth import mouth_lines
from fercore.twins.relief import head_radius

SENSOR = 0.5  # of the visible camera's pixels per line
SKIN, NECK, HAIR, EAR, CLOTHES, ROOM = 0.62, 0.66, 0.30, 0.48, 0.36, 0.06


def thermal_image(
    c: Canvas, p: SimpleNamespace, au: dict[int, Tensor], skin: Tensor, hair: Tensor, faces: Sequence, size: int
) -> Tensor:
    """Pictures in 0..1, B x S x S, of faces with traits and scene ``p``, units ``au`` and random fields of skin, hair.

    ``faces`` give the seeds of the sensor's noise.
    """
    k = face_curves(p, au)
    strands = c.field(hair, 0.55, 2.6)
    radius = head_radius(c, p, k)
    warmth = _around(c, p, strands)
    face = _skin(c, p, k, au, skin, radius)
    warmth = warmth + c.inside((1 - radius) * 0.5, 0.02) * (face - warmth)
    return _sensor(_covers(warmth, c, p, strands, radius), faces, size)


def _around(c: Canvas, p: SimpleNamespace, strands: Tensor) -> Tensor:
    """Room, clothes, neck, ears and long hair."""
    warmth = torch.full_like(c.v, ROOM)
    shoulder = c.v - 1.62 - 0.35 * smoothstep((0.95 - c.a) / 0.5)
    neck = c.inside(0.62 + 0.10 * smoothstep((c.v - 1.5) / 0.5) - c.a, 0.03) * (c.v > 0.6)
    warmth = warmth + neck * (NECK - 0.06 * smoothstep((c.a - 0.3) / 0.3) - warmth)
    warmth = warmth + c.inside(shoulder, 0.02) * (CLOTHES - warmth)
    rim = ((c.a - p.width - 0.015) / 0.115).square() + ((c.v - 0.22) / 0.30).square()
    warmth = warmth + c.inside((1 - rim) * 0.06, 0.01) * (1 - p.long_hair) * (EAR - warmth)
    long = c.inside(1.17 + 0.05 * strands - c.a, 0.05) * c.inside(c.a - 0.35) * (c.v > -0.9) * p.long_hair
    skull = ((c.u / (p.width + 0.14)).square().square() + (c.v / 1.72).square().square()).sqrt()
    cap = c.inside((1 - skull) * 0.5, 0.03) * (c.v < -0.1 + 1.0 * p.long_hair)
    return warmth + torch.maximum(long, cap) * (HAIR + 0.03 * strands - warmth)


def _skin(
    c: Canvas, p: SimpleNamespace, k: SimpleNamespace, au: dict[int, Tensor], skin: Tensor, radius: Tensor
) -> Tensor:
    """Temperature of bare skin: vessels near the surface warm it, cartilage and fat keep it cool."""
    own = 0.035 * c.field(skin, 2.6, 3.4, folded=True)  # everybody's own pattern of vessels, about even in both halves
    nose_y = c.sides(k.nose_y)
    canthus = 0.17 * bell(((c.a - p.eye_x + 0.72 * p.eye_width) / 0.09).square() + ((c.v - 0.03) / 0.08).square())
    orbit = 0.05 * bell(((c.a - p.eye_x) / 0.26).square() + (c.v / 0.15).square())
    forehead = 0.06 * bell((c.a / 0.75).square() + ((c.v + 0.62) / 0.34).square())
    frown = 0.035 * c.sides(au[4]) * bump(c.a - 0.1, 0.16) * bump(c.v + 0.30, 0.14)  # a muscle at work warms its skin
    nose = (0.24 + 0.5 * (p.nose_out - 0.40)) * bell((c.a / 0.17).square() + ((c.v - nose_y + 0.10) / 0.20).square())
    cheek_v = c.v - 0.48 + 0.07 * c.sides(au[6] + au[12]).clamp(0, 2)
    cheek = (0.12 + 0.4 * (p.cheek - 0.065)) * bell(((c.a - 0.60) / 0.26).square() + (cheek_v / 0.26).square())
    chin = 0.05 * bell((c.a / 0.3).square() + ((c.v - c.sides(k.chin) + 0.18) / 0.16).square())
    limb = 0.12 * smoothstep((radius - 0.45) / 0.55)  # skin seen at a slant radiates less towards the camera
    warmth = SKIN + own + canthus + orbit + forehead + frown - nose - cheek - chin - limb
    eyeball = bell(((c.a - p.eye_x) / (0.8 * p.eye_width)).square() + (c.v / 0.07).square())
    open_eye = (c.sides(k.upper_lid) / (0.6 * p.eye_height)).clamp(0, 1.6)
    warmth = warmth - 0.07 * eyeball * open_eye  # the wet cornea
    brow_v = c.v - p.brow_y - c.sides(k.brow_inner) * smoothstep(0.5 - 2 * (c.a - 0.47)) - 0.5 * c.sides(k.brow_outer)
    warmth = warmth - 0.15 * p.brow_dark * bump(brow_v, 1.3 * p.brow_thick) * bump(c.a - 0.47, 1.1 * p.brow_length)
    return _mouth(warmth, c, p, k)


def _mouth(warmth: Tensor, c: Canvas, p: SimpleNamespace, k: SimpleNamespace) -> Tensor:
    """Lips a little warmer than their skin; the open mouth warmer still, its teeth cooled by the breath; the beard."""
    m = mouth_lines(c, p, k)
    jaw = smoothstep((c.v - c.sides(k.middle) + 0.38) / 0.22) * (1 - 0.8 * bump(c.a, 0.42) * bump(c.v - m.line, 0.10))
    warmth = warmth - 0.20 * p.beard * jaw
    lips = c.inside(torch.minimum(c.v - m.outer_upper, m.outer_lower - c.v), 0.02) * m.within
    opening = c.inside(torch.minimum(c.v - m.inner_upper, m.inner_lower - c.v)) * m.within
    opening = opening * smoothstep((m.inner_lower - m.inner_upper - 0.008) / 0.03)
    teeth = c.inside(c.sides(k.teeth) - (c.v - m.inner_upper)) * (m.t < 0.95)
    return warmth + 0.05 * lips + opening * (0.08 - 0.14 * teeth)


def _covers(warmth: Tensor, c: Canvas, p: SimpleNamespace, strands: Tensor, radius: Tensor) -> Tensor:
    """Hair of the head, cap and glasses over the skin."""
    temple = (c.a / 0.93).square().square()
    line = p.hairline + 0.045 * torch.sin(4.5 * (c.u + p.part)) + 0.02 * strands
    line = line + (0.62 + 0.5 * p.long_hair) * temple * temple * temple + 0.30 * p.fringe * bump(c.u, 0.75)
    hair = c.inside(line - c.v, 0.10) * c.inside((1.12 - radius) * 0.5, 0.02)
    warmth = warmth + hair * (HAIR + 0.03 * strands - warmth)
    x, y = (c.a - p.eye_x - 0.01) / 0.30, (c.v - 0.03) / 0.205
    lens = (x.square().square() + y.square().square()).clamp_min(1e-6).sqrt().sqrt()
    warmth = warmth + p.glasses * c.inside((1.08 - lens) * 0.24) * (0.20 - warmth)  # glass is opaque to this light
    brim = -0.60 - 0.10 * (1 - (c.a / 1.05).square()).clamp_min(0)
    return warmth + p.cap * c.inside(brim - c.v, 0.01) * (c.a < 1.16) * (0.28 - warmth)


def _sensor(warmth: Tensor, faces: Sequence, size: int) -> Tensor:
    """Few pixels, a pattern fixed in columns, noise, and a gain that spreads each frame over all gray levels."""
    few = max(round(SENSOR * size), 16)
    coarse = interpolate(warmth[:, None], (few, few), mode="bilinear", antialias=True, align_corners=False)
    seeds = [np.random.default_rng([face.scene["noise_seed"], 1]) for face in faces]  # not the visible camera's draws
    grain = np.stack([seed.standard_normal((few, few), np.float32) for seed in seeds])
    columns = np.stack([seed.standard_normal((1, few), np.float32) for seed in seeds])
    noise = torch.from_numpy(0.008 * grain + 0.007 * columns).to(warmth.device)
    fine = interpolate(coarse + noise[:, None], (size, size), mode="bicubic", align_corners=False)[:, 0]
    low, high = fine.amin((1, 2), keepdim=True), fine.amax((1, 2), keepdim=True)
    return (fine - low) / (high - low)
