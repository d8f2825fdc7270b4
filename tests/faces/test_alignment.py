"""Alignment: the transform, the crop, the readers, and what the place of a face gives away."""

import builtins
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from fercore.faces import landmarks
from fercore.faces.alignment import (
    POINTS_FITTED,
    TEMPLATE,
    AlignmentError,
    align,
    similarity,
    transformed,
    warped,
)
from fercore.faces.photo import PhotoError, read_photo
from fercore.faces.position_leak import paired_accuracy, paired_share, place, single_accuracy

PEOPLE = 60


def rotation(degrees):
    turn = np.radians(degrees)
    return np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])


def umeyama(points, targets):
    """Umeyama (1991), eqs. 38-43, by singular value decomposition: another road to the same optimum."""
    mean_p, mean_q = points.mean(0), targets.mean(0)
    covariance = np.zeros((2, 2))
    variance = 0.0
    for p, q in zip(points, targets, strict=True):
        covariance += np.outer(q - mean_q, p - mean_p) / len(points)
        variance += ((p - mean_p) ** 2).sum() / len(points)
    u, singular, v = np.linalg.svd(covariance)
    sign = np.diag([1.0, np.sign(np.linalg.det(u) * np.linalg.det(v))])
    turn = u @ sign @ v
    scale = np.trace(np.diag(singular) @ sign) / variance
    return np.column_stack([scale * turn, mean_q - scale * turn @ mean_p])


@pytest.mark.parametrize("count", POINTS_FITTED.values())
@pytest.mark.parametrize(("degrees", "scale", "shift"), [(0, 1, (0, 0)), (25, 0.31, (4, -7)), (-170, 3, (100, 5))])
def test_similarity_recovers_a_known_one(count, degrees, scale, shift):
    known = np.column_stack([scale * rotation(degrees), shift])
    points = 200 * TEMPLATE[:count] + 31
    assert similarity(points, transformed(known, points)) == pytest.approx(known, abs=1e-9)


def test_five_point_fit_equals_the_slow_oracle():
    for seed in range(20):
        random = np.random.default_rng(seed)
        points, targets = random.normal(size=(2, 5, 2)) * 30  # unrelated, so that the residual is large
        assert similarity(points, targets) == pytest.approx(umeyama(points, targets), abs=1e-9)


@pytest.mark.parametrize("points", [np.ones((5, 2)), np.full((5, 2), np.nan), np.ones((1, 2)), np.ones((5, 3))])
def test_points_without_a_similarity_are_refused(points):
    with pytest.raises(AlignmentError):
        similarity(points, np.resize(TEMPLATE, points.shape))


@pytest.mark.parametrize("far", [1e200, 1e300])
def test_points_beyond_measure_are_refused(far):
    points = 200 * TEMPLATE
    points[0, 0] = far
    with np.errstate(all="ignore"), pytest.raises(AlignmentError, match="beyond measure"):
        similarity(points, TEMPLATE)


@pytest.mark.parametrize("far", [2e4, 1e7, 1e100])
@pytest.mark.parametrize("fit", POINTS_FITTED)
def test_a_crop_of_more_than_any_picture_is_refused_and_takes_no_memory(far, fit):
    image, points = np.zeros((60, 80, 3), np.uint8), 60 * TEMPLATE
    points[0, 0] = far
    with np.errstate(all="ignore"), pytest.raises(AlignmentError):
        align(image, points, fit=fit)


def test_a_crop_of_the_largest_picture_is_cut():
    strip = np.tile(np.arange(256, dtype=np.uint8), (4, 28))
    crop = warped(strip, np.array([[16 / 7168, 0, 0], [0, 16 / 7168, 0]]), 16)
    assert crop.shape == (16, 16) and abs(crop.mean() - 127.5) < 1


@pytest.mark.parametrize("scale", [0, 1e-200, np.inf, np.nan])
def test_a_scale_that_cannot_be_is_refused(scale):
    with np.errstate(all="ignore"), pytest.raises(AlignmentError, match="no crop of 32 pixels can be cut"):
        warped(np.zeros((60, 80), np.uint8), np.array([[scale, 0, 0], [0, scale, 0]]), 32)


def drawn_face(size, degrees, interocular, centre):
    """Dark round eyes on gray, turned by ``degrees``; the five points fit TEMPLATE exactly."""
    spread = interocular / (TEMPLATE[1, 0] - TEMPLATE[0, 0])
    points = (TEMPLATE - 0.5) * spread @ rotation(degrees).T + centre
    y, x = np.mgrid[:size, :size] + 0.5
    image = np.full((size, size), 200.0)
    for eye in points[:2]:
        image -= 180 * np.exp(-((x - eye[0]) ** 2 + (y - eye[1]) ** 2) / (2 * (0.06 * interocular) ** 2))
    return np.repeat(image.round().astype(np.uint8)[..., None], 3, axis=2), points


@pytest.mark.parametrize("size", [66, 132])
@pytest.mark.parametrize(("degrees", "interocular"), [(0, 45), (12, 80), (-20, 150)])  # enlarging and reducing
def test_eyes_land_on_the_template(size, degrees, interocular):
    image, points = drawn_face(600, degrees, interocular, (310, 290))
    crop = 200.0 - align(image, points, size)
    y, x = np.mgrid[:size, :size] + 0.5
    for half, target in ((x < size / 2, TEMPLATE[0]), (x >= size / 2, TEMPLATE[1])):
        weight = np.where(half & (crop > 10), crop, 0)
        found = np.array([(weight * x).sum(), (weight * y).sum()]) / weight.sum()
        assert np.abs(found - target * size).max() < 0.1  # pixels


def test_only_the_eye_fit_ignores_the_mouth():
    image, points = drawn_face(400, 5, 80, (200, 200))
    smiling = points + np.array([[0, 0], [0, 0], [0, 0], [-6, -8], [6, -8]])
    assert np.array_equal(align(image, points), align(image, smiling))
    assert not np.array_equal(align(image, points, fit="five_points"), align(image, smiling, fit="five_points"))


def test_reducing_averages_instead_of_aliasing():
    checkers = (np.indices((1000, 1000)).sum(0) % 2 * 255).astype(np.uint8)
    crop = warped(checkers, np.array([[0.13, 0, 0], [0, 0.13, 0]]), 130)
    assert abs(crop.mean() - 127.5) < 2 and crop.std() < 12  # picking single pixels: 127


def test_the_identity_changes_nothing_and_edges_continue():
    gray = np.random.default_rng(0).integers(0, 256, (20, 20), dtype=np.uint8)
    assert np.array_equal(warped(gray, np.eye(2, 3), 20), gray)
    shifted = warped(gray, np.array([[1.0, 0, 5], [0, 1, 0]]), 20)
    assert np.array_equal(shifted[:, 5:], gray[:, :-5]) and (shifted[:, :5] == gray[:, :1]).all()


def test_gray_is_the_luma_of_itu_r_601():
    image = np.tile(np.array([200, 100, 50], np.uint8), (64, 64, 1))
    assert abs(int(align(image, TEMPLATE * 64, 32)[0, 0]) - (0.299 * 200 + 0.587 * 100 + 0.114 * 50)) <= 1


def png_header(width, height):
    """A PNG of a few bytes whose header claims width x height pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = b"IDAT" + zlib.compress(b"")
    chunks = (struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part)) for part in (header, data))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("side", [7_100, 12_000, 60_000])  # beyond our bound, Pillow's warning and Pillow's error
def test_oversized_headers_are_refused_unread(tmp_path, side):
    (tmp_path / "bomb.jpg").write_bytes(png_header(side, side))
    with pytest.raises(PhotoError, match=r"bomb\.jpg has more than 50 megapixels"):
        read_photo(tmp_path / "bomb.jpg")


def test_damaged_and_missing_photographs_are_named(tmp_path):
    file = tmp_path / "face.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (90, 80, 3), dtype=np.uint8)).save(file)
    assert read_photo(file).shape == (90, 80, 3)
    whole = file.read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"not an image"):
        file.write_bytes(content)
        with pytest.raises(PhotoError, match=r"face\.jpg is damaged"):
            read_photo(file)
    with pytest.raises(PhotoError, match=r"none\.jpg is missing"):
        read_photo(tmp_path / "none.jpg")


def test_a_missing_mediapipe_names_the_way_out(monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **more):
        if name.startswith("mediapipe"):
            raise ModuleNotFoundError("No module named 'mediapipe'")
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(landmarks.DetectorMissingError, match="mediapipe==0.10.14"):
        landmarks.face_mesh()


def test_place_of_two_eyes():
    found = place(np.array([[10.0, 20.0]]), np.array([[14.0, 24.0]]))
    assert found == pytest.approx(np.array([[12, 22, 32**0.5, 45]]))


def test_a_full_leak_is_found():
    first = np.random.default_rng(1).normal(size=(PEOPLE, 4))
    second = first - np.array([0, 20, 0, 0])
    share = paired_share(first[:, 1], second[:, 1])
    assert (share.share, share.low, share.high, share.way) == (1, 1, 1, -1)
    assert single_accuracy(first, second) == 1 and paired_accuracy(first, second) == 1


def test_a_leak_only_pairs_can_see():
    first = 100 * np.random.default_rng(2).normal(size=(PEOPLE, 4))
    second = first + 1  # hidden among the differences between people
    assert single_accuracy(first, second) < 0.65 and paired_accuracy(first, second) == 1


def test_noise_leaks_nothing():
    first, second = np.random.default_rng(3).normal(size=(2, 400, 4))
    share = paired_share(first[:, 0], second[:, 0])
    assert share.low < 0.5 + 0.4 / 400**0.5 < share.high
    assert abs(single_accuracy(first, second) - 0.5) < 0.08 and abs(paired_accuracy(first, second) - 0.5) < 0.08


def test_a_constant_leaks_nothing():
    first = np.ones((PEOPLE, 4))
    share = paired_share(first[:, 0], first[:, 0])
    assert (share.share, share.low, share.high) == (0.5, 0.5, 0.5)
    assert single_accuracy(first, first) == 0.5 and paired_accuracy(first, first) == 0.5


def test_swapping_the_expressions_turns_the_way():
    first, second = np.random.default_rng(4).normal(size=(2, PEOPLE))
    there, back = paired_share(first, second), paired_share(second, first)
    assert there.share == back.share and there.way == -back.way


@pytest.mark.parametrize("second", [np.ones((PEOPLE, 3)), np.full((PEOPLE, 4), np.nan), np.ones(PEOPLE)])
def test_unequal_or_unknown_places_are_refused(second):
    with pytest.raises(ValueError):
        paired_accuracy(np.ones((PEOPLE, 4)), second)
