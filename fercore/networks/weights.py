"""Published weights, torchvision's or a file of the reader's: checked by hash, read as tensors only, never replaced."""

from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from fercore.storage import digest

if TYPE_CHECKING:
    from torchvision.models import WeightsEnum  # seconds to import


class WeightsError(RuntimeError):
    """Published weights are not to be had, or are not what they should be; says which file goes where."""


def published(weights: "WeightsEnum") -> dict[str, Tensor]:
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


def load_supplied(network: nn.Module, file: Path, sha256: str) -> None:
    """Give ``network`` its weights from a file that the reader supplies, .safetensors or a state dict of torch.

    The file holds a tensor for each name of the network's own state dict, of the same shape; further ones, of layers
    that are not needed, are ignored. Raises WeightsError, before the network changes, where anything is otherwise.
    """
    state, own = _tensors(_checked(file, sha256, type(network).__name__)), network.state_dict()
    for name, tensor in own.items():
        found = state.get(name)
        if not isinstance(found, Tensor) or found.shape != tensor.shape or not found.is_floating_point():
            says = f"a {found.dtype} of {tuple(found.shape)}" if isinstance(found, Tensor) else "none"
            raise WeightsError(
                f"{file} does not fit {type(network).__name__}: it needs a tensor {name} of {tuple(tensor.shape)}, "
                f"the file has {says}"
            )
    network.load_state_dict({name: state[name] for name in own})


def _checked(file: Path, sha256: str, network: str) -> Path:
    """The file, if it is there and its SHA-256 is the one given."""
    if not file.is_file():
        raise WeightsError(
            f"{file} is missing: put the weights of {network} there, or choose other `weights`"
        )
    found = digest(file)
    if found != sha256.lower():
        asked = f"{sha256} was expected; replace it" if sha256 else "compare it with its source, then state it"
        raise WeightsError(f"{file}: its SHA-256 is {found}; {asked}")
    return file


def _tensors(file: Path) -> dict[str, Tensor]:
    """What the file holds by name; nothing in it is run."""
    try:
        if file.suffix == ".safetensors":
            return load_file(file)
        state = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file fails in a dozen ways, IndexError among them
        raise WeightsError(f"{file} cannot be read as tensors alone: {error}") from error
    if not isinstance(state, dict):
        raise WeightsError(f"{file} holds a {type(state).__name__}, not tensors by name (a state dict)")
    return state
