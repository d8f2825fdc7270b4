"""PG-CNN and gACNN (Li et al. 2018, 2019) as methods: the rows that Occluded, Tables 1-4, compares with."""

from dataclasses import replace
from typing import Any

from torch import Tensor

from fercore.faces.patch_points import MEAN_FACE, patch_points
from fercore.losses.classification import cross_entropy
from fercore.method import Adam, Batch, Method, Player
from fercore.networks.patch_gated import PAPER, SMALL, PatchGated, Shape
from fercore.networks.weights import published
from fercore.schedules import linear

TERMS = frozenset({"patches", "patches_and_face"})  # one of them: PG-CNN or gACNN


def shape_for(image_size: int, small: bool) -> Shape:
    """The authors' network, or a narrow one, for images of this size; patches keep their share of the face.

    Below 160 pixels the first pooling is left out: with it a patch would be a cell or two.
    """
    pooled = PAPER.pooled if image_size >= 160 else SMALL.pooled
    shape = replace(SMALL if small else PAPER, image_size=image_size, pooled=pooled)
    return replace(shape, patch=round(PAPER.patch / (PAPER.image_size / PAPER.stride) * image_size / shape.stride))


class Gated(Method):
    """Patches weighed by how well they can be seen; gACNN adds the whole face."""

    def __init__(self, config: Any, n_classes: int, variant: frozenset[str]):
        super().__init__()
        self.config = config
        whole, shape = "patches_and_face" in variant, shape_for(config.image_size, config.width < PAPER.widths[0])
        points = patch_points(0.5 + config.framing * (MEAN_FACE - 0.5))
        self.recogniser = PatchGated(n_classes, whole, shape, points=points)
        learner = Adam(linear(config.pretraining_rate, config.last_rate, self.iterations))
        self.set_players([Player("recogniser", {"recogniser": 1.0}, dict.fromkeys(TERMS, 1.0), learner)], variant)

    @property
    def iterations(self) -> int:
        """As many steps as the other rows take, their pre-training included."""
        return self.config.pretraining_iterations + self.config.iterations

    def initialise(self) -> None:
        """Start the trunk from ImageNet's VGG-16, unless random weights are asked for; raises WeightsError."""
        if self.config.weights == "imagenet":
            from torchvision.models import VGG16_BN_Weights

            self.recogniser.load_vgg16(published(VGG16_BN_Weights.IMAGENET1K_V1))

    def forward(self, batch: Batch) -> "Outputs":
        """The features of the patches and what follows from them."""
        return Outputs(self.recogniser, batch.image)

    def patches(self, batch: Batch, out: "Outputs") -> Tensor:
        """Cross-entropy on the features of 24 patches (PG-CNN)."""
        return cross_entropy(out.logits, batch.label)

    def patches_and_face(self, batch: Batch, out: "Outputs") -> Tensor:
        """Cross-entropy on the features of 24 patches and of the whole face (gACNN)."""
        return cross_entropy(out.logits, batch.label)


class Outputs:
    """One forward pass."""

    def __init__(self, recogniser: PatchGated, image: Tensor):
        self.feature, self.gates = recogniser.gated(image)  # B x F, B x 24 (25)
        self.logits = recogniser.classifier(self.feature)  # B x K
