"""Covering the images of a set: what hides each of them is settled once, the same for every method and seed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fercore.storage import digest

BLOCK = 512  # images that are covered at a time; bounds memory


@dataclass(frozen=True)
class Cover:
    """Hides a part of each image under one of ``kinds``, drawn by the image's row in its set and ``purpose``."""

    kinds: tuple[str, ...]  # of twins.occluders.OCCLUSIONS
    purpose: str  # such as "training": another purpose draws other occluders and places

    def __call__(self, images: np.ndarray, rows: Sequence[int]) -> np.ndarray:
        """Covered copies of ``images`` (uint8, N x h x w or N x h x w x 3), which stand in ``rows`` of their set."""
        from fercore.twins.occluders import occlude

        covered = np.empty_like(images)
        for start in range(0, len(images), BLOCK):
            block = slice(start, start + BLOCK)
            seeds = [self._seed(row) for row in rows[block]]
            kinds = [self.kinds[seed % len(self.kinds)] for seed in seeds]
            covered[block], _ = occlude(images[block], kinds, seeds)
        return covered

    def _seed(self, row: int) -> int:
        return int(digest(f"{self.purpose}/{row}".encode())[:8], 16)
