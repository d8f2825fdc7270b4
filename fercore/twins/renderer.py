"""Draw faces: lists of ``Face`` in, gray images out; an image depends on its own face only, never on its batch."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from fercore.twins.canvas import Canvas, make_canvas
from fercore.twins.curves import Sides, face_curves, sided_units
from fercore.twins.eyes import draw_brows, draw_eyes
from fercore.twins.hair import draw_accessories, draw_behind, draw_ears, draw_front_hair
from fercore.twins.identity import Identity
from fercore.twins.mouth import draw_mouth, draw_nostrils
from fercore.twins.relief import head_radius, height, hollows, shade
from fercore.twins.skin import furrows, skin_tone

PIXELS_AT_ONCE = 1 << 15  # a batch whose planes stay in the cache of one core


@dataclass(frozen=True)
class Face:
    """One image to draw: a person, AU intensities, how one-sided they are, and the scene's numbers."""

    identity: Identity
    units: np.ndarray
    asymmetry: float
    scene: dict[str, float]


@torch.inference_mode()
def render(faces: Sequence[Face], size: int, device: str = "cpu", batch: int | None = None) -> np.ndarray:
    """Images N x size x size, uint8."""
    batch = batch or max(1, PIXELS_AT_ONCE // size**2)
    parts = [_render_batch(faces[start : start + batch], size, device) for start in range(0, len(faces), batch)]
    return np.concatenate(parts) if parts else np.empty((0, size, size), np.uint8)


def _render_batch(faces: Sequence[Face], size: int, device: str) -> np.ndarray:
    p = _parameters(faces, device)
    units = torch.tensor(np.stack([face.units for face in faces]), dtype=torch.float32, device=device)
    au = sided_units(units, p.asymmetry[:, 0, 0])
    skin = torch.from_numpy(np.stack([face.identity.skin for face in faces])).to(device)
    hair = torch.from_numpy(np.stack([face.identity.hair for face in faces])).to(device)
    image = _draw(make_canvas(p, size), p, au, skin, hair)
    image = _sensor(image, p, faces, size)
    return (image * 255).round().clamp(0, 255).byte().cpu().numpy()


def _parameters(faces: Sequence[Face], device: str) -> SimpleNamespace:
    """Traits and scene as tensors B x 1 x 1, by name."""
    rows = [face.identity.traits | face.scene | {"asymmetry": face.asymmetry} for face in faces]
    names = [name for name in rows[0] if name != "noise_seed"]
    values = torch.tensor([[row[name] for name in names] for row in rows], dtype=torch.float32, device=device)
    columns = values.T.contiguous()[..., None, None]  # names x B x 1 x 1
    return SimpleNamespace(**dict(zip(names, columns, strict=True)))


def _draw(c: Canvas, p: SimpleNamespace, au: dict[int, Tensor], skin: Tensor, hair: Tensor) -> Tensor:
    """The scene back to front, linear light, B x S x S."""
    sides, k = Sides(c.u), face_curves(p, au)
    mottle, strands = c.field(skin, 1.3, 1.7), c.field(hair, 0.55, 2.6)
    radius = head_radius(c, p, k, sides)
    diffuse, gloss = shade(c, p, height(c, p, k, sides, radius, au))
    nose_y, nose_wide = sides(k.nose_y), sides(k.nose_wide)
    light = diffuse * hollows(c, p, nose_y)
    face = skin_tone(c, p, k, sides, mottle, strands) * light * furrows(c, p, k, sides, au)
    face = face + gloss * p.skin_tone
    face = draw_nostrils(face, c, nose_y, nose_wide, p)
    face = draw_mouth(face, c, p, k, sides, light)
    face = draw_eyes(face, light, c, p, k, sides)
    face = draw_brows(face, c, p, k, sides, strands)
    image = draw_ears(draw_behind(c, p, strands), c, p)
    image = image + c.inside((1 - radius) * 0.5, 0.01) * (face - image)
    image = draw_front_hair(image, c, p, strands, radius)
    return draw_accessories(image, c, p)


def _sensor(image: Tensor, p: SimpleNamespace, faces: Sequence[Face], size: int) -> Tensor:
    """Lens blur, tone curve x (1 + c) / (x + c) instead of clipping, gamma, noise from each face's own seed."""
    image = _blur(image, p.blur * size / 64)
    image = (p.gain * image.clamp_min(0)).clamp(0, 4)
    image = 2.3 * image / (image + 1.3)
    image = image.clamp(1e-4, 1).pow(p.gamma)
    noise = [np.random.default_rng(f.scene["noise_seed"]).standard_normal((size, size), np.float32) for f in faces]
    return image + p.noise * torch.from_numpy(np.stack(noise)).to(image.device)


def _blur(image: Tensor, sigma: Tensor) -> Tensor:
    """Separable Gaussian of three or more taps, one sigma (pixels) per image."""
    reach = max(1, int(np.ceil(2 * 0.6 * image.shape[-1] / 64)))
    taps = torch.arange(-reach, reach + 1, device=image.device, dtype=torch.float32)
    weights = torch.exp(-0.5 * (taps / sigma.clamp_min(1e-3)).square())  # B x 1 x taps
    weights = weights / weights.sum(-1, keepdim=True)
    size = image.shape[-1]
    for across in (True, False):
        wide = pad(image[:, None], (reach, reach, 0, 0) if across else (0, 0, reach, reach), mode="replicate")[:, 0]
        shifted = (wide[:, :, s : s + size] if across else wide[:, s : s + size] for s in range(2 * reach + 1))
        image = sum(weights[..., s : s + 1] * part for s, part in enumerate(shifted))
    return image
