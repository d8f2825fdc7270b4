"""The tapped ResNet is torchvision's, layer by layer, with the feature map at the end of conv3_x in reach."""

import pytest
import torch
from torch import nn
from torchvision.models import resnet34, resnet50

from fercore.networks import resnet
from fercore.networks.resnet import MEAN, SPREAD, TappedResNet, tap_side

PUBLISHED = {"basic": resnet34, "bottleneck": resnet50}
CHANNELS = {"basic": 1, "bottleneck": 4}  # per unit of width
both = pytest.mark.parametrize("block", PUBLISHED)


@pytest.fixture(scope="module")
def theirs():
    """torchvision's networks with batch norms as after some training."""
    torch.manual_seed(0)
    nets = {block: make(weights=None).eval() for block, make in PUBLISHED.items()}
    for net in nets.values():
        for layer in net.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.running_mean.uniform_(-0.3, 0.3), layer.running_var.uniform_(0.5, 2)
                layer.weight.data.uniform_(0.3, 0.8), layer.bias.data.uniform_(-0.3, 0.3)
    return nets


def full(block, classes=1000) -> TappedResNet:
    return TappedResNet(block, (3, 4, 6, 3), classes).eval()


@both
def test_at_full_width_it_has_the_tensors_of_torchvision(theirs, block):
    with torch.device("meta"):
        own = full(block).state_dict()
    expected = theirs[block].state_dict()
    assert list(own) == list(expected)
    assert {key: (v.shape, v.dtype) for key, v in own.items()} == {k: (v.shape, v.dtype) for k, v in expected.items()}


@both
@torch.no_grad()
def test_with_the_same_weights_it_says_the_same_of_a_normalised_image(theirs, block):
    own, image = full(block), torch.rand(2, 3, 64, 64)
    own.load_state_dict(theirs[block].state_dict())
    mean, spread = torch.tensor(MEAN).view(3, 1, 1), torch.tensor(SPREAD).view(3, 1, 1)
    expected = theirs[block]((image - mean) / spread)
    torch.testing.assert_close(own(image), expected, rtol=1e-5, atol=1e-5)
    assert expected.std() > 0.01 and not torch.allclose(own(image), theirs[block](image), rtol=1e-2)


@both
@torch.no_grad()
def test_the_tap_is_torchvisions_map_behind_layer2(theirs, block):
    own, image, seen = full(block), torch.rand(1, 3, 48, 48), []
    own.load_state_dict(theirs[block].state_dict())
    hook = theirs[block].layer2.register_forward_hook(lambda m, i, o: seen.append(o))
    theirs[block]((image - own.mean) / own.spread)
    hook.remove()
    torch.testing.assert_close(own.tap(image), seen[0], rtol=1e-5, atol=1e-5)
    assert own.tap(image).shape[1] == own.tap_channels == 128 * CHANNELS[block]


SIDES = {224: (56, 28, 14, 7), 144: (36, 18, 9, 5), 88: (22, 11, 6, 3), 48: (12, 6, 3, 2)}  # conv2_x to conv5_x


@pytest.mark.parametrize("size", SIDES)
def test_sizes_of_the_maps_are_those_of_the_paper(size):
    sides = {}
    with torch.device("meta"):  # sizes without numbers
        net, image = full("bottleneck", 7), torch.zeros(2, 3, size, size)
    for i in range(1, 5):
        net.get_submodule(f"layer{i}").register_forward_hook(lambda m, x, o, i=i: sides.update({i: tuple(o.shape)}))
    h = net.tap(image)
    assert h.shape == (2, 512, SIDES[size][1], SIDES[size][1]) and tap_side(size) == SIDES[size][1]
    assert net.pooled(h).shape == (2, 2048) and net(image).shape == (2, 7)
    assert list(sides.values()) == [(2, 256 * 2**i, side, side) for i, side in enumerate(SIDES[size])]


@both
def test_published_weights_go_into_every_layer_but_the_last(theirs, block, monkeypatch):
    asked = []
    monkeypatch.setattr(resnet, "published", lambda w: asked.append(str(w)) or theirs[block].state_dict())
    net = full(block, 7)
    last = net.fc.weight.clone()
    net.load_published()
    assert asked == [{"basic": "ResNet34_Weights.IMAGENET1K_V1", "bottleneck": "ResNet50_Weights.IMAGENET1K_V1"}[block]]
    for name, value in net.state_dict().items():
        assert name.startswith("fc.") or torch.equal(value, theirs[block].state_dict()[name]), name
    assert torch.equal(net.fc.weight, last) and net.fc.weight.shape[0] == 7


@pytest.mark.parametrize(("depth", "width"), [((3, 4, 6, 3), 32), ((1, 1, 1, 1), 64)])
def test_a_network_without_published_weights_says_what_to_choose(depth, width):
    with pytest.raises(ValueError, match="ResNet-34 and ResNet-50.*weights = 'random'"):
        TappedResNet("basic", depth, 7, width).load_published()


@both
def test_every_parameter_gets_a_gradient_and_every_width_and_depth_fits(block):
    net = TappedResNet(block, (1, 2, 1, 1), 5, width=8)
    net(torch.rand(4, 3, 32, 32)).square().sum().backward()
    assert all(p.grad is not None and (p.grad != 0).any() for p in net.parameters())
    assert net.tap_channels == 16 * CHANNELS[block] and net.fc.in_features == 64 * CHANNELS[block]
