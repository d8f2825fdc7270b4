"""Unpaired's weights of images (Eq. 6, 7) and its side of the game against slow loops, hand values and properties."""

import math

import numpy as np
import pytest
import torch
from torch.autograd import grad, gradcheck

from fercore.losses.adversarial import discriminate, disown, fool
from fercore.losses.attention import binary_entropy, transferability, weighted_cross_entropy
from fercore.losses.classification import cross_entropy

LABEL = torch.tensor([2, 0, -1, 3, 1, 1])


@pytest.fixture
def numbers():
    return np.random.default_rng(0)


def logit(p) -> torch.Tensor:
    p = torch.as_tensor(p, dtype=torch.float64)
    return (p / (1 - p)).log()


def slow_entropy(p):
    return -sum(q * math.log(q) for q in (p, 1 - p) if q)


def test_weights_are_equation_6(numbers):
    p_h, p_l = numbers.uniform(size=(2, 7))
    expected = [1 + (slow_entropy(h) + slow_entropy(s)) / 2 for h, s in zip(p_h, p_l, strict=True)]
    np.testing.assert_allclose(transferability(logit(p_h), logit(p_l)), expected, rtol=1e-9)
    alone = [1 + slow_entropy(h) / 2 for h in p_h]
    np.testing.assert_allclose(transferability(logit(p_h), None), alone, rtol=1e-9)


def test_weighted_cross_entropy_is_equation_7_over_labelled_images(numbers):
    scores, w = numbers.normal(size=(6, 4)), numbers.uniform(1, 1.7, size=6)
    each = [wi * (math.log(sum(map(math.exp, s))) - s[y]) for wi, s, y in zip(w, scores, LABEL, strict=True) if y >= 0]
    found = weighted_cross_entropy(torch.tensor(scores), LABEL, torch.tensor(w))
    assert found.item() == pytest.approx(sum(each) / 5, rel=1e-12)


def test_hand_values():
    unsure, sure = torch.zeros(1), torch.tensor([1e3])  # p = 1/2, p = 1
    assert transferability(unsure, unsure).item() == pytest.approx(1 + math.log(2))
    assert transferability(sure, sure) == 1 == transferability(-sure, sure)
    assert transferability(unsure, sure).item() == pytest.approx(1 + math.log(2) / 2)
    assert transferability(unsure, None).item() == pytest.approx(1 + math.log(2) / 2)
    assert binary_entropy(logit([0.25])).item() == pytest.approx(0.25 * math.log(4) + 0.75 * math.log(4 / 3))
    assert disown(unsure).item() == pytest.approx(math.log(2)) and disown(logit([0.75])).item() == pytest.approx(
        math.log(4)
    )
    twice = weighted_cross_entropy(torch.zeros(2, 2), torch.tensor([0, -1]), torch.tensor([2.0, 9.0]))
    assert twice.item() == pytest.approx(2 * math.log(2))


def test_weights_grow_with_doubt_and_do_not_know_which_side_is_which(numbers):
    doubt = logit([0.01, 0.2, 0.4, 0.5])
    weights = transferability(doubt, doubt)
    assert (weights.diff() > 0).all() and weights.min() >= 1
    torch.testing.assert_close(transferability(-doubt, doubt), weights)
    logits = torch.tensor(numbers.normal(0, 200, size=500))
    w = transferability(logits, logits.flip(0))
    assert w.isfinite().all() and w.min() >= 1 and w.max() <= 1 + math.log(2)


def test_no_gradient_passes_through_weights():
    judged = torch.randn(5, requires_grad=True)
    assert not transferability(judged, judged).requires_grad
    assert binary_entropy(judged).requires_grad


def test_equal_weights_scale_the_cross_entropy_and_unlabelled_images_have_no_influence(numbers):
    scores = torch.tensor(numbers.normal(size=(6, 4)), requires_grad=True)
    plain = cross_entropy(scores, LABEL).item()
    assert weighted_cross_entropy(scores, LABEL, torch.full((6,), 1.5)).item() == pytest.approx(1.5 * plain)
    (gradient,) = grad(weighted_cross_entropy(scores, LABEL, torch.ones(6)), scores)
    assert (gradient[2] == 0).all() and (gradient[[0, 1, 3, 4, 5]] != 0).all()
    nobody = weighted_cross_entropy(scores, torch.full((6,), -1), torch.ones(6))
    assert nobody == 0 and (grad(nobody, scores)[0] == 0).all()


def test_disowning_is_fooling_a_critic_who_calls_the_sides_by_each_others_names(numbers):
    real, fake = torch.tensor(numbers.normal(size=(2, 5)), requires_grad=True)
    assert disown(real) == fool(-real)
    assert discriminate(real, fake).item() == pytest.approx((fool(real) + disown(fake)).item())
    (gradient,) = grad(disown(real), real)
    assert (gradient > 0).all()  # descent lowers D(a_v): towards "thermal"
    certain = torch.tensor([20.0], requires_grad=True)
    assert grad(disown(certain), certain)[0].item() == pytest.approx(1)  # still pulls where the critic is certain
    assert disown(torch.tensor([1e3])) == 1e3 and disown(torch.tensor([-1e3])) == 0


def test_losses_pass_gradcheck(numbers):
    judged = torch.tensor(numbers.normal(size=5), requires_grad=True)
    assert gradcheck(disown, (judged,)) and gradcheck(binary_entropy, (judged,))
    scores = torch.tensor(numbers.normal(size=(6, 4)), requires_grad=True)
    w = torch.tensor(numbers.uniform(1, 1.7, size=6))
    assert gradcheck(lambda s: weighted_cross_entropy(s, LABEL, w), (scores,))
