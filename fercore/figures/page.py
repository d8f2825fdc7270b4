"""What all figures share: the stamp at the foot, face grids, saving."""

import io
import textwrap

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from fercore import paths
from fercore.storage import whole_file

FREQUENT, ANY = Image.Quantize.MEDIANCUT, Image.Quantize.MAXCOVERAGE
PALETTES = {  # colours of a PNG, and which: pages carry several pictures and shall stay small
    "drawing": (256, ANY),
    "gray faces": (64, ANY),  # rare ones too: those of small words
    "colour faces": (128, FREQUENT),  # those of skin
}


class Picture(Figure):
    """A figure that shows itself in a notebook, whatever matplotlib's backend."""

    shows = "drawing"  # one of PALETTES

    def shows_faces(self, faces: np.ndarray) -> None:
        """Note that there are faces in it (N x H x W, or with 3 colours)."""
        self.shows = "colour faces" if faces.ndim == 4 or self.shows == "colour faces" else "gray faces"

    def _repr_png_(self) -> bytes | None:
        return None if self.shows == "colour faces" else png(self)

    def _repr_jpeg_(self) -> bytes | None:
        return _jpeg(self, 100, 70) if self.shows == "colour faces" else None


def png(figure: Figure) -> bytes:
    """The figure as a PNG of 100 dots per inch, in a palette that suits it."""
    figure.savefig(drawn := io.BytesIO(), dpi=100)
    colours, which = PALETTES[getattr(figure, "shows", "drawing")]
    small = Image.open(drawn).convert("RGB").quantize(colours, which, dither=Image.Dither.NONE)
    small.save(drawn := io.BytesIO(), "png", optimize=True)
    return drawn.getvalue()


def _jpeg(figure: Figure, dpi: int, quality: int) -> bytes:
    """The figure as a JPEG, which keeps the many tones of skin and lips that no palette has."""
    figure.savefig(drawn := io.BytesIO(), dpi=dpi)
    Image.open(drawn).convert("RGB").save(drawn := io.BytesIO(), "jpeg", quality=quality, subsampling=0)
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
        figure.figure.shows_faces(images)  # the whole, where this is a part
    for i, (images, name) in enumerate(zip(rows, names, strict=True)):
        for j, image in enumerate(images):
            axes[i, j].imshow(image, cmap="gray", vmin=0, vmax=1)
            axes[i, j].set(xticks=[], yticks=[])
            if i == 0 and heads:
                axes[i, j].set_title(heads[j], fontsize=8)
        axes[i, 0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)


def save(figure: Figure, name: str) -> Figure:
    """Write ``results/figures/<name>.png``, or .jpg of coloured faces, and hand the figure back: the page shows it."""
    folder = paths.results() / "figures"
    if getattr(figure, "shows", "drawing") == "colour faces":
        with whole_file(folder / f"{name}.jpg") as aside:
            aside.write_bytes(_jpeg(figure, 150, 90))
    else:
        with whole_file(folder / f"{name}.png") as aside:
            figure.savefig(aside, dpi=150, metadata={"Software": None})
    return figure
