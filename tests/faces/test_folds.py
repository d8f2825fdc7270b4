"""Folds: deterministic, subject-disjoint, with a known answer for CK+."""

from pathlib import Path

import pandas as pd
import pytest
from factories import face_table

import fercore.faces
from fercore.faces.faceset import FaceSetError
from fercore.faces.folds import certificate, fingerprint, fold_of, inner_fold_of


@pytest.fixture
def ckplus():
    """The 327 labelled sequences of CK+, one row each."""
    place = Path(fercore.faces.__path__[0]) / "ckplus_sequences.csv"
    return pd.read_csv(place, dtype=str)


def test_known_answer_for_ckplus(ckplus):
    assert len(ckplus) == 327 and ckplus["subject"].nunique() == 118
    assert fold_of(ckplus).value_counts().sort_index().tolist() == [33, 39, 40, 35, 30, 37, 29, 29, 33, 22]
    assert certificate(ckplus)["sequences"].tolist() == [33, 39, 40, 35, 30, 37, 29, 29, 33, 22]


def test_fold_is_the_place_of_the_subject_in_ascending_order_modulo_ten(ckplus):
    fold, subjects = fold_of(ckplus), sorted(set(ckplus["subject"]))
    for k in range(10):
        assert set(ckplus["subject"][fold == k]) == set(subjects[k::10])


def test_no_subject_stands_on_both_sides_whatever_the_order_of_rows(ckplus):
    shuffled = ckplus.sample(frac=1, random_state=0)
    fold = fold_of(shuffled)
    assert (fold.groupby(shuffled["subject"]).nunique() == 1).all()
    assert fold.sort_index().equals(fold_of(ckplus))
    assert fingerprint(shuffled) == fingerprint(ckplus)


def test_certificate_counts_the_test_side():
    table = face_table(subjects=21, labels=("joy", "fear"), frames=4)
    counts = certificate(table)
    assert counts["subjects"].tolist() == [3] + [2] * 9
    assert counts["images"].tolist() == [24] + [16] * 9
    assert counts.loc[0, ["sequences", "joy", "fear", "neutral"]].tolist() == [6, 9, 9, 6]
    assert (counts["images"] == counts[["joy", "fear", "neutral"]].sum(axis=1)).all()


def test_certificate_does_not_trust_the_folds_it_certifies(monkeypatch):
    table = face_table(subjects=4, labels=("joy",), frames=3)
    monkeypatch.setattr("fercore.faces.folds.fold_of", lambda table, n: pd.Series(range(len(table))) % n)
    with pytest.raises(AssertionError, match="on both sides"):
        certificate(table)


def test_fingerprint_changes_when_a_subject_moves():
    table = face_table(subjects=12, labels=("joy",), frames=3)
    own = table.assign(fold=fold_of(table))
    assert fingerprint(own) == fingerprint(table)
    own.loc[own["subject"] == "S003", "fold"] = 7
    assert fingerprint(own) != fingerprint(table)


def test_own_folds_of_the_manifest_are_used():
    table = face_table(subjects=4, labels=("joy",), frames=3)
    table["fold"] = table["subject"].map({"S000": 9, "S001": 0, "S002": 9, "S003": 4})
    assert fold_of(table).tolist() == table["fold"].tolist()


def test_subject_in_two_folds_is_refused_by_name():
    table = face_table(subjects=4, labels=("joy",), frames=3).assign(fold=0)
    table.loc[4, "fold"] = 1
    with pytest.raises(FaceSetError, match="subject S001 stands in 2 folds"):
        fold_of(table)


@pytest.mark.parametrize("number", [-1, 10, float("nan")])
def test_fold_that_does_not_exist_is_refused(number):
    table = face_table(subjects=2, labels=("joy",), frames=3).assign(fold=0.0)
    table.loc[table["subject"] == "S001", "fold"] = number
    with pytest.raises(FaceSetError, match="row 3 has fold"):
        fold_of(table)


def test_inner_folds_cut_the_training_people_anew_and_leave_the_test_people_out(ckplus):
    outer, inner = fold_of(ckplus), inner_fold_of(ckplus, fold_of(ckplus) == 3)
    assert (inner[outer == 3] == -1).all()
    people = sorted(set(ckplus["subject"][outer != 3]))
    for k in range(10):
        assert set(ckplus["subject"][inner == k]) == set(people[k::10])


def test_inner_folds_ignore_the_data_sets_own_numbers_of_the_outer_ones():
    table = face_table(20, ("anger",), 2)
    table["fold"] = table["subject"].str[1:].astype(int) % 2  # only folds 0 and 1 are filled
    inner = inner_fold_of(table, table["fold"] == 0)
    assert set(inner[table["fold"] == 0]) == {-1} and set(inner[table["fold"] == 1]) == set(range(10))
