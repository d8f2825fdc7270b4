"""GCNet (Kim et al.): recognise an expression by its difference from a generated reference face.

Symbols as in the paper: X an image, X_r the same person's reference, X̂_r its estimate, En_1 De_1 the generator,
En_2 De_2r De_2i the representation stage, delta the contrastive representation.
"""

from dataclasses import dataclass
from functools import cached_property

from torch import Tensor, cat, nn

from fercore.faces.augmentation import stored_size
from fercore.faces.examples import Examples
from fercore.faces.faceset import FaceSetError
from fercore.losses.classification import cross_entropy
from fercore.losses.contrastive import contrastive
from fercore.losses.reconstruction import half_squared_error
from fercore.method import Batch, Descent, Method, Player, Settings, Stage
from fercore.networks.encoder_decoder import KERNELS, WIDTHS, Decoder, Encoder
from fercore.schedules import cosine, inverse

CNN = frozenset({"classify"})
S0R0 = CNN | {"generate_reference"}
RECONSTRUCT = {"reconstruct_reference", "reconstruct_input"}

VARIANTS = {  # the rows of Tables 2-5; the metric CNN is Fig. 2b, which no table reports
    "CNN": CNN,
    "metricCNN": CNN | {"contrastive"},  # compares with the real reference, at test time too: an upper bound
    "S0R0": S0R0,
    "S1R0": S0R0 | {"contrastive"},
    "S0R1": S0R0 | RECONSTRUCT,
    "S1R1": S0R0 | RECONSTRUCT | {"contrastive"},
}
BASELINE = "CNN"
PRINTED = {"CNN": "CNN (baseline)"} | {row: f"GCNet_{row}" for row in ("S0R0", "S1R0", "S0R1", "S1R1")}  # as tables say
PRETRAINING = {  # Sec. 4.1
    "reconstruction": Stage(frozenset({"autoencode"}), provides=("En1", "De1"), drawn_below_paper=True),
    "identification": Stage(CNN, provides=("En2",), drawn_below_paper=True),
}

NEEDS_REFERENCE = {"contrastive", "generate_reference", "reconstruct_reference"}


@dataclass(frozen=True)
class Config(Settings):
    """The paper's values; ``smoke`` and ``twin`` shorten what a laptop cannot pay."""

    image_size: int = 64  # Sec. 4.1
    stored_ratio: float = 66 / 64  # Sec. 4.1, images of 66 x 66 of which crops are taken
    widths: tuple[int, ...] = WIDTHS  # Table 1
    dropout: float = 0.5  # Sec. 4.1, before the first fully connected layer
    lambda_S: float = 1.0  # Sec. 4.1
    lambda_R: float = 1.0  # not stated; the three weights below already scale L_Recon
    lambda_Gr: float = 1.0  # Sec. 4.1
    lambda_Rr: float = 0.25  # Sec. 4.1
    lambda_Ri: float = 0.25  # Sec. 4.1
    margin: float = 1.0  # not stated; with rms distances 1 is about the spread of a batch-normalised code
    distance: str = "rms"  # Eq. 4 prints "l2"; "rms" divides by sqrt(p), so that the margin suits every image size
    batch_size: int = 64  # Sec. 4.1
    iterations: int = 300_000  # Sec. 4.1
    base_rate: float = 0.001  # Sec. 4.1
    momentum: float = 0.9  # Sec. 4.1, Nesterov
    weight_decay: float = 1e-4  # Sec. 4.1
    gamma: float = 1e-4  # "a gamma term of 0.75" is Caffe's stock power; its stock gamma is 1e-4
    power: float = 0.75  # see gamma
    last_rate: float = 1.0  # factor on that rate, reached at the last iteration along half a cosine; 1 as printed
    decoder_rate: float = 10.0  # Sec. 4.1: "the learning rate at layers of the decoder networks is set to 10"
    output_rate: float = 0.05  # not stated; rate of the decoders' last normalisation, whose ReLU dies at rate 10 or 1
    scale: float = 0.10  # not stated; augmentation: relative size of the face
    rotation: float = 10.0  # not stated; augmentation: degrees
    intensity: float = 0.20  # not stated; augmentation: factor on the gray level
    pretraining: str = "casia_webface"  # Sec. 4.1; "" starts from random weights
    pretraining_iterations: int = 100_000  # not stated
    pretraining_rate: float = 0.01  # not stated
    twin_subjects: int | None = None  # limits a synthetic twin to so many subjects; None takes all

    idle = ("margin", "distance", "lambda_S", "lambda_Gr", "lambda_Rr", "lambda_Ri")

    def __post_init__(self):
        super().__post_init__()
        self.check_choices(distance=("rms", "l2"))
        self.check_lengths(widths=len(KERNELS))

    @property
    def stored_size(self) -> int:
        """Pixels of the images that ``image_size`` is cropped from."""
        return stored_size(self.image_size, self.stored_ratio)

    @property
    def feature_size(self) -> int:
        """Width of the first fully connected layer, (0.5 size)^2 n / 2^n, n layers (Sec. 4.1): 384 at 64."""
        layers = len(self.widths)
        return max(int((0.5 * self.image_size) ** 2 * layers / 2**layers), 8)

    @property
    def code_shape(self) -> tuple[int, int, int]:
        """Shape of a code: channels, height, width."""
        side = -(-self.image_size // 2 ** len(self.widths))
        return self.widths[-1], side, side


TIERS = {
    "paper": Config(),
    # "twin": half the paper's filters, so that its batch size and some hundred iterations fit into minutes; schedule
    # chosen by the CNN baseline on inner folds of fold 0's training people: pre-training on those of the MMI and
    # Oulu-CASIA twins, the rest earlier on those of the CK+ and Oulu-CASIA twins; what crops are taken from, the last
    # rate and iterations on folds 4 to 6 of the three, which no table tests (`make folds` does): 73.0 % on average
    # after 500, 73.2 after 600, 70.7 after 450
    "twin": Config(
        image_size=32, stored_ratio=36 / 32, widths=(16, 32, 48), iterations=500, base_rate=0.03, gamma=0.015,
        power=1.0, last_rate=0.0, weight_decay=5e-4, lambda_R=0.1, decoder_rate=5.0, output_rate=0.025, scale=0.05,
        rotation=5.0, pretraining_iterations=1600, pretraining_rate=0.03,
    ),
    "smoke": Config(
        image_size=32, batch_size=8, iterations=6, widths=(4, 8, 12), pretraining_iterations=4, twin_subjects=24,
    ),
}  # fmt: skip


class GCNet(Method):
    """The networks of Fig. 3; which of them work depends on the variant's terms."""

    def __init__(self, config: Config, n_classes: int, variant: frozenset[str]):
        super().__init__()
        self.config, widths = config, config.widths
        channels, height, width = config.code_shape
        self.En1, self.De1 = Encoder(widths=widths), Decoder(widths=widths)
        self.En2 = Encoder(widths=widths)
        self.De2r, self.De2i = Decoder(widths=widths), Decoder(widths=widths)
        to_feature = nn.Linear(channels * height * width, config.feature_size)
        self.hidden = nn.Sequential(nn.Flatten(), nn.Dropout(config.dropout), to_feature, nn.ReLU())
        self.classifier = nn.Linear(config.feature_size, n_classes)
        self.set_players([self._player()], variant)

    @property
    def classifies(self) -> bool:
        """Whether the variant learns to tell classes; the reconstruction stage does not."""
        return "classify" in self.kept

    def check(self, examples: Examples) -> None:
        """Refuse, before any work, data without what this variant needs; raises FaceSetError."""
        if self.kept & NEEDS_REFERENCE and not examples.has_reference:
            raise FaceSetError(
                f"terms {sorted(self.kept & NEEDS_REFERENCE)} need a reference (neutral) image of every person; "
                "this dataset lacks some: only the CNN baseline can run on it"
            )

    def _player(self) -> Player:
        c = self.config
        decoders = ("De1", "De2r", "De2i")
        rates = {"En1": 1, "En2": 1, "hidden": 1, "classifier": 1}
        rates |= {name: c.decoder_rate for name in decoders}
        rates |= {f"{name}.layers.{len(c.widths) - 1}.norm": c.output_rate for name in decoders}
        weights = {
            "classify": 1.0,
            "contrastive": c.lambda_S,
            "generate_reference": c.lambda_R * c.lambda_Gr,
            "reconstruct_reference": c.lambda_R * c.lambda_Rr,
            "reconstruct_input": c.lambda_R * c.lambda_Ri,
            "autoencode": c.lambda_R,
        }
        falling, settling = inverse(c.base_rate, c.gamma, c.power), cosine(1.0, c.last_rate, c.iterations)
        descent = Descent(lambda iteration: falling(iteration) * settling(iteration), c.momentum, c.weight_decay)
        return Player("gcnet", rates, weights, descent)

    def forward(self, batch: Batch) -> "Outputs":
        """What the terms share, each part computed when a term first asks for it."""
        return Outputs(self, batch)

    def classify(self, batch: Batch, out: "Outputs") -> Tensor:
        """L_Cls of Eq. 3: cross-entropy on the contrastive representation."""
        return cross_entropy(out.logits, batch.label)

    def contrastive(self, batch: Batch, out: "Outputs") -> Tensor:
        """L_Contr, Eq. 4-5: X and its reference are a different pair unless X shows the reference expression."""
        p = out.code[0].numel()
        scale = p**-0.5 if self.config.distance == "rms" else 1.0
        return contrastive(scale * out.code, scale * out.reference_code, ~batch.is_reference, self.config.margin)

    def generate_reference(self, batch: Batch, out: "Outputs") -> Tensor:
        """L_Gen,r, Eq. 7-8."""
        return half_squared_error(batch.reference, out.generated)

    def reconstruct_reference(self, batch: Batch, out: "Outputs") -> Tensor:
        """L_Recon,r, Eq. 9: the true reference from the code of the generated one."""
        return half_squared_error(batch.reference, out.reconstructed_reference)

    def reconstruct_input(self, batch: Batch, out: "Outputs") -> Tensor:
        """L_Recon,i, Eq. 10: the input from its own code."""
        return half_squared_error(batch.image, out.reconstructed_input)

    def autoencode(self, batch: Batch, out: "Outputs") -> Tensor:
        """The reconstruction task that pre-trains the generator (Sec. 4.1)."""
        return half_squared_error(batch.image, out.generated)


class Outputs:
    """One forward pass of GCNet; every part is computed once, and only if somebody needs it."""

    def __init__(self, net: GCNet, batch: Batch):
        self.net, self.batch = net, batch

    @cached_property
    def generated(self) -> Tensor:
        """X̂_r = De_1(En_1(X)), B x 1 x H x W."""
        return self.net.De1(*self.net.En1(self.batch.image))

    @cached_property
    def reference(self) -> Tensor | None:
        """What X is compared with: X̂_r, the real X_r (metric CNN), or nothing (CNN)."""
        if "generate_reference" in self.net.kept:
            return self.generated
        if "contrastive" not in self.net.kept:
            return None
        if self.batch.reference is None:
            raise ValueError("the metric CNN compares with the real reference image: give one to every image")
        return self.batch.reference

    @cached_property
    def _encoded(self) -> tuple[Tensor, list]:
        # both flows of Fig. 3 in one pass, so that batch normalisation treats them alike, as it does at test time
        images = self.batch.image if self.reference is None else cat([self.batch.image, self.reference])
        return self.net.En2(images)

    @property
    def code(self) -> Tensor:
        """En_2(X), B x 96 x H/8 x W/8."""
        return self._encoded[0][: len(self.batch.image)]

    @property
    def reference_code(self) -> Tensor:
        """En_2 of the reference, same shape as the code."""
        return self._encoded[0][len(self.batch.image) :]

    @cached_property
    def feature(self) -> Tensor:
        """The first fully connected layer on delta = |En_2(X) - En_2(X̂_r)| (Eq. 2), or on En_2(X) alone (CNN)."""
        delta = self.code if self.reference is None else (self.code - self.reference_code).abs()
        return self.net.hidden(delta)

    @cached_property
    def logits(self) -> Tensor:
        """Class scores before the softmax, B x K."""
        return self.net.classifier(self.feature)

    @cached_property
    def reconstructed_input(self) -> Tensor:
        """De_2i(En_2(X)), B x 1 x H x W."""
        images = len(self.batch.image)
        return self.net.De2i(self.code, [switch.rows(0, images) for switch in self._encoded[1]])

    @cached_property
    def reconstructed_reference(self) -> Tensor:
        """De_2r(En_2(X̂_r)), B x 1 x H x W."""
        images = len(self.batch.image)
        return self.net.De2r(self.reference_code, [switch.rows(images, 2 * images) for switch in self._encoded[1]])


def method(config: Config, classes: tuple[str, ...], variant: frozenset[str]) -> GCNet:
    """The paper's networks."""
    return GCNet(config, len(classes), variant)


METHOD = method
