"""How far apart two modalities are: MMD by slow loops, and a classifier that is tested on people it has not seen."""

import math

import numpy as np
import pytest
from factories import same_bits, small_faces, snapshot, two_modalities
from run_factories import beside_spec
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.preprocessing import StandardScaler

from fercore.metrics import Counts, interval, nearer_to_chance, pooled
from fercore.modality_gap import CELLS, SPACES, STRENGTH, Gap, comparison, squared_mmd
from fercore.runs import get_or_train, pretrain
from fercore.tables.columns import points

every_space = pytest.mark.parametrize("space", SPACES)


def slow_squared_mmd(x, y):
    """Gretton et al. 2012, Eq. 3."""
    both = [*x, *y]
    squares = [sum((a - b) ** 2) for i, a in enumerate(both) for b in both[:i]]
    kernel = lambda a, b: math.exp(-sum((a - b) ** 2) / np.median(squares))  # noqa: E731
    total = 0.0
    for part in (x, y):
        pairs = [kernel(a, b) for i, a in enumerate(part) for j, b in enumerate(part) if i != j]
        total += sum(pairs) / (len(part) * (len(part) - 1))
    return total - 2 * sum(kernel(a, b) for a in x for b in y) / (len(x) * len(y))


@pytest.fixture
def numbers():
    return np.random.default_rng(0)


def test_squared_mmd_is_the_slow_one(numbers):
    x, y = numbers.normal(size=(9, 3)), numbers.normal(0.5, size=(6, 3))
    assert squared_mmd(x, y) == pytest.approx(slow_squared_mmd(x, y), rel=1e-9)
    assert squared_mmd(x, y) == pytest.approx(squared_mmd(y, x), rel=1e-9)
    assert squared_mmd(7 * x + 3, 7 * y + 3) == pytest.approx(squared_mmd(x, y), rel=1e-9)  # in its own units


def test_squared_mmd_is_zero_in_the_mean_for_equal_samples_and_grows_with_the_shift(numbers):
    alike = [squared_mmd(*numbers.normal(size=(2, 40, 3))) for _ in range(60)]
    assert abs(np.mean(alike)) < 3 * np.std(alike) / math.sqrt(60) and min(alike) < 0 < max(alike)
    x, y = numbers.normal(size=(2, 100, 3))
    found = [squared_mmd(x, y + shift) for shift in (0, 0.5, 1, 2, 8)]
    assert found == sorted(found) and found[1] > 5 * abs(found[0]) and 0.9 < found[-1] < 2


def test_squared_mmd_of_points_that_are_all_the_same_is_zero():
    assert squared_mmd(np.ones((4, 2)), np.ones((5, 2))) == 0


@pytest.fixture(scope="module")
def gaps(tmp_path_factory):
    """Rows on faces of both modalities, and one on visible faces beside those; trained for three steps."""
    folder = tmp_path_factory.mktemp("gaps")
    two_modalities(small_faces(12, ("happiness", "surprise", "pain"), 3)).save(folder / "data" / "prepared" / "mmse")
    small_faces(12, ("happiness", "surprise", "anger"), 3).save(folder / "data" / "prepared" / "mine")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FERCORE_DATA", str(folder / "data"))
        patch.setenv("FERCORE_RESULTS", str(folder / "results"))
        specs = {name: beside_spec(name) for name in ("Ours", "ResNet", "Wang")}
        specs["mine"] = beside_spec("Ours", dataset="mine", protocol="own")
        yield {name: Gap(get_or_train(spec)) for name, spec in specs.items()}


def test_sides_are_of_the_images_learned_from_and_of_the_test_people(gaps):
    run = gaps["Ours"].run
    faces, tested = run.faces().table, set(run.about["test_subjects"])
    learned, test = (gaps["Ours"].side("features", tested=which) for which in (False, True))
    assert set(test.subject) == tested and not set(learned.subject) & tested
    for modality, thermal in (("visible", False), ("thermal", True)):
        shown = faces[(faces["modality"] == modality) & faces["subject"].isin(tested)]
        assert sorted(test.subject[test.thermal == thermal]) == sorted(shown["subject"])
    people = [set(learned.subject[learned.thermal == thermal]) for thermal in (False, True)]
    assert not people[0] & people[1] and people[0] | people[1] == set(faces["subject"]) - tested
    stage = pretrain(run.spec, "thermal")
    counted = [run.about["images"]["train"], stage.about["images"]["train"]]
    assert np.bincount(learned.thermal).tolist() == counted


@every_space
def test_points_are_what_the_two_networks_say(gaps, space):
    run, side = gaps["Ours"].run, gaps["Ours"].side(space, tested=True)
    net, examples = run.method(), run.spec.examples(run.faces(), run.spec.divide(run.faces(), "thermal").test, "test")
    (batch,) = examples.in_order()
    h = net.thermal.tap(batch.image)
    said = net.thermal.fc(net.thermal.pooled(h)).softmax(1) if space == "predictions" else h
    assert side.points.shape[1] == (4 if space == "predictions" else 16 * CELLS**2)
    found = side.points[side.thermal]
    expected = said if space == "predictions" else h.repeat_interleave(2, 2).repeat_interleave(2, 3).flatten(1)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert not np.allclose(found, side.points[~side.thermal], atol=1e-4)


@pytest.mark.parametrize("name", ["Ours", "ResNet", "Wang", "mine"])
@every_space
def test_the_classifier_of_the_source_is_tested_on_people_it_has_not_seen(gaps, name, space):
    counts = gaps[name].classified(space)
    learned, test = (gaps[name].side(space, tested=which) for which in (False, True))
    assert not set(learned.subject) & set(test.subject) or name == "mine"  # there, people of two databases
    assert counts.top.shape == counts.bottom.shape == (len(test.points), 2)
    assert np.array_equal(counts.subject, test.subject)
    assert counts.bottom.sum(0).tolist() == [(~test.thermal).sum(), test.thermal.sum()]
    scaler = StandardScaler().fit(learned.points)
    model = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=1000)
    model.fit(scaler.transform(learned.points), learned.thermal)
    said = model.predict(scaler.transform(test.points))
    assert counts.value() == pytest.approx(balanced_accuracy_score(test.thermal, said))
    assert np.isfinite(gaps[name].discrepancy(space))


def test_features_of_two_modalities_that_look_different_are_told_apart(gaps):
    assert gaps["ResNet"].classified("features").value() > 0.9
    assert gaps["ResNet"].discrepancy("features") > 0.03


def test_a_row_without_thermal_network_is_compared_with_the_stage_and_a_paired_one_with_its_own(gaps):
    stage = pretrain(gaps["ResNet"].run.spec, "thermal").method().thermal
    found = {name: gaps[name].side("predictions", tested=True) for name in ("ResNet", "Ours", "Wang")}
    thermal = {name: side.points[side.thermal] for name, side in found.items()}
    assert np.allclose(thermal["ResNet"], thermal["Ours"])  # there it is frozen
    assert not np.allclose(thermal["Wang"], thermal["Ours"], atol=1e-4)
    assert same_bits(snapshot(gaps["Ours"].run.method().thermal), snapshot(stage))


def test_predictions_over_other_classes_are_compared_on_the_shared_ones(gaps):
    side = gaps["mine"].side("predictions", tested=True)
    assert side.points.shape[1] == 4  # neutral, happiness, surprise, other
    np.testing.assert_allclose(side.points.sum(1), 1, rtol=1e-5)
    assert gaps["mine"]._thermal[0].spec.dataset == "mmse"


def test_the_runs_own_critics_judge_the_test_images_of_each_modality_by_their_own_side(gaps):
    gap, run = gaps["Ours"], gaps["Ours"].run
    net, faces = run.method(), run.faces()
    (visible,) = run.spec.examples(faces, run.division().test, "test").in_order()
    (thermal,) = run.spec.examples(faces, run.spec.divide(faces, "thermal").test, "test").in_order()
    taps = [net.visible.tap(visible.image), net.thermal.tap(thermal.image)]
    shares = [(net.D_h(taps[0]) > 0).float().mean().item(), (net.D_h(taps[1]) <= 0).float().mean().item()]
    assert gap.judged("features").value() == pytest.approx(np.mean(shares))
    said = [n.fc(n.pooled(h)).softmax(1) for n, h in zip((net.visible, net.thermal), taps, strict=True)]
    sides = [net.D_l(said[0] @ net.onto) > 0, net.D_l(said[1] @ net.from_others) <= 0]
    assert gap.judged("predictions").value() == pytest.approx(np.mean([s.float().mean().item() for s in sides]))


def test_games_stand_beside_the_first_with_how_much_nearer_to_chance_they_came(gaps):
    table = comparison({"first": [gaps["Ours"]] * 2, "second": [gaps["Ours"]] * 2})
    assert table.columns.tolist() == ["first", "second", "second: nearer to 50 %"]
    assert [measure for _, measure in table.index][:3] == ["critic D_h %", "fresh classifier %", "squared MMD"]
    twice = pooled([gaps["Ours"].classified("features")] * 2)
    assert table.loc[("features", "fresh classifier %"), "second"] == str(interval(twice))
    same = comparison({"first": [gaps["Ours"]], "second": [gaps["Ours"]]})
    assert same.loc[("features", "critic D_h %"), "second: nearer to 50 %"].startswith("+0.0 [0.0, 0.0]")


def test_nearer_to_chance_takes_the_game_from_the_first():
    whose = np.array(["a", "b", "c", "d"])
    far, near = (Counts(np.array(top, float)[:, None], np.ones((4, 1)), whose) for top in ([1, 1, 1, 1], [1, 0, 1, 0]))
    assert points(nearer_to_chance(near, far)).startswith("+50.0") and nearer_to_chance(far, near).value == -0.5
