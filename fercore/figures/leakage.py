"""Figures of the price of leakage: what there is to choose from, and what every habit buys."""

import textwrap
from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from fercore.figures.page import new, stamped
from fercore.leakage import APART, BEST, INNER, LAST, Leak, chosen, curve, prices
from fercore.tables.leakage import stamp

MARKS = {LAST: "s", INNER: "^", BEST: "*"}


def epochs(leaks: Mapping[str, Leak]) -> Figure:
    """Accuracy after every epoch, a panel per fold of the first seed; the epochs that the rules take are marked."""
    columns = max(len(leak.folds) for leak in leaks.values())
    figure = new(2.4 * columns + 1, 2.5 * len(leaks) + 0.9)
    axes = figure.subplots(len(leaks), columns, squeeze=False, sharey=True)
    for row, (name, leak) in zip(axes, leaks.items(), strict=True):
        seen = {apart: leak.predictions(apart) for apart in APART}
        for axis, fold in zip(row, leak.folds, strict=False):
            own = {apart: one[(one["fold"] == fold) & (one["seed"] == leak.seeds[0])] for apart, one in seen.items()}
            _epochs(axis, own)
            axis.set_title(f"{name}, fold {fold}", fontsize=9)
        for empty in row[len(leak.folds) :]:
            empty.remove()
        row[0].set_ylabel("accuracy")
    axes[0, 0].yaxis.set_major_formatter(PercentFormatter(1))
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3, frameon=False, fontsize=8)
    return stamped(figure, stamp(leaks))


def _epochs(axis: Axes, seen: dict) -> None:
    course = {apart: curve(one).reset_index() for apart, one in seen.items()}
    people, images = course["people"], course["images"]
    axis.plot(1 + images["epoch"], images["test"], color="C3", lw=1, label="test images, people on both sides")
    axis.plot(1 + people["epoch"], people["inner"], color="0.6", lw=1, ls="--", label="inner people")
    axis.plot(1 + people["epoch"], people["test"], color="C0", lw=1.2, label="test people")
    for rule, mark in MARKS.items():
        at = chosen(seen["people"], rule).iloc[0]
        height = people.set_index("epoch")["test"][at]
        axis.plot(1 + at, height, mark, color="C0", mec="black", ms=10 if mark == "*" else 6, ls="", label=rule)
    axis.set_xlabel("epoch")


def habits(leaks: Mapping[str, Leak]) -> Figure:
    """What every habit buys, points, with its 95 % interval over people."""
    bought = {name: prices(leak.scored()) for name, leak in leaks.items()}
    names = list(next(iter(bought.values())))
    figure = new(8.5, 0.62 * len(names) + 1.4)
    axis = figure.subplots()
    for n, (dataset, own) in enumerate(bought.items()):
        place = np.arange(len(names)) + 0.22 * (n - (len(bought) - 1) / 2)
        value, low, high = 100 * np.array([(own[name].value, own[name].low, own[name].high) for name in names]).T
        axis.barh(place, value, 0.2, color=f"C{n}", alpha=0.6, label=dataset)
        axis.hlines(place, low, high, color=f"C{n}", lw=2)
    axis.axvline(0, color="black", lw=0.8)
    told = [textwrap.fill(name, 44) for name in names]
    axis.set(yticks=range(len(names)), yticklabels=told, xlabel="points added to the reported accuracy")
    axis.invert_yaxis()
    axis.legend(frameon=False, fontsize=8)
    return stamped(figure, stamp(leaks))
