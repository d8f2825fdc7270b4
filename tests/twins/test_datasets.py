"""Twins have the counts, courses and references of the datasets they stand for; the cache heals itself."""

import numpy as np
import pandas as pd
import pytest

from fercore.faces.faceset import FaceSet
from fercore.twins import TWINS, cast, cast_wild, datasets, twin
from fercore.twins.facs import AU_NUMBERS
from fercore.twins.filming import film

CLASSES = {"anger": 45, "contempt": 18, "disgust": 59, "fear": 25, "happiness": 69, "sadness": 28, "surprise": 83}


def manifest(name, subjects=None):
    """A twin's manifest without drawing its images."""
    takes = cast.keep_subjects(TWINS[name].cast(), subjects)
    return pd.DataFrame([row for _, row in film(name, TWINS[name], takes)])


@pytest.fixture(scope="module")
def tables():
    """Whole laboratory twins, and a part of the large ones."""
    whole = {name: manifest(name) for name in ("ckplus", "mmi", "oulu", "mmse")}
    return whole | {name: manifest(name, 21) for name in TWINS if name not in whole}


def counts(name, split=""):
    takes = [take for take in TWINS[name].cast() if take.split == split]
    return pd.Series([take.label for take in takes]).value_counts().to_dict()


RAFDB = {
    "train": dict(surprise=1290, fear=281, disgust=717, happiness=4772, sadness=1982, anger=705, neutral=2524),
    "test": dict(surprise=329, fear=74, disgust=160, happiness=1185, sadness=478, anger=162, neutral=680),
}


@pytest.mark.parametrize("split", RAFDB)
def test_rafdb_has_the_published_counts(split):
    assert counts("rafdb", split) == RAFDB[split]


def test_affectnet_is_a_tenth_of_every_training_class_and_the_whole_validation_set():
    full = dict(neutral=74874, happiness=134415, sadness=25459, surprise=14090, fear=6378, disgust=3803, anger=24882)
    train = counts("affectnet", "train")
    assert all(abs(train[label] - number / 10) <= 1 for label, number in full.items()) and len(train) == 7
    assert counts("affectnet", "val") == dict.fromkeys(full, 500)


@pytest.mark.parametrize(("name", "split", "images"), [
    ("fedro", "test", 400), ("sfew", "train", 891), ("sfew", "val", 431),
])  # fmt: skip
def test_wild_sets_have_their_sizes_and_seven_classes(name, split, images):
    found = counts(name, split)
    assert sum(found.values()) == images and set(found) == set(cast_wild.SEVEN)


@pytest.mark.parametrize("name", ["rafdb", "affectnet", "fedro", "sfew"])
def test_pictures_from_the_web_show_a_person_each_and_have_no_reference(name, tables):
    takes = TWINS[name].cast()
    assert len({take.subject for take in takes}) == len(takes)
    assert (tables[name]["reference"] == -1).all()


def test_a_small_wild_twin_keeps_the_proportions_of_classes_and_splits():
    full, small = TWINS["rafdb"].cast(), cast.keep_subjects(TWINS["rafdb"].cast(), 1534)
    for key in {(take.split, take.label) for take in full}:
        whole, part = (sum((take.split, take.label) == key for take in takes) for takes in (full, small))
        assert abs(part - whole / 10) <= 1


def test_mahnob_and_mmse_have_the_published_people_and_recordings():
    takes = TWINS["mahnob"].cast()
    assert len({take.subject for take in takes}) == 22
    assert counts("mahnob") == {"laughter": 563, "speech": 849, "posed_laughter": 51}
    people = {take.subject for take in TWINS["mmse"].cast()}
    assert len(people) == 72 and sum(name.startswith("F") for name in people) == 45
    assert counts("mmse") == {"neutral": 484, "happiness": 676, "surprise": 715, "pain": 593}


def test_multipie_has_its_sessions_expressions_and_cameras():
    takes = TWINS["multipie"].cast()
    people = {number: {t.subject for t in takes if t.session == f"{number:02d}"} for number in cast.SESSIONS}
    assert {number: len(who) for number, who in people.items()} == cast.SESSIONS
    assert len(set.union(*people.values())) == 337
    assert counts("multipie") == {"neutral": 5 * 1160, "happiness": 5 * 479, "surprise": 5 * 203, "disgust": 5 * 230}
    assert sorted({round(float(np.degrees(take.yaw))) for take in takes}) == [-30, -15, 0, 15, 30]


def test_multipie_references_are_frontal_neutral_and_of_the_same_session(tables):
    table = tables["multipie"]
    reference = table.iloc[table["reference"]]
    assert reference["sequence"].str.endswith("_01_05_1").all() and (reference["label"] == "neutral").all()
    assert (reference["sequence"].str[:2].to_numpy() == table["sequence"].str[:2].to_numpy()).all()


def test_vggface_starts_every_identity_with_frontal_neutral_targets():
    takes = TWINS["vggface"].cast()
    assert len({take.subject for take in takes}) == 400 and len(takes) == 10_000
    first = [take for take in takes if int(take.sequence) < 5]
    assert all(take.label == "neutral" and take.yaw == 0 for take in first)


@pytest.mark.parametrize("name", ["mahnob", "mmse"])
def test_each_thermal_image_shows_a_face_that_is_also_seen_visibly(name):
    takes = cast.keep_subjects(TWINS[name].cast(), 2)
    seen = list(film(name, TWINS[name], takes))
    for (visible, row), (thermal, other) in zip(seen[::2], seen[1::2], strict=True):
        assert visible is thermal and (row["modality"], other["modality"]) == ("visible", "thermal")
    table = pd.DataFrame([row for _, row in seen])
    assert (table["modality"].iloc[table["reference"]].to_numpy() == table["modality"]).all()


def test_posed_laughs_are_seen_seven_times_as_long_and_every_picture_differs():
    table = manifest("mahnob", 2).query("modality == 'visible'")
    takes = table.groupby(["subject", "sequence"])
    length, label = takes.size(), takes["label"].last()
    assert set(length[label == "posed_laughter"]) == {29} and set(length[label != "posed_laughter"]) == {5}
    held = table[table.set_index(["subject", "sequence"]).index.isin(label.index[label == "posed_laughter"])]
    for _, take in held.groupby(["subject", "sequence"]):
        assert take["intensity"].tolist() == [0.0, *np.repeat(cast.EPISODE[1:], 7)]
        assert take["frame"].tolist() == list(range(1, 30)) and len(take["reference"].unique()) == 1


def test_speech_articulates_anew_in_every_frame_and_laughter_unfolds():
    table = manifest("mahnob", 2).query("modality == 'visible'")
    units = [f"au{number}" for number in AU_NUMBERS]
    for label, changing in (("speech", True), ("laughter", False)):
        chosen = table[table["label"] == label].groupby(["subject", "sequence"])
        takes = [rows[units].to_numpy() for _, rows in chosen][:20]
        alike = np.mean([np.corrcoef(rows[1], rows[2])[0, 1] for rows in takes])
        assert (alike < 0.8) == changing


def test_true_intensities_survive_saving(data_folder):
    table = twin("ckplus", 32, subjects=12).table
    assert (table.loc[table["label"] == "happiness", "au12"].mean() > 0.4) and table["au12"].dtype == float
    assert {f"au{number}" for number in AU_NUMBERS} <= set(table.columns)


def test_colour_twins_have_three_channels_and_equal_ones_where_thermal(data_folder):
    faces = twin("mmse", 32, subjects=1, colour=True)
    thermal = (faces.table["modality"] == "thermal").to_numpy()
    images = np.asarray(faces.images).astype(int)
    spread = (images.max(-1) - images.min(-1)).reshape(len(images), -1).mean(1)
    assert images.shape[1:] == (32, 32, 3) and (spread[thermal] == 0).all() and (spread[~thermal] > 5).all()


def test_faces_of_the_occluded_twin_are_covered_where_the_masks_say(data_folder, monkeypatch):
    covered = twin("fedro", 32, subjects=14)
    masks = datasets.true_masks("fedro", 32, 14)
    monkeypatch.setitem(datasets.TWINS, "fedro", datasets.replace(TWINS["fedro"], occlusion=""))
    bare = twin("fedro", 32, subjects=14)
    assert ((covered.images != bare.images) <= masks).all() and masks.mean() > 0.03
    assert (covered.images != bare.images).sum() > 0.8 * masks.sum()
    with pytest.raises(ValueError, match="not occluded"):
        datasets.true_masks("ckplus", 32)


def test_memory_holds_a_step_of_faces_only(data_folder, monkeypatch):
    seen, ordinary = [], datasets.render
    monkeypatch.setattr(
        datasets, "render", lambda faces, *rest, **more: seen.append(len(faces)) or ordinary(faces, *rest, **more)
    )
    monkeypatch.setattr(datasets, "FACES_PER_STEP", 16)
    total = len(twin("oulu", 32, subjects=1))
    assert max(seen) == 16 and sum(seen) == total == 54


def test_an_interrupted_drawing_leaves_nothing(data_folder, monkeypatch):
    def fails(*args, **more):
        raise KeyboardInterrupt

    monkeypatch.setattr(datasets, "render", fails)
    with pytest.raises(KeyboardInterrupt):
        twin("oulu", 33, subjects=1)
    assert [f.name for f in (data_folder / "twins").glob("*oulu-33-*") if f.suffix != ".lock"] == []


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
    for table in (table for name, table in tables.items() if TWINS[name].references):
        reference = table.iloc[table["reference"]]
        assert (reference["subject"].to_numpy() == table["subject"].to_numpy()).all()
        assert (reference["label"] == "neutral").all() and (reference["intensity"] == 0).all()


def test_webface_has_its_stated_reduced_size():
    takes = TWINS["casia_webface"].cast()
    assert len({take.subject for take in takes}) == 200 and len(takes) == 200 * 25


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
