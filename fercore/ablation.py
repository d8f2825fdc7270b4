"""Several variants on the folds of one protocol: the runs behind a table."""

from dataclasses import dataclass

import pandas as pd
from tqdm.auto import tqdm

from fercore import provenance
from fercore.faces.faceset import FaceSet
from fercore.faces.folds import N_FOLDS
from fercore.faces.protocols import Protocol, protocol_of
from fercore.faces.sources import credit, open_faces
from fercore.runs import Run, RunError, RunSpec, find, get_or_train


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
        return protocol_of(self.dataset, self.protocol)

    @property
    def faces(self) -> FaceSet:
        """The images that the runs see."""
        spec = self.specs[0]
        return open_faces(spec.dataset, spec.source, spec.config.image_size, spec.config.twin_subjects)

    def train(self, device: str = "cpu") -> "Ablation":
        """Train the runs that are missing; finished ones are left as they are."""
        missing = [spec for spec in self.specs if find(spec) is None]
        for spec in tqdm(missing, desc="runs", disable=not missing):
            get_or_train(spec, device)
        return self

    def runs(self, variant: str | None = None) -> list[Run]:
        """The finished runs, of one variant or of all."""
        wanted = [spec for spec in self.specs if variant in (None, spec.variant)]
        return [run for run in map(find, wanted) if run is not None]

    def predictions(self, variant: str, early: bool = False) -> pd.DataFrame:
        """All test predictions of a variant, with fold and seed; empty where nothing is trained."""
        parts = [
            (run.early if early else run.predictions).assign(seed=run.spec.seed, fold=run.spec.fold)
            for run in self.runs(variant)
        ]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()

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
        runs = self.runs()
        done = sorted({run.spec.fold for run in runs})
        missing = [fold for fold in range(N_FOLDS) if fold not in done]
        stale = sum(run.stale for run in runs)
        commits = sorted({run.about["commit"] for run in runs}) or [provenance.commit()]
        parts = [
            f"tier {self.tier}" + "".join(f", {name} {value}" for name, value in self.changes),
            *["settings chosen per fold on inner folds"] * bool(self.settled),
            "data: " + credit(runs[0].about["data"] if runs else None, self.dataset, self.source),
            f"folds {_ranges(done)} of {N_FOLDS}" + (f" (missing {_ranges(missing)})" if missing else ""),
            "seeds " + ", ".join(map(str, self.seeds)),
            "commit " + ", ".join(commits),
        ]
        if len(runs) < len(self.specs):
            parts.append(f"{len(self.specs) - len(runs)} of {len(self.specs)} runs missing")
        if stale:
            parts.append(f"{stale} of {len(runs)} runs made with other code or images than today's")
        return " · ".join(parts)


def _ranges(numbers: list[int]) -> str:
    if not numbers:
        return "none"
    if len(numbers) > 2 and numbers == list(range(numbers[0], numbers[-1] + 1)):
        return f"{numbers[0]}-{numbers[-1]}"
    return ", ".join(map(str, numbers))
