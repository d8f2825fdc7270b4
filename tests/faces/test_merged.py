"""Several face sets as one: nobody is mixed up with anybody."""

from dataclasses import replace

import numpy as np
import pytest
from factories import THREE, small_faces

from fercore.faces.faceset import FaceSet, FaceSetError, merged
from fercore.faces.folds import fold_of
from fercore.faces.protocols import WILD, Protocol, divide
from fercore.faces.sources import open_faces

SPLIT = Protocol("split", "", ("neutral", *THREE), "all", official=True)


@pytest.fixture
def sets():
    """Two sets whose subjects bear the same names."""
    first, second = small_faces(3, size=17), small_faces(2, frames=4, size=17)
    first.table["split"] = ["train" if s != "S002" else "test" for s in first.table["subject"]]
    second.table["split"] = "train"
    second.table.loc[5, "reference"] = -1
    return [replace(first, name="one", fingerprint="1"), replace(second, name="two", fingerprint="2")]


def test_images_and_rows_follow_each_other(sets):
    both = merged(sets)
    assert len(both) == sum(map(len, sets)) == len(both.images)
    assert np.array_equal(both.images, np.concatenate([s.images for s in sets]))
    assert both.name == "one+two" and both.source == "open" and both.table.index.tolist() == list(range(len(both)))
    for start, one in ((0, sets[0]), (len(sets[0]), sets[1])):
        rows = both.table.iloc[start : start + len(one)]
        for column in ("sequence", "frame", "label", "intensity", "modality", "split"):
            assert rows[column].tolist() == one.table[column].tolist()


def test_references_still_show_the_same_person(sets):
    both, offset = merged(sets), len(sets[0])
    second = both.table["reference"].to_numpy()[offset:]
    assert second[5] == -1 and (np.delete(second, 5) >= offset).all()
    there = np.flatnonzero(both.table["reference"] >= 0)
    subject, reference = both.table["subject"].to_numpy(), both.table["reference"].to_numpy()
    assert (subject[there] == subject[reference[there]]).all()
    for row in there:
        one, own = (sets[0], row) if row < offset else (sets[1], row - offset)
        assert np.array_equal(both.images[reference[row]], one.images[one.table["reference"][own]])


def test_people_of_different_sets_are_different_people(sets):
    subjects = set(merged(sets).table["subject"])
    assert subjects == {"one/S000", "one/S001", "one/S002", "two/S000", "two/S001"}


def test_folds_of_the_sets_are_cut_anew(sets):
    sets[0].table["fold"] = 3
    both = merged(sets)
    assert "fold" not in both.table and fold_of(both.table).nunique() == 5
    assert "fold" in sets[0].table  # the sets themselves stay as they are
    assert sets[0].table["subject"].iloc[0] == "S000" and sets[1].table["reference"].iloc[0] == 0


def test_the_official_division_trains_on_both_and_tests_on_the_test_images(sets):
    both = merged(sets)
    division = divide(both, SPLIT, 0)
    assert set(both.table["subject"].iloc[division.test.rows]) == {"one/S002"}
    assert set(both.table["subject"].iloc[division.train.rows]) == {"one/S000", "one/S001", "two/S000", "two/S001"}


def test_a_merged_set_can_be_saved_and_opened(sets, tmp_path):
    both, opened = merged(sets), merged(sets).save(tmp_path / "both")
    assert np.array_equal(opened.images, both.images) and opened.credit == both.credit
    assert opened.table["reference"].tolist() == both.table["reference"].tolist()


def test_its_fingerprint_and_credit_are_those_of_all_sets(sets):
    sets = [replace(one, credit=f"credit of {one.name}") for one in sets]
    prints = {merged(sets).fingerprint, merged(sets[::-1]).fingerprint, merged(sets[:1]).fingerprint}
    prints.add(merged([sets[0], replace(sets[1], fingerprint="3")]).fingerprint)
    assert len(prints) == 4 and merged(sets).fingerprint in prints
    assert merged(sets).credit == "credit of one; credit of two"


def test_gray_and_colour_or_drawn_and_real_are_refused_by_name(sets):
    coloured = replace(sets[1], images=np.repeat(sets[1].images[..., None], 3, -1))
    for other in (coloured, replace(sets[1], source="twin"), replace(sets[1], images=sets[1].images[:, 1:, 1:])):
        with pytest.raises(FaceSetError, match="one, two cannot be one set"):
            merged([sets[0], other])


def test_names_joined_by_a_plus_are_opened_as_one_set(sets, tmp_path, monkeypatch):
    monkeypatch.setenv("FERCORE_DATA", str(tmp_path))
    for one in sets:
        one.save(tmp_path / "prepared" / one.name)
    both = open_faces("one+two", "prepared", 17)
    assert np.array_equal(both.images, merged(sets).images)
    with pytest.raises(FaceSetError, match="dataset three is not prepared"):
        open_faces("one+three", "prepared", 16)


@pytest.mark.parametrize(("dataset", "subjects", "drawn"), [
    ("fedro", 399, [399]), ("fedro", 400, [None]), ("fedro", 6000, [None]), ("fedro", None, [None]),
    ("ckplus", 42, [42]), ("ckplus", 6000, [None]), ("fedro+sfew", 1000, [None, 1000]),
])  # fmt: skip
def test_a_twin_has_as_many_people_as_are_asked_for_or_all_there_are(monkeypatch, dataset, subjects, drawn):
    asked = []

    def twin(name, size, subjects=None, colour=False):
        asked.append((name, size, subjects, colour))
        faces = small_faces(1)
        return FaceSet(name, faces.images, faces.table, "twin", "drawn")

    monkeypatch.setattr("fercore.twins.datasets.twin", twin)
    open_faces(dataset, "twin", 48, subjects, True)
    assert asked == [(name, 48, n, True) for name, n in zip(dataset.split("+"), drawn, strict=True)]
    assert set(WILD) >= {"neutral", *THREE}
