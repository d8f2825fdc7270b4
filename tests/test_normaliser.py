"""The networks that make a face frontal and neutral: sizes, range, gradients, what is refused."""

import pytest
import torch
from torch import nn

from fercore.networks.normaliser import FaceDecoder, FaceDiscriminator, FaceEncoder, last_side

NARROW = (4, 6, 8)


def maps(net, given):
    found = []
    for layer in net.layers:
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            layer.register_forward_hook(lambda m, x, o: found.append(tuple(o.shape[1:])))
    with torch.device("meta"):
        net(torch.zeros(2, *given))
    return found


def test_sizes_of_every_layer_at_64_pixels():
    with torch.device("meta"):
        encoder, decoder, critic = FaceEncoder(), FaceDecoder(), FaceDiscriminator()
    down = [(64, 32, 32), (128, 16, 16), (256, 8, 8), (512, 4, 4)]
    assert maps(encoder, (1, 64, 64)) == [*down, (256,)]
    assert maps(critic, (1, 64, 64)) == [*down, (1,)]
    assert maps(decoder, (256,)) == [(512 * 4 * 4,), (256, 8, 8), (128, 16, 16), (64, 32, 32), (1, 64, 64)]


@pytest.mark.parametrize("side", [32, 48])
def test_narrow_networks_bring_a_face_to_its_code_and_back(side):
    torch.manual_seed(0)
    encoder, decoder = FaceEncoder(side, NARROW, code=5), FaceDecoder(side, NARROW, code=5)
    image = torch.rand(3, 1, side, side)
    z = encoder(image)
    assert z.shape == (3, 5)
    made = decoder(z)
    assert made.shape == image.shape and made.min() >= 0 and made.max() <= 1
    assert FaceDiscriminator(side, NARROW)(made).shape == (3,)


def test_the_discriminator_says_a_logit_of_each_image_alone():
    torch.manual_seed(0)
    critic, image = FaceDiscriminator(32, NARROW), torch.rand(4, 1, 32, 32)
    nn.init.constant_(critic.layers[-1].bias, -5.0)
    judged = critic(image)
    assert (judged < -3).all()  # no probability yet
    torch.testing.assert_close(critic(image[2:3]), judged[2:3])
    assert not torch.equal(judged[0], judged[1])


@pytest.mark.parametrize("net", [FaceEncoder, FaceDecoder, FaceDiscriminator])
def test_a_side_that_cannot_be_halved_is_refused(net):
    with pytest.raises(ValueError, match="image_size 60 cannot be halved 3 times.*multiple of 8"):
        net(60, NARROW)
    with pytest.raises(ValueError, match="cannot be halved"):
        last_side(0, NARROW)


@pytest.mark.parametrize("kind", [FaceEncoder, FaceDecoder, FaceDiscriminator])
def test_slope_and_gradients(kind):
    torch.manual_seed(0)
    net = kind(32, NARROW)
    assert {m.negative_slope for m in net.modules() if isinstance(m, nn.LeakyReLU)} == {0.1}
    given = torch.randn(4, 256) if kind is FaceDecoder else torch.rand(4, 1, 32, 32)
    weights = torch.randn_like(net(given))
    (net(given) * weights).sum().backward()
    assert all(p.grad is not None and (p.grad != 0).any() for p in net.parameters())
