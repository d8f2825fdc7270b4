"""The two face recognisers that IDFERM measures images by, and their weights from a file of the reader's."""

import hashlib
import os

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torchvision.models import vgg16

from fercore.losses.perceptual import identity
from fercore.networks.identity import MEAN, IdentityNet, LightCNN, VGGFace, max_feature_map
from fercore.networks.weights import WeightsError, load_supplied


def small_vgg() -> VGGFace:
    return VGGFace((3, 4, 5, 6, 6))


def sha256(file) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def saved(state, file):
    (save_file if file.suffix == ".safetensors" else torch.save)(state, file)
    return file


def test_vgg_face_is_vgg_16_up_to_conv3_1():
    torch.manual_seed(0)
    ours, theirs = VGGFace(), vgg16(weights=None).features[:12]
    named = list(ours.state_dict().values())
    assert [p.shape for p in named] == [p.shape for p in theirs.state_dict().values()]
    theirs.load_state_dict(dict(zip(theirs.state_dict(), named, strict=True)))
    image = torch.rand(1, 3, 32, 32)
    expected = theirs(255 * image - torch.tensor(MEAN)[:, None, None])
    torch.testing.assert_close(ours(image), expected)
    assert expected.shape == (1, 256, 8, 8)


def test_a_gray_image_is_seen_as_three_equal_colours():
    torch.manual_seed(0)
    net, image = small_vgg(), torch.rand(2, 1, 16, 16)
    torch.testing.assert_close(net(image), net(torch.cat([image] * 3, 1)))
    assert net(image).shape == (2, 5, 4, 4)


def test_tensors_bear_the_names_of_the_published_models():
    with torch.device("meta"):
        vgg, light = VGGFace(), LightCNN()
    layers = ["conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1"]
    assert list(vgg.state_dict()) == [f"{layer}.{part}" for layer in layers for part in ("weight", "bias")]
    shapes = {name: tuple(p.shape) for name, p in light.state_dict().items() if name.endswith("weight")}
    assert shapes == {
        "conv1.weight": (96, 1, 9, 9),
        "conv2.weight": (192, 48, 5, 5),
        "conv3.weight": (256, 96, 5, 5),
        "conv4.weight": (384, 128, 4, 4),
        "fc1.weight": (512, 4800),
    }


def test_the_light_cnn_gives_its_last_two_layers():
    with torch.device("meta"):
        pooled, code = LightCNN()(torch.zeros(2, 1, 128, 128))
    assert pooled.shape == (2, 192, 5, 5) and code.shape == (2, 256)


def test_max_feature_map_is_the_larger_of_a_pair_of_channels():
    h = np.random.default_rng(0).normal(size=(2, 6, 3))
    expected = [[np.maximum(image[c], image[c + 3]) for c in range(3)] for image in h]
    np.testing.assert_array_equal(max_feature_map(torch.tensor(h)), expected)


def test_a_small_image_is_brought_to_the_size_the_light_cnn_knows():
    torch.manual_seed(0)
    net = LightCNN(64, (2, 3, 4, 5), code=6)
    exact, smaller = net(torch.rand(2, 1, 64, 64)), net(torch.rand(2, 1, 32, 32))
    assert [h.shape for h in exact] == [h.shape for h in smaller] == [(2, 5, 1, 1), (2, 6)]
    even = torch.full((1, 1, 64, 64), 0.5)
    assert identity(net(even), net(even[..., :32, :32])).item() == pytest.approx(0, abs=1e-5)


def test_an_image_that_is_used_up_is_refused():
    LightCNN(57, (2, 3, 4, 5), code=6)(torch.rand(1, 1, 57, 57))
    with pytest.raises(ValueError, match="image_size 56 is used up by conv4.*57 or more"):
        LightCNN(56, (2, 3, 4, 5))


def networks():
    torch.manual_seed(0)
    return [small_vgg(), LightCNN(64, (2, 3, 4, 5), code=6)]


@pytest.mark.parametrize("which", [0, 1])
def test_every_parameter_and_the_image_get_a_gradient(which):
    net, image = networks()[which], torch.rand(3, 1, 64, 64, requires_grad=True)
    out = net(image)
    (out[1] if isinstance(out, list) else out).square().sum().backward()
    assert all(p.grad is not None and (p.grad != 0).any() for p in (image, *net.parameters()))


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("which", [0, 1])
def test_weights_are_taken_from_the_right_file(tmp_path, which, suffix):
    net, state = networks()[which], networks()[which].state_dict()
    changed = {name: tensor + 1 for name, tensor in state.items()} | {"fc8.weight": torch.zeros(2, 2)}
    file = saved(changed, tmp_path / f"net{suffix}")
    load_supplied(net, file, sha256(file).upper())
    assert all(torch.equal(tensor, state[name] + 1) for name, tensor in net.state_dict().items())


def refused(net, file, digest, match):
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    with pytest.raises(WeightsError, match=match) as raised:
        load_supplied(net, file, digest)
    assert file.name in str(raised.value)
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
    return str(raised.value)


def test_a_missing_file_is_named_with_the_network_and_the_other_choice(tmp_path):
    said = refused(small_vgg(), tmp_path / "vgg_face.pth", "0" * 64, "is missing: put the weights of VGGFace there")
    assert "other `weights`" in said


def test_a_file_with_another_hash_is_refused_and_without_a_hash_its_own_is_told(tmp_path):
    net = small_vgg()
    file = saved(net.state_dict(), tmp_path / "net.pth")
    refused(net, file, "ab" * 32, f"its SHA-256 is {sha256(file)}; abab.* was expected; replace it")
    refused(net, file, "", f"its SHA-256 is {sha256(file)}; compare it with its source, then state it")
    refused(net, file, sha256(file)[:8], "was expected")  # a beginning does not do


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda s: s.pop("conv2_1.bias"), r"needs a tensor conv2_1.bias of \(4,\), the file has none"),
        (lambda s: s.update({"conv1_1.weight": torch.zeros(3, 3, 5, 5)}), r"of \(3, 3, 3, 3\), .* of \(3, 3, 5, 5\)"),
        (lambda s: s.update({"conv1_1.bias": torch.zeros(3, dtype=torch.int64)}), "the file has a torch.int64"),
    ],
)
def test_a_file_whose_tensors_differ_is_refused(tmp_path, change, match):
    net = small_vgg()
    state = dict(net.state_dict())
    change(state)
    file = saved(state, tmp_path / "net.safetensors")
    refused(net, file, sha256(file), match)


class Code:
    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return os.mkdir, (str(self.file),)


def test_code_in_a_file_is_never_run(tmp_path):
    net = small_vgg()
    content = dict(net.state_dict()) | {"conv1_1.weight": Code(tmp_path / "was run")}
    file = saved(content, tmp_path / "net.pth")
    refused(net, file, sha256(file), "cannot be read as tensors alone")
    assert not (tmp_path / "was run").exists()


@pytest.mark.parametrize("name", ["net.pth", "net.safetensors"])
@pytest.mark.parametrize("content", [b"", b"no weights at all", b"\x80\x02."])
def test_a_file_of_anything_else_is_refused(tmp_path, name, content):
    file = tmp_path / name
    file.write_bytes(content)
    refused(small_vgg(), file, sha256(file), "cannot be read as tensors alone")


def test_half_a_file_and_a_bare_tensor_are_refused(tmp_path):
    net = small_vgg()
    for suffix in (".pth", ".safetensors"):
        file = saved(net.state_dict(), tmp_path / f"net{suffix}")
        file.write_bytes(file.read_bytes()[:-100])
        refused(net, file, sha256(file), "cannot be read as tensors alone")
    bare = tmp_path / "bare.pth"
    torch.save(torch.zeros(2), bare)
    refused(net, bare, sha256(bare), "holds a Tensor, not tensors by name")


@pytest.mark.parametrize("side", [16, 32, 48, 50])
def test_the_stand_in_has_maps_of_a_quarter_and_of_a_sixteenth_and_a_code(side):
    net, image = IdentityNet(side, code=7), torch.rand(2, 1, side, side)
    maps, code = net.psi(image)
    assert net.phi(image).shape == (2, 32, side // 4, side // 4)
    assert maps.shape == (2, 64, side // 16, side // 16) and code.shape == (2, 7)


def test_the_distance_is_of_codes_of_length_1():
    net = IdentityNet(16).eval()
    one, other = torch.rand(2, 5, 1, 16, 16)
    codes = [net.psi(image)[1].detach().double().numpy() for image in (one, other)]
    codes = [code / np.linalg.norm(code, axis=1, keepdims=True) for code in codes]
    found = net.distance(one, other)
    np.testing.assert_allclose(found.detach(), np.linalg.norm(codes[0] - codes[1], axis=1), rtol=1e-3)
    assert (net.distance(one, one) == 0).all() and (found > 0).all() and (found <= 2).all()
    net.psi = lambda image: [None, image.flatten(1)]
    assert net.distance(one, -one).tolist() == pytest.approx([2] * 5)


def test_an_image_too_small_for_the_stand_in_is_refused():
    with pytest.raises(ValueError, match="image_size 15 is too small: .*16 or more"):
        IdentityNet(15)
