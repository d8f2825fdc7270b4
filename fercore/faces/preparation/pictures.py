"""Pixels of stills and of video frames, from folders and archives alike."""

import contextlib
import os
import re
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from fercore.faces.landmarks import DetectorMissingError
from fercore.faces.photo import MOST_PIXELS, PhotoError, decoded
from fercore.faces.preparation.source import File

WHAT_READS_VIDEO = (
    "videos are read by OpenCV, which is missing ({error}); install the extra `alignment` of this project"
)
# AVI, Windows Media, Matroska, MPEG-4, MPEG: the decoder also follows play lists, which may name any file or address
CONTAINER = re.compile(rb"RIFF....AVI |\x30\x26\xb2\x75|\x1a\x45\xdf\xa3|....ftyp|\x00\x00\x01[\xba\xb3]", re.DOTALL)


def still(file: File) -> np.ndarray:
    """A photograph as H x W x 3 uint8; raises PhotoError."""
    return decoded(file.read() if file.member else Path(file.where), file.path)


def frame(file: File, index: int) -> np.ndarray:
    """Frame ``index`` (from 0) of a video as H x W x 3 uint8; frames are best asked for in their order.

    Raises PhotoError where it cannot be decoded.
    """
    return _film(file, os.getpid()).frame(index)


def length(file: File) -> int:
    """Frames of a video, by decoding it: headers lie; raises PhotoError."""
    return _Film(file).length()


def told(file: File) -> tuple[int, float]:
    """Frames and frames a second as the video's header has them, good for a warning; raises PhotoError."""
    return _Film(file).told()


@lru_cache(maxsize=1)  # the film that is being read; pictures come film by film
def _film(file: File, process: int) -> "_Film":
    return _Film(file)


class _Film:
    def __init__(self, file: File):
        self._cv2, self._file = _opencv(), file
        self._stack = contextlib.ExitStack()  # a copy of what lies in an archive lives as long as this film
        path = self._stack.enter_context(file.on_disk())
        with open(path, "rb") as stream:
            if not CONTAINER.match(stream.read(12)):
                raise PhotoError(f"{file.path} is no video by its first bytes; copy or unpack it again")
        self._open = partial(self._cv2.VideoCapture, str(path))
        self._capture, self._next = self._open(), 0
        side = self._capture.get
        pixels = side(self._cv2.CAP_PROP_FRAME_WIDTH) * side(self._cv2.CAP_PROP_FRAME_HEIGHT)
        if not self._capture.isOpened() or not 0 < pixels <= MOST_PIXELS:
            raise PhotoError(f"{file.path} is damaged or not a video; copy or unpack it again")

    def told(self) -> tuple[int, float]:
        frames, rate = (self._capture.get(p) for p in (self._cv2.CAP_PROP_FRAME_COUNT, self._cv2.CAP_PROP_FPS))
        return int(frames), round(rate, 1)

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
