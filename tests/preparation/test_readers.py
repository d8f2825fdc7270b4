"""Every script on a small copy of its official tree: who, what, which division, and what is told to the user."""

from importlib import import_module

import numpy as np
import pytest

from fercore.faces.preparation import markers
from fercore.faces.preparation.markers import MARKERS
from fercore.faces.preparation.reading import Dataset, DatasetError, references
from fercore.faces.preparation.source import Source
from tests.preparation import trees

READERS = [name for name in MARKERS if name != "london"]


def dataset(name: str) -> Dataset:
    return getattr(import_module(f"data_prep.{name}"), name.upper())


def read(name: str, root, **options):
    ours = dataset(name)
    given = {option.name: option.default for option in ours.options} | options
    return ours.read(Source([root]), given)


def shown(reading) -> list[tuple[str, str]]:
    return [(shot.subject, shot.label) for shot in reading.shots]


def looked_at(reading) -> list[np.ndarray]:
    return [shot.image() for shot in reading.shots]


@pytest.mark.parametrize("name", READERS)
def test_every_script_names_its_dataset_and_its_marker(name):
    ours = dataset(name)
    assert ours.name == name and ours.title and ours.credit and ours.crops and ours.expected
    assert MARKERS[name].words


def test_ckplus_runs_from_neutral_to_the_labelled_apex(tmp_path):
    reading = read(
        "ckplus", trees.ckplus(tmp_path, (("S005", "001", 3, 4), ("S010", "002", 7, 3), ("S011", "001", 0, 3)))
    )
    assert shown(reading) == [
        ("S005", "neutral"),
        *[("S005", "disgust")] * 3,
        ("S010", "neutral"),
        *[("S010", "surprise")] * 2,
    ]
    assert [shot.intensity for shot in reading.shots[:4]] == [0, 0.3333, 0.6667, 1]
    assert reading.counts["sequences"] == 3 and reading.counts["labelled sequences"] == 2
    assert list(references(reading.shots, "sequence")) == [0, 0, 0, 0, 4, 4, 4]
    assert reading.shots[0].points().shape == (5, 2) and looked_at(reading)[0].shape == (48, 64, 3)
    assert "S010/004 has no label file" in reading.notes  # of the public list


def test_ckplus_names_what_contradicts_the_public_list_and_the_apex(tmp_path):
    trees.ckplus(tmp_path, (("S005", "001", 5, 4),))
    trees.photo(tmp_path / "cohn-kanade-images/S005/001/S005_001_00000009.png")
    notes = read("ckplus", tmp_path).notes
    assert "S005/001 is labelled happiness, the public list says disgust" in notes
    assert "S005/001: the label names frame 4, the last image is 9" in notes


def test_ckplus_without_labels_or_with_a_strange_one_is_refused(tmp_path):
    trees.ckplus(tmp_path / "a", (("S005", "001", 0, 2),))
    with pytest.raises(DatasetError, match="Emotion_labels"):
        read("ckplus", tmp_path / "a")
    with pytest.raises(DatasetError, match="8 is no label"):
        read("ckplus", trees.ckplus(tmp_path / "b", (("S005", "001", 8, 2),)))


def test_ck48_keeps_people_apart_by_their_file_names(tmp_path):
    reading = read("ck48", trees.ck48(tmp_path))
    assert shown(reading) == [("S010", "anger")] * 3 + [("S011", "happiness")] * 3
    assert [shot.frame for shot in reading.shots[:3]] == [17, 18, 19]


def test_oulu_takes_one_camera_and_one_light(tmp_path):
    reading = read("oulu", trees.oulu(tmp_path))
    assert len(reading.shots) == 16 and reading.counts["sequences"] == 4 and reading.counts["people"] == 2
    assert shown(reading)[:4] == [("P001", "neutral"), *[("P001", "anger")] * 3]
    infrared = read("oulu", tmp_path, camera="NI")
    assert len(infrared.shots) == 4 and any("1 frames" in note for note in infrared.notes)
    with pytest.raises(DatasetError, match="light Dark"):
        read("oulu", tmp_path, light="Dark")


def test_rafdb_by_list_and_by_folder(tmp_path):
    reading = read("rafdb", trees.rafdb(tmp_path / "official"))
    assert [(s.subject, s.label, s.split) for s in reading.shots] == [
        ("test_0001", "surprise", "test"), ("train_00001", "sadness", "train"), ("train_00002", "neutral", "train"),
    ]  # fmt: skip
    trees.photo(tmp_path / "copy/DATASET/train/4/train_00009_aligned.jpg")
    assert shown(read("rafdb", tmp_path / "copy")) == [("train_00009", "happiness")]


def test_rafdb_compound_is_refused_and_missing_images_are_named(tmp_path):
    trees.rafdb(tmp_path)
    (tmp_path / "basic/Image/aligned/train_00002_aligned.jpg").unlink()
    assert "train_00002 is listed and missing" in read("rafdb", tmp_path).notes
    trees.text(tmp_path / "basic/EmoLabel/list_patition_label.txt", "train_00001.jpg 11\n")
    with pytest.raises(DatasetError, match="compound"):
        read("rafdb", tmp_path)


def test_affectnet_2017_with_and_without_a_header(tmp_path):
    reading = read("affectnet", trees.affectnet_2017(tmp_path))
    assert [(s.label, s.split) for s in reading.shots] == [
        ("neutral", "train"),
        ("happiness", "train"),
        ("anger", "val"),
    ]
    assert any("1 images missing" in note for note in reading.notes)
    assert reading.shots[0].points().shape == (5, 2)


def test_affectnet_2021_and_its_pickled_labels(tmp_path):
    reading = read("affectnet", trees.affectnet_2021(tmp_path))
    assert [(s.label, s.split) for s in reading.shots] == [
        ("happiness", "train"),
        ("anger", "train"),
        ("neutral", "val"),
    ]
    np.save(tmp_path / "val_set/annotations/3_exp.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(DatasetError, match="3_exp.npy"):
        read("affectnet", tmp_path)


def test_fedro_accepts_the_misspelt_folder(tmp_path):
    reading = read("fedro", trees.fedro(tmp_path))
    assert [s.label for s in reading.shots] == ["anger", "happiness", "neutral"] and not reading.notes
    for n in range(381):
        trees.photo(tmp_path / f"FED_RO/sad/occ_img_{n + 10}.jpg", width=16, height=16)
    assert any("lacks some" in note for note in read("fedro", tmp_path).notes)


def test_sfew_divides_by_film_and_leaves_the_unlabelled_test_set_out(tmp_path):
    reading = read("sfew", trees.sfew(tmp_path))
    assert [(s.subject, s.label, s.split) for s in reading.shots] == [
        ("21", "anger", "train"), ("Air_heads", "happiness", "val"),
    ]  # fmt: skip


def test_jaffe_reads_the_second_field(tmp_path):
    reading = read("jaffe", trees.jaffe(tmp_path))
    assert shown(reading) == [("KA", "neutral"), ("KA", "anger"), ("SA", "happiness"), ("SA", "neutral")]
    assert list(references(reading.shots, "subject")) == [0, 0, 3, 3]


def test_kdef_joins_sessions_and_skips_views_and_broken_files(tmp_path):
    reading = read("kdef", trees.kdef(tmp_path))
    assert shown(reading) == [
        ("F01", "neutral"),
        ("F01", "anger"),
        ("F01", "neutral"),
        ("F01", "happiness"),
        ("M02", "neutral"),
    ]
    assert list(references(reading.shots, "sequence")) == [0, 0, 2, 2, 4]
    assert reading.counts["images in the source"] == 7
    assert shown(read("kdef", tmp_path, views="FL,FR")) == [("M02", "happiness")]


def test_fer2013_and_its_better_labels(tmp_path):
    reading = read("fer2013", trees.fer2013(tmp_path))
    assert [(s.label, s.split) for s in reading.shots] == [
        ("anger", "train"),
        ("happiness", "val"),
        ("neutral", "test"),
    ]
    assert reading.counts["images without any contrast"] == 1
    assert np.array_equal(looked_at(reading)[0][..., 0], trees.pixels(0, 48, 48))
    better = read("fer2013", tmp_path, labels="ferplus")
    assert [s.label for s in better.shots] == ["anger", "contempt"] and "1 images" in better.notes[0]


@pytest.mark.parametrize("row", ["9,1 2 3,Training", "0,1 2 3,Training", "x,1,Training"])
def test_fer2013_names_a_broken_row(tmp_path, row):
    trees.text(tmp_path / "fer2013.csv", f"emotion,pixels,Usage\n{row}\n")
    with pytest.raises(DatasetError):
        read("fer2013", tmp_path)


def test_multipie_tells_expressions_by_session_and_recording(tmp_path):
    reading = read("multipie", trees.multipie(tmp_path))
    assert shown(reading) == [("001", "neutral"), ("001", "happiness")]
    assert list(references(reading.shots, "sequence")) == [0, 0] and len(reading.notes) == 2


def test_casia_webface_as_folders_and_as_records(tmp_path):
    reading = read("casia_webface", trees.casia_webface(tmp_path / "folders"))
    assert [s.subject for s in reading.shots] == ["0000045", "0000045", "0000099"]  # without the one in LFW
    assert [s.subject for s in read("casia_webface", tmp_path / "folders", identities=1).shots] == ["0000045"] * 2
    records = read("casia_webface", trees.casia_records(tmp_path / "records"))
    assert [s.subject for s in records.shots] == ["0000045", "0000001", "0000002"]
    assert looked_at(records)[1].shape == (32, 32, 3)
    file = tmp_path / "records/faces_webface_112x112/train.rec"
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(DatasetError, match="damaged at byte"):
        read("casia_webface", tmp_path / "records")


def test_vggface_cuts_the_listed_box(tmp_path):
    reading = read("vggface", trees.vggface(tmp_path))
    assert [(s.subject, s.split) for s in reading.shots] == [("A.J._Buckley", "frontal")]
    assert reading.shots[0].image().shape == (48, 46, 3) and "1 of 2 listed" in reading.notes[0]


def test_mmi_takes_the_frontal_views(tmp_path):
    pytest.importorskip("cv2")
    reading = read("mmi", trees.mmi(tmp_path))
    assert reading.counts["sequences"] == 2 and {s.subject for s in reading.shots} == {"S002", "S028"}
    of = [s for s in reading.shots if s.subject == "S028"]
    assert [s.label for s in of] == ["neutral", *["surprise"] * 4] and [s.intensity for s in of] == [0, 0.5, 1, 0.5, 0]
    assert of[0].image().shape == (576, 720, 3)  # stored on its side
    assert abs(int(of[3].image().mean()) - 30) < 3  # frame 3 of the film
    dual = next(s for s in reading.shots if s.subject == "S002").image()
    assert dual.shape in ((576, 361, 3), (576, 721 - 360, 3))
    peaks = trees.text(tmp_path / "peaks.csv", "S028-003,2\n")
    assert [s.intensity for s in read("mmi", tmp_path, peaks=str(peaks)).shots if s.subject == "S028"] == [0, 0.5, 1]


def test_mmi_refuses_an_entity_bomb(tmp_path):
    pytest.importorskip("cv2")
    trees.mmi(tmp_path)
    file = next(tmp_path.rglob("S002-106.xml"))
    file.write_text('<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><x>&b;</x>')
    with pytest.raises(DatasetError, match=r"S002-106\.xml is damaged or hostile"):
        read("mmi", tmp_path)


def test_mahnob_pairs_visible_and_thermal_episodes(tmp_path):
    pytest.importorskip("cv2")
    reading = read("mahnob", trees.mahnob(tmp_path), thermal="*_thermal.avi", stride=2)
    assert [(s.modality, s.label, s.frame) for s in reading.shots] == [
        (modality, label, frame)
        for modality in ("thermal", "visible")
        for label, frame in (("laughter", 2), ("laughter", 4), ("laughter", 6), ("posed_laughter", 8))
    ]
    assert "annotates nothing" in "".join(reading.notes) or "no video" in "".join(reading.notes)


def test_mmse_approximates_frames_or_takes_a_list(tmp_path):
    pytest.importorskip("cv2")
    reading = read("mmse", trees.mmse(tmp_path))
    visible = [(s.sequence, s.frame, s.label) for s in reading.shots if s.modality == "visible"]
    assert visible == [
        ("T1", 0, "happiness"),
        ("T1", 1, "neutral"),
        ("T8", 0, "pain"),
    ]  # frame 3 is unknown, not neutral
    assert reading.counts["thermal images"] == 2 and "approximated" in reading.notes[0]
    warm = next(s for s in reading.shots if s.modality == "thermal")
    assert warm.image().shape == (64, 88, 3)
    listed = trees.text(tmp_path / "list.csv", "subject,task,frame,label\nF001,T1,2,pain\nF001,T1,9,pain\n")
    own = read("mmse", tmp_path, frames=str(listed))
    assert [(s.frame, s.label) for s in own.shots if s.modality == "visible"] == [(2, "pain")]
    assert "1 of 2 chosen frames" in "".join(own.notes)
    trees.text(listed, "subject,task,frame,label\nF001,T1,2,joy\n")
    with pytest.raises(DatasetError, match="joy"):
        read("mmse", tmp_path, frames=str(listed))


def test_a_wrong_folder_says_what_it_looks_like(tmp_path):
    source = Source([trees.oulu(tmp_path)])
    markers.check(source, "oulu")
    with pytest.raises(DatasetError, match=r"S005_001_00000001\.png; found .*it looks like oulu"):
        markers.check(source, "ckplus")


@pytest.mark.parametrize("name", [n for n in READERS if n not in ("mmi", "mahnob", "mmse", "affectnet")])
def test_no_tree_is_taken_for_another(tmp_path, name):
    source = Source([getattr(trees, name)(tmp_path)])
    counts = {other: markers._count(source, marker) for other, marker in MARKERS.items()}
    assert counts[name] and max(counts, key=counts.get) == name
