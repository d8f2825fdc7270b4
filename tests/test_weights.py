"""Published weights: whole, the right ones, tensors only; without a network the message says which file goes where."""

import hashlib
import io
import os
from urllib.error import URLError

import pytest
import torch
from torchvision.models import ResNet50_Weights
from torchvision.models._api import Weights, WeightsEnum

from fercore.networks.weights import WeightsError, published


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Where torch keeps weights, empty at first; there is no network."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))

    def unreachable(request, *args, **kwargs):
        raise URLError("no network")

    monkeypatch.setattr(torch.hub, "urlopen", unreachable)
    place = tmp_path / "hub" / "checkpoints"
    place.mkdir(parents=True)
    return place


def saved(content) -> bytes:
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


def named(content: bytes) -> WeightsEnum:
    """Weights whose file must have this content."""
    url = f"https://example.org/net-{hashlib.sha256(content).hexdigest()[:8]}.pth"

    class Published(WeightsEnum):
        FIRST = Weights(url=url, transforms=lambda: None, meta={})

    return Published.FIRST


def file_of(weights, folder):
    return folder / weights.url.rsplit("/", 1)[1]


STATE = {"layer.weight": torch.arange(6.0).view(2, 3)}


def test_without_a_network_the_message_names_the_file_its_folder_and_the_other_choice(folder):
    with pytest.raises(WeightsError) as raised:
        published(ResNet50_Weights.IMAGENET1K_V1)
    for said in ("resnet50-0676ba61.pth", str(folder), "no network", "weights = 'random'"):
        assert said in str(raised.value)
    assert not list(folder.iterdir())


def test_the_right_file_is_read_without_a_network(folder):
    weights = named(saved(STATE))
    file_of(weights, folder).write_bytes(saved(STATE))
    state = published(weights)
    assert state.keys() == STATE.keys() and torch.equal(state["layer.weight"], STATE["layer.weight"])


def test_a_file_with_another_content_is_refused_and_named(folder):
    weights = named(saved(STATE))
    file = file_of(weights, folder)
    file.write_bytes(saved({"layer.weight": torch.zeros(2, 3)}))
    with pytest.raises(WeightsError, match=f"{file} is not the file of .*SHA-256 does not begin with"):
        published(weights)


def test_half_a_file_is_refused(folder):
    weights = named(saved(STATE))
    file_of(weights, folder).write_bytes(saved(STATE)[:-100])
    with pytest.raises(WeightsError, match="replace it"):
        published(weights)


class Code:
    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return os.mkdir, (str(self.file),)


def test_code_in_a_file_is_never_run(folder, tmp_path):
    content = saved({"layer.weight": Code(tmp_path / "was run")})
    weights = named(content)  # even where the hash is right
    file_of(weights, folder).write_bytes(content)
    with pytest.raises(WeightsError, match=file_of(weights, folder).name):
        published(weights)
    assert not (tmp_path / "was run").exists()


class Answer(io.BytesIO):
    """What a server sends."""

    headers = {"Content-Length": "0"}

    def info(self):
        return self

    def get_all(self, name):
        return None

    def getheaders(self, name):
        return []


@pytest.mark.parametrize("damaged", [False, True])
def test_a_download_is_kept_only_if_it_is_the_right_file(folder, monkeypatch, damaged):
    content = saved(STATE)
    weights = named(content)
    monkeypatch.setattr(torch.hub, "urlopen", lambda *a, **k: Answer(content[:-1] if damaged else content))
    if damaged:
        with pytest.raises(WeightsError, match="invalid hash"):
            published(weights)
        assert not list(folder.iterdir())
    else:
        assert torch.equal(published(weights)["layer.weight"], STATE["layer.weight"])
        assert file_of(weights, folder).read_bytes() == content
