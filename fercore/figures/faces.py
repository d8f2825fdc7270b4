"""Figures of faces: generated references, reconstructions, mistakes, the course of an expression."""

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


def generation(run: Run, stamp: str, images: int = 8) -> Figure:
    """Test images of as many persons and classes as fit: input, its other view, and what the networks make of it."""
    batch, labels = _spread(run, images)
    rows, names = [pixels(batch.image)], ["input"]
    for name, view in (("true reference", batch.reference), ("without occlusion", batch.privileged)):
        if view is not None:
            rows, names = [*rows, pixels(view)], [*names, name]
    with torch.no_grad():
        outputs = run.method()(batch)
        for term, (name, part) in PARTS.items():
            if term in run.spec.terms:
                rows, names = [*rows, pixels(getattr(outputs, part))], [*names, name]
    figure = new(1.05 * len(labels) + 1.5, 1.05 * len(rows) + 0.6)
    face_grid(figure, rows, names, labels)
    return stamped(figure, stamp)


def mistakes(run: Run, stamp: str, images: int = 8) -> Figure:
    """The images a run got wrong with the highest score, true class above, predicted class below it."""
    predicted = run.predictions
    wrong = predicted[predicted["label"] != predicted["predicted"]]
    scores = wrong[[c for c in wrong if c.startswith("p_")]].max(axis=1)
    wrong = wrong.loc[scores.sort_values(ascending=False).index].drop_duplicates(["subject", "sequence"])[:images]
    figure = new(1.2 * max(len(wrong), 4), 2.0)
    if wrong.empty:
        figure.text(0.5, 0.5, "no mistake on this fold", ha="center")
    else:
        shown = pixels(_seen(run, wrong["row"].to_numpy()).image)
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
    """Up to ``images`` test images, each of another person and class in turn, and their labels."""
    division, faces = run.division(), run.faces()
    test = faces.table.loc[division.test.rows].assign(order=np.arange(len(division.test.rows)))
    test = test[test["label"] != "neutral"] if (test["label"] != "neutral").any() else test
    last = test.groupby(["subject", "label"]).tail(1)
    last = last.assign(turn=last.groupby("label").cumcount(), person=last.groupby("subject").cumcount())
    chosen = last.sort_values(["person", "turn", "label"], kind="stable")[:images]["order"].to_numpy()
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
