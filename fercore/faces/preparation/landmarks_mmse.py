"""The landmarks that come with MMSE: 49 points of every photograph, 28 of every thermal picture, to the five POINTS."""

from functools import lru_cache

import numpy as np

from fercore.faces.preparation import mat_file
from fercore.faces.preparation.source import File

SCALE = 49  # points of a photograph: the usual 68 without jaw and inner lip ends, counted from 0 below
PHOTO_PARTS = (slice(19, 25), slice(25, 31), slice(13, 14), slice(31, 32), slice(37, 38))
THERMAL_POINTS = 28
NOSTRILS, LIP_ENDS = (9, 20), (10, 21)  # of a thermal picture; eyes are not among what is known of its points


def of_photo(file: File, frame: int) -> np.ndarray | None:
    """The five points of photograph ``frame`` (from 0) in a file of 2DFeatures, None where tracking was lost.

    Raises ValueError naming the file.
    """
    points = _photos(file).get(frame)
    return None if points is None else np.array([points[part].mean(0) for part in PHOTO_PARTS])


def of_thermal(file: File, frame: int) -> np.ndarray | None:
    """Nose and lip ends of thermal picture ``frame`` (from 0) in a file of IRFeatures, eyes NaN; as ``of_photo``."""
    lines = _thermal(file)
    if frame >= len(lines) or not lines[frame].any():
        return None
    points = lines[frame].reshape(THERMAL_POINTS, 2)
    return np.array([[np.nan] * 2, [np.nan] * 2, points[list(NOSTRILS)].mean(0), *points[list(LIP_ENDS)]])


def thermal_frames(file: File) -> int:
    """Pictures that a file of IRFeatures has a line for; raises ValueError naming it."""
    return len(_thermal(file))


@lru_cache(maxsize=2)  # pictures come film by film
def _photos(file: File) -> dict[int, np.ndarray]:
    try:
        with file.on_disk() as path:
            fitted = mat_file.variable(path, "fit")
        rows = ((int(one["frame"]) - 1, np.asarray(one["pts_2d"], float)) for one in np.atleast_1d(fitted))
        return {frame: points for frame, points in rows if points.shape == (SCALE, 2) and np.isfinite(points).all()}
    except Exception as error:  # the reader of .mat files raises whatever a damaged one makes it stumble over
        raise ValueError(f"{file.path} does not hold 2D landmarks ({error!r:.80})") from error


@lru_cache(maxsize=2)
def _thermal(file: File) -> np.ndarray:
    try:
        numbers = np.array(file.read().decode("ascii").split(), float)
        return numbers.reshape(-1, 2 * THERMAL_POINTS)
    except ValueError as error:
        raise ValueError(f"{file.path} does not hold 28 points a line ({error})") from error
