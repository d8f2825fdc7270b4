"""Tables of scores: the printed numbers beside ours."""

import pandas as pd

from fercore import published
from fercore.ablation import Ablation
from fercore.evaluation import Interval, accuracy_interval, difference_interval, macro_f1, mean_of_folds, ratio_interval
from fercore.runs import Run
from fercore.tables.page import TOO_NARROW, noted

ABOVE, BELOW = "interval above zero", "interval below zero"  # readings of a gain
NARROW = (  # what stands with every table of gains
    f"{TOO_NARROW}: where it leaves out zero and the paired tests find nothing, believe the tests"
)


def accuracies(ablation: Ablation, number: int, others: dict[str, pd.DataFrame] | None = None) -> pd.DataFrame:
    """Table ``number`` of the paper: each printed row, and beside the rows we can run, ours.

    Columns: printed %, ours as mean of folds, pooled over images with 95 % interval over subjects, macro F1, and how
    many of the folds were run. ``others``: predictions of systems that the paper does not print, put below.
    """
    rows = []
    for method, value in printed_values(ablation.paper, number).items():
        variant = variant_of(ablation, method)
        rows.append({"method": method, "printed %": value} | (_ours(ablation, variant) if variant else {}))
    for variant in ablation.variants:  # rows of ours that the paper does not print
        if variant not in [variant_of(ablation, row["method"]) for row in rows]:
            rows.append({"method": f"{variant} (not in the paper's table)"} | _ours(ablation, variant))
    rows += [
        {"method": f"{name} (not in the paper's table)"} | _scores(p, ablation.n_folds)
        for name, p in (others or {}).items()
    ]
    return pd.DataFrame(rows).set_index("method")


def own_accuracies(ablation: Ablation, others: dict[str, pd.DataFrame] | None = None) -> pd.DataFrame:
    """The same columns for a dataset that the paper has no table of; ``others`` are predictions of other systems."""
    rows = [{"method": name} | _scores(predicted, ablation.n_folds) for name, predicted in (others or {}).items()]
    rows += [{"method": variant} | _ours(ablation, variant) for variant in ablation.variants]
    return pd.DataFrame(rows).set_index("method")


def gains(ablation: Ablation, number: int | None = None) -> pd.DataFrame:
    """What each variant gains over the baseline, in points: printed, and ours with a paired 95 % interval.

    A page shows it with NARROW in the caption.
    """
    printed = pd.Series(dtype=float) if number is None else printed_by_variant(ablation, number)
    baseline = ablation.baseline
    base = ablation.predictions(baseline)
    rows = []
    for variant in ablation.variants:
        if variant == baseline:
            continue
        row = {"variant": variant, "printed": printed.get(variant, float("nan")) - printed.get(baseline, float("nan"))}
        ours = ablation.predictions(variant)
        if same_images(ours, base):
            gap = difference_interval(ours, base)
            row |= {"ours": 100 * gap.value, "low": 100 * gap.low, "high": 100 * gap.high}
            row["reading"] = reading(gap)
        else:
            row["reading"] = "not run on the same folds as the baseline"
        rows.append(row)
    columns = ["variant", "printed", "ours", "low", "high", "reading"]
    return noted(pd.DataFrame(rows, columns=columns).set_index("variant").dropna(axis="columns", how="all"), NARROW)


def same_images(ours: pd.DataFrame, base: pd.DataFrame) -> bool:
    """Whether two sets of predictions are of the same images, folds and seeds, in the same order."""
    keys = ["row", "fold", "seed"]
    return not ours.empty and not base.empty and ours[keys].equals(base[keys])


def per_fold(ablation: Ablation) -> pd.DataFrame:
    """Accuracy of every variant on each fold there is, %; a fold that was not run is missing."""
    rows = {}
    for variant in ablation.variants:
        predicted = ablation.predictions(variant)
        by_fold = (
            {} if predicted.empty else (predicted["label"] == predicted["predicted"]).groupby(predicted["fold"]).mean()
        )
        rows[variant] = [100 * by_fold[k] if k in by_fold else float("nan") for k in range(ablation.n_folds)]
    return pd.DataFrame(rows, index=pd.Index(range(ablation.n_folds), name="fold")).T


def early_errors(ablation: Ablation) -> pd.DataFrame:
    """Errors on the test subjects' early frames: rate of each variant, and its ratio to the first variant's.

    The ratio's 95 % interval comes from resampling people (GCNet, Sec. 4.4 claims about 0.5).
    """
    base = ablation.predictions(ablation.variants[0], early=True)
    rows = []
    for variant in ablation.variants:
        frames = ablation.predictions(variant, early=True)
        row = {"variant": variant, "frames": len(frames)}
        if not frames.empty:
            wrong = frames["label"] != frames["predicted"]
            row |= {"errors": int(wrong.sum()), "error rate %": 100 * wrong.mean()}
            base_wrong = base["label"] != base["predicted"] if same_images(frames, base) else pd.Series(dtype=bool)
            if variant != ablation.variants[0] and base_wrong.any():
                row["ratio [95 %]"] = str(ratio_interval(wrong, base_wrong, frames["subject"]))
        rows.append(row)
    return pd.DataFrame(rows).set_index("variant")


def identification(run: Run) -> pd.DataFrame:
    """How often the held-out images of each person are recognised, beside guessing."""
    predicted = run.predictions
    right = accuracy_interval(predicted)
    people = len(run.about["classes"])
    row = {
        "people": people,
        "held-out images": len(predicted),
        "recognised % [95 %]": str(right),
        "guessing %": 100 / people,
    }
    return pd.DataFrame([row]).set_index("people")


def printed_values(paper: str, number: int | None, dataset: str | None = None, metric: str = "accuracy") -> pd.Series:
    """The printed values of a table, or of its column for ``dataset``, in its order; empty without a table."""
    if number is None:
        return pd.Series(dtype=float)
    table = published.table(paper, number)
    if dataset is not None:
        table = table[table["dataset"] == dataset]
    named = table["metric"].isin({metric, f"rank-1 {metric}"})  # the best guess counts, as everywhere
    return table[named].set_index("method")["value"].astype(float)


def variant_of(ablation: Ablation, printed: str) -> str | None:
    """The variant that a printed row names, or None for a system we do not run."""
    names = ablation.specs[0].module.PRINTED
    return next((variant for variant in ablation.variants if names.get(variant) == printed), None)


def printed_by_variant(ablation: Ablation, number: int) -> pd.Series:
    """The printed accuracies of the rows we run, by variant."""
    named = printed_values(ablation.paper, number).rename(lambda method: variant_of(ablation, method))
    return named[named.index.notna()]


def _ours(ablation: Ablation, variant: str) -> dict:
    predicted = ablation.predictions(variant)
    return {"folds": f"0/{ablation.n_folds}"} if predicted.empty else _scores(predicted, ablation.n_folds)


def _scores(predicted: pd.DataFrame, n_folds: int) -> dict:
    return {
        "folds": f"{predicted['fold'].nunique()}/{n_folds}",
        "ours %": 100 * mean_of_folds(predicted),
        "pooled % [95 %]": str(accuracy_interval(predicted)),
        "macro F1 %": 100 * macro_f1(predicted),
    }


def reading(gap: Interval) -> str:
    """What a gain with its interval says by itself; see NARROW."""
    if gap.low > 0:
        return ABOVE
    return BELOW if gap.high < 0 else "undecided"
