"""The 68 landmarks that several datasets ship, reduced to the five points that faces are aligned by."""

import numpy as np

from fercore.faces.preparation.source import File

LEFT_EYE, RIGHT_EYE = slice(36, 42), slice(42, 48)  # as seen in the image, counted from 0
NOSE_TIP, MOUTH_LEFT, MOUTH_RIGHT = 30, 48, 54


def five_of(points: np.ndarray) -> np.ndarray:
    """The five POINTS, 5 x 2, of 68 x 2; raises ValueError for other shapes and for points that are not finite."""
    if points.shape != (68, 2) or not np.isfinite(points).all():
        raise ValueError(f"68 finite points are needed, not an array of {points.shape}")
    eyes = [points[LEFT_EYE].mean(0), points[RIGHT_EYE].mean(0)]
    return np.array([*eyes, points[NOSE_TIP], points[MOUTH_LEFT], points[MOUTH_RIGHT]])


def in_text(file: File) -> np.ndarray:
    """The five points of a file with one ``x y`` per line; raises ValueError naming it."""
    try:
        numbers = np.array(file.read().decode("ascii").split(), float)
        return five_of(numbers.reshape(-1, 2))
    except (ValueError, UnicodeDecodeError) as error:
        raise ValueError(f"{file.path} does not hold 68 landmarks ({error})") from error
