"""The protocols of Occluded on the casts of the twins: the paper's numbers of images, and nobody on both sides."""

import numpy as np
import pandas as pd
import pytest
from factories import face_table, small_faces

from fercore.faces.faceset import FaceSet, FaceSetError, merged
from fercore.faces.folds import fold_of
from fercore.faces.protocols import PROTOCOLS, SIX, WILD, classified, divide
from fercore.twins import cast, cast_wild

RAFDB = {"train": 12271, "test": 3068}  # Sec. 5.1
CKPLUS = {"neutral": 327, "anger": 45, "disgust": 59, "fear": 25, "happiness": 69, "sadness": 28, "surprise": 83}


def undrawn(name: str, takes: list[cast.Take], course: tuple[float, ...]) -> FaceSet:
    """The manifest of a twin, as filming writes it, with images of one pixel."""
    rows = []
    for take in takes:
        onset = len(rows)
        for i, intensity in enumerate(course):
            label = "neutral" if intensity == 0 else take.label
            reference = onset if len(course) > 1 else -1
            rows.append((take.subject, take.sequence, i + 1, label, intensity, "visible", reference, take.split))
    columns = ["subject", "sequence", "frame", "label", "intensity", "modality", "reference", "split"]
    table = pd.DataFrame(rows, columns=columns)
    return FaceSet(name, np.zeros((len(table), 1, 1), np.uint8), table, "twin", "nothing drawn", name)


@pytest.fixture(scope="module")
def ckplus():
    return undrawn("ckplus", cast.ckplus_cast(), cast.ONSET_TO_APEX)


@pytest.fixture(scope="module")
def wild():
    """RAF-DB and AffectNet as one set."""
    sets = [("rafdb", cast_wild.rafdb_cast()), ("affectnet", cast_wild.affectnet_cast())]
    return merged([undrawn(name, takes, cast.SINGLE) for name, takes in sets])


def labels(faces, part, classes):
    assert [classes[t] for t in part.target] == faces.table["label"].iloc[part.rows].tolist()
    return faces.table["label"].iloc[part.rows].value_counts().to_dict()


def test_ckplus636_is_327_onsets_and_309_apexes_each_tested_once(ckplus):
    tested, apex = [], cast.ONSET_TO_APEX[-1]
    for fold in range(10):
        division = divide(ckplus, PROTOCOLS["ckplus636"], fold)
        people = [set(ckplus.table["subject"].iloc[part.rows]) for part in (division.train, division.test)]
        assert not people[0] & people[1] and len(division.train.rows) + len(division.test.rows) == 636
        assert (division.train.target >= 0).all()
        assert people[1] <= set(ckplus.table["subject"][fold_of(ckplus.table) == fold])
        tested += division.test.rows.tolist()
    assert division.classes == WILD and len(tested) == len(set(tested)) == 636
    shown = ckplus.table.iloc[sorted(tested)]
    assert shown["label"].value_counts().to_dict() == CKPLUS
    assert set(shown["intensity"][shown["label"] != "neutral"]) == {apex}
    assert set(shown["frame"][shown["label"] == "neutral"]) == {1}
    assert sum(CKPLUS.values()) == 636 and 636 - CKPLUS["neutral"] == 309


def test_every_classified_image_of_ckplus636_is_what_its_folds_test(ckplus):
    classes, part = classified(ckplus, PROTOCOLS["ckplus636"])
    folds = [divide(ckplus, PROTOCOLS["ckplus636"], fold).test for fold in range(10)]
    assert classes == WILD and part.rows.tolist() == sorted(np.concatenate([f.rows for f in folds]))
    assert labels(ckplus, part, classes) == CKPLUS


def test_a_sequence_of_one_image_is_classified_once():
    table = face_table(12, SIX, 1).assign(reference=-1)
    table["label"] = [SIX[i % 6] for i in range(len(table))]
    faces = FaceSet("single", np.zeros((len(table), 1, 1), np.uint8), table, "open", "")
    assert len(classified(faces, PROTOCOLS["ckplus636"])[1].rows) == len(table)


def test_both_training_sets_are_trained_on_and_the_test_set_of_rafdb_tested(wild):
    division = divide(wild, PROTOCOLS["rafdb7+affectnet7"], 0)
    people = wild.table["subject"].str.split("/").str[0].to_numpy()
    train = pd.Series(people[division.train.rows]).value_counts().to_dict()
    assert train == {"rafdb": RAFDB["train"], "affectnet": sum(cast_wild.AFFECTNET["train"])}
    assert set(people[division.test.rows]) == {"rafdb"} and len(division.test.rows) == RAFDB["test"]
    both = [set(wild.table["subject"].iloc[part.rows]) for part in (division.train, division.test)]
    assert not both[0] & both[1] and division.classes == WILD
    expected = {label: cast_wild.RAFDB["train"][i] + cast_wild.AFFECTNET["train"][i] for i, label in enumerate(order())}
    assert labels(wild, division.train, division.classes) == expected
    with pytest.raises(FaceSetError, match="fold 0, not 1"):
        divide(wild, PROTOCOLS["rafdb7+affectnet7"], 1)


def order() -> list[str]:
    """The classes in the order of the casts' counts, told by the cast itself."""
    seen = [take.label for take in cast_wild.rafdb_cast() if take.split == "train"]
    counts = pd.Series(seen).value_counts()
    by_count = {count: label for label, count in counts.items()}
    return [by_count[count] for count in cast_wild.RAFDB["train"]]


def test_settings_of_the_merged_set_are_chosen_on_its_training_images(wild):
    division = divide(wild, PROTOCOLS["rafdb7+affectnet7"], 0, inner=1)
    assert set(wild.table["split"].iloc[[*division.train.rows, *division.test.rows]]) == {"train"}
    assert len(division.train.rows) + len(division.test.rows) == RAFDB["train"] + sum(cast_wild.AFFECTNET["train"])


def test_classified_takes_every_image_whatever_the_fold_split_or_set():
    faces = small_faces(4, (*SIX, "contempt"), 3)
    faces.table["split"] = ["train", "val", "test"] * (len(faces) // 3)
    for name in ("rafdb7", "fedro7"):
        classes, part = classified(faces, PROTOCOLS[name])
        kept = faces.table["label"] != "contempt"
        assert classes == WILD and part.rows.tolist() == np.flatnonzero(kept).tolist()
        labels(faces, part, classes)
    classes, part = classified(faces, PROTOCOLS["own"])
    assert classes == tuple(faces.classes) and len(part.rows) == len(faces)


def test_classified_leaves_out_the_other_modality_and_need_not_have_every_class():
    faces = small_faces(4, ("anger", "fear"), 3)
    faces.table.loc[::2, "modality"] = "thermal"
    classes, part = classified(faces, PROTOCOLS["fedro7"])
    assert classes == WILD and part.rows.tolist() == list(range(1, len(faces), 2))
    assert set(part.target) <= {WILD.index(label) for label in ("neutral", "anger", "fear")}


def test_fedro_has_400_faces_to_test():
    faces = undrawn("fedro", cast_wild.fedro_cast(), cast.SINGLE)
    assert len(classified(faces, PROTOCOLS["fedro7"])[1].rows) == 400
