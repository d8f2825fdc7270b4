"""Five points of a face, found by MediaPipe's FaceMesh."""

import contextlib
import os
import warnings
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image

POINTS = ("left_eye", "right_eye", "nose", "left_mouth", "right_mouth")  # left and right as seen in the image
MESH_VERTICES = (468, 473, 1, 61, 291)  # both iris centres, nose tip, both lip ends
SMALLEST_SIDE = 256  # smaller images are enlarged for the detector, which was not trained on tiny faces

# RGB image (H x W x 3, uint8) -> the five POINTS as 5 x 2 (x, y) in pixels, where the image spans [0, W] x [0, H];
# raises NoFaceError
Detector = Callable[[np.ndarray], np.ndarray]


class NoFaceError(ValueError):
    """No face was found in the image."""


class DetectorMissingError(RuntimeError):
    """MediaPipe is not installed, or is a version without FaceMesh; names the way out."""


def face_mesh() -> Detector:
    """A detector that calls MediaPipe's FaceMesh (most prominent face); raises DetectorMissingError."""
    detect = whole_mesh()
    return lambda image: detect(image)[list(MESH_VERTICES)]


def whole_mesh() -> Detector:
    """The same with all 478 points of the mesh, 478 x 2."""
    find = meshes(1)

    def detect(image: np.ndarray) -> np.ndarray:
        if not (faces := find(image)):
            raise NoFaceError(f"no face found in an image of {image.shape[1]} x {image.shape[0]} pixels")
        return faces[0]

    return detect


def meshes(most: int) -> Callable[[np.ndarray], list[np.ndarray]]:
    """A detector of up to ``most`` faces: the meshes of all it finds, 478 x 2 each; raises DetectorMissingError."""
    with _quiet():
        mesh = _solution()(static_image_mode=True, max_num_faces=most, refine_landmarks=True)
        mesh.process(np.zeros((64, 64, 3), np.uint8))  # its threads report their start here, unheard

    def find(image: np.ndarray) -> list[np.ndarray]:
        height, width = image.shape[:2]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # protobuf's deprecations
            faces = mesh.process(_enlarged(image)).multi_face_landmarks
        return [np.array([(point.x * width, point.y * height) for point in face.landmark]) for face in faces or []]

    return find


def _solution() -> type:
    try:
        from mediapipe import solutions
    except (ImportError, AttributeError) as error:  # removed from 0.10.30 on
        raise DetectorMissingError(
            f"finding faces needs MediaPipe with FaceMesh ({error}), which has no packages for Python >= 3.13: on "
            'Python 3.11 or 3.12 run  pip install "mediapipe==0.10.14"  (the extra `alignment` of this project)'
        ) from error
    return solutions.face_mesh.FaceMesh


def _enlarged(image: np.ndarray) -> np.ndarray:
    factor = -(-SMALLEST_SIDE // min(image.shape[:2]))  # rounded up
    if factor <= 1:
        return np.ascontiguousarray(image)
    size = (image.shape[1] * factor, image.shape[0] * factor)
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    # MediaPipe's C++ side writes to descriptor 2 before its log level can be set
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
