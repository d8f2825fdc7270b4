"""Who shows what in the twins of pictures from the web: one picture per person, or many of one identity."""

import numpy as np

from fercore.twins.cast import BASIC, Take

SEVEN = ("neutral", *BASIC)  # neutral anger disgust fear happiness sadness surprise

# split: counts in the order of SEVEN
RAFDB = {"train": (2524, 705, 717, 281, 4772, 1982, 1290), "test": (680, 162, 160, 74, 1185, 478, 329)}
AFFECTNET = {
    "train": (7487, 2488, 380, 638, 13442, 2546, 1409),
    "val": (500,) * 7,
}  # a tenth of 283,901; the whole 3500
FEDRO = {"test": (60, 56, 53, 54, 61, 57, 59)}  # 400; the classes' own numbers are not published
SFEW = {"train": (144, 171, 63, 75, 190, 160, 88), "val": (84, 74, 22, 44, 71, 71, 65)}  # 891, 431; classes likewise


def rafdb_cast() -> list[Take]:
    """12271 pictures to train on and 3068 to test."""
    return _singles(RAFDB)


def affectnet_cast() -> list[Take]:
    """A tenth of the training pictures of seven classes, and all 3500 to validate."""
    return _singles(AFFECTNET)


def fedro_cast() -> list[Take]:
    """400 pictures of occluded faces, to test only."""
    return _singles(FEDRO)


def sfew_cast() -> list[Take]:
    """891 film stills to train on and 431 to validate."""
    return _singles(SFEW)


def _singles(counts: dict[str, tuple[int, ...]]) -> list[Take]:
    return [
        Take(f"{split}_{label}_{i:05d}", "000", label, split)
        for split, numbers in counts.items()
        for label, number in zip(SEVEN, numbers, strict=True)
        for i in range(number)
    ]


def webface_cast(identities: int = 200, images: int = 25) -> list[Take]:
    """Single pictures for pre-training: the first of each identity is neutral, the others mixed, mostly posed."""
    shares = (0.28, 0.08, 0.07, 0.07, 0.30, 0.09, 0.11)
    takes = []
    for n in range(identities):
        drawn = np.random.default_rng([20140907, n]).choice(SEVEN, images - 1, p=shares)
        takes += [Take(f"W{n:05d}", f"{i:03d}", label) for i, label in enumerate(("neutral", *drawn))]
    return takes


def vggface_cast(identities: int = 400, targets: int = 5, others: int = 20) -> list[Take]:
    """Identities with ``targets`` neutral frontal pictures first, then ``others`` of any expression and pose."""
    shares = (0.30, 0.08, 0.06, 0.06, 0.32, 0.09, 0.09)
    takes = []
    for n in range(identities):
        drawn = np.random.default_rng([2015, n]).choice(SEVEN, others, p=shares)
        frontal = [Take(f"V{n:05d}", f"{i:03d}", "neutral", yaw=0.0) for i in range(targets)]
        takes += frontal + [Take(f"V{n:05d}", f"{targets + i:03d}", label) for i, label in enumerate(drawn)]
    return takes
