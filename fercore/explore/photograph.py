"""A photograph from a reader's disk: read within bounds, upright, on white where transparent, its face found."""

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from fercore.faces.landmarks import MESH_VERTICES, NoFaceError, meshes
from fercore.faces.photo import FORMATS, PhotoError, decoded

MOST_BYTES = 40 << 20  # a file; as many pixels as photo.MOST_PIXELS fit in
LEAST_SIDE, MOST_SIDE = 48, 1600  # pixels; smaller shows too little, larger is reduced before the detector sees it
MOST_FACES = 8  # that are looked for
DEEP = ("I", "F")  # modes of more than 8 bits per channel, whose gray levels Pillow would cut off

# RGB image, H x W x 3, uint8 -> the points of every face, 478 x 2 each
Meshes = Callable[[np.ndarray], list[np.ndarray]]


@dataclass(frozen=True)
class Photograph:
    """An upright RGB image and what a reader should know of it."""

    name: str
    image: np.ndarray  # H x W x 3, uint8
    notes: tuple[str, ...] = ()
    credit: str = ""  # the line that must stand under it
    points: np.ndarray | None = None  # 5 x 2, where the face is; None: the whole image is a face

    def noting(self, *notes: str) -> "Photograph":
        """The same with further notes."""
        return replace(self, notes=(*self.notes, *notes))


def read(file: Path, credit: str = "") -> Photograph:
    """The photograph in ``file``; raises PhotoError, naming it, where it is missing, too large or no photograph."""
    if not file.is_file():
        raise PhotoError(f"{file} is not a file; give the path of a photograph")
    if file.stat().st_size > MOST_BYTES:
        raise PhotoError(_too_heavy(file.name))
    try:
        with open(file, "rb") as opened:
            content = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise PhotoError(f"{file} cannot be read: {error.strerror}") from error
    return replace(received(content, file.name), credit=credit)


def received(content: bytes, name: str) -> Photograph:
    """The photograph in ``content``, a file's bytes; raises PhotoError."""
    if len(content) > MOST_BYTES:
        raise PhotoError(_too_heavy(name))
    image = decoded(content, name)  # refuses what is no photograph or has too many pixels
    with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
        if opened.mode.startswith(DEEP):
            raise PhotoError(f"{name} has more than 8 bits per pixel and channel; save it with 8")
        notes = list(_notes(opened))
        if opened.has_transparency_data:
            image = _on_white(opened)
    if min(image.shape[:2]) < LEAST_SIDE:
        raise PhotoError(f"{name} has {image.shape[1]} x {image.shape[0]} pixels; take one of {LEAST_SIDE} or more")
    if max(image.shape[:2]) > MOST_SIDE:
        notes.append(f"reduced from {image.shape[1]} x {image.shape[0]} pixels")
        reduced = Image.fromarray(image)
        reduced.thumbnail((MOST_SIDE, MOST_SIDE))
        image = np.asarray(reduced)
    return Photograph(name, image, tuple(notes))


def with_face(photo: Photograph, detect: Meshes | None = None) -> Photograph:
    """The photograph with the points of its largest face; raises NoFaceError, DetectorMissingError."""
    found = (detect or meshes(MOST_FACES))(photo.image)
    if not found:
        raise NoFaceError(
            f"no face was found in {photo.name}; take one where a single face is seen from the front, upright and large"
        )
    sizes = [np.ptp(points, axis=0).prod() for points in found]
    photo = replace(photo, points=found[int(np.argmax(sizes))][list(MESH_VERTICES)])
    return photo.noting(f"{len(found)} faces found; the largest is taken") if len(found) > 1 else photo


def _notes(opened: Image.Image):
    """What becomes of a photograph that is not plainly upright and in colour."""
    if opened.getexif().get(0x0112, 1) != 1:  # the tag of orientation
        yield "turned upright, as its EXIF says"
    if opened.has_transparency_data:
        yield "transparent parts stand on white"
    if opened.mode in ("1", "L", "LA"):
        yield "gray: networks that learned colour see a gray face"
    if getattr(opened, "n_frames", 1) > 1:
        yield "several pictures in one file; the first is taken"


def _on_white(opened: Image.Image) -> np.ndarray:
    upright = ImageOps.exif_transpose(opened).convert("RGBA")
    return np.asarray(Image.alpha_composite(Image.new("RGBA", upright.size, "white"), upright).convert("RGB"))


def _too_heavy(name: str) -> str:
    return f"{name} is larger than {MOST_BYTES >> 20} MB; reduce it first"
