"""Examples: the images of one part of a fold, in memory, handed out in batches."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from fercore.faces.augmentation import Augmentation, centre_crop
from fercore.faces.batches import Batches, shuffled
from fercore.faces.faceset import FaceSet, FaceSetError
from fercore.faces.occlusion import Cover
from fercore.faces.protocols import Part
from fercore.method import Batch

HELD = 4 << 30  # bytes of images


class Examples:
    """A part of a face set, handed out in batches of images with ``channels`` (1 gray, 3 colour).

    Beside every image stands a second view that moves as the image does: its person's reference face or, as
    privileged, the image as it was where a ``cover`` hides a part of it, or another image of the same face (row
    ``paired[i]`` beside image i). ``references``, N x H x W, are faces made for these images, taken instead of their
    persons' own. Images are held on the device as uint8; more than HELD bytes of them are read and covered batch by
    batch instead, with the same result. ``batches`` puts together those of an epoch.
    """

    def __init__(
        self, faces: FaceSet, part: Part, image_size: int, device: str = "cpu", channels: int = 1,
        cover: Cover | None = None, paired: np.ndarray | None = None, references: np.ndarray | None = None,
        batches: Batches = shuffled,
    ):  # fmt: skip
        self.faces, self.image_size, self.device = faces, image_size, device
        self.channels, self.cover, self.references, self.batches = channels, cover, references, batches
        if faces.images.ndim != 3 and channels == 1:
            raise FaceSetError(
                f"{faces.name} is in colour, this method takes gray images: prepare them with a gray --crop"
            )
        self.rows = {"image": part.rows}  # field of a batch -> row of every example in the face set
        reference = faces.table["reference"].to_numpy()[part.rows]
        if cover is not None or paired is not None:
            self.rows["privileged"] = part.rows if paired is None else paired
        elif references is not None:
            self.rows["reference"] = np.arange(len(part))
        elif (reference >= 0).all():
            self.rows["reference"] = reference
        people = faces.table["subject"].to_numpy()[part.rows]
        self.subject = torch.from_numpy(np.unique(people, return_inverse=True)[1]).to(device)
        self.label = torch.from_numpy(np.array(part.target, dtype=np.int64)).to(device)
        self.is_reference = torch.from_numpy(np.array(faces.table["label"] == "neutral")[part.rows]).to(device)
        size = len(self) * len(self.rows) * int(np.prod(faces.images.shape[1:]))
        everything = np.arange(len(self))
        self._held = {view: self._read(view, everything) for view in self.rows} if size <= HELD else None

    def __len__(self) -> int:
        return len(self.label)

    @property
    def classified(self) -> int:
        """How many images take part in classification."""
        return int((self.label >= 0).sum())

    @property
    def has_reference(self) -> bool:
        """Whether every image has a reference beside it."""
        return "reference" in self.rows

    def epoch(self, batch_size: int, generator: torch.Generator, augmentation: Augmentation) -> Iterator[Batch]:
        """The images in batches as ``batches`` puts them together, changed at random."""
        for chosen in self.batches(self.label.cpu(), self.subject.cpu(), batch_size, generator):
            chosen = chosen.to(self.device)
            yield self._batch(chosen, augmentation(self._maps(chosen), self.image_size, generator))

    def in_order(self, batch_size: int = 256) -> Iterator[Batch]:
        """Every image once, in the part's order, as its centre crop."""
        for chosen in torch.arange(len(self), device=self.device).split(batch_size):
            yield self._batch(chosen, centre_crop(self._maps(chosen), self.image_size))

    def _maps(self, chosen: Tensor) -> Tensor:
        if self._held is None:
            views = [self._read(view, chosen.cpu().numpy()) for view in self.rows]
        else:
            views = [images[chosen] for images in self._held.values()]
        views = [images.expand(-1, self.channels, -1, -1) for images in views]
        return torch.cat(views, dim=1).float() / 255  # B x (views c) x h x w: all views, to be moved alike

    def _read(self, view: str, chosen: np.ndarray) -> Tensor:
        """A view of some examples, b x c x h x w, uint8."""
        rows = self.rows[view][chosen]
        made = view == "reference" and self.references is not None
        images = np.array((self.references if made else self.faces.images)[rows])
        if self.cover is not None and view == "image":
            images = self.cover(images, rows)
        images = torch.from_numpy(images).to(self.device)
        return images[:, None] if images.ndim == 3 else images.permute(0, 3, 1, 2).contiguous()

    def _batch(self, chosen: Tensor, maps: Tensor) -> Batch:
        views = dict(zip(self.rows, maps.split(self.channels, dim=1), strict=True))
        known = {"label": self.label, "subject": self.subject, "is_reference": self.is_reference}
        return Batch(**views, **{name: values[chosen] for name, values in known.items()})
