"""Watched trainings: after every epoch, what the network says of those it may be chosen by and of those it may not."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from fercore import provenance
from fercore.faces.protocols import PROTOCOLS, Part
from fercore.predictions import predictions
from fercore.runs import Beginning, Run, RunError, RunSpec, begin, described
from fercore.storage import digest, one_at_a_time, whole_folder, write_json
from fercore.training import fit

SIDES = ("inner", "test")


@dataclass(frozen=True)
class Watched:
    """A finished watched training, read from its folder."""

    spec: RunSpec
    about: dict

    @property
    def predictions(self) -> pd.DataFrame:
        """One row per image of either ``side`` and per ``epoch``, counted from 0, with fold and seed."""
        seen = pd.read_parquet(folder_of(self.spec) / "epochs.parquet")
        return seen.assign(fold=self.spec.fold, seed=self.spec.seed)

    @property
    def stale(self) -> bool:
        """Whether code or images have changed since."""
        return Run(self.spec, self.about).stale or self.about["watched_by"] != _watched_by()


def folder_of(spec: RunSpec) -> Path:
    """Where the finished training stands, beside the unwatched run."""
    return spec.folder.with_name(f"watched-{spec.folder.name}")


def find(spec: RunSpec) -> Watched | None:
    """The finished watched training, or None."""
    file = folder_of(spec) / "run.json"
    if not file.is_file():
        return None
    provenance.trace(folder_of(spec))
    return Watched(spec, json.loads(file.read_text()))


def get_or_watch(spec: RunSpec, device: str = "cpu") -> Watched:
    """The finished watched training; trained first, anew from its first epoch, where it does not exist.

    Trains as the unwatched run of ``spec`` does, whose ``inner`` says who stays out to choose by: an inner fold of
    people; of a protocol that keeps only images apart, the test images of another fold, ``inner`` folds after the next.
    Raises ValueError without an inner fold, RunError where the folder cannot be written.
    """
    folder = folder_of(spec)
    with one_at_a_time(folder.with_name(f".{folder.name}.lock")):
        return find(spec) or _watch(spec, device)


def _watch(spec: RunSpec, device: str) -> Watched:
    run, parts = _begin(spec, device)
    shown = {side: spec.examples(run.faces, part, "test", device) for side, part in parts.items()}
    seen = []

    def look(epoch: int) -> None:
        run.method.eval()
        for side, part in parts.items():
            said = predictions(run.method, run.faces, part, run.division.classes, shown[side])
            seen.append(said.assign(epoch=epoch, side=side))

    history = fit(run.method, run.examples, run.course, title=f"watched: {spec}", after_epoch=look)
    about = _about(spec, run, parts, history)
    try:
        with whole_folder(folder_of(spec)) as aside:
            history.to_csv(aside / "history.csv", index=False)
            pd.concat(seen, ignore_index=True).to_parquet(aside / "epochs.parquet", index=False)
            write_json(aside / "run.json", about)
    except OSError as error:
        raise RunError(f"cannot write {folder_of(spec)}: {error}; make room and repeat") from error
    provenance.trace(folder_of(spec))
    return Watched(spec, about)


def _begin(spec: RunSpec, device: str) -> tuple[Beginning, dict[str, Part]]:
    """All that training starts from, and the images of each side."""
    if spec.inner is None:
        raise ValueError(f"{spec}: a watched training needs an inner fold to choose by, such as inner=0")
    outer = replace(spec, inner=None)
    if PROTOCOLS[spec.protocol].apart == "people":
        run = begin(spec, device)
        return run, {"inner": run.division.test, "test": outer.divide(run.faces).test}
    run, folds = begin(outer, device), PROTOCOLS[spec.protocol].folds
    if not 0 <= spec.inner < folds - 1:
        raise ValueError(f"{spec}: inner fold {spec.inner} is out of range; valid: 0..{folds - 2}")
    inner = replace(outer, fold=(spec.fold + 1 + spec.inner) % folds).divide(run.faces).test
    kept = run.division.train.only(~np.isin(run.division.train.rows, inner.rows))
    division = replace(run.division, train=kept)
    streams = spec.config.streams(spec, run.faces, division, device)
    run = replace(run, division=division, examples=spec.learned(run.faces, streams, device))
    return run, {"inner": inner, "test": division.test}


def _about(spec: RunSpec, run: Beginning, parts: dict[str, Part], history: pd.DataFrame) -> dict:
    """As of any run, and who watched."""
    run = replace(run, division=replace(run.division, test=parts["test"]))
    about = described(spec, run, history.attrs["seconds"])
    learned = {"learned": len(run.examples), "classified": run.examples.classified}
    counts = learned | {side: len(part) for side, part in parts.items()}
    return about | {"images": counts, "epochs": len(history), "watched_by": _watched_by()}


def _watched_by() -> str:
    """A short hash of this file, which decides who stays out."""
    return digest(Path(__file__))[:12]
