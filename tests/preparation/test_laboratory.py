"""Pictures from laboratories (CK+, CK+48, Oulu, JAFFE, KDEF, Multi-PIE) on small copies of their official trees."""


import pytest

from fercore.faces.alignment import TEMPLATE
from fercore.faces.preparation.reading import DatasetError, references
from tests.preparation import trees
from tests.preparation.readings import looked_at, read, shown


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
