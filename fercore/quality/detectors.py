"""What stock detectors say: is a face found where there is one, and only there."""

from collections.abc import Callable

import numpy as np
from PIL import Image

from fercore.faces.landmarks import DetectorMissingError, NoFaceError, whole_mesh
from fercore.quality.report import Check
from fercore.quality.samples import blank, people, recipe, scrambled
from fercore.twins.renderer import render

SIDE, MARGIN = 256, 32  # small images are enlarged, and given some room: detectors were not trained on tight crops


def haar(cascade: str = "haarcascade_frontalface_alt2") -> Callable[[np.ndarray], bool]:
    """Whether OpenCV's cascade finds a face in a gray image; raises DetectorMissingError."""
    try:
        import cv2

        found = cv2.CascadeClassifier(f"{cv2.data.haarcascades}{cascade}.xml")
        if found.empty():
            raise ImportError("this OpenCV ships no cascades")
    except (ImportError, AttributeError) as error:
        raise DetectorMissingError(
            f"OpenCV's Haar cascades are missing ({error}); install the extra `alignment`"
        ) from error
    return lambda image: len(found.detectMultiScale(_framed(image), 1.1, 3, minSize=(80, 80))) > 0


def mesh() -> Callable[[np.ndarray], bool]:
    """Whether MediaPipe's FaceMesh finds a face in a gray image; raises DetectorMissingError."""
    detect = whole_mesh()

    def finds(image: np.ndarray) -> bool:
        try:
            detect(np.repeat(_framed(image)[..., None], 3, axis=2))
        except NoFaceError:
            return False
        return True

    return finds


DETECTORS = {"Haar alt2": haar, "Haar default": lambda: haar("haarcascade_frontalface_default"), "FaceMesh": mesh}


def _framed(image: np.ndarray) -> np.ndarray:
    large = np.asarray(Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.BICUBIC))
    return np.pad(large, MARGIN, mode="edge")


def rate(finds: Callable[[np.ndarray], bool], images: np.ndarray) -> float:
    """Share of images in which a face is found."""
    return float(np.mean([finds(image) for image in images]))


def checks(count: int = 20) -> list[Check]:
    """Detection on ``count`` people x 7 expressions, calm and not, and on controls that hold no face."""
    faces, _ = people(count)
    wild, _ = people(count, how=recipe(2.0))
    calm = render(faces, 64)
    sets = {
        "64 px": (calm, {"Haar alt2": 0.98, "FaceMesh": 0.98}, None),
        "48 px": (render(faces, 48), {"Haar default": 0.94}, None),
        "64 px, nuisance x 2": (render(wild, 64), {"Haar alt2": 0.95, "FaceMesh": 0.85}, None),
        "control: blank face": (blank(calm), {}, 0.15),
        "control: scrambled": (scrambled(calm), {}, 0.15),
        "control: upside down": (calm[:, ::-1], {}, None),
    }
    found = []
    for name, detector in DETECTORS.items():
        try:
            finds = detector()
        except DetectorMissingError as missing:
            found += [Check(f"{name}, {what}", None, note=str(missing)) for what in sets]
            continue
        for what, (images, least, most) in sets.items():
            most = most if name != "Haar default" else None
            found.append(Check(f"{name}, {what}", rate(finds, images), least.get(name), most, f"{len(images)} images"))
    return found
