"""From drawn faces to photographs: trained on drawings alone, tested once on people that were never seen."""

import numpy as np
import pandas as pd

from fercore.evaluation import subject_bootstrap
from fercore.faces.faceset import FaceSetError
from fercore.faces.sources import open_faces
from fercore.quality import probe
from fercore.quality.anyone import SMILE, people
from fercore.quality.photographs import Relief, photographed
from fercore.quality.report import Check
from fercore.twins.renderer import render

AT_ONCE = 512  # faces that are held while they are drawn


def smiles(count: int, epochs: int, seed: int = 0) -> probe.Probe:
    """A network of neutral against smiling, trained on ``count`` drawn people, each seen in both ways."""
    seen, images = list(people(count)), []
    for start in range(0, len(seen), AT_ONCE):
        images.append(render([face for face, _ in seen[start : start + AT_ONCE]], probe.stored(Relief)))
    target = np.array([smiling for _, smiling in seen])
    drawn = np.concatenate(images)
    return probe.train(drawn, target, len(SMILE), epochs, seed, photographed, Relief)


def told(nets: list[probe.Probe], images: np.ndarray) -> np.ndarray:
    """The class that the networks give, on average over themselves, to gray images and their mirror images."""
    return np.mean([probe.scores(net, view) for net in nets for view in (images, images[:, :, ::-1])], 0).argmax(1)


def checks(count: int, epochs: int, nets: int = 1) -> list[Check]:
    """Accuracy on the London photographs (aligned, neutral against smiling), with its interval over people."""
    what = "drawn to real: London, neutral or smiling"
    try:
        faces = open_faces("london", "prepared", probe.stored(Relief))
    except FaceSetError as missing:
        return [Check(what, None, 0.85, note=str(missing))]
    predicted = told([smiles(count, epochs, seed) for seed in range(nets)], np.asarray(faces.images))
    right = pd.Series(np.array(SMILE)[predicted] == faces.table["label"].to_numpy())
    interval = subject_bootstrap(right, faces.table["subject"])
    return [Check(what, interval.value, 0.85, None, f"{interval} %, {len(right)} photographs; {faces.credit}")]
