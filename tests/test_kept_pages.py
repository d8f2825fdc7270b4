"""Rendered pages that are part of the repository: small, stamped, and named in the README."""

import base64
import csv
import io
import json
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_output
from PIL import Image
from website_factories import ABOUT, ARTEFACTS, LOST, RUN, notebook, write_results

from fercore import paths
from fercore.website import __main__ as command
from fercore.website import kept
from fercore.website.artefacts import listed

KEPT = sorted(kept.place().rglob("*.ipynb"))
NAMES = [file.relative_to(kept.place()).as_posix() for file in KEPT]
DIRTY = re.compile(r"(/home|/root|/tmp|/work|/Users|C:\\\\)/")


@pytest.fixture
def store(tmp_path, monkeypatch):
    """Rendered results of this test's own, whose pages name the commit they were made at."""
    monkeypatch.setenv("FERCORE_RESULTS", str(tmp_path / "results"))
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    (tmp_path / "results" / "published").mkdir(parents=True)
    with open(paths.published() / "artefacts.csv", "w") as file:
        csv.writer(file).writerows([("paper", "artefact", "page", "notebook", "title", "command"), *ARTEFACTS])
    write_results(tmp_path / "results")
    (tmp_path / "results" / "figures").mkdir()
    (tmp_path / "results" / "figures" / "verdict_overview.png").write_bytes(b"drawn")
    (tmp_path / "results" / "notebooks" / "gcnet" / "pretraining.failed.ipynb").unlink()
    for name in ("gcnet/table2_ckplus7", "occluded/real_faces_london"):
        noted(tmp_path / "results", name)
    return tmp_path / "results"


def noted(results, name, commit="abcdef0123", **metadata):
    """A page that notes its commit."""
    page = notebook(name, [], results / "executed")
    page.metadata.fercore.update(commit=commit, **metadata)
    nbformat.write(page, results / "notebooks" / f"{name}.ipynb")


def test_artefacts_are_kept_with_a_stamp_and_single_folds_are_not(store, capsys):
    assert command.main(["--keep"]) == 0
    assert "3 files kept in results/rendered, 0.0 MB" in capsys.readouterr().out
    assert (store / "rendered" / "verdict_overview.png").read_bytes() == b"drawn"
    files = sorted(file.relative_to(store / "rendered").as_posix() for file in (store / "rendered").rglob("*.ipynb"))
    assert files == ["gcnet/table2_ckplus7.ipynb", "occluded/real_faces_london.ipynb"]
    page = nbformat.read(store / "rendered" / files[0], as_version=4)
    nbformat.validate(page)
    assert page.cells[1].source == "*tier smoke · source twin · seeds [0] · commit abcdef0123 · rendered 2026-11-20*"
    assert [cell.source for cell in page.cells if cell.id != "stamp"] == [
        cell.source for cell in nbformat.read(store / "notebooks" / files[0], as_version=4).cells
    ]


def test_what_is_not_rendered_now_stays_as_it_was(store):
    kept.keep()
    before = (store / "rendered" / "occluded" / "real_faces_london.ipynb").read_bytes()
    (store / "notebooks" / "occluded" / "real_faces_london.ipynb").unlink()
    assert [file.stem for file in kept.keep()] == ["table2_ckplus7", "verdict_overview"]
    assert (store / "rendered" / "occluded" / "real_faces_london.ipynb").read_bytes() == before


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"commit": "abcdef0123+changes"}, "made at commit abcdef0123.changes: commit, then make it again"),
        ({"commit": "unknown"}, "made at commit unknown"),
        ({"padding": "x" * 400_000}, "table2_ckplus7.ipynb holds 4.* bytes, more than 400000"),
    ],
    ids=["changes", "unknown", "large"],
)
def test_what_is_unfit_is_refused_and_nothing_is_written(store, capsys, changed, told):
    noted(store, "gcnet/table2_ckplus7", **changed)
    assert command.main(["--keep"]) == 1
    assert re.search(told, capsys.readouterr().err)
    assert not (store / "rendered").exists()


def made_at(store, *commits):
    """The runs of one page were made at these commits."""
    for run, commit in zip((RUN, LOST), commits, strict=True):
        (store / "runs" / run).mkdir(parents=True, exist_ok=True)
        (store / "runs" / run / "run.json").write_text(json.dumps(ABOUT | {"commit": commit}))
    noted(store, "gcnet/table2_ckplus7", runs=[RUN, LOST])


def test_a_kept_page_names_the_commits_of_its_runs(store):
    made_at(store, "1111111111", "2222222222")
    kept.keep()
    page = nbformat.read(store / "rendered" / "gcnet" / "table2_ckplus7.ipynb", as_version=4)
    assert "commit 1111111111, 2222222222, abcdef0123 · rendered" in page.cells[1].source


@pytest.mark.parametrize("commit", ["1111111111+changes", "unknown"])
def test_a_page_with_runs_of_code_that_was_not_committed_is_refused(store, capsys, commit):
    made_at(store, "2222222222", commit)
    assert command.main(["--keep"]) == 1
    assert f"gcnet/table2_ckplus7 shows runs that were made at commit {commit}: remove" in capsys.readouterr().err
    assert not (store / "rendered").exists()


def test_pictures_of_a_page_that_is_too_large_lose_detail_and_those_of_others_nothing(store, monkeypatch):
    pixels = np.random.default_rng(0).integers(0, 255, (64, 48, 3), np.uint8)
    Image.fromarray(pixels).save(drawn := io.BytesIO(), "jpeg", quality=95)
    coded, place = base64.b64encode(drawn.getvalue()).decode(), store / "notebooks" / "gcnet" / "table2_ckplus7.ipynb"
    page = nbformat.read(place, as_version=4)
    page.cells.append(new_code_cell(outputs=[new_output("display_data", {"image/jpeg": coded})], execution_count=1))
    nbformat.write(page, place)
    for largest, same in ((kept.LARGEST, True), (len(nbformat.writes(page)) - 1000, False)):
        monkeypatch.setattr(kept, "LARGEST", largest)
        kept.keep()
        told = nbformat.read(store / "rendered" / "gcnet" / "table2_ckplus7.ipynb", as_version=4)
        picture = told.cells[-1].outputs[0].data["image/jpeg"]
        assert (picture == coded) == same and len(picture) <= len(coded)
        assert Image.open(io.BytesIO(base64.b64decode(picture))).size == (48, 64)


def test_a_page_whose_last_rendering_failed_is_refused(store):
    (store / "notebooks" / "gcnet" / "table2_ckplus7.failed.ipynb").write_text("{}")
    with pytest.raises(kept.KeepError, match="the last rendering of gcnet/table2_ckplus7 failed"):
        kept.keep()


def test_all_pages_together_are_limited(store, monkeypatch):
    monkeypatch.setattr(kept, "TOGETHER", 5000)
    with pytest.raises(kept.KeepError, match="all pages hold .* bytes, more than 5000"):
        kept.keep()


def test_the_kept_pages_are_small():
    files = [file for file in kept.place().rglob("*") if file.is_file()]
    assert kept.too_large({file: file.stat().st_size for file in files}) == []


@pytest.mark.parametrize("file", KEPT, ids=NAMES)
def test_a_kept_page_is_finished_and_says_when_and_from_what_it_was_made(file):
    page = nbformat.read(file, as_version=4)
    nbformat.validate(page)
    assert re.search(r"commit [0-9a-f]{7,}[^·]* · rendered \d{4}-\d\d-\d\d\*$", page.cells[1].source)
    code = [cell for cell in page.cells if cell.cell_type == "code" and cell.source.strip()]
    assert all(cell.execution_count for cell in code)
    assert not any(output.output_type == "error" for cell in code for output in cell.outputs)
    assert not DIRTY.search(file.read_text())


def test_the_readme_leads_to_every_kept_page_and_to_no_other():
    assert set(NAMES) <= {f"{one.document}.ipynb" for one in listed()}
    linked = re.findall(r"\(results/rendered/([^)]+\.ipynb)\)", (paths.ROOT / "README.md").read_text())
    assert sorted(set(linked)) == NAMES
    pictures = re.findall(r"!\[[^]]+\]\(results/rendered/([^)]+\.png)\)", (paths.ROOT / "README.md").read_text())
    assert sorted(pictures) == sorted(file.name for file in kept.place().glob("*.png"))


def test_the_readme_shows_every_kept_picture():
    root = Path(__file__).parents[1]
    shown = (root / "README.md").read_text()
    for name in kept.PICTURES:
        assert f"(results/rendered/{name})" in shown and (root / "results" / "rendered" / name).stat().st_size > 1000
