"""Pictures from the web (RAF-DB, AffectNet, FED-RO, SFEW, FER2013) on small copies of their official trees."""

import io

import numpy as np
import pytest

from fercore.faces.alignment import TEMPLATE
from fercore.faces.preparation import markers
from fercore.faces.preparation.reading import DatasetError
from fercore.faces.preparation.source import Source
from tests.preparation import trees
from tests.preparation.readings import looked_at, read, shown


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


def test_affectnet_2017_takes_no_number_outside_its_codes_for_a_class(tmp_path):
    trees.affectnet_2017(tmp_path)
    training = tmp_path / "Manually_Annotated_file_lists/training.csv"
    for number in ("-1", "-8", "11"):
        trees.text(training, training.read_text().replace(",0,0.1,0.2", f",{number},0.1,0.2"))
        reading = read("affectnet", tmp_path, contempt="yes")
        assert "neutral" not in {s.label for s in reading.shots} and len(reading.shots) == 2
        assert "training.csv: 2 malformed rows, 0 without a face box" in reading.notes
        trees.text(training, training.read_text().replace(f",{number},0.1,0.2", ",0,0.1,0.2"))


def test_affectnet_2021_takes_no_number_outside_its_codes_for_a_class(tmp_path):
    trees.affectnet_2021(tmp_path)
    for number in (-1, -8, 11):
        np.save(tmp_path / "train_set/annotations/10_exp.npy", np.array(number))
        reading = read("affectnet", tmp_path)
        assert [s.label for s in reading.shots] == ["happiness", "neutral"]
        assert f"1 malformed labels, left out: train_set/annotations/10_exp.npy ({number})" in reading.notes
        assert reading.counts["without an expression"] == 0


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
