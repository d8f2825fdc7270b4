"""The one step that all methods share, on a toy game by hand."""

import io
from dataclasses import replace

import pytest
import torch
from factories import same_bits, snapshot
from torch import nn
from torch.autograd import grad

from fercore.method import Adam, Batch, Descent, Method, Player

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


def test_adam_by_hand(points):
    """Kingma & Ba 2015, Algorithm 1."""
    beta1, beta2 = 0.5, 0.999
    game = Game(descent=Adam(lambda iteration: 0.01 / (1 + iteration), beta1), multiplier=3.0)
    m = v = 0
    for t in range(1, 4):
        weight, gradient = game.learner[0].weight.detach().clone(), own_gradients(game, points)["learner"][0]
        m, v = beta1 * m + (1 - beta1) * gradient, beta2 * v + (1 - beta2) * gradient**2
        game.step(points)
        expected = weight - 3 * 0.01 / t * (m / (1 - beta1**t)) / ((v / (1 - beta2**t)).sqrt() + 1e-8)
        torch.testing.assert_close(game.learner[0].weight.detach(), expected)


def test_resumed_adam_continues_with_the_same_bits(points):
    descent = Adam(lambda iteration: 0.1 / (1 + iteration), beta1=0.5, weight_decay=0.01)
    game, later, forgetful = (Game(descent=descent) for _ in range(3))
    game.step(points)
    progress = game.progress()
    for other in (later, forgetful):
        torch.save(progress, buffer := io.BytesIO())
        buffer.seek(0)
        other.resume(torch.load(buffer, weights_only=True))
    forgetful.optimisers["learner"].state.clear()
    for each in (game, later, forgetful):
        each.step(points)
    assert same_bits(game.progress(), later.progress())
    assert not same_bits(snapshot(game.learner), snapshot(forgetful.learner))  # the moments matter


def taking_turns(learner: tuple[bool, ...], critic: tuple[bool, ...]) -> Game:
    game = Game()
    players = [replace(p, turns={"learner": learner, "critic": critic}[p.name]) for p in game.players]
    game.set_players(players, frozenset({"fit", "fool", "follow", "judge"}))
    return game


def test_players_move_when_it_is_their_turn_and_only_their_terms_are_told(points):
    game, moved, told = taking_turns((False, False, True), (True, True)), [], []
    for _ in range(7):
        before = {name: snapshot(game.get_submodule(name)) for name in ("learner", "critic")}
        told.append(game.step(points).keys())
        moved.append({name for name, was in before.items() if not same_bits(was, snapshot(game.get_submodule(name)))})
    alone, both = ({"critic"}, {"judge"}), ({"critic", "learner"}, {"judge", "fit", "fool", "follow"})
    assert list(zip(moved, told, strict=True)) == [alone, alone, both, alone, alone, both, alone]


def test_a_turn_is_the_step_that_it_would_be_without_turns(points):
    game, plain = taking_turns((False, True), (True,)), Game(kept=("judge",))
    game.step(points), plain.step(points)
    assert same_bits(snapshot(game), snapshot(plain))
    expected = own_gradients(game, points)
    before = {name: [p.detach().clone() for p in game.get_submodule(name).parameters()] for name in expected}
    game.step(points)
    for name, gradients in expected.items():
        for new, old, gradient in zip(game.get_submodule(name).parameters(), before[name], gradients, strict=True):
            torch.testing.assert_close(new.detach(), old - RATE * gradient)


def test_nobody_moves_where_it_is_nobodys_turn(points):
    game = taking_turns((False, True), (False, True))
    before = snapshot(game)
    assert game.step(points) == {} and game.iteration == 1 and same_bits(before, snapshot(game))
    assert game.step(points).keys() == {"fit", "fool", "follow", "judge"}


def test_networks_of_no_player_stay_in_evaluation_mode():
    game = Game()
    assert game.train().training and [game.moves(name) for name in ("learner", "critic", "teacher")] == [True] * 2 + [0]
    assert game.learner[0].training and game.critic.training and not game.teacher.training
    assert not any(module.training for module in game.eval().modules())
    silent = Game(kept=("fit",)).train()  # the critic has no term: it stays as it is
    assert silent.learner.training and not silent.critic.training and not silent.moves("critic")


def test_a_network_that_was_not_built_is_left_out_with_its_player(points):
    game = Game()
    optional = Player("learner", {"learner": 1, "decoder": 4, "decoder.last": 9}, {"fit": 1.0}, plain())
    absent = Player("guest", {"guest": 1}, {"follow": 1.0}, plain())
    game.set_players([optional, absent], frozenset({"fit", "follow"}))
    assert [player.name for player in game.players] == ["learner"] == list(game.optimisers)
    assert game.players[0].networks == {"learner": 1} and game.kept == {"fit"}
    assert game.step(points).keys() == {"fit"}
