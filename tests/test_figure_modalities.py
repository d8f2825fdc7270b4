"""The figure of two modalities: each panel shows its run's test images, and says what was measured on them."""

import re

import numpy as np
import pytest

from fercore import figures
from fercore.evaluation import Interval
from fercore.figures import modalities
from fercore.metrics import interval
from fercore.modality_gap import Gap

STAMP = "tier smoke · drawn by the tests"


@pytest.fixture
def gaps(unpaired_study) -> dict[str, Gap]:
    return {row: Gap(unpaired_study.runs(row)[0]) for row in ("L_v+L_h+L_l", "Ours")}


def test_every_column_shows_a_runs_test_images_above_and_their_predictions_below(gaps, monkeypatch):
    monkeypatch.setattr(modalities, "tsne", lambda points, seed: points[:, :2])
    figure = figures.alignment(gaps, STAMP)
    above, below = figure.axes[: len(gaps)], figure.axes[len(gaps) :]
    assert re.sub(r"\s", "", figure._supxlabel.get_text()) == re.sub(r"\s", "", STAMP)
    for axis, gap in zip(above, gaps.values(), strict=True):
        thermal = gap.side("features", tested=True).thermal
        assert [len(cloud.get_offsets()) for cloud in axis.collections] == [(~thermal).sum(), thermal.sum()]
    for axis, gap in zip(below, gaps.values(), strict=True):
        side = gap.side("predictions", tested=True)
        counted, _ = np.histogram(side.points[~side.thermal, -1], np.linspace(0, 1, 21))
        drawn = [bar.get_height() for bar in axis.patches[:20]]  # the visible images come first
        np.testing.assert_allclose(drawn, counted / counted.sum(), atol=1e-6)
        assert axis.get_xlabel() == "predicted probability of pain"
        heights = [bar.get_height() for bar in axis.patches]
        assert np.isclose(sum(heights), 2)  # shares of each modality


@pytest.mark.parametrize("space", ["features", "predictions"])
def test_titles_tell_the_critic_and_the_discrepancy_of_that_space(gaps, space, monkeypatch):
    monkeypatch.setattr(modalities, "tsne", lambda points, seed: points[:, :2])
    titles = [axis.get_title() for axis in figures.alignment(gaps, STAMP).axes]
    for name, gap in gaps.items():
        told = f"{space}, {name}\ncritic {interval(gap.judged(space))} %, MMD² {gap.discrepancy(space):.3f}"
        assert titles.count(told) == 1


def test_a_title_of_one_person_has_its_percent_beside_the_number():
    assert modalities._percent(Interval(0.5, float("nan"), float("nan"))) == "50.0 % (one person)"
    assert modalities._percent(Interval(0.5, 0.4, 0.6)) == "50.0 [40.0, 60.0] %"
