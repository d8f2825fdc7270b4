"""Tables with a column per test: other databases, kinds of occlusion."""

from dataclasses import dataclass

import pandas as pd

from fercore.ablation import Ablation
from fercore.evaluation import Interval, accuracy_interval, difference_interval
from fercore.tables.page import joined
from fercore.tables.scores import printed_accuracies, reading, same_images, variant_of
from fercore.trials import Trial

ARROWS = {"better than the baseline": " ↑", "worse than the baseline": " ↓", "undecided": ""}


@dataclass(frozen=True)
class Column:
    """One column of a printed table, by its name there, and the test that stands for it."""

    printed: str
    study: Ablation
    trial: Trial | None = None  # None: the study's own test

    def predictions(self, variant: str) -> pd.DataFrame:
        """Of all runs of a variant; empty without."""
        return self.study.predictions(variant, trial=self.trial)


def beside_printed(columns: list[Column], number: int) -> pd.DataFrame:
    """Table ``number`` of the paper: in every column the printed accuracy and ours, %, with its 95 % interval."""
    parts = {}
    for column in columns:
        printed = printed_accuracies(column.study.paper, number, column.printed)
        ours = {method: _accuracy(column, method) for method in printed.index}
        parts[column.printed] = pd.DataFrame({"printed %": printed, "ours % [95 %]": ours})
    return pd.concat(parts, axis=1).rename_axis("method").loc[_order(parts)]


def gains_by_column(columns: list[Column], number: int) -> pd.DataFrame:
    """What every row gains over the baseline, points, in every column: printed, and ours with its paired interval.

    An arrow marks an interval without zero: up is better than the baseline, down is worse.
    """
    parts = {}
    for column in columns:
        study, printed = column.study, printed_accuracies(column.study.paper, number, column.printed)
        base = column.predictions(study.baseline)
        rows = {}
        for method, value in printed.items():
            variant = variant_of(study, method)
            if variant in (None, study.baseline):
                continue
            gain = value - printed[study.specs[0].module.PRINTED[study.baseline]]
            rows[variant] = {"printed": gain, "ours [95 %]": _gain(column.predictions(variant), base)}
        parts[column.printed] = pd.DataFrame(rows).T
    return pd.concat(parts, axis=1).rename_axis("row").loc[_order(parts)]


def stamp_of(columns: list[Column]) -> str:
    """What stands under a table of such columns."""
    return joined({column.printed: column.study.stamp_of(column.trial) for column in columns})


def points(gap: Interval) -> str:
    """A gain in points with its interval, and an arrow where that leaves out zero."""
    return f"{100 * gap.value:+.1f} [{100 * gap.low:.1f}, {100 * gap.high:.1f}]{ARROWS[reading(gap)]}"


def _accuracy(column: Column, method: str) -> str | None:
    variant = variant_of(column.study, method)
    predicted = pd.DataFrame() if variant is None else column.predictions(variant)
    return None if predicted.empty else str(accuracy_interval(predicted))


def _gain(ours: pd.DataFrame, base: pd.DataFrame) -> str | None:
    return points(difference_interval(ours, base)) if same_images(ours, base) else None


def _order(parts: dict[str, pd.DataFrame]) -> list[str]:
    """The rows as the first column has them, then those that only later ones have."""
    return list(dict.fromkeys(row for part in parts.values() for row in part.index))
