"""The London set's preparation: on drawn photographs with a fake detector, and on the real ones where they are."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from data_prep import london
from fercore.faces.alignment import TEMPLATE
from fercore.faces.faceset import FaceSet
from fercore.faces.landmarks import NoFaceError, face_mesh
from fercore.faces.position_leak import paired_accuracy, paired_share, place

REAL = Path(os.environ.get("FERCORE_LONDON", Path(__file__).parents[2] / "shared" / "data" / "london"))


def detector(image):
    """Claims the points of the template, whatever the image shows."""
    return TEMPLATE * image.shape[1]


def blind(image):
    raise NoFaceError("no face found")


@pytest.fixture
def source(tmp_path):
    """Three people, in two folders and with the junk that unpacking leaves behind."""
    folder = tmp_path / "source"
    for person in (7, 1, 30):
        for place_, number, suffix in (("neutral_front", "03", "jpg"), ("smiling_front", "08", "JPG")):
            file = folder / place_ / f"{person:03d}_{number}.{suffix}"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((64, 64, 3), person * (1 + int(number)) % 256, np.uint8)).save(file, "JPEG")
    (folder / "__MACOSX").mkdir()
    (folder / "__MACOSX" / "._001_03.jpg").write_bytes(b"junk")
    (folder / "001_03.txt").write_text("junk")
    return folder


def run(source, *more, detect=detector):
    return london.main(["--source", str(source), "--size", "32", *map(str, more)], detect)


@pytest.fixture
def output(tmp_path, monkeypatch):
    monkeypatch.setenv("FERCORE_DATA", str(tmp_path / "data"))
    return tmp_path / "data" / "prepared" / "london"


def test_writes_the_set_and_its_geometry(source, output):
    assert run(source) == 0
    faces = FaceSet.open(output)
    assert (faces.name, faces.source, faces.images.shape) == ("london", "open", (6, 32, 32))
    assert "DeBruine & Jones" in faces.credit and "CC BY 4.0" in faces.credit
    table = faces.table
    assert list(table["subject"]) == ["001", "001", "007", "007", "030", "030"]
    assert list(table["label"]) == ["neutral", "happiness"] * 3 and list(table["frame"]) == [0, 1] * 3
    assert list(table["reference"]) == [0, 0, 2, 2, 4, 4] and set(table["sequence"]) == {"1"}
    assert (table["intensity"][::2] == 0).all() and table["intensity"][1::2].isna().all()
    assert abs(int(faces.images[2].mean()) - 28) <= 1 and abs(int(faces.images[3].mean()) - 63) <= 1  # person 007
    geometry = pd.read_csv(output / "geometry.csv")
    assert list(geometry["label"]) == list(table["label"]) and geometry["photo_width"].eq(64).all()
    assert geometry["photo_left_eye_x"].to_numpy() == pytest.approx(64 * TEMPLATE[0, 0])
    assert geometry["crop_right_mouth_y"].to_numpy() == pytest.approx(TEMPLATE[4, 1])


def test_a_second_call_finds_it_done(source, output, capsys):
    assert run(source) == 0
    written = (output / "faceset.json").stat().st_mtime_ns
    assert run(source) == 0
    assert "done already" in capsys.readouterr().out
    assert (output / "faceset.json").stat().st_mtime_ns == written
    assert run(source, "--size", 48) == 1
    assert "--force replaces it" in capsys.readouterr().err
    assert run(source, "--size", 48, "--force") == 0
    assert FaceSet.open(output).images.shape[1:] == (48, 48)


def test_an_interrupted_preparation_is_done_again(source, output, capsys):
    assert run(source) == 0
    (output / "geometry.csv").unlink()  # it is written last
    assert run(source) == 0
    assert "written" in capsys.readouterr().out and (output / "geometry.csv").is_file()


def test_check_writes_nothing(source, output, capsys):
    assert run(source, "--check") == 0
    assert "3 of 102 people" in capsys.readouterr().out and not output.exists()


def test_five_points_get_a_folder_of_their_own(source, output):
    assert run(source, "--fit", "five_points") == 0
    content = json.loads((output.with_name("london_five_points") / "certificate.json").read_text())
    assert content["counts"][0] == {
        "count": "people",
        "expected": "102",
        "found": 3,
        "missing": 99,
        "verdict": "unusual",
    }
    assert content["images per subject"] == {"001": 2, "007": 2, "030": 2} and content["prepared with"]["size"] == 32
    assert FaceSet.open(output.with_name("london_five_points")).name == "london_five_points" and not output.exists()


def refusal(capsys, code):
    """The one line on stderr that says why."""
    lines = [line for line in capsys.readouterr().err.split("\n") if "person" not in line and line.strip()]
    assert code == 1 and len(lines) == 1 and lines[0].startswith("error: ")
    return lines[0]


def test_missing_partner(source, output, capsys):
    (source / "smiling_front" / "007_08.JPG").unlink()
    assert "007_08.jpg is missing" in refusal(capsys, run(source))
    assert not output.exists()


def test_repeated_photograph(source, output, capsys):
    (source / "007_03.jpg").write_bytes((source / "neutral_front" / "007_03.jpg").read_bytes())
    assert "007_03.jpg repeats" in refusal(capsys, run(source))


def test_damaged_photograph(source, output, capsys):
    file = source / "smiling_front" / "030_08.JPG"
    file.write_bytes(file.read_bytes()[:200])
    assert "030_08.JPG is damaged" in refusal(capsys, run(source))
    assert not output.exists()


def test_wrong_folder(tmp_path, output, capsys):
    assert "holds no NNN_03.jpg" in refusal(capsys, run(tmp_path))
    assert "is not a folder" in refusal(capsys, run(tmp_path / "nowhere"))


def test_no_face(source, output, capsys):
    assert "001_03.jpg: no face found" in refusal(capsys, run(source, detect=blind))


def test_a_folder_of_something_else_is_never_overwritten(source, output, tmp_path, capsys):
    precious = tmp_path / "thesis"
    precious.mkdir()
    (precious / "chapter.txt").write_text("two years of work")
    for force in ((), ("--force",)):
        assert "would be overwritten" in refusal(capsys, run(source, "--output", precious, *force))
    assert (precious / "chapter.txt").read_text() == "two years of work"


def test_crops_without_a_face_are_nan(source, output, capsys):
    def only_photographs(image):
        return detector(image) if image.shape[0] == 64 else blind(image)

    assert run(source, detect=only_photographs) == 0
    assert "no face found again on 6 of 6 crops" in capsys.readouterr().out
    assert pd.read_csv(output / "geometry.csv")["crop_nose_x"].isna().all()


def test_pupils_are_compared_at_their_own_width(source, tmp_path):
    _, geometry = london.prepare(london.find_photos(source), detector, 32)
    eyes = 512 * TEMPLATE[:2]
    eyes[1] += (3, 4)  # the distance is 5 pixels
    file = tmp_path / "pupils.csv"
    pd.DataFrame([["007_03", *eyes.ravel()]], columns=["image", "left_x", "left_y", "right_x", "right_y"]).to_csv(file)
    errors = london.pupil_errors(geometry, file)
    assert list(errors["subject"]) == ["007", "007"] and errors["pixels"].to_numpy() == pytest.approx([0, 5], abs=1e-9)
    assert errors["percent"].iloc[1] == pytest.approx(500 / np.hypot(512 * 0.34 + 3, 4))
    file.write_text("something,else\n1,2\n")
    with pytest.raises(london.LondonError, match=r"pupils\.csv"):
        london.pupil_errors(geometry, file)


def test_the_real_photographs_keep_no_position(tmp_path):
    """Smiling heads sit lower in the photographs; in the crops the eyes' place tells nothing."""
    pytest.importorskip("mediapipe", reason="mediapipe is not installed (the extra `alignment`)")
    if not REAL.is_dir():
        pytest.skip("the London photographs are not here (FERCORE_LONDON says where they are)")
    photos = london.find_photos(REAL)
    _, geometry = london.prepare(dict(list(photos.items())[:40]), face_mesh())
    if (REAL / london.PUPILS).is_file():
        errors = london.pupil_errors(geometry, REAL / london.PUPILS)
        assert errors["percent"].mean() < 2.5 and errors["percent"].max() < 6
    eyes = {}
    for where in ("photo", "crop"):
        sides = (geometry[[f"{where}_{side}_eye_{axis}" for axis in "xy"]].to_numpy() for side in ("left", "right"))
        eyes[where] = place(*sides)
    assert np.abs(eyes["crop"][:, :3] - (0.5, 0.36, 0.34)).max() < 0.015  # 2 pixels of 132
    neutral, smiling = eyes["photo"][::2], eyes["photo"][1::2]
    assert paired_share(neutral[:, 1], smiling[:, 1]).low > 0.9 and paired_accuracy(neutral, smiling) > 0.9
    neutral, smiling = eyes["crop"][::2], eyes["crop"][1::2]
    assert paired_share(neutral[:, 1], smiling[:, 1]).low < 0.5 and paired_accuracy(neutral, smiling) < 0.75
