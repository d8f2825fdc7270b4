"""The mechanism all four papers share: terms make players, players make a method, kept terms make a variant."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from fercore.faces.augmentation import Augmentation, stored_size
from fercore.faces.batches import Batches, shuffled
from fercore.faces.faceset import FaceSet
from fercore.faces.modalities import Streams
from fercore.faces.protocols import Division


@dataclass(frozen=True)
class Descent:
    """Nesterov gradient descent: the rate of every iteration, momentum and weight decay."""

    rate: Callable[[int], float]  # iteration -> learning rate
    momentum: float
    weight_decay: float

    def optimiser(self, groups: list[dict]) -> torch.optim.Optimizer:
        """An optimiser over groups of parameters."""
        return torch.optim.SGD(
            groups, lr=self.rate(0), momentum=self.momentum, nesterov=self.momentum > 0, weight_decay=self.weight_decay
        )


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma & Ba 2015): the rate of every iteration, decay of the first moment, weight decay."""

    rate: Callable[[int], float]  # iteration -> learning rate
    beta1: float = 0.9
    weight_decay: float = 0.0

    def optimiser(self, groups: list[dict]) -> torch.optim.Optimizer:
        """An optimiser over groups of parameters."""
        return torch.optim.Adam(
            groups, lr=self.rate(0), betas=(self.beta1, 0.999), weight_decay=self.weight_decay, fused=True
        )


@dataclass(frozen=True)
class Player:
    """One side of a game: the networks it moves, the weighted terms it minimises, and how it descends."""

    name: str
    networks: Mapping[str, float]  # name of a sub-network, or of a part of one -> multiplier of the learning rate
    terms: Mapping[str, float]  # name of the term -> weight
    descent: Descent | Adam
    turns: tuple[bool, ...] = (True,)  # whether it moves at iteration 0, 1, ..., over and over

    def keeping(self, variant: frozenset[str]) -> "Player":
        """The same player with only the variant's terms; a weight of zero is a term removed."""
        kept = {term: weight for term, weight in self.terms.items() if term in variant and weight != 0}
        return replace(self, terms=kept)

    def among(self, built: Mapping[str, nn.Module]) -> "Player":
        """The same player with only the networks that are there."""
        there = {name: rate for name, rate in self.networks.items() if name.split(".")[0] in built}
        return replace(self, networks=there)

    def plays(self, iteration: int) -> bool:
        """Whether it moves at this iteration."""
        return bool(self.terms) and self.turns[iteration % len(self.turns)]


class Settings:
    """What the run store asks of every paper's configuration, with the answer of most."""

    channels = 1  # of the images: 1 gray, 3 colour
    crops = "any"  # where random crops lie, see Augmentation
    occlusions: tuple[str, ...] = ()  # what covers the images, one kind each; their clean selves are then privileged
    idle: tuple[str, ...] = ()  # fields that pre-training has no use for

    def __post_init__(self):
        Augmentation(self.scale, self.rotation, self.intensity, self.crops)  # refuses ranges before anything is trained

    def check_choices(self, **valid: tuple[str, ...]) -> None:
        """Refuse a field whose value is none of those given for it; raises ValueError."""
        for name, values in valid.items():
            if getattr(self, name) not in values:
                raise ValueError(f"{name} {getattr(self, name)!r} is unknown; valid: {', '.join(values)}")

    def check_lengths(self, **valid: int) -> None:
        """Refuse a field that has more or fewer values than its network has places for; raises ValueError."""
        for name, length in valid.items():
            if len(value := getattr(self, name)) != length:
                raise ValueError(f"{name} {list(value)} has {len(value)} values; valid: {length}")

    @property
    def stored_size(self) -> int:
        """Pixels of the images that ``image_size`` is cropped from."""
        return stored_size(self.image_size)

    def on(self, protocol: str) -> "Settings":
        """The configuration as the paper has it under a protocol."""
        return self

    def streams(self, spec: Any, faces: FaceSet, division: Division, device: str = "cpu") -> Streams:
        """What the run ``spec`` learns from: all images of the fold's training side, and nothing beside them.

        ``device`` is where networks work that make a part of it.
        """
        return Streams(division.train)

    def check(self, spec: Any, faces: FaceSet, division: Division) -> None:
        """Refuse, before anything is trained, images that the run ``spec`` cannot learn from; raises FaceSetError."""
        self.streams(spec, faces, division)

    def batches(self, spec: Any) -> Batches:
        """How the run ``spec`` puts its images together."""
        return shuffled

    def pretrained_on(self, stage: str) -> dict[str, Any]:
        """Fields of a run that differ in its pre-training stage: none where that sees the run's own images."""
        if self.pretraining == "own":
            return {}
        return {"dataset": self.pretraining, "protocol": "identities", "fold": 0, "inner": None}

    def pretrained_by(self, stage: str) -> dict[str, Any]:
        """What differs in this configuration while a pre-training stage runs; idle fields make no other stage."""
        unused = type(self)()
        return {name: getattr(unused, name) for name in self.idle} | {
            "iterations": self.pretraining_iterations,
            "base_rate": self.pretraining_rate,
            "pretraining": "",
        }


@dataclass(frozen=True)
class Stage:
    """A pre-training: the terms it keeps and the networks it provides to the method proper."""

    terms: frozenset[str] | None  # None: the run's own, which it is then pre-trained by
    provides: tuple[str, ...]
    modality: str = "visible"  # of the images it learns
    drawn_below_paper: bool = False  # it learns prepared images in the paper tier alone, whatever the run itself sees
    after: str = ""  # the stage that it continues


@dataclass(frozen=True)
class Batch:
    """Images with what is known of them; all tensors have B rows."""

    image: Tensor  # B x C x H x W in [0, 1]
    label: Tensor | None = None  # B, class index; -1 for an image that takes no part in classification
    reference: Tensor | None = None  # B x C x H x W, the same person's reference face
    is_reference: Tensor | None = None  # B, True where the image itself shows the reference expression
    privileged: Tensor | None = None  # B x C x H x W, what only training sees, such as the face without occlusion
    paired: bool = True  # whether image i and privileged image i show the same moment of the same person
    subject: Tensor | None = None  # B, a number for every person of the set


class Method(nn.Module):
    """A paper: sub-networks, one method per term (of the term's name), players, and the step that lets them play.

    A term is a method ``term(batch, outputs) -> scalar``; ``forward(batch)`` returns what the terms share.
    """

    def set_players(self, players: list[Player], variant: frozenset[str]) -> None:
        """Give every player the terms that ``variant`` keeps, and an optimiser over its own parameters.

        Networks that were not built, because no kept term needs them, are left out, and so is a player without any.
        """
        known = {term for player in players for term in player.terms}
        if unknown := variant - known:
            raise ValueError(f"unknown terms {sorted(unknown)}; this method has {sorted(known)}")
        built = dict(self.named_children())
        players = [player.among(built).keeping(variant) for player in players]
        self.players = [player for player in players if player.networks]
        self.optimisers = {player.name: self._optimiser(player) for player in self.players}
        self.iteration = 0

    @property
    def kept(self) -> frozenset[str]:
        """The terms that are really played: those of the variant, less those of weight zero."""
        return frozenset(term for player in self.players for term in player.terms)

    def moves(self, network: str) -> bool:
        """Whether the variant trains this sub-network; one that it does not stays as it is, statistics included."""
        return any(network in {name.split(".")[0] for name in p.networks} for p in self.players if p.terms)

    def train(self, mode: bool = True) -> "Method":
        """Training mode for the networks that move; the others, such as a frozen teacher, stay in evaluation mode."""
        super().train(mode)
        for name, network in self.named_children():
            network.train(mode and self.moves(name))
        return self

    @property
    def iterations(self) -> int:
        """Steps of a whole training."""
        return self.config.iterations

    @property
    def classifies(self) -> bool:
        """Whether the variant learns to tell classes, so that it can be tested."""
        return True

    def check(self, examples: Any) -> None:
        """Refuse, before any work, data without what this variant needs; raises FaceSetError."""

    def initialise(self) -> None:
        """Give networks that no pre-training provides the weights the paper starts from; random ones by default."""

    def _optimiser(self, player: Player) -> torch.optim.Optimizer:
        return player.descent.optimiser([
            {"params": parameters, "multiplier": player.networks[name]}
            for name, parameters in self._owned(player).items()
        ])  # fmt: skip

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """One iteration: the players whose turn it is see the same forward pass, then each moves its own parameters.

        Each player's loss is differentiated with respect to that player's parameters only, and all gradients are
        taken before anyone moves. Returns the value of every term played (0-d, detached).
        """
        outputs = self(batch)
        playing = [player for player in self.players if player.plays(self.iteration)]
        values: dict[str, Tensor] = {}
        for player in playing:
            values |= self._take_gradient(player, batch, outputs, keep_graph=player is not playing[-1])
        for player in playing:
            self._move(player)
        self.iteration += 1
        return values

    def _take_gradient(self, player: Player, batch: Batch, outputs: Any, keep_graph: bool) -> dict[str, Tensor]:
        losses = {term: getattr(self, term)(batch, outputs) for term in player.terms}
        total = torch.stack([weight * losses[term] for term, weight in player.terms.items()]).sum()
        own = self._parameters_of(player)
        gradients = torch.autograd.grad(total, own, retain_graph=keep_graph, allow_unused=True)
        for parameter, gradient in zip(own, gradients, strict=True):
            parameter.grad = gradient  # None for a network outside this variant: the optimiser passes it over
        return {term: loss.detach() for term, loss in losses.items()}

    def _move(self, player: Player) -> None:
        optimiser, rate = self.optimisers[player.name], player.descent.rate(self.iteration)
        for group in optimiser.param_groups:
            group["lr"] = rate * group["multiplier"]
        optimiser.step()

    def _owned(self, player: Player) -> dict[str, list[nn.Parameter]]:
        """The player's parameters by network; the longest name that holds a parameter has it."""
        owner = {p: name for name in sorted(player.networks, key=len) for p in self.get_submodule(name).parameters()}
        return {name: [p for p, its_owner in owner.items() if its_owner == name] for name in player.networks}

    def _parameters_of(self, player: Player) -> list[nn.Parameter]:
        return [p for parameters in self._owned(player).values() for p in parameters if p.requires_grad]

    @torch.no_grad()
    def predict(self, batch: Batch) -> Tensor:
        """Class probabilities (B x K) of the images of a batch."""
        return self(batch).logits.softmax(1)

    def progress(self) -> dict[str, Any]:
        """Everything that training changes, for a checkpoint."""
        optimisers = {name: optimiser.state_dict() for name, optimiser in self.optimisers.items()}
        return {"networks": self.state_dict(), "optimisers": optimisers, "iteration": self.iteration}

    def resume(self, progress: Mapping[str, Any]) -> None:
        """Take up training where ``progress`` left it."""
        self.load_state_dict(progress["networks"])
        for name, state in progress["optimisers"].items():
            self.optimisers[name].load_state_dict(state)
        self.iteration = progress["iteration"]
