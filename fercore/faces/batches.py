"""In what batches an epoch hands out its examples: each a tensor of their positions."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

Batches = Callable[[Tensor, Tensor, int, torch.Generator], Iterator[Tensor]]  # label, subject, size, generator


def shuffled(label: Tensor, subject: Tensor, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Every example once in random order, ``size`` at a time; an incomplete last batch is left out."""
    size = min(size, len(label))
    yield from _whole(torch.randperm(len(label), generator=generator), size)


@dataclass(frozen=True)
class OfEachClass:
    """``count`` examples of every class in each batch, whatever size is asked for (IDFERM, Sec. 5.1).

    An epoch goes through the largest class once; smaller ones are shuffled anew when they run out. No example is in a
    batch twice, so what a class has beyond a multiple of ``count`` is left out until the next shuffling.
    """

    count: int

    def __call__(self, label: Tensor, subject: Tensor, size: int, generator: torch.Generator) -> Iterator[Tensor]:
        """Batches of ``count`` times as many examples as there are classes; ValueError for a class of fewer."""
        _check(label, self.count)
        classes = [(label == k).nonzero().flatten() for k in label.unique()]
        endless = [self._over_and_over(members, generator) for members in classes]
        for _ in range(max(map(len, classes)) // self.count):
            yield torch.cat([next(own) for own in endless])

    def _over_and_over(self, members: Tensor, generator: torch.Generator) -> Iterator[Tensor]:
        while True:
            yield from _whole(members[torch.randperm(len(members), generator=generator)], self.count)


@dataclass(frozen=True)
class OfWholePeople:
    """Of each person one example of every class that the person shows; ``count`` times as many as there are classes.

    What tuplets of one subject's other expressions ask for (IDFERM, Sec. 4; its reference [6]). A person comes as often
    as its most frequent class has examples, so that an epoch has every example at least once.
    """

    count: int

    def __call__(self, label: Tensor, subject: Tensor, size: int, generator: torch.Generator) -> Iterator[Tensor]:
        """At least that many examples, an incomplete last batch left out; ValueError for a class of fewer."""
        _check(label, self.count)
        tuples = [one for person in subject.unique() for one in self._of(subject == person, label, generator)]
        wanted, together = self.count * len(label.unique()), []
        for n in torch.randperm(len(tuples), generator=generator):
            together.append(tuples[n])
            if sum(map(len, together)) >= wanted:
                yield torch.cat(together)
                together = []

    def _of(self, own: Tensor, label: Tensor, generator: torch.Generator) -> list[Tensor]:
        classes = [(own & (label == k)).nonzero().flatten() for k in label[own].unique()]
        classes = [members[torch.randperm(len(members), generator=generator)] for members in classes]
        rounds = range(max(map(len, classes)))
        return [torch.stack([members[n % len(members)] for members in classes]) for n in rounds]


def _check(label: Tensor, count: int) -> None:
    """Refuse what would never fill a batch."""
    classes, sizes = label.unique(return_counts=True)
    if few := classes[sizes < count].tolist():
        raise ValueError(f"classes {few} have fewer than {count} examples, as many as a batch takes of each class")


def _whole(order: Tensor, size: int) -> Iterator[Tensor]:
    for start in range(0, len(order) - size + 1, size):
        yield order[start : start + size]
