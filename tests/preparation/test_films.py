"""Films and their annotations (MMI, MAHNOB Laughter, MMSE) on small copies of their official trees."""

import shutil
from functools import partial

import numpy as np
import pytest
from scipy.io import savemat

from fercore.faces.alignment import TEMPLATE
from fercore.faces.preparation import command, landmarks_mmse, mat_file
from fercore.faces.preparation.reading import DatasetError
from fercore.faces.preparation.source import File, Source
from fercore.faces.protocols import protocols_for
from tests.preparation import trees
from tests.preparation.readings import dataset, read


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
    peaks = trees.text(tmp_path / "peaks.csv", "recording,frame\ns028-003,2\nS099-001,4\n")
    reading = read("mmi", tmp_path, peaks=str(peaks))
    assert {s.subject for s in reading.shots} == {"S028"} and [s.intensity for s in reading.shots] == [0, 0.5, 1]
    assert any("are missing: S099-001" in note for note in reading.notes)
    trees.text(peaks, "recording,frame\nS028-003,9\n")
    reading = read("mmi", tmp_path, peaks=str(peaks))
    assert not reading.shots and any("5 frames, your list says that 9 is its peak" in note for note in reading.notes)
    for content, said in (("S028-003,2\n", "no column"), ("recording,frame\nS028-003,-2\n", "no frame's number")):
        with pytest.raises(DatasetError, match=said):
            read("mmi", tmp_path, peaks=str(trees.text(peaks, content)))


def test_mmi_takes_whole_recordings_of_a_list(tmp_path):
    pytest.importorskip("cv2")
    trees.mmi(tmp_path)
    listed = trees.text(tmp_path / "list.csv", "recording\ns002-106\nS099-001\n")
    reading = read("mmi", tmp_path, recordings=str(listed))
    assert {s.subject for s in reading.shots} == {"S002"}
    assert [s.intensity for s in reading.shots] == [0, 0.5, 1, 0.5, 0]
    assert "1 recordings of list.csv are missing: S099-001" in reading.notes
    with pytest.raises(DatasetError, match="names no recording; write recording and below it S002-106"):
        read("mmi", tmp_path, recordings=str(trees.text(listed, "recording\n")))


def test_mmi_does_not_mix_peaks_with_whole_recordings(tmp_path):
    trees.text(tmp_path / "Sessions/1/S002-106.xml", "<Metadata/>")
    listed = trees.text(tmp_path / "list.csv", "recording,frame\nS028-003,2\nS002-106,\nS021-001,\n")
    with pytest.raises(DatasetError, match=r"list\.csv: S002-106 has no peak frame; .* by --recordings"):
        read("mmi", tmp_path, peaks=str(listed))
    with pytest.raises(DatasetError, match="--peaks or --recordings, not both"):
        read("mmi", tmp_path, peaks=str(listed), recordings=str(listed))


def test_mmi_with_peaks_is_a_set_of_its_own_with_its_own_protocol():
    plain = {"crop": "gcnet", "views": "front", "recordings": None, "peaks": None}
    for given, name, own in (
        ({"recordings": "my.csv"}, "mmi", ["mmi6", "mmi6sequences"]),
        ({"views": "all"}, "mmi-all", ["mmi6", "mmi6sequences"]),
        ({"peaks": "my.csv"}, "mmi-peaks", ["mmi6peaks"]),
        ({"peaks": "my.csv", "crop": "idferm", "views": "all"}, "mmi-idferm-all-peaks", ["mmi6peaks"]),
    ):
        assert command.prepared_name(dataset("mmi"), plain | given) == name
        assert protocols_for(name) == [*own, "own", "identities"]


def test_mmi_names_a_damaged_video_and_merges_downloads(tmp_path):
    pytest.importorskip("cv2")
    roots = [trees.mmi(tmp_path / part) for part in ("first", "second")]
    sessions = "mmi-facial-expression-database_download_2019-05-13_03_06_41/Sessions"
    shutil.move(roots[1] / sessions / "900", roots[1] / sessions / "950")
    (roots[1] / sessions / "950/S028-003.avi").rename(roots[1] / sessions / "950/S028-004.avi")
    (roots[1] / sessions / "950/S028-003.xml").rename(roots[1] / sessions / "950/S028-004.xml")
    next(roots[0].rglob("S028-003.avi")).write_bytes(b"#EXTM3U\nfile:///etc/passwd\n")  # a play list in disguise
    ours = dataset("mmi")
    reading = ours.read(Source(roots), {"views": "front", "peaks": None, "recordings": None})
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
