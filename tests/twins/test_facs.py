"""Prototypes obey the Facial Action Coding System's rules, and each unit moves its own part of the face."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from fercore.twins.curves import face_curves, sided_units
from fercore.twins.facs import (
    AU_INDEX,
    AU_NAMES,
    AU_NUMBERS,
    PROTOTYPES,
    STRONGEST,
    Style,
    draw_expression,
    intensities,
)
from fercore.twins.filming import person, seeded
from fercore.twins.renderer import Face, render
from fercore.twins.scene import Nuisance, draw_frame, draw_pose

STILL = Nuisance(pose=0, sway=0, shift=0, scale=0, roll=0, noise=0)
BROWS, EYES, NOSE, MOUTH = (0.0, 0.36), (0.28, 0.48), (0.28, 0.66), (0.55, 1.0)  # rows, as shares of the height
OWN_ROWS = {
    1: BROWS, 2: BROWS, 4: (0.0, 0.45), 5: EYES, 6: (0.2, 0.85), 7: EYES, 9: (0.1, 0.85), 10: (0.45, 0.85),
    12: (0.45, 0.9), 43: EYES, **dict.fromkeys((14, 15, 16, 17, 20, 23, 24, 25, 26, 27), MOUTH),
}  # fmt: skip


def styled(seed: int) -> Style:
    return Style.draw(np.random.default_rng(seed))


def still_face(recipe, units: np.ndarray, subject: str = "S037") -> Face:
    who = person("ckplus", subject, recipe)
    scene = who.setting | draw_frame(seeded("still"), STILL, draw_pose(seeded("still"), STILL)) | {"noise": 0.0}
    return Face(who.identity, units, 0.0, scene)


def test_names_and_index_cover_the_same_units():
    assert list(AU_NAMES) == list(AU_NUMBERS) == list(AU_INDEX)
    assert {number for units in PROTOTYPES.values() for number in units} <= set(AU_NUMBERS)


@pytest.mark.parametrize("label", sorted(PROTOTYPES))
def test_intensities_stay_drawable(label):
    for seed in range(50):
        style = styled(seed)
        apex = draw_expression(label, style, np.random.default_rng(seed)).at(1.0, style)
        assert apex.min() >= 0 and apex.max() <= STRONGEST


def test_surprise_always_opens_the_jaw_and_fear_bares_the_teeth_first():
    for seed in range(100):
        style, random = styled(seed), np.random.default_rng(seed)
        surprise, fear = (draw_expression(label, style, random).units for label in ("surprise", "fear"))
        assert max(surprise[AU_INDEX[26]], surprise[AU_INDEX[27]]) >= 0.45
        assert fear[AU_INDEX[27]] == 0 and fear[AU_INDEX[20]] >= 0.6 and fear[AU_INDEX[25]] >= 0.55


def test_contempt_is_the_one_sided_expression():
    def asymmetry(label):
        return [abs(draw_expression(label, styled(s), np.random.default_rng(s)).asymmetry) for s in range(40)]

    assert min(asymmetry("contempt")) > 0.7 > 0.45 > max(asymmetry("happiness"))


@pytest.mark.parametrize("number", AU_NUMBERS)
def test_each_unit_moves_its_own_region_and_little_elsewhere(number, twin_recipe):
    torch.set_num_threads(1)
    neutral, moved = np.zeros(len(AU_NUMBERS)), np.zeros(len(AU_NUMBERS))
    moved[AU_INDEX[number]] = 1.0
    images = render([still_face(twin_recipe, neutral), still_face(twin_recipe, moved)], 66).astype(float)
    change = np.abs(images[1] - images[0]).sum(axis=1)  # per row of the image
    top, bottom = (round(66 * share) for share in OWN_ROWS[number])
    assert change.sum() > 66 * 66 * 0.15, "the unit is hardly visible"
    assert change[top:bottom].sum() > 0.85 * change.sum()


def curves_of(face: Face, **traits: float) -> SimpleNamespace:
    """The landmark quantities of an even face."""
    p = {name: torch.tensor(float(x)) for name, x in (face.identity.traits | traits).items()}
    au = sided_units(torch.tensor(face.units[None], dtype=torch.float32), torch.zeros(1))
    return face_curves(SimpleNamespace(**p), au)


@pytest.mark.parametrize(("units", "curve", "sign"), [
    ({1: 1.0, 4: 1.0}, "brow_inner", -1),  # raised and drawn together, the inner ends rise
    ({4: 1.0}, "brow_inner", 1),
    ({12: 1.0}, "corner", -1),
    ({20: 1.0}, "corner", 1),  # in fear the corners go outwards and down, or it would be a smile
    ({27: 1.0}, "corner", 1),  # the corners of a gaping mouth leave the upper lip
])  # fmt: skip
def test_curves_go_where_the_muscles_pull(twin_recipe, units, curve, sign):
    curves = curves_of(still_face(twin_recipe, intensities(units)))
    assert (sign * getattr(curves, curve) > 0.01).all()


def test_the_smallest_mouth_is_still_a_mouth(twin_recipe):
    face = still_face(twin_recipe, STRONGEST * intensities({23: 1.0, 24: 1.0, 27: 1.0}))
    assert (curves_of(face, mouth_width=0.25).half_width > 0.1).all()  # below 0 a bar would cross the face


def test_one_sided_units_move_one_half(twin_recipe):
    units = np.zeros(len(AU_NUMBERS))
    rest = render([still_face(twin_recipe, units)], 64)[0].astype(float)
    units[AU_INDEX[12]] = 1.0
    face = still_face(twin_recipe, units)
    right = render([Face(face.identity, units, 1.0, face.scene)], 64)[0].astype(float)
    change = np.abs(right - rest)
    assert change[:, 36:].sum() > 5 * change[:, :28].sum()


def test_intensities_name_the_active_units_and_refuse_what_cannot_be():
    vector = intensities({12: 0.8, 6: 0.5})
    assert vector[AU_INDEX[12]] == 0.8 and vector[AU_INDEX[6]] == 0.5 and vector.sum() == 1.3
    for units, message in (({3: 0.5}, "no action unit 3"), ({12: 1.1}, r"0\.\.1"), ({12: -0.1}, r"0\.\.1")):
        with pytest.raises(ValueError, match=message):
            intensities(units)
    with pytest.raises(ValueError, match="no expression 'boredom'.*laughter"):
        draw_expression("boredom", styled(0), np.random.default_rng(0))


def test_posed_laughter_lacks_the_cheek_raiser_and_is_less_even():
    def mean(label, number):
        return np.mean(
            [draw_expression(label, styled(s), np.random.default_rng(s)).units[AU_INDEX[number]] for s in range(80)]
        )

    assert mean("laughter", 6) > 2.5 * mean("posed_laughter", 6) and mean("posed_laughter", 12) > 0.6
