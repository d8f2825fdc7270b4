"""Portraits, the judge's calibration and Table 1, against loops and values by hand; no network is trained."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from factories import THREE, small_faces

from fercore import identity_errors, portraits, references
from fercore.figures import normalised as drawn
from fercore.identity_errors import Calibration, agreement, calibrate, row_of, shares, table
from fercore.portraits import Portraits


class Brightness:
    """A judge that sees nothing but the mean gray level."""

    stand_in = SimpleNamespace(distance=lambda one, other: (one.mean((1, 2, 3)) - other.mean((1, 2, 3))).abs())


JUDGE = SimpleNamespace(method=Brightness)


def flat(levels: list[int]) -> np.ndarray:
    return np.repeat(np.array(levels, np.uint8), 4).reshape(-1, 2, 2)


@pytest.fixture
def faces() -> Portraits:
    """Set a: persons 1 (two images) and 2; set b: persons 3, 4 and 5."""
    people = ["a/1", "a/1", "a/2", "b/3", "b/4", "b/5"]
    known = pd.DataFrame({"dataset": [who[0] for who in people], "subject": people, "label": [*THREE, *THREE]})
    known = known.assign(sequence="000", fold=[0, 0, 1, 0, 1, 1])
    return Portraits(known, flat([10, 20, 30, 40, 50, 60]), flat([12, 12, 32, 42, 52, 62]), "drawn by the test")


def test_another_person_is_of_the_same_set_and_never_oneself(faces):
    other = faces.table["subject"].to_numpy()[faces.others]
    assert other.tolist() == ["a/2", "a/2", "a/1", "b/4", "b/5", "b/3"]
    with pytest.raises(ValueError, match="a shows one person only"):
        _ = faces.only(np.array([0, 1, 3, 4])).others


def test_mean_face_of_the_others_counts_every_person_once_and_leaves_its_own_out(faces):
    assert faces.others_mean[:, 0, 0].tolist() == [32, 32, 12, 57, 52, 47]


def test_sets_bring_every_expressive_image_with_its_own_neutral(monkeypatch):
    drawn_faces = small_faces(3, THREE, 5)
    one = portraits._chosen(drawn_faces, np.arange(len(drawn_faces)), 2)
    found, onset = portraits._together([one, one]), drawn_faces.table.query("frame == 0")
    assert len(found) == 2 * 3 * 3 * 4 and set(found.table["label"]) == set(THREE)
    for place in (0, 17, 71):
        row = found.table.iloc[place]
        own = onset.query("subject == @row.subject.split('/')[1] and sequence == @row.sequence").index[0]
        assert np.array_equal(found.neutral[place], drawn_faces.images[own])
        assert np.array_equal(found.image[place], drawn_faces.images[row["row"]])
    assert found.credit == drawn_faces.credit
    lacking = drawn_faces.table.assign(reference=-1)
    with pytest.raises(ValueError, match="people without a neutral image"):
        portraits._chosen(SimpleNamespace(name="x", table=lacking, images=drawn_faces.images), np.arange(9), 0)


def test_each_person_is_generated_by_the_run_of_its_own_fold(faces, monkeypatch):
    monkeypatch.setattr(portraits, "normalised", lambda method, images: images + method)
    runs = [SimpleNamespace(spec=SimpleNamespace(fold=k), method=lambda k=k: np.uint8(100 + k)) for k in (0, 1)]
    made = portraits.made_by_folds(faces, runs)
    assert made[:, 0, 0].tolist() == [110, 120, 131, 140, 151, 161]


def test_baselines_of_portraits_are_those_fitted_on_what_the_run_learned(faces, monkeypatch):
    image, neutral = torch.rand(5, 1, 2, 2), torch.rand(5, 1, 2, 2)
    monkeypatch.setattr(portraits, "_learned", lambda run: SimpleNamespace(image=image, reference=neutral))
    made = portraits.baselines(faces, [SimpleNamespace(spec=SimpleNamespace(fold=7))])  # one run stands for all
    assert np.array_equal(made[portraits.COPY], faces.image)
    assert (made[portraits.MEAN] == (255 * neutral.mean(0)[0]).round().byte().numpy()).all()
    a, b = np.polyfit(image[:, 0, 1, 0], neutral[:, 0, 1, 0], 1)
    expected = 255 * np.clip(a * faces.image[:, 1, 0] / 255 + b, 0, 1)
    np.testing.assert_allclose(made[portraits.AFFINE][:, 1, 0], expected, atol=0.51)


def test_errors_by_hand_and_in_the_comparison(faces):
    made = {"mine": faces.neutral, "copy of the input": faces.image}
    found = portraits.errors(faces, made, JUDGE)
    copied = found[found["estimate"] == "copy of the input"]
    gray = np.array([2, 8, 2, 2, 2, 2]) / 255
    np.testing.assert_allclose(copied["error"], gray**2, rtol=1e-5)
    np.testing.assert_allclose(copied["mean absolute error"], gray, rtol=1e-5)
    np.testing.assert_allclose(copied["distance to the true neutral"], gray, rtol=1e-4)
    assert (copied["distance to the input"] == 0).all()
    row = references.comparison(found, ("copy of the input",)).loc["mine"]
    assert row["mean absolute error"] == 0 and row["distance to the input"] == pytest.approx(gray.mean(), rel=1e-4)
    assert row["gain on copy of the input, %"].startswith("100.0 [")


def slow_errors(calibration: Calibration, line: float) -> tuple[float, float]:
    missed = sum(value > line for value in calibration.same) / len(calibration.same)
    return missed, sum(value <= line for value in calibration.different) / len(calibration.different)


def test_threshold_is_where_both_errors_are_equal():
    draw = np.random.default_rng(0)
    found = Calibration(draw.normal(1, 0.3, 400), draw.normal(2, 0.3, 500), np.arange(400) // 4)
    missed, taken = slow_errors(found, found.threshold)
    assert missed == pytest.approx(taken, abs=0.005) and 0.02 < missed < 0.08  # by the normal law 0.048
    everywhere = [abs(np.subtract(*slow_errors(found, line))) for line in np.linspace(0, 3, 301)]
    assert abs(missed - taken) <= min(everywhere) + 1e-9


def test_a_perfect_judge_errs_never_and_a_blind_one_half_of_the_time():
    perfect = Calibration(np.array([0.1, 0.2]), np.array([0.8, 0.9]), np.array(["a", "b"]))
    assert slow_errors(perfect, perfect.threshold) == (0, 0)
    row = perfect.table().iloc[0]
    assert row["area under the curve"] == 1 and row["one person taken for two %"] == "0.0 [0.0, 0.0]"
    draw = np.random.default_rng(1)
    blind = Calibration(draw.random(1000), draw.random(1000), np.arange(1000))
    assert np.allclose(slow_errors(blind, blind.threshold), 0.5, atol=0.03)
    curve = blind.roc()
    np.testing.assert_allclose(curve["one recognised"], curve["two taken for one"], atol=0.08)


def test_calibration_pairs_own_and_others_neutral(faces):
    found = calibrate(JUDGE, faces)
    np.testing.assert_allclose(255 * found.same, [2, 8, 2, 2, 2, 2], rtol=1e-3)
    np.testing.assert_allclose(255 * found.different, [22, 12, 18, 12, 12, 18], rtol=1e-3)
    assert found.subject.tolist() == faces.table["subject"].tolist()


def test_table_1_prints_all_eleven_weights_and_leaves_missing_what_was_not_run(faces):
    found = {
        row_of(0.0): np.array([2, 2, 0, 2, 0, 0.0]),
        row_of(0.03): np.array([0, 0, 0, 2, 0, 1.0]),
        "mean": np.ones(6),
    }
    made = table(found, faces, 1.0)
    assert len(made) == 12 and made.index[-1] == "mean"
    assert made["ours % [95 %]"].notna().sum() == 3
    row = made.loc[row_of(0)]
    assert row["printed %"] == 2.13 and row["ours % [95 %]"].startswith("50.0 [") and row["mean distance"] == 1
    assert row["a %"].startswith("66.7 [") and row["b %"].startswith("33.3 [")
    assert made.loc["mean", "ours % [95 %]"] == "0.0 [0.0, 0.0]"  # at the threshold is not beyond it
    assert shares(found, faces, 1.0).index.tolist() == list(found)


def test_readings_follow_from_the_numbers(faces):
    clear, none = np.full(6, 2.0), np.zeros(6)
    said = {}
    for name, base, own in (("agrees", clear, none), ("disagrees", none, clear), ("undecided", clear, clear)):
        row = agreement({row_of(0): base, row_of(0.03): own}, faces, 1.0).loc[row_of(0.03)]
        said[name] = row["paper's claim of fewer errors"]
        assert row["printed, points fewer than without"] == pytest.approx(2.03)
        assert identity_errors.gap({"with": own, "without": base}, faces, 1.0, "with", "without").endswith(name)
    assert said == {name: name for name in said}


def test_figures_say_what_they_were_made_from(faces, monkeypatch):
    monkeypatch.setattr(drawn, "normalised", lambda method, images: images)
    found = {"with": np.array([0.1, 0.9]), "true": np.array([0.2, 0.3])}
    figures = [
        drawn.normalised_faces(SimpleNamespace(method=lambda: None), faces, "the stamp"),
        drawn.estimates(faces, {"HNG": faces.image}, "the stamp", images=4),
        drawn.identity_distances(found, 0.5, "the stamp"),
        drawn.judge(Calibration(found["true"], found["with"], np.array(["a", "b"])), "the stamp"),
    ]
    assert all(figure.get_supxlabel() == "the stamp" for figure in figures)
    assert "50.0 % beyond 0.50" in figures[2].axes[0].get_title()
    blocks = figures[0].subfigs
    assert [len(block.axes) for block in blocks] == [9, 6]  # neutral and two expressions, neutral and one
    assert len(figures[1].axes) == 3 * 4
    assert all(
        np.array_equal(figures[1].axes[4 * 2 + j].images[0].get_array(), figures[1].axes[j].images[0].get_array())
        for j in range(4)
    )


def test_from_face_to_face_of_figure_9_both_person_and_expression_change():
    known = pd.DataFrame([{"subject": who, "label": label} for who in "abcde" for label in THREE for _ in range(2)])
    chosen = known.loc[drawn._spread(Portraits(known, flat([0] * 30), flat([0] * 30), "drawn by the test"), 9)]
    assert chosen["subject"].tolist() == list("abcdeabcd")
    assert not any((chosen["label"].to_numpy()[1:] == chosen["label"].to_numpy()[:-1])[:4])
    assert not chosen.duplicated().any() and all(i % 2 for i in chosen.index)  # the last image of each
