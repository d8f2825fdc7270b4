"""Published weights by torchvision's own mechanism: checked by their hash, read as tensors only, never replaced."""

from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import Tensor
from torchvision.models import WeightsEnum

from fercore.storage import digest


class WeightsError(RuntimeError):
    """Published weights are not to be had, or are not what they should be; says which file goes where."""


def published(weights: WeightsEnum) -> dict[str, Tensor]:
    """The state dict of ``weights``, from torch's cache of files or the network; raises WeightsError."""
    file = Path(torch.hub.get_dir(), "checkpoints", weights.url.rsplit("/", 1)[1])
    start = torch.hub.HASH_REGEX.search(file.name)[1]  # torchvision checks it after a download only
    if file.is_file() and not digest(file).startswith(start):
        raise WeightsError(f"{file} is not the file of {weights}: its SHA-256 does not begin with {start}; replace it")
    try:
        return weights.get_state_dict(progress=True, check_hash=True, weights_only=True)
    except (OSError, RuntimeError, UnpicklingError) as error:
        raise WeightsError(
            f"{weights} cannot be had ({error}); put torchvision's file {file.name} into {file.parent}, "
            "or set weights = 'random' to start from nothing"
        ) from error
