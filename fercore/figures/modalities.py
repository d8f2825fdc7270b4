"""Figures of two modalities: where their features and predictions lie (Unpaired, Fig. 2)."""

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.preprocessing import StandardScaler

from fercore.evaluation import Interval
from fercore.figures.features import tsne
from fercore.figures.page import new, stamped
from fercore.metrics import interval
from fercore.modality_gap import Gap, Side

COLOURS = {"visible": "C0", "thermal": "C3"}


def alignment(gaps: dict[str, Gap], stamp: str, seed: int = 0) -> Figure:
    """Test people's images of both modalities: t-SNE of the features above, histograms of the predictions below.

    A column per run, named by the keys of ``gaps``. Under each title stands how often the run's own critic tells the
    modalities apart (50 % would be chance), and their squared MMD.
    """
    figure = new(4.2 * len(gaps) + 1, 7.4)
    axes = figure.subplots(2, len(gaps), squeeze=False)
    for column, (name, gap) in zip(axes.T, gaps.items(), strict=True):
        for axis, space, draw in zip(column, ("features", "predictions"), (_points, _histogram), strict=True):
            draw(axis, gap.side(space, tested=True), gap, seed)
            told = interval(gap.judged(space))
            axis.set_title(f"{space}, {name}\ncritic {_percent(told)}, MMD² {gap.discrepancy(space):.3f}", fontsize=10)
    axes[0, -1].legend(fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    return stamped(figure, stamp)


def _percent(told: Interval) -> str:
    """One number for one person, who has no interval."""
    return f"{100 * told.value:.1f} % (one person)" if np.isnan(told.low) else f"{told} %"


def _points(axis: Axes, side: Side, gap: Gap, seed: int) -> None:
    flat = tsne(StandardScaler().fit_transform(side.points), seed)
    for name, chosen in _modalities(side):
        axis.scatter(*flat[chosen].T, s=10, color=COLOURS[name], alpha=0.6, label=name)
    axis.set(xticks=[], yticks=[], xlabel="t-SNE")


def _histogram(axis: Axes, side: Side, gap: Gap, seed: int) -> None:
    outcome = gap.outcomes[-1]
    for name, chosen in _modalities(side):
        shown = {"bins": np.linspace(0, 1, 21), "stat": "probability", "alpha": 0.5}
        sns.histplot(x=side.points[chosen, -1], ax=axis, color=COLOURS[name], label=name, **shown)
    axis.set(xlabel=f"predicted probability of {outcome}", ylabel="share of images")


def _modalities(side: Side) -> list[tuple[str, np.ndarray]]:
    return [("visible", ~side.thermal), ("thermal", side.thermal)]
