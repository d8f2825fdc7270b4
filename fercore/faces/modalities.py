"""Two modalities of the same people: which images of each train a network that is only ever tested on one."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from fercore.faces.faceset import FaceSet, FaceSetError
from fercore.faces.protocols import Part

PARTITIONS = ("subject", "image", "none")
FACE = ["subject", "sequence", "frame"]  # one moment of one person, whatever the camera


@dataclass(frozen=True)
class Streams:
    """The images a run learns from, and the privileged ones that stand beside them.

    image: what is classified. paired: for each of these images, the row of the same face in the other modality.
    beside: images of the other modality that belong to none of them, in a face set that may be another one.
    references: for each of these images, the reference face that was made of it, N x H x W.
    learned_from: what the run's record says of other images and runs that are behind these (see stages.noted).
    """

    image: Part
    paired: np.ndarray | None = None
    beside: tuple[FaceSet, Part] | None = None
    references: np.ndarray | None = None
    learned_from: tuple[dict, ...] = ()


def unpaired(faces: FaceSet, visible: Part, thermal: Part, by: str = "subject", seed: int = 0) -> tuple[Part, Part]:
    """Visible images of one half of the people and thermal ones of the other; ``by`` "image", of the faces.

    The people (or faces) of both parts together are shuffled and cut in two. ``by`` "none" leaves both parts whole.
    Raises FaceSetError where one modality is empty, before or after; ValueError for another ``by``.
    """
    if by not in PARTITIONS:
        raise ValueError(f"partition {by!r} is unknown; valid: {', '.join(PARTITIONS)}")
    if by != "none":
        columns = ["subject"] if by == "subject" else FACE
        group = pd.concat([faces.table.loc[part.rows, columns] for part in (visible, thermal)])
        group = group.groupby(columns, sort=True).ngroup().to_numpy()
        order = np.random.default_rng(seed).permutation(group.max(initial=-1) + 1)
        first = np.isin(group, order[: -(-len(order) // 2)])
        visible, thermal = visible.only(first[: len(visible)]), thermal.only(~first[len(visible) :])
    for name, part in (("visible", visible), ("thermal", thermal)):
        if not len(part):
            raise FaceSetError(f"{faces.name} has no {name} image to train on (partition {by})")
    return visible, thermal


def sample(part: Part, m: int | None, seed: int = 0) -> Part:
    """``m`` images of a part at random, or all where it has no more or ``m`` is None; the same whoever asks."""
    if m is None or m >= len(part):
        return part
    chosen = np.sort(np.random.default_rng(seed).permutation(len(part))[:m])
    return Part(part.rows[chosen], part.target[chosen])


def check_unpaired(faces: FaceSet, visible: Part, thermal: Part, by: str = "subject") -> None:
    """Refuse two parts that share a subject (``by`` "image": a face); raises FaceSetError."""
    columns = ["subject"] if by == "subject" else FACE
    seen = [set(map(tuple, faces.table.loc[part.rows, columns].to_numpy())) for part in (visible, thermal)]
    if both := seen[0] & seen[1]:
        which = ", ".join("/".join(map(str, one)) for one in sorted(both)[:3])
        raise FaceSetError(
            f"{faces.name}: {len(both)} {by}s, such as {which}, stand on both sides of an unpaired division"
        )


def counterparts(faces: FaceSet, rows: np.ndarray, modality: str) -> np.ndarray:
    """For every row the one of the same face in another modality; raises FaceSetError where there is none."""
    other = faces.table[faces.table["modality"] == modality]
    if len(twice := other[other.duplicated(FACE)]):
        which = "/".join(map(str, twice[FACE].iloc[0]))
        raise FaceSetError(f"{faces.name} has two {modality} images of {which}; give every frame a number of its own")
    index = pd.MultiIndex.from_frame(other[FACE])
    found = index.get_indexer(pd.MultiIndex.from_frame(faces.table.loc[rows, FACE]))
    if (found < 0).any():
        missing = "/".join(map(str, faces.table.loc[rows[found < 0][0], FACE]))
        raise FaceSetError(f"{faces.name} has no {modality} image of {missing}; paired rows need one of every face")
    return other.index.to_numpy()[found]
