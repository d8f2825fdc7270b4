"""What a run starts from never saw the people it tests, and its record names it."""

import functools
from types import SimpleNamespace

import numpy as np
import pytest
from factories import small_faces, two_modalities
from run_factories import beside_spec, covered_spec, generated_spec, no_training, spec

from fercore import normalised, runs, training
from fercore.faces.faceset import FaceSetError
from fercore.faces.protocols import SEVEN, databases
from fercore.method import Method
from fercore.runs import RunSpec, find, get_or_train, pretrain
from fercore.stages import before, pretraining_of

PAINS = ("happiness", "pain", "surprise")


@pytest.fixture
def own_data(tmp_path, monkeypatch):
    """Prepared sets of this test's own, to be changed: who stands for whom in colour and warmth."""
    monkeypatch.setenv("FERCORE_DATA", str(tmp_path))
    small_faces(12, SEVEN, 5).save(tmp_path / "prepared" / "ckplus")
    for name in ("mmse", "mmse-eyes"):
        two_modalities(small_faces(12, PAINS, 3)).save(tmp_path / "prepared" / name)
    return tmp_path / "prepared"


def test_databases_are_those_of_any_preparation():
    assert databases("mmse-eyes+mmi") == {"mmse", "mmi"}


def test_stages_before_a_run_are_those_that_nothing_else_continues():
    assert list(before(generated_spec("IDFERM"))) == ["judge", "HNG", "multipie"]
    assert before(pretraining_of(generated_spec("IDFERM"), "HNG")) .keys() == {"HNG_vggface"}
    assert before(spec("S1R1")) == {}  # its pre-training is switched off


@pytest.mark.parametrize(("fold", "inner"), [(3, None), (0, 1)])
@pytest.mark.parametrize("stage", ["HNG", "multipie"])
def test_on_its_own_set_a_stage_leaves_out_whom_the_run_tests(stage, fold, inner):
    asked = RunSpec("idferm", "IDFERM", "multipie", "multipie4", fold, "smoke", inner=inner)
    first = pretraining_of(asked, stage)
    tested, learned = asked.divide(asked.faces()).test, first.divide(first.faces()).train
    people = asked.faces().table["subject"]
    assert not set(people[tested.rows]) & set(people[learned.rows])
    assert (pretraining_of(first, "HNG").fold, pretraining_of(first, "HNG").inner) == (fold, inner)


def test_a_set_of_the_same_people_cut_otherwise_is_no_start(monkeypatch, own_data):
    monkeypatch.setattr(runs, "fit", no_training)
    with pytest.raises(FaceSetError, match="reconstruction on ckplus/identities would show it people whom it tests"):
        pretraining_of(RunSpec("gcnet", "S1R1", "ckplus", "ckplus7", 3, "smoke", changes=(("pretraining", "ckplus"),)),
                       "reconstruction")  # fmt: skip
    with pytest.raises(FaceSetError, match="mmse-eyes has thermal images itself"):
        get_or_train(beside_spec("L_v+L_h", 0, "mmse-eyes", "own", thermal="mmse4", pretraining=""))


def test_a_generator_is_trained_and_works_on_the_runs_device(monkeypatch):
    asked = []
    monkeypatch.setattr(normalised, "pretrain", lambda spec, stage, device: asked.append((stage, device)) or 1 / 0)
    s = generated_spec("IDFERM", dataset="ckplus", per_class=2)
    with pytest.raises(ZeroDivisionError):
        s.config.streams(s, s.faces(), s.divide(s.faces()), "cuda")
    assert asked == [("HNG", "cuda")]
    method = SimpleNamespace(to=lambda device: device)
    monkeypatch.setattr(normalised, "normalised", lambda where, images: (where, len(images)))
    made = normalised.references(SimpleNamespace(method=lambda: method), s.faces(), np.arange(3), "cuda")
    assert made == ("cuda", 3)


def test_a_run_notes_what_it_started_from_and_is_stale_once_that_has_changed(own_data):
    run = get_or_train(beside_spec("Ours", 2, "ckplus", "ckplus7"))
    stage, beside = pretrain(run.spec, "thermal"), find(run.spec).about["learned_from"]
    assert [note["dataset"] for note in beside] == ["mmse", "ckplus"]  # thermal network and images, visible network
    assert beside[0]["fingerprint"] == stage.about["data"]["fingerprint"]
    assert run.stamp.endswith("started from or beside mmse (prepared)")  # its own set is named already
    assert not run.stale
    faces = two_modalities(small_faces(12, PAINS, 3))
    faces.images[0, 0, 0] += 1
    faces.save(own_data / "mmse")
    assert find(run.spec).stale and "1 of 1 runs made with other code or images" in find(run.spec).stamp


def test_a_checkpoint_of_another_start_is_not_continued(own_data, monkeypatch):
    causes, s = [], beside_spec("L_v+L_h", 2, "ckplus", "ckplus7", pretraining="")
    monkeypatch.setattr(runs, "fit", lambda *rest, cause, **names: causes.append(cause) or 1 / 0)
    for change in (0, 1):
        faces = two_modalities(small_faces(12, PAINS, 3))
        faces.images[0, 0, 0] += change
        faces.save(own_data / "mmse")
        with pytest.raises(ZeroDivisionError):
            get_or_train(s)
    assert causes[0] != causes[1]


def test_seconds_are_of_the_runs_own_steps_before_and_after_an_interruption(monkeypatch):
    clock, ordinary, save = [0.0], Method.step, training._save
    monkeypatch.setattr(training.time, "monotonic", lambda: clock[-1])
    monkeypatch.setattr(Method, "step", lambda self, batch: clock.append(clock[-1] + 1) or ordinary(self, batch))
    monkeypatch.setattr(runs, "fit", functools.partial(training.fit, seconds_between=0))
    s = covered_spec("ResNet", pretraining="own", pretraining_iterations=4, iterations=6, batch_size=512)

    def stopping(method, *rest):
        save(method, *rest)
        if method.iterations == 6 and method.iteration == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(training, "_save", stopping)
        with pytest.raises(KeyboardInterrupt):
            get_or_train(s)
    assert get_or_train(s).about["seconds"] == 6 and clock[-1] == 10


def test_images_that_take_no_part_in_classification_are_not_counted_as_classified():
    images = get_or_train(spec("S1R1")).about["images"]
    assert images["classified"] == 0.75 * images["train"] > 0  # the last three frames beside one onset
