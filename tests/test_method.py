"""The one step that all methods share: on a toy game by hand, then over every GCNet variant and pre-training stage."""

import io
import math

import pytest
import torch
from factories import STAGES, gcnet, random_batch, same_bits, snapshot
from torch import nn
from torch.autograd import grad

from fercore.method import Batch, Descent, Method, Player

RATE = 0.125


def plain(rate=lambda iteration: RATE) -> Descent:
    return Descent(rate, momentum=0.0, weight_decay=0.0)


class Game(Method):
    """Two players share a forward pass: a learner that also fools a critic, and the critic; a teacher looks on."""

    def __init__(
        self, kept=("fit", "fool", "follow", "judge"), judge=1.0, multiplier=1.0, first="learner", descent=None
    ):
        super().__init__()
        torch.manual_seed(0)
        self.learner = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2))
        self.critic, self.teacher = nn.Linear(2, 1), nn.Linear(3, 2)
        descent = descent or plain()
        players = [
            Player("learner", {"learner": multiplier}, {"fit": 1.0, "fool": 0.5, "follow": 2.0}, descent),
            Player("critic", {"critic": 1.0}, {"judge": judge}, descent),
        ]
        self.set_players(players if first == "learner" else players[::-1], frozenset(kept))

    def forward(self, batch):
        feature = self.learner(batch.image)
        return feature, self.critic(feature)

    def fit(self, batch, out):
        return (out[0] - batch.reference).square().mean()

    def fool(self, batch, out):
        return -out[1].square().mean()

    def follow(self, batch, out):
        return (out[0] - self.teacher(batch.image)).square().mean()

    def judge(self, batch, out):
        return (out[1] - 1).square().mean()  # nothing is detached: the rule is the player's, not the term's


@pytest.fixture
def points():
    generator = torch.Generator().manual_seed(1)
    image, target = torch.rand(5, 3, generator=generator), torch.rand(5, 2, generator=generator)
    return Batch(image, torch.zeros(5).long(), target)


def own_gradients(game, batch):
    """By hand, at the weights before anyone moves: each player's loss by that player's parameters."""
    out = game(batch)
    learner = game.fit(batch, out) + 0.5 * game.fool(batch, out) + 2 * game.follow(batch, out)
    critic = game.judge(batch, out)
    by_learner = grad(learner, list(game.learner.parameters()), retain_graph=True)
    return {"learner": by_learner, "critic": grad(critic, list(game.critic.parameters()))}


@pytest.mark.parametrize("first", ["learner", "critic"])
def test_each_player_descends_its_own_loss_and_all_gradients_are_taken_before_anyone_moves(points, first):
    game = Game(first=first)
    expected = own_gradients(game, points)
    before = {name: [p.clone() for p in game.get_submodule(name).parameters()] for name in expected}
    game.step(points)
    for name, gradients in expected.items():
        for new, old, gradient in zip(game.get_submodule(name).parameters(), before[name], gradients, strict=True):
            assert (gradient != 0).any()
            torch.testing.assert_close(new.detach(), old - RATE * gradient)


def test_a_term_moves_no_network_of_another_player(points):
    mild, strong = Game(judge=1.0), Game(judge=100.0)
    mild.step(points), strong.step(points)
    assert same_bits(snapshot(mild.learner), snapshot(strong.learner))
    assert not same_bits(snapshot(mild.critic), snapshot(strong.critic))


def test_a_player_without_terms_never_moves(points):
    game = Game(kept=("fit",), descent=Descent(lambda iteration: RATE, momentum=0.9, weight_decay=0.1))
    before = snapshot(game.critic)
    for _ in range(2):
        assert game.step(points).keys() == {"fit"}
    assert same_bits(before, snapshot(game.critic))
    assert game.iteration == 2


def test_a_weight_of_zero_is_a_player_removed(points):
    silent, absent = Game(judge=0.0), Game(kept=("fit", "fool", "follow"))
    for _ in range(2):
        assert same_bits(silent.step(points), absent.step(points))
    assert same_bits(snapshot(silent), snapshot(absent))


def test_a_teacher_of_no_player_gets_no_gradient_and_never_moves(points):
    game = Game()
    before = snapshot(game.teacher)
    game.step(points)
    assert all(p.grad is None for p in game.teacher.parameters())
    assert same_bits(before, snapshot(game.teacher))


def test_a_frozen_network_of_a_player_gets_no_gradient_and_never_moves(points):
    descent = Descent(lambda iteration: RATE, momentum=0.9, weight_decay=0.1)
    game = Game()
    game.teacher.requires_grad_(False)
    both = Player("learner", {"learner": 1, "teacher": 1}, {"fit": 1.0, "follow": 1.0}, descent)
    game.set_players([both], frozenset({"fit", "follow"}))
    frozen, moving = snapshot(game.teacher), snapshot(game.learner)
    game.step(points)
    assert all(p.grad is None for p in game.teacher.parameters())
    assert same_bits(frozen, snapshot(game.teacher))
    assert not same_bits(moving, snapshot(game.learner))


def test_an_unknown_term_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"unknown terms \['flatter'\].*'fit', 'follow', 'fool', 'judge'"):
        Game(kept=("fit", "flatter"))


def test_multipliers_of_the_learning_rate_act_and_the_rate_follows_the_iteration(points):
    rates = []
    game = Game(multiplier=3.0, descent=plain(lambda iteration: 0.1 / (1 + iteration)))
    for iteration in range(3):
        before, gradient = game.learner[0].weight.detach().clone(), own_gradients(game, points)["learner"][0]
        game.step(points)
        moved = before - game.learner[0].weight.detach()
        rates.append((moved / gradient).mean().item())
        torch.testing.assert_close(moved, 3 * 0.1 / (1 + iteration) * gradient)
    assert rates == pytest.approx([0.3, 0.15, 0.1], rel=1e-3)


@pytest.mark.parametrize("networks", [{"learner": 1, "learner.1": 3}, {"learner.1": 3, "learner": 1}], ids=str)
def test_a_part_of_a_network_can_have_a_rate_of_its_own(points, networks):
    game = Game()
    game.set_players([Player("learner", networks, {"fit": 1.0}, plain())], frozenset({"fit"}))
    start = [p.clone() for p in game.learner.parameters()]
    expected = grad(game.fit(points, game(points)), list(game.learner.parameters()))
    game.step(points)
    for new, old, gradient, rate in zip(game.learner.parameters(), start, expected, (1, 1, 3, 3), strict=True):
        torch.testing.assert_close(new.detach(), old - rate * RATE * gradient)


def test_descent_is_nesterov_with_weight_decay(points):
    momentum, decay = 0.9, 0.01
    game = Game(descent=Descent(lambda iteration: RATE, momentum, decay))
    velocity = 0
    for _ in range(3):
        weight = game.learner[0].weight.detach().clone()
        gradient = own_gradients(game, points)["learner"][0] + decay * weight
        velocity = momentum * velocity + gradient
        game.step(points)
        torch.testing.assert_close(game.learner[0].weight.detach(), weight - RATE * (gradient + momentum * velocity))


def test_resumed_progress_continues_with_the_same_bits(points):
    descent = Descent(lambda iteration: RATE / (1 + iteration), momentum=0.9, weight_decay=0.01)
    game, later = Game(descent=descent), Game(descent=descent)
    game.step(points)
    torch.save(game.progress(), buffer := io.BytesIO())
    buffer.seek(0)
    later.resume(torch.load(buffer, weights_only=True))
    game.step(points), later.step(points)
    assert later.iteration == 2
    assert same_bits(game.progress(), later.progress())


# --- every variant and stage of GCNet --------------------------------------------------------------------------------

RECOGNISER = {"En2", "hidden", "classifier"}
GENERATOR = {"En1", "De1"}
WORKING = {
    "CNN": RECOGNISER,
    "metricCNN": RECOGNISER,
    "S0R0": RECOGNISER | GENERATOR,
    "S1R0": RECOGNISER | GENERATOR,
    "S0R1": RECOGNISER | GENERATOR | {"De2r", "De2i"},
    "S1R1": RECOGNISER | GENERATOR | {"De2r", "De2i"},
    "reconstruction": GENERATOR,
    "identification": RECOGNISER,
}
TERMS = {
    "CNN": {"classify"},
    "metricCNN": {"classify", "contrastive"},
    "S0R0": {"classify", "generate_reference"},
    "S1R0": {"classify", "generate_reference", "contrastive"},
    "S0R1": {"classify", "generate_reference", "reconstruct_reference", "reconstruct_input"},
    "S1R1": {"classify", "generate_reference", "contrastive", "reconstruct_reference", "reconstruct_input"},
    "reconstruction": {"autoencode"},
    "identification": {"classify"},
}
every_variant = pytest.mark.parametrize("variant", STAGES)


def two_steps(method):
    torch.manual_seed(3)  # dropout
    return [method.step(random_batch(seed)) for seed in (0, 1)]


def test_the_tables_of_this_test_name_every_variant():
    assert WORKING.keys() == TERMS.keys() == STAGES.keys()


@every_variant
def test_terms_are_the_expected_ones_and_finite(variant):
    for values in two_steps(gcnet(STAGES[variant])):
        assert values.keys() == TERMS[variant]
        assert all(math.isfinite(v) and v.shape == () and not v.requires_grad for v in values.values())


@every_variant
def test_only_the_working_networks_move_buffers_included(variant):
    method = gcnet(STAGES[variant])
    before = {name: snapshot(network) for name, network in method.named_children()}
    two_steps(method)
    moved = {name for name, network in method.named_children() if not same_bits(before[name], snapshot(network))}
    assert moved == WORKING[variant]


@every_variant
def test_every_parameter_of_the_working_networks_receives_a_gradient_and_no_other(variant):
    method = gcnet(STAGES[variant], dropout=0.0)
    method.step(random_batch())
    for name, parameter in method.named_parameters():
        if name.split(".")[0] not in WORKING[variant]:
            assert parameter.grad is None, name
            continue
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name
        before_norm = name.endswith(".convolution.bias")  # batch normalisation takes such a bias out again
        assert before_norm or (parameter.grad != 0).any(), name


@every_variant
def test_two_steps_with_one_seed_are_identical(variant):
    first, second = gcnet(STAGES[variant]), gcnet(STAGES[variant])
    for one, other in zip(two_steps(first), two_steps(second), strict=True):
        assert same_bits(one, other)
    assert same_bits(first.progress(), second.progress())


WEIGHT_OF = {
    "contrastive": {"lambda_S": 0},
    "reconstruct_reference": {"lambda_Rr": 0},
    "reconstruct_input": {"lambda_Ri": 0},
}


@pytest.mark.parametrize("variant", ["S1R0", "S0R1", "S1R1"])
@pytest.mark.parametrize("term", WEIGHT_OF)
def test_a_weight_of_zero_is_a_term_removed_bit_for_bit(variant, term):
    if term not in STAGES[variant]:
        pytest.skip(f"{variant} has no {term}")
    silent, absent = gcnet(STAGES[variant], **WEIGHT_OF[term]), gcnet(STAGES[variant] - {term})
    for one, other in zip(two_steps(silent), two_steps(absent), strict=True):
        assert same_bits(one, other)
    assert same_bits(silent.progress(), absent.progress())
