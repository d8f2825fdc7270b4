"""What a dataset's script says of it: which pictures there are, what they show, how many there should be."""

import math
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fercore.faces.preparation.pictures import still
from fercore.faces.preparation.source import File, Source
from fercore.faces.preparation.stored import StoredList, StoredSet


class DatasetError(ValueError):
    """A source is not this dataset, or not all of it; says what was looked for, what was found, and the way out."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture that will become a row of the manifest; its pixels are read when their turn comes."""

    name: str  # how messages call it
    image: File | Callable[[], np.ndarray]  # a photograph, or how to get at it
    subject: str
    label: str
    sequence: str = "1"
    frame: int = 0
    native: str = ""  # the dataset's own code of the label
    intensity: float = math.nan
    split: str = ""
    modality: str = "visible"
    points: Callable[[], np.ndarray] | None = None  # the five POINTS where the dataset ships landmarks, NaN if unknown
    cropped: bool = False  # cut by its publishers to one face, whose middle will do where no face is found

    def pixels(self) -> np.ndarray:
        """H x W x 3, uint8; raises PhotoError."""
        return still(self.image) if isinstance(self.image, File) else self.image()


@dataclass
class Reading:
    """The pictures of a source, what was counted, and what a user must be told."""

    shots: Sequence[Shot]
    counts: dict[str, int]  # compared with the dataset's expectations by name
    notes: list[str] = field(default_factory=list)  # e.g. which sequences are missing
    expected: Mapping[str, "Expected"] | None = None  # instead of the dataset's, where an option changes the counts

    @classmethod
    def of(
        cls,
        shots: Iterable[Shot],
        notes: Sequence[str] = (),
        order: Callable[[Shot], str] = lambda shot: "",
        **counts: int,
    ) -> "Reading":
        """Counts of images, subjects and classes as every dataset has them, and ``counts`` of its own.

        ``shots`` are written to disk one by one, sorted by ``order`` as text: where there are many, let them come from
        a generator.
        """
        classes, subjects = Counter(), StoredSet()

        def counted() -> Iterable[Shot]:
            for shot in shots:
                classes[shot.label] += 1
                subjects.add(shot.subject)
                yield shot

        kept = StoredList(counted(), order)
        usual = {"images": len(kept), "subjects": len(subjects)}
        return cls(kept, usual | {f"images of {label}": n for label, n in sorted(classes.items())} | counts, [*notes])


@dataclass(frozen=True)
class Expected:
    """A count as published; one that was verified must hold, another one only warns."""

    lowest: int
    highest: int
    verified: bool

    def verdict(self, found: int) -> str:
        """ "as expected", "differs" (a failure) or "unusual" (a warning)."""
        if self.lowest <= found <= self.highest:
            return "as expected"
        return "differs" if self.verified else "unusual"

    def __str__(self) -> str:
        return str(self.lowest) if self.lowest == self.highest else f"{self.lowest} to {self.highest}"


def known(count: int) -> Expected:
    """A verified count."""
    return Expected(count, count, True)


def around(lowest: int, highest: int | None = None) -> Expected:
    """A count that is often told and was never verified."""
    return Expected(lowest, highest or lowest, False)


@dataclass(frozen=True)
class Option:
    """One more command line option of a script: its name, help, default (which gives the type) and choices.

    Another choice than the default makes another set, named after it; so does any value where ``makes_set`` says so.
    """

    name: str
    help: str
    default: Any
    choices: tuple[str, ...] | None = None
    makes_set: bool = False  # named after the option: other frames of it are classified, by a protocol of their own

    def mark(self, value: Any) -> str:
        """What a set's name gets where ``value`` was given; "" for the default, and where this makes no set."""
        if value == self.default or not (self.choices or self.makes_set):
            return ""
        return {"yes": self.name, "no": f"no_{self.name}"}.get(value, value.lower()) if self.choices else self.name


@dataclass(frozen=True)
class Dataset:
    """Everything that is special about one dataset."""

    name: str
    title: str
    read: Callable[[Source, Mapping[str, Any]], Reading]  # raises DatasetError
    expected: Mapping[str, Expected]
    credit: str
    crops: tuple[str, ...]  # by name, the default first
    reference: str = ""  # whose neutral picture a picture is compared with: of its "sequence", its "subject", or none
    licensed: bool = True
    already_cropped: bool = False  # so is every picture (Shot.cropped)
    size: int | None = None  # pixels, instead of the crop's own
    folds: bool = True  # whether people are told apart, so that folds can be cut
    options: tuple[Option, ...] = ()
    finish: Callable[..., list[str]] | None = None  # (folder, shots, source, detector): adds files to the set, notes


def references(shots: Iterable[Shot], by: str) -> np.ndarray:
    """Row of each shot's neutral picture, -1 where there is none; ``by`` "sequence", "subject" or "" (none)."""
    groups: dict[tuple, int] = {}
    neutral, group_of = [], array("q")  # row of a group's neutral picture; group of a row
    for row, shot in enumerate(shots):
        own = (shot.sequence,) if by == "sequence" else ()
        group = groups.setdefault((shot.subject, shot.modality, *own) if by else (), len(groups))
        neutral += [-1] * (group == len(neutral))
        if by and shot.label == "neutral" and neutral[group] < 0:
            neutral[group] = row
        group_of.append(group)
    return np.array(neutral, int)[np.array(group_of, int)]


def onset_to_apex(
    pictures: Sequence[tuple[int, File | Callable[[], np.ndarray], str]],
    label: str,
    offset: bool = False,
    neutral: int = 1,
    **common: Any,
) -> list[Shot]:
    """Shots of one posed sequence, from (frame, image, name) in order: the first is neutral, the apex is the last.

    With ``offset`` the face returns to rest and the apex lies in the middle; ``neutral`` counts the neutral frames.
    """
    last = max(len(pictures) - 1, 1)
    shots = []
    for rank, (number, image, name) in enumerate(pictures):
        share = 1 - abs(2 * rank / last - 1) if offset else rank / last
        shown = "neutral" if rank < neutral else label
        shots.append(Shot(name, image, label=shown, frame=number, intensity=round(share, 4), **common))
    return shots


def fold_counts(subjects: Sequence[str]) -> dict[str, int]:
    """Sequences per fold by GCNet's rule, from the subject of every sequence: the people sorted, every tenth."""
    people = sorted(set(subjects))
    return {f"sequences of fold {k}": sum(s in set(people[k::10]) for s in subjects) for k in range(10)}


def several(names: Sequence[str], what: str, most: int = 40) -> list[str]:
    """A note of no, some or many ``names``: how many ``what``, and which."""
    if not names:
        return []
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return [f"{len(names)} {what}: {', '.join(sorted(names)[:most])}{more}"]


def code(text: bytes | str) -> int:
    """A label as the datasets write it, such as ``3.0000000e+00``; raises DatasetError."""
    try:
        words = text.decode("ascii") if isinstance(text, bytes) else text
        return int(float(words.strip()))
    except (ValueError, UnicodeDecodeError, OverflowError) as error:
        raise DatasetError(f"{text!r:.60} is not a label ({error})") from error
