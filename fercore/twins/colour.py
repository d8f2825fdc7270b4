"""Tones as colours: the same drawing in gray (B x 1 x 1) or, with a leading axis of three, in red, green and blue."""

from types import SimpleNamespace

import torch
from torch import Tensor

LUMA = (0.2126, 0.7152, 0.0722)  # of linear red, green, blue; every tint below has luma 1, so that gray stays gray

TINTED = ("blood", "melanin", "flesh", "enamel", "sclera")


def plain(p: SimpleNamespace) -> SimpleNamespace:
    """The tones as they are: without hue, blood and freckles darken all there is."""
    return SimpleNamespace(**vars(p) | dict.fromkeys(TINTED, 1.0) | {"scatter": None})


def coloured(p: SimpleNamespace) -> SimpleNamespace:
    """The same numbers with every tone (skin, hair, lips, iris, clothes, background) 3 x B x 1 x 1."""
    fair = ((p.skin_tone - 0.40) / 0.45).clamp(0, 1)  # 0 dark .. 1 fair
    skin = _between((1.40, 0.93, 0.67), (1.24, 0.955, 0.83), fair) + p.undertone * _tint(0.02, 0.0, -0.045)
    hair = _between((1.10, 1.00, 0.86), (1.34, 0.98, 0.55), (p.hair_tone / 0.30).clamp(0, 1))
    hair = hair + p.hair_warmth * _tint(0.30, -0.04, -0.20)
    brown, blue = _tint(1.40, 0.95, 0.58), _tint(0.82, 1.01, 1.26)
    iris = brown + (p.iris_hue * p.iris_tone / 0.24).clamp(0, 1) * (blue - brown)  # pale irises only are blue
    tones = {
        "skin_tone": p.skin_tone * _even(skin),
        "hair_tone": p.hair_tone * _even(hair),
        "lip_tone": p.lip_tone * _even(_between((1.16, 0.93, 0.98), (1.28, 0.86, 0.96), fair)),
        "iris_tone": p.iris_tone * _even(iris),
        "clothes": p.clothes * _even(_wheel(p.clothes_hue, 0.35)),
        "back": p.back * _even(_wheel(p.back_hue, 0.12)),
        "blood": _tint(0.4, 1.8, 1.6),  # what a flush takes away: green and blue
        "melanin": _tint(0.75, 1.1, 1.4),  # of freckles
        "scatter": _tint(0.20, -0.04, -0.17),  # red light comes back from under the skin where it is in shadow
        "flesh": _even(_tint(1.9, 0.75, 0.75)),  # tongue and gums
        "enamel": _even(_tint(1.12, 0.99, 0.84)),
        "sclera": _even(_tint(1.12, 0.98, 0.90)),
    }
    return SimpleNamespace(**vars(p) | tones)


def _tint(*colour: float) -> Tensor:
    return torch.tensor(colour)[:, None, None, None]


def _between(dark: tuple, fair: tuple, share: Tensor) -> Tensor:
    return _tint(*dark).to(share.device) * (1 - share) + _tint(*fair).to(share.device) * share


def _wheel(hue: Tensor, saturation: float) -> Tensor:
    """A colour of the wheel, 3 x B x 1 x 1, from its angle in turns."""
    thirds = _tint(0.0, 1 / 3, 2 / 3).to(hue.device)
    return 1 + saturation * torch.cos(2 * torch.pi * (hue - thirds))


def _even(colour: Tensor) -> Tensor:
    """The colour at luma 1."""
    weights = torch.tensor(LUMA, device=colour.device)[:, None, None, None]
    return colour / (weights * colour).sum(0)


def under_skin(light: Tensor, p: SimpleNamespace) -> Tensor:
    """The factor ``light`` (1 fully lit) in each colour: about light^(1 - 0.7 scatter), without a costly power."""
    return light if p.scatter is None else light * (1 + p.scatter * (1 - light))
