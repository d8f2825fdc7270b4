"""PG-CNN (= pACNN) and gACNN, two systems that Occluded compares with (Tables 1 to 4): a gate for each facial patch.

As in the authors' published network (Li et al. 2018, 2019), but for two things: batch norm inside the units has scale
and shift, and the gates' 1 x 1 convolution is not padded (theirs averages a rim of constants into the gate).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fercore.faces.patch_points import MEAN_FACE, PATCHES, patch_points
from fercore.networks.gated_units import GatedUnits, convolution
from fercore.networks.vgg import CONV4_2, CONV5_2, WIDTHS, load_vgg16, vgg16_layers


@dataclass(frozen=True)
class Shape:
    """Sizes of the network; the defaults are the authors'."""

    image_size: int = 224  # pixels
    widths: tuple[int, ...] = WIDTHS  # VGG-16
    pooled: tuple[int, ...] = (1, 2, 3, 4)  # blocks that end with pooling
    patch: int = 6  # cells of the conv4_2 map: 6 of 28, a fifth of the face
    feature: int = 64  # per patch
    whole: int = 512  # feature of the whole face (gACNN)
    gate: tuple[int, int] = (128, 64)  # layers of a gate before its one output
    hidden: int = 1024  # before the classes

    @property
    def stride(self) -> int:
        """Pixels per cell of the conv4_2 map."""
        return 2 ** sum(block < 4 for block in self.pooled)


PAPER = Shape()
# With all its pooling VGG-16 makes 6 x 6 cells of 48 pixels, too coarse for patches. Without the first pooling it makes
# 12 x 12, and a patch of 3 keeps its share of the face; without the third instead, a cell would see 56 pixels, not 40.
SMALL = Shape(48, (8, 8, 16, 32, 48), (2, 3, 4), patch=3, feature=16, whole=128, gate=(32, 16), hidden=128)


class PatchGated(nn.Module):
    """B x channels x S x S -> B x ``n_classes`` logits, for S = ``shape.image_size``.

    PG-CNN; with ``global_gate`` gACNN, which adds a gated feature of the whole face. ``points``: 24 x 2 in units of S,
    where the patches are (x, y); by default those of a mean face on alignment.TEMPLATE.
    """

    def __init__(
        self,
        n_classes: int,
        global_gate: bool = False,
        shape: Shape = PAPER,
        channels: int = 3,
        points: np.ndarray | None = None,
    ):
        super().__init__()
        self.shape, width = shape, shape.widths[3]
        points = patch_points(MEAN_FACE) if points is None else points
        self.register_buffer("points", torch.as_tensor(points, dtype=torch.float32))
        self.norm = nn.BatchNorm2d(channels)  # of the input, in place of a fixed mean and spread
        self.trunk = vgg16_layers(0, CONV4_2, channels, shape.widths, shape.pooled)
        # 24 units, each a group with weights of its own; trained on one CPU core with batches of 8 they take 0.4 times
        # as long as a loop over modules at the widths of SMALL, 1.5 times at those of PAPER
        self.patches = nn.Sequential(*convolution(PATCHES, width, width, 3), *convolution(PATCHES, width, width, 3))
        self.patch_gates = GatedUnits(PATCHES, width, shape.patch, shape.feature, shape.gate)
        size = PATCHES * shape.feature
        if global_gate:
            self.whole = vgg16_layers(CONV4_2, CONV5_2, width, shape.widths, shape.pooled)
            cells = shape.image_size // shape.stride // (2 if 4 in shape.pooled else 1)
            self.whole_gate = GatedUnits(1, shape.widths[4], cells, shape.whole, shape.gate)
            size += shape.whole
        self.global_gate = global_gate
        self.classifier = nn.Sequential(
            nn.Linear(size, shape.hidden), nn.Dropout(), nn.ReLU(), nn.Linear(shape.hidden, n_classes)
        )
        self.apply(_initialise)

    def forward(self, image: Tensor, points: Tensor | None = None) -> Tensor:
        """The logits; ``points`` (B x 24 x 2) where each image has its own."""
        return self.classifier(self.gated(image, points)[0])

    def gated(self, image: Tensor, points: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Features times gates, B x 1536 (gACNN: 2048), patch by patch, and the gates in (0, 1), B x 24 (25)."""
        maps = self.trunk(self.norm(image))
        corners = first_cells(self.points[None] if points is None else points, self.shape)
        units = self.patches(cut(maps, corners, self.shape.patch).flatten(1, 2))  # B x 24 C x 6 x 6
        features, gates = self.patch_gates(units)
        if self.global_gate:
            feature, gate = self.whole_gate(self.whole(maps))
            features, gates = torch.cat([features, feature], 1), torch.cat([gates, gate], 1)
        return features, gates

    def load_vgg16(self, state: Mapping[str, Tensor]) -> None:
        """Take the trunk's weights from a state dict of torchvision's vgg16_bn; raises as ``vgg.load_vgg16``."""
        load_vgg16(self.trunk, state)
        if self.global_gate:
            load_vgg16(self.whole, state)


def first_cells(points: Tensor, shape: Shape) -> Tensor:
    """Column and row of each patch's upper left cell, ... x 2 whole numbers, from ``points`` in units of the side.

    Rounded twice as by the authors: points to pixels, then to cells. Their MultiROIPooling is no pooling, but a cut.
    """
    pixels = (points * shape.image_size + 0.5).floor()
    return (pixels / shape.stride - shape.patch / 2 + 0.5).floor().long()


def cut(maps: Tensor, corners: Tensor, patch: int) -> Tensor:
    """B x C x h x w -> B x 24 x C x patch x patch from ``corners`` (B or 1 x 24 x 2) on; zeros beyond the map."""
    height, width = maps.shape[-2:]
    padded = F.pad(maps, (patch,) * 4)
    within = torch.arange(patch, device=maps.device)
    columns = corners[..., :1].clamp(-patch, width) + patch + within  # B x 24 x patch
    rows = corners[..., 1:].clamp(-patch, height) + patch + within
    image = torch.arange(len(maps), device=maps.device)[:, None, None, None]
    return padded[image, :, rows[..., None], columns[..., None, :]].movedim(-1, 2)


def _initialise(layer: nn.Module) -> None:
    """He's normal distribution and no bias, as the authors' network starts."""
    if isinstance(layer, nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(layer.weight)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
