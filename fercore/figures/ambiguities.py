"""What unstated choices move, as a tornado: the longest bars above."""

import textwrap

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from fercore.figures.page import new, stamped

COLOURS = {"higher": "#0072B2", "lower": "#D55E00", "cannot be told": "#BBBBBB"}  # Okabe & Ito; gray
ROW, HEAD = 0.36, 0.9  # inches of a bar, and of a panel besides its bars


def tornado(found: pd.DataFrame, stamp: str) -> Figure:
    """Effect of every arm in points of accuracy with its paired 95 % interval, a panel per paper, sorted by size.

    found: ``ambiguities.effects``. All panels have one scale; zero is what is in use.
    Raises ValueError where nothing was measured.
    """
    if found.empty:
        raise ValueError("no effect is measured, there is nothing to draw: choose papers with arms")
    panels = {paper: own for paper, own in found.groupby("paper", sort=False)}
    heights = [HEAD + ROW * len(own) for own in panels.values()]
    figure = new(9.2, sum(heights) + 0.9)
    axes = figure.subplots(len(panels), 1, squeeze=False, sharex=True, gridspec_kw={"height_ratios": heights})[:, 0]
    reach = 1.05 * max(found[["effect", "low", "high"]].abs().max().max(), 1)
    for axis, (paper, own) in zip(axes, panels.items(), strict=True):
        _panel(axis, own.iloc[own["effect"].abs().argsort(kind="stable")], paper)
    axes[-1].set(xlabel="effect on accuracy, points", xlim=(-reach, reach))
    patches = [Patch(color=colour, label=name) for name, colour in COLOURS.items()]
    figure.legend(handles=patches, loc="outside upper right", ncols=3, frameon=False, fontsize=9)
    return stamped(figure, stamp)


def _panel(axis: Axes, own: pd.DataFrame, paper: str) -> None:
    places = range(len(own))
    axis.barh(places, own["effect"], height=0.6, color=[COLOURS[_reading(row)] for row in own.itertuples()])
    axis.hlines(places, own["low"], own["high"], color="black", lw=1.4)
    axis.plot(own["effect"], places, "o", color="black", ms=3.5)  # seen where there is no bar
    axis.axvline(0, color="black", lw=0.8)
    axis.set_yticks(places, [textwrap.shorten(arm, 58, placeholder="…") for arm in own["arm"]], fontsize=9)
    axis.set_title(paper, loc="left", fontsize=10, fontweight="bold")
    axis.set_ylim(-0.6, len(own) - 0.4)
    axis.spines[["top", "right", "left"]].set_visible(False)
    axis.tick_params(axis="y", length=0)
    axis.grid(axis="x", color="0.9", zorder=0)
    axis.set_axisbelow(True)


def _reading(row: tuple) -> str:
    if row.low > 0:
        return "higher"
    return "lower" if row.high < 0 else "cannot be told"
