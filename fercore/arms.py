"""One row of a paper under settings that differ from those in use: what a choice is worth."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from fercore.ablation import Ablation
from fercore.evaluation import Interval, accuracy_interval, difference_interval
from fercore.tables.columns import points
from fercore.tables.scores import same_images


def studies(
    study: Ablation, variant: str, arms: Mapping[str, Mapping[str, Any]], device: str = "cpu"
) -> dict[str, Ablation]:
    """Every arm as a study of its own; runs that are missing are trained."""
    return {
        name: replace(study, variants=(variant,), changes=dict(study.changes) | dict(changes)).train(device)
        for name, changes in arms.items()
    }


def gaps(arms: Mapping[str, Ablation], variant: str, in_use: str) -> dict[str, Interval]:
    """What every other arm has over the one in use: accuracy, paired; raises ValueError on different test images."""
    base = arms[in_use].predictions(variant)
    others = {name: arm.predictions(variant) for name, arm in arms.items() if name != in_use}
    return {name: difference_interval(other, base) for name, other in others.items()}


def lead(arms: Mapping[str, Ablation], variant: str, in_use: str) -> pd.DataFrame:
    """What the best arm has over the one in use, points, and how many of the others have an interval apart from that.

    The best of several is chosen on the images it is then judged by: its lead is too large rather than too small.
    """
    found = gaps(arms, variant, in_use)
    best = max(arms, key=lambda name: found[name].value if name in found else 0.0)
    row = {
        "in use": in_use,
        "highest": best,
        "highest - in use, points [95 %]": points(found[best]) if best in found else "0",
        "others whose interval is above": sum(gap.low > 0 for gap in found.values()),
        "others whose interval is below": sum(gap.high < 0 for gap in found.values()),
        "of": len(found),
    }
    return pd.DataFrame([row]).set_index("in use")


def table(study: Ablation, variant: str, arms: Mapping[str, Mapping[str, Any]], device: str = "cpu") -> pd.DataFrame:
    """Accuracy of ``variant`` in every arm and its paired gain over the first one; arms that are missing are trained.

    arms: name -> fields of the configuration that differ from the study's own.
    """
    rows, base = {}, None
    for name, arm in studies(study, variant, arms, device).items():
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
