"""Training: the same bits after an interruption as without one; refuses what cannot be trained."""

import math
import re

import pandas as pd
import pytest
import torch
from factories import STAGES, course, gcnet, same_bits, small_examples, small_faces, snapshot

from fercore import training
from fercore.faces.protocols import Part
from fercore.training import TrainingError, fit

ITERATIONS = 17  # 30 images in batches of 4: seven steps per epoch, the third epoch stays incomplete


class InterruptionError(Exception):
    pass


@pytest.fixture(scope="module")
def examples():
    return small_examples(small_faces(subjects=2))


@pytest.fixture
def net():
    return gcnet(STAGES["S1R1"])


def trained(examples, iterations=ITERATIONS, seed=0, variant="S1R1", **settings):
    method = gcnet(STAGES[variant])
    history = fit(method, examples, course(iterations, seed=seed), **settings)
    return method, history


def interrupt_before(method, iteration):
    """Let ``method`` raise when it is about to do this iteration (counted from 0)."""
    ordinary = method.step

    def step(batch):
        if method.iteration == iteration:
            raise InterruptionError
        return ordinary(batch)

    method.step = step
    return method


@pytest.mark.parametrize("variant", ["CNN", "S1R1"])
def test_two_runs_with_one_seed_are_identical_and_another_seed_differs(examples, variant):
    (one, first), (again, second), (other, third) = (trained(examples, 9, seed, variant) for seed in (0, 0, 1))
    assert same_bits(one.progress(), again.progress())
    pd.testing.assert_frame_equal(first, second, check_exact=True)
    assert not same_bits(snapshot(one), snapshot(other)) and not first.equals(third)


@pytest.mark.parametrize("stops", [(3,), (7,), (8,), (14,), (16,), (2, 9, 15)])
def test_interrupted_training_ends_with_the_same_bits(examples, tmp_path, stops):
    whole, expected = trained(examples)
    checkpoint = tmp_path / "run" / "checkpoint.pt"
    for stop in stops:
        method = interrupt_before(gcnet(STAGES["S1R1"]), stop)
        with pytest.raises(InterruptionError):
            fit(method, examples, course(ITERATIONS), checkpoint, seconds_between=0)
        assert checkpoint.is_file() == (stop >= 7)  # only whole epochs are saved
    method = gcnet(STAGES["S1R1"], seed=5)  # other weights: all must come from the checkpoint
    if not checkpoint.is_file():
        method = gcnet(STAGES["S1R1"])
    history = fit(method, examples, course(ITERATIONS), checkpoint, seconds_between=0)
    assert same_bits(whole.progress(), method.progress())  # weights, buffers, momentum, iteration
    pd.testing.assert_frame_equal(history, expected, check_exact=True)


def test_finished_training_is_not_repeated(examples, tmp_path):
    whole, history = trained(examples, checkpoint=tmp_path / "c.pt", seconds_between=0)
    method = interrupt_before(gcnet(STAGES["S1R1"], seed=5), ITERATIONS)
    again = fit(method, examples, course(ITERATIONS), tmp_path / "c.pt", seconds_between=0)
    assert same_bits(whole.progress(), method.progress())
    pd.testing.assert_frame_equal(again, history, check_exact=True)


def test_end_of_training_is_saved_however_short_it_was(examples, tmp_path):
    whole, _ = trained(examples, 3, checkpoint=tmp_path / "c.pt")
    kept = torch.load(tmp_path / "c.pt", weights_only=True)
    assert same_bits(kept["method"], whole.progress())


def test_checkpoints_are_written_only_so_often(examples, tmp_path, monkeypatch):
    now, written = [0.0], []
    monkeypatch.setattr(training.time, "monotonic", lambda: now.append(now[-1] + 4) or now[-1])
    monkeypatch.setattr(training, "_save", lambda method, *rest: written.append(method.iteration))
    trained(examples, 50, checkpoint=tmp_path / "c.pt", seconds_between=10)
    assert 2 <= len(written) < 7 and written[-1] == 50


def test_history_holds_the_mean_of_every_term_per_epoch(examples, net):
    values, ordinary = [], net.step
    net.step = lambda batch: values.append(ordinary(batch)) or values[-1]
    history = fit(net, examples, course(ITERATIONS))
    assert history["epoch"].tolist() == [0, 1, 2]
    assert history["iteration"].tolist() == [7, 14, 17]
    for term in STAGES["S1R1"]:
        steps = [v[term].item() for v in values]
        means = [sum(part) / len(part) for part in (steps[:7], steps[7:14], steps[14:])]
        assert history[term].tolist() == pytest.approx(means, rel=1e-5)


def test_an_observer_is_told_every_epoch_and_changes_nothing(examples):
    seen, net = [], gcnet(STAGES["S1R1"])

    def look(epoch):
        net.eval()
        torch.rand(7)
        seen.append((epoch, net.iteration))

    history = fit(net, examples, course(ITERATIONS), after_epoch=look)
    assert seen == [(0, 7), (1, 14), (2, 17)]
    alone, expected = trained(examples)
    assert same_bits(net.progress(), alone.progress())
    pd.testing.assert_frame_equal(history, expected, check_exact=True)


def test_networks_are_in_training_mode_and_every_epoch_has_other_changes(examples, net):
    seen, ordinary = [], net.step
    net.eval()

    def step(batch):
        assert all(module.training for module in net.modules())
        seen.append(batch.image)
        return ordinary(batch)

    net.step = step
    fit(net, examples, course(14, batch_size=30))
    assert len(seen) == 14
    assert len({image.sum().item() for image in seen}) == 14


@pytest.mark.parametrize("poison", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_stops_with_its_name_and_keeps_the_epoch_before(examples, tmp_path, net, poison):
    ordinary = net.contrastive

    def contrastive(batch, out):
        return ordinary(batch, out) * (poison if net.iteration == 9 else 1)

    net.contrastive = contrastive
    with pytest.raises(TrainingError, match=r"contrastive became (nan|inf).*iteration 10"):
        fit(net, examples, course(ITERATIONS), tmp_path / "c.pt", seconds_between=0)
    kept = torch.load(tmp_path / "c.pt", weights_only=True)
    good, _ = trained(examples, 7)
    assert same_bits(kept["method"], good.progress())
    assert [f.name for f in tmp_path.iterdir()] == ["c.pt"]


def test_weights_that_overflow_in_the_very_last_step_are_not_a_finished_training(examples, net):
    """The loss of a step is taken before the step; the last one can break the networks unseen."""
    ordinary = net.step

    def step(batch):
        values = ordinary(batch)
        if net.iteration == ITERATIONS:
            torch.nn.init.constant_(net.classifier.weight, math.nan)
        return values

    net.step = step
    with pytest.raises(TrainingError):
        fit(net, examples, course(ITERATIONS))


def test_no_image_at_all_is_refused(net):
    faces = small_faces(subjects=1)
    empty = small_examples(faces, Part(*torch.empty(2, 0, dtype=torch.long).numpy()))
    with pytest.raises(TrainingError, match="no training image"):
        fit(net, empty, course())


@pytest.mark.parametrize(("batch_size", "steps"), [(4, 7), (7, 4), (29, 1), (30, 1), (100, 1)])
def test_an_incomplete_last_batch_is_left_out_and_a_too_large_one_shrinks(examples, net, batch_size, steps):
    sizes, ordinary = [], net.step
    net.step = lambda batch: sizes.append(len(batch.image)) or ordinary(batch)
    history = fit(net, examples, course(2 * steps, batch_size))
    assert sizes == [min(batch_size, 30)] * 2 * steps and len(history) == 2


def test_progress_bar_resumes_where_training_stood(examples, tmp_path, net, capsys):
    with pytest.raises(InterruptionError):
        fit(interrupt_before(net, 8), examples, course(ITERATIONS), tmp_path / "c.pt", 0, "first")
    fit(gcnet(STAGES["S1R1"]), examples, course(ITERATIONS), tmp_path / "c.pt", 0, "second")
    shown = capsys.readouterr().err
    second = shown[shown.index("second") :]
    assert re.findall(rf"(\d+)/{ITERATIONS}", second)[0] == "7"
    assert f"{ITERATIONS}/{ITERATIONS}" in second
