"""Who made these features: small networks on a feature map or on class probabilities."""

import math

from torch import Tensor, nn


class Discriminator(nn.Module):
    """Five convolutional layers on a square feature map, B x C x s x s -> B (Occluded, Sec. 5.1; details not stated).

    ``D(h)`` is the probability that h comes from a clean face; what is returned is its logit. Channels halve from
    layer to layer; as many of the first four layers have stride 2, the later ones, as bring the side down to 2: all
    four for the paper's 28 x 28, two for 6 x 6.
    """

    def __init__(self, channels: int, side: int):
        super().__init__()
        if side < 2 or channels < 16:
            raise ValueError(
                f"a feature map of {channels} channels and {side} x {side} is too small to judge; "
                "take a network of at least 16 channels there, or larger images"
            )
        strided = min(4, max(0, math.ceil(math.log2(side)) - 1))
        layers: list[nn.Module] = []
        for i in range(4):
            stride = 2 if i >= 4 - strided else 1
            layers += [
                nn.Conv2d(channels, channels // 2, 3, stride, padding=1),
                nn.LeakyReLU(0.2),
            ]
            channels, side = channels // 2, -(-side // stride)
        self.layers = nn.Sequential(*layers, nn.Conv2d(channels, 1, side))

    def forward(self, h: Tensor) -> Tensor:
        """The logit of "clean", B."""
        return self.layers(h).flatten()


class LabelDiscriminator(nn.Module):
    """Three fully connected layers on class probabilities, B x K -> B, a logit (Unpaired, Sec. 4.2; not stated)."""

    def __init__(self, classes: int, width: int = 64):
        super().__init__()
        first, second = nn.Linear(classes, width), nn.Linear(width, width)
        self.layers = nn.Sequential(first, nn.LeakyReLU(0.2), second, nn.LeakyReLU(0.2), nn.Linear(width, 1))

    def forward(self, probabilities: Tensor) -> Tensor:
        """The logit of "visible", B."""
        return self.layers(probabilities).flatten()
