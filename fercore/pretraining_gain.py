"""What pre-training on Multi-PIE brings (IDFERM, Table 5): every row with and without, on the same test images."""

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from fercore import published
from fercore.ablation import Ablation
from fercore.evaluation import accuracy_interval, difference_interval
from fercore.tables.columns import points
from fercore.tables.page import joined
from fercore.tables.scores import same_images

WITHOUT = {"pretraining": ""}


def without(study: Ablation) -> Ablation:
    """The same rows from random weights."""
    return replace(study, changes=dict(study.changes) | WITHOUT)


def table(columns: Mapping[str, Ablation]) -> pd.DataFrame:
    """Accuracy with and without, and the gain in points with its paired interval: printed and ours, by dataset.

    columns: name of the dataset in print -> the study with pre-training, every row of which is printed.
    """
    parts = {}
    for name, study in columns.items():
        rows = {}
        for variant in study.variants:
            rows |= _rows(variant, name, without(study).predictions(variant), study.predictions(variant))
        parts[name] = pd.DataFrame(rows).T
    return pd.concat(parts, axis=1).rename_axis("row")


def _rows(variant: str, dataset: str, before: pd.DataFrame, after: pd.DataFrame) -> dict[str, dict]:
    names = [f"{variant}, {how} Multi-PIE pre-training" for how in ("without", "with")]
    printed = [published.value("idferm", 5, name, dataset) for name in names]
    ours = [None if predicted.empty else str(accuracy_interval(predicted)) for predicted in (before, after)]
    gain = points(difference_interval(after, before)) if same_images(after, before) else None
    rows = {name: {"printed": p, "ours [95 %]": o} for name, p, o in zip(names, printed, ours, strict=True)}
    return rows | {f"{variant}, gain": {"printed": printed[1] - printed[0], "ours [95 %]": gain}}


def stamp_of(columns: Mapping[str, Ablation]) -> str:
    """What stands under the table."""
    both = {name: study.stamp for name, study in columns.items()}
    return joined(both | {f"{name}, without": without(study).stamp for name, study in columns.items()})
