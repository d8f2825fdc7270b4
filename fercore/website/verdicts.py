"""Verdict counts as the overview of claims saved them: the only seam between the site and the claims."""

import pandas as pd

from fercore import parameters, paths

PAPERS = parameters.papers()
COLUMNS = ["paper", "layer", "verdict", "claims"]


def verdict_counts() -> pd.DataFrame | None:
    """Claims by paper, layer (print, twin, ...) and verdict; None before the overview is rendered.

    The file has these columns, or else ``layer``, ``verdict`` and one column of claims per paper.
    """
    file = paths.results() / "tables" / "verdict_counts.csv"
    if not file.is_file():
        return None
    table = pd.read_csv(file, comment="#", keep_default_na=False)
    if set(PAPERS) <= set(table):
        table = table.melt(["layer", "verdict"], PAPERS, "paper", "claims")
    if missing := [column for column in COLUMNS if column not in table]:
        raise ValueError(f"{file} lacks the columns {missing}; render the overview of claims again")
    return table[COLUMNS]


def stamp() -> str:
    """What the counts were made from: the first line of their file."""
    first = (paths.results() / "tables" / "verdict_counts.csv").read_text().partition("\n")[0]
    return first.removeprefix("# ") if first.startswith("#") else ""


def of_layer(counts: pd.DataFrame, layer: str) -> pd.DataFrame:
    """One row per paper, one column per verdict of this layer, in the order they come."""
    return _wide(counts[counts["layer"] == layer], "paper")


def of_paper(counts: pd.DataFrame, paper: str) -> pd.DataFrame:
    """One row per layer, one column per verdict."""
    return _wide(counts[counts["paper"] == paper], "layer")


def _wide(counts: pd.DataFrame, rows: str) -> pd.DataFrame:
    wide = counts.pivot_table(index=rows, columns="verdict", values="claims", aggfunc="sum", sort=False)
    return wide[counts["verdict"].unique()].fillna(0).astype(int)
