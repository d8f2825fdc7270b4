"""Tables with a column per test: other databases, kinds of occlusion, other scores than accuracy."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import nan

import pandas as pd

from fercore import metrics
from fercore.ablation import Ablation
from fercore.evaluation import Interval
from fercore.tables.page import DOWN, UP, joined, noted
from fercore.tables.scores import ABOVE, BELOW, NARROW, printed_values, reading, same_images, variant_of
from fercore.trials import Trial

ARROWS = {ABOVE: f" {UP}", BELOW: f" {DOWN}", "undecided": ""}


@dataclass(frozen=True)
class Column:
    """One column of a printed table, by its name there, and the test that stands for it."""

    printed: str
    study: Ablation
    trial: Trial | None = None  # None: the study's own test
    metric: str = "accuracy"  # one of metrics.METRICS, by the name in print
    others: Mapping[str, pd.DataFrame] = field(default_factory=dict)  # predictions of systems that are no rows of ours

    @property
    def name(self) -> str:
        """What stands above it."""
        return self.printed if self.metric == "accuracy" else f"{self.printed}, {self.metric}"

    def values(self, number: int) -> pd.Series:
        """The printed values of table ``number``, by method."""
        return printed_values(self.study.paper, number, self.printed, self.metric)

    def predictions(self, variant: str) -> pd.DataFrame:
        """Of all runs of a variant; empty without."""
        return self.study.predictions(variant, trial=self.trial)

    def of(self, method: str) -> pd.DataFrame:
        """Predictions of a printed row, of a variant or of another system; empty for what is not run."""
        variant = method if method in self.study.variants else variant_of(self.study, method)
        return self.others.get(method, pd.DataFrame()) if variant is None else self.predictions(variant)

    def rows(self, number: int) -> dict[str, str]:
        """What stands in the table, the printed rows first, and how it is named there."""
        printed = self.values(number).index
        theirs = {variant_of(self.study, method) for method in printed}
        own = [variant for variant in self.study.variants if variant not in theirs]
        beyond = [*own, *(name for name in self.others if name not in printed)]
        return {method: method for method in printed} | {name: f"{name} (not in the paper's table)" for name in beyond}

    def counts(self, predicted: pd.DataFrame) -> metrics.Counts:
        """What the metric is made of."""
        return metrics.METRICS[self.metric](predicted, self.study.definition.classes)


def beside_printed(columns: list[Column], number: int) -> pd.DataFrame:
    """Table ``number`` of the paper: in every column the printed value and ours, %, with its 95 % interval.

    Rows of ours and other systems that the paper does not print stand below.
    """
    parts = {}
    for column in columns:
        printed = column.values(number)
        ours = {shown: _score(column, method) for method, shown in column.rows(number).items()}
        parts[column.name] = pd.DataFrame({"printed %": printed.reindex(ours), "ours % [95 %]": ours})
    return pd.concat(parts, axis=1).rename_axis("method").loc[_order(parts)]


def gains_by_column(columns: list[Column], number: int, baseline: str | None = None) -> pd.DataFrame:
    """What every row gains over the baseline, points, in every column: printed, and ours with its paired interval.

    ``baseline``: a variant to measure against instead of the paper's own; nothing is printed over a row that is not.
    An arrow marks an interval without zero, and which side it lies on. A page shows it with NARROW in the caption.
    """
    parts = {}
    for column in columns:
        study, printed = column.study, column.values(number)
        over = baseline or study.baseline
        base, rows = column.predictions(over), {}
        for method in column.rows(number):
            variant = method if method in study.variants else variant_of(study, method)
            ours = column.of(method)
            if variant == over or (variant is None and (ours.empty or method not in printed)):
                continue
            gain = printed.get(method, nan) - printed.get(study.specs[0].module.PRINTED.get(over), nan)
            rows[variant or method] = {"printed": gain, "ours [95 %]": _gain(column, ours, base)}
        parts[column.name] = pd.DataFrame(rows).T
    return noted(pd.concat(parts, axis=1).rename_axis("row").loc[_order(parts)], NARROW)


def stamp_of(columns: list[Column]) -> str:
    """What stands under a table of such columns."""
    return joined({column.printed: column.study.stamp_of(column.trial) for column in columns})


def points(gap: Interval) -> str:
    """A gain in points with its interval, and an arrow where that leaves out zero."""
    return f"{'+' * (gap.value >= 0)}{gap}{ARROWS[reading(gap)]}"


def _score(column: Column, method: str) -> str | None:
    predicted = column.of(method)
    return None if predicted.empty else str(metrics.interval(column.counts(predicted)))


def _gain(column: Column, ours: pd.DataFrame, base: pd.DataFrame) -> str | None:
    if not same_images(ours, base):
        return None
    return points(metrics.difference(column.counts(ours), column.counts(base)))


def _order(parts: dict[str, pd.DataFrame]) -> list[str]:
    """The rows as the first column has them, then those that only later ones have."""
    return list(dict.fromkeys(row for part in parts.values() for row in part.index))
