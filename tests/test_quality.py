"""The measures of the drawn faces can fail: each meets a perfect, a constant or a planted input."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from fercore.faces.alignment import TEMPLATE
from fercore.faces.landmarks import DetectorMissingError
from fercore.quality import (
    EXTENT,
    Check,
    anyone,
    control,
    covering,
    detectors,
    difficulty,
    explorer,
    likeness,
    photographs,
    pictures,
    probe,
    samples,
    table,
    transfer,
)
from fercore.twins.canvas import HALF_EXTENT
from fercore.twins.renderer import render


@pytest.mark.parametrize(("value", "least", "most", "verdict"), [
    (0.9, 0.8, None, "met"), (0.7, 0.8, None, "missed"), (0.9, 0.6, 0.8, "missed"), (0.2, None, 0.15, "missed"),
    (0.1, None, 0.15, "met"), (None, 0.8, None, "not measured"), (0.5, None, None, ""),
])  # fmt: skip
def test_verdicts(value, least, most, verdict):
    assert Check("it", value, least, most).verdict == verdict


def test_table_keeps_what_was_not_measured():
    shown = table([Check("one", None, 0.9, note="no detector"), Check("two", 0.95, 0.9)])
    assert shown.loc["one", "verdict"] == "not measured" and np.isnan(shown.loc["one", "value"])
    assert shown["threshold"].tolist() == [">= 0.9", ">= 0.9"]


def test_missing_detectors_are_named_and_never_pass(monkeypatch):
    def absent():
        raise DetectorMissingError("no FaceMesh here")

    monkeypatch.setattr(detectors, "DETECTORS", {"FaceMesh": absent})
    monkeypatch.setattr(control, "whole_mesh", absent)
    for checks in (detectors.checks(1), control.checks(1)):
        assert {check.verdict for check in checks} == {"not measured"} and checks[0].note == "no FaceMesh here"


def test_rate_counts_what_a_detector_finds():
    images = np.stack([np.zeros((8, 8), np.uint8), np.full((8, 8), 200, np.uint8)])
    assert detectors.rate(lambda image: image.mean() > 100, images) == 0.5


def test_haar_finds_drawn_faces_and_no_scrambled_ones():
    pytest.importorskip("cv2")
    faces, _ = samples.people(4)
    images, finds = render(faces, 64), detectors.haar()
    assert detectors.rate(finds, images) > 0.9 > 0.3 > detectors.rate(finds, samples.scrambled(images))


def test_a_blank_head_has_no_ends_of_brows_that_a_detector_could_hold_on_to():
    pytest.importorskip("cv2")
    images = render(samples.people(4)[0], 64)
    assert detectors.rate(detectors.haar("haarcascade_frontalface_default"), samples.blank(images)) < 0.15


def test_controls_keep_the_gray_levels_or_the_outline():
    images = render(samples.people(2)[0], 64)
    mixed, empty = samples.scrambled(images), samples.blank(images)
    assert all(np.array_equal(np.sort(a.ravel()), np.sort(b.ravel())) for a, b in zip(images, mixed, strict=True))
    assert np.array_equal(images[:, :4], empty[:, :4])  # hair and background stay
    features = slice(20, 50), slice(22, 42)
    assert empty[:, *features].std((1, 2)).mean() < 0.5 * images[:, *features].std((1, 2)).mean()


def test_correlation_is_within_people():
    levels = np.tile([0.0, 0.5, 1.0], (4, 1))
    people = np.arange(4)[:, None] * 100.0  # people differ far more than levels do
    assert control.correlation(levels, people + 2 * levels) == pytest.approx(1)
    assert control.correlation(levels, people - levels) == pytest.approx(-1)
    noise = np.random.default_rng(0).standard_normal((4, 3))
    assert abs(control.correlation(levels, people + noise)) < 0.8


def test_neighbours_of_pictures_that_show_only_people_or_only_expressions():
    random = np.random.default_rng(0)
    shown = pd.DataFrame([{"subject": s, "label": label} for s in "abcdef" for label in "xyz"])
    own = {key: random.normal(128, 40, (8, 8)) for key in [*"abcdef", *"xyz"]}
    grain = random.normal(0, 2, (len(shown), 8, 8))
    people = np.stack([own[s] for s in shown["subject"]]) + grain
    expressions = np.stack([own[s] for s in shown["label"]]) + grain
    assert likeness.neighbours(people, shown) == (1.0, 0.0)
    assert likeness.neighbours(expressions, shown) == (0.0, 1.0)


def test_first_component_of_one_direction_and_of_noise():
    random = np.random.default_rng(0)
    direction, noise = random.normal(size=(8, 8)), random.normal(size=(200, 8, 8))
    one = 128 + 40 * noise[0] + 30 * random.normal(size=(200, 1, 1)) * direction
    assert likeness.first_component(one) > 0.8 > 0.1 > likeness.first_component(128 + 40 * noise)


@pytest.fixture(scope="module")
def smiling():
    faces, shown = samples.people(24, ("neutral", "happiness"), samples.recipe(0.3))
    return render(faces, probe.stored()), shown


def test_probe_learns_smiles_of_people_it_has_not_seen_and_nothing_from_shuffled_labels(smiling):
    images, shown = smiling
    ours, linear = probe.accuracies(images, shown, count=2, epochs=60)
    assert np.mean(ours) > 0.85 and len(ours) == len(linear) == 2
    mixed = shown.assign(label=np.random.default_rng(0).permutation(shown["label"]))
    assert np.mean(probe.accuracies(images, mixed, count=2, epochs=20)[0]) < 0.75


def test_probe_repeats_itself(smiling):
    images, shown = smiling
    target = (shown["label"] == "happiness").to_numpy().astype(int)
    one, other = (probe.look(probe.train(images, target, 2, epochs=1), images)[1] for _ in range(2))
    assert np.array_equal(one, other)


def test_folds_share_no_person(smiling):
    tested = probe.folds(smiling[1], 3)
    people = [set(smiling[1]["subject"].iloc[rows]) for rows in tested]
    assert sum(map(len, people)) == len(set.union(*people)) == 24


def test_recovered_finds_a_planted_intensity_and_no_other():
    random = np.random.default_rng(0)
    shown = pd.DataFrame({"subject": np.repeat([f"s{i}" for i in range(20)], 10), "au12": random.uniform(size=200)})
    shown["au4"], shown["au43"] = random.uniform(size=200), 0.0
    features = random.normal(size=(200, 12))
    features[:, 3] += 5 * shown["au12"]
    found = probe.recovered(features, shown)
    assert set(found.index) == {"au12", "au4"} and found["au12"] > 0.5 > 0.1 > found["au4"]


def test_mixtures_hold_every_unit_often_and_no_pair_that_excludes_itself():
    faces, mixed = samples.mixtures(30)
    units = mixed[[f"au{number}" for number in samples.AU_NUMBERS]]
    assert len(faces) == len(mixed) == 300 and (units > 0).mean().between(0.10, 0.35).all() and units.max().min() > 0.8
    assert units.corr().abs().where(~np.eye(20, dtype=bool)).max().max() < 0.35
    for unit, others in samples.EXCLUDED.items():
        assert not (units.loc[units[f"au{unit}"] > 0, [f"au{other}" for other in others]] > 0).any(axis=None)


def test_people_who_smile_are_aligned_by_the_eyes_and_differ_in_the_smile():
    seen = list(anyone.people(40))
    assert [label for _, label in seen] == [0, 1] * 40
    lip_corner = np.array([face.units[samples.AU_INDEX[12]] for face, _ in seen])
    assert lip_corner[1::2].min() >= anyone.FAINTEST > lip_corner[::2].max()
    others = [samples.AU_INDEX[number] for number in anyone.LOWER]
    busy = np.array([(face.units[others] > 0.3).sum() >= 2 for face, _ in seen[::2]])  # without a smile
    assert 0.4 < busy.mean() < 0.9
    assert np.mean([face.identity.traits["age"] > 1 for face, _ in seen]) > 0.2  # of the twins' people hardly one
    apart = np.array([face.identity.traits["eye_x"] * face.scene["scale"] / HALF_EXTENT for face, _ in seen])
    assert abs(apart - (TEMPLATE[1] - TEMPLATE[0])[0]).max() < 0.1 and apart.std() < 0.025


def test_relief_does_not_see_tone_and_evened_images_are_even():
    images = torch.rand(2, 1, 88, 88, generator=torch.Generator().manual_seed(0))
    slope = torch.linspace(0, 3, 88).expand(2, 1, 88, 88)
    one, other = photographs.evened(images), photographs.evened(images + slope)
    inner = (..., slice(12, -12), slice(12, -12))
    assert torch.corrcoef(torch.stack([one[inner].flatten(), other[inner].flatten()]))[0, 1] > 0.99
    net = photographs.Relief(2)
    assert net.prepared(2 * images).sub(net.prepared(images)).abs().max() < 0.02


def test_networks_say_together_what_a_photograph_shows(monkeypatch):
    said = {"sure": [0.9, 0.1], "doubtful": [0.4, 0.6], "doubtful too": [0.45, 0.55]}
    monkeypatch.setattr(transfer.probe, "scores", lambda net, images: np.tile(said[net], (len(images), 1)))
    blank = np.zeros((2, 8, 8), np.uint8)
    assert transfer.told(list(said), blank).tolist() == [0, 0]  # by the mean, not by votes
    assert transfer.told(["doubtful", "sure"], blank).tolist() == [0, 0]
    assert transfer.told(["doubtful"], blank).tolist() == [1, 1]


def test_a_probe_is_held_against_the_half_of_the_people_that_it_has_not_seen(monkeypatch):
    learned = []
    monkeypatch.setattr(probe, "train", lambda images, *rest: learned.append(images[:, 0, 0].tolist()))
    table = pd.DataFrame({"subject": ["a", "a", "b", "c", "d", "d"], "label": ["x", "y", "x", "y", "x", "y"]})
    held = probe.hold_out(np.arange(6, dtype=np.uint8).repeat(4).reshape(6, 2, 2), table, 1)
    assert learned == [[2, 4, 5]] and held.images[:, 0, 0].tolist() == [0, 1, 3]
    assert held.table["subject"].tolist() == ["a", "a", "c"] and held.classes == ["x", "y"]


def test_transfer_without_the_photographs_is_not_measured(tmp_path, monkeypatch):
    monkeypatch.setenv("FERCORE_DATA", str(tmp_path))
    (check,) = transfer.checks(2, 1, 1)
    assert check.verdict == "not measured" and "london" in check.note


def test_every_tier_says_how_much_it_measures():
    assert set(EXTENT) == {"smoke", "twin", "paper"}
    assert EXTENT["smoke"].people < EXTENT["twin"].people and set(EXTENT["twin"].levels) == set(difficulty.BOUNDS)


def test_the_explorer_draws_what_the_sliders_say_and_refuses_what_cannot_be():
    rest = explorer.picture(0, {}, {}, "gray", "nothing", 48)
    assert rest.startswith(b"\x89PNG") and rest == explorer.picture(0, {}, {}, "gray", "nothing", 48)
    for other in (
        explorer.picture(1, {}, {}, "gray", "nothing", 48), explorer.picture(0, {12: 1.0}, {}, "gray", "nothing", 48),
        explorer.picture(0, {}, {"yaw": 0.4}, "gray", "nothing", 48), explorer.picture(0, {}, {}, "rgb", "nothing", 48),
        explorer.picture(0, {}, {}, "gray", "mouth", 48),
    ):  # fmt: skip
        assert other != rest
    with pytest.raises(ValueError, match="no action unit 3"):
        explorer.picture(0, {3: 1.0}, {}, "gray", "nothing", 48)


def test_moving_a_slider_draws_the_face_anew():
    panel = explorer.panel(48)
    face, choices, units = panel.children
    before = face.value
    units.children[0].value = 1.0
    assert face.value != before
    units.children[0].value = 0.0
    assert face.value == before and len(units.children) == 20


def test_photographed_images_stay_in_range_and_keep_their_number():
    images = torch.rand(6, 1, 48, 48, generator=torch.Generator().manual_seed(0))
    seen = photographs.photographed(images, torch.Generator().manual_seed(1))
    assert seen.shape == images.shape and 0 <= seen.min() and seen.max() <= 1 and (seen != images).any((1, 2, 3)).all()


def test_faces_are_bent_a_little_and_lit_a_little_unevenly():
    ramp = torch.linspace(0.2, 0.8, 88).expand(64, 1, 88, 88)
    moved = (photographs.bent(ramp, torch.Generator().manual_seed(0)) - ramp)[..., 12:-12] / 0.6 * 2  # in half images
    assert 0.3 * photographs.BENT < moved.std() < photographs.BENT
    lit = photographs.uneven(ramp, torch.Generator().manual_seed(0)) / ramp
    assert 0.3 * photographs.UNEVEN < lit.log().std() < 2 * photographs.UNEVEN and abs(lit.mean() - 1) < 0.01


def test_sheets_show_every_label_unit_and_condition():
    assert len(pictures.portraits(32).axes) == 6
    assert len(pictures.expressions(1, 32).axes) == len(pictures.EVERY_LABEL)
    assert len(pictures.action_units(32).axes) == 44
    assert len(pictures.conditions(32).axes) == 40


def test_covers_cost_what_the_probe_loses_and_the_eyes_bar_is_held_against_the_mouths(monkeypatch):
    right = {"eyes": 0.8, "mouth": 0.5}
    held = SimpleNamespace(table=[0], images=[0], accuracy=lambda kind="none": right.get(kind, 0.9))
    monkeypatch.setattr(covering, "occlude", lambda images, kind, seeds: (kind, None))
    found = {check.what: check.value for check in covering.checks(held)}
    assert found["accuracy, covered: mouth"] == 0.5 and found["accuracy, covered: hands"] == 0.9
    assert found["the eyes' bar costs less than the mouth's, by"] == pytest.approx(0.3)


def test_the_lead_over_a_linear_classifier_is_the_networks(monkeypatch):
    monkeypatch.setattr(difficulty, "cast", lambda people, size, how: ([0], None))
    monkeypatch.setattr(difficulty.probe, "accuracies", lambda *asked: ([0.9, 0.7], [0.6, 0.5]))
    accuracy, lead = difficulty.checks(replace(EXTENT["smoke"], levels=(1.0,)))
    assert accuracy.value == pytest.approx(0.8) and lead.value == pytest.approx(0.25)
