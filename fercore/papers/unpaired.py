"""Unpaired (Xia & Wang 2020): thermal images, not of the same faces, help a network that sees visible ones.

Symbols as in the paper: x_v and x_t visible and thermal images; f_v and f_t their networks; a_v and a_t feature maps at
the end of conv3_x; D_h and D_l discriminators of features and of predictions; f_d the decoder.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from fercore.faces.faceset import FaceSet
from fercore.faces.label_sets import onto_shared
from fercore.faces.modalities import PARTITIONS, Streams
from fercore.faces.protocols import PROTOCOLS, Division
from fercore.faces.streams import visible_and_thermal
from fercore.losses import adversarial, privileged
from fercore.losses.attention import transferability, weighted_cross_entropy
from fercore.losses.classification import cross_entropy
from fercore.losses.reconstruction import mean_squared_error
from fercore.method import Adam, Batch, Descent, Method, Player, Settings, Stage
from fercore.networks.deconvolution import DeconvolutionalDecoder, check_side
from fercore.networks.discriminator import Discriminator, LabelDiscriminator
from fercore.networks.resnet import BLOCKS, STAGES, WEIGHTS, TappedResNet, load_published, tap_side
from fercore.schedules import cosine

RESNET = frozenset({"L_v"})
FEATURES = {"L_h", "discriminate_h"}
LABELS = {"L_l", "discriminate_l"}
THERMAL = frozenset({"L_t"})
PAIRED = RESNET | THERMAL | {"similar"}

VARIANTS = {  # the rows of Tables 1 and 2 that are run; the last two are compared systems, on pairs
    "ResNet": RESNET,
    "L_v+L_h": RESNET | FEATURES,
    "L_v+L_l": RESNET | LABELS,
    "L_v+L_h+L_l": RESNET | FEATURES | LABELS,
    "L_a+L_h+L_l": frozenset({"L_a"}) | FEATURES | LABELS,
    "Ours": frozenset({"L_a", "L_r"}) | FEATURES | LABELS,
    "Wang": PAIRED,
    "Pan": PAIRED | FEATURES,
}
BASELINE = "ResNet"
PRINTED = {name: name for name in VARIANTS} | {  # as the tables say
    "Ours": "Ours: L_a+L_h+L_l+L_r", "Wang": "Wang et al.", "Pan": "Pan et al.",
}  # fmt: skip
PRETRAINING = {  # Sec. 4.1
    "visible": Stage(RESNET, provides=("visible",)),
    "thermal": Stage(THERMAL, provides=("thermal",), modality="thermal"),
}
NEEDS_THERMAL = THERMAL | FEATURES | LABELS | {"similar"}
MULTIMODAL = ("mahnob", "mmse")  # whose own thermal images are taken


@dataclass(frozen=True)
class Config(Settings):
    """The paper's values; ``smoke`` and ``twin`` shorten what a laptop cannot pay."""

    image_size: int = 224  # Sec. 5.1
    block: str = "basic"  # Sec. 5.1, ResNet-34
    depth: tuple[int, ...] = (3, 4, 6, 3)  # ResNet-34
    width: int = 64  # ResNet-34
    weights: str = "imagenet"  # not stated; as the same group's Occluded; "random" starts from nothing
    thermal: str = "mmse4"  # Sec. 5.1: of databases with visible images only; "own" the run's own thermal images
    partition: str = "subject"  # not stated what is disjoint: "subject", "image"; "none" keeps all of both modalities
    m: int | None = None  # Sec. 5.1, images drawn of each, where a database has both; not stated; None takes all
    label_sets: str = "shared"  # not stated how D_l compares other classes: by those shared; "off" drops L_l there
    adversarial: str = "eq1"  # what L_h and L_l minimise: Eq. 1, 2; "eq3_literal" is as printed: no gradient for f_v
    attention: str = "entropy"  # Eq. 6; "constant" gives every image the batch's mean weight
    lambda_1: float = 0.1  # L_h; not stated
    lambda_2: float = 0.1  # L_l; not stated
    lambda_3: float = 1.0  # L_r; not stated
    lambda_similar: float = 1.0  # not stated; of the compared systems
    batch_size: int = 32  # not stated
    iterations: int = 20_000  # not stated; fine-tuning
    base_rate: float = 2e-3  # Sec. 5.1; the schedule begins anew after pre-training, which is not stated
    last_rate: float = 0.0  # Sec. 5.1, cosine annealing; share of a rate that is left at the end
    momentum: float = 0.9  # not stated
    weight_decay: float = 5e-4  # not stated
    discriminator_rate: float = 1e-4  # Sec. 5.1; falls as base_rate does: else D wins once f_v stands still; not stated
    decoder_rate: float = 10.0  # not stated; multiple of base_rate, for a network that starts from nothing
    pretraining: str = "own"  # Sec. 4.1: f_v and f_t first learn their own images; "" leaves it out
    pretraining_iterations: int = 20_000  # not stated
    pretraining_rate: float = 2e-3  # Sec. 5.1
    scale: float = 0.05  # not stated; augmentation: relative size of the face
    rotation: float = 5.0  # not stated; augmentation: degrees
    intensity: float = 0.10  # not stated; augmentation: factor on the gray level
    twin_subjects: int | None = None  # limits a synthetic twin to so many subjects; None takes all

    channels = 3
    idle = (
        "lambda_1", "lambda_2", "lambda_3", "lambda_similar", "label_sets", "adversarial", "attention",
        "discriminator_rate", "decoder_rate",
    )  # fmt: skip

    def __post_init__(self):
        super().__post_init__()
        self.check_choices(
            block=BLOCKS, weights=WEIGHTS, partition=PARTITIONS, label_sets=("shared", "off"),
            adversarial=("eq1", "eq3_literal"), attention=("entropy", "constant"),
            thermal=("own", *(name for name, p in PROTOCOLS.items() if p.dataset in MULTIMODAL)),
        )  # fmt: skip
        self.check_lengths(depth=STAGES)
        if self.m is not None and self.m < 1:
            raise ValueError(f"m {self.m}: at least one image of each modality, or None for all")

    def on(self, protocol: str) -> "Config":
        """With the dataset's own thermal images where it has some."""
        return replace(self, thermal="own") if PROTOCOLS[protocol].dataset in MULTIMODAL else self

    def pretrained_on(self, stage: str) -> dict[str, Any]:
        """The thermal network of a database without thermal images is trained on another one, fold 0."""
        if stage == "visible" or self.thermal == "own":
            return {}
        return {"dataset": PROTOCOLS[self.thermal].dataset, "protocol": self.thermal, "fold": 0, "inner": None}

    def pretrained_by(self, stage: str) -> dict[str, Any]:
        """Likewise, on all its thermal images: nobody of that database is seen in visible ones."""
        whole = {"thermal": "own", "partition": "none", "m": None}
        return super().pretrained_by(stage) | (whole if self.pretrained_on(stage) else {})

    def check(self, spec: Any, faces: FaceSet, division: Division) -> None:
        """Refuse a row that learns from pairs where only visible images are taken, and people too few to part."""
        if self.thermal == "own" or "similar" in spec.terms:  # any other row would open another database for it
            super().check(spec, faces, division)

    def streams(self, spec: Any, faces: FaceSet, division: Division, device: str = "cpu") -> Streams:
        """Visible images, and what the row's terms need beside them."""
        return visible_and_thermal(
            spec, faces, division, beside=bool(spec.terms & NEEDS_THERMAL), pairs="similar" in spec.terms
        )


TIERS = {
    "paper": Config(),
    # "twin": weights from an earlier search like that of loss_weights, on earlier drawn faces; pre-training by the
    # ResNet row, the rate of fine-tuning by how far L_h fools its critic, both on inner folds of MMSE's and MAHNOB's
    "twin": Config(
        image_size=48, depth=(1, 1, 1, 1), width=16, weights="random", m=200, iterations=300, base_rate=0.05,
        decoder_rate=4.0, pretraining_iterations=400, pretraining_rate=0.05, lambda_1=1.0,
    ),
    "smoke": Config(
        image_size=48, depth=(1, 1, 1, 1), width=8, weights="random", batch_size=8, iterations=4,
        pretraining_iterations=4, twin_subjects=11,
    ),
}  # fmt: skip


class Unpaired(Method):
    """The five networks of Fig. 1; those that no kept term needs are left out."""

    def __init__(self, config: Config, classes: tuple[str, ...], variant: frozenset[str]):
        super().__init__()
        check_side(config.image_size)
        self.config = config
        others = classes if config.thermal == "own" else PROTOCOLS[config.thermal].classes
        if config.label_sets == "off" and set(classes) != set(others):
            variant = variant - LABELS
        if variant != THERMAL:
            self.visible = self._resnet(len(classes))
        if variant & NEEDS_THERMAL:
            self.thermal = self._resnet(len(others))
        if variant & LABELS:
            onto, from_others = onto_shared(classes, others)
            self.register_buffer("onto", onto, persistent=False)  # K x S
            self.register_buffer("from_others", from_others, persistent=False)  # K' x S
            self.D_l = LabelDiscriminator(onto.shape[1])
        if variant & FEATURES:
            self.D_h = Discriminator(self.visible.tap_channels, tap_side(config.image_size))
        if "L_r" in variant:  # the last to draw its weights, so that no other network starts elsewhere without it
            self.decoder = DeconvolutionalDecoder(self.visible.tap_channels)
        self.set_players(self._players(), variant)

    def _resnet(self, n_classes: int) -> TappedResNet:
        return TappedResNet(self.config.block, self.config.depth, n_classes, self.config.width)

    def _players(self) -> list[Player]:
        c = self.config
        terms = {"L_v": 1.0, "L_a": 1.0, "L_h": c.lambda_1, "L_l": c.lambda_2, "L_r": c.lambda_3}  # Eq. 8
        pairs = {"similar": c.lambda_similar}
        learner = Descent(cosine(c.base_rate, c.last_rate, c.iterations), c.momentum, c.weight_decay)
        critic = Adam(cosine(c.discriminator_rate, c.last_rate, c.iterations), beta1=0.5)
        return [
            Player("visible", {"visible": 1.0, "decoder": c.decoder_rate}, terms | pairs, learner),
            Player("thermal", {"thermal": 1.0}, {"L_t": 1.0} | pairs, learner),
            Player("D_h", {"D_h": 1.0}, {"discriminate_h": 1.0}, critic),
            Player("D_l", {"D_l": 1.0}, {"discriminate_l": 1.0}, critic),
        ]

    def initialise(self) -> None:
        """Start from ImageNet's weights, unless random ones are asked for; raises WeightsError."""
        if self.config.weights == "imagenet":
            load_published(*(getattr(self, name) for name in ("visible", "thermal") if self.moves(name)))

    def forward(self, batch: Batch) -> "Outputs":
        """What the terms share, each part computed when a term first asks for it."""
        return Outputs(self, batch)

    def L_v(self, batch: Batch, out: "Outputs") -> Tensor:
        """L_v(y_v, f_v(x_v)), Sec. 4.1."""
        return cross_entropy(out.logits, batch.label)

    def L_t(self, batch: Batch, out: "Outputs") -> Tensor:
        """L_t(y_t, f_t(x_t)), Sec. 4.1."""
        return cross_entropy(out.thermal_scores, batch.label)

    def L_a(self, batch: Batch, out: "Outputs") -> Tensor:
        """L_a, Eq. 7."""
        w = transferability(out.judged, out.judged_label)
        w = w.mean().expand_as(w) if self.config.attention == "constant" else w
        return weighted_cross_entropy(out.logits, batch.label, w)

    def L_h(self, batch: Batch, out: "Outputs") -> Tensor:
        """L_h, as Eq. 1 asks for it or as Eq. 3 prints it."""
        return adversarial.fool(out.judged_thermal) if self._literal else adversarial.disown(out.judged)

    def L_l(self, batch: Batch, out: "Outputs") -> Tensor:
        """L_l, as Eq. 2 asks for it or as Eq. 4 prints it."""
        return adversarial.fool(out.judged_thermal_label) if self._literal else adversarial.disown(out.judged_label)

    def L_r(self, batch: Batch, out: "Outputs") -> Tensor:
        """L_r, Eq. 5."""
        return mean_squared_error(batch.image, out.reconstruction)

    def similar(self, batch: Batch, out: "Outputs") -> Tensor:
        """Squared distance of both networks' predictions for a pair (the compared systems)."""
        return privileged.similarity(out.logits, out.thermal_scores)

    def discriminate_h(self, batch: Batch, out: "Outputs") -> Tensor:
        """What D_h minimises, Eq. 1."""
        return adversarial.discriminate(out.judged, out.judged_thermal)

    def discriminate_l(self, batch: Batch, out: "Outputs") -> Tensor:
        """What D_l minimises, Eq. 2."""
        return adversarial.discriminate(out.judged_label, out.judged_thermal_label)

    @property
    def _literal(self) -> bool:
        return self.config.adversarial == "eq3_literal"


class Outputs:
    """One forward pass; every part is computed once, and only if somebody needs it."""

    def __init__(self, net: Unpaired, batch: Batch):
        if net.training and not batch.paired and "similar" in net.kept:
            raise ValueError("similar compares two images of one face: give paired batches")
        self.net, self.batch = net, batch
        self._alone = not hasattr(net, "visible")  # a thermal network that learns its own images

    @cached_property
    def a_v(self) -> Tensor:
        """a_v, B x C x H/8 x W/8."""
        return self.net.visible.tap(self.batch.image)

    @cached_property
    def feature(self) -> Tensor:
        """What the last layer sees of the images, B x F."""
        if self._alone:
            return self.net.thermal.pooled(self.a_t)
        return self.net.visible.pooled(self.a_v)

    @cached_property
    def logits(self) -> Tensor:
        """y_v before the softmax, B x K; of a thermal network alone, y_t."""
        return (self.net.thermal if self._alone else self.net.visible).fc(self.feature)

    @cached_property
    def a_t(self) -> Tensor:
        """a_t; without gradients unless the thermal network moves."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.net.moves("thermal")):
            return self.net.thermal.tap(self.batch.image if self._alone else self.batch.privileged)

    @cached_property
    def thermal_scores(self) -> Tensor:
        """y_t before the softmax, B x K'; likewise."""
        if self._alone:
            return self.logits
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.net.moves("thermal")):
            return self.net.thermal.fc(self.net.thermal.pooled(self.a_t))

    @cached_property
    def judged(self) -> Tensor:
        """D_h(a_v) as a logit, B."""
        return self.net.D_h(self.a_v)

    @cached_property
    def judged_thermal(self) -> Tensor:
        """D_h(a_t) as a logit, B."""
        return self.net.D_h(self.a_t)

    @cached_property
    def judged_label(self) -> Tensor | None:
        """D_l(y_v) as a logit, B; None without D_l."""
        return self.net.D_l(self.logits.softmax(1) @ self.net.onto) if hasattr(self.net, "D_l") else None

    @cached_property
    def judged_thermal_label(self) -> Tensor:
        """D_l(y_t) as a logit, B."""
        return self.net.D_l(self.thermal_scores.softmax(1) @ self.net.from_others)

    @cached_property
    def reconstruction(self) -> Tensor:
        """f_d(a_v), B x 3 x H x W."""
        return self.net.decoder(self.a_v)


METHOD = Unpaired
