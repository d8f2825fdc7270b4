"""Every script on a small copy of its official tree: who, what, which division, and what is told to the user."""

import io
import shutil
import struct
import time
from functools import partial
from importlib import import_module

import numpy as np
import pytest
from scipy.io import savemat

from fercore.faces.alignment import TEMPLATE
from fercore.faces.preparation import landmarks_mmse, markers, mat_file
from fercore.faces.preparation.markers import MARKERS
from fercore.faces.preparation.reading import Dataset, DatasetError, references
from fercore.faces.preparation.source import File, Source
from tests.preparation import trees

READERS = [*MARKERS]


def dataset(name: str) -> Dataset:
    return getattr(import_module(f"data_prep.{name}"), name.upper())


def read(name: str, root, **options):
    ours = dataset(name)
    given = {option.name: option.default for option in ours.options} | options
    return ours.read(Source([root]), given)


def shown(reading) -> list[tuple[str, str]]:
    return [(shot.subject, shot.label) for shot in reading.shots]


def looked_at(reading) -> list[np.ndarray]:
    return [shot.pixels() for shot in reading.shots]


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
    assert reading.counts["last three frames of the labelled sequences"] == 6
    assert reading.counts["onset and apex, without contempt"] == 4
    assert shown(read("ckplus", tmp_path, neutral=2))[:3] == [("S005", "neutral")] * 2 + [("S005", "disgust")]
    assert reading.shots[0].points() == pytest.approx(48 * TEMPLATE + (8, 0), abs=1e-4) and looked_at(reading)[
        0
    ].shape == (48, 64, 3)
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
    assert "78 people are missing" in reading.notes[0] and "P001/disgust" in reading.notes[1]
    infrared = read("oulu", tmp_path, camera="NI")
    assert len(infrared.shots) == 4 and any("1 frames" in note for note in infrared.notes)
    with pytest.raises(DatasetError, match="light Dark"):
        read("oulu", tmp_path, light="Dark")


@pytest.mark.parametrize("folder", ["PreProcess", "PreProcess_Img", "PreProcess Img/PreProcess Img"])
def test_oulu_takes_the_cropped_pictures_where_the_original_ones_are_not_there(tmp_path, folder):
    trees.photo(tmp_path / folder / "VL_Acropped/Strong/P001/Anger/000.jpeg")
    reading = read("oulu", tmp_path)
    assert len(reading.shots) == 1 and reading.shots[0].cropped
    trees.oulu(tmp_path)
    assert len(read("oulu", tmp_path).shots) == 16 and not read("oulu", tmp_path).shots[0].cropped


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
    assert "1 images are listed and missing: train_00002" in read("rafdb", tmp_path).notes
    trees.text(tmp_path / "basic/EmoLabel/list_patition_label.txt", "train_00001.jpg 11\n")
    with pytest.raises(DatasetError, match="compound"):
        read("rafdb", tmp_path)
    trees.text(tmp_path / "basic/EmoLabel/list_patition_label.txt", "train_00001.jpg 4\ntrain_00002.jpg 0\n")
    with pytest.raises(DatasetError, match="from 0"):
        read("rafdb", tmp_path)


def test_affectnet_2017_with_and_without_a_header(tmp_path):
    reading = read("affectnet", trees.affectnet_2017(tmp_path))
    assert [(s.label, s.split) for s in reading.shots] == [
        ("neutral", "train"),
        ("happiness", "train"),
        ("anger", "val"),
    ]
    assert "training.csv: 1 malformed rows, 0 without a face box" in reading.notes
    assert reading.shots[0].points().shape == (5, 2)
    with_contempt = read("affectnet", tmp_path, contempt="yes")
    assert with_contempt.expected["training images"].lowest == 287_651 and reading.expected["training images"].verified
    next(tmp_path.rglob("0aaaa*.jpg")).unlink()
    assert any("2 images of training.csv are missing: 0/0aaaa" in note for note in read("affectnet", tmp_path).notes)


def test_affectnet_2021_and_its_pickled_labels(tmp_path):
    reading = read("affectnet", trees.affectnet_2021(tmp_path))
    assert [(s.label, s.split) for s in reading.shots] == [
        ("happiness", "train"),
        ("anger", "train"),
        ("neutral", "val"),
    ]
    assert reading.shots[0].points() == pytest.approx(64 * TEMPLATE, abs=1e-3)
    (tmp_path / "train_set/images/10.jpg").unlink()
    assert "1 labels without an image: train_set/10" in read("affectnet", tmp_path).notes


def hostile_arrays() -> dict[str, bytes]:
    pickled, packed, huge = io.BytesIO(), io.BytesIO(), io.BytesIO()
    np.save(pickled, np.array([{}], dtype=object), allow_pickle=True)
    np.savez_compressed(packed, np.zeros(10**6))
    np.lib.format.write_array_header_1_0(huge, {"descr": "<f8", "fortran_order": False, "shape": (10**12,)})
    return {
        "pickled": pickled.getvalue(),
        "an archive of arrays": packed.getvalue(),
        "beyond measure": huge.getvalue(),
        "bare pickle": b"cos\nsystem\n(S'true'\ntR.",
        "empty": b"",
        "large": bytes(1 << 20),
    }


@pytest.mark.parametrize("what", hostile_arrays())
def test_affectnet_refuses_hostile_arrays(tmp_path, what):
    trees.affectnet_2021(tmp_path)
    (tmp_path / "val_set/annotations/3_exp.npy").write_bytes(hostile_arrays()[what])
    with pytest.raises(DatasetError, match=r"3_exp\.npy is not a label"):
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
    twice = tmp_path / "Val/Val_Aligned_Faces_new/Val_Aligned_Faces/Happy/Air_heads_000519240_00000005.png"
    trees.photo(twice, 1, colour=True)
    assert len(read("sfew", tmp_path).shots) == 2


def test_sfew_as_one_table(tmp_path):
    rows = (
        "image_name,label,emotion,original_split\nimage_000000.png,6,Surprise,Train\nimage_000001.png,4,Neutral,Val\n"
    )
    trees.text(tmp_path / "sfew_2.0_labels.csv", rows + "image_000002.png,4,Neutral,Test\n")
    for n in range(3):
        trees.photo(tmp_path / f"sfew2.0_images/image_{n:06d}.png", n, colour=True)
    markers.check(Source([tmp_path]), "sfew")
    assert [(s.label, s.split) for s in read("sfew", tmp_path).shots] == [("surprise", "train"), ("neutral", "val")]


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
    assert shown(read("kdef", tmp_path, views="FL")) == [("M02", "happiness")]
    assert (
        "1 images are left out: they are broken in every copy: AF01SUFR.jpg" in read("kdef", tmp_path, views="FR").notes
    )
    with pytest.raises(DatasetError, match="views X are none"):
        read("kdef", tmp_path, views="X,S")


def test_fer2013_and_its_better_labels(tmp_path):
    reading = read("fer2013", trees.fer2013(tmp_path))
    assert [(s.label, s.split) for s in reading.shots] == [
        ("anger", "train"),
        ("happiness", "val"),
        ("neutral", "test"),
        ("sadness", "train"),  # black all over: left out when the faces are cut
    ]
    assert np.array_equal(looked_at(reading)[0][..., 0], trees.pixels(0, 48, 48))
    better = read("fer2013", tmp_path, labels="ferplus")
    assert [s.label for s in better.shots] == ["anger", "contempt"] and "2 images" in better.notes[0]


def test_fer2013_as_folders_and_as_images_beside_their_ratings(tmp_path):
    trees.photo(tmp_path / "folders/train/angry/Training_1.jpg", width=48)
    trees.photo(tmp_path / "folders/test/neutral/PrivateTest_2.jpg", width=48)
    reading = read("fer2013", tmp_path / "folders")
    assert [(s.label, s.split) for s in reading.shots] == [("neutral", "test"), ("anger", "train")]
    with pytest.raises(DatasetError, match=r"fer2013new\.csv"):
        read("fer2013", tmp_path / "folders", labels="ferplus")
    trees.fer2013(tmp_path / "rated")
    (tmp_path / "rated/fer2013.csv").unlink()
    for split, number in (("Train", 0), ("Valid", 1), ("Test", 2)):
        trees.photo(tmp_path / f"rated/FER2013{split}/fer{number:07d}.png", number, width=48)
    rated = read("fer2013", tmp_path / "rated")
    assert [(s.subject, s.label, s.split) for s in rated.shots] == [
        ("fer0000002.png", "contempt", "test"),
        ("fer0000000.png", "anger", "train"),
    ]
    assert not rated.expected["images in the source"].verified  # FER+ writes no file of what is no face


@pytest.mark.parametrize("row", ["9,1 2 3,Training", "0,1 2 3,Training", "x,1,Training", "0,one two,Training"])
def test_fer2013_names_a_broken_row(tmp_path, row):
    trees.text(tmp_path / "fer2013.csv", f"emotion,pixels,Usage\n{row}\n")
    with pytest.raises(DatasetError):
        read("fer2013", tmp_path)


def test_multipie_tells_expressions_by_session_and_recording(tmp_path):
    reading = read("multipie", trees.multipie(tmp_path))
    assert shown(reading) == [("001", "neutral"), ("001", "happiness")]
    assert list(references(reading.shots, "sequence")) == [0, 0]
    assert "204206" in reading.notes[0] and len(reading.notes) == 3  # squints, and other cameras, are left out
    other = read("multipie", tmp_path, cameras="24_0")
    assert shown(other) == [("001", "happiness")] and list(references(other.shots, "sequence")) == [-1]
    for cameras, said in (("190", "no image of the cameras 190"), ("left", "write them like")):
        with pytest.raises(DatasetError, match=said):
            read("multipie", tmp_path, cameras=cameras)


def test_multipie_compares_with_the_frontal_neutral_picture(tmp_path):
    for recording, camera in (("01", "130"), ("01", "051"), ("02", "050")):
        trees.photo(tmp_path / f"session04/multiview/007/{recording}/x/007_04_{recording}_{camera}_03.png", colour=True)
    reading = read("multipie", tmp_path)
    assert [(s.label, s.native) for s in reading.shots] == [("neutral", "051"), ("neutral", "130"), ("neutral", "050")]
    assert list(references(reading.shots, "sequence")) == [0, 0, 0]  # the second recording of session 4 is neutral too


def test_casia_webface_as_folders(tmp_path):
    reading = read("casia_webface", trees.casia_webface(tmp_path))
    assert [s.subject for s in reading.shots] == ["0000045", "0000045", "0000099"]  # without the one in LFW
    assert [s.subject for s in read("casia_webface", tmp_path, identities=1).shots] == ["0000045"] * 2


def test_casia_webface_as_records(tmp_path):
    tree = trees.casia_records(tmp_path)
    markers.check(Source([tree]), "casia_webface")
    reading = read("casia_webface", tree)
    assert [s.subject for s in reading.shots] == ["0000000", "0000001", "0000002"]
    for seed, image in enumerate(looked_at(reading)):  # the last one lies in two parts
        assert np.abs(image.astype(int) - trees.pixels(seed, 32, 32, True)).mean() < 6


def hostile_records() -> dict[str, bytes]:
    head, jpeg = trees.RECORD_MAGIC, b"\xff\xd8 no picture"
    return {
        "longer than the file": head + struct.pack("<I", 5000) + bytes(40),
        "no magic": b"nothing of the kind, but long enough to be looked at",
        "shorter than its header": trees.record(b"short"),
        "a label that is none": trees.record(struct.pack("<IfQQ", 0, float("nan"), 1, 0) + jpeg),
        "a label beyond measure": trees.record(struct.pack("<IfQQ", 0, 1e30, 1, 0) + jpeg),
        "a last part without a first": head + struct.pack("<I", 3 << 29 | 4) + bytes(4),
        "a first part without a last": head + struct.pack("<I", 1 << 29 | 24) + bytes(24),
        "cut in its head": head,
    }


@pytest.mark.parametrize("what", hostile_records())
def test_hostile_records_are_refused_where_they_are(tmp_path, what):
    (tmp_path / "train.rec").write_bytes(hostile_records()[what])
    with pytest.raises(DatasetError, match=r"train\.rec is damaged at byte"):
        read("casia_webface", tmp_path)


def test_records_with_four_billion_labels_are_no_pictures(tmp_path):
    (tmp_path / "train.rec").write_bytes(trees.record(struct.pack("<IfQQ", 2**32 - 1, 0, 1, 0) + bytes(64)))
    assert not read("casia_webface", tmp_path).shots


def test_vggface_cuts_the_listed_box(tmp_path):
    reading = read("vggface", trees.vggface(tmp_path))
    assert [(s.subject, s.split) for s in reading.shots] == [("A.J._Buckley", "frontal")]
    assert reading.shots[0].pixels().shape == (48, 46, 3) and "1 of 2 listed" in reading.notes[0]
    assert len(read("vggface", tmp_path, curated="no").shots) == 2


def test_vggface_reads_hostile_lists_in_no_time(tmp_path):
    trees.vggface(tmp_path)
    line = "00000009 http://x" + " 1" * 200_000 + " " * 200_000 + "x\n"
    trees.text(tmp_path / "vgg_face_dataset/files/B.txt", line + "00000001 http://x nan 1 inf 1 1 1 1\n")
    started = time.perf_counter()
    assert len(read("vggface", tmp_path).shots) == 1 and time.perf_counter() - started < 2


def alike(image: np.ndarray, wanted: np.ndarray) -> float:
    return float(np.corrcoef(image.mean(2).ravel(), wanted.ravel())[0, 1])


def test_mmi_takes_the_frontal_views_upright(tmp_path):
    pytest.importorskip("cv2")
    reading = read("mmi", trees.mmi(tmp_path))
    assert reading.counts["sequences"] == 2 and {s.subject for s in reading.shots} == {"S002", "S028"}
    assert (
        reading.counts["sequences of surprise"] == 1
        and "205, IDFERM 208 of 213, Unpaired 208 of 236" in reading.notes[0]
    )
    of = [s for s in reading.shots if s.subject == "S028"]
    assert [s.label for s in of] == ["neutral", *["surprise"] * 4] and [s.intensity for s in of] == [0, 0.5, 1, 0.5, 0]
    assert alike(of[3].pixels(), trees.pixels(1, 720, 576)) > 0.98  # stored on its side
    assert of[4].pixels().mean() > of[3].pixels().mean() + 4 > of[2].pixels().mean() + 8  # frame by frame
    front = next(s for s in reading.shots if s.subject == "S002").pixels()
    assert alike(front, trees.pixels(1, 362, 576)[:, :361]) > 0.98  # the right half, as the left one shows no face


def test_mmi_with_profiles_turns_them_the_other_way(tmp_path):
    pytest.importorskip("cv2")
    reading = read("mmi", trees.mmi(tmp_path), views="all")
    assert reading.counts["sequences"] == 3 and reading.expected["sequences"].highest == 236
    profile = next(s for s in reading.shots if s.subject == "S021").pixels()
    assert alike(profile, trees.pixels(1, 720, 576)) > 0.98


def test_mmi_takes_the_recordings_and_peaks_of_a_list(tmp_path):
    pytest.importorskip("cv2")
    trees.mmi(tmp_path)
    peaks = trees.text(tmp_path / "peaks.csv", "recording,frame\ns028-003,2\nS002-106,\nS099-001,4\n")
    reading = read("mmi", tmp_path, peaks=str(peaks))
    assert [s.intensity for s in reading.shots if s.subject == "S028"] == [0, 0.5, 1]
    assert [s.intensity for s in reading.shots if s.subject == "S002"] == [0, 0.5, 1, 0.5, 0]
    assert any("are missing: S099-001" in note for note in reading.notes)
    trees.text(peaks, "recording,frame\nS028-003,9\n")
    reading = read("mmi", tmp_path, peaks=str(peaks))
    assert not reading.shots and any("5 frames, your list says that 9 is its peak" in note for note in reading.notes)
    for content, said in (("S028-003,2\n", "no column"), ("recording,frame\nS028-003,-2\n", "no frame's number")):
        with pytest.raises(DatasetError, match=said):
            read("mmi", tmp_path, peaks=str(trees.text(peaks, content)))


def test_mmi_names_a_damaged_video_and_merges_downloads(tmp_path):
    pytest.importorskip("cv2")
    roots = [trees.mmi(tmp_path / part) for part in ("first", "second")]
    sessions = "mmi-facial-expression-database_download_2019-05-13_03_06_41/Sessions"
    shutil.move(roots[1] / sessions / "900", roots[1] / sessions / "950")
    (roots[1] / sessions / "950/S028-003.avi").rename(roots[1] / sessions / "950/S028-004.avi")
    (roots[1] / sessions / "950/S028-003.xml").rename(roots[1] / sessions / "950/S028-004.xml")
    next(roots[0].rglob("S028-003.avi")).write_bytes(b"#EXTM3U\nfile:///etc/passwd\n")  # a play list in disguise
    ours = dataset("mmi")
    reading = ours.read(Source(roots), {"views": "front", "peaks": None})
    assert {(s.subject, s.sequence) for s in reading.shots} == {("S002", "224"), ("S028", "950")}
    assert any("S028-003.avi is no video by its first bytes" in note for note in reading.notes)


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
    assert {shot.subject for shot in reading.shots} == {"S001"}
    notes = " | ".join(reading.notes)
    assert "session 75 has no video" in notes and "76/laughterAnnotation.csv annotates nothing" in notes
    assert "4/laughterAnnotation.csv: 1 episodes have no frames that can be" in notes
    alone = read("mahnob", tmp_path, thermal="*_heat.avi")
    assert {s.modality for s in alone.shots} == {"visible"} and "no video is named like *_heat.avi" in alone.notes


def test_mahnob_warns_where_films_or_times_do_not_fit(tmp_path):
    pytest.importorskip("cv2")
    trees.mahnob(tmp_path)
    file = next(tmp_path.rglob("S001-005_thermal.avi"))
    trees.video(file, trees.filmed(9))
    annotation = next(tmp_path.rglob("4/laughterAnnotation.csv"))
    head = "Flag,Type,Start Time (sec),End Time (sec),Start Frame,End Frame\n"
    trees.text(annotation, head + ",Laughter,4.0,5.0,2,6\n,Speech,0,0,0,2000000000\n")
    notes = " | ".join(read("mahnob", tmp_path, thermal="*_thermal.avi").notes)
    assert "has 9 frames, 25.0 a second; the visible film has 12" in notes
    assert "1 episodes start at another time" in notes and "1 episodes have no frames that can be" in notes
    annotation.write_text("Kind,From\nLaughter,1\n")
    with pytest.raises(DatasetError, match="no column endframe, startframe, type"):
        read("mahnob", tmp_path)


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
    assert warm.pixels().shape == (64, 88, 3)
    assert reading.shots[0].modality == "thermal" and np.isnan(reading.shots[0].points()[:2]).all()
    assert reading.shots[0].points()[2:] == pytest.approx(64 * TEMPLATE[2:] + (12, 0), abs=0.01)
    assert reading.shots[1].points() is None  # tracking was lost
    seen = [s for s in reading.shots if s.modality == "visible"]
    assert seen[0].points() == pytest.approx(48 * TEMPLATE + (8, 0)) and seen[1].points() is None
    assert reading.counts["women"] == 1 and any("F001_T1 (3 and 2)" in note for note in reading.notes)
    listed = trees.text(tmp_path / "list.csv", "subject,task,frame,label\nF001,T1,2,pain\nF001,T1,9,pain\n")
    own = read("mmse", tmp_path, frames=str(listed))
    assert [(s.frame, s.label) for s in own.shots if s.modality == "visible"] == [(2, "pain")]
    assert "1 chosen frames have no photograph: F001/T1/9" in own.notes
    trees.text(listed, "subject,task,frame,label\nF001,T1,2,joy\n")
    with pytest.raises(DatasetError, match="joy"):
        read("mmse", tmp_path, frames=str(listed))


def test_landmarks_that_would_fill_memory_are_not_unpacked(tmp_path, monkeypatch):
    file = tmp_path / "F001_T1.mat"
    points = {"fit": {"frame": 1, "pts_2d": np.random.default_rng(0).normal(size=(49, 2))}, "more": np.zeros(1 << 20)}
    for compressed in (False, True):
        savemat(file, points, do_compression=compressed)
        of_photo = partial(landmarks_mmse.of_photo, File(file.name, compressed, str(tmp_path)), 0)  # each its own File
        monkeypatch.setattr(mat_file, "MOST_BYTES", 9 << 20)
        assert of_photo().shape == (5, 2)
        landmarks_mmse._photos.cache_clear()
        monkeypatch.setattr(mat_file, "MOST_BYTES", 7 << 20)
        with pytest.raises(ValueError, match=r"F001_T1\.mat .* would unpack to more than 7 MB"):
            of_photo()
    assert file.stat().st_size < 1 << 16


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
