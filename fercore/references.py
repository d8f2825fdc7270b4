"""How far a generated reference is from the true one, against three estimates that need no network."""

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from fercore.evaluation import Interval, subject_bootstrap
from fercore.faces.examples import Examples
from fercore.method import Batch
from fercore.runs import Run

KEYS = ("dataset", "seed", "fold", "subject", "image", "estimate", "error")
PSNR = "PSNR, dB (mean over images; the reading goes by squared error)"  # the two may rank otherwise
BASELINES = ("copy of the input", "affine map per pixel", "mean neutral face")


def errors(runs: list[Run]) -> pd.DataFrame:
    """Squared error per pixel of every estimate of X_r, for each expressive test image.

    Runs whose variant generates no reference are passed over.
    Columns: seed, fold, subject, image, estimate, error. The baselines are fitted on the training persons only: the
    input itself; ``X_r = a X + b`` by least squares at each pixel; the mean reference.
    """
    parts, done = [], set()
    for run in runs:
        if "generate_reference" not in run.spec.terms:
            continue
        faces, division, size = run.faces(), run.division(), run.spec.config.image_size
        test = expressive(Examples(faces, division.test, size))
        with torch.no_grad():
            estimates = {run.spec.variant: run.method()(test).generated}
        seed, fold = run.spec.seed, run.spec.fold
        if (seed, fold) not in done:  # the baselines depend on the fold, not on the variant
            estimates |= without_network(expressive(Examples(faces, division.train, size)), test)
            done.add((seed, fold))
        shown = (faces.table["label"] != "neutral").to_numpy()[division.test.rows]
        rows = division.test.rows[shown]
        subject = faces.table["subject"].to_numpy()[rows]
        for name, estimate in estimates.items():
            error = (estimate - test.reference).square().flatten(1).mean(1).numpy()
            table = pd.DataFrame({"seed": seed, "fold": fold, "subject": subject, "image": rows, "estimate": name})
            parts.append(table.assign(error=error))
    return pd.concat(parts, ignore_index=True)


def comparison(errors: pd.DataFrame, baselines: tuple[str, ...] = BASELINES) -> pd.DataFrame:
    """Mean squared error and mean PSNR of each estimate; for the networks, the gain on each baseline with its interval.

    All rows speak of the same images, those that every estimate was made for. A gain is the baseline's mean error minus
    the network's, in percent of the baseline's; positive is better. A mean of PSNR forgives a few images that are
    far off, so it may rank estimates otherwise than the mean error does.
    """
    keys = [key for key in ("seed", "fold", "subject", "image") if key in errors]
    complete = errors.pivot(index=keys, columns="estimate", values="error").dropna()
    common, wide = errors[errors.set_index(keys).index.isin(complete.index)], complete.reset_index()
    rows, images = [], len(wide.drop_duplicates(["fold", "image"]))  # every seed is tested on the same ones
    for name in dict.fromkeys([*errors["estimate"].unique()]):
        row = {"estimate": name, "images": images, "mean squared error": wide[name].mean()}
        row[PSNR] = 10 * np.log10(1 / wide[name]).mean()
        own = common[common["estimate"] == name]
        row |= {measure: own[measure].mean() for measure in errors if measure not in KEYS}  # such as SSIM
        if name not in baselines:
            gains = {b: subject_bootstrap((wide[b] - wide[name]) / wide[b].mean(), wide["subject"]) for b in baselines}
            row |= {f"gain on {baseline}, %": str(gain) for baseline, gain in gains.items()}
            row["reading"] = _reading(gains)
        rows.append(row)
    return pd.DataFrame(rows).set_index("estimate")


def _reading(gains: dict[str, Interval]) -> str:
    """In words: which baselines are beaten, which are not, and which cannot be told."""
    sides = {
        "beats": [name for name, gain in gains.items() if gain.low > 0],
        "loses to": [name for name, gain in gains.items() if gain.high < 0],
        "undecided against": [name for name, gain in gains.items() if gain.low <= 0 <= gain.high],
    }
    return "; ".join(f"{word} {', '.join(names)}" for word, names in sides.items() if names)


def without_network(train: Batch, test: Batch) -> dict[str, Tensor]:
    """The three BASELINES of the test images, B x 1 x S x S, fitted on training images and their references."""
    mean_input, mean_reference = train.image.mean(0), train.reference.mean(0)
    shifted = train.image - mean_input
    slope = (shifted * (train.reference - mean_reference)).sum(0) / shifted.square().sum(0).clamp(min=1e-6)
    affine = mean_reference + slope * (test.image - mean_input)
    return dict(zip(BASELINES, (test.image, affine, mean_reference.expand_as(test.image)), strict=True))


def expressive(examples: Examples) -> Batch:
    """All of them in one batch, those left out that show their reference."""
    batch = next(examples.in_order(batch_size=len(examples)))
    kept = ~batch.is_reference
    return Batch(batch.image[kept], batch.label[kept], batch.reference[kept], batch.is_reference[kept])
