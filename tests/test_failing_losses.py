"""Figure 3 of IDFERM: three losses fall silent on our embeddings, and clusters loss does not."""

import math

import pytest
import torch

from fercore import failing_losses
from fercore.failing_losses import MARGIN, Scene


@pytest.fixture(scope="module")
def scene() -> Scene:
    return failing_losses.scene()


def distance(scene, i, j):
    return sum((a - b) ** 2 for a, b in zip(scene.f[i].tolist(), scene.f[j].tolist(), strict=True))


def test_every_positive_is_nearer_than_every_negative_by_the_margin(scene):
    n = range(len(scene.label))
    for a in n:
        near = [distance(scene, a, j) for j in n if j != a and scene.label[j] == scene.label[a]]
        far = [distance(scene, a, j) for j in n if scene.label[j] != scene.label[a]]
        assert max(near) + MARGIN < min(far)


def test_the_losses_stand_as_the_figure_says(scene):
    table = failing_losses.table(scene)
    *relative, clusters = table["value"]
    assert max(relative) < failing_losses.ZERO and clusters > 0.1
    assert table.iloc[:, 1].tolist() == ["yes", "yes", "yes", "no"]
    assert table["gradient"].iloc[:3].max() < 1e-6 and table["gradient"].iloc[3] > 0.1
    assert failing_losses.agrees(scene) and failing_losses.verdict(scene)["agrees"].item() == "yes"


def test_the_verdict_can_be_no(scene):
    together = Scene(torch.zeros_like(scene.f), scene.label, scene.subject)  # every loss is at work
    assert not failing_losses.agrees(together)
    assert not failing_losses.agrees(failing_losses.person(scene, 0))  # one threshold is enough: all four are zero


def test_the_tuplet_losses_exponents_are_far_below_zero(scene):
    for k in range(4):
        anchor, positive = (scene.label == k).nonzero().flatten().tolist()
        others = [(scene.label == j).nonzero().flatten().tolist()[1] for j in range(4) if j != k]
        f = scene.f.tolist()
        gaps = [math.fsum(a * (n - p) for a, n, p in zip(f[anchor], f[o], f[positive], strict=True)) for o in others]
        assert sum(map(math.exp, gaps)) < failing_losses.ZERO


def test_no_threshold_does_better_than_the_best_and_each_person_alone_has_one(scene):
    best = failing_losses.best_threshold(scene)
    least = failing_losses.clusters(scene.f, scene.label, scene.subject, best)
    for T in torch.linspace(0, 1500, 601).tolist():
        assert failing_losses.clusters(scene.f, scene.label, scene.subject, T) >= least
    assert failing_losses.by_person(scene)["value"].tolist() == pytest.approx([least.item(), 0, 0], abs=1e-9)
