"""Faces brought to one place: similarity transform onto a template, antialiased gray crop."""

import math

import numpy as np
from PIL import Image
from scipy.ndimage import affine_transform

from fercore.faces.landmarks import POINTS

CROP = 132  # pixels; twice the 66 of GCNet
MOST_SIDE = 1 << 13  # samples along a crop: as many as the largest photograph has pixels, 256 MB of them
TEMPLATE = np.array(  # POINTS in the unit crop; brows to chin inside, framed like the twins
    [
        (0.33, 0.36),
        (0.67, 0.36),
        (0.5, 0.568),  # nose and lip ends: mean of the neutral London faces, made symmetric
        (0.37, 0.727),
        (0.63, 0.727),
    ]
)
# Smiling moves the lip ends: a five-point fit lets the expression shift and scale the crop, an eye fit does not.
POINTS_FITTED = {"eyes": 2, "five_points": 5}


class AlignmentError(ValueError):
    """The points do not determine a similarity transform."""


def similarity(points: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Least-squares similarity without reflection, min sum |s R p + t - q|^2, as the 2 x 3 matrix [sR | t].

    ``points`` and ``targets`` are K x 2 with K >= 2 (Umeyama 1991; exact for K = 2); raises AlignmentError.
    """
    if points.shape != targets.shape or points.ndim != 2 or points.shape[1] != 2 or len(points) < 2:
        raise AlignmentError(f"two K x 2 arrays with K >= 2 are needed, not {points.shape} and {targets.shape}")
    if not (np.isfinite(points).all() and np.isfinite(targets).all()):
        raise AlignmentError("the points are not finite")
    p, q = points @ (1, 1j), targets @ (1, 1j)  # in the complex plane q = a p + b, a = s e^(i angle)
    p_centred, q_centred = p - p.mean(), q - q.mean()
    spread = np.vdot(p_centred, p_centred).real
    if spread < 1e-12:
        raise AlignmentError("the points coincide")
    a = np.vdot(p_centred, q_centred) / spread
    b = q.mean() - a * p.mean()
    if not (np.isfinite([a, b]).all() and a):
        raise AlignmentError("the points lie beyond measure")
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def transformed(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """``points`` (K x 2) under the 2 x 3 ``matrix``."""
    return points @ matrix[:, :2].T + matrix[:, 2]


def align(image: np.ndarray, points: np.ndarray, size: int = CROP, fit: str = "eyes") -> np.ndarray:
    """The face as size x size gray uint8 (ITU-R 601 luma), with ``points`` (5 x 2, pixels) moved onto TEMPLATE.

    ``fit`` says by which points: "eyes" (exact) or "five_points" (least squares); raises AlignmentError.
    """
    if points.shape != (len(POINTS), 2):
        raise AlignmentError(f"5 x 2 points are needed, not {points.shape}")
    fitted = POINTS_FITTED[fit]
    matrix = similarity(points[:fitted], TEMPLATE[:fitted] * size)
    return warped(np.asarray(Image.fromarray(image).convert("L")), matrix, size)


def warped(gray: np.ndarray, matrix: np.ndarray, size: int) -> np.ndarray:
    """``gray`` (H x W, uint8) under ``matrix`` as size x size uint8; edge pixels continue beyond the image.

    Each pixel is the mean of k x k bilinear samples at most one source pixel apart: an area average, no aliasing.
    Raises AlignmentError where the crop would reach over more than MOST_SIDE source pixels.
    """
    scale = math.sqrt(abs(np.linalg.det(matrix[:, :2])))  # crop pixels per source pixel
    if not size / MOST_SIDE <= scale < math.inf:
        raise AlignmentError(f"at {scale:.3g} pixels for each of the picture's, no crop of {size} pixels can be cut")
    k = max(1, math.ceil(1 / scale - 1e-9))
    inverse = np.linalg.inv(matrix[::-1, 1::-1])  # rows first, as scipy counts
    # sample i lies at (i + 1/2) / k in the crop; the centre of source pixel j at j + 1/2
    offset = inverse @ (0.5 / k - matrix[::-1, 2]) - 0.5
    samples = affine_transform(
        gray, inverse / k, offset, (size * k, size * k), output=np.float32, order=1, mode="nearest"
    )
    means = samples.reshape(size, k, size, k).mean((1, 3))
    return means.round().clip(0, 255).astype(np.uint8)
