"""How far apart two networks keep two modalities: critics, a fresh classifier and MMD (beside Unpaired, Fig. 2)."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import torch
from scipy.spatial.distance import cdist
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from fercore.faces.examples import Examples
from fercore.faces.label_sets import onto_shared, shared_outcomes
from fercore.method import Method
from fercore.metrics import Counts, interval, nearer_to_chance, pooled
from fercore.networks.resnet import TappedResNet
from fercore.runs import Run, pretrain
from fercore.tables.columns import points

SPACES = {"features": "D_h", "predictions": "D_l"}  # what is compared, and its critic in the game
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

    @property
    def outcomes(self) -> list[str]:
        """What predictions are compared on: the classes that both modalities know, and "other" where one knows more."""
        return shared_outcomes(*self._classes)

    @property
    def _classes(self) -> list[tuple[str, ...]]:
        return [tuple(run.about["classes"]) for run in (self.run, self._thermal[0])]

    def side(self, space: str, tested: bool) -> Side:
        """The test people's images, or those learned from, in one of SPACES."""
        seen = [self._seen(name, tested) for name in ("visible", "thermal")]
        points = [own[space] for own in seen]
        if space == "predictions":
            onto = onto_shared(*self._classes)
            points = [own @ matrix.numpy() for own, matrix in zip(points, onto, strict=True)]
        thermal = np.repeat([False, True], [len(own) for own in points])
        return Side(np.concatenate(points), thermal, np.concatenate([own["subject"] for own in seen]))

    def judged(self, space: str) -> Counts:
        """Balanced accuracy on the test people of the run's own critic, D_h or D_l, after its last step."""
        visible, thermal = (self._seen(name, tested=True) for name in ("visible", "thermal"))
        return _balanced(
            np.concatenate([visible[SPACES[space]] > 0, thermal[SPACES[space]] <= 0]), self.side(space, tested=True)
        )

    def classified(self, space: str) -> Counts:
        """The same of a linear classifier that is trained afterwards, on the images learned from."""
        learned, tested = self.side(space, tested=False), self.side(space, tested=True)
        model = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=1000)
        model = make_pipeline(StandardScaler(), model).fit(learned.points, learned.thermal)
        return _balanced(model.predict(tested.points) == tested.thermal, tested)

    def discrepancy(self, space: str) -> float:
        """Squared MMD of the test people's images of both modalities."""
        side = self.side(space, tested=True)
        points = StandardScaler().fit_transform(side.points)
        return squared_mmd(points[~side.thermal], points[side.thermal])

    def _seen(self, modality: str, tested: bool) -> dict[str, np.ndarray]:
        if (modality, tested) not in self._cache:
            run, network = self._visible if modality == "visible" else self._thermal
            judges = _judges(self.run.method().to(self.device), modality)
            self._cache[modality, tested] = look(run, network, tested, judges, self.device)
        return self._cache[modality, tested]


@torch.no_grad()
def look(run: Run, network: TappedResNet, tested: bool, judges: dict, device: str = "cpu") -> dict[str, np.ndarray]:
    """What ``network`` and critics make of the images ``run`` was tested on, or learned from, and whose they are.

    judges: name -> function of a feature map and of class probabilities, its logit.
    """
    faces, division, config = run.faces(), run.division(), run.spec.config
    part = division.test if tested else config.streams(run.spec, faces, division).image
    found = {name: [] for name in (*SPACES, *judges)}
    for batch in Examples(faces, part, config.image_size, device, config.channels).in_order():
        h = network.to(device).tap(batch.image)
        p = network.fc(network.pooled(h)).softmax(1)
        found["features"].append(adaptive_avg_pool2d(h, CELLS).flatten(1).cpu())
        found["predictions"].append(p.cpu())
        for name, judge in judges.items():
            found[name].append(judge(h, p).cpu())
    subject = faces.table["subject"].to_numpy()[part.rows]
    return {name: torch.cat(parts).numpy() for name, parts in found.items()} | {"subject": subject}


def _judges(method: Method, modality: str) -> dict[str, Callable[[Tensor, Tensor], Tensor]]:
    judges = {}
    if hasattr(method, "D_h"):
        judges["D_h"] = lambda h, p: method.D_h(h)
    if hasattr(method, "D_l"):
        carried = method.onto if modality == "visible" else method.from_others
        judges["D_l"] = lambda h, p: method.D_l(p @ carried)
    return judges


def _balanced(right: np.ndarray, side: Side) -> Counts:
    of_each = np.stack([~side.thermal, side.thermal], axis=1)
    return Counts(of_each * right[:, None], of_each.astype(float), side.subject)


def comparison(games: dict[str, list[Gap]]) -> pd.DataFrame:
    """Three measures of the modalities' distance in both spaces, over the folds of every game; the first has none.

    Beside each game stands how much nearer to chance it came than the first; an arrow: the interval leaves out zero.
    """
    rows = {}
    for space, critic in SPACES.items():
        for name, measure in ((f"critic {critic} %", Gap.judged), ("fresh classifier %", Gap.classified)):
            counts = {game: pooled([measure(gap, space) for gap in gaps]) for game, gaps in games.items()}
            rows[space, name] = _beside_the_first(counts)
        discrepancies = {game: np.mean([gap.discrepancy(space) for gap in gaps]) for game, gaps in games.items()}
        rows[space, "squared MMD"] = {game: f"{value:.3f}" for game, value in discrepancies.items()}
    return pd.DataFrame(rows).T.fillna("").rename_axis(["space", "measure"])


def _beside_the_first(counts: dict[str, Counts]) -> dict[str, str]:
    shown, first = {}, next(iter(counts.values()))
    for game, own in counts.items():
        shown[game] = str(interval(own))
        if own is not first:
            shown[f"{game}: nearer to 50 %"] = points(nearer_to_chance(own, first))
    return shown


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
