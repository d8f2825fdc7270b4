"""The networks that make a face frontal and neutral (IDFERM, Fig. 4): encoder, decoder and discriminator.

Stated are a code of 256, fractional strides, 64 x 64 gray images and LeakyReLU with slope 0.1 "in some layers"; the
rest is DCGAN's: 4 x 4 kernels of stride 2, batch norm but next to the image, none in the discriminator.
"""

from torch import Tensor, nn

WIDTHS = (64, 128, 256, 512)  # filters, image to code; not stated
CODE = 256  # Sec. 5.3


class FaceEncoder(nn.Module):
    """Enc, B x channels x S x S -> z, B x ``code``; each of its layers halves the side. Raises as ``last_side``."""

    def __init__(
        self,
        image_size: int = 64,
        widths: tuple[int, ...] = WIDTHS,
        code: int = CODE,
        channels: int = 1,
        slope: float = 0.1,
    ):
        super().__init__()
        side = last_side(image_size, widths)
        layers = _downwards((channels, *widths), slope, norm=True)
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(widths[-1] * side**2, code))

    def forward(self, image: Tensor) -> Tensor:
        """The code z."""
        return self.layers(image)


class FaceDecoder(nn.Module):
    """Dec, z -> x̂, B x ``code`` -> B x channels x S x S in [0, 1]; mirrors the encoder. Raises as ``last_side``.

    The logistic function is DCGAN's tanh, moved to the range of an image here.
    """

    def __init__(
        self,
        image_size: int = 64,
        widths: tuple[int, ...] = WIDTHS,
        code: int = CODE,
        channels: int = 1,
        slope: float = 0.1,
    ):
        super().__init__()
        side = last_side(image_size, widths)
        full = nn.Linear(code, widths[-1] * side**2, bias=False)
        layers = [full, nn.Unflatten(1, (widths[-1], side, side)), nn.BatchNorm2d(widths[-1]), nn.LeakyReLU(slope)]
        for i, o in zip(widths[:0:-1], widths[-2::-1], strict=True):
            layers += [nn.ConvTranspose2d(i, o, 4, 2, 1, bias=False), nn.BatchNorm2d(o), nn.LeakyReLU(slope)]
        self.layers = nn.Sequential(*layers, nn.ConvTranspose2d(widths[0], channels, 4, 2, 1), nn.Sigmoid())

    def forward(self, z: Tensor) -> Tensor:
        """The face x̂."""
        return self.layers(z)


class FaceDiscriminator(nn.Module):
    """Dis, B x channels x S x S -> B, the logit of "a real frontal neutral face"; raises as ``last_side``.

    Without batch norm: each image is judged alone.
    """

    def __init__(
        self,
        image_size: int = 64,
        widths: tuple[int, ...] = WIDTHS,
        channels: int = 1,
        slope: float = 0.1,
    ):
        super().__init__()
        side = last_side(image_size, widths)
        layers = _downwards((channels, *widths), slope, norm=False)
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(widths[-1] * side**2, 1))

    def forward(self, image: Tensor) -> Tensor:
        """The logit."""
        return self.layers(image).flatten()


def last_side(image_size: int, widths: tuple[int, ...]) -> int:
    """Side of the map before the code, halved once per width; raises ValueError where that leaves a remainder."""
    if not widths or image_size % 2 ** len(widths) or image_size <= 0:
        raise ValueError(
            f"image_size {image_size} cannot be halved {len(widths)} times, once per width; "
            f"take a multiple of {2 ** len(widths)}"
        )
    return image_size // 2 ** len(widths)


def _downwards(widths: tuple[int, ...], slope: float, norm: bool) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for n, (i, o) in enumerate(zip(widths, widths[1:], strict=False)):
        normed = norm and n > 0
        layers.append(nn.Conv2d(i, o, 4, 2, 1, bias=not normed))
        if normed:
            layers.append(nn.BatchNorm2d(o))
        layers.append(nn.LeakyReLU(slope))
    return layers
