"""Images in a .npy file, written and read one by one: memory does not grow with the dataset."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class ImageFile:
    """A .npy file of uint8 images with ``shape`` N x ...; processes may write different rows at once."""

    file: Path
    shape: tuple[int, ...]

    @property
    def _bytes(self) -> int:
        return int(np.prod(self.shape[1:]))

    def _place(self, row: int) -> int:
        return self.file.stat().st_size - (self.shape[0] - row) * self._bytes  # counted from the end: the header varies

    def put(self, row: int, image: np.ndarray) -> None:
        """Write one image; not through a memory map, whose pages would count as this process's memory."""
        place = os.open(self.file, os.O_WRONLY)
        try:
            os.pwrite(place, np.ascontiguousarray(image).tobytes(), self._place(row))
        finally:
            os.close(place)

    def only(self, rows: np.ndarray, file: Path) -> "ImageFile":
        """A new ``file`` with these rows."""
        shape = (len(rows), *self.shape[1:])
        with open(self.file, "rb") as source, open(file, "wb") as target:
            header = {"descr": "|u1", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(target, header)
            for row in rows:
                source.seek(self._place(int(row)))
                target.write(source.read(self._bytes))
        return ImageFile(file, shape)

    def opened(self) -> np.ndarray:
        """The images, memory-mapped and read-only."""
        return np.load(self.file, mmap_mode="r", allow_pickle=False)
