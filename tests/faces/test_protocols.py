"""Which frames are trained on and tested, into which classes; no image of a test subject is ever trained on."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from factories import face_table, gratings, small_faces

from fercore.faces.faceset import FaceSet, FaceSetError
from fercore.faces.folds import fold_of
from fercore.faces.protocols import PROTOCOLS, SEVEN, SIX, Part, Protocol, divide, protocol_of, protocols_for

FRAMES = 7
LEAKY = [name for name, protocol in PROTOCOLS.items() if protocol.apart == "images"]
EXPRESSIONS = [n for n, p in PROTOCOLS.items() if n not in ("identities", *LEAKY) and not p.official]
OF_ONE_OUT = ["laughter_posed", "laughter_speech"]
every_protocol = pytest.mark.parametrize("name", EXPRESSIONS)


@pytest.fixture(scope="module")
def faces():
    """12 subjects, seven expressions."""
    return shuffled(12, SEVEN)


@pytest.fixture(scope="module")
def laughs():
    """22 subjects who laugh, pretend to, and speak."""
    return shuffled(22, ("laughter", "posed_laughter", "speech"))


@pytest.fixture(scope="module")
def pains():
    """12 subjects with the four classes of MMSE."""
    return shuffled(12, ("happiness", "pain", "surprise"))


@pytest.fixture
def suited(name, faces, laughs, pains):
    """Faces with the classes of protocol ``name``."""
    return laughs if name in OF_ONE_OUT else pains if name == "mmse4" else faces


def shuffled(subjects, labels):
    """Rows in random order: the order of a manifest must not matter."""
    table = face_table(subjects, labels, FRAMES)
    order = np.random.default_rng(0).permutation(len(table))
    place = np.argsort(order)
    table["reference"] = place[table["reference"]]
    table = table.iloc[order].reset_index(drop=True)
    return FaceSet("drawn", gratings(table, 8), table, "open", "")


def frames_of(faces, part) -> list[set[int]]:
    rows = faces.table.iloc[part.rows]
    return [set(frames) for _, frames in rows.groupby(["subject", "sequence"])["frame"]]


@every_protocol
def test_no_subject_stands_on_both_sides_and_every_fold_is_tested_once(suited, name):
    subject, tested, folds = suited.table["subject"], [], PROTOCOLS[name].folds
    for fold in range(folds):
        division = divide(suited, PROTOCOLS[name], fold)
        train, test, early = (set(subject.iloc[p.rows]) for p in (division.train, division.test, division.early))
        assert not train & (test | early) and early <= test
        assert train | test == set(subject)
        assert test == set(subject[fold_of(suited.table, folds) == fold])
        tested += division.test.rows.tolist()
    assert len(tested) == len(set(tested))


@pytest.mark.parametrize("name", LEAKY)
def test_leaky_folds_share_people_but_no_image_and_test_every_image_once(faces, name):
    honest, subject, tested = PROTOCOLS[name.removesuffix("leaky")], faces.table["subject"], []
    for fold in range(10):
        division = divide(faces, PROTOCOLS[name], fold)
        train, test = division.train.rows, division.test.rows
        assert not set(train) & set(test) and set(subject.iloc[train]) >= set(subject.iloc[test])
        assert len(train.tolist()) + len(test) == len(faces.table[faces.table["frame"].isin([0, 4, 5, 6])]) - \
            (len(honest.classes) == 6) * 12 * 3  # contempt's frames serve nobody on six classes
        tested += test.tolist()
    assert sorted(tested) == sorted(row for k in range(10) for row in divide(faces, honest, k).test.rows)
    assert len(tested) == len(set(tested))


def test_leaky_folds_do_not_follow_the_order_of_the_manifest():
    table = face_table(12, SIX, FRAMES)
    faces, frames = FaceSet("drawn", gratings(table, 8), table, "open", ""), []
    for one in (faces, shuffled(12, SIX)):
        rows = divide(one, PROTOCOLS["oulu6leaky"], 3).test.rows
        frames.append(set(one.table.loc[rows, ["subject", "sequence", "frame"]].itertuples(index=False, name=None)))
    assert frames[0] == frames[1]


def test_leaky_folds_have_no_inner_ones(faces):
    with pytest.raises(ValueError, match="no inner folds"):
        divide(faces, PROTOCOLS["ckplus7leaky"], 0, inner=0)


@every_protocol
def test_targets_are_the_places_of_the_labels(suited, name):
    division = divide(suited, PROTOCOLS[name], 1)
    for part in (division.train, division.test, division.early):
        for label, target in zip(suited.table["label"].iloc[part.rows], part.target, strict=True):
            assert division.classes.index(label) == target if target >= 0 else label not in division.classes
    assert (division.test.target >= 0).all() and (division.early.target >= 0).all()


@pytest.mark.parametrize(("name", "frames"), [
    ("ckplus7", {4, 5, 6}), ("ckplus8", {0, 4, 5, 6}), ("oulu6", {4, 5, 6}), ("mmi6", {2, 3, 4}),
    ("own", set(range(7))),
])  # fmt: skip
def test_frames_that_are_tested(faces, name, frames):
    division = divide(faces, PROTOCOLS[name], 0)
    found = frames_of(faces, division.test)
    sequences = 2 * (7 if name in ("ckplus7", "ckplus8", "own") else 6)  # subjects S000 and S010
    assert found == [frames] * sequences


@pytest.mark.parametrize(
    ("length", "last", "middle"), [(3, {1, 2}, {1, 2}), (4, {1, 2, 3}, {1, 2, 3}), (8, {5, 6, 7}, {3, 4, 5})]
)
def test_short_and_even_sequences(length, last, middle):
    faces = small_faces(1, SIX, length)
    for name, frames in (("oulu6", last), ("mmi6", middle)):
        assert frames_of(faces, divide(faces, PROTOCOLS[name], 0).test) == [frames] * 6  # the onset is no expression


def test_onset_frames_are_a_class_of_their_own_in_ckplus8(faces):
    division = divide(faces, PROTOCOLS["ckplus8"], 0)
    assert division.classes[0] == "neutral"
    for part in (division.train, division.test):
        onset = faces.table["frame"].to_numpy()[part.rows] == 0
        assert (part.target[onset] == 0).all() and (part.target[~onset] > 0).all() and onset.any()


@pytest.mark.parametrize("name", ["ckplus7", "mmi6", "oulu6"])
def test_onset_frames_serve_training_only_without_a_label(faces, name):
    division = divide(faces, PROTOCOLS[name], 0)
    onset = faces.table["frame"].to_numpy()[division.train.rows] == 0
    assert onset.sum() == 10 * 7 and (division.train.target[onset] == -1).all()
    assert (division.train.target[~onset] >= 0).all()


def test_onset_frames_without_their_own_reference_take_no_part():
    faces = small_faces(12, SIX, 5)
    faces.table["reference"] = faces.table.groupby("subject")["reference"].transform("min")  # one per person
    rows = divide(faces, PROTOCOLS["oulu6"], 0).train.rows
    onset = faces.table.iloc[rows].query("frame == 0")
    assert len(onset) == 10 and (onset["reference"] == onset.index).all()


@pytest.mark.parametrize(("name", "frames"), [("ckplus7", {1, 2, 3}), ("ckplus8", {1, 2, 3}), ("mmi6", {1, 5, 6})])
def test_early_frames_are_the_other_expressive_frames_of_the_test_subjects(faces, name, frames):
    division = divide(faces, PROTOCOLS[name], 3)
    assert set.union(*frames_of(faces, division.early)) == frames
    assert not set(division.early.rows) & set(division.test.rows)


def test_a_frame_that_is_still_neutral_is_no_early_expression():
    faces = small_faces(10, SEVEN, FRAMES)
    faces.table.loc[faces.table["frame"] == 1, "label"] = "neutral"
    division = divide(faces, PROTOCOLS["ckplus8"], 3)
    assert set.union(*frames_of(faces, division.early)) == {2, 3}


def test_own_protocol_takes_every_image_and_the_classes_of_the_set(faces):
    division = divide(faces, PROTOCOLS["own"], 0)
    assert division.classes == tuple(faces.classes) == ("neutral", *SEVEN)
    assert len(division.train.rows) + len(division.test.rows) == len(faces)
    assert len(division.early.rows) == 0


def test_identities_hold_out_a_tenth_of_every_subject_and_never_test_on_a_training_image(faces):
    division = divide(faces, PROTOCOLS["identities"], 0)
    assert not set(division.train.rows) & set(division.test.rows)
    assert len(division.train.rows) + len(division.test.rows) == len(faces)
    assert division.classes == tuple(sorted(set(faces.table["subject"])))
    for part, per_subject in ((division.train, 45), (division.test, 4)):  # 49 images each
        assert np.bincount(part.target).tolist() == [per_subject] * 12
        assert [division.classes[t] for t in part.target] == faces.table["subject"].iloc[part.rows].tolist()


@pytest.mark.parametrize("fold", [-1, 10])
def test_fold_out_of_range_is_refused_with_the_valid_ones(faces, fold):
    with pytest.raises(ValueError, match=rf"fold {fold} is out of range; valid: 0\.\.9"):
        divide(faces, PROTOCOLS["ckplus7"], fold)


@pytest.mark.parametrize("name", OF_ONE_OUT)
def test_laughter_leaves_one_of_22_people_out_at_a_time(laughs, name):
    subject, left_out = laughs.table["subject"], []
    for fold in range(22):
        division = divide(laughs, PROTOCOLS[name], fold)
        (person,) = set(subject.iloc[division.test.rows])
        assert set(subject.iloc[division.train.rows]) == set(subject) - {person}
        left_out.append(person)
    assert sorted(left_out) == sorted(set(subject))
    with pytest.raises(ValueError, match=r"fold 22 is out of range; valid: 0\.\.21"):
        divide(laughs, PROTOCOLS[name], 22)


def test_classes_of_laughter_have_the_positive_one_last(laughs):
    kinds = {name: divide(laughs, PROTOCOLS[name], 21).classes for name in OF_ONE_OUT}
    assert kinds == {"laughter_posed": ("laughter", "posed_laughter"), "laughter_speech": ("laughter", "speech")}
    assert divide(laughs, PROTOCOLS["laughter_speech"], 3).test.labelled.target.tolist().count(1) == FRAMES - 1


def test_too_few_people_for_a_fold_are_told_with_the_number_of_folds(faces):
    few = shuffled(12, ("laughter", "posed_laughter"))
    with pytest.raises(FaceSetError, match="no visible image to test in fold 12 .*too few people for 22 folds"):
        divide(few, PROTOCOLS["laughter_posed"], 12)
    with pytest.raises(FaceSetError, match="drawn has no thermal image to test in fold 0 of protocol own"):
        divide(faces, replace(PROTOCOLS["own"], modality="thermal"), 0)


def test_mmse4_takes_every_image_of_four_classes(pains):
    division = divide(pains, PROTOCOLS["mmse4"], 0)
    assert division.classes == ("neutral", "happiness", "surprise", "pain")
    assert len(division.train) + len(division.test) == len(pains) and (division.train.target >= 0).all()


def test_a_part_knows_its_length_and_what_takes_part():
    part = Part(np.array([7, 3, 5, 9]), np.array([1, -1, 0, -1]))
    assert len(part) == 4 and part.labelled.rows.tolist() == [7, 5] and part.labelled.target.tolist() == [1, 0]
    kept = part.only(np.array([False, True, False, True]))
    assert kept.rows.tolist() == [3, 9] and len(kept.labelled) == 0


def test_class_without_any_image_is_refused_by_name():
    with pytest.raises(FaceSetError, match=r"gratings has no image of \['contempt'.*ckplus7"):
        divide(small_faces(labels=SIX), PROTOCOLS["ckplus7"], 0)


def test_label_that_no_dataset_has_is_refused_where_the_classes_are_a_papers():
    faces = small_faces(labels=SEVEN)
    faces.table.loc[faces.table["subject"] == "S001", "label"] = "hapiness"
    with pytest.raises(FaceSetError, match=r"gratings: .*labels \['hapiness'\].*valid: neutral, anger"):
        divide(faces, PROTOCOLS["ckplus7"], 0)
    assert "hapiness" in divide(faces, PROTOCOLS["own"], 0).classes  # of a set of one's own every label is a class


def test_dividing_is_deterministic(faces):
    one, again = (divide(faces, PROTOCOLS["mmi6"], 2) for _ in range(2))
    assert one.train.rows.tolist() == again.train.rows.tolist() == sorted(one.train.rows)


def test_protocols_of_a_dataset_start_with_the_papers():
    assert protocols_for("ckplus", "gcnet") == ["ckplus7", "ckplus8", "ckplus7leaky", "ckplus636", "own", "identities"]
    assert protocols_for("ckplus", "occluded")[0] == "ckplus636" == protocol_of("ckplus", paper="occluded").name
    assert protocol_of("ckplus", "ckplus8", "occluded").name == "ckplus8"
    assert protocols_for("london") == ["own", "identities"]
    assert not Protocol("x", "", SIX).neutral_is_class and PROTOCOLS["ckplus8"].neutral_is_class


@pytest.mark.parametrize("name", ["ckplus7", "ckplus8"])
def test_inner_division_never_shows_a_person_of_the_outer_fold(faces, name):
    outside = set(faces.table["subject"][fold_of(faces.table) == 2])
    tested = []
    for k in range(10):
        division = divide(faces, PROTOCOLS[name], 2, inner=k)
        train, test = (set(faces.table["subject"].iloc[part.rows]) for part in (division.train, division.test))
        assert not train & test and not (train | test) & outside
        assert not set(faces.table["subject"].iloc[division.early.rows]) - test
        tested += sorted(test)
    assert sorted(tested) == sorted(set(faces.table["subject"]) - outside)


@pytest.mark.parametrize("inner", [-1, 10])
def test_inner_fold_out_of_range_is_refused_with_the_valid_ones(faces, inner):
    with pytest.raises(ValueError, match=rf"fold {inner} is out of range; valid: 0..9"):
        divide(faces, PROTOCOLS["ckplus7"], 0, inner=inner)


def test_only_the_protocols_modality_takes_part():
    table = face_table(20, SEVEN, 5)
    both = pd.concat([table, table.assign(modality="thermal")], ignore_index=True)
    both.loc[len(table) :, "reference"] += len(table)
    faces = FaceSet("both", np.zeros((len(both), 17, 17), np.uint8), both, "open", "drawn by the tests; no person")
    alone = FaceSet("one", faces.images[: len(table)], table, "open", "drawn by the tests; no person")
    for protocol, shift in ((PROTOCOLS["ckplus7"], 0), (replace(PROTOCOLS["ckplus7"], modality="thermal"), len(table))):
        division, expected = divide(faces, protocol, 1), divide(alone, PROTOCOLS["ckplus7"], 1)
        for side in ("train", "test", "early"):
            assert np.array_equal(getattr(division, side).rows, getattr(expected, side).rows + shift)


def test_identities_have_no_inner_folds(faces):
    with pytest.raises(ValueError, match="no inner ones"):
        divide(faces, PROTOCOLS["identities"], 0, inner=0)


def official(split):
    table = face_table(40, SIX, 1).assign(split=split, reference=-1)
    table["label"] = [SIX[i % 6] if i % 7 else "neutral" for i in range(len(table))]
    return FaceSet("wild", np.zeros((len(table), 17, 17), np.uint8), table, "open", "drawn by the tests; no person")


def test_the_official_division_is_the_only_fold():
    faces = official(["train" if i % 3 else "test" for i in range(240)])
    division = divide(faces, PROTOCOLS["rafdb7"], 0)
    assert set(faces.table["split"].iloc[division.train.rows]) == {"train"} and len(division.train.rows) == 160
    assert set(faces.table["split"].iloc[division.test.rows]) == {"test"} and len(division.test.rows) == 80
    with pytest.raises(FaceSetError, match="fold 0, not 3"):
        divide(faces, PROTOCOLS["rafdb7"], 3)


def test_where_three_splits_are_published_the_middle_one_stays_out():
    faces = official([("train", "val", "test")[i % 3] for i in range(240)])
    division = divide(faces, PROTOCOLS["fer7"], 0)
    assert set(faces.table["split"].iloc[division.train.rows]) == {"train"}
    assert set(faces.table["split"].iloc[division.test.rows]) == {"test"}


def test_a_set_with_another_crop_keeps_its_protocols():
    assert protocols_for("ckplus-idferm") == protocols_for("ckplus") != protocols_for("unknown")


def test_inner_folds_of_an_official_division_cut_its_training_people():
    faces = official(["train" if i < 180 else "test" for i in range(240)])
    division = divide(faces, PROTOCOLS["rafdb7"], 0, inner=1)
    people = [set(faces.table["subject"].iloc[part.rows]) for part in (division.train, division.test)]
    assert not people[0] & people[1]
    assert set(faces.table["split"].iloc[[*division.train.rows, *division.test.rows]]) == {"train"}
