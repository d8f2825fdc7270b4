"""How well a decoder shows a face, also behind an occluder: error, PSNR, SSIM, against estimates without a network."""

import numpy as np
import pandas as pd
import torch
from skimage.metrics import structural_similarity
from torch import Tensor

from fercore.faces.examples import Examples
from fercore.runs import Run

BASELINES = ("the occluded input", "mean face")
PLACES = ("whole face", "hidden part", "visible part")
DECODED = {"rec", "L_r"}  # terms that train a decoder


def errors(runs: list[Run], place: str = "whole face") -> pd.DataFrame:
    """Squared error per pixel of every estimate of the clean face, in one of PLACES, for each test image.

    Columns as ``references.errors`` has them, and ``SSIM`` of the whole face. A pixel is hidden where the occluded
    image differs from the clean one; images without such a pixel are left out. Where nothing covers the images, what is
    estimated is the image itself, and the mean face alone is compared with. Runs without a decoder are passed over.
    """
    parts = []
    for run in runs:
        if not run.spec.terms & DECODED:
            continue
        faces, division = run.faces(), run.division()
        test = run.spec.examples(faces, division.test, "test")
        subject = faces.table["subject"].to_numpy()[division.test.rows]
        batch = next(test.in_order(len(test)))
        estimates = {run.spec.variant: _decoded(run, test)} | _baselines(run, batch.image)
        clean = batch.image if batch.privileged is None else batch.privileged
        weight = _weight(batch.image, clean, place)  # B x 1 x H x W
        for name, estimate in estimates.items():
            wrong = (weight * (estimate - clean).square()).mean(1).flatten(1).sum(1)
            error = wrong / weight.flatten(1).sum(1)
            table = pd.DataFrame({"subject": subject, "fold": run.spec.fold, "estimate": name, "error": error.numpy()})
            table = table.assign(seed=run.spec.seed, image=division.test.rows, SSIM=_ssim(estimate, clean))
            parts.append(table.dropna())
    found = pd.concat(parts, ignore_index=True)
    return found.drop_duplicates(["seed", "fold", "image", "estimate"])  # the baselines of several rows are the same


@torch.no_grad()
def _decoded(run: Run, test: Examples) -> Tensor:
    method = run.method()
    return torch.cat([method(batch).reconstruction for batch in test.in_order()])


def _baselines(run: Run, occluded: Tensor) -> dict[str, Tensor]:
    faces, division = run.faces(), run.division()
    learned = run.spec.config.streams(run.spec, faces, division).image
    train = run.spec.examples(faces, learned, "training")
    covered = "privileged" in train.rows
    total = sum((batch.privileged if covered else batch.image).sum(0) for batch in train.in_order())
    found = dict(zip(BASELINES, (occluded, (total / len(train)).expand_as(occluded)), strict=True))
    return found if covered else {BASELINES[1]: found[BASELINES[1]]}


def _weight(occluded: Tensor, clean: Tensor, place: str) -> Tensor:
    hidden = (occluded != clean).any(1, keepdim=True).float()
    return {"whole face": torch.ones_like(hidden), "hidden part": hidden, "visible part": 1 - hidden}[place]


def _ssim(estimate: Tensor, clean: Tensor) -> np.ndarray:
    pairs = zip(estimate.numpy(), clean.numpy(), strict=True)
    return np.array([structural_similarity(a, b, data_range=1.0, channel_axis=0) for a, b in pairs])
