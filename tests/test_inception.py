"""IDFERM's convolutions: sizes of every layer, kernels side by side, gradients."""

import pytest
import torch
from torch import nn

from fercore.networks.inception import PAPER, SMALL, Filters, InceptionBlock, InceptionNet, map_side, standardised


def sizes(net, side):
    found = []
    for layer in net.layers:
        layer.register_forward_hook(lambda m, x, o: found.append(tuple(o.shape[1:])))
    with torch.device("meta"):
        assert net(torch.zeros(2, 1, side, side)).shape == (2, net.features)
    return found


def test_sizes_of_every_layer_at_60_pixels():
    with torch.device("meta"):
        net = InceptionNet()
    assert sizes(net, 60) == [
        (64, 30, 30), (64, 15, 15), (192, 15, 15), (192, 7, 7), (256, 7, 7), (480, 7, 7), (480, 3, 3), (512, 3, 3),
        (4608,),
    ]  # fmt: skip


@pytest.mark.parametrize("side", [25, 28, 29, 32, 40, 44, 48, 56, 60, 64])
def test_the_net_knows_how_many_features_leave_it(side):
    with torch.device("meta"):
        net = InceptionNet(side, SMALL)
    assert sizes(net, side)[-1] == (net.features,) and net.features == SMALL.third.total * map_side(side) ** 2


def test_a_side_of_which_nothing_is_left_is_refused():
    with pytest.raises(ValueError, match="image_size 24 is too small.*at least 25"):
        InceptionNet(24, SMALL)


def test_a_block_has_1_by_1_3_by_3_and_5_by_5_in_parallel():
    """torchvision's own block holds 3 x 3 where it says 5 x 5."""
    filters = Filters(2, 3, 4, 5, 6, 7)
    block = InceptionBlock(8, filters, 0.1)
    kernels = {
        name: [(m.kernel_size[0], m.out_channels) for m in branch.modules() if isinstance(m, nn.Conv2d)]
        for name, branch in block.named_children()
    }
    assert kernels == {"one": [(1, 2)], "three": [(1, 3), (3, 4)], "five": [(1, 5), (5, 6)], "pooled": [(1, 7)]}
    h = torch.randn(2, 8, 6, 6)
    block.eval()
    found, start = block(h), 0
    assert found.shape == (2, filters.total, 6, 6)
    for branch in (block.one, block.three, block.five, block.pooled):
        part = branch(h)
        torch.testing.assert_close(found[:, start : start + part.shape[1]], part)
        start += part.shape[1]


def test_the_slope_is_that_of_every_leaky_relu():
    slopes = {m.negative_slope for m in InceptionNet(32, SMALL, slope=0.2).modules() if isinstance(m, nn.LeakyReLU)}
    assert slopes == {0.2}
    assert {m.negative_slope for m in InceptionNet(32, SMALL).modules() if isinstance(m, nn.LeakyReLU)} == {0.1}


def test_full_width_is_googlenets():
    assert [block.total for block in (PAPER.first, PAPER.second, PAPER.third)] == [256, 480, 512]


def test_every_parameter_gets_a_gradient_and_images_are_judged_alone_once_trained():
    torch.manual_seed(0)
    net, image = InceptionNet(32, SMALL), torch.rand(6, 1, 32, 32)
    net(image).square().sum().backward()
    assert all(p.grad is not None and (p.grad != 0).any() for p in net.parameters())
    net.eval()
    torch.testing.assert_close(net(image)[2:3], net(image[2:3]))


def test_every_image_alone_has_mean_0_and_variance_1_whatever_its_light():
    image = torch.rand(3, 1, 6, 6, dtype=torch.float64)
    found = standardised(image).flatten(1)
    torch.testing.assert_close(found.mean(1), torch.zeros(3).double())
    torch.testing.assert_close(found.square().mean(1), torch.ones(3).double())
    torch.testing.assert_close(standardised(0.3 * image + 0.2), standardised(image))
    assert standardised(torch.full((1, 1, 4, 4), 0.7)).abs().max() < 1e-3
