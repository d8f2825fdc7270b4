"""Choose settings on inner folds: who is tested has no part in choosing what is tested on them."""

from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
from tqdm.auto import tqdm

from fercore import provenance
from fercore.ablation import Ablation, limited, tier_with
from fercore.faces.sources import credit
from fercore.runs import RunSpec, find, get_or_train


@dataclass(frozen=True)
class Selection:
    """Candidate settings, judged for each fold of a study by one variant's accuracy on inner folds.

    The inner folds cut the fold's training people anew (``inner_fold_of``); the fold's test people stay out.
    """

    study: Ablation
    judge: str  # the variant that is trained with every candidate
    candidates: dict[str, dict[str, Any]]  # name: fields that differ from the study's configuration
    inner: tuple[int, ...] = (0, 1)

    def specs(self, fold: int, candidate: str) -> list[RunSpec]:
        """The inner runs of one candidate."""
        changes = dict(self.study.changes) | self.candidates[candidate]
        study = replace(self.study, variants=(self.judge,), folds=(fold,), changes=tuple(changes.items()), settled=())
        return [replace(spec, inner=k) for spec in study.specs for k in self.inner]

    def train(self, device: str = "cpu") -> "Selection":
        """Train the inner runs that are missing; finished ones are left as they are."""
        missing = [spec for spec in self._all() if find(spec) is None]
        for spec in tqdm(missing, desc="inner runs", disable=not missing):
            get_or_train(spec, device)
        return self

    def scores(self) -> pd.DataFrame:
        """Accuracy in %, mean of the inner folds: a row per candidate, a column per fold of the study.

        Missing (NaN) where an inner run is not finished.
        """
        return pd.DataFrame({
            fold: {name: self._score(fold, name) for name in self.candidates} for fold in self.study.folds
        }).rename_axis(index="candidate", columns="fold")  # fmt: skip

    @property
    def stamp(self) -> str:
        """What stands under the scores: tier, data, folds, seeds, commit, and what is missing."""
        runs, study = [run for run in map(find, self._all()) if run is not None], self.study
        parts = [
            tier_with(study.tier, study.changes),
            *limited(self._all()[0]),
            "data: " + credit(runs[0].about["data"] if runs else None, study.dataset, study.source),
            f"inner folds {', '.join(map(str, self.inner))} of fold {', '.join(map(str, study.folds))}",
            "seeds " + ", ".join(map(str, study.seeds)),
        ]
        return " · ".join(parts + provenance.origin(runs, len(self._all()), "inner runs"))

    def settled(self) -> Ablation:
        """The study with the best candidate of every fold, the first one of equals.

        Raises ValueError where a candidate's inner runs are not finished: an incomplete comparison chooses nothing.
        """
        scores = self.scores()
        if scores.isna().any(axis=None):
            fold = scores.columns[scores.isna().any()][0]
            raise ValueError(f"fold {fold}: some candidates have no finished inner runs; train() them first")
        chosen = {fold: self.candidates[scores[fold].idxmax()] for fold in self.study.folds}
        return replace(self.study, settled=tuple((fold, tuple(fields.items())) for fold, fields in chosen.items()))

    def _all(self) -> list[RunSpec]:
        return [spec for fold in self.study.folds for name in self.candidates for spec in self.specs(fold, name)]

    def _score(self, fold: int, candidate: str) -> float:
        runs = [find(spec) for spec in self.specs(fold, candidate)]
        if None in runs:
            return float("nan")
        hits = [(run.predictions["label"] == run.predictions["predicted"]).mean() for run in runs]
        return 100 * sum(hits) / len(hits)
