"""The classical reference learns what can be learned, nothing else, and from the training people only."""

import numpy as np
import pandas as pd
import pytest
from factories import THREE, face_table

from fercore import classical
from fercore.faces.faceset import FaceSet
from fercore.faces.protocols import Protocol

TOY = Protocol("toy", "", THREE, "last")
FOLDS = list(range(10))
SYSTEMS = (classical.hog_svm, classical.pixel_svm)


def toy(shuffled: bool = False) -> FaceSet:
    """Twenty people; the label is where a bright square stands. The first pixel says who it is."""
    table = face_table(20, THREE, 4)
    images = np.random.default_rng(0).integers(90, 110, (len(table), 32, 32), dtype=np.uint8)
    for image, label, subject in zip(images, table["label"], table["subject"], strict=True):
        if label != "neutral":
            corner = 8 * THREE.index(label)
            image[corner : corner + 12, corner : corner + 12] = 220
        image[0, 0] = int(subject[1:])
    if shuffled:
        takes = table[table["label"] != "neutral"].drop_duplicates(["subject", "sequence"])
        drawn = np.random.default_rng(1).permutation(takes["label"].to_numpy())
        other = dict(zip(zip(takes["subject"], takes["sequence"], strict=True), drawn, strict=True))
        given = [other[key] for key in zip(table["subject"], table["sequence"], strict=True)]
        table["label"] = np.where(table["label"] == "neutral", "neutral", given)
    return FaceSet("toy", images, table, "open", "drawn by the tests; no person")


def accuracy(predicted: pd.DataFrame) -> float:
    return (predicted["label"] == predicted["predicted"]).mean()


@pytest.mark.parametrize("system", SYSTEMS)
def test_separable_classes_are_told_apart_without_error(system):
    predicted = system(toy(), TOY, FOLDS)
    assert accuracy(predicted) == 1
    assert len(predicted) == 20 * 3 * 3 and predicted["row"].is_unique  # every classified image once
    assert set(predicted["predicted"]) == set(THREE)  # the neutral frames serve nothing here


@pytest.mark.parametrize("system", SYSTEMS)
def test_shuffled_labels_leave_chance(system):
    assert accuracy(system(toy(shuffled=True), TOY, FOLDS)) < 0.55  # 1/3; sixty sequences, three standard errors


@pytest.mark.parametrize("fold", [0, 7])
def test_people_of_the_test_fold_are_never_fitted(fold, monkeypatch):
    fitted = []

    class Scaler(classical.StandardScaler):
        def fit(self, X, *args, **kwargs):
            fitted.append(set(np.rint(255 * X[:, 0]).astype(int)))
            return super().fit(X, *args, **kwargs)

    monkeypatch.setattr(classical, "StandardScaler", Scaler)
    predicted = classical.pixel_svm(toy(), TOY, [fold])
    tested = {int(subject[1:]) for subject in predicted["subject"]}
    assert tested == {fold, fold + 10} and fitted == [set(range(20)) - tested]


def test_rows_are_those_of_a_run_so_that_both_stand_in_one_table():
    predicted = classical.pixel_svm(toy(), TOY, [2, 5])
    assert {"row", "subject", "sequence", "frame", "label", "predicted", "fold"} <= set(predicted)
    table = toy().table.loc[predicted["row"]]
    for column in ("subject", "sequence", "frame", "label"):
        assert predicted[column].tolist() == table[column].tolist()
    assert predicted["fold"].tolist() == [2] * 18 + [5] * 18 and predicted.index.is_unique


@pytest.mark.parametrize("system", SYSTEMS)
def test_same_call_predicts_the_same(system):
    pd.testing.assert_frame_equal(system(toy(True), TOY, [1]), system(toy(True), TOY, [1]))
