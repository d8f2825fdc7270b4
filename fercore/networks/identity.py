"""Face recognisers that IDFERM measures images by: the first layers of VGG-Face, the Light CNN, a stand-in for both.

The layers of the first two bear the names of the published Caffe models, and so must the tensors of a file with their
weights: ``conv1_1.weight``, ``fc1.bias``. Neither is trained here; the stand-in is.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, max_pool2d

from fercore.networks import vgg

MEAN = (129.186279296875, 104.76238250732422, 93.59396362304688)  # of VGG-Face's red, green and blue, 0 to 255
MFM_KERNELS = (9, 5, 5, 4)  # of Wu et al. 2015, model A
MFM_WIDTHS = (48, 96, 128, 192)


class VGGFace(nn.Sequential):
    """phi, VGG-16 up to the ReLU of its fifth convolution, conv3_1 (Parkhi et al. 2015; IDFERM, Sec. 3.1).

    B x 1 or 3 x H x W in [0, 1] -> B x 256 x H/4 x W/4. VGG-Face saw 224 x 224; smaller images are taken as they are.
    """

    def __init__(self, widths: tuple[int, ...] = vgg.WIDTHS):
        super().__init__(_first_layers(widths))
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None], persistent=False)
        self.apply(_initialise)

    def forward(self, image: Tensor) -> Tensor:
        """phi(image)."""
        return super().forward(255 * image.expand(-1, 3, -1, -1) - self.mean)


class LightCNN(nn.Module):
    """psi, four convolutions with max-feature-map, each pooled, and a full layer (Wu et al. 2015, model A; Sec. 3.4).

    B x 1 x H x W in [0, 1], brought to S x S -> the last two layers: B x 192 x 5 x 5 and B x 256 at full width and
    S = 128. Raises ValueError for a side that the unpadded convolutions use up.
    """

    def __init__(self, image_size: int = 128, widths: tuple[int, ...] = MFM_WIDTHS, code: int = 256):
        super().__init__()
        self.image_size, side, inputs = image_size, image_size, 1
        for n, (width, kernel) in enumerate(zip(widths, MFM_KERNELS, strict=True), start=1):
            self.add_module(f"conv{n}", nn.Conv2d(inputs, 2 * width, kernel))
            side, inputs = -(-(side - kernel + 1) // 2), width
            if side < 1:
                raise ValueError(f"image_size {image_size} is used up by conv{n}; the Light CNN needs 57 or more")
        self.fc1 = nn.Linear(inputs * side**2, 2 * code)
        self.apply(_initialise)

    def forward(self, image: Tensor) -> list[Tensor]:
        """The last pooled map and the code, as ``losses.perceptual.identity`` takes them."""
        size = (self.image_size, self.image_size)
        h = image if image.shape[-2:] == size else interpolate(image, size, mode="bilinear", antialias=True)
        for convolution in (self.conv1, self.conv2, self.conv3, self.conv4):
            h = max_pool2d(max_feature_map(convolution(h)), 2, ceil_mode=True)  # Caffe rounds 9 / 2 up
        return [h, max_feature_map(self.fc1(h.flatten(1)))]


class IdentityNet(nn.Module):
    """A small recogniser, trained on drawn people, that stands in for VGG-Face (phi) and for the Light CNN (psi).

    B x channels x S x S. phi: as VGG-Face's conv3_1, maps of a quarter of the side; psi: the last maps and a code.
    Raises ValueError for a side below 16.
    """

    def __init__(self, image_size: int, widths: tuple[int, ...] = (8, 16, 32, 64), code: int = 128, channels: int = 1):
        super().__init__()
        if image_size < 16:
            raise ValueError(f"image_size {image_size} is too small: of four halvings nothing is left; take 16 or more")
        first, second, third, fourth = widths
        self.first = nn.Sequential(
            _normed(channels, first), nn.MaxPool2d(2), _normed(first, second), nn.MaxPool2d(2), _normed(second, third)
        )
        self.last = nn.Sequential(nn.MaxPool2d(2), _normed(third, fourth), nn.MaxPool2d(2))
        self.code = nn.Linear(fourth * (image_size // 16) ** 2, code)

    def phi(self, image: Tensor) -> Tensor:
        """B x C x S/4 x S/4."""
        return self.first(image)

    def psi(self, image: Tensor) -> list[Tensor]:
        """The last maps, B x C x S/16 x S/16, and the code, B x ``code``, for ``losses.perceptual.identity``."""
        maps = self.last(self.first(image))
        return [maps, self.code(maps.flatten(1))]

    def distance(self, one: Tensor, other: Tensor) -> Tensor:
        """Euclidean distance of two images' codes, each of length 1, B (0 to 2; Schroff et al. 2015)."""
        codes = [torch.nn.functional.normalize(self.psi(image)[1]) for image in (one, other)]
        return (codes[0] - codes[1]).norm(dim=1)


def _normed(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())


def max_feature_map(h: Tensor) -> Tensor:
    """The larger of each channel of the first half and its partner of the second, B x 2C x ... -> B x C x ..."""
    return torch.maximum(*h.chunk(2, 1))


def _first_layers(widths: tuple[int, ...]) -> OrderedDict[str, nn.Module]:
    """Those of VGG-16, without batch norm, up to the ReLU of conv3_1, by name."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    inputs = 3
    for block, depth in enumerate((*vgg.DEPTHS[:2], 1), start=1):
        for n in range(1, depth + 1):
            layers[f"conv{block}_{n}"] = nn.Conv2d(inputs, widths[block - 1], 3, padding=1)
            layers[f"relu{block}_{n}"] = nn.ReLU()
            inputs = widths[block - 1]
        if block < 3:
            layers[f"pool{block}"] = nn.MaxPool2d(2)
    return layers


def _initialise(layer: nn.Module) -> None:
    """He's normal distribution and no bias, where no published weights are taken."""
    if isinstance(layer, nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(layer.weight)
        nn.init.zeros_(layer.bias)
