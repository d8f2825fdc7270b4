"""What is covered is known to the pixel; training never sees the objects of the realistic test."""

import numpy as np
import pytest
import torch

from fercore.twins.occluders import BARS, KINDS, OCCLUSIONS, REALISTIC, TRAINING, bank, occlude


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (24, 48, 48), dtype=np.uint8)


@pytest.mark.parametrize("kind", OCCLUSIONS)
@pytest.mark.parametrize("colour", [False, True])
def test_masks_are_the_pixels_that_change(images, kind, colour):
    shown = np.repeat(images[..., None], 3, -1) if colour else images
    covered, masks = occlude(shown, kind, range(24))
    changed = (covered != shown).any(-1) if colour else covered != shown
    assert covered.dtype == np.uint8 and masks.dtype == bool and masks.shape == (24, 48, 48)
    assert not (changed & ~masks).any()  # outside the mask every pixel is as it was
    assert (changed & masks).sum() > 0.9 * masks.sum()  # inside, noise hardly ever equals what covers it
    assert masks.any((1, 2)).mean() > 0.9


@pytest.mark.parametrize("kind", OCCLUSIONS)
def test_no_image_depends_on_its_batch_or_on_threads(images, kind):
    seeds = np.arange(24) + 100
    whole = occlude(images, kind, seeds)
    parts = [occlude(images[i : i + 1], kind, seeds[i : i + 1]) for i in range(24)]
    assert all(np.array_equal(np.concatenate([p[j] for p in parts]), whole[j]) for j in (0, 1))
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(before + 1)
        assert np.array_equal(occlude(images, kind, seeds)[0], whole[0])
    finally:
        torch.set_num_threads(before)
    if kind not in BARS:
        assert not np.array_equal(occlude(images, kind, seeds + 1)[1], whole[1])


@pytest.mark.parametrize(("kind", "side"), [("R8", 8), ("R16", 16), ("R24", 24)])
def test_squares_have_the_papers_sizes_and_go_everywhere(kind, side):
    masks = occlude(np.full((400, 48, 48), 9, np.uint8), kind, range(400))[1]
    assert (masks.sum((1, 2)) == side**2).all()
    assert masks.any(0).mean() > 0.97 and (masks.sum(1).max(1) == side).all()
    assert occlude(np.zeros((1, 96, 96), np.uint8), kind, [0])[1].sum() == (2 * side) ** 2


def test_bars_cover_the_eyes_or_the_mouth_and_not_the_other():
    blank = np.zeros((1, 64, 64), np.uint8)
    eyes, mouth = occlude(blank, "eyes", [0])[1][0], occlude(blank, "mouth", [0])[1][0]
    left, right = 32 - 11, 32 + 11  # pupils of an aligned face; its mouth at three quarters
    assert eyes[24, [left, right]].all() and not eyes[48].any()
    assert mouth[48, 24:40].all() and not mouth[24].any()


def likeness(one, other) -> float:
    """The largest correlation of two pictures, wherever one lies on the other, mirrored or not."""
    spectra = [torch.fft.fft2(x - x.mean()) / (x - x.mean()).norm() for x in (one, other, other.flip(-1))]
    return max(torch.fft.ifft2(spectra[0] * x.conj()).real.max().item() for x in spectra[1:])


def test_training_and_realistic_objects_are_different_ones_wherever_they_are_held():
    train = {name: template for family in TRAINING.values() for name, template in family.items()}
    assert not set(train) & set(REALISTIC)
    ours = torch.cat([bank(kind, 64) for kind in TRAINING])[:, :3].mean(1)
    theirs = bank("realistic", 64)[:, :3].mean(1)
    assert likeness(ours[0], ours[0].roll((5, -9), (0, 1)).flip(-1)) > 0.99  # a copy would be found
    assert max(likeness(one, other) for one in theirs for other in ours) < 0.97


def test_soft_edges_mix_with_what_is_behind_them_only():
    pale = np.full((20, 64, 64, 3), 255, np.uint8)
    covered, masks = occlude(pale, "realistic", range(20))
    alone = occlude(np.zeros_like(pale), "realistic", range(20))[0]
    share = (covered.astype(int) - alone).mean(-1) / 255  # of the background that shines through
    edge = masks & (share > 0.2) & (share < 0.8)
    assert edge.any() and (covered[edge].astype(int) >= np.floor(255 * share[edge])[:, None] - 2).all()


@pytest.mark.parametrize("kind", KINDS)
def test_every_family_has_several_objects_of_its_own(kind):
    pictures = bank(kind)
    assert len(pictures) >= 4 and (pictures[:, 3].mean((1, 2)) > 0.05).all()
    for i, one in enumerate(pictures):
        assert all((one - other).abs().mean() > 0.01 for other in pictures[:i])


def test_hands_have_the_skin_of_the_face():
    dark, pale = (np.full((1, 64, 64), gray, np.uint8) for gray in (50, 200))
    for seed in range(6):
        (one, mask), (other, same) = occlude(dark, "hands", [seed]), occlude(pale, "hands", [seed])
        assert np.array_equal(mask, same) and np.median(one[mask]) < np.median(other[mask])


def test_several_kinds_in_one_call(images):
    kinds = ["R8", "hands", "eyes", "realistic"] * 6
    mixed = occlude(images, kinds, range(24))[1]
    for i in range(8):
        assert np.array_equal(mixed[i], occlude(images[i : i + 1], kinds[i], [i])[1][0])


@pytest.mark.parametrize(("images", "kinds", "seeds", "message"), [
    (np.zeros((2, 48, 48), np.uint8), "hat", [0, 1], "no occlusion .*hat.*hands"),
    (np.zeros((2, 48, 48)), "R8", [0, 1], "uint8"),
    (np.zeros((48, 48), np.uint8), "R8", [0] * 48, "N x H x W"),
    (np.zeros((2, 48, 48, 4), np.uint8), "R8", [0, 1], "x 3"),
    (np.zeros((2, 31, 48), np.uint8), "R8", [0, 1], "at least 32"),
    (np.zeros((2, 48, 48), np.uint8), "R8", [0], "2 images .* 1"),
    (np.zeros((2, 48, 48), np.uint8), ["R8"], [0, 1], "2 images .* 1"),
])  # fmt: skip
def test_bad_input_is_refused(images, kinds, seeds, message):
    with pytest.raises(ValueError, match=message):
        occlude(images, kinds, seeds)
