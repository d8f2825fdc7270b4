"""Draw faces: lists of ``Face`` in, gray, colour or thermal images out.

An image depends on its own face only, never on its batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from fercore.twins import detail
from fercore.twins.canvas import Canvas, make_canvas
from fercore.twins.colour import coloured, plain, under_skin
from fercore.twins.curves import face_curves, sided_units
from fercore.twins.eyes import draw_brows, draw_eyes
from fercore.twins.facs import AU_NUMBERS, STRONGEST
from fercore.twins.hair import draw_accessories, draw_behind, draw_ears, draw_front_hair
from fercore.twins.identity import Identity
from fercore.twins.memory import keep_freed
from fercore.twins.mouth import MOUTH, draw_mouth, draw_nostrils, mouth_lines
from fercore.twins.relief import head_radius, height, hollows, shade
from fercore.twins.skin import furrows, skin_tone

PIXELS_AT_ONCE = 1 << 17  # a batch: more would not stay in the cache, with less the calls would count
SMALLEST = 32  # pixels; below this eyes and lips are no longer drawn apart
MODALITIES = ("gray", "rgb", "thermal")


@dataclass(frozen=True)
class Face:
    """One image to draw: a person, AU intensities, how one-sided they are, and the scene's numbers."""

    identity: Identity
    units: np.ndarray
    asymmetry: float
    scene: dict[str, float]


@torch.inference_mode()
def render(
    faces: Sequence[Face], size: int, device: str = "cpu", batch: int | None = None, modality: str = "gray"
) -> np.ndarray:
    """Images, uint8: N x size x size, with a last axis of 3 for modality "rgb".

    Raises ValueError for a size below 32, an unknown modality, or units that are not drawable.
    """
    _check(faces, size, modality)
    keep_freed()
    batch = batch or max(1, PIXELS_AT_ONCE // size**2)
    parts = [_render_batch(faces[i : i + batch], size, device, modality) for i in range(0, len(faces), batch)]
    shape = (0, size, size, 3) if modality == "rgb" else (0, size, size)
    return np.concatenate(parts) if parts else np.empty(shape, np.uint8)


def _check(faces: Sequence[Face], size: int, modality: str) -> None:
    if size < SMALLEST:
        raise ValueError(f"size must be at least {SMALLEST} pixels, not {size}")
    if modality not in MODALITIES:
        raise ValueError(f"no modality {modality!r}; there are {', '.join(MODALITIES)}")
    for i, face in enumerate(faces):
        units = np.asarray(face.units)
        if units.shape != (len(AU_NUMBERS),):
            raise ValueError(f"face {i}: {len(AU_NUMBERS)} action units are drawn, not an array of {units.shape}")
        if not ((units >= 0) & (units <= STRONGEST)).all():
            raise ValueError(f"face {i}: intensities must be in 0..{STRONGEST}, not {units.min():g} to {units.max():g}")


def _render_batch(faces: Sequence[Face], size: int, device: str, modality: str) -> np.ndarray:
    p = _parameters(faces, device)
    units = torch.tensor(np.stack([face.units for face in faces]), dtype=torch.float32, device=device)
    au = sided_units(units, p.asymmetry[:, 0, 0])
    skin = torch.from_numpy(np.stack([face.identity.skin for face in faces])).to(device)
    hair = torch.from_numpy(np.stack([face.identity.hair for face in faces])).to(device)
    canvas = make_canvas(p, size)
    if modality == "thermal":
        from fercore.twins.thermal import thermal_image

        image = thermal_image(canvas, p, au, skin, hair, faces, size)
    else:
        tinted = coloured(p) if modality == "rgb" else plain(p)
        image = _sensor(_draw(canvas, tinted, au, skin, hair), p, faces)
    image = image.movedim(0, -1) if modality == "rgb" else image
    return (image * 255).round().clamp(0, 255).byte().cpu().numpy()


def _parameters(faces: Sequence[Face], device: str) -> SimpleNamespace:
    """Traits and scene as tensors B x 1 x 1, by name."""
    rows = [face.identity.traits | face.scene | {"asymmetry": face.asymmetry} for face in faces]
    names = [name for name in rows[0] if name != "noise_seed"]
    values = torch.tensor([[row[name] for name in names] for row in rows], dtype=torch.float32, device=device)
    columns = values.T.contiguous()[..., None, None]  # names x B x 1 x 1
    return SimpleNamespace(**dict(zip(names, columns, strict=True)))


def _draw(c: Canvas, p: SimpleNamespace, au: dict[int, Tensor], skin: Tensor, hair: Tensor) -> Tensor:
    """The scene back to front, linear light, B x S x S; 3 x B x S x S where the tones of ``p`` are colours."""
    k = face_curves(p, au)
    mottle, strands = c.field(skin, 1.3, 1.7), c.field(hair, 0.55, 2.6)
    locks = strands + detail.hairs(c, hair)
    rough, creases, near = detail.pores(c, p, skin), 1 - furrows(c, p, k, au, mottle), detail.resolved(c)
    radius, mouth = head_radius(c, p, k), mouth_lines(c.at(c.rows(*MOUTH)), p, k)
    relief = height(c, p, k, radius, au, mouth) + 0.0022 * rough - 0.04 * near * creases
    diffuse, gloss = shade(c, p, relief)
    nose_y, nose_wide = c.sides(k.nose_y), c.sides(k.nose_wide)
    light = diffuse * hollows(c, p, nose_y)
    tone = skin_tone(c, p, k, mottle, strands, hair)
    tone = tone * (1 + 0.02 * rough - 0.35 * p.melanin * detail.freckles(c, p, skin))
    face = tone * under_skin(light, p) * (1 - (1 - 0.4 * near) * creases)  # from near, light makes creases too
    face = face + gloss * p.skin_tone
    face = draw_nostrils(face, c, nose_y, nose_wide, p)
    face = draw_mouth(face, c, p, k, light, mouth)
    face = draw_eyes(face, c, light, p, k)
    face = draw_brows(face, c, p, k, locks, hair)
    image = draw_ears(draw_behind(c, p, locks), c, p)
    image = torch.lerp(image, face, c.inside((1 - radius) * 0.5, 0.01))
    image = draw_front_hair(image, c, p, locks, radius)
    return draw_accessories(image, c, p)


def _sensor(image: Tensor, p: SimpleNamespace, faces: Sequence[Face]) -> Tensor:
    """Lens blur, tone curve x (1 + c) / (x + c) instead of clipping, gamma, noise from each face's own seed."""
    size, channels = image.shape[-1], image.shape[:-3]  # (3,) in colour
    image = _blur(image, p.blur * (size / 64) ** 0.5)
    image = (p.gain * image.clamp_min(0)).clamp(0, 4)
    image = 2.3 * image / (image + 1.3)
    image = image.clamp(1e-4, 1).pow(p.gamma)
    shape = (*channels, size, size)
    noise = [np.random.default_rng(f.scene["noise_seed"]).standard_normal(shape, np.float32) for f in faces]
    return image + p.noise * torch.from_numpy(np.stack(noise, axis=-3)).to(image.device)


def _blur(image: Tensor, sigma: Tensor) -> Tensor:
    """Separable Gaussian of three or more taps over the last two axes, one sigma (pixels) per image."""
    size = image.shape[-1]
    reach = max(1, int(np.ceil(2 * 0.6 * size / 64)))
    taps = torch.arange(-reach, reach + 1, device=image.device, dtype=torch.float32)
    weights = torch.exp(-0.5 * (taps / sigma.clamp_min(1e-3)).square())  # B x 1 x taps
    weights = weights / weights.sum(-1, keepdim=True)
    for axis, margin in ((-1, (reach, reach, 0, 0)), (-2, (0, 0, reach, reach))):
        wide = pad(image.reshape(-1, 1, size, size), margin, mode="replicate")[:, 0]
        wide = wide.reshape(*image.shape[:-2], *wide.shape[-2:])
        image = weights[..., reach : reach + 1] * wide.narrow(axis, reach, size)
        for i in range(reach):  # a Gaussian is even: both neighbours at once
            neighbours = wide.narrow(axis, i, size) + wide.narrow(axis, 2 * reach - i, size)
            image.addcmul_(weights[..., i : i + 1], neighbours)
    return image
