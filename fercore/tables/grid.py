"""A grid search as a table."""

from math import nan

import pandas as pd

from fercore.selection import Selection


def grid(searches: dict[str, Selection]) -> pd.DataFrame:
    """Every setting that was searched: accuracy in % of every candidate on inner folds, the best, and the one in use.

    Setting -> its search, whose candidates are named by the setting's values. The first of equals is the best; there is
    none where an inner run is missing.
    """
    rows = {}
    for setting, search in searches.items():
        scores = search.scores().mean(axis=1, skipna=False)  # over the study's folds
        shown = [f"{value}: {score:.1f}" if score == score else f"{value}: missing" for value, score in scores.items()]
        spec = search.study.specs[0]
        rows[setting] = {
            "judged by": search.judge,
            "accuracy % of each value": ", ".join(shown),
            "best": nan if scores.hasnans else float(scores.idxmax()),
            "in use": getattr(spec.config, setting),
        }
    return pd.DataFrame(rows).T.rename_axis("setting")
