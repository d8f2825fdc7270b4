"""Verdict counts as the overview of claims saved them: the only seam between the site and the claims."""

import pandas as pd

from fercore import paths

COLUMNS = ["paper", "layer", "verdict", "claims"]


def verdict_counts() -> pd.DataFrame | None:
    """Claims by paper, layer (print, twin, ...) and verdict; None before the overview is rendered."""
    file = paths.results() / "tables" / "verdict_counts.csv"
    if not file.is_file():
        return None
    table = pd.read_csv(file, comment="#", keep_default_na=False)
    if missing := [column for column in COLUMNS if column not in table]:
        raise ValueError(f"{file} lacks the columns {missing}; render the overview of claims again")
    return table[COLUMNS]


def stamp() -> str:
    """What the counts were made from: the first line of their file."""
    first = (paths.results() / "tables" / "verdict_counts.csv").read_text().splitlines()[0]
    return first.removeprefix("# ") if first.startswith("#") else ""


def matrix(counts: pd.DataFrame, paper: str | None = None) -> pd.DataFrame:
    """One row per paper and layer (of one ``paper``: per layer), one column per verdict, in the order they come."""
    if paper is not None:
        counts = counts[counts["paper"] == paper]
    order = counts["verdict"].unique()
    index = ["paper", "layer"] if paper is None else ["layer"]
    wide = counts.pivot_table(index=index, columns="verdict", values="claims", aggfunc="sum", sort=False)
    return wide[order].fillna(0).astype(int)
