"""Losses of a game between features and a critic who says where they come from."""

from torch import Tensor
from torch.nn.functional import softplus


def discriminate(real: Tensor, fake: Tensor) -> Tensor:
    """The critic's loss (Occluded, Eq. 5): ``-log D(h_c) - log(1 - D(h_o))``, each a mean over images.

    real, fake: B, logits of D for clean and for occluded features.
    """
    return softplus(-real).mean() + softplus(fake).mean()


def fool(fake: Tensor) -> Tensor:
    """What the critic's opponent minimises (Occluded, Eq. 6): ``-log D(h_o)``, a mean over images; fake: B, logits."""
    return softplus(-fake).mean()
