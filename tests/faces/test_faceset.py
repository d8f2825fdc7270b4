"""A face set comes back from disk as it was; anything damaged or contradictory is named."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from factories import small_faces

from fercore.faces.faceset import COLUMNS, FaceSet, FaceSetError


@pytest.fixture
def faces():
    faces = small_faces(subjects=3)
    faces.table.loc[4, ["intensity", "reference"]] = [np.nan, -1]
    faces.table.loc[5, "subject"] = faces.table["subject"][4]
    faces.table["subject"] = faces.table["subject"].replace({"S001": "007"})  # must not become the number 7
    faces.table["split"] = ["NA", "", "test"] * 15  # must not become missing values
    return replace(faces, credit="« crédit »")


@pytest.fixture
def folder(faces, tmp_path):
    faces.save(tmp_path / "set")
    return tmp_path / "set"


def test_comes_back_as_it_was(faces, folder):
    again = FaceSet.open(folder)
    np.testing.assert_array_equal(again.images, faces.images)
    pd.testing.assert_frame_equal(again.table, faces.table[list(COLUMNS)], check_dtype=False)
    assert (again.name, again.source, again.credit) == (faces.name, faces.source, faces.credit)
    assert isinstance(again.images, np.memmap) and not again.images.flags.writeable
    assert len(again) == 45


def test_own_folds_come_back(faces, tmp_path):
    faces.table["fold"] = faces.table["subject"].map({"S000": 3, "007": 0, "S002": 3})
    assert faces.save(tmp_path / "set").table["fold"].tolist() == faces.table["fold"].tolist()


def test_fingerprint_is_of_images_and_manifest(faces, folder, tmp_path):
    opened = FaceSet.open(folder)
    assert opened.fingerprint == faces.save(tmp_path / "copy").fingerprint != ""
    faces.table.loc[0, "intensity"] = 0.5
    assert faces.save(tmp_path / "other manifest").fingerprint != opened.fingerprint
    faces.table.loc[0, "intensity"] = 0.0
    faces.images[0, 0, 0] += 1
    assert faces.save(tmp_path / "other image").fingerprint != opened.fingerprint


def test_classes_start_with_neutral():
    assert small_faces(1, ("surprise", "anger")).classes == ["neutral", "anger", "surprise"]


def flip_a_byte(file):
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


DAMAGES = {
    "changed": flip_a_byte,
    "cut short": lambda file: file.write_bytes(file.read_bytes()[:-7]),
    "empty": lambda file: file.write_bytes(b""),
    "missing": lambda file: file.unlink(),
}


@pytest.mark.parametrize("name", ["images.npy", "manifest.csv"])
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_damaged_file_is_named_with_the_way_out(folder, name, damage):
    damage(folder / name)
    with pytest.raises(FaceSetError, match=rf"{name} is (damaged|missing).*prepare the dataset again"):
        FaceSet.open(folder)


@pytest.mark.parametrize("content", ["", "{", "null", "[]", '"text"', "{}", '{"name": "x"}', "\udcff"])
def test_damaged_description_is_named_with_the_way_out(folder, content):
    (folder / "faceset.json").write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(FaceSetError, match="faceset.json.*prepare the dataset again"):
        FaceSet.open(folder)


def test_wrong_folder_is_no_face_set(tmp_path, folder):
    (folder / "faceset.json").unlink()
    for place in (tmp_path, tmp_path / "absent", folder):
        with pytest.raises(FaceSetError, match=f"{place.name} holds no finished face set"):
            FaceSet.open(place)


CONTRADICTIONS = {
    "label": ("", "row 7 has no label or no subject"),
    "subject": ("", "row 7 has no label or no subject"),
    "reference": (45, "row 7 refers to image 45 of 45"),
}


@pytest.mark.parametrize(("column", "value", "message"), [
    *((column, *rest) for column, rest in CONTRADICTIONS.items()),
    ("label", "  ", "row 7 has no label"), ("reference", -2, "row 7 refers to image -2 of 45"),
    ("reference", 44, "row 7 has a reference image of another subject"),
])  # fmt: skip
def test_contradiction_in_the_manifest_is_refused_on_both_ways(faces, folder, column, value, message):
    faces.table.loc[7, column] = value
    with pytest.raises(FaceSetError, match=message):
        faces.save(folder)
    FaceSet.open(folder)  # the one before is untouched
    faces.table[list(COLUMNS)].to_csv(folder / "manifest.csv", index=False)  # written by somebody else
    sign(folder)
    with pytest.raises(FaceSetError, match=message):
        FaceSet.open(folder)


def test_subject_in_two_folds_is_refused_with_the_file(faces, folder):
    faces.table["fold"] = 0
    faces.table.loc[7, "fold"] = 1
    with pytest.raises(FaceSetError, match="set: subject S000 stands in 2 folds; give each subject one"):
        faces.save(folder)
    faces.table[[*COLUMNS, "fold"]].to_csv(folder / "manifest.csv", index=False)  # written by somebody else
    sign(folder)
    with pytest.raises(FaceSetError, match="manifest.csv: subject S000 stands in 2 folds"):
        FaceSet.open(folder)


def sign(folder):
    from fercore.storage import digest

    about = json.loads((folder / "faceset.json").read_text())
    about |= {f"{name}_sha256": digest(next(folder.glob(f"{name}.*"))) for name in ("images", "manifest")}
    (folder / "faceset.json").write_text(json.dumps(about))


def test_manifest_without_a_column_or_with_too_few_rows_is_refused(faces, tmp_path):
    with pytest.raises(FaceSetError, match="lacks the columns.*'frame'"):
        replace(faces, table=faces.table.drop(columns="frame")).save(tmp_path / "set")
    with pytest.raises(FaceSetError, match="45 images but 44 manifest rows"):
        replace(faces, table=faces.table[:-1]).save(tmp_path / "set")
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize("kind", [object, np.float32, np.int64])
def test_only_bytes_are_images(faces, folder, kind):
    with pytest.raises(FaceSetError, match="uint8"):
        replace(faces, images=faces.images.astype(kind)).save(folder)
    FaceSet.open(folder)
    np.save(folder / "images.npy", faces.images.astype(kind))  # a pickle, for objects
    sign(folder)
    with pytest.raises(ValueError):
        FaceSet.open(folder)


def test_saving_again_replaces_and_leaves_nothing_else(faces, folder):
    replace(faces, name="second").save(folder)
    assert FaceSet.open(folder).name == "second"
    assert [f.name for f in folder.parent.iterdir()] == ["set"]
    assert {f.name for f in folder.iterdir()} == {"images.npy", "manifest.csv", "faceset.json"}


def test_moved_folder_still_opens(folder, tmp_path):
    shutil.move(folder, tmp_path / "elsewhere")
    assert len(FaceSet.open(tmp_path / "elsewhere")) == 45


def test_resized_keeps_everything_but_the_pixels(faces):
    smaller = faces.resized(9)
    assert smaller.images.shape == (45, 9, 9) and smaller.images.dtype == np.uint8
    assert smaller.table is faces.table and smaller.name == faces.name
    assert faces.resized(17) is faces
    np.testing.assert_allclose(smaller.images.mean((1, 2)), faces.images.mean((1, 2)), atol=4)


def test_resizing_by_half_averages_and_keeps_the_order_of_images():
    table = small_faces(subjects=1, labels=("joy",), frames=3).table
    images = np.zeros((3, 8, 8), np.uint8)
    images[0, :, 4:], images[1], images[2, :4] = 200, 77, 100
    small = FaceSet("x", images, table, "open", "").resized(4).images
    assert (small[1] == 77).all()
    assert (small[0, :, 0] == 0).all() and (small[0, :, 3] == 200).all() and (small[2, 0] == 100).all()
    colour = FaceSet("x", np.stack([images] * 3, axis=-1), table, "open", "").resized(4).images
    np.testing.assert_array_equal(colour, np.stack([small] * 3, axis=-1))


def test_resizing_to_a_quarter_overlooks_no_pixel():
    table = small_faces(subjects=1, labels=("joy",), frames=2).table
    lines = np.zeros((2, 16, 16), np.uint8)
    lines[:, :, ::4] = 200
    small = FaceSet("x", lines, table, "open", "").resized(4).images
    assert (abs(small[:, :, 1:].astype(int) - 50) < 15).all()
