"""The London set's preparation: on drawn photographs with a fake detector, and on the real ones where they are."""

import json
import os
import shutil
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
from fercore.faces.preparation import command
from fercore.faces.preparation.reading import DatasetError

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
            pixels = np.full((64, 64, 3), person * (1 + int(number)) % 256, np.uint8)
            pixels[:4, :4] = 255  # of one level all over it would pass for damaged
            Image.fromarray(pixels).save(file, "JPEG")
    (folder / "__MACOSX").mkdir()
    (folder / "__MACOSX" / "._001_03.jpg").write_bytes(b"junk")
    (folder / "001_03.txt").write_text("junk")
    return folder


def run(source, *more, detect=detector):
    asked = ["--source", str(source), "--size", "32", "--workers", "1", *map(str, more)]
    return command.main(london.LONDON, "", asked, lambda: detect)


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
    (output / "certificate.json").unlink()  # it is written last
    (output / "geometry.csv").unlink()
    assert run(source) == 0
    assert "written" in capsys.readouterr().out and (output / "geometry.csv").is_file()


def test_check_writes_nothing(source, output, capsys):
    assert run(source, "--check") == 0
    assert "subjects      102      3      99 unusual" in capsys.readouterr().out and not output.exists()


def test_its_certificate_counts_people(source, output):
    assert run(source) == 0
    content = json.loads((output / "certificate.json").read_text())
    people = next(count for count in content["counts"] if count["count"] == "subjects")
    assert people == {"count": "subjects", "expected": "102", "found": 3, "missing": 99, "verdict": "unusual"}
    assert content["images per subject"] == {"001": 2, "007": 2, "030": 2} and content["prepared with"]["size"] == 32


def test_every_crop_has_its_folder_and_its_geometry(source, output):
    for crop, shape in (("gcnet", (6, 32, 32)), ("unpaired", (6, 32, 32, 3)), ("occluded", (6, 32, 32, 3))):
        folder = output.with_name(f"london-{crop}")
        assert run(source, "--crop", crop) == 0 and FaceSet.open(folder).images.shape == shape
        assert pd.read_csv(folder / "geometry.csv")["crop_left_eye_x"].to_numpy() == pytest.approx(TEMPLATE[0, 0])
    assert not output.exists()


def test_a_zip_gives_the_same_images(source, output, tmp_path):
    packed = Path(shutil.make_archive(str(tmp_path / "london"), "zip", source))
    assert run(source) == 0 and run(packed, "--output", tmp_path / "packed") == 0
    assert (output / "images.npy").read_bytes() == (tmp_path / "packed" / "images.npy").read_bytes()
    assert (output / "manifest.csv").read_bytes() == (tmp_path / "packed" / "manifest.csv").read_bytes()


def test_links_out_of_the_folder_are_refused(source, output, tmp_path, capsys):
    elsewhere = tmp_path / "elsewhere.jpg"
    (source / "smiling_front" / "007_08.JPG").rename(elsewhere)
    (source / "smiling_front" / "007_08.JPG").symlink_to(elsewhere)
    assert "a link to a place outside" in refusal(capsys, run(source)) and not output.exists()


def refusal(capsys, code):
    """The one line on stderr that says why."""
    lines = [line for line in capsys.readouterr().err.split("\n") if "picture/s" not in line and line.strip()]
    assert code == 1 and len(lines) == 1 and lines[0].startswith("error: ")
    return lines[0]


def test_missing_partner(source, output, capsys):
    (source / "smiling_front" / "007_08.JPG").unlink()
    assert "the partner of neutral_front/007_03.jpg is missing" in refusal(capsys, run(source))
    assert not output.exists()


def test_damaged_photograph_is_named_and_left_out(source, output):
    file = source / "smiling_front" / "030_08.JPG"
    file.write_bytes(file.read_bytes()[:200])
    assert run(source) == 0
    content = json.loads((output / "certificate.json").read_text())
    assert "030_08.JPG is damaged" in content["pictures with a problem"][0]["problem"]
    geometry = pd.read_csv(output / "geometry.csv", dtype={"subject": str})
    assert (
        list(geometry["subject"]) == list(FaceSet.open(output).table["subject"]) == ["001", "001", "007", "007", "030"]
    )


def test_wrong_folder(tmp_path, output, capsys):
    assert "holds nothing like 001_03.jpg" in refusal(capsys, run(tmp_path))
    assert "does not exist" in refusal(capsys, run(tmp_path / "nowhere"))


def test_no_face(source, output, capsys):
    assert "no face was found on any of the 6" in refusal(capsys, run(source, detect=blind))


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


def test_pupils_are_compared_at_their_own_width(source, output):
    eyes = 512 * TEMPLATE[:2]
    eyes[1] += (3, 4)  # the distance is 5 pixels
    file = source / london.PUPILS
    pd.DataFrame([["007_03", *eyes.ravel()]], columns=["image", "left_x", "left_y", "right_x", "right_y"]).to_csv(file)
    assert run(source) == 0
    assert "mean 2.50, largest 5.00 pixels" in (output / "certificate.json").read_text()
    errors = london.pupil_errors(pd.read_csv(output / "geometry.csv", dtype={"subject": str}), file)
    assert list(errors["subject"]) == ["007", "007"] and errors["pixels"].to_numpy() == pytest.approx([0, 5], abs=1e-9)
    assert errors["percent"].iloc[1] == pytest.approx(500 / np.hypot(512 * 0.34 + 3, 4))
    file.write_text("something,else\n1,2\n")
    with pytest.raises(DatasetError, match=r"pupils_neutral\.csv is not the table"):
        london.pupil_errors(pd.DataFrame(), file)


def test_the_real_photographs_keep_no_position(tmp_path):
    """Smiling heads sit lower in the photographs; in the crops the eyes' place tells nothing."""
    pytest.importorskip("mediapipe", reason="mediapipe is not installed (the extra `alignment`)")
    if not REAL.is_dir():
        pytest.skip("the London photographs are not here (FERCORE_LONDON says where they are)")
    some = tmp_path / "some"
    some.mkdir()
    for file in sorted(REAL.glob("[0-9]*.jpg"))[:80]:
        shutil.copy(file, some)
    output = tmp_path / "set"
    asked = ["--source", str(some), "--output", str(output), "--workers", "1"]
    assert command.main(london.LONDON, "", asked, face_mesh) == 0
    geometry = pd.read_csv(output / "geometry.csv", dtype={"subject": str})
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
