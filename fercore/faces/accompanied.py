"""Examples beside which others stand that do not belong to them, such as thermal images of other people."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from fercore.faces.augmentation import Augmentation
from fercore.faces.examples import Examples
from fercore.method import Batch


@dataclass(frozen=True)
class Accompanied:
    """``own`` examples; every batch of an epoch brings as many images of ``others``, as privileged and unpaired."""

    own: Examples
    others: Examples

    def __len__(self) -> int:
        return len(self.own)

    @property
    def classified(self) -> int:
        """How many of the own images take part in classification."""
        return self.own.classified

    @property
    def has_reference(self) -> bool:
        """Whether every image has a reference beside it."""
        return self.own.has_reference

    def epoch(self, batch_size: int, generator: torch.Generator, augmentation: Augmentation) -> Iterator[Batch]:
        """Every own image once in random order; the others in an order of theirs, begun anew when they run out.

        The own images come and change as they would alone: rows differ in what they learn, never in what they see.
        """
        apart = torch.Generator().manual_seed(generator.initial_seed() + 1)
        beside = self._over_and_over(min(batch_size, len(self)), apart, augmentation)
        for batch in self.own.epoch(batch_size, generator, augmentation):
            yield replace(batch, privileged=next(beside), paired=False)

    def _over_and_over(self, count: int, generator: torch.Generator, augmentation: Augmentation) -> Iterator[Tensor]:
        epochs = (self.others.epoch(count, generator, augmentation) for _ in itertools.count())
        batches = (batch.image for epoch in epochs for batch in epoch)
        while True:
            images = next(batches)
            while len(images) < count:  # fewer than that are there at all
                images = torch.cat([images, next(batches)])
            yield images[:count]
