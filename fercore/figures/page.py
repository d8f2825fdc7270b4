"""What all figures share: the stamp at the foot, face grids, saving."""

import io
import textwrap

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from fercore import paths
from fercore.storage import whole_file


class Picture(Figure):
    """A figure that shows itself in a notebook, whatever matplotlib's backend."""

    palette = 0  # colours of its PNG, see ``few_colours``; 0: all

    def few_colours(self, shown: np.ndarray) -> None:
        """Give faces like ``shown`` (N x H x W, or with 3 colours) no more colours than an eye tells apart.

        Their PNG then takes about half the room.
        """
        self.palette = max(self.palette, 256 if shown.ndim == 4 else 64)

    def _repr_png_(self) -> bytes:
        return png(self)


def png(figure: Figure) -> bytes:
    """The figure as a PNG of 100 dots per inch."""
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=100)
    if not getattr(figure, "palette", 0):
        return drawn.getvalue()
    rare_too = Image.Quantize.MAXCOVERAGE  # the colours of small words, which others would give to the faces
    fewer = Image.open(drawn).convert("RGB").quantize(figure.palette, rare_too, dither=Image.Dither.NONE)
    fewer.save(drawn := io.BytesIO(), "png", optimize=True)
    return drawn.getvalue()


def new(width: float, height: float) -> Picture:
    """An empty figure of ``width`` x ``height`` inches."""
    return Picture(figsize=(width, height), layout="constrained")


def stamped(figure: Figure, stamp: str) -> Figure:
    """Write the stamp under the figure."""
    wide = int(figure.get_figwidth() * 15)
    figure.supxlabel("\n".join(textwrap.wrap(stamp, wide)), fontsize=8, color="0.35")
    return figure


def face_grid(figure: Figure, rows: list[np.ndarray], names: list[str], heads: list[str] | None = None) -> None:
    """Fill ``figure`` with rows of images (each N x H x W or N x H x W x 3, in [0, 1]), named at the left."""
    axes = figure.subplots(len(rows), len(rows[0]), squeeze=False, gridspec_kw={"wspace": 0.03, "hspace": 0.03})
    for images in rows:
        figure.figure.few_colours(images)  # of the whole, where this is a part
    for i, (images, name) in enumerate(zip(rows, names, strict=True)):
        for j, image in enumerate(images):
            axes[i, j].imshow(image, cmap="gray", vmin=0, vmax=1)
            axes[i, j].set(xticks=[], yticks=[])
            if i == 0 and heads:
                axes[i, j].set_title(heads[j], fontsize=8)
        axes[i, 0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)


def save(figure: Figure, name: str) -> Figure:
    """Write ``results/figures/<name>.png`` and hand the figure back, so that the page shows it."""
    with whole_file(paths.results() / "figures" / f"{name}.png") as aside:
        figure.savefig(aside, dpi=150, metadata={"Software": None})
    return figure
