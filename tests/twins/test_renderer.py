"""An image depends on its own face only: not on its batch, not on threads, not on what was drawn before."""

import numpy as np
import pytest
import torch

from fercore.twins.cast import keep_subjects
from fercore.twins.datasets import TWINS
from fercore.twins.filming import film, person
from fercore.twins.renderer import render


@pytest.fixture(scope="module")
def faces():
    recipe = TWINS["mmi"]  # the one with most accessories
    return film("mmi", recipe, keep_subjects(recipe.cast(), 2))[0][:41]


@pytest.mark.parametrize("size", [34, 50])
def test_the_same_image_in_any_batch_and_with_any_number_of_threads(faces, size):
    whole = render(faces, size)
    before = torch.get_num_threads()
    try:
        for threads, batch in ((1, 1), (1, 7), (2, 41), (3, 16)):
            torch.set_num_threads(threads)
            assert np.array_equal(render(faces, size, batch=batch), whole)
    finally:
        torch.set_num_threads(before)
    assert np.array_equal(render(faces[::-1], size)[::-1], whole)


def test_images_are_gray_bytes_with_contrast(faces):
    images = render(faces[:8], 64)
    assert images.shape == (8, 64, 64) and images.dtype == np.uint8
    assert images.reshape(8, -1).std(axis=1).min() > 20
    assert (images == 255).mean() < 0.02 and (images == 0).mean() < 0.02


def test_no_faces_make_no_images():
    assert render([], 32).shape == (0, 32, 32)


def test_sizes_show_the_same_face(faces):
    small, large = render(faces[:4], 48), render(faces[:4], 96)
    halved = large.reshape(4, 48, 2, 48, 2).mean(axis=(2, 4))
    for one, other in zip(small.astype(float), halved, strict=True):
        assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.95


def test_people_of_different_twins_and_subjects_differ():
    one, other, elsewhere = (
        person(name, subject, TWINS[name]).identity.traits
        for name, subject in (("ckplus", "S005"), ("ckplus", "S010"), ("mmi", "S005"))
    )
    assert one["eye_x"] != other["eye_x"] and one["eye_x"] != elsewhere["eye_x"]
    assert one == person("ckplus", "S005", TWINS["ckplus"]).identity.traits
