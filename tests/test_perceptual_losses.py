"""IDFERM's losses between faces (Eq. 1, 2, 6, 7) against slow loops, hand values and their properties."""

import numpy as np
import pytest
import torch
from torch.autograd import grad, gradcheck

from fercore.losses.perceptual import feature, identity, laplacian, pixel, symmetry

SHAPE = (3, 2, 5, 6)  # images x channels x height x width


@pytest.fixture
def numbers():
    return np.random.default_rng(0)


def t(values, **kwargs) -> torch.Tensor:
    return torch.tensor(np.asarray(values), **kwargs)


def slow_symmetry(image):
    *outer, height, width = image.shape
    total = 0.0
    for index in np.ndindex(*outer):
        for m in range(height):
            for n in range(1, width // 2 + 1):
                total += abs(image[index][m, n - 1] - image[index][m, width - (n - 1) - 1])
    return total / (np.prod(outer) * height * (width // 2))


def slow_laplacian(image):
    *outer, height, width = image.shape
    found = np.zeros((*outer, height - 2, width - 2))
    for index in np.ndindex(*found.shape):
        *which, y, x = index
        plane, y, x = image[tuple(which)], y + 1, x + 1
        found[index] = plane[y - 1, x] + plane[y + 1, x] + plane[y, x - 1] + plane[y, x + 1] - 4 * plane[y, x]
    return found


def test_feature_is_equation_1_averaged_over_channels(numbers):
    a, b = numbers.normal(size=(2, *SHAPE))
    images, channels, height, width = SHAPE
    total = sum(abs(a[i] - b[i]) ** 2 for i in np.ndindex(SHAPE)) / (height * width)
    assert feature(t(a), t(b)).item() == pytest.approx(total / (images * channels), rel=1e-12)


@pytest.mark.parametrize("width", [2, 5, 6])
def test_symmetry_is_equation_2(numbers, width):
    image = numbers.normal(size=(*SHAPE[:3], width))
    assert symmetry(t(image)).item() == pytest.approx(slow_symmetry(image), rel=1e-12)
    if width % 2 == 0:
        assert symmetry(t(image)).item() == pytest.approx(np.abs(image - image[..., ::-1]).mean())


def test_the_mirror_index_as_printed_would_leave_the_image_unequal_to_itself(numbers):
    half = numbers.normal(size=(4, 3))
    face, width = np.concatenate([half, half[:, ::-1]], 1), 6  # perfectly symmetric
    printed = sum(abs(face[:, n - 1] - face[:, width - (n + 1) - 1]).sum() for n in range(1, 4))
    assert symmetry(t(face)[None, None]) == 0 and printed > 1


def test_laplacian_is_the_3_by_3_kernel(numbers):
    image = numbers.normal(size=SHAPE)
    np.testing.assert_allclose(laplacian(t(image)), slow_laplacian(image), atol=1e-12)
    assert symmetry(laplacian(t(image))).item() == pytest.approx(slow_symmetry(slow_laplacian(image)), rel=1e-12)


def test_symmetry_in_laplacian_space_is_blind_to_light_from_one_side(numbers):
    half = t(numbers.uniform(size=(1, 1, 6, 4)))
    face = torch.cat([half, half.flip(-1)], -1)
    lit = face + torch.linspace(0, 1, 8, dtype=torch.float64)
    assert symmetry(face) == 0 and symmetry(lit) > 0.1
    assert symmetry(laplacian(lit)).item() == pytest.approx(0, abs=1e-12)


def test_identity_is_equation_6_over_the_layers_given(numbers):
    ours, theirs = ([numbers.normal(size=shape) for shape in (SHAPE, (3, 7))] for _ in range(2))
    expected = 0.0
    for a, b in zip(ours, theirs, strict=True):
        expected += sum(abs(a[i] - b[i]) for i in np.ndindex(a.shape)) / a.size
    assert identity([t(a) for a in ours], [t(b) for b in theirs]).item() == pytest.approx(expected, rel=1e-12)
    with pytest.raises(ValueError, match="shorter"):
        identity([t(a) for a in ours], [t(theirs[0])])


def test_pixel_is_equation_7_as_a_mean(numbers):
    a, b = numbers.normal(size=(2, *SHAPE))
    expected = sum(abs(a[i] - b[i]) for i in np.ndindex(SHAPE)) / a.size
    assert pixel(t(a), t(b)).item() == pytest.approx(expected, rel=1e-12)


def test_hand_values():
    row = t([[[[1.0, 5.0, 2.0, 4.0]]]])
    assert symmetry(row) == (3 + 3) / 2 and symmetry(row[..., :3]) == 1
    assert pixel(row, 0 * row) == 3 and feature(row, 0 * row) == (1 + 25 + 4 + 16) / 4
    assert identity([row, row[0]], [0 * row, row[0]]) == 3
    spot = torch.zeros(1, 1, 3, 3)
    spot[0, 0, 1, 1] = 1
    assert laplacian(spot) == -4 and laplacian(spot.roll(1, -1)) == 1


COMPARING = {"feature": feature, "pixel": pixel, "identity": lambda a, b: identity([a, a[0]], [b, b[0]])}


@pytest.mark.parametrize("loss", COMPARING.values(), ids=COMPARING.keys())
def test_comparing_losses_are_symmetric_zero_at_equality_and_means_over_images(numbers, loss):
    a, b = t(numbers.normal(size=(2, *SHAPE)))
    assert loss(a, b) == loss(b, a) > 0 and loss(a, a) == 0
    assert loss(torch.cat([a, a]), torch.cat([b, b])).item() == pytest.approx(loss(a, b).item())


def test_symmetry_draws_mirrored_pixels_together():
    row = t([[[[1.0, 7.0, 7.0, 4.0]]]], requires_grad=True)
    assert grad(symmetry(row), row)[0].flatten().tolist() == [-0.5, 0, 0, 0.5]


def test_losses_pass_gradcheck(numbers):
    a, b = (t(numbers.normal(size=SHAPE), requires_grad=True) for _ in range(2))
    for loss in COMPARING.values():
        assert gradcheck(loss, (a, b))
    assert gradcheck(symmetry, (a,)) and gradcheck(lambda x: symmetry(laplacian(x)), (a,))
