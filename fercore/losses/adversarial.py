"""Losses of a game between features and a critic who says where they come from."""

from torch import Tensor
from torch.nn.functional import softplus


def discriminate(real: Tensor, fake: Tensor) -> Tensor:
    """The critic's loss (Occluded, Eq. 5): ``-log D(h_c) - log(1 - D(h_o))``, each a mean over images.

    real, fake: B and B', logits of D for clean and for occluded features; in Unpaired, Eq. 1 and 2, for what comes of
    visible and of thermal images.
    """
    return softplus(-real).mean() + softplus(fake).mean()


def fool(fake: Tensor) -> Tensor:
    """What the critic's opponent minimises (Occluded, Eq. 6): ``-log D(h_o)``, a mean over images; fake: B, logits."""
    return softplus(-fake).mean()


def disown(real: Tensor) -> Tensor:
    """The same for an opponent whose features are D's real ones: ``-log(1 - D(a_v))``, a mean; real: B, logits.

    What Unpaired, Eq. 1 and 2, ask of the visible network, in the form whose gradient does not vanish when D is sure.
    """
    return softplus(real).mean()
