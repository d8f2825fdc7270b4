"""Where the eyes of a prepared set stand, in the photographs and in the aligned crops, and what that gives away."""

import numpy as np
import pandas as pd

from fercore import paths
from fercore.faces.faceset import FaceSetError
from fercore.faces.position_leak import PLACE, paired_accuracy, paired_share, place, single_accuracy

STATES = {"photo": "original photograph", "crop": "aligned crop"}


def read(dataset: str) -> pd.DataFrame:
    """The points found on every image of a prepared set, sorted by subject; raises FaceSetError without them."""
    file = paths.data() / "prepared" / dataset / "geometry.csv"
    if not file.is_file():
        raise FaceSetError(f"{file} is missing; prepare {dataset} again with its script in data_prep")
    return pd.read_csv(file, dtype={"subject": str}).sort_values("subject", kind="stable").reset_index(drop=True)


def leak(geometry: pd.DataFrame, first: str = "neutral", second: str = "happiness") -> pd.DataFrame:
    """How well the eyes' place alone tells ``second`` from ``first``, before and after alignment; chance is 50 %."""
    geometry = geometry[geometry["label"].isin([first, second])]
    both = geometry.groupby("subject")["label"].transform("nunique") == 2
    geometry = geometry[both].sort_values("subject", kind="stable")  # pairs: people with both images, in one order
    rows = {}
    for state, name in STATES.items():
        places = {label: _places(geometry[geometry["label"] == label], state) for label in (first, second)}
        height = [places[label][:, PLACE.index("y")] for label in (first, second)]
        share = paired_share(*height)
        rows[name] = {
            "people": int(both.sum() / 2),
            "eye height separates pairs, %": 100 * share.share,
            "low": 100 * share.low,
            "high": 100 * share.high,
            "place of one image, %": 100 * single_accuracy(places[first], places[second]),
            "places of a pair, %": 100 * paired_accuracy(places[first], places[second]),
        }
    return pd.DataFrame(rows).T


def _places(geometry: pd.DataFrame, state: str) -> np.ndarray:
    eyes = [geometry[[f"{state}_{side}_eye_x", f"{state}_{side}_eye_y"]].to_numpy() for side in ("left", "right")]
    return place(*eyes)
