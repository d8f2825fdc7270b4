"""What the bench of training steps measures: everything equally often, in turns, and on networks of its own."""

from dataclasses import replace

import pytest
import torch
from factories import TINY_OCCLUDED, covered_batch, occluded, same_bits, snapshot

from fercore import bench_steps
from fercore.bench_steps import ROUNDS, against_parts, in_turns, mover, parts_of_occluded, step_of_occluded
from fercore.papers.occluded import VARIANTS


@pytest.fixture
def clock(monkeypatch):
    """A clock that only work moves: call it with seconds."""
    now = [0.0]
    monkeypatch.setattr(bench_steps.time, "perf_counter", lambda: now[0])
    return lambda seconds: now.__setitem__(0, now[0] + seconds)


def test_works_take_turns_and_the_first_round_is_not_counted(clock):
    done = []

    def work(name, seconds):
        return lambda: (done.append(name), clock(seconds * (9 if len(done) <= 4 else 1)))

    seconds = in_turns({"a": work("a", 2), "b": work("b", 3)}, repeats=2)
    assert done == ["a", "a", "b", "b"] * (ROUNDS + 1)
    assert seconds == {"a": [2] * ROUNDS, "b": [3] * ROUNDS}


def test_the_ratio_is_the_step_over_the_sum_of_its_parts(clock):
    told = against_parts(lambda: clock(0.6), {"one": lambda: clock(0.1), "two": lambda: clock(0.4)}, repeats=3)
    expected = {"step, ms": 600, "one, ms": 100, "two, ms": 400, "ratio": 1.2}
    assert told == {name: pytest.approx(value) for name, value in expected.items()}


def test_parts_are_those_of_the_method_and_leave_it_as_it_is():
    net, batch = occluded(VARIANTS["Ours"]), covered_batch()
    before, modes = snapshot(net), [m.training for m in net.modules()]
    parts = parts_of_occluded(net, batch)
    assert list(parts) == ["student", "teacher", "discriminator", "decoder"]
    for _ in range(2):
        for work in parts.values():
            work()
    assert same_bits(before, snapshot(net)) and modes == [m.training for m in net.modules()]
    assert all(p.grad is None for p in net.parameters())


def test_a_part_moves_as_its_player_does():
    net, batch = occluded(VARIANTS["ResNet"]), covered_batch()
    copy = occluded(VARIANTS["ResNet"])
    move = mover(net, "student", copy.student)
    for _ in range(2):
        net.step(batch)
        move(copy.sup(batch, copy(batch)))
    for (name, one), other in zip(net.student.named_parameters(), copy.student.parameters(), strict=True):
        torch.testing.assert_close(one, other, msg=name)


def test_a_small_step_is_measured_as_a_whole():
    told = step_of_occluded(replace(TINY_OCCLUDED, image_size=16), repeats=1)
    assert set(told) == {f"{n}, ms" for n in ("step", "student", "teacher", "discriminator", "decoder")} | {"ratio"}
    assert all(value > 0 for value in told.values())
