"""Random crop, scale, rotation, flip and intensity, for a whole batch on its device."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from fercore.refusals import within

FIVE = torch.tensor([[0, -1, -1, 1, 1], [0, -1, 1, -1, 1]]).float()  # across and down: the middle, the corners


@dataclass(frozen=True)
class Augmentation:
    """Ranges of the random changes; each image draws its own, all maps of one image share it.

    Raises ValueError for a range that is negative, or that reaches a face of no size.
    """

    scale: float  # relative: the face is enlarged by a factor of 1 +- scale
    rotation: float  # degrees, +-
    intensity: float  # the gray level is multiplied by 1 +- intensity
    crops: str = "any"  # where a crop lies: "any" place, or one of "five", the corners and the middle

    def __post_init__(self):
        if not 0 <= self.scale < 1:
            raise ValueError(f"scale {self.scale} is out of range; valid: 0 or above and below 1")
        within("rotation", self.rotation, 0)
        within("intensity", self.intensity, 0)

    def __call__(self, maps: Tensor, size: int, generator: torch.Generator) -> Tensor:
        """A changed random crop, B x C x size x size in [0, 1], of maps (B x C x h x w in [0, 1]).

        The draws are made on the CPU, so that every device sees the same changes.
        """
        draws = torch.rand(6, len(maps), generator=generator) * 2 - 1  # each in [-1, 1]
        if self.crops == "five":
            draws[2:4] = FIVE[:, (2.5 * (draws[2] + 1)).long().clamp(max=4)]
        grid = _grid(self._affine(draws, size, maps.shape[-2:]).to(maps), size)
        brightness = (1 + self.intensity * draws[5]).to(maps)
        crop = F.grid_sample(maps, grid, padding_mode="border", align_corners=False)
        return crop.mul_(brightness[:, None, None, None]).clamp_(0, 1)

    def _affine(self, draws: Tensor, size: int, stored: torch.Size) -> Tensor:
        """B x 2 x 3, from output to input in coordinates where the input image spans [-1, 1]."""
        angle = draws[0] * math.radians(self.rotation)
        zoom = (size / stored[1]) / (1 + self.scale * draws[1])
        room = 1 - size / stored[1]  # how far the crop can move before it leaves the stored image
        flip = torch.where(draws[4] < 0, -1.0, 1.0)
        cos, sin = zoom * angle.cos(), zoom * angle.sin()
        rows = [torch.stack([cos * flip, -sin, room * draws[2]]), torch.stack([sin * flip, cos, room * draws[3]])]
        return torch.stack(rows).permute(2, 0, 1)


def _grid(affine: Tensor, size: int) -> Tensor:
    """Where each pixel's value lies in the input, B x size x size x 2; what F.affine_grid says, in half its time.

    All x lie before all y in memory: so sampling need not gather them, which saves a third of its time.
    """
    steps = (2 * torch.arange(size, device=affine.device) + 1) / size - 1  # pixel centres
    across, down, shift = affine.contiguous()[..., None, None].unbind(2)  # B x 2 x 1 x 1
    return (across * steps + (down * steps[:, None] + shift)).permute(0, 2, 3, 1)


def stored_size(image_size: int, ratio: float = 66 / 64) -> int:
    """Pixels of the image that a crop of ``image_size`` is taken from: 66 for 64 (GCNet, Sec. 4.1), or that ratio."""
    return max(round(image_size * ratio), image_size + 1)


def centre_crop(maps: Tensor, size: int) -> Tensor:
    """The middle of maps (B x C x h x w), B x C x size x size."""
    top, left = (maps.shape[-2] - size) // 2, (maps.shape[-1] - size) // 2
    return maps[..., top : top + size, left : left + size]
