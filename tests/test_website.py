"""The site as files: what it shows, where it leads, what it refuses."""

import json
import re
import shutil
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from markdown_it import MarkdownIt
from PIL import Image
from website_factories import ABOUT, ARTEFACTS, CREDIT, LOST, RUN, notebook, png, shown, write_results

from fercore import paths
from fercore.website import __main__ as command
from fercore.website import artefacts, build, check, copies, dress, kept, listings, records, thumbnails, verdicts

ID = RUN.rsplit("/", 1)[1]


def soup(site, name):
    return BeautifulSoup((site / name).read_text(), "html.parser")


def text(site, name):
    return " ".join(soup(site, name).find("article").get_text(" ").split())


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A results folder of this test's own."""
    write_results(tmp_path / "results")
    monkeypatch.setenv("FERCORE_RESULTS", str(tmp_path / "results"))
    return tmp_path / "results"


def test_every_link_leads_somewhere_and_every_picture_has_a_text(website):
    assert check.faults_of(website) == []
    assert json.loads((website / build.MARK).read_text())["warnings"] == []


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("<a href='gone.html'>a</a>", "leads to gone.html, which does not exist"),
        ("<a href='#nowhere'>a</a>", "has no such anchor"),
        ("<a href='gcnet/index.html#nowhere'>a</a>", "has no such anchor"),
        ("<a href='../../outside.txt'>a</a>", "outside the site"),
        ("<img src='_static/file.png'>", "a picture without text"),
        ("<img src='_static/file.png' alt=' '>", "a picture without text"),
        ("<p id='twice'></p><p id='twice'></p>", "stands twice"),
        ("<script src='https://example.org/a.js'></script>", "from elsewhere"),
        ("<link rel='stylesheet' href='//example.org/a.css'>", "from elsewhere"),
    ],
)
def test_the_check_sees_what_is_wrong(website, tmp_path, wrong, told):
    copy = shutil.copytree(website, tmp_path / "site")
    with open(copy / "index.html", "a") as page:
        page.write(wrong)
    faults = check.faults_of(copy)
    assert len(faults) == 1 and told in faults[0] and faults[0].startswith("index.html")


def test_the_check_of_no_site_is_a_fault(tmp_path):
    assert "no index.html" in check.faults_of(tmp_path)[0]


def test_front_page_shows_what_is_there_and_what_is_missing(website):
    cards = {card.strong.get_text(): card for card in soup(website, "index.html").select("ul.cards > li")}
    assert list(cards) == ["Table 2, CK+ 7 classes", "Figure 4, small expressions", "pre-training",
                           "ckplus-2B(N+M)-fold3", "real faces"]  # fmt: skip
    assert "2 runs" in cards["Table 2, CK+ 7 classes"].p.get_text()
    assert "tier smoke · source twin · rendered 2026-11-20" in cards["Table 2, CK+ 7 classes"].p.get_text()
    assert cards["Figure 4, small expressions"].p.get_text() == "not rendered yet"
    assert cards["pre-training"].p.get_text() == "its last rendering failed"
    assert "runs not noted" in cards["real faces"].p.get_text()
    assert "GCNet 1 of 1 0 of 1 1 of 2 2" in text(website, "index.html")


def test_front_page_shows_verdict_counts(website):
    said = text(website, "index.html")
    assert "all claims · commit abcdef0123" in said
    assert "GCNet 41 7" in said and "IDFERM 33 0" in said and "GCNet 5" in said
    assert "print 41 7 0" in text(website, "gcnet/index.html") and "twin 0 0 5" in text(website, "gcnet/index.html")


def test_verdict_counts_with_a_column_per_paper_are_the_same(store):
    counts = verdicts.verdict_counts()
    wide = counts.pivot_table(index=["layer", "verdict"], columns="paper", values="claims", fill_value=0, sort=False)
    wide = wide.reindex(columns=verdicts.PAPERS, fill_value=0).assign(all=wide.sum(axis=1))
    (store / "tables" / "verdict_counts.csv").write_text("# stamp\n" + wide.to_csv())
    assert verdicts.of_paper(verdicts.verdict_counts(), "gcnet").equals(verdicts.of_paper(counts, "gcnet"))


def test_without_an_overview_of_claims_nothing_is_counted(store):
    (store / "tables" / "verdict_counts.csv").unlink()
    assert verdicts.verdict_counts() is None


def test_verdict_counts_with_other_columns_are_refused(store):
    (store / "tables" / "verdict_counts.csv").write_text("paper,verdict\ngcnet,consistent\n")
    with pytest.raises(ValueError, match="lacks the columns"):
        verdicts.verdict_counts()


def test_from_paper_to_table_to_run(website):
    chain = soup(website, "gcnet/index.html").select_one("table.chain tbody tr")
    assert [link.get_text() for link in chain.select("a")] == [
        "Table 2, CK+ 7 classes", "printed", "2 runs", "table2_ckplus7.ipynb"
    ]  # fmt: skip
    page = soup(website, "gcnet/table2_ckplus7.html")
    links = [link["href"] for link in page.select("ul.runs a")]
    assert links == [f"../runs/gcnet.html#{run.rsplit('/', 1)[1]}" for run in (RUN, LOST)]
    assert page.select_one("dl.origin a[href='../code/fercore.tables.html#fercore-tables']")
    record = soup(website, "runs/gcnet.html").find(id=ID).parent
    assert "75.00 %" in record.summary.get_text()
    assert "../gcnet/table2_ckplus7.html" in [link["href"] for link in record.select("a")]
    assert all(said in record.get_text() for said in ("abcdef0123", "iterations 12", RUN, "3.5 s", "train 30"))


def test_what_a_run_says_is_text_not_markup(website):
    assert "<script>alert" not in (website / "runs/gcnet.html").read_text()
    assert CREDIT in soup(website, "runs/gcnet.html").find(id=ID).get_text()


@pytest.mark.parametrize("backticks", [0, 3, 8, 20])
def test_nothing_in_a_page_closes_its_fence(backticks):
    text = f"<p>\n{'`' * backticks}\n\n```{{include}} secret.txt\n```"
    (block,) = MarkdownIt().parse(listings.raw(text))
    assert (block.type, block.info, block.content) == ("fence", "{raw} html", f"{text}\n")


def test_what_a_record_says_cannot_leave_the_block_that_shows_it(store):
    page = artefacts.Page(artefacts.Artefact(*ARTEFACTS[0]), store / "notebooks" / "gcnet" / "table2_ckplus7.ipynb")
    held = {run: records.Record(run, ABOUT | {"commit": "abc\n\n<b>`", "epochs": "<b>"}) for run in (RUN, LOST)}
    for name in ("site-stamp", "site-origin"):
        (cell,) = [cell for cell in copies.written(page, held).cells if cell.id == name]
        (block,) = [one for one in MarkdownIt().parse(cell.source) if "abc" in one.content]
        assert block.type == "html_block" and "abc &lt;b&gt;`" in block.content
    assert "commit abc &lt;b&gt;`, abcdef0123 · rendered" in kept.stamped(page, held)
    assert "<b>" not in records.shown(held[RUN], [])


def test_an_absent_record_is_said(website):
    assert "its record is not here" in text(website, "runs/gcnet.html")
    assert "The records of 1 are not in this run store" in text(website, "gcnet/table2_ckplus7.html")
    assert "rendered before pages noted the runs" in text(website, "occluded/real_faces_london.html")


def test_a_page_carries_its_stamp(website):
    stamp = soup(website, "gcnet/table2_ckplus7.html").select_one("p.stamp").get_text()
    assert stamp.startswith("tier smoke · source twin · seeds [0] · commit abcdef0123 · rendered 2026-11-20")


def test_the_stamp_names_the_paper_of_a_page_that_is_of_any(store):
    page = artefacts.Page(artefacts.Artefact(*ARTEFACTS[0]), store / "notebooks" / "gcnet" / "table2_ckplus7.ipynb")
    page.notebook.cells[1].source += '\npaper = "idferm"'
    assert list(copies.stamp(page, {}).items())[0] == ("paper", "idferm")


def test_a_page_that_is_not_rendered_shows_its_source_and_says_so(website):
    said = text(website, "gcnet/figure4.html")
    assert not soup(website, "gcnet/figure4.html").select("details.hide")  # nothing but code: it is not folded
    assert "Not rendered yet. This is its source, without results; make reproduce makes them." in said


def test_figures_are_told_by_their_place(website):
    said = [image["alt"] for image in soup(website, "gcnet/table2_ckplus7.html").select("article img")]
    assert said == ["Figure of GCNet, Table 2, Accuracy: Per row, on the same people."] * 2


def test_formulas_need_no_script(website):
    page = soup(website, "gcnet/table2_ckplus7.html")
    assert len(page.select("article math")) == 2
    assert not [script for script in page.select("script") if "mathjax" in str(script).lower()]


def test_a_formula_that_cannot_be_set_stays_readable():
    assert dress.mathml("a <", "inline").startswith("<math")
    assert dress.mathml(r"\frac{", "inline") == r"<code>\frac{</code>"


def test_nothing_is_loaded_from_elsewhere(website):
    for file in [*website.rglob("*.html"), *website.rglob("*.css")]:
        loaded = re.findall(r"""(?:src=|url\(|@import\s)\s*["']?(https?:|//)[^"')]*""", file.read_text())
        assert not loaded, file


def test_nothing_is_executed(website):
    assert not (website.parent / "results" / "executed").exists()


def test_nothing_is_left_beside_the_site(website):
    assert sorted(one.name for one in website.parent.iterdir()) == ["results", "site"]


def test_wide_tables_and_code_scroll_by_keyboard(website):
    page = soup(website, "gcnet/table2_ckplus7.html").find("article")
    assert page.select("pre") and all(code.get("tabindex") == "0" for code in page.select("pre"))
    assert all(table.find_parent(class_="scroll")["tabindex"] == "0" for table in page.select("table"))


def test_the_list_covers_every_notebook_once():
    listed = {one.notebook for one in artefacts.listed()}
    documents = [one.document for one in artefacts.listed()]
    assert len(set(documents)) == len(documents)
    folder = paths.ROOT / "notebooks"
    present = [file.relative_to(folder).as_posix() for file in folder.rglob("*.ipynb")]
    assert sorted(listed) == sorted(name for name in present if ".ipynb_checkpoints" not in name)


def test_the_list_agrees_with_the_readme():
    text = (paths.ROOT / "README.md").read_text()
    rows = re.findall(r"^\| (.+?) \| \[[^]]*\]\(notebooks/(\S+?)\) \| (?:`(.+?)`|see below) \|", text, re.M)
    listed = {(one.label, one.notebook): one.command for one in artefacts.listed()}
    assert rows and {row[:2] for row in rows} == set(listed)
    assert {row[:2]: row[2] or listed[row[:2]] for row in rows} == listed


def test_pages_stand_where_the_workflow_leaves_them(store):
    assert artefacts.folder_of("gcnet", "twin", "twin").name == "gcnet"
    assert artefacts.folder_of("gcnet", "smoke", "twin").name == "gcnet-smoke-twin"
    assert artefacts.folder_of("twins", "smoke", "twin").name == "twins-smoke"


def test_a_page_beyond_the_list_names_its_source(website, store):
    link = soup(website, "gcnet/ckplus-2B(N+M)-fold3.html").select_one("dl.origin a")
    assert link["href"] == "../notebooks/gcnet/run_fold.ipynb"
    file = store / "notebooks" / "gcnet" / "folds" / "ckplus-2B(N+M)-fold3.ipynb"
    page = nbformat.read(file, as_version=4)
    page.metadata.papermill.input_path = "notebooks/../../secret.ipynb"
    nbformat.write(page, file)
    assert {one.artefact.notebook for one in artefacts.pages()} >= {"gcnet/ckplus-2B(N+M)-fold3.ipynb"}


def test_a_run_outside_the_store_is_refused(store):
    file = store / "notebooks" / "gcnet" / "table2_ckplus7.ipynb"
    for run in ("../../etc/passwd", "gcnet/a/../b", "/etc/a/b", "gcnet/a/b c", "gcnet/a"):
        nbformat.write(notebook("A page", [run], store / "executed"), file)
        page = artefacts.Page(artefacts.Artefact(*ARTEFACTS[0]), file)
        with pytest.raises(ValueError, match="no run folder"):
            _ = page.runs


def test_a_notebook_that_is_too_large_is_refused(store, monkeypatch):
    monkeypatch.setattr(artefacts, "LARGEST", 100)
    page = artefacts.Page(artefacts.Artefact(*ARTEFACTS[0]), store / "notebooks" / "gcnet" / "table2_ckplus7.ipynb")
    with pytest.raises(ValueError, match="more than 100"):
        _ = page.notebook


@pytest.mark.parametrize("content", ["{", "[]", json.dumps({**ABOUT, "config": None} | {"commit": 1})[:40], "{}"])
def test_a_run_that_cannot_be_read_is_refused(store, content):
    (store / "runs" / RUN / "run.json").write_text(content)
    with pytest.raises(ValueError, match="remove it and make it again"):
        records.read([RUN])


def test_a_run_is_read_once(store):
    assert list(records.read([RUN, LOST, RUN])) == sorted([RUN, LOST])


def test_commits_come_from_runs_and_stamps(store):
    page = artefacts.Page(artefacts.Artefact(*ARTEFACTS[0]), store / "notebooks" / "gcnet" / "table2_ckplus7.ipynb")
    other = records.Record(LOST, {**ABOUT, "commit": "0000000000+changes"})
    assert copies.commits(page, {RUN: records.Record(RUN, ABOUT), LOST: other}) == ["0000000000+changes", "abcdef0123"]


def test_a_stamp_that_lists_several_commits_is_read_whole():
    page = artefacts.Page(artefacts.Artefact(*ARTEFACTS[0]), Path("page.ipynb"))
    page.__dict__["notebook"] = notebook("A page", [], Path("executed"))
    page.notebook.cells[4].outputs = shown(**{"text/html": "seeds 0 · commit 1111111111+changes, 2222222222 · folds 0"})
    assert copies.commits(page, {}) == ["1111111111+changes", "2222222222"]


def test_thumbnails_are_small_and_white_behind(tmp_path):
    page = notebook("A page", [], tmp_path / "executed")
    assert thumbnails.write(page, tmp_path / "small.webp") == (360, 180)
    red, green, blue = Image.open(tmp_path / "small.webp").convert("RGB").getpixel((100, 100))
    assert abs(red - 227) < 6 and abs(green - 142) < 6 and abs(blue - 142) < 6  # half of it over white
    assert (tmp_path / "small.webp").stat().st_size < 20_000


def test_a_page_without_figures_has_no_thumbnail(tmp_path):
    page = notebook("A page", [], tmp_path / "executed")
    page.cells = page.cells[:5]
    assert thumbnails.write(page, tmp_path / "small.webp") is None and not list(tmp_path.iterdir())


@pytest.mark.parametrize(("encoded", "told"), [("bm8=", "cannot be read"), (None, "too large")])
def test_a_figure_that_is_none_is_refused(tmp_path, monkeypatch, encoded, told):
    monkeypatch.setattr(thumbnails, "MOST", 800 * 400 - 1)
    page = notebook("A page", [], tmp_path / "executed")
    page.cells[5].outputs = shown(**{"image/png": encoded or png()})
    with pytest.raises(ValueError, match=told):
        thumbnails.first_figure(page)


def test_imports_lead_to_modules(tmp_path):
    page = notebook("A page", [], tmp_path / "executed")
    page.cells[2].source = "from fercore import tables, paths\nfrom fercore.papers.gcnet import TIERS\nimport numpy"
    page.cells[4].source = "%matplotlib inline"
    names = [name for name, _ in listings.imported(page)]
    assert names == ["fercore.papers.gcnet", "fercore.paths", "fercore.tables"]


def test_printed_tables_stand_beside_their_artefact():
    assert listings.printed_of(artefacts.Artefact(*ARTEFACTS[0])) == "gcnet_table2"
    assert listings.printed_of(artefacts.Artefact(*ARTEFACTS[1])) is None


def test_a_folder_that_is_no_site_is_not_replaced(tmp_path, capsys):
    (tmp_path / "thesis.tex").write_text("mine")
    assert command.main([str(tmp_path)]) == 1
    assert "is no site of ours" in capsys.readouterr().err and (tmp_path / "thesis.tex").read_text() == "mine"


def test_an_old_site_stays_until_the_new_one_is_whole(store, tmp_path, monkeypatch, capsys):
    old = tmp_path / "site"
    old.mkdir()
    (old / build.MARK).write_text("{}")
    monkeypatch.setattr(artefacts, "listed", lambda: [artefacts.Artefact(*ARTEFACTS[0])])
    (store / "runs" / RUN / "run.json").write_text("{")
    assert command.main([str(old)]) == 1 and "cannot be read" in capsys.readouterr().err
    monkeypatch.setattr(build, "_sphinx", lambda *_: [])  # makes no page at all
    (store / "runs" / RUN / "run.json").write_text(json.dumps(ABOUT))
    assert command.main([str(old)]) == 1 and "no index.html" in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir() if file.name != "results"] == ["site"]
    assert [file.name for file in old.iterdir()] == [build.MARK]


def test_the_command_checks_a_built_site(website, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("fercore.website.browser.chromium", lambda: None)
    assert command.main([str(website), "--check"]) == 0
    assert "only links and pictures" in capsys.readouterr().err
    assert command.main([str(tmp_path), "--check"]) == 1
