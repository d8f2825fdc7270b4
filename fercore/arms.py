"""One row of a paper under settings that differ from those in use: what a choice is worth."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from fercore.ablation import Ablation
from fercore.evaluation import accuracy_interval, difference_interval
from fercore.tables.columns import points
from fercore.tables.scores import same_images


def table(study: Ablation, variant: str, arms: Mapping[str, Mapping[str, Any]], device: str = "cpu") -> pd.DataFrame:
    """Accuracy of ``variant`` in every arm and its paired gain over the first one; arms that are missing are trained.

    arms: name -> fields of the configuration that differ from the study's own.
    """
    rows, base = {}, None
    for name, changes in arms.items():
        arm = replace(study, variants=(variant,), changes=dict(study.changes) | dict(changes)).train(device)
        predicted = arm.predictions(variant)
        base = predicted if base is None else base
        rows[name] = {
            "images learned": ", ".join(sorted({str(run.about["images"]["train"]) for run in arm.runs()})),
            "accuracy % [95 %]": str(accuracy_interval(predicted)),
            f"gain over {next(iter(arms))}": _gain(predicted, base),
        }
    return pd.DataFrame(rows).T.rename_axis("arm")


def _gain(predicted: pd.DataFrame, base: pd.DataFrame) -> str:
    if predicted is base:
        return ""
    return points(difference_interval(predicted, base)) if same_images(predicted, base) else "other images"
