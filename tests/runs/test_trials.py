"""Trials: what a finished run says of other images or other covers, tested once and kept beside it."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from factories import small_faces
from run_factories import covered_spec

from fercore import trials
from fercore.faces.examples import Examples
from fercore.faces.faceset import FaceSetError
from fercore.faces.occlusion import Cover
from fercore.faces.protocols import PROTOCOLS, SIX, classified
from fercore.predictions import predictions
from fercore.runs import RunError, get_or_train
from fercore.trials import Trial


@pytest.fixture
def run():
    return get_or_train(covered_spec("sim", fold=2))


@pytest.fixture(scope="module")
def fedro(data):
    """Another database, prepared: 5 people who are not those of "ckplus"."""
    faces = small_faces(5, SIX, 2, size=33)
    faces.save(data / "prepared" / "fedro")
    return faces


def kept(run) -> list:
    return sorted(run.spec.folder.glob("trial-*.parquet"))


def fresh(run, cover):
    faces, division = run.faces(), run.division()
    examples = Examples(faces, division.test, 32, channels=3, cover=cover)
    return predictions(run.method(), faces, division.test, division.classes, examples).assign(fold=run.spec.fold)


@pytest.mark.parametrize("kinds", [(), ("R16",), ("food", "hands", "drinks"), ("mouth",)], ids=str)
def test_a_stored_trial_is_what_the_run_says_of_these_images(run, kinds):
    trial = Trial("covered", occlusions=kinds)
    told = trial.predictions(run)
    pd.testing.assert_frame_equal(told, fresh(run, Cover(kinds, "covered") if kinds else None), check_exact=True)
    assert told["row"].tolist() == run.predictions["row"].tolist() and (told["fold"] == 2).all()
    assert not told.equals(run.predictions)  # which are of other covers


def test_a_trial_is_tested_once_and_read_afterwards(run, monkeypatch):
    trial = Trial("R16", occlusions=("R16",))
    told = trial.predictions(run)
    monkeypatch.setattr(trials, "predictions", lambda *a: pytest.fail("tested again"))
    pd.testing.assert_frame_equal(trial.predictions(run), told, check_exact=True)
    assert len(kept(run)) == 1


def test_another_definition_is_another_trial(run):
    defined = [
        Trial("a", occlusions=("R16",)), Trial("a", occlusions=("R24",)), Trial("b", occlusions=("R16",)), Trial("a"),
        Trial("a", occlusions=("R16", "R24")),
    ]  # fmt: skip
    told = [trial.predictions(run) for trial in defined]
    assert len(kept(run)) == len(defined)
    for i, one in enumerate(told):
        for other in told[i + 1 :]:
            assert not one.equals(other)
    assert all(trial.predictions(run).equals(one) for trial, one in zip(defined, told, strict=True))


def test_covers_are_the_same_for_every_row_seed_and_fold(run, monkeypatch):
    seen, trial = [], Trial("hands", occlusions=("hands",))
    ordinary = trials.Examples

    def watched(faces, part, *args):
        examples = ordinary(faces, part, *args)
        seen.append({row: image for row, image in zip(part.rows, next(iter(examples.in_order())).image, strict=True)})
        return examples

    monkeypatch.setattr(trials, "Examples", watched)
    for other in (run, get_or_train(covered_spec("ResNet", fold=2)), get_or_train(covered_spec("PG-CNN", 2, seed=3))):
        trial.predictions(other)
    assert len(seen) == 3 and seen[0].keys() == seen[1].keys() == seen[2].keys()
    assert all((seen[0][row] == one[row]).all() for one in seen[1:] for row in one)


def test_another_database_is_tested_whole_on_its_own_images(run, fedro):
    trial = Trial("fedro", protocol="fedro7")
    told = trial.predictions(run)
    classes, part = classified(fedro, PROTOCOLS["fedro7"])
    examples = Examples(fedro, part, 32, channels=3)
    expected = predictions(run.method(), fedro, part, classes, examples).assign(fold=2)
    pd.testing.assert_frame_equal(told, expected, check_exact=True)
    assert len(told) == len(fedro) == 60 and set(told["label"]) == {"neutral", *SIX}
    covered = dataclasses.replace(trial, occlusions=("eyes",)).predictions(run)
    assert not covered.equals(told) and len(kept(run)) == 2


def test_a_trial_of_another_database_that_changed_is_tested_anew(run, fedro, data):
    trial = Trial("fedro", protocol="fedro7")
    before = trial.predictions(run)
    changed = dataclasses.replace(fedro, images=255 - np.asarray(fedro.images))
    changed.save(data / "prepared" / "fedro")
    try:
        after = trial.predictions(run)
    finally:
        fedro.save(data / "prepared" / "fedro")
    assert not after.equals(before) and len(kept(run)) == 2
    assert trial.predictions(run).equals(before)


@pytest.mark.parametrize("protocol", ["ckplus7", "ckplus8"])
def test_a_database_of_other_classes_is_refused_with_both(run, protocol):
    with pytest.raises(RunError, match=f"knows the classes .*'neutral', 'anger'.*not those of {protocol}"):
        Trial("other", protocol=protocol).predictions(run)
    assert not kept(run)


def test_a_database_that_is_not_there_is_refused_with_the_way_to_it(run):
    with pytest.raises(FaceSetError, match="dataset rafdb is not prepared"):
        Trial("rafdb", protocol="rafdb7").predictions(run)
    assert not kept(run)


def test_an_unknown_kind_of_cover_is_refused_and_leaves_nothing(run):
    with pytest.raises(ValueError, match=r"no occlusion \['fog'\]"):
        Trial("fog", occlusions=("fog",)).predictions(run)
    assert not kept(run) and not list(run.spec.folder.glob(".trial*"))


def test_images_that_changed_since_the_run_are_not_tried(run, data):
    faces = small_faces(12, (*SIX, "contempt"), 5)
    original = data / "prepared" / "ckplus"
    original.rename(data / "aside")
    try:
        faces.save(original)
        with pytest.raises(RunError, match="changed since"):
            Trial("R16", occlusions=("R16",)).predictions(run)
    finally:
        for file in original.iterdir():
            file.unlink()
        original.rmdir()
        (data / "aside").rename(original)
