"""The estimates that need no network, against slow loops; the comparison, against sums by hand."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from factories import small_faces
from result_factories import store_untrained, study

from fercore.faces.protocols import SEVEN
from fercore.method import Batch
from fercore.references import BASELINES, PSNR, comparison, errors
from fercore.runs import Run

SIZE = 16  # of 17 pixels: the centre crop begins at 0


@pytest.fixture(scope="module", autouse=True)
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("references")
    faces = small_faces(12, SEVEN, 5)
    faces.images[:, 3, 3] = 77  # a pixel that never changes: no slope can be fitted
    faces.save(folder / "data" / "prepared" / "ckplus")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FERCORE_DATA", str(folder / "data"))
        patch.setenv("FERCORE_RESULTS", str(folder / "results"))
        yield


@pytest.fixture(scope="module")
def runs(place) -> list[Run]:
    return [store_untrained(spec) for spec in study(["S0R0", "S1R1"], [0, 3]).specs]


@pytest.fixture(scope="module")
def table(runs) -> pd.DataFrame:
    return errors(runs)


def parts(run):
    """Expressive images and their references as float64, of the training and the test people; the test subjects."""
    faces = run.faces()
    shown = np.asarray(faces.images)[:, :SIZE, :SIZE].astype(float) / 255
    kept = (faces.table["label"] != "neutral") & (faces.table["frame"] >= 2)  # the last three of five
    people = sorted(faces.table["subject"].unique())
    test = faces.table["subject"].isin(people[run.spec.fold :: 10])
    reference = faces.table["reference"].to_numpy()
    found = []
    for side in (~test, test):
        rows = np.flatnonzero(kept & side)
        found += [shown[rows], shown[reference[rows]]]
    return *found, faces.table["subject"][kept & test].tolist()


def slow_estimates(run) -> dict[str, np.ndarray]:
    image, reference, unseen, _, _ = parts(run)
    affine, mean = np.empty_like(unseen), np.empty_like(unseen)
    for y in range(SIZE):
        for x in range(SIZE):
            line = np.column_stack([image[:, y, x], np.ones(len(image))])
            a, b = np.linalg.lstsq(line, reference[:, y, x], rcond=None)[0]
            affine[:, y, x] = a * unseen[:, y, x] + b
            mean[:, y, x] = sum(reference[:, y, x]) / len(reference)
    return dict(zip(BASELINES, (unseen, affine, mean), strict=True))


@pytest.mark.parametrize("fold", [0, 3])
def test_baselines_are_what_loops_over_pixels_fit_on_the_training_people(fold, runs, table):
    run = next(run for run in runs if run.spec.fold == fold)
    *_, truth, subjects = parts(run)
    for name, estimate in slow_estimates(run).items():
        found = table[(table["fold"] == fold) & (table["estimate"] == name)]
        assert found["subject"].tolist() == subjects
        np.testing.assert_allclose(found["error"], ((estimate - truth) ** 2).mean((1, 2)), rtol=1e-3, atol=1e-6)


def test_every_network_and_each_baseline_once_per_fold(table):
    counts = table.groupby(["fold", "estimate"]).size().unstack()
    assert set(counts.columns) == {"S0R0", "S1R1", *BASELINES}
    assert (counts.loc[0] == 2 * 7 * 3).all() and (counts.loc[3] == 7 * 3).all()


def test_every_seed_of_a_network_counts_and_has_its_baselines_beside_it():
    seeded = [store_untrained(spec, spec.seed) for spec in study(["S1R0"], [0], seeds=(0, 1)).specs]
    found = errors(seeded)
    assert (found.groupby(["seed", "estimate"]).size() == 2 * 7 * 3).all() and set(found["seed"]) == {0, 1}
    own = found[found["estimate"] == "S1R0"]
    one, other = (own.loc[own["seed"] == seed, "error"].mean() for seed in (0, 1))
    row = comparison(found).loc["S1R0"]
    assert one != other and row["mean squared error"] == pytest.approx((one + other) / 2)
    assert row["images"] == 2 * 7 * 3  # the same ones for both


def test_error_of_a_network_is_that_of_its_own_generated_reference(runs, table):
    run = runs[1]
    *_, unseen, truth, _ = parts(run)
    with torch.no_grad():
        made = run.method()(Batch(torch.tensor(unseen[:, None], dtype=torch.float32))).generated[:, 0].numpy()
    found = table.query("fold == @run.spec.fold and estimate == @run.spec.variant")["error"]
    np.testing.assert_allclose(found, ((made - truth) ** 2).mean((1, 2)), rtol=1e-4)


def test_perfect_generator_has_no_error_and_gains_everything(runs, monkeypatch):
    monkeypatch.setattr(Run, "method", lambda self: lambda batch: SimpleNamespace(generated=batch.reference))
    found = errors(runs[:1])
    assert (found.query("estimate == 'S0R0'")["error"] == 0).all()
    row = comparison(found).loc["S0R0"]
    assert row["mean squared error"] == 0 and row[PSNR] == np.inf
    for baseline in BASELINES:
        assert row[f"gain on {baseline}, %"].startswith("100.0 [")


def test_copying_generator_gains_nothing_on_the_copy(runs, monkeypatch):
    monkeypatch.setattr(Run, "method", lambda self: lambda batch: SimpleNamespace(generated=batch.image))
    assert comparison(errors(runs[:1])).loc["S0R0", "gain on copy of the input, %"] == "0.0 [0.0, 0.0]"


def made_up(values: dict[str, list[float]], fold=0) -> pd.DataFrame:
    """Two people with two images each."""
    rows = [
        {"subject": f"F{fold}P{i // 2}", "fold": fold, "image": i, "estimate": name, "error": error}
        for name, errors in values.items()
        for i, error in enumerate(errors)
    ]
    return pd.DataFrame(rows)


def test_where_error_and_psnr_disagree_the_reading_goes_by_the_error():
    copy = BASELINES[0]
    table = comparison(made_up({"S1R1": [0.001, 0.099] * 2, copy: [0.04] * 4}), (copy,))
    assert table.loc["S1R1", PSNR] > table.loc[copy, PSNR] and "the reading goes by squared error" in PSNR
    assert table.loc["S1R1", "mean squared error"] > 0.04 and table.loc["S1R1", "reading"] == f"loses to {copy}"


def test_gains_by_hand():
    copy, affine, mean = BASELINES
    values = {"S1R1": [0.01, 0.03, 0.02, 0.02], copy: [0.04] * 4, affine: [0.02] * 4, mean: [0.01] * 4}
    table = comparison(made_up(values))
    row = table.loc["S1R1"]
    assert row["mean squared error"] == pytest.approx(0.02)
    assert row["images"] == 4
    assert row[PSNR] == pytest.approx(np.mean([10 * np.log10(1 / error) for error in values["S1R1"]]))
    assert row[f"gain on {copy}, %"] == "50.0 [50.0, 50.0]"  # both people are at 0.02 against 0.04
    assert row[f"gain on {affine}, %"] == "0.0 [0.0, 0.0]"
    assert row[f"gain on {mean}, %"] == "-100.0 [-100.0, -100.0]"
    assert table.loc[list(BASELINES)].filter(like="gain").isna().all(axis=None)
    assert table.loc[copy, "mean squared error"] == pytest.approx(0.04)


def test_gain_over_people_that_differ_has_an_interval():
    values = {"S1R1": [0.01, 0.01, 0.05, 0.05]} | dict.fromkeys(BASELINES, [0.04] * 4)
    gain = comparison(made_up(values)).loc["S1R1", f"gain on {BASELINES[0]}, %"]
    assert gain == "25.0 [-25.0, 75.0]"  # people at +75 % and -25 %


def test_every_measure_speaks_of_the_images_that_all_estimates_were_made_for():
    whole = made_up({"S0R0": [0.02] * 4} | dict.fromkeys(BASELINES, [0.02] * 4)).assign(SSIM=[0.1, 0.2, 0.3, 0.9] * 4)
    part = made_up({"S1R1": [0.02] * 3}).assign(SSIM=[0.7, 0.8, 0.9])
    table = comparison(pd.concat([whole, part]))
    assert (table["images"] == 3).all() and table.loc["S1R1", "SSIM"] == pytest.approx(0.8)
    assert table.loc[["S0R0", *BASELINES], "SSIM"].tolist() == pytest.approx([0.2] * 4)  # 0.375 with the fourth


def test_network_that_lacks_a_fold_is_not_compared_over_it():
    """Its gain is that of the folds it has, or missing; folds without it must not count as "no gain"."""
    values = {"S1R1": [0.01] * 4} | dict.fromkeys(BASELINES, [0.02] * 4)
    other = {"S0R0": [0.01] * 4} | dict.fromkeys(BASELINES, [0.02] * 4)
    both = pd.concat([made_up(values), made_up(other, fold=1), made_up({"S0R0": [0.01] * 4})])
    table = comparison(both)
    assert table.loc["S0R0", f"gain on {BASELINES[0]}, %"] == "50.0 [50.0, 50.0]"
    partial = table.loc["S1R1", f"gain on {BASELINES[0]}, %"]
    assert pd.isna(partial) or partial == "50.0 [50.0, 50.0]"
