"""Figures of scores: learning curves, confusion, bars, errors on small expressions."""

from collections.abc import Mapping

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from fercore.ablation import Ablation
from fercore.evaluation import accuracy_interval, confusion
from fercore.figures.page import new, stamped
from fercore.tables.page import joined
from fercore.trials import Trial


def learning_curves(history: pd.DataFrame, stamp: str) -> Figure:
    """Mean of every term per epoch, each in its own panel: their scales differ."""
    terms = [column for column in history if column not in ("epoch", "iteration")]
    figure = new(2.6 * len(terms) + 0.6, 2.6)
    for axis, term in zip(figure.subplots(1, len(terms), squeeze=False)[0], terms, strict=True):
        axis.plot(history["iteration"], history[term], marker=".", color="C0")
        top = history[term].max()  # the limits that matplotlib finds leave room in proportion to the range, not to zero
        axis.set(title=term, xlabel="iteration", ylim=(0, 1.08 * top if top > 0 else None))
    return stamped(figure, stamp)


def confusion_matrices(ablation: Ablation, variants: list[str], trial: Trial | None = None) -> Figure:
    """Row-normalised confusion, %, true class by row; the counts of images stand at the right."""
    ablation.need(*variants)
    figure = new(4.4 * len(variants), 4.4)
    for axis, variant in zip(figure.subplots(1, len(variants), squeeze=False)[0], variants, strict=True):
        _confusion(axis, ablation.predictions(variant, trial=trial), ablation.classes, variant)
    return stamped(figure, ablation.stamp_of(trial))


def confusion_matrix(predicted: pd.DataFrame, classes: list[str], title: str, stamp: str) -> Figure:
    """The same of one table of predictions."""
    figure = new(4.8, 4.6)
    _confusion(figure.subplots(), predicted, classes, title)
    return stamped(figure, stamp)


def confusion_by_protocol(studies: Mapping[str, Ablation], variant: str) -> Figure:
    """The same of one variant under several protocols, two in a row, each named by its key."""
    figure = new(9.2, 4.6 * ((len(studies) + 1) // 2))
    axes = list(figure.subplots((len(studies) + 1) // 2, 2, squeeze=False).flat)
    for axis, (name, study) in zip(axes, studies.items(), strict=False):
        study.need(variant)
        _confusion(axis, study.predictions(variant), study.classes, name)
    for empty in axes[len(studies) :]:
        empty.remove()
    return stamped(figure, joined({name: study.stamp for name, study in studies.items()}))


def _confusion(axis: Axes, predicted: pd.DataFrame, classes: list[str], title: str) -> None:
    counts = confusion(predicted, classes)
    share = 100 * counts.div(counts.sum(axis=1).clip(lower=1), axis=0)
    names = [f"{name} ({n})" for name, n in counts.sum(axis=1).items()]
    sns.heatmap(share, annot=True, fmt=".0f", cmap="Blues", vmin=0, vmax=100, cbar=False, ax=axis, square=True,
                yticklabels=names, annot_kws={"size": 8})  # fmt: skip
    axis.set(title=title, xlabel="predicted", ylabel="true")
    axis.tick_params(labelsize=8)


def accuracy_along(arms: Mapping[float, Ablation], variant: str, setting: str, in_use: float, stamp: str) -> Figure:
    """Accuracy of a variant with its 95 % interval over subjects against the values of a setting."""
    figure = new(5.5, 3.2)
    axis, values = figure.subplots(), sorted(arms)
    found = [accuracy_interval(arms[value].predictions(variant)) for value in values]
    for value, interval in zip(values, found, strict=True):
        axis.plot([value] * 2, [interval.low, interval.high], color="C0", lw=2)
    axis.plot(values, [interval.value for interval in found], "o-", color="C0", lw=1)
    axis.axvline(in_use, color="0.7", ls=":", zorder=0, label="in use")
    axis.set(xlabel=setting, ylabel="accuracy")
    axis.yaxis.set_major_formatter(PercentFormatter(1))
    axis.legend(frameon=False)
    return stamped(figure, stamp)


def accuracy_bars(ablation: Ablation, printed: pd.Series) -> Figure:
    """Pooled accuracy with its 95 % interval over subjects, and the printed value where there is one."""
    variants = [variant for variant in ablation.variants if ablation.runs(variant)]
    figure = new(1.2 * len(variants) + 3, 3.2)
    axis = figure.subplots()
    told = False  # the legend names the printed marks once
    for i, variant in enumerate(variants):
        interval = accuracy_interval(ablation.predictions(variant))
        axis.plot([i, i], [interval.low, interval.high], color="C0", lw=2)
        axis.plot(i, interval.value, "o", color="C0", label="ours" if i == 0 else None)
        if variant in printed:
            name, told = None if told else "printed", True
            axis.plot(i + 0.18, printed[variant] / 100, "_", ms=16, mew=2, color="C3", label=name)
    axis.set(xticks=range(len(variants)), xticklabels=variants, ylabel="accuracy", xlim=(-0.5, len(variants) - 0.5))
    axis.yaxis.set_major_formatter(PercentFormatter(1))
    axis.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))  # beside the data, never on it
    return stamped(figure, ablation.stamp)


def small_expressions(ablation: Ablation, variants: list[str]) -> Figure:
    """Error rate against expression intensity, frames of the test subjects that no protocol classifies included."""
    ablation.need(*variants)
    figure = new(6, 3.6)
    axis = figure.subplots()
    for variant in variants:
        frames = pd.concat([ablation.predictions(variant), ablation.predictions(variant, early=True)])
        frames = frames.dropna(subset="intensity").query("intensity > 0")
        wrong = (frames["label"] != frames["predicted"]).groupby(frames["intensity"].round(2))
        axis.plot(wrong.mean().index, wrong.mean(), marker="o", label=variant)
    axis.set(xlabel="intensity (share of the apex)", ylabel="error rate", ylim=(0, 1))
    axis.yaxis.set_major_formatter(PercentFormatter(1))
    axis.legend(frameon=False)
    return stamped(figure, ablation.stamp)
