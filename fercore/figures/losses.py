"""Figures of metric losses: where they fall silent, and how fast they learn."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from matplotlib.ticker import PercentFormatter

from fercore.failing_losses import Scene
from fercore.figures.page import new, stamped
from fercore.training_time import reached

MARKS = "osD^"
STYLES = ("-", "--", "-.", (0, (3, 1, 1, 1, 1, 1)))
COLOURS = ("C0", "C1", "C2", "C3", "C4", "C9", "C6")


def failing_losses(scene: Scene, threshold: float, stamp: str) -> Figure:
    """The embeddings of every person in a panel of one scale, with the centre and radius of each class.

    Dashed is the circle around a class's centre on which one threshold for all would cut.
    """
    people = scene.subject.unique().tolist()
    figure = new(4.2 * len(people), 4.4)
    for axis, person in zip(figure.subplots(1, len(people), squeeze=False)[0], people, strict=True):
        own = scene.subject == person
        middle = scene.f[own].mean(0)
        for n, k in enumerate(scene.label[own].unique().tolist()):
            points = scene.f[scene.label == k] - middle
            centre = points.mean(0)
            radius = (points - centre).norm(dim=1).max().item()
            axis.plot(*points.T, MARKS[n], color=f"C{k}", label=f"class {k}, radius {radius:.2f}")
            axis.plot(*centre, "+", color=f"C{k}", ms=9)
            axis.add_patch(Circle(centre.tolist(), radius, fill=False, color=f"C{k}"))
            cut = Circle(centre.tolist(), threshold**0.5, fill=False, color=f"C{k}", ls="--", lw=0.8, alpha=0.7)
            axis.add_patch(cut)
        axis.set(title=f"person {person}", aspect="equal", xlim=(-48, 48), ylim=(-48, 48))
        axis.legend(frameon=False, fontsize=8, loc="upper right")
    return stamped(figure, stamp)


def against_seconds(curves: Mapping[str, pd.DataFrame], target: float, stamp: str) -> Figure:
    """Accuracy of every loss against its seconds of training; a dot is where each first reaches the target.

    The last loss is the paper's own: it is thick and black, the others are thin, each of its own colour.
    """
    figure = new(8.5, 4.6)
    axis = figure.subplots()
    axis.axhline(target, color="0.3", lw=1, ls=(0, (1, 2)), label="target")
    for n, (name, curve) in enumerate(curves.items()):
        last = n == len(curves) - 1
        look = {"color": "black", "lw": 2.4, "zorder": 3} if last else {"color": COLOURS[n % 7], "ls": STYLES[n % 4]}
        axis.plot(curve["seconds"], curve["accuracy"], **{"lw": 0.9} | look, label=name)
        if (there := reached(curve, target)) is not None:
            dot = {"ms": 9 if last else 6, "mec": "white", "mew": 0.8, "zorder": 4}
            axis.plot(there["seconds"], there["accuracy"], "o", color=look["color"], **dot)
    axis.set(xlabel="seconds of training", ylabel="accuracy, inner fold")
    axis.yaxis.set_major_formatter(PercentFormatter(1))
    axis.legend(frameon=False, fontsize=8, bbox_to_anchor=(1, 1), loc="upper left")
    return stamped(figure, stamp)
