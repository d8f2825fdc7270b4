"""Own images beside images of others: as many, of nobody they show, and the same again for the same seed."""

import numpy as np
import pytest
import torch
from factories import all_of, rows_of, same_bits, small_faces, two_modalities

from fercore.faces.accompanied import Accompanied
from fercore.faces.augmentation import Augmentation
from fercore.faces.examples import Examples

STILL, MOVED = Augmentation(0, 0, 0), Augmentation(scale=0.1, rotation=10, intensity=0.2)


@pytest.fixture(scope="module")
def faces():
    """30 images, each of a gray level of its own, and 30 more."""
    faces = two_modalities(small_faces(2))
    faces.images[:] = 4 * np.arange(len(faces), dtype=np.uint8)[:, None, None]
    return faces


def beside(faces, own=30, others=30):
    parts = [rows_of(faces, name) for name in ("visible", "thermal")]
    return Accompanied(*(
        Examples(faces, part.only(np.arange(30) < count), 16, channels=3)
        for part, count in zip(parts, (own, others), strict=True)
    ))  # fmt: skip


def batches(examples, batch_size=4, seed=0, augmentation=STILL):
    return list(examples.epoch(batch_size, torch.Generator().manual_seed(seed), augmentation))


def rows_shown(images) -> list[int]:
    return (images.mean((1, 2, 3)) * 255 / 4).round().int().tolist()


def test_every_batch_has_others_beside_it_unpaired(faces):
    found = batches(beside(faces))
    assert len(found) == 7 and not any(batch.paired for batch in found)
    for batch in found:
        assert batch.privileged.shape == batch.image.shape == (4, 3, 16, 16)
        own = rows_shown(batch.image)
        assert max(own) < 30 <= min(rows_shown(batch.privileged))
        assert batch.label.tolist() == all_of(faces).target[own].tolist()
    shown = sum((rows_shown(batch.image) for batch in found), [])
    assert len(set(shown)) == 28
    pairs = {t - v for b in found for v, t in zip(rows_shown(b.image), rows_shown(b.privileged), strict=True)}
    assert len(pairs) > 5  # not image by image the same faces


def test_the_length_is_that_of_the_own_images(faces):
    accompanied = beside(faces, own=11)
    assert len(accompanied) == 11 and accompanied.has_reference
    rows = rows_of(faces, "visible")
    assert not Accompanied(Examples(faces, rows, 16, paired=rows.rows), accompanied.others).has_reference


def test_others_begin_anew_when_they_run_out(faces):
    shown = [rows_shown(batch.privileged) for batch in batches(beside(faces, others=9), batch_size=3)]
    assert len(shown) == 10
    for start in (0, 3, 6):  # three batches go through all nine
        assert sorted(sum(shown[start : start + 3], [])) == list(range(30, 39))
    assert shown[0:3] != shown[3:6]


@pytest.mark.parametrize("others", [1, 5, 7])
def test_as_many_others_as_own_images_even_where_a_batch_is_larger_than_all_of_them(faces, others):
    for batch in batches(beside(faces, others=others), batch_size=8):
        shown = rows_shown(batch.privileged)
        assert len(shown) == len(batch.image) == 8
        assert set(shown) == set(range(30, 30 + others))


def test_few_own_images_bring_as_few_others(faces):
    (batch,) = batches(beside(faces, own=3), batch_size=8)
    assert len(batch.image) == len(batch.privileged) == 3


def test_one_seed_gives_the_same_batches_and_another_others(faces):
    first, again, other = ([vars(b) for b in batches(beside(faces), 4, seed, MOVED)] for seed in (0, 0, 1))
    assert all(same_bits(a, b) for a, b in zip(first, again, strict=True))
    assert not any(torch.equal(a["privileged"], b["privileged"]) for a, b in zip(first, other, strict=True))


def test_the_own_images_move_and_the_others_move_differently():
    faces = two_modalities(small_faces(2))
    faces.images[:] = np.arange(17, dtype=np.uint8) * 10
    (batch,) = batches(beside(faces), 30, augmentation=MOVED)
    assert not torch.allclose(batch.image, batch.privileged, atol=0.01)
