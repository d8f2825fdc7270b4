"""A run knows whether the code it was trained with has changed since."""

import shutil

import pytest
from factories import small_faces
from run_factories import spec

from fercore import paths, provenance
from fercore.faces.protocols import SEVEN
from fercore.runs import find, get_or_train


def test_run_is_stale_once_the_training_code_has_changed(monkeypatch):
    run = get_or_train(spec())
    monkeypatch.setattr(provenance, "source_digest", lambda paper: "another")
    assert find(run.spec).stale


def test_run_is_stale_once_the_prepared_images_have_changed(tmp_path, monkeypatch):
    monkeypatch.setenv("FERCORE_DATA", str(tmp_path))
    faces = small_faces(12, SEVEN, 5)
    faces.save(tmp_path / "prepared" / "ckplus")
    run = get_or_train(spec())
    assert not run.stale and not find(run.spec).stale and "images" not in run.stamp
    faces.images[0, 0, 0] += 1
    faces.save(tmp_path / "prepared" / "ckplus")
    assert find(run.spec).stale and "other code or images than today's" in find(run.spec).stamp
    shutil.rmtree(tmp_path / "prepared")
    assert not find(run.spec).stale  # a table of finished runs needs no images


@pytest.fixture
def package_copy(tmp_path, monkeypatch):
    """A copy of the training code that a test may change."""
    place = tmp_path / "fercore"
    for name in provenance.TRAINING_CODE:
        source = paths.ROOT / "fercore" / name
        for file in [source] if source.is_file() else source.rglob("*.py"):
            target = place / file.relative_to(paths.ROOT / "fercore")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes())
    (place / "papers" / "other.py").write_text("")
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    provenance.source_digest.cache_clear()
    yield place
    provenance.source_digest.cache_clear()


@pytest.mark.parametrize(("file", "matters"), [
    ("losses/contrastive.py", True), ("networks/encoder_decoder.py", True), ("faces/augmentation.py", True),
    ("method.py", True), ("training.py", True), ("papers/gcnet.py", True), ("papers/other.py", False),
])  # fmt: skip
def test_digest_of_the_source_follows_what_training_runs_through(package_copy, file, matters):
    before = provenance.source_digest("gcnet")
    (package_copy / file).write_text((package_copy / file).read_text() + "\n# changed\n")
    provenance.source_digest.cache_clear()
    assert (provenance.source_digest("gcnet") != before) == matters
