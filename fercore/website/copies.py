"""Copies of executed notebooks for the site: code folded, a stamp under the title, at the end where all came from."""

import copy
import re
from collections.abc import Mapping
from html import escape
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from fercore.website import listings
from fercore.website.artefacts import Page
from fercore.website.records import Record

TELLING = (
    *("paper", "tier", "source", "dataset", "datasets", "protocol"),
    *("variant", "fold", "folds", "left_out", "seed", "seeds"),
)
HASH = r"[0-9a-f]{7,40}(?:\+changes)?"
COMMITS = re.compile(rf"\bcommit ({HASH}(?:, {HASH})*)\b")


def written(page: Page, records: Mapping[str, Record]) -> NotebookNode:
    """The notebook of ``page`` as the site shows it."""
    notebook = copy.deepcopy(page.notebook)
    for number, cell in enumerate(notebook.cells):
        tags = cell.metadata.setdefault("tags", [])
        if page.rendered and cell.cell_type == "code" and "parameters" not in tags:
            tags.append("hide-input")
        cell["id"] = f"cell-{number}"
    first = notebook.cells[0] if notebook.cells else None
    if first is None or first.cell_type != "markdown" or not first.source.lstrip().startswith("# "):
        notebook.cells.insert(0, _cell(f"# {page.artefact.label}", "title"))
    notebook.cells.insert(1, _cell(_top(page, records), "stamp"))
    notebook.cells.append(_cell("## Where this page comes from\n\n" + _origin(page, records), "origin"))
    return notebook


def stamp(page: Page, records: Mapping[str, Record]) -> dict[str, str]:
    """What a page was made with: its choices, commits and date."""
    chosen = {name: str(page.chosen[name]) for name in TELLING if page.chosen.get(name) is not None}
    made = page.notebook.metadata.get("papermill", {}).get("end_time") or ""
    told = {"commit": ", ".join(commits(page, records)) or "not noted", "rendered": made[:10] or "unknown"}
    # on one line: a blank one would end the block of HTML that shows it, and what follows would be Markdown
    return {name: " ".join(value.split()) for name, value in (chosen | told).items()}


def commits(page: Page, records: Mapping[str, Record]) -> list[str]:
    """Commits that its runs and stamps name, each once."""
    known = [records[run].about["commit"] for run in page.runs or () if run in records and records[run].about]
    told = [page.notebook.metadata.get("fercore", {}).get("commit", "")]
    for cell in page.notebook.cells:
        for output in cell.get("outputs", ()):
            said = output.get("data", {})
            text = " ".join("".join(said.get(kind, "")) for kind in ("text/html", "text/plain"))
            told += [one for several in COMMITS.findall(text) for one in several.split(", ")]
    return sorted({one for one in [*known, *told] if one})


def _cell(source: str, name: str) -> NotebookNode:
    return new_markdown_cell(source, id=f"site-{name}")


def _top(page: Page, records: Mapping[str, Record]) -> str:
    if page.rendered:
        said = " · ".join(f"{name} {escape(value)}" for name, value in stamp(page, records).items())
        return f"<p class='stamp'>{said} · <a href='#where-this-page-comes-from'>where it comes from</a></p>"
    why = "Its last rendering failed." if page.failed else "Not rendered yet."
    command = escape(page.artefact.command)
    return f"<p class='missing'>{why} This is its source, without results; <code>{command}</code> makes them.</p>"


def _origin(page: Page, records: Mapping[str, Record]) -> str:
    modules = ", ".join(f"<a href='../{href}'>{name}</a>" for name, href in listings.imported(page.notebook))
    lines = {"notebook": _source(page), "code": modules or "none of its own", "printed numbers": _printed(page)}
    if page.rendered:
        lines = {name: escape(value) for name, value in stamp(page, records).items()} | lines
    terms = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in lines.items() if value)
    return f"<dl class='origin'>{terms}</dl>\n\n" + (_runs(page, records) if page.rendered else "")


def _source(page: Page) -> str:
    name = escape(f"notebooks/{page.artefact.notebook}")
    return f"<a href='../{name}'>{name}</a>" if page.artefact.source.is_file() else name


def _printed(page: Page) -> str:
    table = listings.printed_of(page.artefact)
    return f"<a href='../published/{table}.html'>{page.artefact.artefact} as printed</a>" if table else ""


def _runs(page: Page, records: Mapping[str, Record]) -> str:
    if page.runs is None:
        return "### Made from these runs\n\nThis page was rendered before pages noted the runs that they read."
    if not page.runs:
        return "### Made from these runs\n\nNone: it reads no trained run."
    links = "".join(_link(records[run]) for run in page.runs)
    absent = sum(records[run].about is None for run in page.runs)
    note = f" The records of {absent} are not in this run store." if absent else ""
    said = f"{len(page.runs)} run{'s' * (len(page.runs) > 1)}, each with its record.{note}"
    ids = f"<details><summary>their ids</summary><ul class='runs'>{links}</ul></details>"
    return f"### Made from these runs\n\n{said}\n\n{ids}"


def _link(record: Record) -> str:
    return f"<li><a href='../{escape(record.href)}'>{escape(record.id)}</a> <span>{escape(record.data)}</span></li>"


def document(page: Page, folder: Path) -> Path:
    """Where the copy of ``page`` is written below ``folder``."""
    return folder / f"{page.artefact.document}.ipynb"
