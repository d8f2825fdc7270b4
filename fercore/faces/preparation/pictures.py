"""Pixels of stills and of video frames, from folders and archives alike."""

import os
import tempfile
from functools import lru_cache, partial
from pathlib import Path, PurePosixPath

import numpy as np

from fercore.faces.landmarks import DetectorMissingError
from fercore.faces.photo import PhotoError, decoded
from fercore.faces.preparation.source import File

WHAT_READS_VIDEO = (
    "videos are read by OpenCV, which is missing ({error}); install the extra `alignment` of this project"
)


def still(file: File) -> np.ndarray:
    """A photograph as H x W x 3 uint8; raises PhotoError."""
    return decoded(file.read() if file.member else Path(file.where), file.path)


def frame(file: File, index: int) -> np.ndarray:
    """Frame ``index`` (from 0) of a video as H x W x 3 uint8; frames are best asked for in their order.

    Raises PhotoError where it cannot be decoded.
    """
    return _film(file, os.getpid()).frame(index)


def length(file: File) -> int:
    """Frames of a video, by decoding it: headers lie."""
    return _Film(file).length()


@lru_cache(maxsize=1)  # the film that is being read; pictures come film by film
def _film(file: File, process: int) -> "_Film":
    return _Film(file)


class _Film:
    def __init__(self, file: File):
        self._cv2 = _opencv()
        self._file = file
        self._copy = None
        path = file.where
        if file.member:
            self._copy = tempfile.NamedTemporaryFile(suffix=PurePosixPath(file.path).suffix)
            self._copy.write(file.read())
            self._copy.flush()
            path = self._copy.name
        self._open = partial(self._cv2.VideoCapture, str(path))
        self._capture, self._next = self._open(), 0
        if not self._capture.isOpened():
            raise PhotoError(f"{file.path} is damaged or not a video; copy or unpack it again")

    def frame(self, index: int) -> np.ndarray:
        if index < self._next:
            self._capture.release()
            self._capture, self._next = self._open(), 0
        while self._next < index:
            if not self._capture.grab():
                raise self._too_short(index)
            self._next += 1
        there, image = self._capture.read()
        if not there:
            raise self._too_short(index)
        self._next += 1
        return np.ascontiguousarray(image[..., ::-1])

    def length(self) -> int:
        while self._capture.grab():
            self._next += 1
        return self._next

    def _too_short(self, index: int) -> PhotoError:
        return PhotoError(f"{self._file.path} ends before frame {index}; copy or unpack it again")


def _opencv():
    try:
        import cv2
    except ImportError as error:
        raise DetectorMissingError(WHAT_READS_VIDEO.format(error=error)) from error
    return cv2
