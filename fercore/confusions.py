"""What IDFERM says of its confusion matrices (Fig. 13), held against ours; its cells are not printed as numbers."""

from collections.abc import Mapping

import pandas as pd

from fercore.ablation import Ablation
from fercore.evaluation import accuracy_interval, confusion

NEUTRAL = 99.0  # % recognised of CK+'s neutral images, Sec. 5.5


def recall(study: Ablation, variant: str) -> pd.Series:
    """Share of every class's images recognised, %; missing for a class without any."""
    counts = confusion(study.predictions(variant), study.classes)
    right = pd.Series({name: counts.loc[name, name] for name in counts.index}, dtype=float)
    return 100 * right / counts.sum(axis=1).where(lambda images: images > 0)


def of_class(studies: Mapping[str, tuple[Ablation, str]], label: str, printed: float) -> pd.DataFrame:
    """How much of one class every variant recognises, with its 95 % interval, beside the printed share.

    studies: name of the row -> study and variant. Whether the printed share lies in the interval is told of
    prepared images only: what drawn faces score is no test of it.
    """
    rows = {}
    for name, (study, variant) in studies.items():
        predicted = study.predictions(variant)
        own = predicted[predicted["label"] == label]
        found = accuracy_interval(own)
        rows[name] = {"images": len(own), "printed %": printed, "ours % [95 %]": str(found)}
        if study.source == "prepared":
            rows[name]["printed one inside"] = _word(found.low <= printed / 100 <= found.high)
    return pd.DataFrame(rows).T.rename_axis("row")


def told_of_oulu(study: Ablation, variant: str) -> pd.DataFrame:
    """Each statement of Sec. 5.5 on Oulu-CASIA, what ours says instead, and whether it is so in ours."""
    shares = recall(study, variant).sort_values(ascending=False)
    confused = confusion(study.predictions(variant), study.classes).loc["anger"].drop("anger")
    found = {
        "fear and happiness are recognised well": (
            ", ".join(f"{name} {shares[name]:.0f} %" for name in ("fear", "happiness")),
            shares[["fear", "happiness"]].min() >= max(shares.median(), 200 / len(shares)),  # twice chance at the least
        ),
        "anger is hardest": (f"{shares.idxmin()} {shares.min():.0f} %", shares["anger"] == shares.min()),
        "anger is mostly taken for disgust": (
            f"{confused.idxmax()}, {confused.max()} of {confused.sum()} mistakes" if confused.sum() else "no mistake",
            bool(confused.sum()) and confused["disgust"] == confused.max(),
        ),
    }
    rows = {said: {"ours": ours, "so in ours": _word(so)} for said, (ours, so) in found.items()}
    return pd.DataFrame(rows).T.rename_axis("the paper")


def _word(true: bool) -> str:
    return "yes" if true else "no"
