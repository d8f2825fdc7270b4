"""From a feature map back to the image: transposed convolutions, each twice as large."""

from torch import Tensor, nn, sigmoid


def check_side(image_size: int) -> None:
    """Refuse an image size that the decoder cannot make of a map of an eighth of it; raises ValueError."""
    if image_size % 8 or image_size < 16:
        raise ValueError(
            f"image_size {image_size}: the decoder makes images of 8 times the feature map's side; "
            "take a multiple of 8, at least 16"
        )


class DeconvolutionalDecoder(nn.Module):
    """Three transposed convolutions (4 x 4, stride 2), B x C x s x s -> B x 3 x 8s x 8s in [0, 1].

    Occluded, Sec. 5.1; channels are not stated and shrink from C by 2 and by 8. Batch norm and ReLU stand between.
    """

    def __init__(self, channels: int, outputs: int = 3):
        super().__init__()
        widths = (channels, channels // 2, channels // 8)
        self.layers = nn.Sequential(
            *(layer for i, o in zip(widths, widths[1:], strict=False) for layer in _up(i, o)),
            nn.ConvTranspose2d(widths[-1], outputs, 4, stride=2, padding=1),
        )

    def forward(self, h: Tensor) -> Tensor:
        """The image."""
        return sigmoid(self.layers(h))


def _up(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    deconvolution = nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=False)
    return deconvolution, nn.BatchNorm2d(outputs), nn.ReLU()
