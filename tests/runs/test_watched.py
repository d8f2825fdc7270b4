"""Watched trainings: they train as the unwatched run does, keep what was said after every epoch, and mix no sides."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from run_factories import count_steps, files_of, no_training, spec

from fercore import watched
from fercore.faces.protocols import PROTOCOLS, divide
from fercore.runs import RunError, get_or_train
from fercore.watched import find, folder_of, get_or_watch

INNER = replace(spec(iterations=9, dropout=0.5), inner=2)  # three epochs or so
LEAKY = replace(INNER, protocol="ckplus7leaky")


@pytest.fixture(scope="module")
def store(data, tmp_path_factory):
    """Results in which INNER is finished."""
    place = tmp_path_factory.mktemp("watched")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FERCORE_RESULTS", str(place))
        get_or_watch(INNER)
    return place


@pytest.fixture
def looked(store, monkeypatch):
    """INNER, watched before."""
    monkeypatch.setenv("FERCORE_RESULTS", str(store))
    return find(INNER)


def last(seen: pd.DataFrame, side: str) -> pd.DataFrame:
    own = seen[(seen["side"] == side) & (seen["epoch"] == seen["epoch"].max())]
    return own.drop(columns=["epoch", "side", "seed"]).reset_index(drop=True)


def test_it_trains_as_the_unwatched_run_and_ends_with_the_same_scores(looked):
    plain = get_or_train(INNER)
    assert looked.about["epochs"] == len(plain.history) > 1
    pd.testing.assert_frame_equal(last(looked.predictions, "inner"), plain.predictions)
    kept = pd.read_csv(folder_of(INNER) / "history.csv")
    pd.testing.assert_frame_equal(kept, plain.history, check_exact=True)


def test_every_epoch_is_kept_and_epochs_differ(looked):
    seen, images = looked.predictions, looked.about["images"]
    for side in watched.SIDES:
        by_epoch = [own.filter(like="p_").to_numpy() for _, own in seen[seen["side"] == side].groupby("epoch")]
        assert {len(scores) for scores in by_epoch} == {images[side]} and len(by_epoch) == looked.about["epochs"]
        assert not any(np.array_equal(one, next_one) for one, next_one in zip(by_epoch, by_epoch[1:], strict=False))


def test_test_inner_and_training_people_are_three_groups(looked):
    people = looked.predictions.groupby("side")["subject"].agg(set)
    faces = INNER.faces()
    fold = divide(faces, PROTOCOLS["ckplus7"], 0)
    learned = set(faces.table.loc[INNER.divide(faces).train.rows, "subject"])
    assert people["test"] == set(faces.table.loc[fold.test.rows, "subject"])
    assert learned and not people["inner"] & people["test"] and not learned & (people["inner"] | people["test"])


def test_of_folds_of_images_no_image_but_people_are_on_several_sides(monkeypatch):
    learned, fit = [], watched.fit
    monkeypatch.setattr(watched, "fit", lambda m, seen, *a, **k: learned.append(seen) or fit(m, seen, *a, **k))
    looked = get_or_watch(LEAKY)
    rows = looked.predictions.groupby("side")["row"].agg(set)
    own = set(learned[0].rows["image"].tolist())
    faces, leaky = LEAKY.faces(), PROTOCOLS["ckplus7leaky"]
    assert rows["test"] == set(divide(faces, leaky, 0).test.rows)
    assert rows["inner"] == set(divide(faces, leaky, 3).test.rows)  # two after the next
    assert not own & (rows["test"] | rows["inner"])
    assert own | rows["inner"] == set(divide(faces, leaky, 0).train.rows)
    assert set(faces.table.loc[sorted(own), "subject"]) & set(faces.table.loc[sorted(rows["test"]), "subject"])


def test_finished_means_never_again(looked, monkeypatch):
    monkeypatch.setattr(watched, "fit", no_training)
    assert get_or_watch(INNER).about == looked.about
    assert not looked.stale


def test_interrupted_it_leaves_nothing_and_starts_anew_with_the_same_bits(looked, results, monkeypatch):
    whole = looked.predictions
    monkeypatch.setenv("FERCORE_RESULTS", str(results / "elsewhere"))
    ordinary, calls = watched.predictions, []

    def killed(*args):
        calls.append(args)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return ordinary(*args)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(watched, "predictions", killed)
        get_or_watch(INNER)
    assert find(INNER) is None and not files_of(results / "elsewhere")
    steps = count_steps(monkeypatch)
    pd.testing.assert_frame_equal(get_or_watch(INNER).predictions, whole, check_exact=True)
    assert steps == list(range(9))


def test_a_page_can_trace_it(looked, tmp_path, monkeypatch):
    monkeypatch.setenv("FERCORE_TRACE", str(tmp_path / "notes"))
    find(INNER)
    assert (tmp_path / "notes").read_text().split() == [f"gcnet/ckplus-prepared-smoke/{folder_of(INNER).name}"]


def test_it_is_stale_when_the_code_that_watches_changed(looked, monkeypatch):
    monkeypatch.setattr(watched, "_watched_by", lambda: "another")
    assert looked.stale


@pytest.mark.parametrize(("wanted", "message"), [
    (replace(INNER, inner=None), "needs an inner fold.*inner=0"),
    (replace(LEAKY, inner=9), "inner fold 9 is out of range; valid: 0..8"),
    (replace(INNER, inner=10), "10 is out of range; valid: 0..9"),
])  # fmt: skip
def test_without_a_fold_to_choose_by_it_is_refused_before_training(monkeypatch, wanted, message):
    monkeypatch.setattr(watched, "fit", no_training)
    with pytest.raises(ValueError, match=message):
        get_or_watch(wanted)


def test_a_full_disk_is_told(monkeypatch):
    def full(*args, **kwargs):
        raise OSError("no space left")

    monkeypatch.setattr(watched, "write_json", full)
    with pytest.raises(RunError, match="no space left; make room"):
        get_or_watch(INNER)
    assert find(INNER) is None
