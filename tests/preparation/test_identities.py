"""Sets of identities (CASIA-WebFace, VGG-Face) on small copies of their official trees, and hostile ones."""

import struct
import time

import numpy as np
import pytest

from fercore.faces.preparation import markers
from fercore.faces.preparation.reading import DatasetError
from fercore.faces.preparation.source import Source
from tests.preparation import trees
from tests.preparation.readings import looked_at, read


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
