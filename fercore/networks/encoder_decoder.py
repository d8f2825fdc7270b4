"""The convolutional encoder and the mirrored decoder of GCNet (Table 1), joined by pooling switches."""

from collections import OrderedDict
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDTHS = (32, 64, 96)  # filters per layer (Table 1)
KERNELS = (5, 3, 3)  # of convolution and of pooling alike (Table 1); pooling stride 2 (Sec. 4.1: "pooling size 1/2")


@dataclass(frozen=True)
class Switch:
    """Where the maxima of a pooling layer were: flat positions (B x C x h x w) in a map of ``height`` x ``width``."""

    position: Tensor
    height: int
    width: int

    def rows(self, start: int, stop: int) -> "Switch":
        """The switch of images ``start`` to ``stop`` of the batch."""
        return Switch(self.position[start:stop], self.height, self.width)


class Encoder(nn.Module):
    """Three times convolution, batch norm, ReLU, overlapping max-pooling: B x 1 x H x W -> B x 96 x H/8 x W/8."""

    def __init__(self, channels: int = 1, widths: tuple[int, ...] = WIDTHS):
        super().__init__()
        inputs = (channels, *widths[:-1])
        self.layers = nn.ModuleList(
            _layer(nn.Conv2d(i, o, k, padding=k // 2)) for i, o, k in zip(inputs, widths, KERNELS, strict=True)
        )

    def forward(self, image: Tensor) -> tuple[Tensor, list[Switch]]:
        """The code and the switches of the pooling layers, first layer first."""
        hidden, switches = image, []
        for layer, kernel in zip(self.layers, KERNELS, strict=True):
            hidden = layer(hidden)
            height, width = hidden.shape[-2:]
            hidden, position = F.max_pool2d(hidden, kernel, stride=2, padding=kernel // 2, return_indices=True)
            switches.append(Switch(position, height, width))
        return hidden, switches


class Decoder(nn.Module):
    """Three times unpooling by switches, transposed convolution, batch normalisation, ReLU, back to B x 1 x H x W.

    Table 1 prints the filters as 32, 64, 1; unpooling needs the encoder's channels in reverse, hence 64, 32, 1.
    """

    def __init__(self, channels: int = 1, widths: tuple[int, ...] = WIDTHS):
        super().__init__()
        inputs, outputs = widths[::-1], (*widths[-2::-1], channels)
        self.layers = nn.ModuleList(
            _layer(nn.ConvTranspose2d(i, o, k, padding=k // 2))
            for i, o, k in zip(inputs, outputs, KERNELS[::-1], strict=True)
        )
        nn.init.constant_(self.layers[-1].norm.bias, 0.5)  # starts at the mean and spread of gray levels
        nn.init.constant_(self.layers[-1].norm.weight, 0.25)

    def forward(self, code: Tensor, switches: list[Switch]) -> Tensor:
        """The decoded image; ``switches`` are those of the encoder pass that made ``code``."""
        hidden = code
        for layer, switch in zip(self.layers, reversed(switches), strict=True):
            hidden = layer(unpool(hidden, switch))
        return hidden


def _layer(convolution: nn.Module) -> nn.Sequential:
    norm = nn.BatchNorm2d(convolution.out_channels)
    return nn.Sequential(OrderedDict(convolution=convolution, norm=norm, relu=nn.ReLU()))


def unpool(value: Tensor, switch: Switch) -> Tensor:
    """Put every value where its maximum was, zeros elsewhere: B x C x h x w -> B x C x height x width.

    Overlapping windows can share one maximum; the last of them in scan order keeps the place, as in a sequential
    implementation, but the same on every device, and the others get no gradient.
    """
    values, position = _by_place(value), _by_place(switch.position)
    space = (len(values), switch.height * switch.width, values.shape[-1])
    order = torch.arange(position.shape[1], dtype=torch.int32, device=value.device)[:, None].expand_as(position)
    last = torch.zeros(space, dtype=order.dtype, device=value.device).scatter_reduce_(1, position, order, "amax")
    kept = values * (last.gather(1, position) == order)
    full = torch.zeros(space, dtype=value.dtype, device=value.device).scatter_add(1, position, kept)
    return full.unflatten(1, (switch.height, switch.width)).permute(0, 3, 1, 2)


def _by_place(maps: Tensor) -> Tensor:
    """Maps B x C x h x w as B x hw x C, as they lie in memory (channels last): nothing is copied."""
    return maps.permute(0, 2, 3, 1).flatten(1, 2)
