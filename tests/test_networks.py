"""The encoder and decoder of Table 1, layer by layer, and unpooling against a slow loop."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from fercore import paths
from fercore.networks.encoder_decoder import KERNELS, Decoder, Encoder, Switch, unpool
from fercore.papers.gcnet import TIERS, VARIANTS, GCNet


@pytest.fixture(scope="module")
def printed():
    """Table 1 as printed: row label -> {kernel, filters, window}."""
    table = pd.read_csv(Path(paths.published()) / "gcnet_table1.csv")
    return table.pivot(index="method", columns="metric", values="value").astype("Int64")


@pytest.fixture(scope="module")
def net():
    return GCNet(TIERS["paper"], 7, VARIANTS["S1R1"])


@pytest.fixture(scope="module")
def passed(net):
    """Sizes and pooling windows of one image of 64 x 64 on its way through encoder and decoder."""
    sizes, windows, pooled = [], [], F.max_pool2d
    hooks = [layer.register_forward_hook(lambda m, i, o: sizes.append((i[0].shape[1:], o.shape[1:])))
             for layer in (*net.En2.layers, *net.De2i.layers)]  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(F, "max_pool2d", lambda x, k, **kw: windows.append((k, kw["stride"])) or pooled(x, k, **kw))
        code, switches = net.En2(torch.rand(2, 1, 64, 64))
    image = net.De2i(code, switches)
    for hook in hooks:
        hook.remove()
    return {"sizes": sizes, "windows": windows, "code": code, "image": image, "switches": switches}


@pytest.mark.parametrize("layer", [1, 2, 3])
def test_encoder_is_table_1(net, printed, passed, layer):
    said = printed.loc[f"Encoder layer {layer}"]
    for encoder in (net.En1, net.En2):
        convolution, norm, relu = encoder.layers[layer - 1]
        assert isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d) and isinstance(relu, nn.ReLU)
        assert convolution.kernel_size == (said["Conv kernel"],) * 2
        assert convolution.out_channels == norm.num_features == said["Conv filters"]
    assert passed["windows"][layer - 1] == (said["MaxPool window"], 2)


@pytest.mark.parametrize("layer", [1, 2, 3])
def test_decoder_is_table_1_but_for_the_order_of_its_filters(net, printed, layer):
    said = printed.loc[f"Decoder layer {layer}"]
    for decoder in (net.De1, net.De2r, net.De2i):
        convolution, norm, relu = decoder.layers[layer - 1]
        assert isinstance(convolution, nn.ConvTranspose2d)
        assert isinstance(norm, nn.BatchNorm2d) and isinstance(relu, nn.ReLU)
        assert convolution.kernel_size == (said["DeConv kernel"],) * 2
        assert convolution.out_channels == (64, 32, 1)[layer - 1]
    assert KERNELS[::-1][layer - 1] == said["MaxUnPool window"]


def test_printed_filters_are_ours_in_another_order(printed):
    said = [printed.loc[f"Decoder layer {n}", "DeConv filters"] for n in (1, 2, 3)]
    assert said == [32, 64, 1] and sorted(said) == sorted((64, 32, 1))


def test_printed_order_of_the_decoder_cannot_use_the_switches(passed):
    as_printed = torch.rand(2, 32, 16, 16)  # what a first layer of 32 filters hands to the second unpooling
    with pytest.raises(RuntimeError):
        unpool(as_printed, passed["switches"][1])  # switches of 64 channels


def test_shapes_of_every_layer_at_64_pixels(passed):
    inward = [(1, 64, 64), (32, 64, 64), (32, 32, 32), (64, 32, 32), (64, 16, 16), (96, 16, 16)]
    outward = [(96, 16, 16), (64, 16, 16), (64, 32, 32), (32, 32, 32), (32, 64, 64), (1, 64, 64)]
    flat = [tuple(size) for pair in passed["sizes"] for size in pair]
    assert flat == inward + outward
    assert passed["code"].shape == (2, 96, 8, 8)
    assert passed["image"].shape == (2, 1, 64, 64)


def test_head_has_384_features_after_dropout_of_one_half(net):
    flatten, dropout, full, relu = net.hidden
    assert isinstance(flatten, nn.Flatten) and isinstance(relu, nn.ReLU)
    assert isinstance(dropout, nn.Dropout) and dropout.p == 0.5
    assert (full.in_features, full.out_features) == (8 * 8 * 96, 384)
    assert (net.classifier.in_features, net.classifier.out_features) == (384, 7)


def test_networks_share_no_parameter(net):
    names = [name for name, _ in net.named_parameters(remove_duplicate=False)]
    assert len(names) == len({id(p) for p in net.parameters()})


@pytest.mark.parametrize("size", [16, 20, 32, 33])
def test_code_shape_is_right_at_every_size(size):
    from dataclasses import replace

    config = replace(TIERS["smoke"], image_size=size)
    code, switches = Encoder(widths=config.widths)(torch.rand(2, 1, size, size))
    assert tuple(code.shape[1:]) == config.code_shape
    assert Decoder(widths=config.widths)(code, switches).shape == (2, 1, size, size)


def slow_unpool(value, position, height, width):
    full = np.zeros((*value.shape[:2], height * width))
    for b, c in np.ndindex(value.shape[:2]):
        for y, x in np.ndindex(value.shape[2:]):
            full[b, c, position[b, c, y, x]] = value[b, c, y, x]  # in scan order: the last one stays
    return full.reshape(*value.shape[:2], height, width)


@pytest.mark.parametrize(("kernel", "size"), [(2, 8), (3, 8), (5, 8), (3, 7), (5, 9)])
def test_unpool_is_the_slow_loop(kernel, size):
    torch.manual_seed(0)
    hidden = torch.randint(6, (3, 2, size, size)).float()  # few levels: many ties
    pooled, position = F.max_pool2d(hidden, kernel, stride=2, padding=kernel // 2, return_indices=True)
    value = torch.rand_like(pooled)  # what a decoder hands over: windows that share a maximum hold different values
    shared = [len(set(p)) < len(p) for p in position.flatten(2).flatten(0, 1).tolist()]
    assert any(shared) == (kernel > 2)
    expected = slow_unpool(value.numpy(), position.numpy(), size, size)
    assert torch.equal(unpool(value, Switch(position, size, size)), torch.tensor(expected).float())


def test_last_window_in_scan_order_keeps_a_shared_place_and_alone_gets_the_gradient():
    switch = Switch(torch.tensor([[[[0, 5], [5, 5]]]]), 3, 3)
    value = torch.tensor([[[[0.1, 0.9], [0.7, 0.3]]]], requires_grad=True)
    full = unpool(value, switch)
    assert full.flatten()[5] == value[0, 0, 1, 1] and full.flatten()[0] == value[0, 0, 0, 0]
    full.sum().backward()
    assert value.grad.flatten().tolist() == [1, 0, 0, 1]


def test_unpool_undoes_pooling_at_the_maxima():
    torch.manual_seed(0)
    hidden = torch.rand(2, 3, 16, 16)
    pooled, position = F.max_pool2d(hidden, 5, stride=2, padding=2, return_indices=True)
    full = unpool(pooled, Switch(position, 16, 16))
    placed = full != 0
    assert torch.equal(full[placed], hidden[placed])  # every value is back where its maximum was
    for b, c in np.ndindex(2, 3):
        assert set(placed[b, c].flatten().nonzero().flatten().tolist()) == set(position[b, c].flatten().tolist())


def test_unpool_passes_gradcheck():
    torch.manual_seed(0)
    _, position = F.max_pool2d(torch.rand(2, 2, 6, 6), 3, stride=2, padding=1, return_indices=True)
    value = torch.rand(2, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda v: unpool(v, Switch(position, 6, 6)), value)


def test_rows_of_a_switch_decode_as_the_part_of_the_batch():
    torch.manual_seed(0)
    encoder, decoder = Encoder(widths=(3, 4, 5)).eval(), Decoder(widths=(3, 4, 5)).eval()
    code, switches = encoder(torch.rand(4, 1, 16, 16))
    part = decoder(code[1:3], [switch.rows(1, 3) for switch in switches])
    assert torch.allclose(part, decoder(code, switches)[1:3], atol=1e-6)
