"""Examples: the images of one part of a fold, in memory, handed out in batches."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from fercore.faces.augmentation import Augmentation, centre_crop
from fercore.faces.faceset import FaceSet, FaceSetError
from fercore.faces.occlusion import Cover
from fercore.faces.protocols import Part
from fercore.method import Batch


def stored_size(image_size: int) -> int:
    """Pixels of the image that a crop of ``image_size`` is taken from: 66 for 64 (GCNet, Sec. 4.1)."""
    return max(round(image_size * 66 / 64), image_size + 1)


class Examples:
    """A part of a face set as tensors on a device, uint8 until a batch asks for them.

    Beside every image stands a second view of it, which moves as the image does: its person's reference face, or,
    where a ``cover`` hides a part of every image, the image as it was, as privileged. ``channels``: 1 gray, 3 colour.
    """

    def __init__(
        self, faces: FaceSet, part: Part, image_size: int, device: str = "cpu", channels: int = 1,
        cover: Cover | None = None,
    ):  # fmt: skip
        self.image_size, self.device, self.channels = image_size, device, channels
        if faces.images.ndim != 3 and channels == 1:
            raise FaceSetError(
                f"{faces.name} is in colour, this method takes gray images: prepare them with a gray --crop"
            )
        self.views: dict[str, Tensor] = {}  # field of a batch -> row of every example in the images
        images = self._referred(faces, part) if cover is None else self._covered(faces, part, cover)
        self.images = _channels_first(images).to(device)  # n x c x h x w
        self.label = self._index(part.target)
        self.is_reference = torch.from_numpy(np.array(faces.table["label"] == "neutral")[part.rows]).to(device)

    def __len__(self) -> int:
        return len(self.label)

    @property
    def has_reference(self) -> bool:
        """Whether every image has a reference beside it."""
        return "reference" in self.views

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

    def _referred(self, faces: FaceSet, part: Part) -> np.ndarray:
        reference = faces.table["reference"].to_numpy()[part.rows]
        needed = np.unique(np.concatenate([part.rows, reference[reference >= 0]]))
        self.views["image"] = self._index(np.searchsorted(needed, part.rows))
        if (reference >= 0).all():
            self.views["reference"] = self._index(np.searchsorted(needed, reference))
        return np.array(faces.images[needed])

    def _covered(self, faces: FaceSet, part: Part, cover: Cover) -> np.ndarray:
        clean, order = np.array(faces.images[part.rows]), np.arange(len(part.rows))
        self.views = {"image": self._index(order + len(order)), "privileged": self._index(order)}
        return np.concatenate([clean, cover(clean, part.rows)])

    def _maps(self, chosen: Tensor) -> Tensor:
        views = [self.images[rows[chosen]].expand(-1, self.channels, -1, -1) for rows in self.views.values()]
        return torch.cat(views, dim=1).float() / 255  # B x (views c) x h x w: all views, to be moved alike

    def _batch(self, chosen: Tensor, maps: Tensor) -> Batch:
        views = dict(zip(self.views, maps.split(self.channels, dim=1), strict=True))
        return Batch(label=self.label[chosen], is_reference=self.is_reference[chosen], **views)

    def _index(self, values: np.ndarray) -> Tensor:
        return torch.from_numpy(np.array(values, dtype=np.int64)).to(self.device)


def _channels_first(images: np.ndarray) -> Tensor:
    images = torch.from_numpy(images)
    return images[:, None] if images.ndim == 3 else images.permute(0, 3, 1, 2).contiguous()
