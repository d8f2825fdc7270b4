"""Occluded (Pan, Wang, Xia 2019): a frozen network that saw clean faces guides one that sees them covered.

Symbols as in the paper: x_o a face with, x_c the same face without occlusion; F_o the student, F_c the teacher; h_o and
h_c their feature maps at the end of conv3_x; D the discriminator; F'_o the decoder.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from fercore.compared.gated import TERMS, Gated
from fercore.losses import adversarial, privileged
from fercore.losses.classification import cross_entropy
from fercore.losses.reconstruction import mean_squared_error
from fercore.method import Adam, Batch, Method, Player, Settings, Stage
from fercore.networks.deconvolution import DeconvolutionalDecoder, check_side
from fercore.networks.discriminator import Discriminator
from fercore.networks.resnet import BLOCKS, STAGES, WEIGHTS, TappedResNet, load_published, tap_side
from fercore.schedules import linear

RESNET = frozenset({"sup"})
LABEL = RESNET | {"sim", "LIR"}
ADVERSARIAL = {"adv", "discriminate"}
CLEAN = frozenset({"sup_clean"})

VARIANTS = {  # the rows of Tables 1-3 that are run; the last two are compared systems
    "ResNet": RESNET,
    "sim": RESNET | {"sim"},
    "LIR": RESNET | {"LIR"},
    "sim+LIR": LABEL,
    "adv": RESNET | ADVERSARIAL,
    "rec": RESNET | {"rec"},
    "adv+rec": RESNET | ADVERSARIAL | {"rec"},
    "Ours": LABEL | ADVERSARIAL | {"rec"},
    "PG-CNN": frozenset({"patches"}),
    "gACNN": frozenset({"patches_and_face"}),
}
BASELINE = "ResNet"
PRINTED = {name: name for name in ("ResNet", "PG-CNN", "gACNN")} | {  # as the tables say
    "Ours": "Ours: ResNet+l_sim+l_LIR+l_adv+l_rec",
    "sim": "ResNet+l_sim", "LIR": "ResNet+l_LIR", "sim+LIR": "ResNet+l_sim+l_LIR",
    "adv": "ResNet+l_adv", "rec": "ResNet+l_rec", "adv+rec": "ResNet+l_adv+l_rec",
}  # fmt: skip
PRETRAINING = {  # Algorithm 1, lines 1-2
    "occluded": Stage(RESNET, provides=("student",)),
    "clean": Stage(CLEAN, provides=("teacher",)),
}
NEEDS_TEACHER = {"sup_clean", "sim", "LIR", "discriminate"}
NEEDS_PAIRS = {"LIR", "rec"}  # Sec. 4.4


@dataclass(frozen=True)
class Config(Settings):
    """The paper's values; ``smoke`` and ``twin`` shorten what a laptop cannot pay."""

    image_size: int = 224  # Sec. 5.1, AffectNet; and both databases merged, for FED-RO
    sizes: tuple[tuple[str, int], ...] = (("rafdb7", 88), ("ckplus636", 48))  # Sec. 5.1, protocol -> pixels
    block: str = "bottleneck"  # Sec. 5.1, ResNet-50
    depth: tuple[int, ...] = (3, 4, 6, 3)  # ResNet-50
    width: int = 64  # ResNet-50
    weights: str = "imagenet"  # Sec. 5.1; "random" starts from nothing
    occlusions: tuple[str, ...] = ("food", "hands", "drinks")  # Sec. 5.1, one drawn for each image
    lambda_1: float = 1.0  # sim; found by a grid search, not told
    lambda_2: float = 0.5  # LIR; likewise; below 1, or it undoes what sup learns where it is active
    lambda_3: float = 0.1  # adv; likewise
    lambda_4: float = 1.0  # rec; likewise
    LIR: str = "printed"  # Eq. 3; "flipped" is the hinge that the abstract's words suggest
    K1: int = 1  # Algorithm 1, not stated; moves of D
    K2: int = 1  # likewise, of F_o; both move on the batches they share, instead of on batches of their own
    batch_size: int = 32  # not stated
    iterations: int = 50_000  # not stated; fine-tuning
    base_rate: float = 2e-5  # Sec. 5.1, of F_o; Adam is not stated
    last_rate: float = 1.0  # not stated; share of a rate that is left at the end of a training, falling linearly
    discriminator_rate: float = 1e-4  # Sec. 5.1
    decoder_rate: float = 50.0  # not stated; multiple of base_rate, for a network that starts from nothing
    pretraining: str = "own"  # Algorithm 1: F_o and F_c first learn the run's own images; "" leaves it out
    pretraining_iterations: int = 50_000  # not stated
    pretraining_rate: float = 1e-4  # not stated
    framing: float = 0.9  # size of a face against alignment.TEMPLATE: where the compared systems put their patches
    scale: float = 0.05  # not stated; augmentation: relative size of the face
    rotation: float = 5.0  # not stated; augmentation: degrees
    intensity: float = 0.10  # not stated; augmentation: factor on the gray level
    twin_subjects: int | None = None  # limits a synthetic twin to so many subjects; None takes all

    channels = 3
    idle = ("lambda_1", "lambda_2", "lambda_3", "lambda_4", "LIR", "K1", "K2", "discriminator_rate", "decoder_rate")

    def __post_init__(self):
        super().__post_init__()
        self.check_choices(LIR=("printed", "flipped"), weights=WEIGHTS, block=BLOCKS)
        self.check_lengths(depth=STAGES)
        if not self.occlusions:
            raise ValueError("occlusions is empty: every row learns covered faces; name one or more, such as 'eyes'")
        if min(self.K1, self.K2) < 1:
            raise ValueError(f"K1 {self.K1}, K2 {self.K2}: both players must move at least once in a cycle")

    def on(self, protocol: str) -> "Config":
        """With the image size that the paper gives for the dataset."""
        return replace(self, image_size=dict(self.sizes).get(protocol, self.image_size), sizes=())


TIERS = {
    "paper": Config(),
    # "twin": schedule chosen by the ResNet row on inner folds of RAF-DB's training images,
    # weights from an earlier search like that of loss_weights, on earlier drawn faces
    "twin": Config(
        image_size=48, sizes=(), block="basic", depth=(1, 1, 1, 1), width=16, weights="random", iterations=300,
        base_rate=1e-3, last_rate=0.05, discriminator_rate=5e-4, decoder_rate=4.0, pretraining_iterations=1000,
        pretraining_rate=4e-3, framing=1.0, twin_subjects=6000,
        lambda_1=0.01, lambda_2=0.01, lambda_3=0.01, lambda_4=0.1,
    ),
    "smoke": Config(
        image_size=48, sizes=(), depth=(1, 1, 1, 1), width=8, weights="random", batch_size=8, iterations=4,
        pretraining_iterations=4, framing=1.0, twin_subjects=42,
    ),
}  # fmt: skip


class Occluded(Method):
    """The networks of Fig. 1; those that no kept term needs are left out."""

    def __init__(self, config: Config, n_classes: int, variant: frozenset[str]):
        super().__init__()
        check_side(config.image_size)
        self.config = config
        if variant != CLEAN:
            self.student = self._resnet(n_classes)
        if variant & NEEDS_TEACHER:
            self.teacher = self._resnet(n_classes)
        if variant & ADVERSARIAL:
            self.discriminator = Discriminator(self.student.tap_channels, tap_side(config.image_size))
        if "rec" in variant:  # the last to draw its weights, so that no other network starts elsewhere without it
            self.decoder = DeconvolutionalDecoder(self.student.tap_channels)
        self.set_players(self._players(), variant)

    def _resnet(self, n_classes: int) -> TappedResNet:
        return TappedResNet(self.config.block, self.config.depth, n_classes, self.config.width)

    def _players(self) -> list[Player]:
        c = self.config
        terms = {"sup": 1.0, "sim": c.lambda_1, "LIR": c.lambda_2, "adv": c.lambda_3, "rec": c.lambda_4}  # Eq. 8
        cycle = max(c.K1, c.K2)
        learner = Adam(linear(c.base_rate, c.last_rate, c.iterations))
        critic = Adam(linear(c.discriminator_rate, c.last_rate, c.iterations), beta1=0.5)
        last, first = tuple(i >= cycle - c.K2 for i in range(cycle)), tuple(i < c.K1 for i in range(cycle))
        return [
            Player("student", {"student": 1.0, "decoder": c.decoder_rate}, terms, learner, last),
            Player("discriminator", {"discriminator": 1.0}, {"discriminate": 1.0}, critic, first),
            Player("teacher", {"teacher": 1.0}, {"sup_clean": 1.0}, learner),
        ]

    def initialise(self) -> None:
        """Start from ImageNet's weights, unless random ones are asked for; raises WeightsError."""
        if self.config.weights == "imagenet":
            load_published(*(getattr(self, name) for name in ("student", "teacher") if self.moves(name)))

    def forward(self, batch: Batch) -> "Outputs":
        """What the terms share, each part computed when a term first asks for it."""
        return Outputs(self, batch)

    def sup(self, batch: Batch, out: "Outputs") -> Tensor:
        """l_sup(y, F_o(x_o)), Sec. 4.1."""
        return cross_entropy(out.logits, batch.label)

    def sup_clean(self, batch: Batch, out: "Outputs") -> Tensor:
        """l_sup(y, F_c(x_c)), Sec. 4.1."""
        return cross_entropy(out.clean_scores, batch.label)

    def sim(self, batch: Batch, out: "Outputs") -> Tensor:
        """l_sim, Eq. 1."""
        return privileged.similarity(out.logits, out.clean_scores)

    def LIR(self, batch: Batch, out: "Outputs") -> Tensor:
        """l_LIR, Eq. 3."""
        flipped = self.config.LIR == "flipped"
        return privileged.loss_inequality(out.logits, out.clean_scores, batch.label, flipped)

    def adv(self, batch: Batch, out: "Outputs") -> Tensor:
        """l_adv, Eq. 6."""
        return adversarial.fool(out.judged)

    def rec(self, batch: Batch, out: "Outputs") -> Tensor:
        """l_rec, Eq. 7."""
        return mean_squared_error(batch.privileged, out.reconstruction)

    def discriminate(self, batch: Batch, out: "Outputs") -> Tensor:
        """l_d, Eq. 5."""
        return adversarial.discriminate(self.discriminator(out.clean_map), out.judged)


class Outputs:
    """One forward pass; every part is computed once, and only if somebody needs it."""

    def __init__(self, net: Occluded, batch: Batch):
        if net.training and not batch.paired and (unpaired := net.kept & NEEDS_PAIRS):
            raise ValueError(f"{sorted(unpaired)} compare a face with its own clean image: give paired batches")
        self.net, self.batch = net, batch

    @cached_property
    def h(self) -> Tensor:
        """h_o, B x C x H/8 x W/8."""
        return self.net.student.tap(self.batch.image)

    @cached_property
    def feature(self) -> Tensor:
        """What the last layer sees of the images, B x F; of the teacher's, while that is what learns."""
        if self._teaching:
            return self.net.teacher.pooled(self.net.teacher.tap(self.batch.image))
        return self.net.student.pooled(self.h)

    @cached_property
    def logits(self) -> Tensor:
        """F_o(x_o) before the softmax, B x K; likewise."""
        return (self.net.teacher if self._teaching else self.net.student).fc(self.feature)

    @property
    def _teaching(self) -> bool:
        return self.net.moves("teacher")

    @cached_property
    def clean_map(self) -> Tensor:
        """h_c; without gradients unless the teacher is what is trained."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and self._teaching):
            return self.net.teacher.tap(self.batch.privileged)

    @cached_property
    def clean_scores(self) -> Tensor:
        """F_c(x_c) before the softmax, B x K."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and self._teaching):
            return self.net.teacher.fc(self.net.teacher.pooled(self.clean_map))

    @cached_property
    def judged(self) -> Tensor:
        """D(h_o) as a logit, B."""
        return self.net.discriminator(self.h)

    @cached_property
    def reconstruction(self) -> Tensor:
        """F'_o(h_o), B x 3 x H x W."""
        return self.net.decoder(self.h)


def method(config: Config, classes: tuple[str, ...], variant: frozenset[str]) -> Method:
    """The paper's networks, or a compared system's."""
    return (Gated if variant & TERMS else Occluded)(config, len(classes), variant)


METHOD = method
