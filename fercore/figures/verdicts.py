"""The verdicts of all papers as one picture."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fercore.claims.comparisons import CONTRADICTED as REFUTED
from fercore.claims.comparisons import SUPPORTED, UNDECIDED
from fercore.claims.in_print import CONSISTENT, CONTRADICTED, UNTOLD
from fercore.claims.in_runs import NO_TEST, NOT_RUN, ON_PAGE, REFUSED
from fercore.figures.page import new, stamped
from fercore.published import NAMES

COLOURS = {  # told apart by those who see no red and green, too
    CONSISTENT: "#2b7bba", SUPPORTED: "#2b7bba", CONTRADICTED: "#c4442d", REFUTED: "#c4442d", UNDECIDED: "#e8c36a",
    REFUSED: "#7d5a8c", UNTOLD: "#c9ced6", ON_PAGE: "#c9ced6", NOT_RUN: "#e4e7ec", NO_TEST: "#f4f5f7",
}  # fmt: skip


def verdict_bars(counts: pd.DataFrame, layers: list[str], stamp: str) -> Figure:
    """Claims of every paper by verdict, a panel per layer; ``counts`` as ``tables.verdicts.counts`` gives them."""
    papers = [paper for paper in counts if paper != "all"]
    figure = new(10, 0.5 * len(papers) * len(layers) + 1.2 * len(layers))
    for axis, layer in zip(figure.subplots(len(layers), 1, squeeze=False)[:, 0], layers, strict=True):
        _bars(axis, counts.loc[layer, papers], layer)
    return stamped(figure, stamp)


def _bars(axis: Axes, counts: pd.DataFrame, layer: str) -> None:
    """Stacked bars with the count in each part that has room for it."""
    left = pd.Series(0, counts.columns)
    for verdict, row in counts.iterrows():
        axis.barh(row.index, row, left=left, color=COLOURS[verdict], edgecolor="white", label=verdict)
        for place, (paper, count) in enumerate(row.items()):
            if count:
                dark = COLOURS[verdict] in ("#2b7bba", "#c4442d", "#7d5a8c")
                axis.text(left[paper] + count / 2, place, count, ha="center", va="center", fontsize=8,
                    color="white" if dark else "0.2")  # fmt: skip
        left += row
    axis.set_yticks(range(counts.shape[1]), [NAMES[paper] for paper in counts])
    axis.invert_yaxis()
    axis.set_title(layer, loc="left", fontsize=10)
    axis.spines[["top", "right"]].set_visible(False)
    axis.set_xlabel("claims")
    axis.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
