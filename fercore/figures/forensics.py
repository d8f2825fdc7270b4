"""Figure of the forensics page: how many printed values fit each unit, against chance."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from scipy.stats import binomtest

from fercore.figures.page import new, stamped
from fercore.tables.forensics import place

READINGS = {  # how a reading starts: its name in the legend, its colour
    "fits but": ("fits but for few", "C9"), "fits": ("fits", "C0"), "excluded": ("excluded", "C3"),
    "possible": ("cannot be told", "0.55"), "cannot": ("cannot be told", "0.55"),
}  # fmt: skip


def fitting_units(units: pd.DataFrame, stamp: str) -> Figure:
    """Share of a column's values that each unit gives, with its 95 % interval (Clopper, Pearson), and chance's share.

    ``units``: the table of that name, one row per column and unit.
    """
    figure = new(8, 0.21 * len(units) + 1.2)
    axis = figure.subplots()
    named, names = set(), []
    for line, (key, row) in enumerate(units.iterrows()):
        found = binomtest(int(row["or truncated"]), int(row["values"]))
        interval = found.proportion_ci(method="exact")
        name, colour = next(told for start, told in READINGS.items() if row["reading"].startswith(start))
        chance = row["chance %, or truncated"] / 100
        axis.plot(chance, line, "|", color="k", ms=11, mew=2, label=None if named else "chance")
        axis.plot([interval.low, interval.high], [line] * 2, color=colour, lw=2)
        axis.plot(found.statistic, line, "o", color=colour, label=None if name in named else name)
        named.add(name)
        names.append(f"{place(*key)}: {row['images']}")
    axis.set(yticks=range(len(names)), yticklabels=names, xlim=(-0.02, 1.02), ylim=(len(names) - 0.5, -0.5),
             xlabel="share of the column's values that the unit gives, rounded or truncated")  # fmt: skip
    axis.tick_params(axis="y", labelsize=8)
    axis.xaxis.set_major_formatter(PercentFormatter(1))
    axis.legend(loc="lower center", bbox_to_anchor=(0.4, 1), ncols=5, frameon=False, fontsize=8)
    _separate(axis, [key[:3] for key in units.index])
    return stamped(figure, stamp)


def _separate(axis, keys: list[tuple]) -> None:
    """A line between columns."""
    for line in range(1, len(keys)):
        if keys[line] != keys[line - 1]:
            axis.axhline(line - 0.5, color="0.88", lw=0.8, zorder=0)
