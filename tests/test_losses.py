"""Every loss of GCNet (Eq. 2-10) against slow loops, hand values and its properties."""

import math

import numpy as np
import pytest
import torch

from fercore.losses.classification import cross_entropy
from fercore.losses.contrastive import contrastive
from fercore.losses.reconstruction import half_squared_error

SHAPE = (5, 2, 3, 3)  # images x channels x height x width


@pytest.fixture
def numbers():
    return np.random.default_rng(0)


def t(values, **kwargs) -> torch.Tensor:
    return torch.tensor(np.asarray(values), **kwargs)


def slow_contrastive(code, other, different, margin):
    total = 0.0
    for n in range(len(code)):
        squares = 0.0
        for index in np.ndindex(code.shape[1:]):
            squares += (code[n][index] - other[n][index]) ** 2
        S = math.sqrt(squares)
        alpha = 1 if different[n] else 0
        total += alpha * 0.5 * max(0, margin - S) ** 2 + (1 - alpha) * 0.5 * S**2
    return total / len(code)


def slow_half_squared_error(target, estimate):
    total = 0.0
    for n in range(len(target)):
        for index in np.ndindex(target.shape[1:]):
            total += 0.5 * (target[n][index] - estimate[n][index]) ** 2
    return total / len(target)


def slow_cross_entropy(logits, label):
    total, labelled = 0.0, 0
    for n in range(len(logits)):
        if label[n] >= 0:
            total -= math.log(math.exp(logits[n][label[n]]) / sum(math.exp(v) for v in logits[n]))
            labelled += 1
    return total / labelled


@pytest.mark.parametrize("margin", [0.5, 5.0, 50.0])
def test_contrastive_is_equation_4_and_5(numbers, margin):
    code, other = numbers.normal(size=(2, *SHAPE))
    different = [True, False, True, False, True]
    expected = slow_contrastive(code, other, different, margin)
    assert contrastive(t(code), t(other), t(different), margin).item() == pytest.approx(expected, rel=1e-12)


def test_half_squared_error_is_equation_7_to_10(numbers):
    target, estimate = numbers.normal(size=(2, *SHAPE))
    expected = slow_half_squared_error(target, estimate)
    assert half_squared_error(t(target), t(estimate)).item() == pytest.approx(expected, rel=1e-12)


def test_cross_entropy_is_the_mean_over_labelled_images(numbers):
    logits, label = numbers.normal(size=(6, 4)), [3, -1, 0, 2, -1, 2]
    expected = slow_cross_entropy(logits, label)
    assert cross_entropy(t(logits), t(label)).item() == pytest.approx(expected, rel=1e-12)


def test_hand_values():
    code, zero = t([[3.0, 4.0]]), torch.zeros(1, 2)  # S = 5
    assert contrastive(code, zero, t([False]), 7.0) == 12.5
    assert contrastive(code, zero, t([True]), 7.0) == 2
    assert half_squared_error(code, zero) == 12.5
    assert cross_entropy(torch.zeros(1, 2), t([1])).item() == pytest.approx(math.log(2))


COMPARING = {
    "half_squared_error": half_squared_error,
    "contrastive of different pairs": lambda a, b: contrastive(a, b, torch.ones(len(a), dtype=bool), 9.0),
    "contrastive of equal pairs": lambda a, b: contrastive(a, b, torch.zeros(len(a), dtype=bool), 9.0),
}


@pytest.mark.parametrize("loss", COMPARING.values(), ids=COMPARING.keys())
def test_comparing_losses_are_symmetric_and_average_over_images(numbers, loss):
    a, b = t(numbers.normal(size=(2, *SHAPE)))
    assert loss(a, b) == loss(b, a) > 0
    assert loss(torch.cat([a, a]), torch.cat([b, b])).item() == pytest.approx(loss(a, b).item())
    assert loss(a + 1, b + 1).item() == pytest.approx(loss(a, b).item())


def test_losses_are_zero_at_their_optimum(numbers):
    a = t(numbers.normal(size=SHAPE))
    far = a + 100
    assert half_squared_error(a, a) == 0
    assert contrastive(a, a, t([False] * 5), 1.0) == 0
    assert contrastive(a, far, t([True] * 5), 1.0) == 0
    assert cross_entropy(1e3 * torch.eye(4), torch.arange(4)) == 0


def test_contrastive_gradient_draws_equal_pairs_together_and_pushes_others_only_up_to_the_margin():
    other = torch.zeros(3, 1)
    code = t([[1.0], [1.0], [4.0]]).requires_grad_()
    contrastive(code, other, t([False, True, True]), margin=3.0).backward()
    assert code.grad.flatten().tolist() == pytest.approx([1 / 3, -2 / 3, 0])  # descent: inwards, outwards, saturated


@pytest.mark.parametrize("different", [True, False])
def test_contrastive_gradient_at_distance_zero_is_finite(different):
    code = torch.ones(2, 3).requires_grad_()
    contrastive(code, torch.ones(2, 3), t([different] * 2), 1.0).backward()
    assert torch.equal(code.grad, torch.zeros(2, 3))


def test_images_without_label_have_no_influence(numbers):
    logits = t(numbers.normal(size=(3, 4))).requires_grad_()
    cross_entropy(logits, t([1, -1, 2])).backward()
    assert torch.equal(logits.grad[1], torch.zeros(4, dtype=torch.float64))
    assert (logits.grad[[0, 2]] != 0).all()


def test_cross_entropy_without_any_label_is_zero_with_a_zero_gradient():
    logits = torch.randn(3, 4).requires_grad_()
    loss = cross_entropy(logits, t([-1, -1, -1]))
    loss.backward()
    assert loss == 0 and torch.equal(logits.grad, torch.zeros(3, 4))


def test_losses_pass_gradcheck():
    torch.manual_seed(0)
    a, b = (torch.randn(4, 2, 2, 2, dtype=torch.float64, requires_grad=True) for _ in range(2))
    different = torch.tensor([True, False, True, False])
    assert torch.autograd.gradcheck(half_squared_error, (a, b))
    assert torch.autograd.gradcheck(lambda x, y: contrastive(x, y, different, 4.5), (a, b))
    logits = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: cross_entropy(x, torch.tensor([0, 2, -1, 1])), logits)
