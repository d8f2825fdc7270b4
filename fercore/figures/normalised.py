"""Figures of IDFERM's generator: faces made frontal and neutral, what each loss does, distances of identities."""

from collections.abc import Mapping

import numpy as np
import seaborn as sns
from matplotlib.figure import Figure

from fercore.figures.page import face_grid, new, stamped
from fercore.identity_errors import Calibration
from fercore.normalised import normalised
from fercore.portraits import Portraits
from fercore.runs import Run


def normalised_faces(run: Run, portraits: Portraits, stamp: str) -> Figure:
    """Of every set the person with most expressions: neutral and apex, what becomes of them, the neutral (Fig. 5)."""
    chosen = {dataset: _person(portraits, dataset) for dataset in portraits.table["dataset"].unique()}
    figure = new(1.05 * (1 + max(map(len, chosen.values()))) + 1.5, 3.4 * len(chosen) + 0.4)
    for part, (dataset, places) in zip(
        figure.subfigures(len(chosen), 1, squeeze=False)[:, 0], chosen.items(), strict=True
    ):
        own = portraits.only(places)
        image = np.concatenate([own.neutral[:1], own.image])
        rows = [image, normalised(run.method(), image), np.concatenate([own.neutral[:1], own.neutral])]
        face_grid(part, [row / 255 for row in rows], [f"{dataset}\ninput", "generated", "true neutral"],
                  ["neutral", *own.table["label"]])  # fmt: skip
    return stamped(figure, stamp)


def estimates(portraits: Portraits, made: Mapping[str, np.ndarray], stamp: str, images: int = 8) -> Figure:
    """Input, true neutral and every estimate, a row each, of as many people and expressions as fit (Fig. 9)."""
    places = _spread(portraits, images)
    rows = [portraits.image, portraits.neutral, *made.values()]
    figure = new(1.05 * len(places) + 2.4, 1.05 * len(rows) + 0.6)
    heads = list(portraits.table["label"].iloc[places])
    face_grid(figure, [row[places] / 255 for row in rows], ["input", "true neutral", *made], heads)
    return stamped(figure, stamp)


def identity_distances(found: Mapping[str, np.ndarray], threshold: float, stamp: str) -> Figure:
    """Histograms of a judge's distances, each in a panel of one axis, with its threshold (Fig. 10)."""
    figure = new(7, 1.5 * len(found) + 0.6)
    axes = figure.subplots(len(found), 1, sharex=True, squeeze=False)[:, 0]
    bins = np.linspace(0, max(map(np.max, found.values())), 41)
    for i, (axis, (name, values)) in enumerate(zip(axes, found.items(), strict=True)):
        sns.histplot(x=values, bins=bins, stat="probability", ax=axis, color=f"C{i}")
        axis.axvline(threshold, color="0.2", ls="--")
        axis.set(ylabel="share", xlabel="distance by the stand-in judge")
        axis.set_title(f"{name}: {100 * np.mean(values > threshold):.1f} % beyond {threshold:.2f}", fontsize=9)
    return stamped(figure, stamp)


def judge(calibration: Calibration, stamp: str) -> Figure:
    """The judge's ROC on pairs of strangers, and where its threshold lies."""
    figure = new(3.6, 3.4)
    axis, curve = figure.subplots(), calibration.roc()
    axis.plot(*curve.to_numpy().T)
    taken, missed = (
        (calibration.different <= calibration.threshold).mean(),
        (calibration.same > calibration.threshold).mean(),
    )
    axis.plot(taken, 1 - missed, "o", color="C3")
    axis.set(xlabel="two people taken for one", ylabel="one person recognised", xlim=(0, 1), ylim=(0, 1.02))
    return stamped(figure, stamp)


def _person(portraits: Portraits, dataset: str) -> np.ndarray:
    own = portraits.table[portraits.table["dataset"] == dataset]
    who = own.groupby("subject")["label"].nunique().idxmax()  # the first of equals
    apex = own[own["subject"] == who].groupby("label").tail(1).sort_values("label")
    return apex.index.to_numpy()


def _spread(portraits: Portraits, images: int) -> np.ndarray:
    last = portraits.table.groupby(["subject", "label"]).tail(1)
    person, expression = (last.groupby(by).ngroup() for by in ("subject", "label"))
    turn = (expression - person) % last["label"].nunique()  # one of each person in every turn
    return last.assign(turn=turn, person=person).sort_values(["turn", "person"]).index[:images].to_numpy()
