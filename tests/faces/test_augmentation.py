"""Random changes against what NumPy says they are."""

import numpy as np
import pytest
import torch

from fercore.faces.augmentation import Augmentation, centre_crop

NOTHING = Augmentation(scale=0, rotation=0, intensity=0)


@pytest.fixture
def maps():
    return torch.rand(8, 2, 18, 18, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def draw(monkeypatch):
    """Fix what is drawn: draw(angle, zoom, x, y, flip, brightness), each in [-1, 1]."""

    def fix(*values):
        drawn = torch.tensor(values)[:, None]
        monkeypatch.setattr(torch, "rand", lambda rows, images, generator=None: ((drawn + 1) / 2).expand(rows, images))

    return fix


def seeded(number=0):
    return torch.Generator().manual_seed(number)


def ramp(size=18):
    """An image that says where each of its pixels is: channel 0 holds x, channel 1 y, as a share of 1."""
    y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    return torch.stack([x, y]).float()[None] / size


def test_without_changes_it_is_the_centre_crop(maps, draw):
    draw(0, 0, 0, 0, 1, 0)
    torch.testing.assert_close(NOTHING(maps, 16, seeded()), centre_crop(maps, 16), atol=1e-5, rtol=0)
    torch.testing.assert_close(NOTHING(maps, 16, seeded()), maps[..., 1:17, 1:17], atol=1e-5, rtol=0)


@pytest.mark.parametrize(("x", "y"), [(-1, 1), (1, -1), (0, 1)])
def test_the_crop_moves_to_the_border_and_not_beyond(maps, draw, x, y):
    draw(0, 0, x, y, 1, 0)
    expected = maps[..., 1 + y : 17 + y, 1 + x : 17 + x]
    torch.testing.assert_close(NOTHING(maps, 16, seeded()), expected, atol=1e-5, rtol=0)


def test_flip_mirrors_left_and_right(maps, draw):
    draw(0, 0, 0, 0, -1, 0)
    expected = maps[..., 1:17, 1:17].flip(-1)
    torch.testing.assert_close(NOTHING(maps, 16, seeded()), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("flip", [1, -1])
@pytest.mark.parametrize("turns", [1, -1])
def test_rotation_by_90_degrees_is_rot90(maps, draw, turns, flip):
    draw(turns, 0, 0, 0, flip, 0)
    turned = Augmentation(scale=0, rotation=90, intensity=0)(maps, 18, seeded())
    expected = np.rot90(maps.numpy(), turns, axes=(2, 3))
    expected = expected[..., ::-1] if flip < 0 else expected
    np.testing.assert_allclose(turned.numpy(), expected, atol=1e-4)


def test_small_rotation_keeps_the_shape_of_the_face(draw):
    """No shear, no stretch: the step along a row and the step along a column keep their length and stay square."""
    draw(1, 0, 0, 0, 1, 0)
    x, y = Augmentation(scale=0, rotation=10, intensity=0)(ramp(), 16, seeded())[0] * 18
    along_row = np.array([x[8, 9] - x[8, 8], y[8, 9] - y[8, 8]])
    along_column = np.array([x[9, 8] - x[8, 8], y[9, 8] - y[8, 8]])
    cos, sin = np.cos(np.radians(10)), np.sin(np.radians(10))
    np.testing.assert_allclose(along_row, [cos, sin], atol=1e-3)
    np.testing.assert_allclose(along_column, [-sin, cos], atol=1e-3)


@pytest.mark.parametrize("zoom", [1, -1])
def test_scale_enlarges_the_face_by_that_factor(draw, zoom):
    draw(0, zoom, 0, 0, 1, 0)
    x = Augmentation(scale=0.25, rotation=0, intensity=0)(ramp(), 16, seeded())[0, 0] * 18
    assert (x[8, 10] - x[8, 8]).item() / 2 == pytest.approx(1 / (1 + zoom * 0.25), abs=1e-3)


def test_intensity_multiplies_and_stays_in_range(maps, draw):
    for brightness in (-1, 1):
        draw(0, 0, 0, 0, 1, brightness)
        changed = Augmentation(scale=0, rotation=0, intensity=0.5)(maps, 16, seeded())
        expected = (maps[..., 1:17, 1:17] * (1 + 0.5 * brightness)).clamp(0, 1)
        torch.testing.assert_close(changed, expected, atol=1e-5, rtol=0)
    assert (expected == 1).any()


def test_image_and_its_reference_are_moved_alike(maps):
    maps[:, 1] = maps[:, 0]
    changed = Augmentation(scale=0.1, rotation=10, intensity=0.2)(maps, 16, seeded())
    assert torch.equal(changed[:, 0], changed[:, 1])


def test_each_image_has_draws_of_its_own():
    alike = torch.rand(1, 1, 18, 18, generator=seeded()).expand(64, -1, -1, -1)
    changed = Augmentation(scale=0.1, rotation=10, intensity=0.2)(alike, 16, seeded())
    assert len({image.sum().item() for image in changed}) == 64


def test_draws_fill_their_ranges():
    """Over many draws, read off the ramp: half are mirrored, crops reach both borders, turns and sizes both limits."""
    changed = Augmentation(scale=0.1, rotation=10, intensity=0)(ramp().expand(600, -1, -1, -1), 16, seeded()) * 18
    step_x, step_y = (changed[:, i, 8, 9] - changed[:, i, 8, 8] for i in (0, 1))
    length, angle = step_x.hypot(step_y), torch.rad2deg(torch.atan(step_y / step_x))
    assert (step_x < 0).float().mean().item() == pytest.approx(0.5, abs=0.07)
    assert (1 / length).min().item() == pytest.approx(0.9, abs=0.01)
    assert (1 / length).max().item() == pytest.approx(1.1, abs=0.01)
    assert angle.min().item() == pytest.approx(-10, abs=0.3) and angle.max().item() == pytest.approx(10, abs=0.3)
    centre = changed[:, :, 7:9, 7:9].mean((2, 3)) - 8.5
    assert centre.min().item() == pytest.approx(-1, abs=0.05) and centre.max().item() == pytest.approx(1, abs=0.05)
    assert centre.mean().abs().item() < 0.1


def test_same_generator_same_result_and_another_differs(maps):
    changes = Augmentation(scale=0.1, rotation=10, intensity=0.2)
    one, again, other = (changes(maps, 16, seeded(number)) for number in (0, 0, 1))
    assert torch.equal(one, again) and not torch.equal(one, other)


def test_the_maps_given_are_left_as_they_were(maps):
    before = maps.clone()
    Augmentation(scale=0.1, rotation=10, intensity=0.2)(maps, 16, seeded())
    assert torch.equal(maps, before)


def test_outside_of_the_image_the_border_goes_on(draw):
    draw(1, -1, 0, 0, 1, 0)
    white = Augmentation(scale=0.5, rotation=45, intensity=0)(torch.ones(1, 1, 18, 18), 16, seeded())
    torch.testing.assert_close(white, torch.ones(1, 1, 16, 16))


def test_five_crops_lie_in_the_middle_and_in_the_corners_equally_often():
    changed = Augmentation(0, 0, 0, crops="five")(ramp().expand(1000, -1, -1, -1), 14, seeded()) * 18
    corners = torch.stack([changed[:, 0].amin((1, 2)), changed[:, 1, 0, 0]], 1)  # left and top of the crop
    places, counts = corners.round().unique(dim=0, return_counts=True)
    torch.testing.assert_close(corners, corners.round(), atol=1e-3, rtol=0)
    assert places.tolist() == [[0, 0], [0, 4], [2, 2], [4, 0], [4, 4]]
    assert (counts / 1000 - 0.2).abs().max() < 0.05
    mirrored = changed[:, 0, 0, 0] > changed[:, 0, 0, -1]
    assert all(0.35 < mirrored[(corners.round() == place).all(1)].float().mean() < 0.65 for place in places)


def test_crops_at_any_place_are_not_five_and_a_whole_image_has_one_place():
    changed = Augmentation(0, 0, 0)(ramp().expand(200, -1, -1, -1), 14, seeded()) * 18
    assert len(changed[:, 1, 0, 0].unique()) > 100
    whole = [Augmentation(0, 0, 0, crops)(ramp().expand(9, -1, -1, -1), 18, seeded()) for crops in ("five", "any")]
    assert torch.equal(*whole)


@pytest.mark.parametrize(("ranges", "told"), [
    ((1, 0, 0), "^scale 1 is out of range; valid: 0 or above and below 1$"), ((-0.1, 0, 0), "^scale -0.1 "),
    ((0, -1, 0), "^rotation -1 is out of range; valid: 0 or above$"), ((0, 0, -0.5), "^intensity -0.5 "),
], ids=str)  # fmt: skip
def test_ranges_that_cannot_be_are_refused(ranges, told):
    """At a scale of 1 a face could be enlarged by a factor of 0, beyond it mirrored."""
    with pytest.raises(ValueError, match=told):
        Augmentation(*ranges)


@pytest.mark.parametrize(("stored", "start"), [(18, 1), (17, 0), (20, 2)])
def test_centre_crop(stored, start):
    assert torch.equal(centre_crop(ramp(stored), 16), ramp(stored)[..., start : start + 16, start : start + 16])
