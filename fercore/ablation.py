"""Several variants on the folds of one protocol: the runs behind a table."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from math import nan

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from fercore import provenance
from fercore.evaluation import vote
from fercore.faces.faceset import FaceSet
from fercore.faces.folds import N_FOLDS
from fercore.faces.protocols import Protocol, protocol_of
from fercore.faces.sources import credit
from fercore.feasible import infeasible
from fercore.runs import Run, RunError, RunSpec, find, get_or_train, pretrain
from fercore.trials import Trial
from fercore.twins.recipes import TWINS


@dataclass(frozen=True)
class Ablation:
    """The runs of every variant, fold and seed; what is not trained yet is missing, never averaged away."""

    paper: str
    dataset: str
    variants: tuple[str, ...]
    protocol: str = "default"
    folds: tuple[int, ...] = tuple(range(N_FOLDS))
    tier: str = "twin"
    source: str = "twin"
    seeds: tuple[int, ...] = (0,)
    changes: tuple[tuple[str, object], ...] = ()
    settled: tuple[tuple[int, tuple[tuple[str, object], ...]], ...] = ()  # (fold, further changes), see selection

    def __post_init__(self):
        for name in ("variants", "folds", "seeds"):  # notebooks hand over lists, and a dict of changes
            object.__setattr__(self, name, tuple(getattr(self, name)))
        object.__setattr__(self, "changes", tuple(dict(self.changes).items()))

    @property
    def specs(self) -> list[RunSpec]:
        """Every run of the table, fold by fold."""
        protocol, settled = self.definition.name, dict(self.settled)
        changes = {fold: tuple((dict(self.changes) | dict(settled.get(fold, ()))).items()) for fold in self.folds}
        return [
            RunSpec(self.paper, variant, self.dataset, protocol, fold, self.tier, self.source, seed, changes[fold])
            for seed in self.seeds
            for fold in self.folds
            for variant in self.variants
        ]

    @property
    def definition(self) -> Protocol:
        """The protocol in full."""
        return protocol_of(self.dataset, self.protocol, self.paper)

    @property
    def baseline(self) -> str:
        """The variant that the paper measures its rows against."""
        return self.specs[0].module.BASELINE

    @property
    def faces(self) -> FaceSet:
        """The images that the runs see."""
        return self.specs[0].faces()

    def train(self, device: str = "cpu") -> "Ablation":
        """Train the runs that are missing; finished ones are left as they are.

        Raises FaceSetError or ChangeError, before the first training, where one of them cannot be.
        """
        missing = [spec for spec in self.specs if find(spec) is None]
        for why in infeasible(missing).values():
            raise why
        for spec in tqdm(missing, desc="runs", disable=not missing):
            get_or_train(spec, device)
        return self

    def runs(self, variant: str | None = None) -> list[Run]:
        """The finished runs, of one variant or of all."""
        wanted = [spec for spec in self.specs if variant in (None, spec.variant)]
        return [run for run in map(find, wanted) if run is not None]

    def test_per_training(self, variant: str) -> float:
        """Classified images tested over those learned, in the mean of a variant's runs; not a number without any."""
        counts = [run.about["images"] for run in self.runs(variant)]
        return float(np.mean([one["test"] / one.get("classified", nan) for one in counts])) if counts else nan

    def predictions(self, variant: str, early: bool = False, trial: Trial | None = None) -> pd.DataFrame:
        """All test predictions of a variant, with fold and seed; empty where nothing is trained.

        ``early``: of the test people's early frames; ``trial``: of another test, which is made now if it was not yet.
        """
        parts = []
        for run in self.runs(variant):
            part = trial.predictions(run) if trial else run.early if early else run.predictions
            if self.definition.unit == "sequence" and not early:
                part = vote(part)
            parts.append(part.assign(seed=run.spec.seed, fold=run.spec.fold))
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()

    def pretrained(self, stage: str, device: str = "cpu") -> list[Run]:
        """The runs of a pre-training stage, one per fold and seed; trained now where they do not exist."""
        return [pretrain(spec, stage, device) for spec in self.specs if spec.variant == self.variants[0]]

    @property
    def n_folds(self) -> int:
        """How many folds there are."""
        return 1 if self.definition.official else self.definition.folds

    @property
    def classes(self) -> list[str]:
        """Class names, from any finished run; raises RunError where there is none."""
        self.need()
        return self.runs()[0].about["classes"]

    def need(self, *variants: str) -> None:
        """Raise RunError where one of ``variants``, or without any every variant, has no finished run to show."""
        lacking = [variant for variant in variants if not self.runs(variant)]
        if lacking or not self.runs():
            which = ", ".join(lacking) or "any row"
            raise RunError(f"no run of {which} on {self.dataset} is finished; train it first, e.g. with run_fold")

    @property
    def stamp(self) -> str:
        """What stands under every table and figure: tier, data, folds, seeds, commit, and what is missing or stale."""
        return self.stamp_with([])

    def stamp_with(self, arms: Iterable["Ablation"]) -> str:
        """The same where runs of ``arms`` are shown as well: commits, GPUs and what is missing or stale are of all."""
        every = {spec.folder: spec for study in (self, *arms) for spec in study.specs}  # a run may be of several
        runs, own = [run for run in map(find, every.values()) if run is not None], self.runs()
        done = sorted({run.spec.fold for run in own})
        missing = [fold for fold in range(self.n_folds) if fold not in done]
        parts = [
            tier_with(self.tier, self.changes),
            *[part for spec in self.specs[:1] for part in limited(spec)],
            *["settings chosen per fold on inner folds"] * bool(self.settled),
            "data: " + credit(own[0].about["data"] if own else None, self.dataset, self.source),
            f"folds {_ranges(done)} of {self.n_folds}" + (f" (missing {_ranges(missing)})" if missing else ""),
            *["each sequence by the mean scores of its images"] * (self.definition.unit == "sequence"),
            "seeds " + ", ".join(map(str, self.seeds)),
        ]
        return " · ".join(parts + provenance.origin(runs, len(every)))

    def stamp_of(self, trial: Trial | None) -> str:
        """The stamp of results of a trial: also names the data of another database."""
        runs = self.runs()
        elsewhere = runs and trial and trial.protocol
        return self.stamp + (f" · tested on: {trial.credit(runs[0])}" if elsewhere else "")


def _ranges(numbers: list[int]) -> str:
    if not numbers:
        return "none"
    if len(numbers) > 2 and numbers == list(range(numbers[0], numbers[-1] + 1)):
        return f"{numbers[0]}-{numbers[-1]}"
    return ", ".join(map(str, numbers))


def limited(spec: RunSpec) -> list[str]:
    """How a stamp names the limit that a run sets to its twin; nothing where no set of it has more people than that."""
    limit = spec.config.twin_subjects if spec.source == "twin" else None
    cut = limit and any(_people(one) > limit for one in spec.dataset.split("+"))
    return [f"at most {limit} people of a twin"] * bool(cut)


@cache
def _people(twin: str) -> int:
    return len({take.subject for take in TWINS[twin].cast()})


def tier_with(tier: str, changes: tuple[tuple[str, object], ...]) -> str:
    """How a stamp names a tier and what differs from its settings."""
    return ", ".join([f"tier {tier}", *(f"{name} {'none' if value == '' else value}" for name, value in changes)])
