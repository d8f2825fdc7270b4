"""Which gains of a table could be chance: every paired test there is, and how large a gap could be told from none."""

from math import nan

import pandas as pd

from fercore.evaluation import Comparison, compare, detectable_gap, holm
from fercore.forensics.cells import sizes
from fercore.tables.columns import Column, points
from fercore.tables.page import TOO_NARROW
from fercore.tables.scores import same_images, variant_of

TESTS = {"people": "p", "corrected t": "corrected_t", "Wilcoxon": "wilcoxon", "McNemar": "mcnemar"}  # see Comparison
TESTED = (  # how to read the table
    "p of paired tests, by Holm's rule for all rows of the table; t and Wilcoxon go over folds and need two, McNemar "
    "goes over images as if each were another person; detectable: a gap that four of five such studies would find; "
    f"where these p and an arrow differ, believe p: {TOO_NARROW} · "
)


def significance(columns: list[Column], number: int | None = None, baseline: str | None = None) -> pd.DataFrame:
    """Every row against the baseline (or another variant) in every column of accuracies, by column and row.

    Columns: the printed gain and what is detectable on the paper's number of images, ours with its 95 % interval and
    what is detectable on our people, all in points; then p of each test, adjusted over the whole table (Holm 1979).
    """
    rows, found = {}, {}
    for column in columns:
        if column.metric != "accuracy":
            continue
        over = baseline or column.study.baseline
        base = column.predictions(over)
        for method in column.rows(number):
            variant = method if method in column.study.variants else variant_of(column.study, method)
            if variant is None or variant == over:
                continue
            rows[column.printed, variant] = _in_print(column, number, method, over)
            ours = column.predictions(variant)
            if same_images(ours, base):
                found[column.printed, variant] = compare(ours, base, column.study.test_per_training(variant))
    index = pd.MultiIndex.from_tuples(rows, names=["column", "row"])
    theirs = pd.DataFrame(list(rows.values()), index)
    return (theirs if number else theirs.iloc[:, :0]).join(_ours(found).reindex(index))


def _in_print(column: Column, number: int | None, method: str, over: str) -> dict[str, float]:
    printed, base = column.values(number), column.study.specs[0].module.PRINTED.get(over)
    if method not in printed or base not in printed:
        return {"printed": nan, "detectable in print": nan}
    known = sizes()
    known = known[(known["paper"] == column.study.paper) & (known["table"] == f"Table {number}")]
    images = int(known["images"][known["dataset"] == column.printed].max())  # of the finest unit that it may be in
    told = detectable_gap(printed[base], printed[method], images)
    return {"printed": printed[method] - printed[base], "detectable in print": told.independent}


def _ours(found: dict[tuple[str, str], Comparison]) -> pd.DataFrame:
    told = {
        "ours [95 %]": [points(one.gap) for one in found.values()],
        "detectable": [100 * one.detectable for one in found.values()],
        "people": [one.people for one in found.values()],
        "folds": [one.folds for one in found.values()],
    }
    adjusted = {f"p {name}": holm([getattr(one, test) for one in found.values()]) for name, test in TESTS.items()}
    worded = {name: ["–" if p != p else f"{p:.3f}" for p in values] for name, values in adjusted.items()}
    return pd.DataFrame(told | worded, index=pd.MultiIndex.from_tuples(found, names=["column", "row"]))
