"""Twins have the counts, courses and references of the datasets they stand for; the cache heals itself."""

import numpy as np
import pytest

from fercore.faces.faceset import FaceSet
from fercore.twins import TWINS, cast, twin
from fercore.twins.filming import film

CLASSES = {"anger": 45, "contempt": 18, "disgust": 59, "fear": 25, "happiness": 69, "sadness": 28, "surprise": 83}


def manifest(name):
    """A twin's manifest without drawing its images."""
    return film(name, TWINS[name], TWINS[name].cast())[1]


@pytest.fixture(scope="module")
def tables():
    return {name: manifest(name) for name in TWINS}


def test_ckplus_has_the_published_counts(tables):
    sequences = tables["ckplus"].drop_duplicates(["subject", "sequence"], keep="last")
    assert len(sequences) == 327 and sequences["subject"].nunique() == 118
    assert sequences["label"].value_counts().to_dict() == CLASSES
    subjects = sorted(sequences["subject"].unique())
    sizes = [sequences["subject"].isin(subjects[k::10]).sum() for k in range(10)]
    assert sizes == [33, 39, 40, 35, 30, 37, 29, 29, 33, 22]


@pytest.mark.parametrize(("name", "subjects", "sequences"), [("mmi", 30, 205), ("oulu", 80, 480)])
def test_mmi_and_oulu_counts(tables, name, subjects, sequences):
    table = tables[name]
    assert table["subject"].nunique() == subjects
    assert len(table.drop_duplicates(["subject", "sequence"])) == sequences
    assert set(table["label"]) == {"neutral", *cast.BASIC}


@pytest.mark.parametrize("name", ["ckplus", "oulu"])
def test_onset_to_apex_course(tables, name):
    for _, frames in tables[name].groupby(["subject", "sequence"]):
        assert frames["intensity"].is_monotonic_increasing and frames["frame"].is_monotonic_increasing
        assert frames["intensity"].iloc[0] == 0 and list(frames["intensity"].iloc[-3:]) == [0.92, 0.96, 1.0]
        assert frames["label"].iloc[0] == "neutral" and frames["label"].iloc[1:].nunique() == 1
        assert (frames["reference"] == frames.index[0]).all()


def test_mmi_peaks_in_the_middle_and_returns_to_neutral(tables):
    for _, frames in tables["mmi"].groupby(["subject", "sequence"]):
        middle = len(frames) // 2
        assert (
            frames["intensity"].iloc[middle - 1 : middle + 2].min()
            > frames["intensity"].drop(frames.index[middle - 1 : middle + 2]).max()
        )
        assert list(frames["label"].iloc[[0, -1]]) == ["neutral", "neutral"]


def test_references_are_neutral_and_of_the_same_subject(tables):
    for table in tables.values():
        reference = table.iloc[table["reference"]]
        assert (reference["subject"].to_numpy() == table["subject"].to_numpy()).all()
        assert (reference["label"] == "neutral").all() and (reference["intensity"] == 0).all()


def test_webface_has_its_stated_reduced_size(tables):
    table = tables["casia_webface"]
    assert table["subject"].nunique() == 200 and len(table) == 200 * 25


def test_a_small_twin_is_a_part_of_the_whole_one(data_folder):
    small = twin("ckplus", 32, subjects=12)
    assert small.table["subject"].nunique() == 12 and small.source == "twin" and "no real person" in small.credit
    assert set(small.classes) == {"neutral", *CLASSES}
    again = twin("ckplus", 32, subjects=12)
    assert again.fingerprint == small.fingerprint


def test_background_corners_do_not_tell_the_expression(data_folder):
    from sklearn.linear_model import LogisticRegression

    faces = twin("ckplus", 32, subjects=60)
    apex = faces.table["intensity"].to_numpy() == 1.0
    images = np.asarray(faces.images[apex], float)
    corners = np.concatenate([images[:, :3, :3], images[:, :3, -3:]], axis=1).reshape(len(images), -1) / 255
    labels, subjects = (faces.table.loc[apex, column].to_numpy() for column in ("label", "subject"))
    test = np.isin(subjects, sorted(set(subjects))[::2])
    model = LogisticRegression(C=1.0, max_iter=500).fit(corners[~test], labels[~test])
    majority = np.unique(labels[test], return_counts=True)[1].max() / test.sum()
    assert model.score(corners[test], labels[test]) < majority + 0.10


def test_a_damaged_cache_is_drawn_again(data_folder, capsys):
    first = twin("mmi", 32, subjects=1)
    folder = next(path for path in (data_folder / "twins").glob("mmi-32-*") if path.is_dir())
    images = folder / "images.npy"
    content = bytearray(images.read_bytes())
    content[-1] ^= 1
    images.write_bytes(bytes(content))
    assert twin("mmi", 32, subjects=1).fingerprint == first.fingerprint
    assert "generated again" in capsys.readouterr().out
    assert FaceSet.open(folder).fingerprint == first.fingerprint


@pytest.mark.parametrize(
    ("name", "size", "subjects", "message"),
    [("ck", 64, None, "ckplus"), ("ckplus", 31, None, "32"), ("mmi", 32, 0, "30"), ("mmi", 32, 31, "30")],
)
def test_bad_parameters_are_refused(data_folder, name, size, subjects, message):
    with pytest.raises(ValueError, match=message):
        twin(name, size, subjects)
