"""The classical reference learns what can be learned, nothing else, and from the training people only."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from factories import THREE, face_table

from fercore import classical
from fercore.faces.faceset import FaceSet
from fercore.faces.protocols import Part, Protocol, divide

TOY = Protocol("toy", "", THREE, "last")
FOLDS = list(range(10))
SYSTEMS = (classical.hog_svm, classical.lbp_svm, classical.pixel_svm)


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


@pytest.mark.parametrize("system", SYSTEMS)
def test_colour_faces_are_made_gray_first(system):
    gray, shades = toy(True), np.array([0.9, 1.0, 0.4])
    coloured = np.rint(gray.images[..., None] * shades).astype(np.uint8)
    seen = (coloured @ [0.2125, 0.7154, 0.0721]).round().astype(np.uint8)
    expected = system(replace(gray, images=seen), TOY, [1])
    pd.testing.assert_frame_equal(system(replace(gray, images=coloured), TOY, [1]), expected)
    assert (system(replace(gray, images=gray.images[..., None].repeat(3, axis=-1)), TOY, [1])["predicted"].to_numpy()
            == system(gray, TOY, [1])["predicted"].to_numpy()).all()  # fmt: skip


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_cut_says_which_people_are_trained_on(system):
    """Half of the people, one of whom is given wrong labels that must not be seen by the other half's model."""
    faces, asked = toy(), []

    def half(faces, protocol, fold):
        division = divide(faces, protocol, fold)
        asked.append(fold)
        kept = faces.table["subject"].iloc[division.train.rows].str[1:].astype(int).to_numpy() % 2 == 0
        return replace(division, train=Part(division.train.rows[kept], division.train.target[kept]))

    odd = faces.table["subject"].str[1:].astype(int) % 2 == 1
    wrong = np.where(odd & (faces.table["label"] != "neutral"), THREE[0], faces.table["label"])
    misled = replace(faces, table=faces.table.assign(label=wrong))
    pd.testing.assert_series_equal(
        system(misled, TOY, [0, 4], cut=half)["predicted"], system(faces, TOY, [0, 4], cut=half)["predicted"]
    )
    assert asked == [0, 4, 0, 4] and accuracy(system(misled, TOY, [0, 4], cut=half)) == 1


def slow_pattern(image: np.ndarray, row: int, column: int) -> int:
    """Which of the eight neighbours are at least as bright, counter-clockwise from the right, as a circle of bits."""
    around = [(0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1)]
    bits = [int(image[row + down, column + right] >= image[row, column]) for down, right in around]
    changes = sum(bits[k] != bits[k - 1] for k in range(8))
    if changes > 2:
        return 58
    ones, start = sum(bits), next((k for k in range(8) if bits[k] and not bits[k - 1]), 0)
    return 0 if ones == 0 else 57 if ones == 8 else 1 + (ones - 1) * 8 + start


def test_lbp_features_are_shares_of_uniform_patterns_by_cell():
    """On a checked image whose diagonal neighbours, where the library interpolates, are never in doubt."""
    numbers = np.random.default_rng(0)
    image = 120 * numbers.integers(2, size=(3, 3)).astype(np.uint8).repeat(12, axis=0).repeat(12, axis=1)
    shares = classical.lbp_features(image[None])[0].reshape(6, 6, 59)  # cells of 6 x 6 pixels
    np.testing.assert_allclose(shares.sum(axis=2), 1)
    for i in range(1, 5):
        for j in range(1, 5):
            counted = [slow_pattern(image, r, c) for r in range(6 * i, 6 * i + 6) for c in range(6 * j, 6 * j + 6)]
            assert shares[i, j, 58] == pytest.approx(counted.count(58) / 36)  # all that are not uniform
            assert sorted(shares[i, j][shares[i, j] > 0]) == pytest.approx(
                sorted(np.unique(counted, return_counts=True)[1] / 36)
            )


def test_cells_cover_an_image_whose_side_is_no_multiple_of_theirs():
    shares = classical.lbp_features(np.random.default_rng(0).integers(256, size=(2, 33, 41), dtype=np.uint8))
    assert shares.shape == (2, 36 * 59)
    np.testing.assert_allclose(shares.reshape(2, 36, 59).sum(axis=2), 1)


def test_features_of_many_images_are_those_of_each():
    images = toy().images[:3]
    for features in (classical.hog_features, classical.lbp_features):
        assert (features(images)[1] == features(images[1:2])[0]).all()
    assert classical.hog_features(images).shape == (3, 2 * 2 * 9 * 9)  # 4 x 4 cells, blocks of 3 x 3
