"""From a tree to a face set: the papers' crops, faces that are not found, interruption, certificates, exit codes."""

import json
import os
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from data_prep import status
from data_prep.ck48 import CK48
from data_prep.ckplus import CKPLUS
from data_prep.jaffe import JAFFE
from data_prep.kdef import KDEF
from data_prep.mmi import MMI
from data_prep.oulu import OULU
from fercore.faces import faceset, sources
from fercore.faces.alignment import TEMPLATE
from fercore.faces.faceset import FaceSet
from fercore.faces.landmarks import NoFaceError
from fercore.faces.preparation import certificate, command, cutting, pipeline
from fercore.faces.preparation.framing import CROPS, evenly_lit, framed
from fercore.faces.preparation.reading import Expected, known
from fercore.faces.protocols import protocols_for
from fercore.known import prepared
from tests.preparation import trees


def sees():
    """A detector that finds a face where it belongs in every picture."""
    return lambda image: TEMPLATE * (image.shape[1], image.shape[0])


def blind():
    def detect(image):
        raise NoFaceError("no face found")

    return detect


def now_and_then():
    """A detector that fails on dark pictures."""

    def detect(image):
        if image.mean() < 100:
            raise NoFaceError("no face found")
        return TEMPLATE * (image.shape[1], image.shape[0])

    return detect


def stopping():
    """A detector interrupted at the ninth picture."""
    seen = []

    def detect(image):
        seen.append(image)
        if len(seen) == 9:
            raise KeyboardInterrupt
        return sees()(image)

    return detect


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("FERCORE_DATA", str(tmp_path / "data"))
    return tmp_path / "data" / "prepared"


def run(dataset, source, *more, detector=sees):
    return command.main(dataset, "about", ["--source", str(source), "--workers", "1", *map(str, more)], detector)


def unexpecting(dataset):
    return replace(dataset, expected={})


def test_prepares_checks_and_recognises_what_is_done(tmp_path, data, capsys):
    tree = trees.oulu(tmp_path / "tree")
    ours = replace(OULU, expected={"sequences": known(4), "people": Expected(3, 9, False)})
    assert run(ours, tree, "--check") == 0 and not data.exists()
    assert run(ours, tree) == 0
    faces = FaceSet.open(data / "oulu")
    assert (faces.source, faces.images.shape, len(faces)) == ("licensed", (16, 132, 132), 16)
    assert list(faces.table["reference"][:5]) == [0, 0, 0, 0, 4] and faces.classes == ["neutral", "anger", "happiness"]
    content = json.loads((data / "oulu" / "certificate.json").read_text())
    assert content["faces by how they were found"] == {"detected": 16} and content["fingerprint"] == faces.fingerprint
    assert [(c["count"], c["verdict"]) for c in content["counts"][:2]] == [
        ("people", "unusual"),
        ("sequences", "as expected"),
    ]
    assert "<h1>Oulu-CASIA</h1>" in (data / "oulu" / "certificate.html").read_text()
    assert run(ours, tree) == 0 and "done already" in capsys.readouterr().out


def test_verified_counts_that_differ_fail_and_others_warn(tmp_path, data, capsys):
    tree = trees.oulu(tmp_path / "tree")
    assert run(OULU, tree, "--check") == 1
    assert run(OULU, tree) == 1 and "--incomplete" in capsys.readouterr().err and not data.exists()
    assert run(OULU, tree, "--incomplete") == 1 and len(FaceSet.open(data / "oulu")) == 16


def test_a_wrong_folder_is_one_line(tmp_path, data, capsys):
    assert run(OULU, trees.kdef(tmp_path / "tree")) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "looks like kdef" in error


def test_official_landmarks_come_first_and_colour_is_made_gray(tmp_path, data):
    tree = trees.ckplus(tmp_path / "tree")
    trees.photo(tree / "extended-cohn-kanade-images/cohn-kanade-images/S005/001/S005_001_00000002.png", 5, colour=True)
    assert run(unexpecting(CKPLUS), tree, detector=blind) == 0
    about = json.loads((data / "ckplus" / "certificate.json").read_text())
    assert about["faces by how they were found"] == {"official": 10}


def test_faces_that_are_not_found_take_the_previous_place_or_are_left_out_by_name(tmp_path, data):
    tree = tmp_path / "tree"
    levels = {("P001", "Anger"): (200, 50, 50), ("P001", "Fear"): (50, 200, 200)}
    for (subject, label), grays in levels.items():
        for frame, gray in enumerate(grays):
            file = trees.photo(tree / f"VL/Strong/{subject}/{label}/{frame:03d}.jpeg")
            trees.Image.fromarray(gray + trees.pixels(frame, 40, 40) // 16).save(file)
    trees.Image.fromarray(np.zeros((40, 40), np.uint8)).save(tree / "VL/Strong/P001/Fear/003.jpeg")
    (tree / "VL/Strong/P001/Fear/002.jpeg").write_bytes(b"\xff\xd8\xff\xe0 cut off")
    assert run(unexpecting(OULU), tree, detector=now_and_then) == 0
    framing = pd.read_csv(data / "oulu" / "framing.csv")
    assert list(framing["how"]) == ["detected", "previous", "previous", "excluded", "detected", "damaged", "damaged"]
    assert "002.jpeg is damaged" in framing["problem"][5] and "shows nothing" in framing["problem"][6]
    table = FaceSet.open(data / "oulu").table
    assert list(table["frame"]) == [0, 1, 2, 1] and list(table["reference"]) == [0, 0, 0, -1]
    content = json.loads((data / "oulu" / "certificate.json").read_text())
    named = [(row["picture"][-8:], row["how"]) for row in content["pictures with a problem"]]
    assert named == [("000.jpeg", "excluded"), ("002.jpeg", "damaged"), ("003.jpeg", "damaged")]


def test_a_picture_of_another_size_and_damaged_landmarks_are_named_and_do_no_harm(tmp_path, data):
    tree = trees.ckplus(tmp_path / "tree")
    images = tree / "extended-cohn-kanade-images/cohn-kanade-images/S005/001"
    trees.photo(images / "S005_001_00000003.png", 5, width=640, height=490)
    marks = tree / "Landmarks/Landmarks/S005/001"
    (marks / "S005_001_00000003_landmarks.txt").unlink()
    (marks / "S005_001_00000002_landmarks.txt").write_text("1 2\n3 nan")
    (images / ".DS_Store").write_bytes(b"junk")
    assert run(unexpecting(CKPLUS), tree, detector=blind) == 0
    framing = pd.read_csv(data / "ckplus" / "framing.csv")
    assert list(framing["how"][:4]) == ["official", "previous", "excluded", "official"]  # no place in another size
    assert run(unexpecting(CKPLUS), tree, "--force", detector=sees) == 0
    framing = pd.read_csv(data / "ckplus" / "framing.csv").fillna("")
    assert list(framing["how"][:4]) == ["official", "detected", "detected", "official"]
    assert "S005_001_00000002_landmarks.txt does not hold 68 landmarks" in framing["problem"][1]
    assert framing["problem"][2] == "its size is 640 x 490, that of the sequence 64 x 48"
    assert list(framing["problem"][3:]) == [""] * (len(framing) - 3)


@pytest.mark.parametrize("far", ["2e4", "1e7", "-1e200", "1e308"])
@pytest.mark.parametrize("eye", [37, 40])
def test_landmarks_far_outside_are_named_and_do_no_harm(tmp_path, data, far, eye):
    tree = trees.ckplus(tmp_path / "tree")
    file = tree / "Landmarks/Landmarks/S005/001/S005_001_00000002_landmarks.txt"
    lines = file.read_text().splitlines()
    lines[eye] = f"{far} 24.0"
    file.write_text("\n".join(lines))
    assert run(unexpecting(CKPLUS), tree, detector=sees) == 0
    framing = pd.read_csv(data / "ckplus" / "framing.csv").fillna("")
    assert list(framing["how"][:3]) == ["official", "detected", "official"]
    assert framing["problem"][1] == "its landmarks lie far outside of its 64 x 48 pixels"


def test_landmarks_a_little_outside_and_unknown_ones_are_taken():
    shape, points = (48, 64, 3), 48 * TEMPLATE
    points[0], points[3] = np.nan, (-20, 60)
    assert not cutting._far_outside(points, shape)
    for place in ((-40, 0), (100, 0), (0, -30), (0, 80)):
        points[3] = place
        assert cutting._far_outside(points, shape)


def test_the_middle_of_an_already_cropped_picture_will_do(tmp_path, data):
    tree = trees.jaffe(tmp_path / "tree")
    assert run(unexpecting(JAFFE), tree, detector=blind) == 0
    assert set(pd.read_csv(data / "jaffe" / "framing.csv")["how"]) == {"middle"}


def test_nothing_found_at_all_is_an_error(tmp_path, data, capsys):
    assert run(unexpecting(OULU), trees.oulu(tmp_path / "tree"), detector=blind) == 1
    assert "no face was found on any of the 16 pictures" in capsys.readouterr().err


def test_another_crop_is_another_set(tmp_path, data):
    tree = trees.oulu(tmp_path / "tree")
    for crop in ("gcnet", "unpaired", "idferm"):
        assert run(unexpecting(OULU), tree, "--crop", crop) == 0
    assert run(unexpecting(OULU), tree, "--camera", "NI") == 0
    assert len(FaceSet.open(data / "oulu-ni")) == 4 and protocols_for("oulu-ni")[0] == "oulu6"
    assert FaceSet.open(data / "oulu-unpaired").images.shape == (16, 224, 224, 3)
    assert FaceSet.open(data / "oulu-idferm").images.shape == (16, 64, 64)


def test_what_was_prepared_otherwise_does_not_pass_for_done(tmp_path, data, capsys):
    tree = trees.kdef(tmp_path / "tree")
    assert run(unexpecting(KDEF), tree) == 0
    for other in (("--views", "S,FL"), ("--size", "64")):
        assert run(unexpecting(KDEF), tree, *other) == 1
        assert "was prepared with" in capsys.readouterr().err
    assert run(unexpecting(KDEF), tree, "--views", "S,FL", "--force") == 0 and len(FaceSet.open(data / "kdef")) == 6
    peaks = trees.text(tmp_path / "private" / "peaks.csv", "recording,frame\n")
    asked = command._asked(
        MMI, {"crop": "gcnet", "size": None, "views": "front", "recordings": None, "peaks": str(peaks)}
    )
    assert asked["size"] == 132 and asked["peaks"].startswith("peaks.csv ") and "private" not in asked["peaks"]


def test_an_interrupted_preparation_goes_on_and_ends_with_the_same_bits(tmp_path, data, monkeypatch):
    tree = trees.oulu(tmp_path / "tree")
    monkeypatch.setattr(pipeline, "BLOCK", 4)
    assert run(unexpecting(OULU), tree) == 0
    whole = np.array(FaceSet.open(data / "oulu").images)
    shutil.rmtree(data / "oulu")
    seen = []

    def tiring():
        def detect(image):
            seen.append(image)
            if len(seen) == 10:
                raise KeyboardInterrupt
            return sees()(image)

        return detect

    assert run(unexpecting(OULU), tree, detector=tiring) == 130
    assert not (data / "oulu").exists()
    assert run(unexpecting(OULU), tree, detector=tiring) == 0
    assert len(seen) == 10 + 8  # two blocks of four were done
    assert np.array_equal(FaceSet.open(data / "oulu").images, whole) and not list(data.glob(".*"))


def test_two_processes_make_what_one_makes(tmp_path, data, monkeypatch):
    tree = trees.oulu(tmp_path / "tree")
    monkeypatch.setattr(pipeline, "BLOCK", 4)
    one, two = (tmp_path / name for name in ("one", "two"))
    assert run(unexpecting(OULU), tree, "--output", one) == 0
    assert run(unexpecting(OULU), tree, "--output", two, "--workers", 2) == 0
    assert np.array_equal(FaceSet.open(one).images, FaceSet.open(two).images)


def test_a_process_that_dies_is_said_and_the_next_call_goes_on(tmp_path, data, capsys, monkeypatch):
    tree = trees.oulu(tmp_path / "tree")
    monkeypatch.setattr(pipeline, "BLOCK", 4)

    def deadly():
        return lambda image: os._exit(9)

    assert run(unexpecting(OULU), tree, "--workers", 2, detector=deadly) == 1
    assert "a process died" in capsys.readouterr().err
    assert run(unexpecting(OULU), tree) == 0


def test_two_preparations_of_one_set_do_not_mix(tmp_path, data, capsys):
    tree = trees.oulu(tmp_path / "tree")
    with pipeline._only_here(data / ".oulu.unfinished"):
        assert run(unexpecting(OULU), tree) == 1
    assert "another process is preparing oulu now" in capsys.readouterr().err
    assert run(unexpecting(OULU), tree) == 0


def test_a_replaced_file_is_not_taken_from_what_was_interrupted(tmp_path, data, monkeypatch):
    monkeypatch.setattr(pipeline, "BLOCK", 4)
    tree = trees.oulu(tmp_path / "tree")
    file = tree / "B_OriginalImg/OriginalImg/VL/Strong/P001/Anger/001.jpeg"
    whole = file.read_bytes()
    file.write_bytes(whole[:200])
    assert run(unexpecting(OULU), tree, detector=stopping) == 130
    file.write_bytes(whole)
    assert run(unexpecting(OULU), tree) == 0 and len(FaceSet.open(data / "oulu")) == 16


def test_killed_while_saving_it_need_not_cut_again(tmp_path, data, monkeypatch):
    tree = trees.oulu(tmp_path / "tree")
    monkeypatch.setattr(faceset, "digest", lambda *_: (_ for _ in ()).throw(MemoryError("stands for a kill")))
    with pytest.raises(MemoryError):
        run(unexpecting(OULU), tree)
    monkeypatch.undo()
    monkeypatch.setenv("FERCORE_DATA", str(data.parent))
    assert run(unexpecting(OULU), tree, detector=blind) == 0 and len(FaceSet.open(data / "oulu")) == 16


def test_a_set_moved_away_by_a_killed_preparation_is_found_again(tmp_path, data, capsys):
    tree = trees.oulu(tmp_path / "tree")
    assert run(unexpecting(OULU), tree) == 0

    def killed():
        (data / "oulu").rename(data / ".oulu.abcdefgh.former")
        shutil.copytree(data / ".oulu.abcdefgh.former", data / ".oulu.abcdefgh.new")

    killed()
    assert run(unexpecting(OULU), tree) == 0 and "done already" in capsys.readouterr().out
    killed()
    assert len(sources.open_faces("oulu", "prepared", 66)) == 16
    killed()
    assert prepared() == [*status._found()] == ["oulu"] and not list(data.glob(".*"))
    shutil.copytree(data / "oulu", data / ".oulu.abcdefgh.new")  # being written
    assert prepared() == [*status._found()] == ["oulu"]


def test_a_folder_that_is_no_prepared_set_is_not_overwritten(tmp_path, data, capsys):
    trees.text(tmp_path / "mine" / "thesis.txt", "years of work")
    assert run(unexpecting(OULU), trees.oulu(tmp_path / "tree"), "--output", tmp_path / "mine") == 1
    assert "would be overwritten" in capsys.readouterr().err and (tmp_path / "mine" / "thesis.txt").is_file()


@pytest.mark.parametrize("name", CROPS)
def test_every_crop_puts_the_face_where_it_says(name):
    image = trees.pixels(0, 200, 160, colour=True)
    face, how, points = framed(image, CROPS[name], None, sees(), None, False)
    shape = (CROPS[name].size,) * 2 + ((3,) if CROPS[name].colour else ())
    assert face.shape == shape and face.dtype == np.uint8
    assert (how, points is None) == (("whole", True) if name.startswith("whole") else ("detected", False))


def test_evenly_lit_takes_a_plane_of_light_away():
    y, x = np.mgrid[:64, :64]
    texture = np.random.default_rng(0).normal(0, 12, (64, 64))
    lit, unlit = (np.clip(128 + texture + tilt * (x - 32), 0, 255).astype(np.uint8) for tilt in (1.2, 0))
    assert np.corrcoef(evenly_lit(lit).ravel(), evenly_lit(unlit).ravel())[0, 1] > 0.97
    assert abs(np.polyfit(x.ravel(), evenly_lit(lit).ravel(), 1)[0]) < 0.05
    levels = np.bincount(evenly_lit(lit).ravel(), minlength=256)
    assert levels.max() < 60  # 4096 pixels over 256 levels: about 16 each


def test_compared_counts_put_differences_first():
    table = certificate.compared(
        {"a": known(1), "b": Expected(1, 2, False), "c": known(5)}, {"a": 1, "b": 3, "c": 4, "d": 7}
    )
    assert list(table["missing"]) == [1, "", "", ""]
    assert certificate.verdict(table) == "differs from the published one in c"
    assert certificate.verdict(table[1:]) == "has every verified count of the published one"
    assert list(table["count"]) == ["c", "b", "a", "d"]
    assert list(table["verdict"]) == ["differs", "unusual", "as expected", ""]


def test_certificate_page_is_safe_to_show():
    page = certificate.page({"dataset": "<script>", "notes": ["<img onerror=x>"], "counts": [{"count": "<b>"}]})
    assert "<script>" not in page and "<img" not in page and "<b>" not in page


def test_status_lists_every_dataset_and_the_notebooks_that_run(tmp_path, data, capsys):
    run(unexpecting(OULU), trees.oulu(tmp_path / "tree"))
    run(unexpecting(OULU), tmp_path / "tree", "--crop", "unpaired")
    run(unexpecting(CK48), trees.ck48(tmp_path / "ck48"))
    assert status.main([]) == 0
    shown = status.rows().set_index("set")
    assert shown.loc["oulu", "prepared"] == "yes" and shown.loc["ckplus", "prepared"] == "no"
    assert "gcnet" in shown.loc["oulu", "papers"] and len(shown) == 18
    assert shown.loc["oulu", "counts"] == "0 as expected, 0 differs, 0 unusual"
    pages = status.notebooks().set_index("notebook")["runs"]
    assert pages["gcnet/table5_oulu"] == "oulu, oulu-unpaired (colour)"
    assert pages["gcnet/table4_mmi"] == "no: python data_prep/mmi.py --source DIR"
    scripts = " and ".join(f"data_prep/{name}.py" for name in ("affectnet", "fedro", "rafdb"))
    assert pages["occluded/table3_fedro"] == f"no: python {scripts} --source DIR"
    assert pages["gcnet/run_fold"] == "ck48 (no reference), oulu, oulu-unpaired (colour)"


@pytest.mark.parametrize("size", ["5", "4000", "wide"])
def test_a_size_that_cannot_be_is_refused_with_those_that_can(size, tmp_path, data, capsys):
    with pytest.raises(SystemExit):
        run(unexpecting(KDEF), tmp_path, "--size", size)
    assert f"'{size}' is no size; valid: 16 to 512 pixels" in capsys.readouterr().err
