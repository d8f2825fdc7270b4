"""The 24 points by hand, against a loop as the authors wrote it, and the mean face on the template."""

import numpy as np
import pytest

from fercore.faces.alignment import TEMPLATE
from fercore.faces.patch_points import MEAN_FACE, PATCHES, patch_points
from fercore.faces.preparation.landmarks68 import five_of


def test_points_by_hand():
    """Landmark n at (n, 100 + 2n) pixels of 256."""
    n = np.arange(1, 69)
    points = 256 * patch_points(np.stack([n, 100 + 2 * n], 1) / 256)
    singles = [(19, 136), (22, 134), (23, 136), (26, 150), (39, 178), (37, 174), (44, 188), (46, 192),
               (28, 156), (30, 160), (49, 198), (51, 202), (53, 206), (55, 210), (59, 218), (57, 214)]  # fmt: skip
    between = [(29, 158), (35, 170), (41.5, 183), (47.5, 195), (38.5, 177), (42, 184)]
    cheeks = [(33, 182), (71, 194)]
    assert np.allclose(points, [*singles, *between, *cheeks])


def slow_points(landmarks):
    """As the authors go about it: a flat list x1 y1 x2 ..., shifted in a loop of four rounds."""
    at, flat = landmarks.ravel() * 256, []
    for number in (19, 22, 23, 26, 39, 37, 44, 46, 28, 30, 49, 51, 53, 55, 59, 57):
        flat += [at[2 * number - 2], at[2 * number - 1]]
    for i in range(4):
        flat[2 * i + 1] -= 10
        for outer in (0, 3):
            flat[2 * outer + 1] += 2
    for one, other in ((20, 38), (25, 45), (41, 42), (47, 48), (18, 59), (27, 57)):
        flat += [(at[2 * one - 2 + i] + at[2 * other - 2 + i]) / 2 for i in (0, 1)]
    flat += [at[96] - 16, at[97] - 16, at[108] + 16, at[109] - 16]
    return np.array(flat).reshape(24, 2) / 256


def test_points_are_the_slow_loop():
    landmarks = np.random.default_rng(0).random((68, 2))
    before = landmarks.copy()
    assert np.allclose(patch_points(landmarks), slow_points(landmarks))
    assert np.array_equal(landmarks, before) and PATCHES == 24


def test_mean_face_is_symmetric_and_so_are_its_points():
    for points in (MEAN_FACE, patch_points(MEAN_FACE)):
        mirrored = {(round(1 - x, 6), round(y, 6)) for x, y in points}
        assert mirrored == {(round(x, 6), round(y, 6)) for x, y in points}


def test_mean_face_lies_on_the_template():
    assert MEAN_FACE.shape == (68, 2)
    assert np.abs(five_of(MEAN_FACE) - TEMPLATE).max() < 0.006  # eyes: middle of the lids against the iris


def test_mean_face_has_its_parts_in_order():
    x, y = MEAN_FACE.T
    for row in (slice(0, 17), slice(17, 27), slice(31, 36), slice(48, 55), slice(60, 65)):
        assert (np.diff(x[row]) > 0).all()  # jaw, brows, nostrils, lips from left to right
    assert (np.diff(y[27:31]) > 0).all() and y[8] == y.max()  # down the nose; the chin lowest
    assert y[17:27].max() < y[36:48].min() < y[30] < y[48:68].min()
    assert ((MEAN_FACE > 0) & (MEAN_FACE < 1)).all()


@pytest.mark.parametrize("landmarks", [np.zeros((5, 2)), np.zeros((68, 3)), np.full((68, 2), np.nan)])
def test_other_landmarks_are_refused(landmarks):
    with pytest.raises(ValueError, match="68 finite points"):
        patch_points(landmarks)
