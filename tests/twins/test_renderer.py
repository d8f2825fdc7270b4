"""An image depends on its own face only: not on its batch, not on threads, not on what was drawn before."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from fercore.quality import samples
from fercore.twins.canvas import Canvas
from fercore.twins.cast import keep_subjects
from fercore.twins.colour import coloured, plain, under_skin
from fercore.twins.datasets import TWINS
from fercore.twins.facs import AU_NUMBERS, STRONGEST, intensities
from fercore.twins.filming import film, person
from fercore.twins.identity import PROPORTIONS
from fercore.twins.renderer import Face, _blur, render

TONES = (
    *("skin_tone", "hair_tone", "lip_tone", "iris_tone", "clothes", "back", "undertone", "hair_warmth", "iris_hue"),
    *("clothes_hue", "back_hue"),
)


@pytest.fixture(scope="module")
def faces():
    recipe = TWINS["mmi"]  # the one with most accessories
    return [face for face, _ in film("mmi", recipe, keep_subjects(recipe.cast(), 2))][:41]


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


@pytest.mark.parametrize(("size", "modality"), [(40, "gray"), (96, "rgb")])
def test_what_is_drawn_on_some_rows_only_cannot_reach_the_others(faces, size, modality, monkeypatch):
    everyone = faces[:20] + samples.people(2, how=samples.recipe(2.0))[0]
    some = render(everyone, size, modality=modality)
    asked = []
    monkeypatch.setattr(Canvas, "rows", lambda c, *reach: asked.append(reach) or slice(0, c.v.shape[-2]))
    assert np.array_equal(render(everyone, size, modality=modality), some)
    assert len(set(asked)) > 8


def extreme(random: np.random.Generator, face, **units):
    """The face seen from the front, every proportion and unit at one of its ends, but for the ``units`` given."""
    frontal = {"yaw": 0.0, "pitch": 0.0, "roll": 0.0, "scale": 1.0, "own_scale": 1.0, "noise": 0.0}
    ends = {name: mean + 2.5 * deviation * random.choice([-1, 1]) for name, (mean, deviation) in PROPORTIONS.items()}
    low = units or {f"au{n}": STRONGEST * random.choice([0, 1]) for n in AU_NUMBERS}
    active = np.array([low.get(f"au{n}", 0.0) for n in AU_NUMBERS])
    identity = replace(face.identity, traits=face.identity.traits | ends)
    scene, asymmetry = face.scene | frontal, random.choice([-1.0, 0.0, 1.0])
    return Face(identity, active, asymmetry, scene)


def test_not_even_extreme_faces_reach_beyond_their_rows(faces, monkeypatch):
    random = np.random.default_rng(0)
    everyone = [extreme(random, face) for face in 6 * faces]
    everyone += [extreme(random, face, au4=STRONGEST, au9=STRONGEST) for face in 2 * faces]
    some = render(everyone, 40, batch=1)
    monkeypatch.setattr(Canvas, "rows", lambda c, *reach: slice(0, c.v.shape[-2]))
    whole = render(everyone, 40, batch=1)
    assert np.array_equal(some, whole), (some != whole).any((1, 2)).sum()


def test_rows_are_those_that_show_the_heights_in_any_face():
    v = torch.tensor([[[-1.0, -0.9], [0.0, 0.2], [1.0, 1.1]], [[-0.8, -0.7], [0.3, 0.4], [1.3, 1.4]]])  # 2 x 3 x 2
    heights = v.amin((0, 2)).tolist(), v.amax((0, 2)).tolist()
    canvas = Canvas(v, v, v.abs(), v.sign(), v, 0.5, heights)
    assert canvas.rows(0.25, 0.5) == slice(1, 2) and canvas.rows(0.5, 9.0) == slice(2, 3)
    assert canvas.rows(2.0, 3.0) == slice(0, 0) and canvas.rows(-0.7, 0.35) == slice(0, 2)
    part = canvas.at(slice(1, 3))
    assert torch.equal(part.v, v[:, 1:]) and part.rows(0.25, 0.5) == slice(0, 1)


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


def test_gray_is_the_luma_of_the_colour_image(faces):
    gray, colour = render(faces[:12], 64), render(faces[:12], 64, modality="rgb")
    assert colour.shape == (12, 64, 64, 3) and colour.dtype == np.uint8
    luma = colour @ np.array([0.2126, 0.7152, 0.0722])
    assert np.abs(luma - gray).mean() < 8
    assert all(np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.98 for a, b in zip(luma, gray, strict=True))


def test_skin_is_redder_than_it_is_blue_and_people_differ_in_hue():
    recipe = TWINS["oulu"]
    takes = [take for take in recipe.cast() if take.sequence == "Anger"]
    people = [face for face, row in film("oulu", recipe, takes) if row["frame"] == 1][:40]
    cheeks = render(people, 64, modality="rgb")[:, 33:42, 16:24].reshape(40, -1, 3).mean(1)
    assert (cheeks[:, 0] > cheeks[:, 2] + 5).mean() > 0.9
    assert (cheeks[:, 0] / cheeks[:, 2]).std() > 0.1


@pytest.mark.parametrize("modality", ["rgb", "thermal"])
def test_other_modalities_do_not_depend_on_the_batch_either(faces, modality):
    whole = render(faces[:9], 40, modality=modality)
    assert np.array_equal(render(faces[:9], 40, batch=2, modality=modality), whole)


def changed(face, **fields):
    return [replace(face, **fields)]


@pytest.mark.parametrize(("size", "modality", "units", "message"), [
    (31, "gray", None, "at least 32"),
    (64, "infrared", None, "no modality 'infrared'.*thermal"),
    (64, "gray", np.zeros(19), "20 action units"),
    (64, "gray", np.full(20, 1.3), r"0\.\.1\.2"),
    (64, "gray", np.full(20, -0.1), r"0\.\.1\.2"),
    (64, "gray", np.full(20, np.nan), "intensities"),
])  # fmt: skip
def test_impossible_faces_are_refused(faces, size, modality, units, message):
    with pytest.raises(ValueError, match=message):
        render(changed(faces[0], units=faces[0].units if units is None else units), size, modality=modality)


def test_background_does_not_change_with_the_expression():
    recipe = TWINS["ckplus"]
    who = person("ckplus", "S010", recipe)
    takes = [take for take in recipe.cast() if take.subject == "S010"][:2]
    frames = [face for face, _ in film("ckplus", recipe, takes)]
    still = {**frames[0].scene, "noise": 0.0}
    drawn = render([replace(face, scene=still) for face in (frames[0], frames[8], frames[-1])], 64).astype(int)
    assert who.identity.traits["long_hair"] in (0.0, 1.0)
    assert (drawn[:, :10, :3] == drawn[0, :10, :3]).all() and (drawn[:, :10, -3:] == drawn[0, :10, -3:]).all()
    assert (drawn[1] != drawn[0]).any()


def test_lips_catch_the_light():
    still = samples.recipe(0.0)
    scene = {"noise": 0.0, "gamma": 1.0, "ambient": 0.3, "pitch": 0.0}
    neutral = [replace(face, scene=face.scene | scene) for face in samples.people(3, ("neutral",), still)[0]]
    above, below = (
        render([replace(face, scene=face.scene | {"light_y": light}) for face in neutral], 160) + 1.0
        for light in (-0.6, 0.6)
    )
    facing_up = np.log(above / below)[:, 110:126, 76:84].mean(2)  # tones cancel; from under the nose to the lower lip
    assert (np.ptp(facing_up, axis=1) > 0.5).all()  # 0.4 at most where lips are flat


def test_a_furrow_has_a_lit_and_a_shaded_wall_from_near():
    scene = {"noise": 0.0, "gamma": 1.0, "ambient": 0.3, "pitch": 0.0}
    face = samples.people(1, ("neutral",), samples.recipe(0.0))[0][0]
    smooth, folded = (replace(face, units=intensities(units)) for units in ({}, {1: 1.0, 2: 1.0}))
    above, below = (
        render([replace(f, scene=f.scene | scene | {"light_y": light}) for f in (smooth, folded)], 224) + 1.0
        for light in (-0.6, 0.6)
    )
    walls = np.log(above / below)[:, 20:60, 100:124].mean(2)  # tones cancel; the forehead, down its middle
    rough = np.abs(np.diff(walls, 2, axis=1)).mean(1)
    assert rough[1] > 1.5 * rough[0]  # the same without relief


def test_light_under_the_skin_is_redder_in_shadow_and_leaves_gray_alone():
    p = SimpleNamespace(**dict.fromkeys(TONES, torch.full((1, 1, 1), 0.5)))
    light = torch.linspace(0, 1, 5)
    assert under_skin(light, plain(p)) is light
    red, green, blue = under_skin(light, coloured(p))[:, 0, 0]
    assert red[0] == blue[0] == 0 and red[-1] == blue[-1] == 1
    assert (red[1:-1] > green[1:-1]).all() and (green[1:-1] > blue[1:-1]).all()
    exact = light ** (1 - 0.7 * 0.2)
    assert (red - exact).abs().max() < 0.03


@pytest.mark.parametrize("trait", ["glasses", "cap", "long_hair", "freckled"])
def test_what_only_some_people_have_is_drawn_on_them_alone(faces, trait):
    plainest = dict.fromkeys(("glasses", "cap", "long_hair", "freckled"), 0.0)
    without, own = (
        replace(faces[0], identity=replace(faces[0].identity, traits=faces[0].identity.traits | plainest | more))
        for more in ({}, {trait: 1.0})
    )
    bare, worn = render([without, own], 100, modality="rgb", batch=1).astype(int)
    told = slice(75, 100) if trait == "long_hair" else slice(0, 100)  # at the ears short hair ends as well
    assert (bare != worn)[told].any(axis=2).sum() > 20
    assert np.array_equal(render([without, own], 100, modality="rgb", batch=2), [bare, worn])


def test_blur_spreads_light_evenly_and_loses_none():
    point = torch.zeros(1, 64, 64)
    point[0, 30, 33] = 1.0
    spread = _blur(point, torch.full((1, 1, 1), 0.8))
    assert spread.sum() == pytest.approx(1, abs=1e-5)
    around = spread[0, 25:36, 28:39]
    for turned in (around.flip(0), around.flip(1), around.T):
        torch.testing.assert_close(turned, around)
