"""IDFERM through the run store: chains of stages, what they hand over and share, and what cannot be run."""

import functools
import hashlib
import re

import numpy as np
import pytest
import torch
from factories import same_bits, small_faces, snapshot
from run_factories import files_of, generated_spec, no_training, weights
from safetensors.torch import save_file

from fercore import normalised, paths, runs, training
from fercore.faces.faceset import FaceSet, FaceSetError
from fercore.method import Method
from fercore.networks.identity import VGGFace
from fercore.runs import ChangeError, find, get_or_train, pretrain
from fercore.stages import pretraining_of
from fercore.train import main

LABELS = ("disgust", "happiness", "surprise")


def rare(faces):
    """Of one class all images but one bear another label."""
    seen = faces.table["label"] == "surprise"
    seen &= ~((faces.table["subject"] == "S003") & (faces.table["frame"] == 2))
    faces.table.loc[seen & (faces.table["subject"] != "S000"), "label"] = "happiness"
    return faces


def lonely(faces):
    faces.table["reference"] = faces.table["reference"].where(faces.table["subject"] != "S005", -1)
    return faces


@pytest.fixture(scope="module", autouse=True)
def drawn(data):
    """Three more prepared sets of 32 pixels: all is there, one person lacks neutral faces, one class is rare."""
    for name, change in (("emotions", lambda faces: faces), ("missing", lonely), ("rare", rare)):
        change(small_faces(12, LABELS, 4, size=32)).save(data / "prepared" / name)


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch):
    """Every other database is the prepared set "emotions"; tells what stands in for one."""
    stand_in = {}

    def open_faces(dataset, *rest):
        name = dataset if (paths.data() / "prepared" / dataset).is_dir() else stand_in.get(dataset, "emotions")
        return FaceSet.open(paths.data() / "prepared" / name)

    monkeypatch.setattr(runs, "open_faces", open_faces)
    return stand_in


@pytest.fixture
def trainings(monkeypatch):
    """Of every training in turn: its title, the examples it sees, its networks at the start."""
    begun, ordinary = [], training.fit

    def fit(method, examples, *args, title="", **kwargs):
        begun.append((title, examples, {name: snapshot(network) for name, network in method.named_children()}))
        return ordinary(method, examples, *args, title=title, **kwargs)

    monkeypatch.setattr(runs, "fit", fit)
    return begun


@pytest.fixture
def untrained(monkeypatch):
    monkeypatch.setattr(runs, "fit", no_training)


def end_of(stage, name):
    return snapshot(stage.method().get_submodule(name))


def test_stages_come_in_order_and_hand_their_networks_over(trainings):
    run = get_or_train(generated_spec("IDFERM"))
    assert [title.split(",")[0] for title, *_ in trainings] == [
        "identity on casia_webface/identities", "HNG_vggface on vggface/own", "HNG on multipie/multipie4",
        "IDFERM on multipie/multipie4", "IDFERM on emotions/own",
    ]  # fmt: skip
    stages = {name: pretrain(run.spec, name) for name in ("identity", "HNG_vggface", "HNG", "multipie")}
    assert len(trainings) == 5  # nothing is trained again
    starts = [start for *_, start in trainings]
    for name in ("Enc", "Dec", "Dis", "stand_in"):
        assert same_bits(starts[2][name], end_of(stages["HNG_vggface"], name)), name
        assert same_bits(end_of(stages["HNG"], name), starts[2][name]) == (name == "stand_in"), name
    assert same_bits(starts[1]["stand_in"], end_of(stages["identity"], "stand_in"))
    for name in ("trunk", "head", "H", "classifier"):
        same = same_bits(starts[4][name], end_of(stages["multipie"], name))
        assert same == (name != "classifier"), name
    examples, faces = trainings[4][1], run.faces()
    images = torch.tensor(faces.images[examples.rows["image"]])[:, None].float() / 255
    generator = stages["HNG"].method()
    with torch.no_grad():
        expected = 255 * generator.Dec(generator.Enc(images))[:, 0]
    np.testing.assert_allclose(examples.references, expected, atol=0.51)
    assert set(examples.label.tolist()) == {0, 1, 2, 3} and not set(run.about["test_subjects"]) & set(
        faces.table["subject"].iloc[examples.rows["image"]]
    )
    assert find(stages["HNG"].spec) and "RML" in run.history and len(run.predictions) > 0


def test_a_row_that_needs_no_generated_face_trains_no_generator(trainings):
    get_or_train(generated_spec("softmax"))
    assert [title.split(",")[0] for title, *_ in trainings] == ["softmax on multipie/multipie4",
                                                                "softmax on emotions/own"]  # fmt: skip
    get_or_train(generated_spec("IDFERM", reference="true", pretraining=""))
    assert len(trainings) == 3 and trainings[2][1].references is None


RADIAL = [{"lambda_RML": 0.5}, {"slope": 0.3}, {"margin": 2.0}, {"momentum": 0.5}, {"crops": "any"}, {"per_class": 3},
          {"pretraining": ""}, {"centres": "ema"}, {"iterations": 9}]  # fmt: skip


@pytest.mark.parametrize("change", RADIAL, ids=str)
def test_a_generator_is_the_same_whatever_radial_row_asks_for_it(change):
    for stage in ("identity", "judge", "HNG_vggface", "HNG"):
        asked = pretraining_of(generated_spec("IDFERM"), stage).folder
        assert pretraining_of(generated_spec("augmented", 3, **change), stage).folder == asked, stage
        within = pretraining_of(generated_spec("IDFERM"), "multipie")
        assert pretraining_of(within, stage).folder == asked


def test_stages_differ_where_they_should():
    def folders(stage, variant="IDFERM", **changes):
        return pretraining_of(generated_spec(variant, **changes), stage).folder

    for stage in ("HNG", "HNG_vggface"):
        assert len({folders(stage, **c) for c in ({}, {"w1": 0.5}, {"code": 9}, {"hng_iterations": 9})}) == 4
    for stage in ("identity", "judge"):
        assert folders(stage, w1=0.5, hng_iterations=9, symmetry="laplacian") == folders(stage)
        assert folders(stage, identity_iterations=9) != folders(stage)
    row, other = folders("multipie"), folders("multipie", "softmax")
    assert len({row, other, folders("multipie", lambda_RML=0.5), folders("multipie", pretraining_rate=0.5)}) == 4
    assert folders("multipie", iterations=9, base_rate=0.5, per_class=4) == row


def interrupted(monkeypatch, make, part):
    """``make()`` raises before its sixth iteration; again, it goes on from its checkpoint."""
    ordinary, done = Method.step, []

    def step(self, batch):
        if hasattr(self, part) and self.iteration == 5 and not done:
            raise InterruptedError
        done.append(self.iteration) if done else None
        return ordinary(self, batch)

    with monkeypatch.context() as patch:
        patch.setattr(runs, "fit", functools.partial(training.fit, seconds_between=0))
        patch.setattr(Method, "step", step)
        with pytest.raises((InterruptedError, runs.RunError)):
            make()
        done.append(-1)
        run = make()
    assert done[1:] == [4, 5]
    return run


@pytest.mark.parametrize("stage", ["HNG", "IDFERM"])
def test_interrupted_stages_and_rows_end_with_the_same_bits(stage, monkeypatch, tmp_path):
    spec = generated_spec("IDFERM", batch_size=48, per_class=15, hng_iterations=6, iterations=6, centres="ema",
                          pretraining="")  # fmt: skip

    def make():
        return pretrain(spec, "HNG") if stage == "HNG" else get_or_train(spec)

    def prepared():
        pretrain(spec, "HNG_vggface" if stage == "HNG" else "HNG")

    prepared()
    run = interrupted(monkeypatch, make, "Enc" if stage == "HNG" else "trunk")
    bits = weights(run)
    monkeypatch.setenv("FERCORE_RESULTS", str(tmp_path / "again"))
    prepared()
    assert same_bits(weights(make()), bits) and ("C" in bits) == (stage == "IDFERM")


@pytest.mark.parametrize("variant", ["softmax", "IDFERM", "2B(N+M)"])
def test_a_class_of_one_training_image_is_refused_by_name(variant, untrained, results):
    with pytest.raises(FaceSetError, match=r"classes \['surprise'\] have fewer than 2 images to train on"):
        get_or_train(generated_spec(variant, dataset="rare", pretraining=""))
    assert not files_of(results)


def test_people_without_a_neutral_face_are_refused_where_one_is_needed(untrained, results, elsewhere):
    elsewhere["multipie"] = "missing"
    asked = [generated_spec("IDFERM", dataset="missing", reference="true"), generated_spec("IDFERM")]
    for spec in asked:
        with pytest.raises(FaceSetError, match="need a neutral face of every person"):
            get_or_train(spec)
    assert not files_of(results)


@pytest.mark.parametrize("fold", [0, 5])  # who lacks neutral faces is trained on, or tested
def test_generated_references_need_no_neutral_face_of_anybody(fold):
    run = get_or_train(generated_spec("IDFERM", fold, "missing", pretraining=""))
    assert ("S005" in run.about["test_subjects"]) == (fold == 5)


@pytest.fixture
def supplied(data):
    """The folder of the reader's weights, emptied afterwards."""
    folder = data / "weights"
    folder.mkdir()
    yield folder
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()


def written(state, file) -> str:
    save_file(state, file)
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.parametrize(("case", "message"), {
    "missing": "vgg_face.safetensors is missing: put the weights of VGGFace there",
    "hash": "vgg_face.safetensors: its SHA-256 is .*; abab",
    "shape": "vgg_face.safetensors does not fit VGGFace: it needs a tensor conv1_1.weight",
    "second": "light_cnn.safetensors is missing: put the weights of LightCNN there",
}.items())  # fmt: skip
def test_published_weights_that_are_not_to_be_had_are_told_in_one_line(
    case, message, supplied, untrained, results, capsys
):
    state = VGGFace((1, 1, 1, 1, 1) if case == "shape" else (64, 128, 256, 512, 512)).state_dict()
    digest = "" if case == "missing" else written(state, supplied / "vgg_face.safetensors")
    changes = f'{{"weights": "published", "vgg_face_sha256": "{"ab" * 32 if case == "hash" else digest}"}}'
    words = "idferm emotions --protocol own --tier smoke --source prepared --variants IDFERM --changes".split()
    assert main([*words, changes]) == 1
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith("Error: ") and re.search(message, told), told
    assert not files_of(results)


def test_changes_that_cannot_be_are_told_with_the_run(untrained):
    for change, message in (({"image_size": 24}, "at least 25"), ({"per_class": 1}, "at least 2"),
                            ({"centres": "mean"}, "valid: batch, ema")):  # fmt: skip
        with pytest.raises(ChangeError, match=message):
            get_or_train(generated_spec("IDFERM", pretraining="", **change))


def test_images_are_made_frontal_in_parts_and_none_is_none(monkeypatch):
    spec = generated_spec("IDFERM")
    net, images = normalised.generator(spec).method(), spec.faces().images[:7]
    whole = normalised.normalised(net, images)
    monkeypatch.setattr(normalised, "AT_ONCE", 3)
    assert np.abs(normalised.normalised(net, images).astype(int) - whole).max() <= 1
    assert whole.shape == images.shape and whole.dtype == np.uint8
    assert normalised.normalised(net, images[:0]).shape == (0, 32, 32)
