"""Pictures of the drawn faces and of what was measured on them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from fercore import provenance
from fercore.figures import page
from fercore.quality.probe import HeldOut
from fercore.quality.samples import ANYBODY, LABELS, people, recipe
from fercore.twins.cast import Take
from fercore.twins.facs import AU_NAMES, intensities
from fercore.twins.filming import film_take, person
from fercore.twins.occluders import KINDS, occlude
from fercore.twins.renderer import Face, render
from fercore.twins.scene import Nuisance

EVERY_LABEL = ("neutral", *LABELS, "pain", "laughter", "posed_laughter", "speech")
STILL = Nuisance(pose=0, sway=0, shift=0, scale=0, roll=0)


def portraits(size: int = 224) -> Figure:
    """A person for each of six expressions, from as near as they are drawn."""
    labels = ("happiness", "sadness", "surprise", "anger", "fear", "disgust")
    faces = [people(1, (label,), first=i)[0][0] for i, label in enumerate(labels)]
    return _sheet(render(faces, size, modality="rgb")[None], [""], "", labels, side=1.6)


def expressions(count: int = 5, size: int = 112, modality: str = "rgb", stamp: str = "") -> Figure:
    """Every expression shown by ``count`` people."""
    faces, _ = people(count, EVERY_LABEL)
    images = render(faces, size, modality=modality).reshape(count, len(EVERY_LABEL), size, size, -1)
    names, heads = [f"person {i + 1}" for i in range(count)], [label.replace("_", "\n") for label in EVERY_LABEL]
    return _sheet(images, names, stamp, heads)


def action_units(size: int = 112, stamp: str = "") -> Figure:
    """Every action unit alone at full intensity, on two people, beside their rest."""
    rows = [[still(n, {})] + [still(n, {unit: 1.0}) for unit in AU_NAMES] for n in (0, 1)]
    images = np.stack([render(row, size, modality="rgb") for row in rows])
    halves = np.concatenate([images[:, :11], images[:, [0, *range(11, 21)]]])
    heads = ["rest", *(f"AU{unit}" for unit in list(AU_NAMES)[:10])]
    again = ["", *(f"AU{unit}" for unit in list(AU_NAMES)[10:])]
    figure = _sheet(halves, ["person 1", "person 2"] * 2, stamp, heads)
    for axis, head in zip(figure.axes[22:33], again, strict=True):
        axis.set_title(head, fontsize=8)
    return figure


def conditions(size: int = 112, stamp: str = "") -> Figure:
    """One face turned, lit from the side, in calm and in wild conditions, thermal, and occluded."""
    yaws = [still(2, {12: 0.8, 6: 0.6, 25: 0.6}, yaw=float(yaw)) for yaw in np.linspace(-0.5, 0.5, 8)]
    lights = [still(2, {}, light_x=float(x), ambient=0.22) for x in np.linspace(-1.4, 1.4, 8)]
    wild = [people(1, (label,), recipe(name="rafdb"), first=i)[0][0] for i, label in enumerate(EVERY_LABEL[:8])]
    shown, _ = people(1, EVERY_LABEL[:8])
    warm = np.repeat(render(shown, size, modality="thermal")[..., None], 3, -1)
    kinds = [*KINDS, *KINDS][:8]
    covered, _ = occlude(render(shown, size, modality="rgb"), kinds, range(8))
    rows = [*(render(faces, size, modality="rgb") for faces in (yaws, lights, wild)), warm, covered]
    return _sheet(np.stack(rows), ["head turned", "light from the side", "in the wild", "thermal", "occluded"], stamp)


def still(number: int, units: dict[int, float], **scene: float) -> Face:
    """A person looking straight ahead with the named units; ``scene`` replaces numbers of the setting."""
    calm = replace(recipe(), nuisance=STILL)
    face = film_take(ANYBODY, calm, Take(f"Q{number:04d}", "0", "neutral"), person(ANYBODY, f"Q{number:04d}", calm))[0]
    return replace(face, units=intensities(units), asymmetry=0.0, scene=face.scene | scene)


def bars(values: pd.Series, title: str, stamp: str) -> Figure:
    """Horizontal bars, one per name."""
    figure = page.new(7, 0.6 + 0.24 * len(values))
    axes = figure.subplots()
    axes.barh(range(len(values)), values, color="tab:blue")
    axes.set_yticks(range(len(values)), values.index, fontsize=8)
    axes.set(title=title, xlim=(min(0.0, values.min()), 1))
    axes.invert_yaxis()
    return page.stamped(figure, stamp)


def confusion(held: HeldOut, stamp: str) -> Figure:
    """Which expression is taken for which, in percent of those shown, by people that the probe has not seen."""
    counts = pd.crosstab(held.table["label"], held.predicted()).reindex(held.classes, axis=1, fill_value=0)
    shares = 100 * counts.div(counts.sum(1), axis=0).to_numpy()
    figure = page.new(5.4, 4.6)
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=100)
    for i, row in enumerate(shares):
        for j, share in enumerate(row):
            axes.text(j, i, f"{share:.0f}", ha="center", va="center", fontsize=8, color="w" if share > 55 else "k")
    axes.set_xticks(range(len(held.classes)), held.classes, rotation=45, ha="right")
    axes.set_yticks(range(len(counts)), counts.index)
    axes.set(xlabel="taken for", ylabel="shown", title=f"%, {len(held.table)} images of people not seen in training")
    return page.stamped(figure, stamp)


def _sheet(
    images: np.ndarray, names: Sequence[str], stamp: str, heads: Sequence[str] | None = None, side: float = 0.8
) -> Figure:
    shown = images[..., 0] if images.shape[-1] == 1 else images
    # inches; a page keeps below 400 KB
    figure = page.new(side * images.shape[1] + max(map(len, names)) / 8, (side + 0.06) * images.shape[0] + 0.5)
    page.face_grid(figure, list(shown / 255), list(names), list(heads) if heads else None)
    return page.stamped(figure, stamp or f"drawn faces, people of no twin · commit {provenance.commit()}")
