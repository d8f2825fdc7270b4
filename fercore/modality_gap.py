"""How far apart two networks keep two modalities: a classifier of the source, and MMD (beside Unpaired, Fig. 2)."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from scipy.spatial.distance import cdist
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch.nn.functional import adaptive_avg_pool2d

from fercore.faces.examples import Examples
from fercore.faces.label_sets import onto_shared
from fercore.metrics import Counts
from fercore.networks.resnet import TappedResNet
from fercore.runs import Run, pretrain

SPACES = ("features", "predictions")
CELLS = 4  # a feature map is averaged over this many cells in each direction
STRENGTH = 0.01  # of the classifier's regularisation (C), fixed beforehand


@dataclass(frozen=True)
class Side:
    """Images of both modalities as their networks see them, N rows; in one space."""

    points: np.ndarray  # N x D
    thermal: np.ndarray  # N, True where the image is thermal
    subject: np.ndarray  # N


@dataclass(frozen=True)
class Gap:
    """The images a run learned from and those of its test people, seen by its networks."""

    run: Run
    device: str = "cpu"

    @cached_property
    def _cache(self) -> dict:
        return {}

    @cached_property
    def _visible(self) -> tuple[Run, TappedResNet]:
        return self.run, self.run.method().visible

    @cached_property
    def _thermal(self) -> tuple[Run, TappedResNet]:
        """The run that learned thermal images; its network, or what became of it beside the visible one."""
        stage, own = pretrain(self.run.spec, "thermal", self.device), self.run.method()
        return stage, (own if hasattr(own, "thermal") else stage.method()).thermal

    def side(self, space: str, tested: bool) -> Side:
        """The test people's images, or those learned from, in one of SPACES."""
        seen = [self._seen(name, tested) for name in ("visible", "thermal")]
        points = [own[space] for own in seen]
        if space == "predictions":
            onto = onto_shared(*(tuple(run.about["classes"]) for run in (self.run, self._thermal[0])))
            points = [own @ matrix.numpy() for own, matrix in zip(points, onto, strict=True)]
        thermal = np.repeat([False, True], [len(own) for own in points])
        return Side(np.concatenate(points), thermal, np.concatenate([own["subject"] for own in seen]))

    def classified(self, space: str) -> Counts:
        """Balanced accuracy on the test people of a linear classifier of the source, trained on the others."""
        learned, tested = self.side(space, tested=False), self.side(space, tested=True)
        model = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=1000)
        model = make_pipeline(StandardScaler(), model).fit(learned.points, learned.thermal)
        right = model.predict(tested.points) == tested.thermal
        of_each = np.stack([~tested.thermal, tested.thermal], axis=1)
        return Counts(of_each * right[:, None], of_each.astype(float), tested.subject)

    def discrepancy(self, space: str) -> float:
        """Squared MMD of the test people's images of both modalities."""
        side = self.side(space, tested=True)
        points = StandardScaler().fit_transform(side.points)
        return squared_mmd(points[~side.thermal], points[side.thermal])

    def _seen(self, modality: str, tested: bool) -> dict[str, np.ndarray]:
        if (modality, tested) not in self._cache:
            run, network = self._visible if modality == "visible" else self._thermal
            self._cache[modality, tested] = look(run, network, tested, self.device)
        return self._cache[modality, tested]


@torch.no_grad()
def look(run: Run, network: TappedResNet, tested: bool, device: str = "cpu") -> dict[str, np.ndarray]:
    """What ``network`` makes of the images that ``run`` was tested on, or learned from, in both spaces; and whose."""
    faces, division, config = run.faces(), run.division(), run.spec.config
    part = division.test if tested else config.streams(run.spec, faces, division).image
    found = {space: [] for space in SPACES}
    for batch in Examples(faces, part, config.image_size, device, config.channels).in_order():
        h = network.to(device).tap(batch.image)
        found["features"].append(adaptive_avg_pool2d(h, CELLS).flatten(1).cpu())
        found["predictions"].append(network.fc(network.pooled(h)).softmax(1).cpu())
    subject = faces.table["subject"].to_numpy()[part.rows]
    return {space: torch.cat(parts).numpy() for space, parts in found.items()} | {"subject": subject}


def squared_mmd(x: np.ndarray, y: np.ndarray) -> float:
    """Unbiased squared maximum mean discrepancy (Gretton et al. 2012, Eq. 3) of two samples, n x D and m x D.

    Gaussian kernel whose width is the median distance of all points. 0 in the mean for samples of one distribution.
    """
    both = np.concatenate([x, y])
    distance = cdist(both, both, "sqeuclidean")
    width = np.median(distance[np.triu_indices(len(both), 1)]) or 1.0
    kernel = np.exp(-distance / width)
    n, m = len(x), len(y)
    within = [(part.sum() - k) / (k * (k - 1)) for part, k in ((kernel[:n, :n], n), (kernel[n:, n:], m))]
    return float(sum(within) - 2 * kernel[:n, n:].mean())
