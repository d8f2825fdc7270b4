"""What the run store holds: every finished run that today's code can name, and what was passed over."""

import dataclasses
import json
import shlex
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from fercore import parameters, paths
from fercore.ablation import tier_with
from fercore.faces.protocols import PROTOCOLS
from fercore.runs import Run, RunSpec

MOST_BYTES = 1 << 20  # of a run.json; ours have three thousand
FIELDS = {field.name for field in dataclasses.fields(RunSpec)}
HOME = {  # where a look at a paper begins: dataset, protocol and the paper's own row
    "gcnet": ("ckplus", "ckplus7", "S1R1"),
    "idferm": ("ckplus", "ckplus7", "IDFERM"),
    "occluded": ("rafdb", "rafdb7", "Ours"),
    "unpaired": ("mmse", "mmse4", "Ours"),
}


class NoRunError(ValueError):
    """A folder of the store holds no run that can be shown; the message is a few words that say why."""


@dataclass(frozen=True)
class Store:
    """The finished runs that classify, by readable name; pre-training stages and all else are counted only."""

    runs: tuple[Run, ...]
    stages: int  # pre-training
    skipped: Mapping[str, int]  # why -> how many folders

    @property
    def note(self) -> str:
        """In one line: how many runs there are, and how many folders are not shown, and why."""
        parts = [f"{len(self.runs)} finished runs", f"{self.stages} pre-training stages"]
        if self.skipped:
            reasons = ", ".join(f"{count} {why}" for why, count in sorted(self.skipped.items()))
            parts.append(f"{sum(self.skipped.values())} folders passed over: {reasons}")
        return "; ".join(parts)

    def overview(self) -> pd.DataFrame:
        """A row per paper and data: rows of its tables, how many runs, how many with other code than today's."""
        rows = [
            {"paper": run.spec.paper, "data": data_of(run), "row": run.spec.variant, "stale": run.stale}
            for run in self.runs
        ]
        table = pd.DataFrame(rows, columns=["paper", "data", "row", "stale"]).groupby(["paper", "data"], sort=False)
        return table.agg(
            rows=("row", lambda names: ", ".join(dict.fromkeys(names))), runs=("row", "size"), stale=("stale", "sum")
        ).reset_index()

    def of(self, **fields: Any) -> list[Run]:
        """The runs whose specification has these values: fold 0 and seed 0 first, unchanged settings before others."""
        found = [run for run in self.runs if all(getattr(run.spec, name) == value for name, value in fields.items())]
        return sorted(found, key=_plainness)


def finished() -> Store:
    """Read the store: no code of a run is trusted, and a folder that is no run is passed over."""
    runs, stages, skipped = [], 0, Counter()
    for folder in sorted((paths.results() / "runs").glob("*/*/*")):
        if folder.name.startswith(".") or not folder.is_dir():
            continue  # locks, and runs that are being made
        if folder.name.startswith("watched-"):
            skipped["watched epoch by epoch"] += 1
            continue
        try:
            run = read(folder)
        except NoRunError as problem:
            skipped[str(problem)] += 1
            continue
        if _is_stage(run.spec):
            stages += 1
        elif not (folder / "predictions.parquet").is_file():
            skipped["without predictions"] += 1
        else:
            runs.append(run)
    return Store(tuple(runs), stages, skipped)


def read(folder: Path) -> Run:
    """The run in ``folder``; raises NoRunError where that is none, or its specification leads elsewhere today."""
    about = _about(folder / "run.json")
    try:
        said = dict(about["spec"])
        changes = tuple((str(name), value) for name, value in said["changes"])
        spec = RunSpec(**(said | {"changes": changes}))
        if not (set(said) == FIELDS and spec.paper in parameters.papers() and spec.protocol in PROTOCOLS):
            raise ValueError("a paper or protocol that is not there")  # before the paper's module is imported
        known = _says_enough(about) and spec.variant in {*spec.module.VARIANTS, *spec.module.PRETRAINING}
        named = spec.folder
    except (AttributeError, KeyError, TypeError, ValueError) as error:  # also a paper that refuses a configuration
        raise NoRunError("of an unknown specification") from error
    if not known:
        raise NoRunError("of an unknown specification")
    if named != folder:
        raise NoRunError("with settings that today's code does not have")
    return Run(spec, about)


def data_of(run: Run) -> str:
    """The images of a run as a menu names them."""
    return f"{run.spec.dataset}, {run.spec.protocol} ({run.spec.source}, tier {run.spec.tier})"


def row_of(run: Run) -> str:
    """Its row of the tables, with what differs from the tier's settings."""
    changed = tier_with("", run.spec.changes).removeprefix("tier ").removeprefix(", ")
    return f"{run.spec.variant} ({changed})" if changed else run.spec.variant


def fold_of(run: Run) -> str:
    """Who is tested, and from which start."""
    inner = "" if run.spec.inner is None else f", inner fold {run.spec.inner}"
    return f"fold {run.spec.fold}{inner}, seed {run.spec.seed}"


def command_for(paper: str, dataset: str, variant: str, fold: int = 0, tier: str = "twin", source: str = "twin") -> str:
    """The command that makes a run."""
    what = f"{paper} {dataset} --fold {fold} --variants {shlex.quote(variant)}"
    return f"python -m fercore.train {what} --tier {tier} --source {source}"


def _about(file: Path) -> dict:
    if file.is_symlink() or not file.is_file():
        raise NoRunError("without run.json")
    if file.stat().st_size > MOST_BYTES:
        raise NoRunError("with an oversized run.json")
    try:
        about = json.loads(file.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise NoRunError("with an unreadable run.json") from error
    if not isinstance(about, dict):
        raise NoRunError("with an unreadable run.json")
    return about


def _is_stage(spec: RunSpec) -> bool:
    """Whether it is a pre-training stage, one by a row's own loss included."""
    own = [name for name, stage in spec.module.PRETRAINING.items() if stage.terms is None]
    elsewhere = {spec.config.pretrained_on(name).get("protocol") for name in own}
    return spec.variant in spec.module.PRETRAINING or spec.protocol in elsewhere


def _says_enough(about: dict) -> bool:
    """Whether all that pages rely on is there."""
    texts = [about["commit"], about["source_digest"], about["data"]["credit"], about["data"]["fingerprint"]]
    return all(isinstance(text, str) for text in [*texts, *about["classes"]]) and bool(about["classes"])


def _plainness(run: Run) -> tuple:
    spec = run.spec
    return spec.inner is not None, len(spec.changes), spec.fold, spec.seed, spec.protocol
