"""Decoded faces against the clean ones: errors, their places, SSIM, and the estimates that need no network."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from skimage.metrics import structural_similarity

from fercore import figures, reconstructions, references
from fercore.figures.faces import pixels


@pytest.fixture
def found(occluded_study) -> pd.DataFrame:
    return reconstructions.errors(occluded_study.runs())


@pytest.fixture
def estimates(occluded_study) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """The clean test faces of fold 0, and what is made of the covered ones."""
    run = occluded_study.runs("rec")[0]
    faces, division = run.faces(), run.division()
    batch = next(run.spec.examples(faces, division.test, "test").in_order(1000))
    train = next(run.spec.examples(faces, division.train, "training").in_order(10_000))
    with torch.no_grad():
        decoded = run.method()(batch).reconstruction
    made = {"rec": decoded, "the occluded input": batch.image}
    return batch.privileged, made | {"mean face": train.privileged.mean(0).expand_as(decoded)}


def test_errors_and_ssim_of_every_estimate(found, estimates):
    clean, made = estimates
    assert set(found["estimate"]) == set(made)
    for name, images in made.items():
        told = found[(found["fold"] == 0) & (found["estimate"] == name)]
        np.testing.assert_allclose(told["error"], ((images - clean) ** 2).mean((1, 2, 3)), rtol=1e-4)
        similar = [
            structural_similarity(a, b, data_range=1.0, channel_axis=0)
            for a, b in zip(images.numpy(), clean.numpy(), strict=True)
        ]
        np.testing.assert_allclose(told["SSIM"], similar, rtol=1e-4)
    table = references.comparison(found, reconstructions.BASELINES)
    for name, row in table.iterrows():
        assert row["SSIM"] == pytest.approx(found.loc[found["estimate"] == name, "SSIM"].mean())
    assert table["SSIM"].nunique() == 3 and set(table.index) == set(made)


def test_every_seed_of_a_decoder_counts(occluded_study, found, monkeypatch):
    """A second seed that draws the same faces, but half as bright."""
    first, decoded = occluded_study.runs("rec"), reconstructions._decoded

    def dimmed(run, test):
        return decoded(first[run.spec.fold], test) / (1 + run.spec.seed)

    monkeypatch.setattr(reconstructions, "_decoded", dimmed)
    both = reconstructions.errors(first + [replace(run, spec=replace(run.spec, seed=1)) for run in first])
    assert len(both) == 2 * len(found) and set(both["seed"]) == {0, 1}
    own = both[both["estimate"] == "rec"]
    row = references.comparison(both, reconstructions.BASELINES).loc["rec"]
    assert own.groupby("seed")["error"].mean().nunique() == 2
    assert row["mean squared error"] == pytest.approx(own["error"].mean()) and row["images"] == len(own) / 2


def test_hidden_and_visible_parts_make_the_whole(occluded_study, found):
    key = ["fold", "image", "estimate"]
    parts = {place: reconstructions.errors(occluded_study.runs(), place) for place in reconstructions.PLACES}
    seen = parts["visible part"].query("estimate == 'the occluded input'")
    assert (seen["error"] == 0).all()  # where nothing covers a face the input is right
    whole, hidden, visible = (parts[p].set_index(key)["error"] for p in reconstructions.PLACES)
    share = (whole - visible) / (hidden - visible)  # of the face that is hidden: the same for every estimate
    spread = share.groupby(["fold", "image"]).agg(["min", "max"])
    assert (spread["max"] - spread["min"] < 1e-3).all() and spread["max"].between(0, 1).all()
    table = references.comparison(parts["hidden part"].drop(columns="SSIM"), reconstructions.BASELINES)
    assert table.loc["rec", "reading"] and "SSIM" not in table


def test_the_figure_shows_the_decoder_s_drawing_below_the_clean_face(occluded_study, estimates):
    figure = figures.generation(occluded_study.runs("rec")[0], "a stamp", images=4)
    rows = [axis.get_ylabel() for axis in figure.axes if axis.get_ylabel()]
    assert rows == ["input", "without occlusion", "reconstruction"]
    shown = [np.asarray(axis.images[0].get_array()) for axis in figure.axes]
    across = len(shown) // 3
    clean, drawn = (pixels(images) for images in (estimates[0], estimates[1]["rec"]))
    for face, drawing in zip(shown[across : 2 * across], shown[2 * across :], strict=True):
        (which,) = [i for i, one in enumerate(clean) if np.allclose(one, face)]
        np.testing.assert_allclose(drawing, drawn[which], atol=1e-5)
