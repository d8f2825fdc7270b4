"""Sets of identities (CASIA-WebFace, VGG-Face) on small copies of their official trees, and hostile ones."""

import struct
import time
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest

from fercore import runs
from fercore.faces.alignment import TEMPLATE
from fercore.faces.faceset import FaceSetError
from fercore.faces.preparation import command, markers
from fercore.faces.preparation.reading import DatasetError, references
from fercore.faces.preparation.source import Source
from fercore.runs import RunSpec
from tests.preparation import trees
from tests.preparation.readings import dataset, looked_at, read


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


PEOPLE = [f"Person_{n:02d}" for n in range(12)]


def vggface(root, people=PEOPLE):
    """Each with two curated images and one that is not."""
    for n, name in enumerate(people):
        lines = (f"{i:08d} http://a.b/c.jpg 2 2 44 44 {3.0 - i} 4.2 {i < 2:d}\n" for i in range(3))
        trees.text(root / f"vgg_face_dataset/files/{name}.txt", "".join(lines))
        for i in range(3):
            trees.photo(root / f"images/{name}/{i:08d}.jpg", 3 * n + i, width=48, colour=True)
    return root


def targets(root, *lines):
    return str(trees.text(root / "targets.txt", "\n".join(lines) + "\n"))


def test_vggface_takes_the_targets_of_a_list_and_leaves_out_who_has_none(tmp_path):
    vggface(tmp_path, ["A", "B", "C"])
    (tmp_path / "images/C/00000001.jpg").write_bytes(b"no photograph")
    listed = targets(tmp_path, "\ufeffimages/A/00000001.jpg", "", " C/00000001.jpg ")
    reading = read("vggface", tmp_path, targets=listed)
    assert [(s.subject, s.sequence, s.label) for s in reading.shots] == [
        ("A", "00000000", "unknown"), ("A", "00000001", "neutral"),
    ]  # fmt: skip
    assert list(references(reading.shots, dataset("vggface").reference)) == [1, 1]
    assert reading.counts["identities"] == 3 and reading.notes[0] == "6 of 6 listed images are there"
    assert reading.notes[1].startswith("targets.txt, line 3: images/C/00000001.jpg is damaged")
    assert reading.notes[2:] == ["2 people are left out, without a target: B, C"]
    plain = read("vggface", tmp_path)
    assert set(references(plain.shots, "subject")) == {-1} and {s.label for s in plain.shots} == {"unknown"}


WRONG = {
    "no image": (["A/00000001.jpg", "A/00000009.jpg"], r"targets\.txt, line 2: 'A/00000009\.jpg' is no image of the"),
    "no path": (["neutral"], "line 1: 'neutral' is no image"),
    "out of the source": (["../images/A/00000001.jpg"], "line 1: .* is no image of the source"),
    "absolute": (["/etc/A/00000001.jpg"], "line 1: .* is no image of the source"),
    "long": (["A/" * 100_000 + "00000001.jpg"], "line 1: .{0,120}is no image of the source"),
    "two of one": (["A/00000001.jpg", "A/00000000.jpg"], r"line 2: A has a target already, targets\.txt, line 1"),
    "not curated": (["A/00000002.jpg"], "line 1: this image is not listed, or not as curated"),
    "no list of it": (["D/00000001.jpg"], "line 1: no list of vgg_face_dataset is of this person"),
    "damaged": (["A/00000000.jpg"], "not one target of .* line 1: .* is damaged"),
    "empty": ([""], "names no image; write one line per person"),
}


@pytest.mark.parametrize("what", WRONG)
def test_vggface_refuses_targets_that_cannot_be_by_their_line(tmp_path, what):
    vggface(tmp_path, ["A", "B"])
    trees.photo(tmp_path / "images/D/00000001.jpg")
    (tmp_path / "images/A/00000000.jpg").write_bytes(b"no photograph")
    lines, said = WRONG[what]
    with pytest.raises(DatasetError, match=said):
        read("vggface", tmp_path, targets=targets(tmp_path, *lines))


def test_vggface_refuses_a_list_of_targets_that_is_no_text_or_too_large(tmp_path, monkeypatch):
    vggface(tmp_path, ["A"])
    (tmp_path / "targets.txt").write_bytes(b"A/\xff\xfe.jpg")
    for file in ("targets.txt", "missing.txt", "images"):
        with pytest.raises(DatasetError, match="is no text that can be read"):
            read("vggface", tmp_path, targets=str(tmp_path / file))
    monkeypatch.setattr(import_module("data_prep.vggface"), "MOST_BYTES", 1 << 20)
    with pytest.raises(DatasetError, match="more than 1 MB"):
        read("vggface", tmp_path, targets=targets(tmp_path, "A/00000001.jpg\n" * 100_000))


def test_idferm_trains_its_generator_on_vggface_with_targets_and_says_where_they_are_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("FERCORE_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(runs, "_pretrained", lambda *_: ({}, []))  # the stand-in of VGG-Face would be trained first
    row = RunSpec("idferm", "IDFERM", "ckplus", "ckplus7", 0, "smoke")
    spec = replace(runs.pretraining_of(row, "HNG_vggface"), source="prepared")  # as at tier paper
    tree = vggface(tmp_path / "tree")

    def prepared(*more):
        asked = ["--source", str(tree), "--workers", "1", *more]
        return command.main(dataset("vggface"), "", asked, lambda: lambda image: TEMPLATE * (48, 48)) == 0

    assert prepared()
    with pytest.raises(FaceSetError, match=r"vggface: terms .* need a neutral face .*: prepare vggface with --targets"):
        runs.begin(spec)
    assert prepared("--force", "--targets", targets(tmp_path, *(f"{name}/00000001.jpg" for name in PEOPLE[:11])))
    begun = runs.begin(spec)
    table = begun.faces.table
    assert len(table) == 22 and (table["label"][table["reference"]] == "neutral").all()
    (batch,) = list(begun.examples.in_order())
    losses = begun.method.step(batch)
    assert len(batch.image) == 18 and {"feat", "id", "pixel", "sym", "GAN"} <= set(losses)
    assert np.isfinite([float(loss) for loss in losses.values()]).all()


def test_vggface_reads_hostile_lists_in_no_time(tmp_path):
    trees.vggface(tmp_path)
    line = "00000009 http://x" + " 1" * 200_000 + " " * 200_000 + "x\n"
    trees.text(tmp_path / "vgg_face_dataset/files/B.txt", line + "00000001 http://x nan 1 inf 1 1 1 1\n")
    started = time.perf_counter()
    assert len(read("vggface", tmp_path).shots) == 1 and time.perf_counter() - started < 2
