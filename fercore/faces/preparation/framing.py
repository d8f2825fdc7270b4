"""Where the face is in a picture and how it is cut out: the papers' crops, one rule for faces that are not found."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from PIL import Image

from fercore.faces.alignment import CROP, POINTS_FITTED, TEMPLATE, AlignmentError, similarity, warped
from fercore.faces.landmarks import Detector, NoFaceError

RULE = "official landmarks, else detection, else the sequence's previous picture, else the middle of a cropped picture"
HOW = ("official", "detected", "previous", "middle", "whole", "excluded", "damaged")  # what happened to a picture
NOT_THERE = ("excluded", "damaged")


@dataclass
class Framing:
    """How often faces were found how, and the pictures with a problem."""

    counts: Counter = field(default_factory=Counter)
    odd: list[dict[str, str]] = field(default_factory=list)

    def note(self, picture: str, how: str, problem: str = "") -> None:
        """One more picture."""
        self.counts[how] += 1
        if problem:
            self.odd.append({"picture": picture, "how": how, "problem": problem})

    def faces(self) -> int:
        """Pictures that show a face."""
        return sum(count for how, count in self.counts.items() if how not in NOT_THERE)

    def summary(self) -> dict[str, int]:
        """Pictures by how their face was found."""
        return {how: self.counts[how] for how in HOW if how in self.counts}


def evenly_lit(gray: np.ndarray) -> np.ndarray:
    """Without its linear trend of gray levels (least-squares plane), then with an equalised histogram (IDFERM)."""
    height, width = gray.shape
    y, x = np.mgrid[:height, :width]
    design = np.stack([x.ravel(), y.ravel(), np.ones(gray.size)], 1)
    plane = design @ np.linalg.lstsq(design, gray.ravel().astype(float), rcond=None)[0]
    level = gray.ravel() - plane
    rank = np.searchsorted(np.sort(level), level, side="right") / gray.size  # the empirical distribution
    return (255 * rank).round().astype(np.uint8).reshape(gray.shape)


@dataclass(frozen=True)
class Crop:
    """A way of cutting faces out: which points go where, how large, in colour or gray."""

    said: str  # whose crop it is
    size: int = CROP
    fit: str = "eyes"  # of alignment.POINTS_FITTED; "" takes the picture as it is
    colour: bool = False
    template: np.ndarray | None = None  # of the five points in the unit square
    finish: Callable[[np.ndarray], np.ndarray] | None = None


def _wider(share: float) -> np.ndarray:
    return 0.5 + share * (TEMPLATE - 0.5)


CROPS = {
    "gcnet": Crop("GCNet, Sec. 4.1: normalised by five points, twice 66 pixels", fit="five_points"),
    "eyes": Crop("aligned by the eyes alone, so that a smile does not move the crop"),
    "idferm": Crop("IDFERM: upright, 64 x 64, evenly lit", 64, finish=evenly_lit),
    "unpaired": Crop("Unpaired: by landmarks, 224 x 224 in colour", 224, colour=True, template=_wider(0.9)),
    "occluded": Crop("Occluded: faces in colour", 224, colour=True, template=_wider(0.9)),
    "whole": Crop("the picture as it is, gray", fit=""),
    "whole_colour": Crop("the picture as it is, in colour", fit="", colour=True),
}


def crop_named(name: str, size: int | None) -> Crop:
    """The crop, at ``size`` pixels where one is given."""
    return replace(CROPS[name], size=size) if size else CROPS[name]


def framed(
    image: np.ndarray,
    crop: Crop,
    official: np.ndarray | None,
    detector: Detector,
    previous: np.ndarray | None,
    already_cropped: bool,
) -> tuple[np.ndarray | None, str, np.ndarray | None]:
    """The face (None where it is excluded), how it was found (one of HOW), and its points (RULE)."""
    if not crop.fit:
        return _finished(_middle(image, crop), crop), "whole", None
    for how, find in (
        ("official", lambda: official),
        ("detected", lambda: detector(image)),
        ("previous", lambda: previous),
    ):
        try:
            points = find()
            if points is not None:
                return _finished(_cut(image, points, crop), crop), how, points
        except (NoFaceError, AlignmentError):
            continue
    if already_cropped:
        return _finished(_middle(image, crop), crop), "middle", None
    return None, "excluded", None


def _cut(image: np.ndarray, points: np.ndarray, crop: Crop) -> np.ndarray:
    template = TEMPLATE if crop.template is None else crop.template
    fitted = np.isfinite(points).all(1) & (np.arange(len(points)) < POINTS_FITTED[crop.fit])
    if not fitted.any():
        fitted = np.isfinite(points).all(1)  # landmarks of thermal pictures have no eyes: nose and lip ends then
    matrix = similarity(points[fitted], template[fitted] * crop.size)
    if crop.colour:
        return np.stack([warped(image[..., channel], matrix, crop.size) for channel in range(3)], axis=-1)
    return warped(np.asarray(Image.fromarray(image).convert("L")), matrix, crop.size)


def _middle(image: np.ndarray, crop: Crop) -> np.ndarray:
    """The largest square in the middle, resized."""
    side = min(image.shape[:2])
    top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
    square = Image.fromarray(image[top : top + side, left : left + side]).convert("RGB" if crop.colour else "L")
    return np.asarray(
        square.resize((crop.size, crop.size), Image.Resampling.BOX if side > crop.size else Image.Resampling.BICUBIC)
    )


def _finished(face: np.ndarray, crop: Crop) -> np.ndarray:
    return crop.finish(face) if crop.finish else face
