"""Figures to browse by: what single images were taken for, every class score, what networks make of them.

All pictures of a figure lie in one axis, a unit wide each: dozens of axes would take seconds to lay out.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fercore.figures.page import new, stamped
from fercore.predictions import SCORE

RIGHT, WRONG = "tab:green", "tab:red"
INCHES = 1.1  # of a unit
SIDE = 0.94  # of a picture, in units
PITCH = 0.14  # from bar to bar, in units


def predicted(table: pd.DataFrame, views: Mapping[str, np.ndarray], classes: Sequence[str], stamp: str) -> Figure:
    """A column per image: true and predicted class, its ``views`` (name -> N images), the score of every class.

    ``table``: N rows of predictions. The bar of the true class is green, that of a wrongly predicted one red.
    """
    columns, lines = max(len(table), 4), len(views)
    figure, axis = _sheet(columns, lines + PITCH * len(classes) + 0.1, margins=(1.7, 0.9))
    for i, images in enumerate(views.values()):
        for j, image in enumerate(images):
            _picture(axis, image, j, i)
    for j, row in enumerate(table.to_dict("records")):
        scores = np.array([row[SCORE + name] for name in classes])
        _bars(axis, scores, classes, j, lines + 0.1, row["label"])
    places = [*(i + SIDE / 2 for i in range(lines)), *_places(lines + 0.1, len(classes))]
    axis.set_yticks(places, [*views, *classes], fontsize=8)
    _heads(axis, table)
    return stamped(figure, stamp)


def photographed(photo: np.ndarray, points: np.ndarray | None, title: str, rows: Sequence, stamp: str) -> Figure:
    """The photograph with the points found in it, and beside it a line per model: what it sees and makes, its scores.

    photo: H x W x 3, uint8. points: K x 2 or None. rows: objects with ``name``, ``views`` (name -> image), ``classes``
    and ``scores``.
    """
    across = max((len(row.views) for row in rows), default=0)
    bars_at, line = across + 0.8, 1.4  # room for the names of classes, and for those of views
    figure = new(3.0 + (INCHES * (bars_at + 1) + 1.2) * bool(rows), max(INCHES * line * len(rows), 2.4) + 1.1)
    figure.shows = "colour faces"
    ratios = {"width_ratios": [2.6, INCHES * (bars_at + 1) + 1.2]} if rows else {}
    axes = figure.subplots(1, 1 + bool(rows), squeeze=False, gridspec_kw=ratios)[0]
    axes[0].imshow(photo)
    axes[0].set(xticks=[], yticks=[], anchor="N")
    axes[0].set_title(title, fontsize=9)
    if points is not None:
        axes[0].plot(*points.T, "+", color="yellow", ms=8, mew=2)
    for i, row in enumerate(rows):
        for j, (name, image) in enumerate(row.views.items()):
            _picture(axes[1], image, j, line * i)
            axes[1].text(j + SIDE / 2, line * i - 0.03, name.replace(" ", "\n"), ha="center", va="bottom", fontsize=7)
        _bars(axes[1], row.scores, row.classes, bars_at, line * i)
        for place, name in zip(_places(line * i, len(row.classes)), row.classes, strict=True):
            axes[1].text(bars_at - 0.05, place, name, ha="right", va="center", fontsize=7)
    if rows:
        _bare(axes[1], bars_at + 1, line * len(rows) - 0.35, top=-0.4)
        axes[1].set_yticks([line * i + SIDE / 2 for i in range(len(rows))], [row.name for row in rows], fontsize=8)
    return stamped(figure, stamp)


def _sheet(width: float, height: float, margins: tuple[float, float]) -> tuple[Figure, Axes]:
    figure = new(INCHES * width + margins[0], INCHES * height + margins[1])
    figure.shows = "colour faces"
    axis = figure.subplots()
    _bare(axis, width, height)
    return figure, axis


def _bare(axis: Axes, width: float, height: float, top: float = 0.0) -> None:
    """An axis in units, downwards, without a frame."""
    axis.set(xlim=(0, width), ylim=(height, top), aspect="equal", xticks=[])
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)


def _picture(axis: Axes, image: np.ndarray, x: float, y: float) -> None:
    """One image, gray or colour, in [0, 1], its upper left corner at (x, y)."""
    limits = axis.get_xlim(), axis.get_ylim()
    axis.imshow(image, cmap="gray", vmin=0, vmax=1, extent=(x, x + SIDE, y + SIDE, y), interpolation="nearest")
    axis.set(xlim=limits[0], ylim=limits[1])


def _bars(axis: Axes, scores: np.ndarray, classes: Sequence[str], x: float, y: float, true: str | None = None) -> None:
    """Class scores as bars, 0 to 1 in the width of a picture, the highest with its number."""
    best = int(np.argmax(scores))
    colours = ["0.75"] * len(classes)
    colours[best] = "C0" if true is None else WRONG
    if true in classes:
        colours[list(classes).index(true)] = RIGHT
    places = _places(y, len(classes))
    axis.barh(places, SIDE * scores, left=x, height=0.8 * PITCH, color=colours)
    axis.plot([x, x], [y, y + PITCH * len(classes)], color="0.3", lw=0.8)
    inside, end = scores[best] > 0.5, x + SIDE * scores[best]
    aligned = {"ha": "right", "color": "w"} if inside else {"ha": "left"}
    end += -0.03 if inside else 0.03
    axis.text(end, places[best], f"{scores[best]:.2f}", va="center", fontsize=7, **aligned)


def _places(y: float, classes: int) -> np.ndarray:
    return y + PITCH * (np.arange(classes) + 0.5)


def _heads(axis: Axes, table: pd.DataFrame) -> None:
    """Above each column its true class, and what else it was taken for."""
    right = (table["label"] == table["predicted"]).to_list()
    said = ["recognised" if hit else f"→ {guess}" for hit, guess in zip(right, table["predicted"], strict=True)]
    heads = [f"{label}\n{what}" for label, what in zip(table["label"], said, strict=True)]
    axis.xaxis.tick_top()
    axis.set_xticks([j + SIDE / 2 for j in range(len(table))], heads, fontsize=8)
    for text, hit in zip(axis.get_xticklabels(), right, strict=True):
        text.set_color(RIGHT if hit else WRONG)
