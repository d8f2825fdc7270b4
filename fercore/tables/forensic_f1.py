"""Tables of the forensics page: which printed F1 goes with its printed accuracy."""

import pandas as pd

from fercore.forensics import reachable
from fercore.forensics.cells import ACCURACY, printed
from fercore.forensics.f1 import macro_range, solutions, two_class_range

COUNTS = {  # images of each class; unpaired paper, Sec. 5.1
    "L vs PL": {"laughter": 2124, "posed laughter": 1437},
    "L vs S": {"laughter": 8252, "speech": 12914},
    "MMSE": {"happiness": 676, "surprise": 715, "pain": 593, "neutral": 484},
}


def pairs() -> pd.DataFrame:
    """Every printed pair of accuracy and F1, as text: dataset, method, accuracy, F1."""
    cells = printed().query("paper == 'unpaired' and table == 'Table 1'")
    cells = cells.assign(metric=cells["metric"].where(cells["metric"].isin(ACCURACY), "F1"))
    wide = cells.pivot(index=["dataset", "method"], columns="metric", values="value")
    return wide.reindex(pd.MultiIndex.from_frame(cells[["dataset", "method"]].drop_duplicates())).reset_index()


def readings(dataset: str) -> dict[str, tuple[tuple[int, int], str]]:
    """What F1 of two classes may mean: the counts of the positive and of the other class, and the average."""
    (first, n), (second, m) = COUNTS[dataset].items()
    return {
        f"{first} positive": ((n, m), "binary"), f"{second} positive": ((m, n), "binary"),
        "macro": ((n, m), "macro"),
    }  # fmt: skip


def two_classes() -> pd.DataFrame:
    """For each reading of F1: between what it must lie at the printed accuracy, and how many matrices print as both.

    "*" where the printed F1 lies within.
    """
    rows = []
    for pair in pairs().query("dataset != 'MMSE'").itertuples():
        total = sum(COUNTS[pair.dataset].values())
        row = {"dataset": pair.dataset, "row": pair.method, "accuracy": pair.accuracy, "F1": pair.F1}
        row["accuracy is k of n"] = reachable(pair.accuracy, total)
        for name, (counts, average) in readings(pair.dataset).items():
            name = "second class positive" if name.startswith(("posed", "speech")) else name
            span = two_class_range(pair.accuracy, counts, average)
            row[name] = f"{span.low:.2f} to {span.high:.2f}{' *' if span.holds(pair.F1) else ''}"
            row[f"matrices, {name}"] = len(solutions(pair.accuracy, pair.F1, counts, average))
        rows.append(row)
    return pd.DataFrame(rows).set_index(["dataset", "row"])


def two_class_counts() -> pd.DataFrame:
    """How many rows each reading of F1 allows, by dataset."""
    rows = []
    for dataset, some in pairs().query("dataset != 'MMSE'").groupby("dataset", sort=False):
        for name, (counts, average) in readings(dataset).items():
            holds = [two_class_range(p.accuracy, counts, average).holds(p.F1) for p in some.itertuples()]
            exact = [bool(solutions(p.accuracy, p.F1, counts, average)) for p in some.itertuples()]
            left = ", ".join(p.method for p, held in zip(some.itertuples(), holds, strict=True) if not held)
            rows.append(
                {
                    "dataset": dataset,
                    "F1 is": name,
                    "rows": len(some),
                    "F1 possible at the accuracy": sum(holds),
                    "by whole images": sum(exact),
                    "rows left out": left if 0 < len(some) - sum(holds) < 4 else "" if all(holds) else "most or all",
                }
            )
    return pd.DataFrame(rows).set_index(["dataset", "F1 is"])


def four_classes() -> pd.DataFrame:
    """MMSE: bounds of macro-F1 at the printed accuracy, and whether the printed macro-F1 lies within."""
    rows = []
    for pair in pairs().query("dataset == 'MMSE'").itertuples():
        span = macro_range(pair.accuracy, tuple(COUNTS["MMSE"].values()))
        rows.append(
            {
                "row": pair.method,
                "accuracy": pair.accuracy,
                "macro-F1": pair.F1,
                "not below": span.low,
                "not above": span.high,
                "possible": "yes" if span.holds(pair.F1) else "no",
            }
        )
    return pd.DataFrame(rows).set_index("row")
