"""The convolutional layers of VGG-16 with batch norm, numbered as torchvision numbers them."""

from collections import OrderedDict
from collections.abc import Mapping

from torch import Tensor, nn

WIDTHS = (64, 128, 256, 512, 512)  # filters of blocks 1 to 5
DEPTHS = (2, 2, 3, 3, 3)  # convolutions of each
CONV4_2, CONV5_2 = 30, 40  # number of layers up to and with the ReLU of conv4_2 and of conv5_2


def vgg16_layers(
    first: int,
    stop: int,
    channels: int = 3,
    widths: tuple[int, ...] = WIDTHS,
    pooled: tuple[int, ...] = (1, 2, 3, 4, 5),
) -> nn.Sequential:
    """Layers ``first`` to ``stop`` - 1 of ``torchvision.models.vgg16_bn().features``, under their numbers there.

    ``pooled``: the blocks (1 to 5) that end with pooling; elsewhere nn.Identity holds the number, so that weights fit.
    """
    layers: list[nn.Module] = []
    for block, (width, depth) in enumerate(zip(widths, DEPTHS, strict=True), start=1):
        for _ in range(depth):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
            channels = width
        layers.append(nn.MaxPool2d(2) if block in pooled else nn.Identity())
    return nn.Sequential(OrderedDict((str(i), layers[i]) for i in range(first, stop)))


def load_vgg16(layers: nn.Sequential, state: Mapping[str, Tensor]) -> None:
    """Copy into ``layers`` the weights under their numbers in ``state``, a state dict of torchvision's vgg16_bn.

    Raises KeyError where one is missing, RuntimeError where a width differs. Older files hold no batch counts.
    """
    wanted = [name for name in layers.state_dict() if not name.endswith("num_batches_tracked")]
    layers.load_state_dict({name: state[f"features.{name}"] for name in wanted}, strict=False)
