"""Losses between faces as other networks see them, and between the halves of a face.

Symbols as in IDFERM: x the input, x̂ the face made of it, y the target; phi and psi feature maps of the VGG-Face and the
Light CNN. Sums over pixels are means here, over channels too, so that weights suit every size.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from fercore.losses.reconstruction import mean_squared_error


def feature(of_estimate: Tensor, of_target: Tensor) -> Tensor:
    """L_feat, ``1/(W H) sum |phi(x̂) - phi(y)|^2``, also a mean over channels (IDFERM, Eq. 1).

    of_estimate, of_target: B x C x H x W, phi(x̂) and phi(y). Algorithm 1 repeats it with a factor of 1/2.
    """
    return mean_squared_error(of_target, of_estimate)


def symmetry(image: Tensor) -> Tensor:
    """L_sym, ``mean of |x̂ - flip(x̂)|`` between left and right (IDFERM, Eq. 2); image: B x C x H x W, W >= 2.

    Each pair of mirrored pixels counts once; the middle column of an odd width has no partner.
    """
    half = image.shape[-1] // 2
    return (image - image.flip(-1))[..., :half].abs().mean()


def laplacian(image: Tensor) -> Tensor:
    """What each pixel lacks to the sum of its four neighbours, B x C x H x W -> B x C x H-2 x W-2.

    L_sym of it is the symmetry loss "in the Laplacian space" (IDFERM, Sec. 3.2; Eq. 3 is lost): blind to light that
    grows evenly across the face.
    """
    kernel = image.new_tensor([[0, 1, 0], [1, -4, 1], [0, 1, 0]])
    channels = image.shape[1]
    return F.conv2d(image, kernel.expand(channels, 1, 3, 3), groups=channels)


def identity(of_input: list[Tensor], of_estimate: list[Tensor]) -> Tensor:
    """L_id, ``sum_l mean of |psi_l(x) - psi_l(x̂)|`` over the layers given (IDFERM, Eq. 6).

    of_input, of_estimate: the layers' outputs for x and for x̂, B x ... each; raises ValueError where they differ.
    """
    layers = zip(of_input, of_estimate, strict=True)
    return torch.stack([(own - made).abs().mean() for own, made in layers]).sum()


def pixel(target: Tensor, estimate: Tensor) -> Tensor:
    """L_pixel, ``mean of |x̂ - y|`` over pixels and images (IDFERM, Eq. 7); B x C x H x W twice."""
    return (target - estimate).abs().mean()
