"""The convolutions of IDFERM: 1 x 1, 3 x 3 and 5 x 5 side by side, after two plain layers."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Filters:
    """Filters of the branches of a block; those of reductions stand before 3 x 3 and 5 x 5."""

    one: int
    before_three: int
    three: int
    before_five: int
    five: int
    pooled: int

    @property
    def total(self) -> int:
        """Channels that leave the block."""
        return self.one + self.three + self.five + self.pooled


@dataclass(frozen=True)
class Shape:
    """Filters of the two plain layers and of the three blocks.

    Not stated; the defaults are GoogLeNet's 3a, 3b and 4a behind its first layers, as Mollahosseini et al. (2016) do.
    """

    plain: tuple[int, int] = (64, 192)
    first: Filters = Filters(64, 96, 128, 16, 32, 32)
    second: Filters = Filters(128, 128, 192, 32, 96, 64)
    third: Filters = Filters(192, 96, 208, 16, 48, 64)


PAPER = Shape()
SMALL = Shape((16, 32), Filters(16, 16, 24, 4, 8, 8), Filters(24, 24, 32, 8, 16, 8), Filters(32, 24, 40, 8, 16, 8))


class InceptionBlock(nn.Module):
    """Four branches side by side, B x inputs x h x w -> B x ``filters.total`` x h x w.

    Not torchvision's block, whose "5 x 5" is 3 x 3 (a known slip that its weights need).
    """

    def __init__(self, inputs: int, filters: Filters, slope: float):
        super().__init__()
        f = filters
        self.one = convolution(inputs, f.one, 1, slope)
        self.three = nn.Sequential(
            convolution(inputs, f.before_three, 1, slope), convolution(f.before_three, f.three, 3, slope)
        )
        self.five = nn.Sequential(
            convolution(inputs, f.before_five, 1, slope), convolution(f.before_five, f.five, 5, slope)
        )
        self.pooled = nn.Sequential(nn.MaxPool2d(3, 1, padding=1), convolution(inputs, f.pooled, 1, slope))

    def forward(self, h: Tensor) -> Tensor:
        """All branches, channel after channel."""
        return torch.cat([branch(h) for branch in (self.one, self.three, self.five, self.pooled)], 1)


class InceptionNet(nn.Module):
    """B x channels x S x S -> B x ``features``, flat; at 60 x 60 and full width 512 maps of 3 x 3.

    ``slope`` is eta of LReLU (IDFERM, Sec. 5.3). Raises ValueError for a side below 25, of which nothing is left.
    """

    def __init__(self, image_size: int = 60, shape: Shape = PAPER, channels: int = 1, slope: float = 0.1):
        super().__init__()
        if image_size < 25:
            raise ValueError(f"image_size {image_size} is too small: three poolings leave nothing; take at least 25")
        self.layers = nn.Sequential(
            convolution(channels, shape.plain[0], 7, slope, stride=2),
            nn.MaxPool2d(3, 2, padding=1),
            convolution(*shape.plain, 3, slope),
            nn.MaxPool2d(3, 2),
            InceptionBlock(shape.plain[1], shape.first, slope),
            InceptionBlock(shape.first.total, shape.second, slope),
            nn.MaxPool2d(3, 2),
            InceptionBlock(shape.second.total, shape.third, slope),
            nn.Flatten(),
        )
        self.features = shape.third.total * map_side(image_size) ** 2

    def forward(self, image: Tensor) -> Tensor:
        """The last maps, flat."""
        return self.layers(image)


def standardised(image: Tensor) -> Tensor:
    """Every image with mean 0 and variance 1 (IDFERM, Sec. 5.1), B x C x H x W."""
    pixels = image.flatten(1)
    mean, deviation = pixels.mean(1), pixels.std(1, correction=0).clamp(min=1e-3)  # of an even image nothing is left
    return (image - mean[:, None, None, None]) / deviation[:, None, None, None]


def map_side(image_size: int) -> int:
    """Side of the last maps: 3 for 60, 1 for 32."""
    halved = (image_size + 3) // 4  # twice, rounded up
    return ((halved - 1) // 2 - 1) // 2


def convolution(inputs: int, outputs: int, kernel: int, slope: float, stride: int = 1) -> nn.Sequential:
    """Convolution, batch norm, LeakyReLU; the map keeps its size, but for the stride."""
    layer = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(outputs), nn.LeakyReLU(slope))
