"""What a network could gain if thermal images were there at the test too; a bound only where both beat visible ones."""

import numpy as np
import pandas as pd

from fercore import metrics
from fercore.ablation import Ablation
from fercore.faces.faceset import FaceSetError
from fercore.faces.modalities import FACE
from fercore.predictions import SCORE
from fercore.tables.columns import points


def table(study: Ablation, device: str = "cpu") -> pd.DataFrame:
    """Accuracy of every row on visible test images, of the thermal network, and of both together, with paired gains.

    Together: the mean of both networks' probabilities, face by face. Raises FaceSetError for a database whose people
    have no thermal images.
    """
    if study.specs[0].config.thermal != "own":
        raise FaceSetError(f"the people of {study.dataset} have no thermal images to add at the test")
    thermal = _thermal(study, device)
    systems = {f"{row}, visible": study.predictions(row) for row in study.variants}
    base = _keyed(systems[f"{study.variants[0]}, visible"])
    systems["thermal alone"] = thermal
    systems |= {f"{row}, both": together(study.predictions(row), thermal) for row in study.variants}
    rows = {}
    for name, predicted in systems.items():
        counts = metrics.accuracy(_keyed(predicted).loc[base.index].reset_index(), ())
        gain = metrics.difference(counts, metrics.accuracy(base.reset_index(), ()))
        gain = "" if name.startswith(f"{study.variants[0]}, visible") else points(gain)
        rows[name] = {"images": len(predicted), "accuracy % [95 %]": str(metrics.interval(counts)),
                      f"gain over {study.variants[0]}, visible": gain}  # fmt: skip
    return pd.DataFrame(rows).T.rename_axis("seen at the test")


def together(visible: pd.DataFrame, thermal: pd.DataFrame) -> pd.DataFrame:
    """``visible`` with the mean of both networks' scores for each face; raises ValueError for a face without a pair."""
    scores = [column for column in visible if column.startswith(SCORE)]
    own, other = _keyed(visible), _keyed(thermal)
    if len(missing := own.index.difference(other.index)):
        which = "/".join(map(str, missing[0][2:]))  # subject, sequence, frame
        raise ValueError(f"{len(missing)} faces, such as {which}, have no thermal prediction")
    mean = (own[scores] + other.loc[own.index, scores]) / 2
    guess = np.array([name.removeprefix(SCORE) for name in scores])[mean.to_numpy().argmax(1)]
    return own.assign(**mean, predicted=guess).reset_index()


def _thermal(study: Ablation, device: str) -> pd.DataFrame:
    stages = study.pretrained("thermal", device)
    return pd.concat([run.predictions.assign(seed=run.spec.seed) for run in stages], ignore_index=True)


def _keyed(predicted: pd.DataFrame) -> pd.DataFrame:
    return predicted.set_index(["seed", "fold", *FACE])
