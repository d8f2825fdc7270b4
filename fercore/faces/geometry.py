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
    rows = {}
    for state, name in STATES.items():
        places = _pairs(geometry, state, first, second)
        height = [place[:, PLACE.index("y")] for place in places]
        share = paired_share(*height)
        rows[name] = {
            "people": len(places[0]),
            "eye height separates pairs, %": 100 * share.share,
            "low": 100 * share.low,
            "high": 100 * share.high,
            "place of one image, %": 100 * single_accuracy(*places),
            "places of a pair, %": 100 * paired_accuracy(*places),
        }
    return pd.DataFrame(rows).T


def _pairs(geometry: pd.DataFrame, state: str, first: str, second: str) -> tuple[np.ndarray, np.ndarray]:
    """The eyes' places on the ``first`` and the ``second`` image of every person whose eyes were found on both."""
    found = geometry.dropna(subset=[column for column in geometry if column.startswith(f"{state}_")])
    sides = [
        found[found["label"] == label].drop_duplicates("subject").set_index("subject") for label in (first, second)
    ]
    people = sides[0].index.intersection(sides[1].index).sort_values()
    return tuple(_places(side.loc[people], state) for side in sides)


def _places(geometry: pd.DataFrame, state: str) -> np.ndarray:
    eyes = [geometry[[f"{state}_{side}_eye_x", f"{state}_{side}_eye_y"]].to_numpy() for side in ("left", "right")]
    return place(*eyes)
