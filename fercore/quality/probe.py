"""A small, well-trained network on drawn faces: how hard they are, what its features know of them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from sklearn.linear_model import RidgeCV
from sklearn.metrics import r2_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from torch import Tensor, nn

from fercore.faces.augmentation import Augmentation, centre_crop, stored_size

CHANGES = Augmentation(scale=0.06, rotation=6.0, intensity=0.15)


class Probe(nn.Module):
    """Three convolutions, a mean over the map, one linear layer; images are standardised one by one."""

    size = 48  # pixels that the network sees, cut from ``stored()``

    def __init__(self, n_classes: int):
        super().__init__()
        layers: list[nn.Module] = []
        for inward, outward in ((1, 32), (32, 64), (64, 128)):
            layers += [nn.Conv2d(inward, outward, 3, padding=1), nn.BatchNorm2d(outward), nn.ReLU(), nn.MaxPool2d(2)]
        self.features = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(3), nn.Flatten(), nn.Dropout(0.3))
        self.classifier = nn.Linear(128 * 9, n_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Class scores, B x K, of images B x 1 x H x W."""
        return self.classifier(self.features(self.prepared(images)))

    def prepared(self, images: Tensor) -> Tensor:
        """What the first layer sees."""
        return standardised(images)


def standardised(images: Tensor) -> Tensor:
    """Each image with mean 0 and standard deviation 1."""
    deviation, mean = torch.std_mean(images, (1, 2, 3), keepdim=True)
    return (images - mean) / (deviation + 1e-3)


def train(
    images: np.ndarray,
    target: np.ndarray,
    n_classes: int,
    epochs: int = 30,
    seed: int = 0,
    seen_as: Callable[[Tensor, torch.Generator], Tensor] = lambda images, generator: images,
    kind: type[Probe] = Probe,
) -> Probe:
    """A trained probe from gray images (N x S x S, uint8) and classes; the rate rises and falls once.

    ``seen_as`` changes every batch further, as ``photographs.photographed`` does.
    """
    torch.manual_seed(seed)
    generator, net = torch.Generator().manual_seed(seed), kind(n_classes)
    x, y = torch.from_numpy(np.array(images)).float()[:, None] / 255, torch.from_numpy(np.array(target))
    batch = min(64, len(x))
    descent = torch.optim.SGD(net.parameters(), 0.03, 0.9, weight_decay=5e-4, nesterov=True)
    rate = torch.optim.lr_scheduler.OneCycleLR(descent, 0.03, total_steps=epochs * (len(x) // batch))
    for _ in range(epochs):
        for chosen in torch.randperm(len(x), generator=generator).split(batch):
            if len(chosen) < batch:
                continue
            changed = seen_as(CHANGES(x[chosen], net.size, generator), generator)
            loss = F.cross_entropy(net(changed), y[chosen])
            descent.zero_grad()
            loss.backward()
            descent.step()
            rate.step()
    return net.eval()


@torch.inference_mode()
def look(net: Probe, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Predicted classes and features (N x F) of gray images."""
    cropped = centre_crop(torch.from_numpy(np.array(images)).float()[:, None] / 255, net.size)
    features = torch.cat([net.features(net.prepared(part)) for part in cropped.split(256)])
    return net.classifier(features).argmax(1).numpy(), features.numpy()


@torch.inference_mode()
def scores(net: Probe, images: np.ndarray) -> np.ndarray:
    """The probability of every class, N x K, for gray images."""
    features = torch.from_numpy(look(net, images)[1])
    return net.classifier(features).softmax(1).numpy()


def folds(table: pd.DataFrame, count: int = 5) -> list[np.ndarray]:
    """Test rows of ``count`` folds without a common subject."""
    subjects = sorted(table["subject"].unique())
    return [np.flatnonzero(table["subject"].isin(subjects[k::count])) for k in range(count)]


def accuracies(images: np.ndarray, table: pd.DataFrame, count: int = 5, epochs: int = 30) -> tuple[list, list]:
    """Accuracy of the probe and of a linear SVM on 32 x 32 gray levels, on each of ``count`` subject-disjoint folds."""
    classes = sorted(table["label"].unique())
    target = table["label"].map(classes.index).to_numpy()
    x = torch.from_numpy(np.array(images)).float()[:, None]
    pixels = F.interpolate(x, (32, 32), mode="bilinear", antialias=True).flatten(1).numpy() / 255
    ours, linear = [], []
    for test in folds(table, count):
        rest = np.setdiff1d(np.arange(len(table)), test)
        net = train(images[rest], target[rest], len(classes), epochs)
        ours.append(float((look(net, images[test])[0] == target[test]).mean()))
        svm = make_pipeline(StandardScaler(), LinearSVC(C=0.001, random_state=0)).fit(pixels[rest], target[rest])
        linear.append(float(svm.score(pixels[test], target[test])))
    return ours, linear


@dataclass(frozen=True)
class HeldOut:
    """A trained probe with the images and the table of people that it has not seen."""

    net: Probe
    images: np.ndarray
    table: pd.DataFrame
    classes: list[str]

    def predicted(self, images: np.ndarray | None = None) -> np.ndarray:
        """The label that the probe gives to each of its images, or to changed copies of them."""
        return np.array(self.classes)[look(self.net, self.images if images is None else images)[0]]

    def accuracy(self, images: np.ndarray | None = None) -> float:
        """Share of right labels."""
        return float((self.predicted(images) == self.table["label"].to_numpy()).mean())


def hold_out(images: np.ndarray, table: pd.DataFrame, epochs: int) -> HeldOut:
    """Train on half of the people and keep the others."""
    classes, test = sorted(table["label"].unique()), folds(table, 2)[0]
    rest = np.setdiff1d(np.arange(len(table)), test)
    target = table["label"].map(classes.index).to_numpy()
    net = train(images[rest], target[rest], len(classes), epochs)
    return HeldOut(net, images[test], table.iloc[test].reset_index(drop=True), classes)


def recovered(features: np.ndarray, table: pd.DataFrame) -> pd.Series:
    """R2 of a ridge regression from features to each varying action unit's intensity, cross-validated over subjects."""
    units = [name for name in table if name.startswith("au") and table[name].std() > 0.02]
    model = make_pipeline(StandardScaler(), RidgeCV(np.logspace(1, 5, 9)))
    parts = GroupKFold(min(5, table["subject"].nunique()))
    predicted = cross_val_predict(model, features, table[units], groups=table["subject"], cv=parts)
    return pd.Series(r2_score(table[units], predicted, multioutput="raw_values"), units)


def stored(kind: type[Probe] = Probe) -> int:
    """The size to draw faces at, so that the probe can move its crop."""
    return stored_size(kind.size)
