"""Cover parts of aligned faces: things held before them, squares, bars; what was covered is known to the pixel.

The papers' own templates are not published; these are drawn. Training and "realistic" (FED-RO) use different ones, so
that a test across databases never shows an object that was seen in training.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from fercore.twins import occluder_hands as hands
from fercore.twins import occluder_things as things
from fercore.twins.sketch import PAD, Sketch

SMALLEST = 32  # pixels


@dataclass(frozen=True)
class Template:
    """An object: how it is drawn and where it is held, in halves of the image from its centre (y down)."""

    draw: Callable[[], Sketch]
    x: tuple[float, float]  # range of its centre
    y: tuple[float, float]
    size: tuple[float, float]  # range of half its side
    turn: tuple[float, float] = (-0.3, 0.3)  # radians
    skin: bool = False  # takes the colour of a skin
    mirrored: bool = True  # half of the draws are


def _held(draw: Callable[[], Sketch], size=(0.52, 0.74), y=(0.35, 0.70), **others) -> Template:
    """Something brought to the mouth."""
    return Template(draw, (-0.30, 0.30), y, size, **others)


def _hand(draw: Callable[[], Sketch], turn=(-0.7, 0.7)) -> Template:
    return Template(draw, (-0.55, 0.55), (0.20, 0.90), (0.60, 0.80), turn, skin=True)


TRAINING: dict[str, dict[str, Template]] = {
    "hands": {
        "open hand": _hand(partial(hands.hand, 0.16, 0.0)),
        "closed fingers": _hand(partial(hands.hand, 0.03, 0.0, sleeve=1)),
        "fist": _hand(partial(hands.hand, 0.02, 0.9, thumb=-0.3, sleeve=2)), "pointing": _hand(hands.pointing),
    },
    "food": {
        "burger": _held(things.burger), "apple": _held(things.apple), "banana": _held(things.banana, (0.6, 0.8)),
        "ice cream": _held(things.ice_cream), "sandwich": _held(things.sandwich),
    },
    "drinks": {
        "mug": _held(things.mug), "glass": _held(things.glass, (0.5, 0.7), (0.45, 0.85)),
        "bottle": _held(things.bottle, (0.6, 0.8), (0.55, 0.9)), "can": _held(things.can, (0.5, 0.65), (0.45, 0.85)),
    },
}  # fmt: skip
_MASK = {"x": (-0.05, 0.05), "y": (0.42, 0.52), "size": (0.80, 0.92), "turn": (-0.06, 0.06)}
_SHADES = {"x": (-0.04, 0.04), "y": (-0.29, -0.21), "size": (0.72, 0.82), "turn": (-0.06, 0.06)}
_HAIR = {"x": (-0.55, -0.25), "y": (-0.35, 0.0), "size": (0.8, 1.0), "turn": (-0.3, 0.1)}
_STAGE = {"size": (0.42, 0.60), "y": (0.60, 0.95), "turn": (-0.9, 0.9)}
REALISTIC: dict[str, Template] = {
    "flat hand": _hand(hands.edge_of_hand, (-0.5, 0.5)),
    "knuckles": _hand(hands.knuckles, (-0.4, 0.4)),
    "surgical mask": Template(partial(things.mask, (0.62, 0.78, 0.86), 3), **_MASK),
    "cloth mask": Template(partial(things.mask, (0.16, 0.16, 0.18), 0), **_MASK),
    "round shades": Template(partial(things.shades, True), **_SHADES),
    "square shades": Template(partial(things.shades, False), **_SHADES),
    "spectacles": Template(things.spectacles, **_SHADES),
    "dark hair": Template(partial(things.strand_of_hair, 0.5, 0.5), **_HAIR),
    "fair hair": Template(partial(things.strand_of_hair, 1.5, -0.3), **_HAIR),
    "ball microphone": _held(partial(things.microphone, True), **_STAGE),
    "stage microphone": _held(partial(things.microphone, False), **_STAGE),
}
KINDS = TRAINING | {"realistic": REALISTIC}
SQUARES = {"R8": 8 / 48, "R16": 16 / 48, "R24": 24 / 48}  # sides, of the image's (Table 2: at 48 pixels)
BARS = {"eyes": (0.27, 0.47), "mouth": (0.64, 0.88)}  # rows, of the image's; an aligned face's eyes are at 0.375
OCCLUSIONS = (*KINDS, *SQUARES, *BARS)
SKINS = np.array([(0.96, 0.78, 0.66), (0.88, 0.66, 0.52), (0.72, 0.50, 0.36), (0.52, 0.34, 0.24), (0.36, 0.23, 0.17)])
LUMA = torch.tensor([0.2126, 0.7152, 0.0722])


def occlude(images: np.ndarray, kinds: str | Sequence[str], seeds: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Covered copies of ``images`` (uint8, N x H x W or N x H x W x 3) and masks (bool, N x H x W) of what is covered.

    ``kinds`` is one of OCCLUSIONS for all images, or one for each. A mask depends on its seed only, what covers it on
    its seed and (a hand's skin) on its image. Raises ValueError for other kinds, types or shapes.
    """
    images = np.asarray(images)
    kinds = [kinds] * len(images) if isinstance(kinds, str) else list(kinds)
    _check(images, kinds, seeds)
    covered, masks = images.copy(), np.zeros(images.shape[:3], bool)
    drawn = [i for i, kind in enumerate(kinds) if kind in KINDS]
    for i in [i for i, kind in enumerate(kinds) if kind not in KINDS]:
        masks[i] = _plain(kinds[i], images.shape[1], images.shape[2], np.random.default_rng(seeds[i]))
        covered[i][masks[i]] = 0
    if drawn:
        layer = _place([kinds[i] for i in drawn], [seeds[i] for i in drawn], images[drawn])
        covered[drawn], masks[drawn] = _blend(images[drawn], layer)
    return covered, masks


def _check(images: np.ndarray, kinds: list[str], seeds: Sequence[int]) -> None:
    if images.dtype != np.uint8 or images.ndim not in (3, 4) or (images.ndim == 4 and images.shape[3] != 3):
        raise ValueError(f"images must be uint8, N x H x W or N x H x W x 3, not {images.dtype} {images.shape}")
    if min(images.shape[1:3]) < SMALLEST:
        raise ValueError(f"images must be at least {SMALLEST} pixels wide and high, not {images.shape[1:3]}")
    if unknown := set(kinds) - set(OCCLUSIONS):
        raise ValueError(f"no occlusion {sorted(unknown)}; there are {', '.join(OCCLUSIONS)}")
    if not len(images) == len(kinds) == len(seeds):
        raise ValueError(f"{len(images)} images need as many kinds and seeds, not {len(kinds)} and {len(seeds)}")


def _plain(kind: str, height: int, width: int, random: np.random.Generator) -> np.ndarray:
    """A black square anywhere inside the image, or a black bar over the eyes or the mouth."""
    mask = np.zeros((height, width), bool)
    if kind in SQUARES:
        tall, wide = round(SQUARES[kind] * height), round(SQUARES[kind] * width)
        top, left = random.integers(height - tall + 1), random.integers(width - wide + 1)
        mask[top : top + tall, left : left + wide] = True
    else:
        first, last = BARS[kind]
        mask[round(first * height) : round(last * height), round(0.12 * width) : round(0.88 * width)] = True
    return mask


@cache
def bank(kind: str, side: int = PAD) -> Tensor:
    """The pictures of all templates of a kind, T x 4 x side x side; a smaller side means averages, not samples."""
    if side == PAD:
        return torch.from_numpy(np.stack([template.draw().picture() for template in KINDS[kind].values()]))
    return F.avg_pool2d(bank(kind), PAD // side)


def _side(size: int) -> int:
    """The side of the templates for images of ``size`` pixels: about as large as they will be seen."""
    return next((side for side in (PAD // 8, PAD // 4, PAD // 2) if side >= 0.7 * size), PAD)


def _place(kinds: list[str], seeds: Sequence[int], images: np.ndarray) -> Tensor:
    """Each image's object where it is held: colour and cover, n x 4 x H x W."""
    size, own = images.shape[1:3], _own_skin(images)
    pictures, affine, tints = [], [], []
    for i, (kind, seed) in enumerate(zip(kinds, seeds, strict=True)):
        random = np.random.default_rng(seed)
        number = int(random.integers(len(KINDS[kind])))
        template = list(KINDS[kind].values())[number]
        x, y, half, turn = (random.uniform(*span) for span in (template.x, template.y, template.size, template.turn))
        mirror = -1.0 if template.mirrored and random.random() < 0.5 else 1.0
        cos, sin = np.cos(turn) / half, np.sin(turn) / half
        affine.append([[mirror * cos, mirror * sin, -mirror * (cos * x + sin * y)], [-sin, cos, sin * x - cos * y]])
        tints.append(np.clip((own[i] if template.skin else 1.0) * random.uniform(0.88, 1.10) * np.ones(3), 0, 1))
        pictures.append(bank(kind, _side(max(size)))[number])
    grid = F.affine_grid(torch.tensor(np.array(affine), dtype=torch.float32), [len(seeds), 4, *size], False)
    layer = F.grid_sample(torch.stack(pictures), grid, align_corners=False)
    layer[:, :3] *= torch.tensor(np.array(tints), dtype=torch.float32)[..., None, None]
    return layer


def _own_skin(images: np.ndarray) -> np.ndarray:
    """The skin colour for each face's hands, n x 3: the one of SKINS that is as bright as the middle of the face."""
    height, width = images.shape[1:3]
    middle = images[:, round(0.45 * height) : round(0.62 * height), round(0.3 * width) : round(0.7 * width)] / 255
    bright = np.median(middle.reshape(len(images), -1, *images.shape[3:]), axis=1)
    bright = bright @ LUMA.numpy() if images.ndim == 4 else bright
    bright = 1.2 * bright  # the nose shades it
    return SKINS[np.abs(bright[:, None] - SKINS @ LUMA.numpy()).argmin(1)]


def _blend(images: np.ndarray, layer: Tensor) -> tuple[np.ndarray, np.ndarray]:
    cover = torch.where(layer[:, 3] < 0.02, 0.0, layer[:, 3])  # n x H x W
    colour = layer[:, :3].movedim(1, -1) if images.ndim == 4 else layer[:, :3].movedim(1, -1) @ LUMA
    share = cover[..., None] if images.ndim == 4 else cover
    below = torch.from_numpy(images).float()
    mixed = below * (1 - share) + 255 * colour
    mask = (cover > 0).numpy()
    return np.where(
        mask[..., None] if images.ndim == 4 else mask, mixed.round().clamp(0, 255).byte().numpy(), images
    ), mask
