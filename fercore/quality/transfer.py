"""From drawn faces to photographs: trained on twins alone, tested once on people that were never seen."""

from dataclasses import replace

import numpy as np
import pandas as pd

from fercore.evaluation import subject_bootstrap
from fercore.faces.faceset import FaceSetError
from fercore.faces.sources import open_faces
from fercore.quality import probe
from fercore.quality.report import Check
from fercore.quality.samples import people, recipe
from fercore.twins.recipes import EVERY_TONE
from fercore.twins.renderer import render

SMILE = ("neutral", "happiness")
SMILING = (0.25, 0.5, 1.0)  # a smile on its way: few people beam on request


def smiles(count: int = 400, epochs: int = 20) -> probe.Probe:
    """A probe of neutral against smiling, trained on ``count`` drawn people, half of them in wild conditions."""
    ways = [replace(recipe(name=name), course=SMILING, tones=EVERY_TONE) for name in ("ckplus", "rafdb")]
    studio, shown = people(count // 2, SMILE, ways[0])
    wild, others = people(count - count // 2, SMILE, ways[1], first=count)
    target = pd.concat([shown, others])["label"].map(SMILE.index).to_numpy()
    images = render([*studio, *wild], probe.stored())
    return probe.train(images, target, len(SMILE), epochs, seen_as=probe.photographed)


def checks(count: int = 400, epochs: int = 20) -> list[Check]:
    """Accuracy on the London photographs (aligned, neutral against smiling), with its interval over people."""
    what = "drawn to real: London, neutral or smiling"
    try:
        faces = open_faces("london", "prepared", probe.SIZE)
    except FaceSetError as missing:
        return [Check(what, None, 0.85, note=str(missing))]
    predicted, _ = probe.look(smiles(count, epochs), np.asarray(faces.images))
    right = pd.Series(np.array(SMILE)[predicted] == faces.table["label"].to_numpy())
    interval = subject_bootstrap(right, faces.table["subject"])
    return [Check(what, interval.value, 0.85, None, f"{interval} %, {len(right)} photographs; {faces.credit}")]
