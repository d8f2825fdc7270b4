"""Photographs that a page begins with: a drawn face, a London face, or a file of the reader's."""

from pathlib import Path

import numpy as np

from fercore import paths
from fercore.explore.photograph import Photograph, read
from fercore.faces.faceset import FaceSet, FaceSetError
from fercore.faces.photo import PhotoError

SIDE = 512  # pixels of a drawn photograph
DRAWN, LONDON = "drawn", "london"  # names that stand for no file
LONDON_CREDIT = (
    "Face Research Lab London Set, DeBruine & Jones (2017), doi:10.6084/m9.figshare.5047666.v5, CC BY 4.0; "
    "cropped and aligned"
)


def opened(photo: str) -> Photograph:
    """``photo``: "drawn", "london", or the path of a file; raises PhotoError, which says what to do."""
    if photo == DRAWN:
        return drawn()
    return london() if photo == LONDON else read(Path(photo).expanduser())


def drawn() -> Photograph:
    """A smiling face of no twin, drawn at the size of a photograph."""
    from fercore.quality.samples import people, recipe
    from fercore.twins.renderer import render

    faces, _ = people(1, ("happiness",), recipe(0.5))
    credit = "drawn by fercore; no real person, and of no twin"
    return Photograph("a drawn smile", render(faces, SIDE, modality="rgb")[0], credit=credit)


def london() -> Photograph:
    """The first smile of the London set: of its photographs beside the project, or as prepared; raises PhotoError."""
    if found := sorted((paths.ROOT.parent / "shared" / "data" / "london").glob("*_08.jpg")):
        return read(found[0], LONDON_CREDIT)
    try:
        faces = FaceSet.open(paths.data() / "prepared" / "london")
    except FaceSetError as error:
        raise PhotoError(
            "the London set is neither beside the project nor prepared; python data_prep/london.py --source FOLDER "
            "prepares it"
        ) from error
    row = faces.table.index[faces.table["label"] == "happiness"][0]
    image = np.asarray(faces.images[row])
    image = np.repeat(image[..., None], 3, axis=-1) if image.ndim == 2 else image
    return Photograph("a London smile, as prepared", image, credit=faces.credit)
