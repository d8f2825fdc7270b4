"""Two rows of a table, run by us and tested on the same images, held against each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from fercore import metrics, paths
from fercore.ablation import Ablation
from fercore.evaluation import Interval, compare, holm, jackknife_t, two_sided
from fercore.runs import Run
from fercore.trials import Trial

SUPPORTED, CONTRADICTED, UNDECIDED = "supported", "contradicted", "undecided"
PEOPLE = 6  # fewer say nothing: not even all of five on one side would be rare enough
LEVEL = 0.05


class VerdictError(RuntimeError):
    """Two rows must not be compared; says which, and why."""


@dataclass(frozen=True)
class Side:
    """One row of a column: a variant under a test, and its finished runs."""

    name: str  # of the row, in print
    variant: str
    study: Ablation  # of this variant alone
    trial: Trial | None = None

    @cached_property
    def runs(self) -> list[Run]:
        """Those that are finished."""
        return self.study.runs(self.variant)

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """Of all of them, fold by fold."""
        return self.study.predictions(self.variant, trial=self.trial)


@dataclass(frozen=True)
class Gap:
    """How much better the left row is than the right one, on the same images."""

    column: str
    left: str
    right: str
    interval: Interval
    p: float  # two-sided, see ``paired``
    images: int
    people: int
    folds: tuple[int, ...]
    runs: tuple[str, ...] = ()  # their folders below the run store

    @property
    def above(self) -> bool:
        """Whether the left row is better beyond doubt."""
        return self.people >= PEOPLE and self.interval.low > 0 and self.p <= LEVEL

    def below(self, adjusted: float) -> bool:
        """Whether it is worse beyond doubt, by its p adjusted for the number of comparisons."""
        return self.people >= PEOPLE and self.interval.high < 0 and adjusted <= LEVEL


def gap(column: str, metric: str, left: Side, right: Side) -> Gap:
    """Hold two rows of a column against each other; raises VerdictError where they were not tested alike."""
    refuse(left, right)
    ours, base = left.predictions, right.predictions
    try:
        interval, p = paired(ours, base, metric, left.study.definition.classes)
    except ValueError as error:
        raise VerdictError(f"{left.name} and {right.name}, {column}: {error}") from None
    folds, people = sorted(ours["fold"].unique()), ours["subject"].nunique()
    runs = tuple(run.spec.folder.relative_to(paths.results() / "runs").as_posix() for run in left.runs + right.runs)
    return Gap(column, left.name, right.name, interval, p, len(ours), people, tuple(map(int, folds)), runs)


def refuse(left: Side, right: Side) -> None:
    """Raise VerdictError where two rows differ in tier or source, or one lacks a fold that the other has."""
    specs = [run.spec for run in left.runs + right.runs]
    for what in ("tier", "source"):
        if len(found := sorted({getattr(spec, what) for spec in specs})) > 1:
            raise VerdictError(f"{left.name} and {right.name}: runs of {what} {' and '.join(found)} in one comparison")
    folds = [{(run.spec.fold, run.spec.seed) for run in side.runs} for side in (left, right)]
    for one, other, has in ((left, right, folds[1] - folds[0]), (right, left, folds[0] - folds[1])):
        if has:
            fold, seed = sorted(has)[0]
            raise VerdictError(
                f"{one.name} lacks fold {fold} (seed {seed}) of {one.study.definition.name}, which {other.name} has; "
                "train it first"
            )


def paired(ours: pd.DataFrame, base: pd.DataFrame, metric: str, classes: tuple[str, ...]) -> tuple[Interval, float]:
    """The gap with its interval from resampling people, and its two-sided p over people, see Comparison."""
    if metric == "accuracy":
        found = compare(ours, base)
        return found.gap, found.p
    left, right = (metrics.METRICS[metric](one, classes) for one in (ours, base))
    over_people = jackknife_t(left.value() - right.value(), left.without_each() - right.without_each())
    return metrics.difference(left, right), float(np.maximum(two_sided(left.drawn() - right.drawn()), over_people))


def word(groups: Sequence[Sequence[Gap]], needed: int, missing: int = 0) -> str:
    """The verdict of a claim that asks for ``needed`` of its groups, each of which asks for all of its comparisons.

    Where all are needed, each must be above zero by itself (intersection-union); else by its p adjusted for their
    number (Holm), as every one must be that speaks against the claim. ``missing``: groups that were not run.
    """
    gaps = [one for group in groups for one in group]
    adjusted = dict(zip(map(id, gaps), holm([one.p if one.people >= PEOPLE else np.nan for one in gaps]), strict=True))
    every = needed == len(groups)
    won = sum(all(one.above and (every or adjusted[id(one)] <= LEVEL) for one in group) for group in groups)
    lost = sum(any(one.below(adjusted[id(one)]) for one in group) for group in groups)
    if groups and won >= needed:
        return SUPPORTED
    return CONTRADICTED if len(groups) + missing - lost < needed else UNDECIDED
