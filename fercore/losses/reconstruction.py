"""Losses between an image and its estimate."""

from torch import Tensor


def half_squared_error(target: Tensor, estimate: Tensor) -> Tensor:
    """Half the squared distance, summed over pixels, mean over images (GCNet, Eq. 7-10).

    ``mean of  1/2 ||target - estimate||_2^2``; target, estimate: B x C x H x W.
    """
    return 0.5 * (target - estimate).square().flatten(1).sum(1).mean()


def mean_squared_error(target: Tensor, estimate: Tensor) -> Tensor:
    """Mean squared difference over pixels and images (Occluded, Eq. 7, and "mean squared error" in its text).

    target, estimate: B x C x H x W.
    """
    return (target - estimate).square().mean()
