"""Folders and archives as one list; whatever is hostile in them is refused by name."""

import io
import shutil
import stat
import zipfile

import pytest

from fercore.faces.preparation import archives
from fercore.faces.preparation import source as source_module
from fercore.faces.preparation.archives import SourceError
from fercore.faces.preparation.source import Source


def packed(file, members: dict[str, bytes], **how):
    file.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file


def paths(source) -> list[str]:
    return [file.path for file in source.files]


def test_lists_folders_and_archives_alike_without_junk(tmp_path):
    packed(
        tmp_path / "B_Images.zip",
        {"a/10.png": b"ten", "a/9.png": b"nine", "__MACOSX/a/._9.png": b"", "a/.DS_Store": b""},
    )
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "c.txt").write_text("c")
    (tmp_path / "plain" / "Thumbs.db").write_text("junk")
    source = Source([tmp_path])
    assert paths(source) == ["B_Images/a/9.png", "B_Images/a/10.png", "plain/c.txt"]  # numbers by value
    assert [file.read() for file in source.files] == [b"nine", b"ten", b"c"]
    with source.files[0].on_disk() as copy:
        assert copy.suffix == ".png" and copy.read_bytes() == b"nine"


def test_looks_into_archives_inside_archives(tmp_path):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("F001/T1/0000.jpg", b"photo")
    source = Source([packed(tmp_path / "outer.zip", {"2D+3D/F001.zip": inner.getvalue()})])
    assert paths(source) == ["outer/2D+3D/F001/F001/T1/0000.jpg"] and source.files[0].read() == b"photo"


def test_what_is_named_twice_counts_once(tmp_path):
    packed(tmp_path / "X.zip", {"X/s/1.png": b"one"})
    (tmp_path / "X" / "X" / "s").mkdir(parents=True)
    (tmp_path / "X" / "X" / "s" / "1.PNG").write_bytes(b"one")
    assert len(list(Source([tmp_path]).matching(r"s/\d\.png"))) == 1


@pytest.mark.parametrize("name", ["../out.png", "/etc/out.png", "./.", "a/../../out.png", "C:/out.png", "..\\out.png"])
def test_a_member_that_points_outside_is_refused(tmp_path, name):
    with pytest.raises(SourceError, match="points outside"):
        Source([packed(tmp_path / "x.zip", {name: b"x"})])


def test_links_out_of_the_tree_are_refused(tmp_path):
    member = zipfile.ZipInfo("link")
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(member, "/etc/passwd")
    with pytest.raises(SourceError, match="symbolic link"):
        Source([tmp_path / "x.zip"])
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "endless").symlink_to("endless")
    (tmp_path / "tree" / "a.txt").write_text("a")
    (tmp_path / "tree" / "inside").symlink_to("a.txt")
    assert paths(Source([tmp_path / "tree"])) == ["a.txt", "inside"]
    (tmp_path / "tree" / "secret").symlink_to("/etc")
    with pytest.raises(SourceError, match="a link to a place outside"):
        Source([tmp_path / "tree"])


def test_bombs_and_damage_are_refused(tmp_path):
    bomb = packed(tmp_path / "bomb.zip", {"a.png": bytes(30 << 20)})
    with pytest.raises(SourceError, match="would unpack to"):
        Source([bomb])
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "half.zip").write_bytes(bomb.read_bytes()[:-200])
    with pytest.raises(SourceError, match="not a whole zip"):
        Source([tmp_path / "cut"])
    (tmp_path / "x.tar.gz").write_bytes(b"\x1f\x8b")
    for name, said in (("x.tar.gz", "neither a folder nor a zip"), ("nowhere", "does not exist")):
        with pytest.raises(SourceError, match=said):
            Source([tmp_path / name])


def test_content_that_breaks_off_or_differs_is_named(tmp_path):
    file = packed(tmp_path / "x.zip", {"a.png": bytes(range(256)) * 40})
    content = bytearray(file.read_bytes())
    content[45:60] = bytes(15)  # inside of the compressed picture
    file.write_bytes(content)
    source = Source([file])
    with pytest.raises(SourceError, match=r"x\.zip: a\.png is damaged"):
        source.files[0].read()
    with pytest.raises(SourceError, match=r"x\.zip: a\.png is damaged"), source.files[0].on_disk():
        pass


def test_a_broken_archive_inside_another_is_named_by_its_place(tmp_path):
    with pytest.raises(SourceError, match=r"outer\.zip: in/inner\.zip is not a whole zip"):
        Source([packed(tmp_path / "outer.zip", {"in/inner.zip": b"PK no more"})])


def test_what_would_fill_memory_or_disk_is_refused(tmp_path, monkeypatch):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("a.png", b"picture")
    outer = packed(tmp_path / "outer.zip", {"inner.zip": inner.getvalue(), "film.avi": b"RIFF" * 10})
    monkeypatch.setattr(source_module, "MOST_READ", 20)
    film = next(file for file in Source([outer]).files if file.name == "film.avi")
    with pytest.raises(SourceError, match="too many for a photograph"):
        film.read()
    with film.on_disk() as copy:
        assert copy.read_bytes() == b"RIFF" * 10
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 9, 0))
    with pytest.raises(SourceError, match="no room in"):
        Source([outer])


def test_archives_within_archives_end_somewhere(tmp_path):
    content = b"end"
    for depth in range(6):
        nested = io.BytesIO()
        with zipfile.ZipFile(nested, "w") as archive:
            archive.writestr(f"{depth}.zip" if depth else "end.txt", content)
        content = nested.getvalue()
    (tmp_path / "x.zip").write_bytes(content)
    assert len(Source([tmp_path / "x.zip"]).files) == 1


def test_a_locked_archive_asks_to_be_unpacked(tmp_path):
    file = packed(tmp_path / "x.zip", {"a.png": b"x"})
    content = bytearray(file.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + offset] |= 1  # the bit that says: encrypted
    file.write_bytes(content)
    with pytest.raises(SourceError, match="password"):
        Source([file])
