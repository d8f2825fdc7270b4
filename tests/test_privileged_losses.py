"""Every loss of Occluded (Eq. 1-7) against slow loops, hand values, its properties and its gradient's direction."""

import math

import numpy as np
import pytest
import torch
from torch.autograd import grad, gradcheck

from fercore.losses.adversarial import discriminate, fool
from fercore.losses.classification import cross_entropy
from fercore.losses.privileged import loss_inequality, similarity
from fercore.losses.reconstruction import mean_squared_error

LABEL = [2, 0, -1, 3, 1, 1]  # the third image takes no part in classification


@pytest.fixture
def numbers():
    return np.random.default_rng(0)


@pytest.fixture
def scores(numbers):
    """Of student and teacher, 6 images x 4 classes."""
    return numbers.normal(size=(2, 6, 4))


def t(values, **kwargs) -> torch.Tensor:
    return torch.tensor(np.asarray(values), **kwargs)


def slow_softmax(scores):
    return [math.exp(v) / sum(math.exp(w) for w in scores) for v in scores]


def slow_loss(scores, label):
    return -math.log(slow_softmax(scores)[label])


def slow_similarity(scores, privileged):
    total = 0.0
    for s, p in zip(scores, privileged, strict=True):
        total += sum((a - b) ** 2 for a, b in zip(slow_softmax(s), slow_softmax(p), strict=True))
    return total / len(scores)


def slow_inequality(scores, privileged, label, flipped):
    total, labelled = 0.0, 0
    for s, p, y in zip(scores, privileged, label, strict=True):
        if y >= 0:
            excess = slow_loss(p, y) - slow_loss(s, y)
            total += max(0.0, -excess if flipped else excess)
            labelled += 1
    return total / labelled


def slow_game(real, fake):
    """Eq. 4: the mean of log D(h_c) plus the mean of log(1 - D(h_o)); D from its logits."""
    judged = [1 / (1 + math.exp(-v)) for v in real], [1 / (1 + math.exp(-v)) for v in fake]
    return sum(map(math.log, judged[0])) / len(real) + sum(math.log(1 - d) for d in judged[1]) / len(fake)


def slow_mean_squares(target, estimate):
    squares = [(target[i] - estimate[i]) ** 2 for i in np.ndindex(target.shape)]
    return sum(squares) / len(squares)


def test_similarity_is_equation_1(scores):
    assert similarity(*t(scores)).item() == pytest.approx(slow_similarity(*scores), rel=1e-12)


@pytest.mark.parametrize("flipped", [False, True])
def test_loss_inequality_is_equation_3(scores, flipped):
    expected = slow_inequality(*scores, LABEL, flipped)
    assert loss_inequality(*t(scores), t(LABEL), flipped).item() == pytest.approx(expected, rel=1e-12) and expected > 0


def test_loss_inequality_is_zero_exactly_where_equation_2_holds(scores):
    for s, p in zip(*scores, strict=True):
        for y in range(4):
            kept = slow_loss(s, y) >= slow_loss(p, y)
            assert (loss_inequality(t([s]), t([p]), t([y])) == 0) == kept
            assert (loss_inequality(t([s]), t([p]), t([y]), flipped=True) == 0) == (not kept)


def test_losses_of_the_game_are_equations_4_to_6(numbers):
    real, fake = numbers.normal(size=7), numbers.normal(size=5)
    assert discriminate(t(real), t(fake)).item() == pytest.approx(-slow_game(real, fake), rel=1e-12)
    expected = -sum(math.log(1 / (1 + math.exp(-v))) for v in fake) / 5
    assert fool(t(fake)).item() == pytest.approx(expected, rel=1e-12)


def test_mean_squared_error_is_equation_7_over_its_pixels(numbers):
    target, estimate = numbers.normal(size=(2, 3, 2, 4, 4))
    expected = slow_mean_squares(target, estimate)
    assert mean_squared_error(t(target), t(estimate)).item() == pytest.approx(expected, rel=1e-12)


def test_hand_values():
    sure, unsure, wrong = t([[99.0, 0.0]]), torch.zeros(1, 2), t([[0.0, 99.0]])
    assert similarity(sure, wrong).item() == pytest.approx(2)  # (1, 0) and (0, 1)
    assert similarity(sure, unsure).item() == pytest.approx(0.5)
    assert loss_inequality(sure, unsure, t([0])).item() == pytest.approx(math.log(2))  # surer than its teacher
    assert loss_inequality(unsure, sure, t([0])) == 0
    assert loss_inequality(unsure, sure, t([0]), flipped=True).item() == pytest.approx(math.log(2))
    assert loss_inequality(wrong, unsure, t([0]), flipped=True).item() == pytest.approx(99 - math.log(2), rel=1e-6)
    undecided, clean = torch.zeros(3), torch.full((3,), math.log(3))  # D = 1/2, D = 3/4
    assert discriminate(undecided, undecided).item() == pytest.approx(2 * math.log(2))
    assert discriminate(clean, clean).item() == pytest.approx(math.log(4 / 3) + math.log(4))
    assert fool(undecided).item() == pytest.approx(math.log(2))
    assert mean_squared_error(t([[1.0, 5.0]]), t([[2.0, 2.0]])) == 5


def test_losses_are_zero_at_their_optimum(scores, numbers):
    own = t(scores[0])
    image = t(numbers.uniform(size=(2, 3, 4, 4)))
    assert similarity(own, own) == 0 and similarity(own, own + 7).item() == pytest.approx(0, abs=1e-30)
    assert loss_inequality(own, own, t(LABEL)) == 0 == loss_inequality(own, own, t(LABEL), flipped=True)
    assert mean_squared_error(image, image) == 0
    certain = torch.full((4,), 1e3)
    assert discriminate(certain, -certain) == 0 == fool(certain)


def test_losses_of_the_game_are_finite_however_certain_the_critic_is():
    certain = torch.full((4,), 1e3)
    assert discriminate(-certain, certain) == 2e3 and fool(-certain) == 1e3


def test_symmetries(scores, numbers):
    own, other, label = *t(scores), t(LABEL)
    assert similarity(own, other) == similarity(other, own) > 0
    swapped = loss_inequality(other, own, label, flipped=True)
    assert loss_inequality(own, other, label) == swapped
    target, estimate = t(numbers.normal(size=(2, 3, 2, 4, 4)))
    assert mean_squared_error(target, estimate) == mean_squared_error(estimate, target)


@pytest.mark.parametrize("flipped", [False, True])
def test_images_without_label_have_no_influence_on_the_loss_inequality(scores, flipped):
    own, other, label = *t(scores), t(LABEL)
    there = label >= 0
    expected = loss_inequality(own[there], other[there], label[there], flipped)
    assert loss_inequality(own, other, label, flipped).item() == pytest.approx(expected.item(), rel=1e-12)
    own.requires_grad_()
    (gradient,) = grad(loss_inequality(own, other, torch.full((6,), -1), flipped), own)
    assert (gradient == 0).all() and loss_inequality(own, other, torch.full((6,), -1), flipped) == 0


@pytest.mark.parametrize("loss", [similarity, lambda a, b: loss_inequality(a, b, torch.zeros(6, dtype=torch.long))])
@pytest.mark.parametrize("other", [(6, 5), (5, 4)], ids=["classes", "images"])
def test_other_classes_or_images_than_the_teachers_are_refused_with_both_sizes(loss, other):
    with pytest.raises(ValueError, match=rf"\(6, 4\) and \({other[0]}, {other[1]}\).*one set of classes"):
        loss(torch.zeros(6, 4), torch.zeros(other))


def student_losses(scores, label):
    return torch.nn.functional.cross_entropy(scores, label, reduction="none")


@pytest.mark.parametrize("flipped", [False, True])
def test_descent_on_lir_raises_the_students_loss_where_it_is_active_and_flipped_lowers_it(scores, flipped):
    own, other, label = t(scores[0]).requires_grad_(), t(scores[1]), t([2, 0, 0, 3, 1, 1])
    below = student_losses(own, label) < student_losses(other, label)
    active = ~below if flipped else below
    assert 0 < active.sum() < 6
    (gradient,) = grad(loss_inequality(own, other, label, flipped), own)
    assert (gradient[~active] == 0).all()  # silent elsewhere
    change = student_losses(own - 0.01 * gradient, label) - student_losses(own, label)
    assert (change[active] < 0).all() if flipped else (change[active] > 0).all()
    (alone,) = grad(cross_entropy(own, label), own)
    torch.testing.assert_close(gradient[active], alone[active] if flipped else -alone[active])


@pytest.mark.parametrize(("weight", "sign"), [(0.5, 1), (1.0, 0), (2.0, -1)])
def test_lir_of_weight_1_freezes_an_image_and_more_unlearns_it(scores, weight, sign):
    own, other, label = t(scores[0]).requires_grad_(), t(scores[1]), t([2, 0, 0, 3, 1, 1])
    active = student_losses(own, label) < student_losses(other, label)
    (alone,) = grad(cross_entropy(own, label), own)
    (both,) = grad(cross_entropy(own, label) + weight * loss_inequality(own, other, label), own)
    torch.testing.assert_close(both[active], (1 - weight) * alone[active], atol=1e-12, rtol=1e-9)
    torch.testing.assert_close(both[~active], alone[~active])
    assert torch.sign((both * alone)[active].sum(1).round(decimals=12)).eq(sign).all()


def test_descent_on_similarity_draws_the_student_to_its_teacher(scores):
    own, other = t(scores[0]).requires_grad_(), t(scores[1])
    (gradient,) = grad(similarity(own, other), own)
    for before, after, goal in zip(own, own - 0.1 * gradient, other, strict=True):
        assert similarity(after[None], goal[None]) < similarity(before[None], goal[None])


def test_the_adversarial_loss_moves_features_towards_the_clean_ones_while_the_critic_stands_still():
    generator = torch.Generator().manual_seed(0)
    clean, covered = (centre + torch.randn(50, 2, generator=generator) for centre in (t([2.0, 1.0]), t([-2.0, 1.0])))
    critic = torch.nn.Linear(2, 1).double()
    descent = torch.optim.SGD(critic.parameters(), lr=0.5)
    for _ in range(200):
        descent.zero_grad()
        discriminate(critic(clean)[:, 0], critic(covered)[:, 0]).backward()
        descent.step()
    assert discriminate(critic(clean)[:, 0], critic(covered)[:, 0]) < 0.5
    moved = covered.clone().requires_grad_()
    before = fool(critic(moved)[:, 0]).item()
    for _ in range(20):
        (gradient,) = grad(fool(critic(moved)[:, 0]), moved)
        moved = (moved - 5 * gradient).detach().requires_grad_()
    goal = clean.mean(0)
    assert (moved.mean(0) - goal).norm() < 0.7 * (covered.mean(0) - goal).norm()
    assert fool(critic(moved)[:, 0]) < before / 2


def test_the_adversarial_loss_still_pulls_where_the_critic_is_certain():
    fake = torch.tensor([-20.0], requires_grad=True)
    assert grad(fool(fake), fake)[0].item() == pytest.approx(-1)  # the printed Eq. 4 would leave 2e-9
    assert grad(discriminate(fake, fake), fake)[0].item() == pytest.approx(-1)


def test_losses_pass_gradcheck(scores, numbers):
    own, other = (t(s).requires_grad_() for s in scores)
    label = t(LABEL)
    assert gradcheck(similarity, (own, other))
    for flipped in (False, True):
        assert gradcheck(lambda a, b, flipped=flipped: loss_inequality(a, b, label, flipped), (own, other))
    real, fake = (t(x).requires_grad_() for x in numbers.normal(size=(2, 5)))
    assert gradcheck(discriminate, (real, fake)) and gradcheck(fool, (fake,))
    target, estimate = (t(x).requires_grad_() for x in numbers.normal(size=(2, 2, 3, 2, 2)))
    assert gradcheck(mean_squared_error, (target, estimate))
