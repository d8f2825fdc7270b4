"""Measure Unpaired's training step against the parts that no one can do without, and its test against ResNet-34."""

from copy import deepcopy
from dataclasses import replace

import torch
from torch.autograd import grad
from torchvision.models import resnet34

from fercore.bench_steps import Work, against_parts, inference, mover
from fercore.losses import adversarial
from fercore.losses.classification import cross_entropy
from fercore.losses.reconstruction import mean_squared_error
from fercore.method import Batch
from fercore.papers import unpaired

CLASSES = ("neutral", "happiness", "surprise", "pain")
OWN = {"thermal": "own", "weights": "random"}
STEPS = {  # configuration -> (its values, steps in a row)
    "twin tier": (replace(unpaired.TIERS["twin"], **OWN), 10),
    "width 64, 48 px, batch 8": (replace(unpaired.Config(), image_size=48, batch_size=8, **OWN), 3),
}


def measured() -> dict[str, dict[str, float]]:
    """Every figure of this file."""
    steps = {f"step of Unpaired, {name}": step(*values) for name, values in STEPS.items()}
    config = replace(unpaired.Config(), **OWN)
    method = unpaired.Unpaired(config, CLASSES, unpaired.VARIANTS["ResNet"])
    plain = resnet34(num_classes=len(CLASSES))
    return steps | {"test of Unpaired, 224 px, batch 8": inference(method, plain, "ResNet-34")}


def step(config: unpaired.Config, repeats: int) -> dict[str, float]:
    """The full method's step over the sum of its parts."""
    torch.manual_seed(0)
    method = unpaired.Unpaired(config, CLASSES, unpaired.VARIANTS["Ours"]).to(memory_format=torch.channels_last)
    image, privileged = torch.rand(2, config.batch_size, 3, config.image_size, config.image_size)
    batch = Batch(image, torch.arange(config.batch_size) % len(CLASSES), privileged=privileged, paired=False)
    method.train()
    return against_parts(lambda: method.step(batch), parts(method, batch), repeats)


def parts(method: unpaired.Unpaired, batch: Batch) -> dict[str, Work]:
    """What Eq. 8 and both critics ask for, each part alone and with networks of its own."""
    names = ("visible", "thermal", "D_h", "D_l", "decoder")
    visible, thermal, features_critic, labels_critic, decoder = (deepcopy(method.get_submodule(n)) for n in names)
    with torch.no_grad():
        a_v, a_t = visible.tap(batch.image), thermal.tap(batch.privileged)
        y_v, y_t = visible(batch.image).softmax(1), thermal(batch.privileged).softmax(1)
    for own in (a_v, y_v):
        own.requires_grad_()
    learn, judge, judge_labels, decode = (
        mover(method, player, network)
        for player, network in (
            ("visible", visible), ("D_h", features_critic), ("D_l", labels_critic), ("visible", decoder)
        )
    )  # fmt: skip

    @torch.no_grad()
    def look_at_thermal_images() -> None:
        thermal(batch.privileged)

    def play(critic, move, own, other) -> None:
        judged = critic(own)
        move(adversarial.discriminate(judged, critic(other)), keep_graph=True)
        grad(adversarial.disown(judged), own)

    return {
        "visible": lambda: learn(cross_entropy(visible(batch.image), batch.label)),
        "thermal": look_at_thermal_images,
        "D_h": lambda: play(features_critic, judge, a_v, a_t),
        "D_l": lambda: play(labels_critic, judge_labels, y_v, y_t),
        "decoder": lambda: decode(mean_squared_error(batch.image, decoder(a_v)), also=[a_v]),
    }
