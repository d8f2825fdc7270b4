"""The 24 places on a face that PG-CNN and gACNN look at, from its 68 landmarks, and the landmarks of a mean face."""

from pathlib import Path

import numpy as np

# Numbers of landmarks and shifts in pixels of a 256-pixel face are those of the authors' code; counted from 1.
FACE = 256
SINGLE = (19, 22, 23, 26, 39, 37, 44, 46, 28, 30, 49, 51, 53, 55, 59, 57)
# The first four, on the brows, move up by 10; a loop that runs four times then brings 19 and 26 down by 4 x 2 again.
RAISED = (2, 10, 10, 2)
BETWEEN = ((20, 38), (25, 45), (41, 42), (47, 48), (18, 59), (27, 57))
CHEEKS = {49: (-16, -16), 55: (16, -16)}  # up and outwards from the lip ends
PATCHES = len(SINGLE) + len(BETWEEN) + len(CHEEKS)

# 68 x 2 in the unit square: the face mesh (landmarks.py) on the 102 neutral London photographs, each moved onto
# alignment.TEMPLATE by its eyes; mean over the people, made symmetric. The table names the vertex of each point; the
# outline is parted into equal steps from eye height (vertices 127 and 356) to the chin (152).
MEAN_FACE = np.loadtxt(Path(__file__).with_name("mean_face.csv"), delimiter=",", skiprows=1, usecols=(2, 3))


def patch_points(landmarks: np.ndarray) -> np.ndarray:
    """The 24 points, 24 x 2, of 68 ``landmarks`` (68 x 2, iBUG order), both in units of the face crop's side.

    Li et al. detect landmarks on every image. Faces here are aligned, so the points of MEAN_FACE serve a whole set: a
    patch stays where the part commonly is, also under an occluder that would mislead a detector, but it no longer
    follows the lips of an open mouth, raised brows or a long chin. Raises ValueError.
    """
    if landmarks.shape != (68, 2) or not np.isfinite(landmarks).all():
        raise ValueError(f"68 finite points are needed, not an array of {landmarks.shape}")
    single = _numbered(landmarks, SINGLE)
    single[: len(RAISED), 1] -= np.array(RAISED) / FACE
    between = _numbered(landmarks, BETWEEN).mean(1)
    cheeks = _numbered(landmarks, tuple(CHEEKS)) + np.array(list(CHEEKS.values())) / FACE
    return np.concatenate([single, between, cheeks])


def _numbered(landmarks: np.ndarray, numbers: tuple) -> np.ndarray:
    return landmarks[np.array(numbers) - 1]
