"""Finished runs written by hand: what tables and figures read, without training."""

from dataclasses import asdict

import numpy as np
import pandas as pd
import torch
from run_factories import TINY
from safetensors.torch import save_file

from fercore import provenance
from fercore.ablation import Ablation
from fercore.faces.examples import Examples
from fercore.faces.protocols import SEVEN
from fercore.faces.sources import open_faces
from fercore.runs import Run, RunSpec, find
from fercore.storage import write_json


def study(variants=("CNN", "S1R1"), folds=(0, 1), dataset="ckplus", **choice) -> Ablation:
    """An ablation on the small prepared set, with networks of seconds."""
    choice = {"tier": "smoke", "source": "prepared", "changes": tuple(TINY.items())} | choice
    return Ablation("gcnet", dataset, variants, folds=folds, **choice)


def judged(right: list[bool], fold: int = 0, first_row: int = 0) -> pd.DataFrame:
    """One image per value, of seven classes in turn; two images per person; a wrong one is called the next class."""
    true = [SEVEN[i % 7] for i in range(len(right))]
    guess = [SEVEN[(i + (not ok)) % 7] for i, ok in enumerate(right)]
    table = pd.DataFrame({
        "row": range(first_row, first_row + len(right)),
        "subject": [f"F{fold}P{i // 2}" for i in range(len(right))],
        "sequence": [f"{i:03d}" for i in range(len(right))],
        "frame": 4, "intensity": 1.0, "label": true, "predicted": guess,
    })  # fmt: skip
    return table.assign(**{f"p_{name}": [0.4 + 0.1 * (name == g) for g in guess] for name in SEVEN})


def store(spec: RunSpec, predictions: pd.DataFrame, early: pd.DataFrame | None = None, **about) -> Run:
    """A finished run that predicted this; ``about`` replaces what it noted."""
    spec.folder.mkdir(parents=True)
    predictions.drop(columns="fold", errors="ignore").to_parquet(spec.folder / "predictions.parquet", index=False)
    early = predictions.iloc[:0] if early is None else early
    early.drop(columns="fold", errors="ignore").to_parquet(spec.folder / "early.parquet", index=False)
    history = {"epoch": [1, 2], "iteration": [4, 8]} | {term: [1.0, 0.5] for term in sorted(spec.terms)}
    pd.DataFrame(history).to_csv(spec.folder / "history.csv", index=False)
    faces = open_faces(spec.dataset, spec.source, spec.config.stored_size)
    noted = {
        "config": asdict(spec.config), "classes": list(SEVEN), "commit": "c0ffee0123",
        "data": {"name": faces.name, "source": "open", "credit": faces.credit, "fingerprint": faces.fingerprint},
        "test_subjects": sorted(set(predictions["subject"])),
        "images": {"train": 9 * len(predictions), "classified": 9 * len(predictions), "test": len(predictions)},
        "source_digest": provenance.source_digest(spec.paper), "versions": provenance.versions(),
        "seconds": 1.0, "peak_memory_mb": 1,
    }  # fmt: skip
    write_json(spec.folder / "run.json", noted | about)
    return find(spec)


def store_all(ablation: Ablation, right: dict[tuple[str, int], list[bool]], **about) -> Ablation:
    """``right`` says, by variant and fold, which images were right; what it does not name stays missing."""
    for spec in ablation.specs:
        if (answers := right.get((spec.variant, spec.fold))) is not None:
            store(spec, judged(answers, spec.fold, first_row=100 * spec.fold), **about)
    return ablation


def store_untrained(spec: RunSpec, seed: int = 0) -> Run:
    """A run with random networks and their features, on the real images of its test side; all predictions right."""
    run = store(spec, pd.DataFrame({"subject": []}))
    faces, division = run.faces(), run.division()
    torch.manual_seed(seed)
    save_file(spec.module.METHOD(spec.config, SEVEN, spec.terms).state_dict(), spec.folder / "weights.safetensors")
    for name, part in (("predictions", division.test), ("early", division.early)):
        shown = faces.table.loc[part.rows, ["subject", "sequence", "frame", "intensity", "label"]]
        shown = shown.rename_axis("row").reset_index().assign(predicted=shown["label"].to_numpy())
        scores = {f"p_{label}": 0.1 + 0.3 * (shown["label"] == label) for label in division.classes}
        shown.assign(**scores).to_parquet(spec.folder / f"{name}.parquet", index=False)
    batch = next(Examples(faces, division.test, spec.config.image_size).in_order())
    with torch.no_grad():
        features = find(spec).method()(batch).feature
    np.save(spec.folder / "features.npy", features.numpy())
    return find(spec)
