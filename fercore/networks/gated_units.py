"""Units that weigh a facial feature by how well its part can be seen: several at once, as groups of one convolution."""

from torch import Tensor, nn


class GatedUnits(nn.Module):
    """PG-Units side by side, or one GG-Unit, from their maps on (Li et al. 2018, 2019).

    B x units C x size x size -> features B x units out = ReLU(FC(map)) * gate, and gates B x units =
    sigmoid(BN(FC(FC(average(1 x 1 convolution(max-pooled map)))))). The FC over a map is a convolution of its size.
    """

    def __init__(self, units: int, channels: int, size: int, out: int, hidden: tuple[int, int]):
        super().__init__()
        self.feature = nn.Sequential(
            nn.Conv2d(units * channels, units * out, size, groups=units), nn.ReLU(), nn.Flatten()
        )
        self.gate = nn.Sequential(
            nn.MaxPool2d(2, ceil_mode=True),  # 3 cells to 2, as Caffe rounds
            *convolution(units, channels, hidden[0]),
            nn.AdaptiveAvgPool2d(1),
            *convolution(units, hidden[0], hidden[1]),
            *convolution(units, hidden[1], 1)[:2],
            nn.Sigmoid(),
            nn.Flatten(),
        )

    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        features, gates = self.feature(maps), self.gate(maps)
        return features * gates.repeat_interleave(features.shape[1] // gates.shape[1], 1), gates


def convolution(units: int, inputs: int, outputs: int, kernel: int = 1) -> list[nn.Module]:
    """Convolution, batch norm, ReLU for ``units`` groups, each B x inputs x h x w -> B x outputs x h x w."""
    layer = nn.Conv2d(units * inputs, units * outputs, kernel, padding=kernel // 2, groups=units, bias=False)
    return [layer, nn.BatchNorm2d(units * outputs), nn.ReLU()]
