"""Measure a training step against the parts that no one can do without, and a test against the bare network."""

import time
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from statistics import median

import torch
from torch import Tensor, nn
from torch.autograd import grad
from torchvision.models import resnet50

from fercore.losses import adversarial
from fercore.losses.classification import cross_entropy
from fercore.losses.reconstruction import mean_squared_error
from fercore.method import Batch, Method
from fercore.papers import occluded

Work = Callable[[], object]
ROUNDS = 7  # in each, everything is measured once, so that all see the same moods of the machine
CLASSES = 7
STEPS = {  # configuration of Occluded -> (its values, steps in a row)
    "twin tier": (occluded.TIERS["twin"], 10),
    "width 64, 48 px, batch 8": (replace(occluded.Config(), image_size=48, weights="random", batch_size=8), 3),
}


def measured() -> dict[str, dict[str, float]]:
    """Every figure of this file."""
    steps = {f"step of Occluded, {name}": step_of_occluded(*values) for name, values in STEPS.items()}
    config = replace(occluded.Config(), weights="random")
    method = occluded.Occluded(config, CLASSES, occluded.VARIANTS["ResNet"])
    return steps | {"test of Occluded, 224 px, batch 8": inference(method, resnet50(num_classes=CLASSES), "ResNet-50")}


def step_of_occluded(config: occluded.Config, repeats: int) -> dict[str, float]:
    """The full method's step over the sum of its parts."""
    torch.manual_seed(0)
    method = occluded.Occluded(config, CLASSES, occluded.VARIANTS["Ours"]).to(memory_format=torch.channels_last)
    image, privileged = torch.rand(2, config.batch_size, 3, config.image_size, config.image_size)
    batch = Batch(image, torch.arange(config.batch_size) % CLASSES, privileged=privileged)
    method.train()
    return against_parts(lambda: method.step(batch), parts_of_occluded(method, batch), repeats)


def parts_of_occluded(method: occluded.Occluded, batch: Batch) -> dict[str, Work]:
    """What Algorithm 1 asks for, each part alone and with networks of its own."""
    student, teacher, critic, decoder = (
        deepcopy(method.get_submodule(name)) for name in ("student", "teacher", "discriminator", "decoder")
    )
    with torch.no_grad():
        h_o, h_c = student.tap(batch.image), teacher.tap(batch.privileged)
    h_o.requires_grad_()
    learn, judge, decode = (
        mover(method, player, network)
        for player, network in (("student", student), ("discriminator", critic), ("student", decoder))
    )

    @torch.no_grad()
    def look_at_clean_images() -> None:
        teacher(batch.privileged)

    def play() -> None:
        judged = critic(h_o)
        judge(adversarial.discriminate(critic(h_c), judged), keep_graph=True)
        grad(adversarial.fool(judged), h_o)

    return {
        "student": lambda: learn(cross_entropy(student(batch.image), batch.label)),
        "teacher": look_at_clean_images,
        "discriminator": play,
        "decoder": lambda: decode(mean_squared_error(batch.privileged, decoder(h_o)), also=[h_o]),
    }


def mover(method: Method, player: str, network: nn.Module) -> Callable[..., None]:
    """Lets ``network`` descend a loss as that player of ``method`` does."""
    own = list(network.parameters())
    (descent,) = (p.descent for p in method.players if p.name == player)
    optimiser = descent.optimiser([{"params": own}])

    def move(loss: Tensor, also: list[Tensor] = (), keep_graph: bool = False) -> None:
        """``also``: what else the loss is differentiated by, for whoever made it."""
        gradients = grad(loss, [*own, *also], retain_graph=keep_graph)
        for parameter, gradient in zip(own, gradients, strict=False):
            parameter.grad = gradient
        optimiser.step()

    return move


def inference(method: Method, plain: nn.Module, name: str, size: int = 224, images: int = 8) -> dict[str, float]:
    """Frames per second of a method's predictions and of the bare network that it tests by; their ratio."""
    method, plain = (network.to(memory_format=torch.channels_last).eval() for network in (method, plain))
    batch = Batch(torch.rand(images, 3, size, size))

    @torch.no_grad()
    def bare() -> None:
        plain(batch.image)

    seconds = in_turns({"ours": lambda: method.predict(batch), "plain": bare}, repeats=1)
    return {
        "ours, frames/s": images / median(seconds["ours"]),
        f"torchvision's {name}, frames/s": images / median(seconds["plain"]),
        "ratio": median(plain / ours for ours, plain in zip(*seconds.values(), strict=True)),
    }


def against_parts(whole: Work, parts: Mapping[str, Work], repeats: int) -> dict[str, float]:
    """Milliseconds of ``whole`` and of each part, and the whole over their sum; the median of all rounds."""
    seconds = in_turns({"step": whole, **parts}, repeats)
    rounds = [sum(seconds[name][i] for name in parts) for i in range(ROUNDS)]
    return {f"{name}, ms": 1000 * median(times) for name, times in seconds.items()} | {
        "ratio": median(step / total for step, total in zip(seconds["step"], rounds, strict=True))
    }


def in_turns(works: Mapping[str, Work], repeats: int) -> dict[str, list[float]]:
    """Seconds that each piece of work takes, in every round; one round before is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for counted in [False] + [True] * ROUNDS:
        for name, work in works.items():
            started = time.perf_counter()
            for _ in range(repeats):
                work()
            if counted:
                seconds[name].append((time.perf_counter() - started) / repeats)
    return seconds
