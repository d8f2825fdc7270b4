"""Training where players take turns: terms that sit out a step, in the history, after a stop and when they fail."""

import math

import pandas as pd
import pytest
import torch
from factories import all_of, course, occluded, same_bits, small_faces

from fercore.faces.examples import Examples
from fercore.faces.occlusion import Cover
from fercore.papers.occluded import VARIANTS
from fercore.training import TrainingError, fit

ITERATIONS = 17  # 30 images in batches of 4: seven steps per epoch, the third epoch stays incomplete
STUDENT = {"sup", "sim", "LIR", "adv", "rec"}


@pytest.fixture(scope="module")
def examples():
    faces = small_faces(subjects=2, size=33)
    return Examples(faces, all_of(faces), 32, channels=3, cover=Cover(("R16",), "training"))


def ours(**changes):
    return occluded(VARIANTS["Ours"], image_size=32, iterations=ITERATIONS, **changes)


def watched(net) -> list[dict]:
    values, ordinary = [], net.step
    net.step = lambda batch: values.append(ordinary(batch)) or values[-1]
    return values


@pytest.mark.parametrize(("K1", "K2"), [(2, 1), (1, 3)])
def test_history_is_the_mean_over_the_steps_that_played_the_term(examples, K1, K2):
    net = ours(K1=K1, K2=K2)
    values = watched(net)
    history = fit(net, examples, course(ITERATIONS))
    assert set(history) == {"epoch", "iteration", "discriminate", *STUDENT} and len(history) == 3
    for term in (*STUDENT, "discriminate"):
        for told, steps in zip(history[term], (values[:7], values[7:14], values[14:]), strict=True):
            played = [step[term].item() for step in steps if term in step]
            assert 0 < len(played) and told == pytest.approx(sum(played) / len(played), rel=1e-5)
    assert sum("sup" in step for step in values) == (8 if K1 == 2 else 17)


def test_an_epoch_that_never_played_a_term_has_no_value_for_it(examples):
    history = fit(ours(K1=2), examples, course(4, batch_size=30))  # one step per epoch
    assert history["discriminate"].notna().all()
    for term in STUDENT:
        assert history[term].isna().tolist() == [True, False, True, False]


@pytest.mark.parametrize("stop", [8, 15])
def test_interrupted_turns_go_on_where_they_stood_with_the_same_bits(examples, tmp_path, stop):
    whole, later = ours(K1=2), ours(K1=2)
    expected = fit(whole, examples, course(ITERATIONS))
    ordinary = later.step

    def step(batch):
        if later.iteration == stop:
            raise KeyboardInterrupt
        return ordinary(batch)

    later.step = step
    with pytest.raises(KeyboardInterrupt):
        fit(later, examples, course(ITERATIONS), tmp_path / "c.pt", seconds_between=0)
    again = occluded(
        VARIANTS["Ours"], seed=5, image_size=32, iterations=ITERATIONS, K1=2
    )  # all must come from the file
    history = fit(again, examples, course(ITERATIONS), tmp_path / "c.pt", seconds_between=0)
    assert same_bits(whole.progress(), again.progress())  # weights, statistics, moments, iteration
    pd.testing.assert_frame_equal(history, expected, check_exact=True)


@pytest.mark.parametrize(("term", "iteration"), [("rec", 9), ("rec", 3), ("discriminate", 8)])
def test_a_term_that_breaks_is_named_with_its_iteration_though_it_sat_out_others(examples, term, iteration):
    net = ours(K1=2)  # the student plays at 1, 3, 5, ...
    ordinary = getattr(net, term)
    setattr(net, term, lambda batch, out: ordinary(batch, out) * (math.nan if net.iteration == iteration else 1))
    with pytest.raises(TrainingError, match=rf"{term} became nan at iteration {iteration + 1};"):
        fit(net, examples, course(ITERATIONS))


def test_the_teacher_is_in_evaluation_mode_in_every_step_of_a_training(examples):
    net, modes = ours(), []
    ordinary = net.step
    net.step = lambda batch: modes.append([net.get_submodule(n).training for n in NETWORKS]) or ordinary(batch)
    before = {name: value.clone() for name, value in net.teacher.state_dict().items()}
    fit(net, examples, course(9))
    assert modes == [[True, True, True, False]] * 9
    assert all(torch.equal(value, before[name]) for name, value in net.teacher.state_dict().items())


NETWORKS = ("student", "decoder", "discriminator", "teacher")
