"""PG-CNN and gACNN: shapes as published, units and cuts against slow loops, patches that stay apart."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from fercore.networks.patch_gated import PAPER, SMALL, PatchGated, cut, first_cells
from fercore.networks.vgg import CONV4_2, CONV5_2, load_vgg16, vgg16_layers

TINY = replace(SMALL, widths=(4, 5, 6, 7, 8), feature=3, whole=10, gate=(4, 3), hidden=12)
SYSTEMS = {"PG-CNN": False, "gACNN": True}


def lived_in(net):
    """``net`` with batch norms as after some training, in eval mode."""
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for tensor, low, high in ((layer.running_mean, -0.3, 0.3), (layer.running_var, 0.5, 2),
                                      (layer.weight.data, 0.5, 2), (layer.bias.data, -0.3, 0.3)):  # fmt: skip
                tensor.uniform_(low, high)
    return net.eval()


@pytest.fixture(params=SYSTEMS.values(), ids=SYSTEMS)
def net(request):
    torch.manual_seed(0)
    return PatchGated(7, request.param, TINY)


def sizes_on_the_way(net, image):
    sizes, parts = {}, ("trunk", "patches", "whole", "patch_gates", "whole_gate")
    hooks = [part.register_forward_hook(lambda m, i, o, name=name: sizes.update({name: o}))
             for name, part in net.named_children() if name in parts]  # fmt: skip
    sizes["logits"] = net(image)
    for hook in hooks:
        hook.remove()
    return {name: [tuple(x.shape[1:]) for x in (o if isinstance(o, tuple) else (o,))] for name, o in sizes.items()}


@pytest.mark.parametrize("whole", SYSTEMS.values(), ids=SYSTEMS)
def test_sizes_at_224_pixels_are_the_published_ones(whole):
    with torch.device("meta"):  # sizes without numbers
        net, image = PatchGated(7, whole), torch.zeros(2, 3, 224, 224)
    sizes = sizes_on_the_way(net, image)
    assert sizes["trunk"] == [(512, 28, 28)] and sizes["patches"] == [(24 * 512, 6, 6)]
    assert sizes["patch_gates"] == [(1536,), (24,)] and sizes["logits"] == [(7,)]
    assert net.classifier[0].in_features == (2048 if whole else 1536) and net.classifier[0].out_features == 1024
    if whole:
        assert sizes["whole"] == [(512, 14, 14)] and sizes["whole_gate"] == [(512,), (1,)]
    features, gates = net.gated(image)
    assert features.shape == (2, 2048 if whole else 1536) and gates.shape == (2, 25 if whole else 24)


def test_sizes_at_48_pixels():
    sizes = sizes_on_the_way(PatchGated(6, True, SMALL, channels=1).eval(), torch.rand(2, 1, 48, 48))
    assert sizes["trunk"] == [(32, 12, 12)] and sizes["patches"] == [(24 * 32, 3, 3)]
    assert sizes["whole"] == [(48, 6, 6)] and sizes["logits"] == [(6,)]
    assert abs(SMALL.patch * SMALL.stride / 48 - PAPER.patch * PAPER.stride / 224) < 0.04  # share of the side


def test_trunk_is_vgg16_of_torchvision():
    from torchvision.models import vgg16_bn

    torch.manual_seed(0)
    theirs = lived_in(vgg16_bn(weights=None, init_weights=False))
    state, image = theirs.state_dict(), torch.rand(1, 3, 32, 32)
    for first, stop in ((0, CONV4_2), (CONV4_2, CONV5_2)):
        ours, part = vgg16_layers(first, stop, 3 if first == 0 else 512), theirs.features[first:stop]
        assert [(n, repr(x)) for n, x in ours.named_children()] == [(n, repr(x)) for n, x in part.named_children()]
        load_vgg16(ours, {name: value for name, value in state.items() if "num_batches" not in name})
        with torch.no_grad():
            expected = part(image.clone())
            assert torch.equal(ours.eval()(image), expected)
        image = expected


def test_network_takes_the_trunk_and_nothing_else(net):
    from torchvision.models.vgg import VGG, make_layers

    depths = zip(TINY.widths, (2, 2, 3, 3, 3), strict=True)
    plan = [width for block, depth in depths for width in (*[block] * depth, "M")]
    state = lived_in(VGG(make_layers(plan, batch_norm=True), init_weights=False)).state_dict()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    net.load_vgg16(state)
    for name, value in net.state_dict().items():
        part, _, rest = name.partition(".")
        loaded = part in ("trunk", "whole") and "num_batches" not in rest
        assert torch.equal(value, state[f"features.{rest}"] if loaded else before[name]), name


def test_weights_that_do_not_fit_are_refused(net):
    narrow = {f"features.{name}": value for name, value in vgg16_layers(0, CONV4_2).state_dict().items()}
    with pytest.raises(RuntimeError, match="size mismatch"):
        net.load_vgg16(narrow)
    with pytest.raises(KeyError, match=r"features\.0\.weight"):
        net.load_vgg16({})


def slow_convolution(maps, weight, bias=None, pad=0):
    """C x h x w, O x C x k x k, in plain loops."""
    k, (_, h, w) = weight.shape[-1], maps.shape
    wide = np.pad(maps, ((0, 0), (pad, pad), (pad, pad)))
    out = np.zeros((len(weight), h + 2 * pad - k + 1, w + 2 * pad - k + 1))
    for o, y, x in np.ndindex(out.shape):
        out[o, y, x] = (wide[:, y : y + k, x : x + k] * weight[o]).sum() + (0 if bias is None else bias[o])
    return out


def slow_norm(maps, norm, unit):
    own = slice(unit * len(maps), (unit + 1) * len(maps))
    mean, var, scale, shift = (x[own].detach().numpy()[:, None, None]
                               for x in (norm.running_mean, norm.running_var, norm.weight, norm.bias))  # fmt: skip
    return (maps - mean) / np.sqrt(var + norm.eps) * scale + shift


def of_unit(layer, unit, units):
    each = layer.out_channels // units
    own = slice(unit * each, (unit + 1) * each)
    return layer.weight[own].detach().numpy(), None if layer.bias is None else layer.bias[own].detach().numpy()


def slow_unit(maps, net, unit, units=24):
    """One PG-Unit on one patch, C x p x p: its gated feature and its gate."""
    for convolution, norm in (net.patches[0:2], net.patches[3:5]):
        maps = slow_convolution(maps, *of_unit(convolution, unit, units), pad=1)
        maps = np.maximum(slow_norm(maps, norm, unit), 0)
    feature = np.maximum(slow_convolution(maps, *of_unit(net.patch_gates.feature[0], unit, units)), 0)[:, 0, 0]
    gate, half = net.patch_gates.gate, -(-maps.shape[-1] // 2)
    pooled = np.array([[[channel[2 * y : 2 * y + 2, 2 * x : 2 * x + 2].max() for x in range(half)]
                        for y in range(half)] for channel in maps])  # fmt: skip
    hidden = np.maximum(slow_norm(slow_convolution(pooled, *of_unit(gate[1], unit, units)), gate[2], unit), 0)
    hidden = hidden.mean((1, 2), keepdims=True)
    hidden = np.maximum(slow_norm(slow_convolution(hidden, *of_unit(gate[5], unit, units)), gate[6], unit), 0)
    score = slow_norm(slow_convolution(hidden, *of_unit(gate[8], unit, units)), gate[9], unit)[0, 0, 0]
    openness = 1 / (1 + np.exp(-score))
    return feature * openness, openness


@pytest.mark.parametrize("size", [3, 6])
def test_units_are_the_slow_loop(size):
    torch.manual_seed(1)
    net = lived_in(PatchGated(7, False, replace(TINY, patch=size))).double()
    patches = torch.rand(2, 24, 7, size, size, dtype=torch.float64)
    with torch.no_grad():
        features, gates = net.patch_gates(net.patches(patches.flatten(1, 2)))
    for image, unit in np.ndindex(2, 24):
        feature, gate = slow_unit(patches[image, unit].numpy(), net, unit)
        assert np.allclose(features[image, 3 * unit : 3 * unit + 3], feature, atol=1e-10)
        assert np.isclose(gates[image, unit], gate, atol=1e-10)


def test_cut_is_the_slow_loop_with_zeros_beyond_the_map():
    torch.manual_seed(0)
    maps, corners = torch.rand(2, 3, 5, 7), torch.randint(-9, 12, (2, 24, 2))
    expected = torch.zeros(2, 24, 3, 4, 4)
    for b, k, c, y, x in np.ndindex(expected.shape):
        column, row = (corners[b, k] + torch.tensor([x, y])).tolist()
        if 0 <= column < 7 and 0 <= row < 5:
            expected[b, k, c, y, x] = maps[b, c, row, column]
    assert torch.equal(cut(maps, corners, 4), expected)
    assert torch.equal(cut(maps, corners[:1], 4)[1], cut(maps, corners[[0, 0]], 4)[1])


def test_cut_is_roi_pooling_where_a_cell_gives_a_cell():
    from torchvision.ops import roi_pool

    maps, corners = torch.rand(2, 3, 28, 28), torch.randint(0, 23, (2, 24, 2))
    boxes = [torch.cat([c, c + 5], 1).float() for c in corners]  # first and last cell
    assert torch.equal(cut(maps, corners, 6).flatten(0, 1), roi_pool(maps, boxes, 6))


def test_first_cells_by_hand():
    points = torch.tensor([[0.5, 0.5], [0.2249, 0.245], [0.0, 1.0]])
    # 112 / 8 - 3 = 11; 0.2249 * 224 = 50.4 -> 50, 50 / 8 - 3 = 3.25; 0.245 * 224 = 54.9 -> 55, 3.875; 0 - 3; 28 - 3
    assert first_cells(points, PAPER).tolist() == [[11, 11], [3, 4], [-3, 25]]
    # 24 / 4 - 1.5 = 4.5; 10.8 -> 11, 1.25; 11.8 -> 12, 1.5; -1.5; 12 - 1.5: halves go up
    assert first_cells(points, SMALL).tolist() == [[5, 5], [1, 2], [-1, 11]]


def test_mean_patches_lie_on_the_map():
    for shape in (PAPER, SMALL):
        corners = first_cells(PatchGated(7, False, replace(TINY, image_size=48)).points, shape)
        assert corners.min() >= 0 and corners.max() <= shape.image_size // shape.stride - shape.patch


def test_gates_weigh_the_features_and_lie_between_0_and_1(net):
    image = torch.randn(8, 3, 48, 48)
    features, gates = net.gated(image)
    assert ((gates > 0) & (gates < 1)).all() and features.abs().max() > 0.1
    assert (gates.std(0) > 0.01).float().mean() > 0.5  # the images differ, and so do their gates
    for units in (x for x in (net.patch_gates, getattr(net, "whole_gate", None)) if x):
        nn.init.constant_(units.gate[-3].bias, -200.0)  # shut
    shut, gates = net.gated(image)
    assert shut.abs().max() < 1e-6 and gates.max() < 1e-6


def test_every_parameter_gets_a_gradient(net):
    net(torch.rand(6, 3, 48, 48)).pow(2).sum().backward()
    norm_follows = {f"{part}.{name}.bias" for part in ("trunk", "whole")
                    for name, layer in getattr(net, part, nn.Sequential()).named_children()
                    if isinstance(layer, nn.Conv2d)}  # fmt: skip
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None and torch.isfinite(parameter.grad).all(), name
        if name not in norm_follows:  # the norm takes these biases away again
            assert parameter.grad.abs().max() > 1e-7, name


def test_every_unit_has_weights_of_its_own(net):
    units = net.patches[0].weight.detach().unflatten(0, (24, -1))
    assert len({tuple(unit.flatten().tolist()) for unit in units}) == 24
    patches = torch.rand(1, 1, 7, 3, 3).expand(1, 24, 7, 3, 3)
    answers = lived_in(net).patches(patches.flatten(1, 2))
    assert len(torch.unique(answers.view(24, -1), dim=0)) == 24


def test_occluded_cells_change_only_the_patches_that_hold_them(net):
    maps = torch.rand(1, 7, 12, 12)
    corners = first_cells(net.points[None], TINY)

    def features(maps):
        return lived_net.patch_gates(lived_net.patches(cut(maps, corners, 3).flatten(1, 2)))

    lived_net = lived_in(net)
    (before, gates_before), covered = features(maps), maps.clone()
    column, row = corners[0, 10].tolist()  # the left lip end
    covered[:, :, row : row + 3, column : column + 3] = 5
    after, gates_after = features(covered)
    changed = (gates_after != gates_before)[0] | (after != before).view(24, 3).any(1)
    assert changed.tolist() == ((corners[0] - corners[0, 10]).abs() < 3).all(1).tolist()
    assert changed.sum() < 12


@pytest.mark.parametrize(("pooled", "sight"), [((2, 3, 4), 40), ((1, 2, 4), 56), ((1, 2, 3, 4), 76)])
def test_an_occluder_changes_no_patch_that_cannot_see_it(pooled, sight):
    """A cell of conv4_2 sees ``sight`` pixels; around the middle of the cell, however it is pooled."""
    torch.manual_seed(0)
    shape = replace(TINY, image_size=224, pooled=pooled)
    net = lived_in(PatchGated(7, False, shape))
    image = torch.rand(1, 3, 224, 224)
    covered = image.clone()
    left, top, side = 150, 150, 30
    covered[:, :, top : top + side, left : left + side] = 0
    with torch.no_grad():
        changed = (net.gated(image)[0] != net.gated(covered)[0]).view(24, 3).any(1)
    first = first_cells(net.points, shape) * shape.stride + shape.stride / 2 - sight / 2  # first pixel in sight
    last = first + (shape.patch - 1) * shape.stride + sight
    seen = ((last > left) & (first < left + side)).all(1)
    assert 0 < seen.sum() < 24 and not changed[~seen].any() and changed[seen].any()


def test_points_of_each_image_move_its_patches_only(net):
    lived_in(net)
    image, points = torch.rand(2, 3, 48, 48), net.points.repeat(2, 1, 1)
    assert torch.equal(net(image, points), net(image))
    points[1] += 0.2
    moved = net(image, points)
    assert torch.equal(moved[0], net(image)[0]) and not torch.equal(moved[1], net(image)[1])


def test_images_of_a_batch_do_not_mix(net):
    image = torch.rand(4, 3, 48, 48)
    assert torch.allclose(lived_in(net)(image)[2:3], net(image[2:3]), atol=1e-5)


def test_same_seed_same_step():
    def step():
        torch.manual_seed(3)
        net = PatchGated(7, True, TINY)
        net(torch.rand(4, 3, 48, 48)).logsumexp(1).sum().backward()
        return torch.cat([p.grad.flatten() for p in net.parameters()])

    assert torch.equal(step(), step())


def test_forward_makes_no_layer(net, monkeypatch):
    def refused(*_, **__):
        raise AssertionError("a layer was made in forward")

    monkeypatch.setattr(nn.Module, "__init__", refused)
    names = {id(x) for x in (*net.modules(), *net.parameters(), *net.buffers())}
    net(torch.rand(2, 3, 48, 48))
    assert names == {id(x) for x in (*net.modules(), *net.parameters(), *net.buffers())}
