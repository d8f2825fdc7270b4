"""The two-view systems on a study's own images: paired faces to learn from, visible ones to test."""

from dataclasses import replace

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from fercore.ablation import Ablation
from fercore.classical import hog_features
from fercore.compared.two_views import SYSTEMS
from fercore.runs import RunSpec

PAIRED = "Wang"  # a row of the paper that learns from pairs


def predictions(study: Ablation) -> dict[str, pd.DataFrame]:
    """Test predictions of every system, one row per image of the study's test sides, on HOG of both modalities.

    They see the pairs that the paper's paired rows see: the visible images of every row, and their thermal images.
    """
    specs = [spec for spec in study.specs if spec.variant == study.variants[0] and spec.seed == study.seeds[0]]
    parts: dict[str, list[pd.DataFrame]] = {name: [] for name in SYSTEMS}
    for spec in tqdm(specs, desc="compared systems"):
        for name, predicted in _of(replace(spec, variant=PAIRED)).items():
            parts[name].append(predicted.assign(fold=spec.fold, seed=spec.seed))
    return {name: pd.concat(own, ignore_index=True) for name, own in parts.items()}


def _of(spec: RunSpec) -> dict[str, pd.DataFrame]:
    faces = spec.faces()
    division = spec.divide(faces)
    streams = spec.config.streams(spec, faces, division)
    visible, thermal, tested = (
        hog_features(np.asarray(faces.images[rows]))
        for rows in (streams.image.rows, streams.paired, division.test.rows)
    )
    names = np.array(division.classes)
    test = faces.table.loc[division.test.rows, ["subject", "sequence", "frame", "label"]].reset_index(drop=True)
    test.insert(0, "row", division.test.rows)
    label = names[streams.image.target]
    return {name: test.assign(predicted=system(visible, thermal, label, tested)) for name, system in SYSTEMS.items()}
