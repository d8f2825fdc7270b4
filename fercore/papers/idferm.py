"""IDFERM (Liu et al. 2019): a generated frontal neutral face of the same person is the hard negative of a metric loss.

Symbols as in the paper: x an image, y the same person's frontal neutral face, x̂ = Dec(Enc(x)) its estimate; phi and psi
layers of face recognisers; f_i and f̄_i embeddings of an image and of its x̂, C_k the centre of class k, H = S - D.
"""

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fercore import normalised, paths
from fercore.faces.batches import Batches, OfEachClass, OfWholePeople, shuffled
from fercore.faces.examples import Examples
from fercore.faces.faceset import FaceSet, FaceSetError
from fercore.faces.modalities import Streams
from fercore.faces.protocols import Division
from fercore.losses import adversarial, metric, perceptual
from fercore.losses.classification import cross_entropy
from fercore.method import Adam, Batch, Descent, Method, Player, Settings, Stage
from fercore.networks.identity import IdentityNet, LightCNN, VGGFace
from fercore.networks.inception import PAPER, SMALL, InceptionNet, standardised
from fercore.networks.metric_head import BilinearSimilarity, ExpressionBranch, QuadraticSimilarity, TwoBranchHead
from fercore.networks.normaliser import FaceDecoder, FaceDiscriminator, FaceEncoder
from fercore.networks.weights import load_supplied
from fercore.schedules import cosine
from fercore.stages import noted

SOFTMAX = frozenset({"softmax"})
IDENTIFY = frozenset({"identify"})
HNG = frozenset({"feat", "id", "pixel", "sym", "GAN", "discriminate"})

VARIANTS = {  # rows of Tables 2-6, and other metric losses under the same network (Fig. 3)
    "softmax": SOFTMAX,
    "triplet": SOFTMAX | {"triplet"},
    "N+1": SOFTMAX | {"n_pair"},
    "CCL": SOFTMAX | {"coupled_clusters"},
    "centre": SOFTMAX | {"centre"},
    "2B(N+M)": SOFTMAX | {"clusters"},
    "augmented": SOFTMAX | {"clusters_generated"},
    "IDFERM": SOFTMAX | {"RML"},
}
BASELINE = "softmax"
PRINTED = {  # as the tables say
    "triplet": "Triplet Loss", "2B(N+M)": "2B(N + M) Softmax", "augmented": "Data Augmentation", "IDFERM": "IDFERM",
}  # fmt: skip
GENERATOR = ("Enc", "Dec", "Dis", "stand_in", "phi", "psi")
PRETRAINING = {
    "identity": Stage(IDENTIFY, provides=("stand_in",), drawn_below_paper=True),
    "judge": Stage(IDENTIFY, provides=(), drawn_below_paper=True),  # measures identities (Table 1), is in no loss
    "HNG_vggface": Stage(HNG, provides=GENERATOR, drawn_below_paper=True, after="identity"),  # Sec. 5.1
    "HNG": Stage(HNG, provides=GENERATOR, drawn_below_paper=True, after="HNG_vggface"),
    "multipie": Stage(None, provides=("trunk", "head", "H"), drawn_below_paper=True),  # by the row's own loss
}
NEEDS_GENERATED = {"RML", "clusters_generated"}
METRIC = NEEDS_GENERATED | {"triplet", "n_pair", "coupled_clusters", "centre", "clusters"}
ONLY_RML = (
    "image_size", "filters", "d_input", "d_output", "d_embedding", "slope", "similarity", "centres", "ema",
    "reference", "neutral_generated", "lambda_RML", "margin", "alpha", "per_class", "iterations", "base_rate",
    "last_rate", "momentum", "weight_decay", "pretraining", "pretraining_iterations", "pretraining_rate",
    "pretraining_per_class", "crops",
)  # fmt: skip
ONLY_HNG = (
    "widths", "code", "weights", "vgg_face_sha256", "light_cnn_sha256", "symmetry", "w_feat", "w1", "w2", "w3", "w4",
    "hng_iterations", "hng_rate",
)  # fmt: skip


@dataclass(frozen=True)
class Config(Settings):
    """The paper's values; ``smoke`` and ``twin`` shorten what a laptop cannot pay."""

    stored: int = 64  # Sec. 5.1; HNG sees the whole image
    image_size: int = 60  # Sec. 5.1; what RML sees of it
    crops: str = "five"  # Sec. 5.1, each flipped or not
    widths: tuple[int, ...] = (64, 128, 256, 512)  # of HNG; not stated, DCGAN's
    code: int = 256  # Sec. 5.3
    weights: str = "published"  # phi and psi: VGG-Face and Light CNN; "stand_in" a network trained on identities
    vgg_face_sha256: str = ""  # not known; of data/weights/vgg_face.safetensors, named by the error without it
    light_cnn_sha256: str = ""  # not known; of data/weights/light_cnn.safetensors
    symmetry: str = "pixel"  # Eq. 2; "laplacian": Sec. 3.2, Eq. 3 is lost
    w_feat: float = 1.0  # Sec. 5.4, "the largest weight"
    w1: float = 0.03  # id; "0.03" as its index survived, where the errors of Table 1 are lowest
    w2: float = 0.01  # pixel; the index survived
    w3: float = 0.3  # sym; the index survived
    w4: float = 0.1  # GAN; the one value without an index
    hng_iterations: int = 50_000  # not stated
    hng_rate: float = 2e-4  # not stated; Adam with beta_1 = 0.5, as DCGAN
    identity_iterations: int = 50_000  # not stated; of the stand-in, and of the judge of Table 1
    identity_rate: float = 1e-3  # not stated
    filters: str = "paper"  # of the inception network, GoogLeNet's; not stated; "small" for small images
    d_input: int = 512  # not stated
    d_output: int = 256  # not stated
    d_embedding: int = 128  # not stated
    slope: float = 0.1  # Sec. 5.3, eta of LReLU
    similarity: str = "V1"  # H of Eq. 14 with the signs that Eq. 8 asks for; "V0" any two symmetric matrices
    centres: str = "batch"  # Algorithm 2, line 3; "ema" moving averages
    ema: float = 0.9  # not stated; what a moving average keeps, for "ema" and the centre loss
    reference: str = "generated"  # Sec. 4; "true" the person's own neutral face, which the paper does without
    neutral_generated: bool = True  # Sec. 5.5: where neutral is a class, x̂ are neutral examples too
    lambda_RML: float = 1.0  # Sec. 5.3; of every metric loss
    margin: float = 1.0  # tau / 2, Eq. 16
    alpha: float = 1.0  # not stated; margin of triplet and coupled clusters loss
    per_class: int = 2  # Sec. 5.1, images of each class in a batch
    batch_size: int = 64  # not stated; of HNG
    iterations: int = 20_000  # not stated; fine-tuning
    base_rate: float = 0.01  # not stated; fine-tuning
    last_rate: float = 0.0  # share of a rate left at the end, by a cosine; in print halved where it stalls
    momentum: float = 0.9  # Sec. 5.1
    weight_decay: float = 1e-4  # Sec. 5.1
    pretraining: str = "multipie"  # Sec. 5.1; "" starts from random weights
    pretraining_iterations: int = 480_000  # Sec. 5.1, 300 epochs of 204,156 images
    pretraining_rate: float = 0.1  # Sec. 5.1
    pretraining_per_class: int = 32  # Sec. 5.1, batch 128, of four classes
    scale: float = 0.0  # Sec. 5.1: crops and flips only
    rotation: float = 0.0  # likewise
    intensity: float = 0.0  # likewise
    twin_subjects: int | None = None  # limits a synthetic twin to so many subjects; None takes all

    def __post_init__(self):
        super().__post_init__()
        self.check_choices(
            weights=("published", "stand_in"), symmetry=("pixel", "laplacian"), filters=("paper", "small"),
            similarity=("V1", "V0"), centres=("batch", "ema"), reference=("generated", "true"), crops=("five", "any"),
            pretraining=("", "multipie"),
        )  # fmt: skip
        if self.per_class < 2 or self.pretraining_per_class < 2:
            raise ValueError("per_class: at least 2, the centre of one image is that image")
        if self.image_size > self.stored:
            raise ValueError(f"image_size {self.image_size} cannot be cropped from stored {self.stored} pixels")

    @property
    def stored_size(self) -> int:
        """Pixels of the images, of which RML sees a crop."""
        return self.stored

    def pretrained_on(self, stage: str) -> dict[str, Any]:
        """Identities for the recognisers, pairs of VGG-Face and then Multi-PIE for HNG, Multi-PIE for RML."""
        dataset, protocol = {
            "identity": ("casia_webface", "identities"), "judge": ("vggface", "identities"),
            "HNG_vggface": ("vggface", "own"),
        }.get(stage, ("multipie", "multipie4"))  # fmt: skip
        return {"dataset": dataset, "protocol": protocol, "fold": 0, "inner": None}

    def pretrained_by(self, stage: str) -> dict[str, Any]:
        """Each stage has a length and rate of its own; what it has no use for makes no other stage."""
        if stage == "multipie":
            length = {"iterations": self.pretraining_iterations, "base_rate": self.pretraining_rate}
            return length | {"per_class": self.pretraining_per_class, "pretraining": ""}
        recognises = stage in ("identity", "judge")
        iterations, rate = (
            (self.identity_iterations, self.identity_rate) if recognises else (self.hng_iterations, self.hng_rate)
        )
        own = {"iterations": iterations, "base_rate": rate, "image_size": self.stored, "pretraining": ""}
        return self._unused(ONLY_RML + ONLY_HNG * recognises) | own

    def _unused(self, names: tuple[str, ...]) -> dict[str, Any]:
        return {field.name: field.default for field in fields(self) if field.name in names}

    def check(self, spec: Any, faces: FaceSet, division: Division) -> None:
        """Refuse classes with fewer images than every batch takes of each; raises FaceSetError."""
        if spec.terms & (HNG | IDENTIFY):
            return
        train = division.train.labelled
        counts = np.bincount(train.target, minlength=len(division.classes))
        if few := [name for name, n in zip(division.classes, counts, strict=True) if n < self.per_class]:
            raise FaceSetError(
                f"{faces.name}: classes {few} have fewer than {self.per_class} images to train on, as many as every "
                "batch takes of each class: take other people or frames, or a protocol without them"
            )

    def streams(self, spec: Any, faces: FaceSet, division: Division, device: str = "cpu") -> Streams:
        """The classified images and, for terms that ask for it, the face that HNG makes of each."""
        self.check(spec, faces, division)
        if spec.terms & (HNG | IDENTIFY):
            return Streams(division.train)
        train = division.train.labelled
        if not spec.terms & NEEDS_GENERATED or self.reference == "true":
            return Streams(train)
        generator = normalised.generator(spec, device)
        references = normalised.references(generator, faces, train.rows, device)
        return Streams(train, references=references, learned_from=tuple(noted(generator)))

    def batches(self, spec: Any) -> Batches:
        """A few images of every class; of whole people for losses on tuplets of a person's other expressions."""
        if spec.terms & (HNG | IDENTIFY):
            return shuffled
        return (OfWholePeople if spec.terms & {"clusters", "clusters_generated"} else OfEachClass)(self.per_class)


TIERS = {
    "paper": Config(),
    # "twin": w2 and w4 by the error of the generated face on Multi-PIE's fold 0, whose people no test sees (phi of the
    # stand-in is far smaller than VGG-Face's); the schedule of RML by the softmax row on an inner fold of CK+, with a
    # rate at which no metric loss diverges (at 0.02 clusters did)
    "twin": Config(
        stored=48, image_size=44, widths=(16, 32, 64, 128), code=128, weights="stand_in", filters="small",
        w2=1.0, w4=0.01, d_input=128, d_output=128, d_embedding=64, batch_size=32, hng_iterations=600, hng_rate=1e-3,
        identity_iterations=1000, identity_rate=3e-3, iterations=800, per_class=4,
        pretraining_iterations=300, pretraining_rate=0.01, pretraining_per_class=8,
    ),
    "smoke": Config(
        stored=32, image_size=30, widths=(4, 8, 12), code=16, weights="stand_in", filters="small", d_input=16,
        d_output=16, d_embedding=8, batch_size=8, hng_iterations=4, identity_iterations=4, iterations=4,
        pretraining_iterations=4, pretraining_per_class=2, twin_subjects=24,
    ),
}  # fmt: skip


class IDFERM(Method):
    """The networks of Fig. 4; those that no kept term needs are left out."""

    def __init__(self, config: Config, classes: tuple[str, ...], variant: frozenset[str]):
        super().__init__()
        self.config, self.classes = config, classes
        c, size = config, config.stored
        if variant & IDENTIFY or (variant & HNG and c.weights == "stand_in"):
            self.stand_in = IdentityNet(size)
        if variant & IDENTIFY:
            self.who = nn.Linear(self.stand_in.code.out_features, len(classes))
        if variant & HNG:
            self.Enc, self.Dec = FaceEncoder(size, c.widths, c.code), FaceDecoder(size, c.widths, c.code)
            self.Dis = FaceDiscriminator(size, c.widths)
            if c.weights == "published":
                self.phi, self.psi = VGGFace(), LightCNN()
        embedding = variant & METRIC if c.lambda_RML else frozenset()  # terms that need embeddings
        if variant & SOFTMAX:
            self.trunk = InceptionNet(c.image_size, PAPER if c.filters == "paper" else SMALL, slope=c.slope)
            self.classifier = nn.Linear(c.d_input, len(classes))
            head, widths = (TwoBranchHead, (c.d_output, c.d_embedding)) if embedding else (ExpressionBranch, ())
            self.head = head(self.trunk.features, c.d_input, *widths)
        if embedding & {"RML", "clusters", "clusters_generated"}:
            self.H = (BilinearSimilarity if c.similarity == "V1" else QuadraticSimilarity)(c.d_embedding)
        if "centre" in embedding or ("RML" in embedding and c.centres == "ema"):
            self.register_buffer("C", torch.zeros(len(classes), c.d_embedding))
        self.set_players(self._players(), variant)

    def _players(self) -> list[Player]:
        c = self.config
        both = {"feat": c.w_feat, "id": c.w1, "pixel": c.w2}
        game = Adam(lambda iteration: c.base_rate, beta1=0.5)
        learner = Descent(cosine(c.base_rate, c.last_rate, c.iterations), c.momentum, c.weight_decay)
        rml = {"trunk": 1.0, "head": 1.0, "classifier": 1.0, "H": 1.0}
        return [
            Player("recogniser", {"stand_in": 1.0, "who": 1.0}, {"identify": 1.0}, Adam(learner.rate)),
            Player("Enc", {"Enc": 1.0}, both, game),  # Algorithm 1: sym and GAN do not reach it
            Player("Dec", {"Dec": 1.0}, both | {"sym": c.w3, "GAN": c.w4}, game),
            Player("Dis", {"Dis": 1.0}, {"discriminate": 1.0}, game),
            Player("RML", rml, {"softmax": 1.0} | dict.fromkeys(sorted(METRIC), c.lambda_RML), learner),
        ]

    @property
    def classifies(self) -> bool:
        """Whether the variant learns to tell classes; the generator does not."""
        return not self.kept & HNG

    def check(self, examples: Examples) -> None:
        """Refuse, before any work, data without what this variant needs; raises FaceSetError."""
        needing = self.kept & (HNG | NEEDS_GENERATED if self.config.reference == "true" else HNG)  # x̂ needs nobody's
        if needing and not examples.has_reference:
            name = examples.faces.name
            way = "leave those people out, or choose a row that needs none"
            if name.split("-")[0] == "vggface":
                way = "prepare vggface with --targets, your list of everyone's (python data_prep/vggface.py --help)"
            raise FaceSetError(
                f"{name}: terms {sorted(needing)} need a neutral face of every person, some lack it: {way}"
            )

    def initialise(self) -> None:
        """phi and psi start from the published weights; raises WeightsError where their files are not to be had."""
        if hasattr(self, "phi"):
            place = paths.data() / "weights"
            load_supplied(self.phi, place / "vgg_face.safetensors", self.config.vgg_face_sha256)
            load_supplied(self.psi, place / "light_cnn.safetensors", self.config.light_cnn_sha256)

    def forward(self, batch: Batch) -> "Outputs":
        """What the terms share, each part computed when a term first asks for it."""
        return Outputs(self, batch)

    def identify(self, batch: Batch, out: "Outputs") -> Tensor:
        """Cross-entropy of who it is: how a recogniser is trained that stands in for a published one."""
        return cross_entropy(out.logits, batch.label)

    def feat(self, batch: Batch, out: "Outputs") -> Tensor:
        """L_feat, Eq. 1."""
        return perceptual.feature(out.phi(out.estimate), out.phi(batch.reference))

    def id(self, batch: Batch, out: "Outputs") -> Tensor:
        """L_id, Eq. 6."""
        return perceptual.identity(out.psi(batch.image), out.psi(out.estimate))

    def pixel(self, batch: Batch, out: "Outputs") -> Tensor:
        """L_pixel, Eq. 7."""
        return perceptual.pixel(batch.reference, out.estimate)

    def sym(self, batch: Batch, out: "Outputs") -> Tensor:
        """L_sym, Eq. 2 (of the Laplacian, Sec. 3.2)."""
        laplacian = self.config.symmetry == "laplacian"
        return perceptual.symmetry(perceptual.laplacian(out.estimate) if laplacian else out.estimate)

    def GAN(self, batch: Batch, out: "Outputs") -> Tensor:
        """L_GAN^Dec, Eq. 5."""
        return adversarial.fool(out.judged)

    def discriminate(self, batch: Batch, out: "Outputs") -> Tensor:
        """L_GAN^Dis, Eq. 4; the guiding set are the batch's targets."""
        return adversarial.discriminate(self.Dis(batch.reference), out.judged)

    def softmax(self, batch: Batch, out: "Outputs") -> Tensor:
        """L_softmax of the expression branch, Algorithm 2, line 5."""
        if "RML" in self.kept and self.config.neutral_generated and "neutral" in self.classes:
            neutral = torch.full_like(batch.label, self.classes.index("neutral"))
            return cross_entropy(out.all_logits, torch.cat([batch.label, neutral]))
        return cross_entropy(out.logits, batch.label)

    def RML(self, batch: Batch, out: "Outputs") -> Tensor:
        """L_RML, Eq. 16; a neutral image's reference belongs to its class and is not pushed away."""
        C = out.centres[batch.label]
        return metric.radial(self.H(out.f, C), self.H(out.f_reference, C), ~batch.is_reference, self.config.margin)

    def triplet(self, batch: Batch, out: "Outputs") -> Tensor:
        """Triplet loss, Fig. 3a."""
        from fercore.losses.mined import triplet  # its library takes seconds to import

        return triplet(out.f, batch.label, self.config.alpha)

    def n_pair(self, batch: Batch, out: "Outputs") -> Tensor:
        """(N+1)-tuplet loss, Fig. 3b."""
        from fercore.losses.mined import n_pair

        return n_pair(out.f, batch.label)

    def coupled_clusters(self, batch: Batch, out: "Outputs") -> Tensor:
        """Coupled clusters loss, Fig. 3c."""
        member = batch.label.unique()[:, None] == batch.label
        return metric.coupled_clusters(out.f, member, ~member, self.config.alpha)

    def centre(self, batch: Batch, out: "Outputs") -> Tensor:
        """Centre loss (Wen et al. 2016), with moving averages as centres."""
        return metric.centre(out.f, batch.label, out.moved)

    def clusters(self, batch: Batch, out: "Outputs") -> Tensor:
        """(N+M)-tuplet clusters loss, Fig. 3d."""
        return self._clusters(out.f, batch.label, batch.subject, len(batch.label))

    def clusters_generated(self, batch: Batch, out: "Outputs") -> Tensor:
        """The same with every x̂ as a further image of its person, neutral, but no query (reference [7])."""
        neutral = self.classes.index("neutral") if "neutral" in self.classes else -1
        label = torch.cat([batch.label, torch.full_like(batch.label, neutral)])
        f = torch.cat([out.f, out.f_reference])
        return self._clusters(f, label, torch.cat([batch.subject, batch.subject]), len(batch.label))

    def _clusters(self, f: Tensor, label: Tensor, subject: Tensor, queries: int) -> Tensor:
        positive, negative = (mask[:queries] for mask in metric.tuplets(label, subject))
        h = self.H(f[None], metric.centres(f, positive)[:, None])  # queries x images
        return metric.clusters(h, positive, negative, self.config.margin)


class Outputs:
    """One forward pass; every part is computed once, and only if somebody needs it."""

    def __init__(self, net: IDFERM, batch: Batch):
        self.net, self.batch, self._maps = net, batch, {}

    @cached_property
    def estimate(self) -> Tensor:
        """x̂, B x 1 x S x S."""
        return self.net.Dec(self.net.Enc(self.batch.image))

    @cached_property
    def judged(self) -> Tensor:
        """Dis(x̂) as a logit, B."""
        return self.net.Dis(self.estimate)

    def phi(self, image: Tensor) -> Tensor:
        """What a recogniser's early layers see, B x C x S/4 x S/4."""
        return self._seen("phi", image)

    def psi(self, image: Tensor) -> list[Tensor]:
        """What a recogniser's last layers see, B x ... each."""
        return self._seen("psi", image)

    def _seen(self, name: str, image: Tensor) -> Any:
        if (name, id(image)) not in self._maps:  # Enc and Dec ask for the same
            look = getattr(self.net.stand_in if hasattr(self.net, "stand_in") else self.net, name)
            with torch.set_grad_enabled(torch.is_grad_enabled() and image.requires_grad):
                self._maps[name, id(image)] = look(image)
        return self._maps[name, id(image)]

    @cached_property
    def _all(self) -> tuple[Tensor, Tensor]:
        # queries and references in one pass, so that batch normalisation treats them alike
        views = [self.batch.image] + [self.batch.reference] * bool(self.net.kept & NEEDS_GENERATED)
        return self.net.head(self.net.trunk(standardised(torch.cat(views))))

    @cached_property
    def feature(self) -> Tensor:
        """What the classifier sees of the images, B x F; alone it needs no reference."""
        if hasattr(self.net, "stand_in"):
            return self.net.stand_in.psi(self.batch.image)[1]
        if self.net.training and self.net.kept & METRIC:
            return self._all[0][: len(self.batch.image)]
        return self.net.head.feature(self.net.trunk(standardised(self.batch.image)))

    @cached_property
    def logits(self) -> Tensor:
        """Class scores before the softmax, B x K."""
        return (self.net.who if hasattr(self.net, "stand_in") else self.net.classifier)(self.feature)

    @cached_property
    def all_logits(self) -> Tensor:
        """Those of the images and, after them, of their references, 2B x K."""
        return self.net.classifier(self._all[0])

    @property
    def f(self) -> Tensor:
        """f_i, B x d."""
        return self._all[1][: len(self.batch.image)]

    @property
    def f_reference(self) -> Tensor:
        """f̄_i, B x d."""
        return self._all[1][len(self.batch.image) :]

    @cached_property
    def centres(self) -> Tensor:
        """C_k, K x d: of this batch's images, or moving averages; raises ValueError for a class of one image."""
        if self.net.config.centres == "ema":
            return self.moved
        counts = self.batch.label.bincount(minlength=len(self.net.classes))
        if (counts == 1).any():
            names = [self.net.classes[k] for k in (counts == 1).nonzero().flatten()]
            raise ValueError(f"{names} have one image each in the batch, which would be its own centre: give two")
        return metric.class_centres(self.f, self.batch.label, len(self.net.classes))

    @cached_property
    def moved(self) -> Tensor:
        """The moving averages after this batch, K x d, without gradient."""
        net, label = self.net, self.batch.label
        with torch.no_grad():
            there = label.bincount(minlength=len(net.classes)) > 0
            mean = metric.class_centres(self.f, label, len(net.classes))
            known = (net.C != 0).any(1, keepdim=True)  # the first batch of a class is its average
            kept = torch.where(known, net.config.ema * net.C + (1 - net.config.ema) * mean, mean)
            if net.training:
                net.C.copy_(torch.where(there[:, None], kept, net.C))
        return net.C.clone()


METHOD = IDFERM
