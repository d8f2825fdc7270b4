"""What stands on a feature map in Occluded: the critic of five layers and the decoder of three."""

import pytest
import torch
from torch import nn

from fercore.networks.deconvolution import DeconvolutionalDecoder
from fercore.networks.discriminator import Discriminator

SIDES = {28: (14, 7, 4, 2), 11: (11, 6, 3, 2), 6: (6, 6, 3, 2), 2: (2, 2, 2, 2)}  # behind the first four layers


@pytest.mark.parametrize("side", SIDES)
def test_the_critic_comes_down_to_one_logit_in_five_layers(side):
    with torch.device("meta"):
        critic, h = Discriminator(512, side), torch.zeros(3, 512, side, side)
    convolutions = [layer for layer in critic.layers if isinstance(layer, nn.Conv2d)]
    shapes = []
    for layer in convolutions:
        layer.register_forward_hook(lambda m, x, o: shapes.append(tuple(o.shape[1:])))
    assert critic(h).shape == (3,)
    assert shapes == [(c, s, s) for c, s in zip((256, 128, 64, 32), SIDES[side], strict=True)] + [(1, 1, 1)]


def test_the_critic_says_a_logit_of_each_map_alone():
    torch.manual_seed(0)
    critic, h = Discriminator(16, 6), torch.randn(4, 16, 6, 6)
    nn.init.constant_(critic.layers[-1].bias, -5.0)
    judged = critic(h)
    assert (judged < -3).all()  # no probability yet
    torch.testing.assert_close(critic(h[2:3]), judged[2:3])
    assert not torch.equal(judged[0], judged[1])


@pytest.mark.parametrize("side", [0, 1])
def test_a_map_too_small_to_judge_is_refused(side):
    with pytest.raises(ValueError, match=f"{side} x {side} is too small.*larger images"):
        Discriminator(16, side)


@pytest.mark.parametrize(("side", "size"), [(28, 224), (11, 88), (6, 48)])
def test_the_decoder_makes_the_image_in_three_doublings(side, size):
    with torch.device("meta"):
        decoder, h, sides = DeconvolutionalDecoder(512), torch.zeros(2, 512, side, side), []
    layers = [layer for layer in decoder.layers if isinstance(layer, nn.ConvTranspose2d)]
    for layer in layers:
        layer.register_forward_hook(lambda m, x, o: sides.append(o.shape[-1]))
    assert decoder(h).shape == (2, 3, size, size) and sides == [2 * side, 4 * side, 8 * side]
    assert [layer.out_channels for layer in layers] == [256, 64, 3]


def test_the_decoder_stays_in_the_range_of_an_image():
    torch.manual_seed(0)
    decoder = DeconvolutionalDecoder(16)
    decoder.layers[-1].weight.data.mul_(50)
    image = decoder(torch.randn(2, 16, 3, 3))
    assert 0 <= image.min() < 0.01 and 0.99 < image.max() <= 1


@pytest.mark.parametrize("net", [Discriminator(16, 6), DeconvolutionalDecoder(16)], ids=["critic", "decoder"])
def test_every_parameter_gets_a_gradient(net):
    torch.manual_seed(0)
    net(torch.randn(3, 16, 6, 6)).square().sum().backward()
    assert all(p.grad is not None and (p.grad != 0).any() for p in net.parameters())
