"""Cut the faces of one block of pictures: what every process does, and what it says of each of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fercore.faces.landmarks import Detector
from fercore.faces.photo import PhotoError
from fercore.faces.preparation.framing import Crop, framed
from fercore.faces.preparation.image_file import ImageFile
from fercore.faces.preparation.reading import Dataset, Shot


@dataclass(frozen=True)
class Work:
    """What every process needs; inherited, never sent."""

    dataset: Dataset
    crop: Crop
    images: ImageFile
    detector: Callable[[], Detector]


@dataclass
class Before:
    """What the earlier pictures of a sequence tell: where the face was, and how large the pictures are."""

    sequence: tuple[str, str, str] | None = None
    points: np.ndarray | None = None
    size: tuple[int, ...] | None = None


_work: Work | None = None
_detect: tuple[Work, Detector] | None = None


def begin(work: Work) -> None:
    """The work of this process and of those that will be forked from it."""
    global _work
    _work = work


def sequence_of(shot: Shot) -> tuple[str, str, str]:
    """Pictures with the same answer follow each other in one recording."""
    return shot.subject, shot.sequence, shot.modality


def cut_block(start: int, shots: Sequence[Shot]) -> dict:
    """Cut the faces of one block into the shared images, from row ``start`` on.

    Says how each was found, its points and what went wrong.
    """
    found, before = [], Before()
    for row, shot in enumerate(shots, start):
        if sequence_of(shot) != before.sequence:
            before = Before(sequence_of(shot))
        found.append(_cut(shot, row, before))
    how, points, problems = zip(*found, strict=True)
    return {"start": start, "how": how, "points": points, "problem": problems}


def _cut(shot: Shot, row: int, before: Before) -> tuple[str, list[float] | None, str]:
    try:
        image = shot.pixels()
        if image.min() == image.max():
            raise PhotoError(f"{shot.name} shows nothing: one level all over")
    except (PhotoError, ValueError) as error:
        return "damaged", None, str(error)
    problems = []
    if before.size not in (None, image.shape[:2]):
        problems.append(f"its size is {_said(image.shape)}, that of the sequence {_said(before.size)}")
        before.points = None  # they were counted in pixels of the other size
    before.size = before.size or image.shape[:2]
    official = _official(shot, image.shape, problems)
    cropped = shot.cropped or _work.dataset.already_cropped
    face, how, points = framed(image, _work.crop, official, _detector, before.points, cropped)
    if face is None:
        return how, None, "; ".join([*problems, "no face found"])
    _work.images.put(row, face)
    before.points = before.points if points is None else points
    return how, None if points is None else np.round(points, 2).ravel().tolist(), "; ".join(problems)


def _official(shot: Shot, shape: Sequence[int], problems: list[str]) -> np.ndarray | None:
    """The landmarks that came with a picture; damaged ones are a problem, not the end of the picture."""
    try:
        points = shot.points() if shot.points is not None else None
    except ValueError as error:
        problems.append(str(error))
        return None
    if points is not None and _far_outside(points, shape):
        problems.append(f"its landmarks lie far outside of its {_said(shape)} pixels")
        return None
    return points


def _far_outside(points: np.ndarray, shape: Sequence[int]) -> bool:
    """Whether a point lies outside by more than half of the picture's size; unknown ones (NaN) do not."""
    size = np.array([shape[1], shape[0]])
    return bool(((points < -0.5 * size) | (points > 1.5 * size)).any())


def _said(size: Sequence[int]) -> str:
    return f"{size[1]} x {size[0]}"


def _detector(image: np.ndarray) -> np.ndarray:
    """The process's own detector, made when the first picture needs it."""
    global _detect
    if _detect is None or _detect[0] is not _work:
        _detect = (_work, _work.detector())
    return _detect[1](image)
