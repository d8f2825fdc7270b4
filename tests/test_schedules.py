"""Learning rates."""

import math

import pytest
import torch

from fercore.schedules import cosine, inverse, linear


@pytest.mark.parametrize("iteration", [0, 1, 10_000, 300_000])
def test_inverse_is_the_policy_of_caffe(iteration):
    caffe = 0.001 * (1 + 1e-4 * iteration) ** (-0.75)  # caffe.proto: base_lr * (1 + gamma * iter) ^ (-power)
    assert inverse(0.001, 1e-4, 0.75)(iteration) == pytest.approx(caffe, rel=1e-12)


def test_inverse_by_hand():
    assert inverse(0.8, 0.5, 2)(2) == pytest.approx(0.2)  # 0.8 / (1 + 1)^2
    assert inverse(0.001, 1e-4, 0.75)(300_000) == pytest.approx(7.6e-5, rel=0.01)  # as worked out from the paper


def test_linear_by_hand():
    rate = linear(0.8, 0.05, 10)
    assert [rate(i) for i in (0, 5, 10)] == pytest.approx([0.8, 0.42, 0.04])
    assert rate(11) == rate(10)  # and it stays there
    assert linear(0.8, 1.0, 10)(7) == 0.8
    assert linear(0.8, 2.0, 10)(5) == pytest.approx(1.2)


def test_cosine_by_hand():
    rate = cosine(0.8, 0.0, 12)
    assert [rate(i) for i in (0, 4, 6, 12)] == pytest.approx([0.8, 0.6, 0.4, 0.0])  # cos of 0, 60, 90, 180 degrees
    assert rate(13) == rate(12)  # and it stays there
    assert cosine(0.8, 0.25, 12)(12) == pytest.approx(0.2) and cosine(0.8, 1.0, 12)(7) == 0.8


def test_cosine_is_the_schedule_of_pytorch():
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    theirs, ours = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 9, eta_min=0.03), cosine(0.3, 0.1, 9)
    for iteration in range(10):
        assert ours(iteration) == pytest.approx(optimiser.param_groups[0]["lr"], rel=1e-9)
        assert ours(iteration) == pytest.approx(0.03 + 0.27 * (1 + math.cos(math.pi * iteration / 9)) / 2)
        optimiser.step()
        theirs.step()
