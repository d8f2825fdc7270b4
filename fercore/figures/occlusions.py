"""Figures of covered faces."""

import numpy as np
from matplotlib.figure import Figure

from fercore.faces.faceset import FaceSet
from fercore.faces.occlusion import Cover
from fercore.figures.page import face_grid, new, stamped


def occlusions(faces: FaceSet, kinds: tuple[str, ...], stamp: str, people: int = 8) -> Figure:
    """Faces of as many labels as fit as they are, then the same ones under every kind of occlusion, a row each."""
    table = faces.table.assign(turn=faces.table.groupby("label").cumcount())
    rows = table.sort_values(["turn", "label"], kind="stable").index[:people].to_numpy()
    clean = np.array(faces.images[rows])
    shown = [clean, *(Cover((kind,), "test")(clean, rows) for kind in kinds)]
    figure = new(1.05 * len(rows) + 1.3, 1.05 * len(shown) + 0.6)
    face_grid(figure, [images / 255 for images in shown], ["as it is", *kinds], list(faces.table["label"][rows]))
    return stamped(figure, stamp)
