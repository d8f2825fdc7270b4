"""A network that learns from drawings and meets photographs: finer, blind to tone, used to faces that are not drawn."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fercore.quality.probe import Probe, standardised

BENT = 0.03  # half images; how far a smooth random field moves what an image shows
UNEVEN = 0.04  # by which factor, as a logarithm, random fields of four scales lighten and darken it


class Relief(Probe):
    """Four convolutions on images without tone: every gray level is seen against its surroundings only."""

    size = 88  # a faint smile is a matter of single pixels at 48

    def __init__(self, n_classes: int):
        super().__init__(n_classes)
        layers: list[nn.Module] = [nn.Conv2d(1, 24, 5, stride=2, padding=2), nn.BatchNorm2d(24), nn.ReLU()]
        for inward, outward in ((24, 48), (48, 96), (96, 128)):
            layers += [nn.Conv2d(inward, outward, 3, padding=1), nn.BatchNorm2d(outward), nn.ReLU(), nn.MaxPool2d(2)]
        self.features = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(3), nn.Flatten(), nn.Dropout(0.3))

    def prepared(self, images: Tensor) -> Tensor:
        """What the first layer sees."""
        return evened(standardised(images))


def evened(images: Tensor, reach: int = 9, least: float = 0.15) -> Tensor:
    """Images B x 1 x H x W minus their local mean, over their local deviation (``least`` keeps noise small)."""

    def around(x: Tensor) -> Tensor:
        return F.avg_pool2d(x, 2 * reach + 1, 1, reach, count_include_pad=False)

    centred = images - around(images)
    return centred / (around(centred.square()).sqrt() + least)


def photographed(images: Tensor, generator: torch.Generator) -> Tensor:
    """Images B x 1 x H x W in 0..1 as other cameras might show them.

    Tone, uneven light, sharpness, noise, something before them; features a little elsewhere, skin a little uneven.
    """
    draws = torch.rand(len(images), 8, generator=generator)[..., None, None, None] * 2 - 1  # B x 8 x 1 x 1 x 1
    images = images + (0.2 + 0.8 * draws[:, 6]) * (images - F.avg_pool2d(images, 3, 1, 1, count_include_pad=False))
    noise = torch.randn(images.shape, generator=generator)
    images = images + 0.03 * draws[:, 7].clamp_min(0) * noise
    steps = torch.linspace(-1, 1, images.shape[-1])
    light = 1 + 0.35 * (draws[:, 1] * steps + draws[:, 2] * steps[:, None])
    lit = (images.clamp_min(1e-3) ** torch.exp(0.5 * draws[:, 0]) * light).clamp(0, 1)
    near = (steps - draws[:, 3]).abs() < 0.3
    hidden = near & ((steps[:, None] - draws[:, 4]).abs() < 0.3) & (draws[:, 5] > 0)
    return uneven(bent(torch.where(hidden, images.mean(), lit), generator), generator)


def bent(images: Tensor, generator: torch.Generator) -> Tensor:
    """Images with all they show moved by smooth random fields, up to about ``BENT``: proportions of other people."""
    count = len(images)
    still = F.affine_grid(torch.eye(2, 3).expand(count, 2, 3), images.shape, align_corners=False)
    pairs = (count, 2, *images.shape[-2:])
    move = smooth(pairs, 4, generator) + 0.5 * smooth(pairs, 7, generator)  # B x 2 x H x W
    move = move * BENT * torch.rand(count, 1, 1, 1, generator=generator)
    return F.grid_sample(images, still + move.movedim(1, -1), padding_mode="border", align_corners=False)


def uneven(images: Tensor, generator: torch.Generator) -> Tensor:
    """Images under random fields of four scales, as skin and shadows vary from place to place."""
    fields = sum(smooth(images.shape, side, generator) for side in (3, 6, 12, 24))
    amount = UNEVEN * torch.rand(len(images), 1, 1, 1, generator=generator)
    return (images * torch.exp(amount * fields)).clamp(0, 1)


def smooth(shape: torch.Size | tuple[int, ...], side: int, generator: torch.Generator) -> Tensor:
    """A random field B x C x H x W that bends ``side`` times across an image."""
    coarse = torch.randn(*shape[:2], side, side, generator=generator)
    return F.interpolate(coarse, size=shape[-2:], mode="bicubic", align_corners=True)
