"""Figures of faces: generated references, reconstructions, mistakes, the course of an expression."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

from fercore.faces.protocols import Part
from fercore.figures.page import face_grid, new, stamped
from fercore.method import Batch
from fercore.runs import Run

PARTS = {  # what a run can show beside its input, by the term that trains it
    "generate_reference": ("generated reference", "generated"),
    "reconstruct_reference": ("reconstructed neutral", "reconstructed_reference"),
    "reconstruct_input": ("reconstructed input", "reconstructed_input"),
    "autoencode": ("reconstructed input", "generated"),
    "rec": ("reconstruction", "reconstruction"),
    "L_r": ("reconstruction", "reconstruction"),
}
REFERRED = {"contrastive", "generate_reference", "reconstruct_reference", "pixel"}  # they ask for a true reference


def generation(run: Run, stamp: str, images: int = 8) -> Figure:
    """Test images of as many persons and classes as fit: input, its other view, and what the networks make of it."""
    batch, labels = _spread(run, images)
    views = {"input": batch.image} | beside(batch, bool(run.spec.terms & REFERRED))
    rows, names = [pixels(view) for view in views.values()], list(views)
    with torch.no_grad():
        outputs = run.method()(batch)
        for term, (name, part) in PARTS.items():
            if term in run.spec.terms:
                rows, names = [*rows, pixels(getattr(outputs, part))], [*names, name]
    figure = new(1.05 * len(labels) + 1.5, 1.05 * len(rows) + 0.6)
    face_grid(figure, rows, names, labels)
    return stamped(figure, stamp)


def beside(batch: Batch, referred: bool) -> dict[str, torch.Tensor]:
    """What the images of a batch are to be compared with, by name: a reference only where the method asks for one."""
    views = {"true reference": batch.reference if referred else None, "without occlusion": batch.privileged}
    return {name: view for name, view in views.items() if view is not None}


def mistakes(run: Run | Sequence[Run], stamp: str, images: int = 8) -> Figure:
    """The images a run got wrong with the highest score, true class above, predicted class below it.

    Of several folds of one row, the surest of all of them.
    """
    runs = [run] if not isinstance(run, Sequence) else run
    predicted = pd.concat([one.predictions for one in runs], ignore_index=True)
    wrong = predicted[predicted["label"] != predicted["predicted"]]
    scores = wrong[[c for c in wrong if c.startswith("p_")]].max(axis=1)
    wrong = wrong.loc[scores.sort_values(ascending=False).index].drop_duplicates(["subject", "sequence"])[:images]
    figure = new(1.2 * max(len(wrong), 4), 2.4)
    if wrong.empty:
        figure.text(0.5, 0.5, f"no mistake among {len(predicted)} images", ha="center")
    else:
        shown = pixels(_seen(runs[0], wrong["row"].to_numpy()).image)
        heads = [f"{true}\n→ {guess}" for true, guess in zip(wrong["label"], wrong["predicted"], strict=True)]
        face_grid(figure, [shown], [""], heads)
    return stamped(figure, stamp)


def course(run: Run, stamp: str, sequences: int = 4) -> Figure:
    """Sequences of test subjects from onset to apex, with the predicted class of every classified frame."""
    predicted = pd.concat([run.predictions, run.early]).set_index("row")
    faces = run.faces()
    table = faces.table[faces.table["subject"].isin(predicted["subject"])]
    chosen = table[table["label"] != "neutral"].drop_duplicates("label")[["subject", "sequence"]][:sequences]
    frames = [table[(table["subject"] == s) & (table["sequence"] == q)] for s, q in chosen.itertuples(index=False)]
    longest = max(len(f) for f in frames)
    figure = new(1.05 * longest + 1.2, 1.3 * len(frames) + 0.5)
    figure.shows_faces(faces.images)
    axes = figure.subplots(len(frames), longest, squeeze=False)
    for line, sequence in zip(axes, frames, strict=True):
        for axis, row in zip(line, sequence.index, strict=False):
            axis.imshow(faces.images[row], cmap="gray", vmin=0, vmax=255)
            guess = predicted["predicted"].get(row, "")
            axis.set_title(guess, fontsize=7, color="C2" if guess == table["label"][row] else "C3")
        line[0].set_ylabel(sequence["label"].iloc[-1], rotation=0, ha="right", fontsize=8)
        for axis in line:
            axis.set(xticks=[], yticks=[], frame_on=False)
    return stamped(figure, stamp)


def _spread(run: Run, images: int) -> tuple[Batch, list[str]]:
    """Up to ``images`` test images, each of a person and class shown least so far, and their labels.

    Neutral faces are left out where they would be their own reference.
    """
    division, faces = run.division(), run.faces()
    test = faces.table.loc[division.test.rows].assign(order=np.arange(len(division.test.rows)))
    if run.spec.terms & REFERRED and (test["label"] != "neutral").any():
        test = test[test["label"] != "neutral"]
    left, times, chosen = list(test.groupby(["subject", "label"]).tail(1).itertuples()), Counter(), []
    while left and len(chosen) < images:
        least = min(left, key=lambda one: (times["person", one.subject], times["class", one.label]))
        left.remove(least)
        times.update([("person", least.subject), ("class", least.label)])
        chosen.append(least.order)
    part = Part(division.test.rows[chosen], division.test.target[chosen])
    batch = next(run.spec.examples(faces, part, "test").in_order())
    return batch, [str(label) for label in faces.table["label"][part.rows]]


def _seen(run: Run, rows: np.ndarray) -> Batch:
    """Images of a run's test side as it saw them."""
    return next(run.spec.examples(run.faces(), Part(rows, np.zeros(len(rows), int)), "test").in_order())


def pixels(images: torch.Tensor) -> np.ndarray:
    """B x C x H x W as it is drawn: B x H x W gray or B x H x W x 3."""
    images = images.clamp(0, 1).numpy()
    return images[:, 0] if images.shape[1] == 1 else images.transpose(0, 2, 3, 1)
