"""Expressive faces with the true neutral of each person, what a generator makes of them, and how near that comes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from fercore import provenance, references
from fercore.faces.examples import Examples
from fercore.faces.protocols import Part, classified, protocol_of
from fercore.method import Batch
from fercore.normalised import normalised
from fercore.runs import Run, RunSpec, get_or_train, pretrain
from fercore.stages import pretraining_of

COPY, AFFINE, MEAN = references.BASELINES
OTHERS_MEAN = "mean neutral face of the set's other people"
FITTED_ON = 10_000  # images that the baselines are fitted on, at most


@dataclass(frozen=True)
class Portraits:
    """N expressive images of one or several sets, and beside each its person's neutral face."""

    table: pd.DataFrame  # N rows: dataset, subject (a person of one set only), sequence, label, fold, row
    image: np.ndarray  # N x S x S, uint8
    neutral: np.ndarray  # N x S x S, uint8
    credit: str

    def __len__(self) -> int:
        return len(self.table)

    def only(self, kept: np.ndarray) -> "Portraits":
        """Those that a mask or a list of places keeps."""
        table = self.table.iloc[np.arange(len(self))[kept]].reset_index(drop=True)
        return Portraits(table, self.image[kept], self.neutral[kept], self.credit)

    @property
    def others(self) -> np.ndarray:
        """Beside each image the place of one that shows the set's next person; raises ValueError for a person alone."""
        first = self.table.reset_index().groupby(["dataset", "subject"])["index"].first()
        following = {}
        for dataset, places in first.groupby("dataset"):
            if len(places) < 2:
                raise ValueError(f"{dataset} shows one person only: nobody can be compared with another")
            following |= dict(zip(places.index.get_level_values("subject"), np.roll(places, -1), strict=True))
        return self.table["subject"].map(following).to_numpy()

    @property
    def others_mean(self) -> np.ndarray:
        """Beside each image the mean neutral face of the other people of its set, each person counted once."""
        found = np.empty_like(self.neutral)
        for _, rows in self.table.groupby("dataset").groups.items():
            people = self.table.loc[rows, "subject"]
            own = {who: self.neutral[places].mean(0) for who, places in people.groupby(people).groups.items()}
            total = sum(own.values())
            for place, who in people.items():
                found[place] = ((total - own[who]) / max(len(own) - 1, 1)).round()
        return found


def of_sets(datasets: list[str], spec: RunSpec) -> Portraits:
    """Every expressive image that the protocols of ``datasets`` classify, whatever the fold, as ``spec`` sees them.

    Nobody of them may have trained what is tested here. Raises ValueError where a person lacks a neutral image.
    """
    parts = []
    for dataset in datasets:
        protocol = protocol_of(dataset, "default", spec.paper)
        faces = RunSpec(spec.paper, spec.variant, dataset, protocol.name, 0, spec.tier, spec.source).faces()
        parts.append(_chosen(faces, classified(faces, protocol)[1].rows, 0))
    return _together(parts)


def of_folds(runs: list[Run]) -> Portraits:
    """The expressive test images of runs on the folds of one set."""
    return _together([_chosen(run.faces(), run.division().test.rows, run.spec.fold) for run in runs])


def made_by_folds(portraits: Portraits, runs: list[Run]) -> np.ndarray:
    """x̂ of every portrait by the run that has not seen its person."""
    made = np.empty_like(portraits.image)
    for run in runs:
        own = (portraits.table["fold"] == run.spec.fold).to_numpy()
        made[own] = normalised(run.method(), portraits.image[own])
    return made


def baselines(portraits: Portraits, runs: list[Run]) -> dict[str, np.ndarray]:
    """What needs no network: the input, and the affine map and the mean face of what the runs learned from.

    One run stands for all portraits, several each for those of its fold.
    """
    made = {name: np.empty_like(portraits.image) for name in references.BASELINES}
    for run in runs:
        own = (portraits.table["fold"] == run.spec.fold).to_numpy() | (len(runs) == 1)
        image, neutral = (_maps(pictures[own]) for pictures in (portraits.image, portraits.neutral))
        test = Batch(image, torch.zeros(len(image), dtype=torch.long), neutral)
        for name, estimate in references.without_network(_learned(run), test).items():
            made[name][own] = (255 * estimate[:, 0].clamp(0, 1)).round().byte().numpy()
    return made


def errors(portraits: Portraits, estimates: Mapping[str, np.ndarray], judge: Run | None = None) -> pd.DataFrame:
    """Squared and absolute error per pixel of each estimate of the neutral face, as ``references.comparison`` reads it.

    With a judge of identities, also its distance from each estimate to the input and to the true neutral.
    """
    parts, known = [], portraits.table[["dataset", "subject", "fold"]]
    for name, estimate in estimates.items():
        off = (estimate.astype(np.float32) - portraits.neutral) / 255
        table = known.assign(image=np.arange(len(known)), estimate=name, error=(off**2).mean((1, 2)))
        table["mean absolute error"] = np.abs(off).mean((1, 2))
        if judge is not None:
            for other, pictures in (("input", portraits.image), ("true neutral", portraits.neutral)):
                table[f"distance to the {other}"] = distances(judge, pictures, estimate)
        parts.append(table)
    return pd.concat(parts, ignore_index=True)


@torch.no_grad()
def distances(judge: Run, one: np.ndarray, other: np.ndarray, at_once: int = 256) -> np.ndarray:
    """How far a judge of identities puts two faces apart, 0 to 2, for N pairs of uint8 images."""
    network = judge.method().stand_in
    parts = [slice(start, start + at_once) for start in range(0, len(one), at_once)]
    return np.concatenate([network.distance(_maps(one[part]), _maps(other[part])).numpy() for part in parts])


def generators(spec: RunSpec, arms: Mapping[str, Mapping], device: str = "cpu") -> dict[str, Run]:
    """One trained generator per arm (fields of the configuration that differ); equal ones are trained once."""

    def changed(changes: Mapping) -> RunSpec:
        return replace(spec, changes=tuple((dict(spec.changes) | dict(changes)).items()))

    return {name: pretrain(changed(changes), "HNG", device) for name, changes in arms.items()}


def last_stage_on_folds(spec: RunSpec, folds: list[int], device: str = "cpu") -> list[Run]:
    """The generator's last stage on the folds of ``spec``'s own set, instead of the database that the paper takes."""
    changes = pretraining_of(spec, "HNG").changes
    return [get_or_train(replace(spec, variant="HNG", fold=k, changes=changes), device) for k in folds]


def stamp(spec: RunSpec, portraits: Portraits, runs: list[Run]) -> str:
    """What stands under a table or figure of portraits: tier, data, folds, seed, commit, what is stale."""
    limit, folds = spec.config.twin_subjects, sorted(portraits.table["fold"].unique())
    learned = sorted({run.about["data"]["credit"] for run in runs})
    parts = [
        f"tier {spec.tier}",
        *[f"at most {limit} people of a twin"] * bool(limit),
        f"data: {portraits.credit}",
        f"networks learned from: {'; '.join(learned)}",
        f"folds {', '.join(map(str, folds))}" if len(folds) > 1 else "no folds: nobody tested was learned from",
        f"seed {spec.seed}",
    ]
    return " · ".join(parts + provenance.origin(runs, len(runs)))


def _chosen(faces, rows: np.ndarray, fold: int) -> tuple:
    rows = rows[(faces.table["label"].to_numpy() != "neutral")[rows]]
    table = faces.table.loc[rows, ["subject", "sequence", "frame", "label", "reference"]].reset_index(drop=True)
    if (table["reference"] < 0).any():
        raise ValueError(f"{faces.name} has people without a neutral image, which a generated one is compared with")
    table = table.assign(dataset=faces.name, subject=f"{faces.name}/" + table["subject"], fold=fold, row=rows)
    neutral = np.array(faces.images[table["reference"].to_numpy()])
    return table.drop(columns="reference"), np.array(faces.images[rows]), neutral, faces.credit


def _together(parts: list[tuple]) -> Portraits:
    tables, images, neutrals, credits = zip(*parts, strict=True)
    table = pd.concat(tables, ignore_index=True)
    return Portraits(table, np.concatenate(images), np.concatenate(neutrals), "; ".join(dict.fromkeys(credits)))


def _learned(run: Run) -> Batch:
    faces, part = run.faces(), run.division().train
    every = -(-len(part) // FITTED_ON)
    part = Part(part.rows[::every], part.target[::every])
    return references.expressive(Examples(faces, part, run.spec.config.stored))


def _maps(pictures: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pictures))[:, None].float() / 255  # N x 1 x S x S
