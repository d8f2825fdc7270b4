"""PG-CNN and gACNN as rows of Occluded: which network, how long, from which weights."""

from dataclasses import replace

import pytest
import torch
from factories import FOUR, TINY_OCCLUDED, covered_batch, occluded, same_bits, snapshot
from torch import nn
from torchvision.models import VGG16_BN_Weights

from fercore.compared import gated
from fercore.compared.gated import TERMS, Gated, shape_for
from fercore.faces.patch_points import MEAN_FACE, patch_points
from fercore.faces.protocols import WILD
from fercore.method import Batch
from fercore.networks.patch_gated import PAPER, SMALL
from fercore.papers.occluded import METHOD, TIERS, VARIANTS

ROWS = {"PG-CNN": False, "gACNN": True}
every_row = pytest.mark.parametrize("row", ROWS)


def test_the_rows_are_of_this_class_and_all_others_are_not():
    made = {row: METHOD(TINY_OCCLUDED, FOUR, terms) for row, terms in VARIANTS.items()}
    assert {row for row, method in made.items() if isinstance(method, Gated)} == set(ROWS)
    assert set().union(*(VARIANTS[row] for row in ROWS)) == TERMS


@every_row
def test_a_row_has_its_own_network_only_and_the_face_belongs_to_gacnn(row):
    net = occluded(VARIANTS[row])
    assert [name for name, _ in net.named_children()] == ["recogniser"]
    assert net.recogniser.global_gate == ROWS[row] and net.classifies
    gates = net.eval()(covered_batch()).gates
    assert gates.shape == (6, 25 if ROWS[row] else 24)


@every_row
def test_steps_lower_the_cross_entropy_of_the_covered_image(row):
    net, batch = occluded(VARIANTS[row], pretraining_rate=1e-3, pretraining_iterations=100), covered_batch()
    torch.manual_seed(0)
    values = [net.step(batch) for _ in range(25)]
    (term,) = VARIANTS[row]
    assert values[0].keys() == {term}
    assert sum(v[term] for v in values[-5:]) < 0.7 * sum(v[term] for v in values[:5])
    before = snapshot(net.recogniser)
    net.step(replace(batch, privileged=None))  # nothing but the image is looked at
    assert not same_bits(before, snapshot(net.recogniser))
    assert torch.equal(net.eval().predict(batch), net.predict(Batch(batch.image)))


@pytest.mark.parametrize("small", [False, True])
@pytest.mark.parametrize(("size", "patch", "stride"), [(224, 6, 8), (88, 5, 4), (48, 3, 4)])
def test_patches_keep_their_share_of_the_face(size, patch, stride, small):
    shape = shape_for(size, small)
    assert (shape.image_size, shape.patch, shape.stride) == (size, patch, stride)
    assert shape.patch * shape.stride / size == pytest.approx(6 * 8 / 224, abs=0.04)
    assert shape.widths == (SMALL if small else PAPER).widths


def test_shapes_at_the_sizes_they_were_made_for_are_the_published_and_the_small_one():
    assert shape_for(224, small=False) == PAPER and shape_for(48, small=True) == SMALL


@pytest.mark.parametrize(("size", "cells"), [(224, 28), (88, 22), (48, 12)])
@every_row
def test_the_network_runs_at_the_papers_image_sizes(row, size, cells):
    with torch.device("meta"):  # sizes without numbers
        net = METHOD(replace(TIERS["paper"], image_size=size), WILD, VARIANTS[row]).eval()
        out = net(Batch(torch.zeros(2, 3, size, size)))
        assert net.recogniser.trunk(torch.zeros(1, 3, size, size)).shape == (1, 512, cells, cells)
    assert out.logits.shape == (2, 7)


@pytest.mark.parametrize("tier", TIERS)
def test_the_network_is_as_wide_as_the_tiers_resnet(tier):
    with torch.device("meta"):
        net = METHOD(TIERS[tier], WILD, VARIANTS["PG-CNN"])
    assert net.recogniser.shape.widths == (PAPER if tier == "paper" else SMALL).widths


@every_row
def test_a_row_takes_as_many_steps_as_the_others_with_their_pretraining(row):
    net = occluded(VARIANTS[row], iterations=30, pretraining_iterations=100, pretraining_rate=0.2, last_rate=0.1)
    assert net.iterations == 130 and occluded(VARIANTS["Ours"], iterations=30).iterations == 30
    rate = net.players[0].descent.rate
    assert [rate(i) for i in (0, 65, 130)] == pytest.approx([0.2, 0.11, 0.02])  # along the whole of it


@pytest.mark.parametrize("weights", ["imagenet", "random"])
@every_row
def test_published_weights_go_into_the_trunk_where_they_are_asked_for(row, weights, monkeypatch):
    net, asked = occluded(VARIANTS[row], weights=weights), []
    state = {
        f"features.{name}": torch.full_like(value, 0.25)
        for part in (net.recogniser.trunk, getattr(net.recogniser, "whole", nn.Sequential()))
        for name, value in part.state_dict().items()
        if "num_batches" not in name
    }
    monkeypatch.setattr(gated, "published", lambda w: asked.append(w) or state)
    before = snapshot(net.recogniser)
    net.initialise()
    changed = {
        name.split(".")[0] for name, v in net.recogniser.state_dict().items() if not torch.equal(v, before[name])
    }
    if weights == "random":
        assert not asked and not changed
    else:
        assert asked == [VGG16_BN_Weights.IMAGENET1K_V1]
        assert changed == ({"trunk", "whole"} if ROWS[row] else {"trunk"})


def test_patches_lie_where_the_crop_frames_the_face():
    for tier, framing in (("paper", 0.9), ("twin", 1.0)):
        found = METHOD(TIERS[tier], WILD, VARIANTS["PG-CNN"]).recogniser.points
        expected = patch_points(0.5 + framing * (MEAN_FACE - 0.5))
        torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float32))
    assert abs(patch_points(0.5 + 0.9 * (MEAN_FACE - 0.5)) - patch_points(MEAN_FACE)).max() > 0.02
