"""What trained models say of one photograph, each shown the face as it was shown those it learned from."""

from dataclasses import dataclass

import numpy as np
import torch

from fercore import parameters
from fercore.explore.photograph import Photograph
from fercore.explore.showcase import at_home
from fercore.explore.store import HOME, Store, fold_of
from fercore.explore.views import Opened, maps
from fercore.faces.alignment import TEMPLATE
from fercore.faces.augmentation import centre_crop
from fercore.faces.preparation.framing import Crop, framed
from fercore.figures.faces import pixels
from fercore.method import Batch
from fercore.published import NAMES
from fercore.runs import Run

WARNING = (
    "Demonstration only: these models learned from drawn faces; what they say of a photograph measures neither the "
    "method nor the person."
)


@dataclass(frozen=True)
class Opinion:
    """What one model sees of a face, makes of it, and thinks of it."""

    name: str  # paper, row, data
    views: dict[str, np.ndarray]  # name -> image in [0, 1]; what the network sees first
    classes: list[str]
    scores: np.ndarray  # of every class, sum 1
    stamp: str
    note: str  # what is missing, or empty


def models(store: Store, tier: str = "twin", every: bool = False) -> list[Run]:
    """Of every paper its own row trained on drawn faces: on one database, or with ``every`` on each finished one."""
    found = []
    for paper in parameters.papers():
        if first := at_home(store, paper, tier, "twin"):
            own = store.of(paper=paper, variant=HOME[paper][2], tier=tier, source="twin", inner=None)
            others = {run.spec.protocol: run for run in reversed(own) if run.spec.protocol != first.spec.protocol}
            found += [first, *(others[name] for name in sorted(others))] if every else [first]
    return found


def opinions(photo: Photograph, runs: list[Run]) -> list[Opinion]:
    """What each model says of the photograph's face; raises AlignmentError for points that are none."""
    return [opinion(photo, Opened.of(run)) for run in runs]


@torch.no_grad()
def opinion(photo: Photograph, model: Opened) -> Opinion:
    """What one model says."""
    config, spec = model.run.spec.config, model.run.spec
    stored = crop(photo, config)[None]
    image = centre_crop(maps(stored, config.channels), config.image_size)
    batch = Batch(image.contiguous())
    views = {"sees": pixels(batch.image)} | model.made(batch, stored)
    scores = model.method.predict(batch)[0].numpy()
    row = f"{NAMES[spec.paper]} {spec.variant}" if spec.variant != NAMES[spec.paper] else spec.variant
    name = f"{row}\n{spec.protocol}\n{fold_of(model.run)}"
    return Opinion(name, {n: view[0] for n, view in views.items()}, model.classes, scores, model.stamp, model.note)


def crop(photo: Photograph, config) -> np.ndarray:
    """The face as a model's images are stored: size, channels and framing of its configuration, uint8.

    By the eyes alone: what an expression does to the lips moves no drawn face either. Without points the whole image
    is taken, which a drawn face fills as a twin's does.
    """
    share = getattr(config, "framing", 1.0)  # drawn faces are framed as alignment.TEMPLATE is, unless told
    wanted = Crop(
        "as the twins are drawn", config.stored_size, "" if photo.points is None else "eyes", config.channels == 3,
        0.5 + share * (TEMPLATE - 0.5),
    )  # fmt: skip
    face, _, _ = framed(photo.image, wanted, photo.points, lambda image: None, None, False)
    return face
