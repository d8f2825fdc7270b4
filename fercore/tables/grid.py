"""A grid search as a table."""

import pandas as pd

from fercore.selection import Selection


def grid(searches: dict[str, Selection]) -> pd.DataFrame:
    """Every setting that was searched: accuracy in % of every candidate on inner folds, the best, and the one in use.

    Setting -> its search, whose candidates are named by the setting's values. The first of equals is the best.
    """
    rows = {}
    for setting, search in searches.items():
        scores = search.scores().mean(axis=1)  # over the study's folds
        spec = search.study.specs[0]
        rows[setting] = {
            "judged by": search.judge,
            "accuracy % of each value": ", ".join(f"{value}: {score:.1f}" for value, score in scores.items()),
            "best": float(scores.idxmax()),
            "in use": getattr(spec.config, setting),
        }
    return pd.DataFrame(rows).T.rename_axis("setting")
