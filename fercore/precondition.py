"""What LIR presupposes and the paper never reports: is the clean teacher better than a student of occluded faces?"""

import numpy as np
import pandas as pd

from fercore import arms
from fercore.ablation import Ablation
from fercore.evaluation import accuracy_interval, difference_interval
from fercore.predictions import SCORE
from fercore.runs import Run
from fercore.tables.columns import points
from fercore.trials import Trial

CLEAN = Trial("clean")


def table(studies: list[Ablation], device: str = "cpu") -> pd.DataFrame:
    """A row per study: the teacher on clean and on occluded test images, the baseline on both, and their distance."""
    rows = []
    for study in studies:
        teacher = study.pretrained("clean", device)
        clean, covered = _of(teacher, CLEAN), _of(teacher)
        own, own_clean = study.predictions(study.baseline), study.predictions(study.baseline, trial=CLEAN)
        rows.append({
            "trained on": study.dataset, "images": len(clean),
            "teacher, clean %": str(accuracy_interval(clean)), "teacher, occluded %": str(accuracy_interval(covered)),
            f"{study.baseline}, occluded %": str(accuracy_interval(own)),
            f"{study.baseline}, clean %": str(accuracy_interval(own_clean)),
            f"teacher on clean over {study.baseline} on occluded": points(difference_interval(clean, own)),
            "Eq. 2 holds for, % of images": 100 * (loss(own) >= loss(clean)).mean(),
        })  # fmt: skip
    return pd.DataFrame(rows).set_index("trained on")


def hinge_arms(study: Ablation, weight: float, device: str = "cpu") -> dict[str, Ablation]:
    """The row LIR with its hinge as printed and flipped, at one weight, trained as ``study`` is."""
    directions = {direction: {"LIR": direction, "lambda_2": weight} for direction in ("printed", "flipped")}
    return arms.studies(study, "LIR", directions, device)


def hinges(study: Ablation, weight: float, device: str = "cpu") -> pd.DataFrame:
    """What either hinge makes of the row LIR, on the images of ``study``."""
    base, teacher = study.predictions(study.baseline), loss(_of(study.pretrained("clean", device), CLEAN))
    rows = []
    for direction, arm in hinge_arms(study, weight, device).items():
        predicted = arm.predictions("LIR")
        active = loss(predicted) < teacher if direction == "printed" else loss(predicted) > teacher
        rows.append({
            "hinge": direction, "lambda_2": weight, "accuracy %": str(accuracy_interval(predicted)),
            f"gain over {study.baseline}": points(difference_interval(predicted, base)),
            "active after training, % of test images": 100 * active.mean(),
        })  # fmt: skip
    return pd.DataFrame(rows).set_index("hinge")


def loss(predicted: pd.DataFrame) -> np.ndarray:
    """Cross-entropy of every image, from its stored class scores."""
    scores = predicted[[c for c in predicted if c.startswith(SCORE)]]
    column = scores.columns.get_indexer(SCORE + predicted["label"])
    return -np.log(scores.to_numpy()[np.arange(len(scores)), column].clip(1e-12))


def _of(runs: list[Run], trial: Trial | None = None) -> pd.DataFrame:
    parts = [(trial.predictions(run) if trial else run.predictions).assign(seed=run.spec.seed) for run in runs]
    return pd.concat(parts, ignore_index=True)
