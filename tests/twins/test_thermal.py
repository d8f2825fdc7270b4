"""The thermal picture: the same geometry, another physics."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from fercore.twins import TWINS, cast
from fercore.twins.facs import intensities
from fercore.twins.filming import film, person, seeded
from fercore.twins.renderer import Face, render
from fercore.twins.scene import Nuisance, draw_frame, draw_pose

STILL = Nuisance(pose=0, sway=0, shift=0, scale=0, roll=0, noise=0)
SIZE = 80  # pixels; u, v of the face span 2.68 of them


def still(units=None, subject="S037", **scene) -> Face:
    who = person("ckplus", subject, TWINS["ckplus"])
    traits = who.identity.traits | {"glasses": scene.pop("glasses", 0.0), "beard": 0.0, "cap": 0.0, "fringe": 0.0}
    frame = draw_frame(seeded("still"), STILL, draw_pose(seeded("still"), STILL))
    setting = who.setting | frame | {"noise": 0.0} | scene
    return Face(replace(who.identity, traits=traits), intensities(units or {}), 0.0, setting)


def around(image: np.ndarray, u: float, v: float, half: int = 2) -> float:
    """Mean gray level around a place on the face, right half and left half."""
    row = round((v - 0.34) / 2.68 * SIZE + SIZE / 2)
    columns = [round(sign * u / 2.68 * SIZE + SIZE / 2) for sign in (1, -1)]
    return np.mean([image[row - half : row + half + 1, c - half : c + half + 1].mean() for c in columns])


@pytest.fixture(scope="module")
def faces():
    return [face for face, row in film("ckplus", TWINS["ckplus"], cast.keep_subjects(TWINS["ckplus"].cast(), 3))][:40]


def test_the_same_image_in_any_batch_and_with_any_number_of_threads(faces):
    whole, before = render(faces, 40, modality="thermal"), torch.get_num_threads()
    try:
        for threads, batch in ((1, 1), (2, 7), (3, 40)):
            torch.set_num_threads(threads)
            assert np.array_equal(render(faces, 40, batch=batch, modality="thermal"), whole)
    finally:
        torch.set_num_threads(before)


def test_visible_light_does_not_reach_it():
    dark = still(light_x=1.0, ambient=0.2, gain=0.5, back=0.9, gamma=2.0, clothes=0.9)
    one, other = render([still(), dark], SIZE, modality="thermal")
    assert np.array_equal(one, other)
    assert not np.array_equal(*render([still(), dark], SIZE))  # the visible camera sees the difference


def test_warm_and_cold_regions_are_where_anatomy_has_them():
    for subject in ("S037", "S010", "S064", "S100"):
        image = render([still(subject=subject)], SIZE, modality="thermal")[0].astype(float)
        canthus, cheek, forehead = around(image, 0.29, 0.03, 1), around(image, 0.60, 0.48), around(image, 0.25, -0.60)
        nose = around(image, 0.0, 0.50)
        assert min(canthus, forehead) > cheek + 10 and min(canthus, forehead) > nose + 15
        assert cheek > image[:3, :3].mean() + 60  # the room is far colder than any skin


def test_glasses_are_opaque_and_cold():
    bare, glazed = render([still(), still(glasses=1.0)], SIZE, modality="thermal").astype(float)
    assert around(glazed, 0.455, 0.0) < around(bare, 0.455, 0.0) - 60


def test_an_open_mouth_is_warmer_than_the_closed_lips_and_a_smile_moves_the_cold_cheeks():
    rest, open_mouth, smile = render(
        [still(), still({27: 1.0, 25: 1.0}), still({12: 1.0, 6: 1.0})], SIZE, modality="thermal"
    ).astype(float)
    assert around(open_mouth, 0.0, 1.20) > around(rest, 0.0, 1.20)
    change = np.abs(smile - rest)
    assert change[SIZE // 2 :].mean() > 3 * change[: SIZE // 4].mean()


def test_head_is_where_the_visible_camera_sees_it():
    face = still(back=0.0, back_x=0.0, back_y=0.0, clothes=0.0, light_x=0.0, light_y=0.0, ambient=0.8)
    face = replace(face, identity=replace(face.identity, traits=face.identity.traits | {"long_hair": 0.0}))
    visible, thermal = render([face], SIZE)[0], render([face], SIZE, modality="thermal")[0]
    band = slice(round(0.3 * SIZE), round(0.75 * SIZE))  # from the eyes to the mouth: no hair, no clothes
    lowest = (0.25 * np.median(visible[band]), 0.35 * np.median(thermal[band]))
    heads = [image[band] > least for image, least in zip((visible, thermal), lowest, strict=True)]
    left, right = ([np.argmax(head[:, ::step], axis=1) for head in heads] for step in (1, -1))
    for one, other in (left, right):  # the outlines, row by row
        assert np.median(np.abs(one - other)) <= 1 and one.std() > 0.5


def test_its_statistics_differ_from_the_visible_ones(faces):
    from sklearn.linear_model import LogisticRegression

    bins = np.linspace(0, 256, 17)
    both = [[np.histogram(x, bins)[0] / x.size for x in render(faces, 48, modality=m)] for m in ("gray", "thermal")]
    features, domain = np.array(both[0] + both[1]), np.repeat([0, 1], len(faces))
    half = np.arange(len(features)) % 2 == 0
    assert LogisticRegression(C=100).fit(features[half], domain[half]).score(features[~half], domain[~half]) > 0.9


def test_it_carries_the_expression():
    from skimage.feature import hog
    from sklearn.svm import LinearSVC

    labels = ("happiness", "surprise", "anger")
    takes = [take for take in TWINS["oulu"].cast() if take.label in labels]
    seen = list(film("oulu", replace(TWINS["oulu"], course=(1.0,)), takes))
    features = np.array([hog(image) for image in render([face for face, _ in seen], 48, modality="thermal")])
    label, subject = (np.array([row[key] for _, row in seen]) for key in ("label", "subject"))
    test = np.isin(subject, sorted(set(subject))[::2])
    assert LinearSVC(C=0.05).fit(features[~test], label[~test]).score(features[test], label[test]) > 0.5  # chance 1/3
