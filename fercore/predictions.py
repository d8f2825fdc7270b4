"""What a method says of every image of a test side: the table that all scores are computed from."""

import numpy as np
import pandas as pd
import torch

from fercore.faces.examples import Examples
from fercore.faces.faceset import FaceSet
from fercore.faces.protocols import Part
from fercore.method import Method

SCORE = "p_"  # prefix of the columns that hold class scores


def predictions(
    method: Method, faces: FaceSet, part: Part, classes: tuple[str, ...], examples: Examples
) -> pd.DataFrame:
    """One row per image of ``part``: who it is, its true and predicted label, and every class score."""
    scores = [method.predict(batch).cpu() for batch in examples.in_order()]
    scores = torch.cat(scores).numpy() if scores else np.empty((0, len(classes)), np.float32)
    table = faces.table.loc[part.rows, ["subject", "sequence", "frame", "intensity"]].reset_index(drop=True)
    table.insert(0, "row", part.rows)
    names = np.array(classes)
    table["label"], table["predicted"] = names[part.target], names[scores.argmax(1)]
    return pd.concat([table, pd.DataFrame(scores, columns=[SCORE + name for name in classes])], axis=1)
