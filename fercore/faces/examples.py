"""Examples: the images of one part of a fold, in memory, handed out in batches."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from fercore.faces.augmentation import Augmentation, centre_crop
from fercore.faces.faceset import FaceSet, FaceSetError
from fercore.faces.protocols import Part
from fercore.method import Batch


def stored_size(image_size: int) -> int:
    """Pixels of the image that a crop of ``image_size`` is taken from: 66 for 64 (GCNet, Sec. 4.1)."""
    return max(round(image_size * 66 / 64), image_size + 1)


class Examples:
    """A part of a face set as tensors on a device; gray images, uint8 until a batch asks for them."""

    def __init__(self, faces: FaceSet, part: Part, image_size: int, device: str = "cpu"):
        self.image_size, self.device = image_size, device
        if faces.images.ndim != 3:
            raise FaceSetError(
                f"{faces.name} is in colour, this method takes gray images: prepare them with a gray --crop"
            )
        reference = faces.table["reference"].to_numpy()[part.rows]
        self.has_reference = bool((reference >= 0).all())
        needed = np.unique(np.concatenate([part.rows, reference[reference >= 0]]))
        self.images = torch.from_numpy(np.array(faces.images[needed])).to(device)  # N x h x w
        self.row = _index(np.searchsorted(needed, part.rows), device)
        self.reference = _index(np.searchsorted(needed, np.where(reference >= 0, reference, part.rows)), device)
        self.label = _index(part.target, device)
        self.is_reference = torch.from_numpy(np.array(faces.table["label"] == "neutral")[part.rows]).to(device)

    def __len__(self) -> int:
        return len(self.row)

    def epoch(self, batch_size: int, generator: torch.Generator, augmentation: Augmentation) -> Iterator[Batch]:
        """Every image once in random order, changed at random; an incomplete last batch is left out."""
        batch_size = min(batch_size, len(self))
        order = torch.randperm(len(self), generator=generator).to(self.device)
        for start in range(0, len(self) - batch_size + 1, batch_size):
            chosen = order[start : start + batch_size]
            yield self._batch(chosen, augmentation(self._maps(chosen), self.image_size, generator))

    def in_order(self, batch_size: int = 256) -> Iterator[Batch]:
        """Every image once, in the part's order, as its centre crop."""
        for chosen in torch.arange(len(self), device=self.device).split(batch_size):
            yield self._batch(chosen, centre_crop(self._maps(chosen), self.image_size))

    def _maps(self, chosen: Tensor) -> Tensor:
        pair = torch.stack([self.images[self.row[chosen]], self.images[self.reference[chosen]]], dim=1)
        return pair.float() / 255  # B x 2 x h x w: the image and its reference, to be moved alike

    def _batch(self, chosen: Tensor, maps: Tensor) -> Batch:
        reference = maps[:, 1:] if self.has_reference else None
        return Batch(maps[:, :1], self.label[chosen], reference, self.is_reference[chosen])


def _index(values: np.ndarray, device: str) -> Tensor:
    return torch.from_numpy(np.array(values, dtype=np.int64)).to(device)
