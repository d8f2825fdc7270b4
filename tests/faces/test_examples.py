"""Examples hand out the right image with the right reference and label, each once per epoch."""

import warnings

import numpy as np
import pytest
import torch
from factories import all_of, rows_of, small_examples, small_faces, two_modalities

from fercore.faces import examples as examples_module
from fercore.faces.augmentation import Augmentation, stored_size
from fercore.faces.batches import OfEachClass
from fercore.faces.examples import Examples
from fercore.faces.protocols import Part

STILL = Augmentation(scale=0, rotation=0, intensity=0)


@pytest.fixture(scope="module")
def faces():
    """Every image has one gray level of its own: it is recognised even after a crop."""
    faces = small_faces(subjects=2)
    faces.images[:] = 5 * np.arange(len(faces), dtype=np.uint8)[:, None, None]
    return faces


def rows_shown(images) -> list[int]:
    """Which rows of the face set these images are, from their gray level."""
    assert (images.flatten(1).std(1) < 1e-6).all()
    return (images.mean((1, 2, 3)) * 255 / 5).round().int().tolist()


def test_in_order_every_image_comes_once_with_its_reference_and_label(faces):
    part = Part(np.array([14, 3, 29, 7, 0]), np.array([2, 1, -1, 0, 1]))
    batches = list(small_examples(faces, part).in_order(batch_size=2))
    assert [len(batch.image) for batch in batches] == [2, 2, 1]
    assert sum((rows_shown(b.image) for b in batches), []) == [14, 3, 29, 7, 0]
    assert sum((rows_shown(b.reference) for b in batches), []) == faces.table["reference"][part.rows].tolist()
    assert torch.cat([b.label for b in batches]).tolist() == [2, 1, -1, 0, 1]
    assert torch.cat([b.is_reference for b in batches]).tolist() == [False, False, False, False, True]


def test_in_order_shows_the_centre_crop_in_0_to_1():
    faces = small_faces(subjects=1)
    (batch,) = Examples(faces, all_of(faces), 15).in_order()
    np.testing.assert_allclose(batch.image[:, 0], faces.images[:, 1:16, 1:16] / 255, atol=1e-6)
    assert batch.image.shape == batch.reference.shape == (15, 1, 15, 15) and batch.image.dtype == torch.float32


@pytest.mark.parametrize("batch_size", [4, 30])
def test_epoch_shows_each_image_at_most_once_in_random_order(faces, batch_size):
    examples, shown = small_examples(faces), []
    for batch in examples.epoch(batch_size, torch.Generator().manual_seed(0), STILL):
        rows = rows_shown(batch.image)
        assert rows_shown(batch.reference) == faces.table["reference"][rows].tolist()
        assert batch.label.tolist() == all_of(faces).target[rows].tolist()
        assert batch.is_reference.tolist() == (faces.table["label"][rows] == "neutral").tolist()
        assert len(rows) == batch_size
        shown += rows
    assert len(shown) == len(set(shown)) == 30 // batch_size * batch_size
    assert shown != sorted(shown)


def test_epochs_of_one_seed_are_alike_and_others_differ(faces):
    def images(seed):
        batches = small_examples(faces).epoch(30, torch.Generator().manual_seed(seed), Augmentation(0.1, 10, 0.2))
        return torch.cat([batch.image for batch in batches])

    assert torch.equal(images(0), images(0)) and not torch.equal(images(0), images(1))


def test_epoch_moves_the_reference_with_its_image():
    faces = small_faces(subjects=1)
    faces.table["reference"] = range(len(faces))  # every image is its own reference
    for batch in small_examples(faces).epoch(5, torch.Generator().manual_seed(0), Augmentation(0.1, 10, 0.2)):
        assert torch.equal(batch.image, batch.reference)


def test_one_missing_reference_leaves_the_whole_part_without(faces):
    lacking = small_faces(subjects=2)
    lacking.table.loc[3, "reference"] = -1
    examples = small_examples(lacking)
    assert not examples.has_reference and next(iter(examples.in_order())).reference is None
    without = Part(np.array([4, 5]), np.array([0, 1]))  # the row without reference is not part of this
    assert small_examples(lacking, without).has_reference


def test_nothing_gives_no_image(faces):
    nothing = small_examples(faces, Part(np.array([], dtype=int), np.array([], dtype=int)))
    assert len(nothing) == 0 and sum(len(batch.image) for batch in nothing.in_order()) == 0


def test_read_only_images_and_tables_are_taken_without_a_warning(faces, tmp_path):
    opened = faces.save(tmp_path / "set")
    torch.set_warn_always(True)  # else PyTorch warns once per process
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            small_examples(opened)
    finally:
        torch.set_warn_always(False)


@pytest.mark.parametrize(("size", "stored"), [(64, 66), (32, 33), (16, 17), (96, 99)])
def test_stored_size_leaves_the_margin_of_the_paper(size, stored):
    assert stored_size(size) == stored


def test_pairs_come_as_privileged_images_with_their_own_rows_and_move_alike(faces):
    part, paired = Part(np.array([14, 3, 29]), np.array([2, 1, -1])), np.array([7, 0, 14])
    examples = Examples(faces, part, 16, channels=3, paired=paired)
    (batch,) = examples.in_order()
    assert rows_shown(batch.image) == [14, 3, 29] and rows_shown(batch.privileged) == [7, 0, 14]
    assert batch.paired and batch.reference is None and not examples.has_reference
    negatives = two_modalities(small_faces(subjects=1))
    part = rows_of(negatives, "visible")
    moved = Examples(negatives, part, 16, channels=3, paired=part.rows + len(part))
    for batch in moved.epoch(5, torch.Generator().manual_seed(0), Augmentation(0.1, 10, 0)):
        torch.testing.assert_close(batch.privileged, 1 - batch.image, atol=1e-5, rtol=0)


@pytest.mark.parametrize("held", [1 << 30, 0])
def test_references_that_are_made_stand_beside_their_own_image_and_move_alike(held, monkeypatch):
    monkeypatch.setattr(examples_module, "HELD", held)
    faces = small_faces(subjects=2)
    faces.table["reference"] = -1
    part = Part(np.array([14, 3, 29, 7, 20, 8]), np.array([2, 1, -1, 0, 1, 0]))
    examples = Examples(faces, part, 16, references=255 - faces.images[part.rows])
    assert examples.has_reference
    (batch,) = examples.in_order()
    np.testing.assert_allclose(batch.image[:, 0], faces.images[part.rows, :16, :16] / 255, atol=1e-6)
    torch.testing.assert_close(batch.reference, 1 - batch.image, atol=1e-6, rtol=0)
    for moved in examples.epoch(3, torch.Generator().manual_seed(0), Augmentation(0.1, 10, 0)):
        torch.testing.assert_close(moved.reference, 1 - moved.image, atol=1e-5, rtol=0)


def test_batches_are_put_together_as_asked_with_the_right_people(faces):
    examples = Examples(faces, all_of(faces), 16, batches=OfEachClass(2))
    batches = list(examples.epoch(4, torch.Generator().manual_seed(0), STILL))
    people = sorted(set(faces.table["subject"]))
    for batch in batches:
        assert batch.label.bincount().tolist() == [2] * len(faces.classes)
        owners = faces.table["subject"].iloc[rows_shown(batch.image)]
        assert batch.subject.tolist() == [people.index(owner) for owner in owners]
    assert len({tuple(batch.subject.tolist()) for batch in batches}) > 1
