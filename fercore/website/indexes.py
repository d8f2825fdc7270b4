"""The front page, a page per paper and the pages of runs: Markdown around HTML of our own."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

import pandas as pd

from fercore import site
from fercore.website import listings, thumbnails, verdicts
from fercore.website.artefacts import GROUPS, Page
from fercore.website.copies import stamp
from fercore.website.records import Record, shown

KINDS = {"Table": "tables", "Figure": "figures", "page": "pages"}
FRONT = """Four papers on facial expression recognition, reproduced table by table and figure by figure. Nearly all
their datasets are licensed: what is marked *tier twin* was made from drawn faces with the counts of the original. It
tells how methods compare with each other and never stands for a paper's number."""


def write_front(folder: Path, pages: Sequence[Page], records: Mapping[str, Record]) -> None:
    """``index.md``: how the claims stand, how much is rendered, and every artefact with its picture."""
    parts = ["# Can this paper be reproduced?", FRONT, "## How the claims stand", _verdicts()]
    parts += ["## What is here", listings.raw(_matrix(pages))]
    for paper, group in GROUPS.items():
        own = [page for page in pages if page.artefact.paper == paper]
        if own:
            parts += [f"## {group.title}", group.about, f"[Its artefacts one by one]({paper}/index.md)"]
            parts += [listings.raw(_cards(own, records, folder))]
    present = [f"{paper}/index" for paper in GROUPS if any(page.artefact.paper == paper for page in pages)]
    parts.append(_toctree([*present, "runs/index", "code/index"]))
    (folder / "index.md").write_text("\n\n".join(parts) + "\n")


def write_papers(folder: Path, pages: Sequence[Page], records: Mapping[str, Record]) -> None:
    """``<paper>/index.md``: its verdicts, and from every artefact to notebook, runs and printed numbers."""
    for paper, group in GROUPS.items():
        own = [page for page in pages if page.artefact.paper == paper]
        if not own:
            continue
        parts = [f"# {group.title}", group.about]
        counts = verdicts.verdict_counts()
        if counts is not None and paper in set(counts["paper"]):
            parts += ["## How its claims stand", listings.raw(_html(verdicts.of_paper(counts, paper)))]
        parts += ["## Artefacts", listings.raw(_chain(own))]
        if any(record.paper == paper for record in records.values()):
            parts.append(f"[The runs behind them](../runs/{paper}.md)")
        parts.append(_toctree([Path(page.artefact.document).name for page in own]))
        (folder / paper).mkdir(exist_ok=True)
        (folder / paper / "index.md").write_text("\n\n".join(parts) + "\n")


def write_runs(folder: Path, pages: Sequence[Page], records: Mapping[str, Record]) -> None:
    """``runs/index.md`` and a page per paper with every run that a page read."""
    readers: dict[str, list[tuple[str, str]]] = {}
    for page in pages:
        for run in page.runs or ():
            readers.setdefault(run, []).append((_href(page), page.artefact.label))
    (folder / "runs").mkdir()
    papers = sorted({record.paper for record in records.values()})
    for paper in papers:
        (folder / "runs" / f"{paper}.md").write_text(_runs_page(paper, records, readers))
    about = "A run is one training, known by the name of its folder. Every page lists the runs that it read."
    none = [] if papers else ["No rendered page names a run."]
    (folder / "runs" / "index.md").write_text("\n\n".join(["# The runs", about, *none, _toctree(papers, hidden=False)]))


def _runs_page(paper: str, records: Mapping[str, Record], readers: Mapping[str, list[tuple[str, str]]]) -> str:
    title = GROUPS[paper].title if paper in GROUPS else paper
    parts = [f"# Runs of {title}"]
    parts.append("The share beside an id is that of single test images told rightly; open a line for its whole record.")
    own = [record for record in records.values() if record.paper == paper]
    for data in sorted({record.data for record in own}):
        lines = [shown(record, readers[record.place]) for record in own if record.data == data]
        parts += [f"## {data}", listings.raw("\n".join(lines))]
    return "\n\n".join(parts) + "\n"


def _verdicts() -> str:
    counts = verdicts.verdict_counts()
    if counts is None:
        return "Not computed yet: the overview of claims is not rendered."
    titles = {paper: group.title for paper, group in GROUPS.items()}
    tables = [(layer, verdicts.of_layer(counts, layer).rename(index=titles)) for layer in counts["layer"].unique()]
    html = "".join(_html(table, f"{layer} · {verdicts.stamp()}") for layer, table in tables)
    return f"Claims by verdict: in print, and by what was run.\n\n{listings.raw(html)}"


def _html(table: pd.DataFrame, caption: str = "") -> str:
    text = table.rename_axis(index=None, columns=None).to_html(border=0)
    return text.replace("<thead>", f"<caption>{escape(caption)}</caption><thead>", 1) if caption else text


def _matrix(pages: Sequence[Page]) -> str:
    """Rendered of all, by paper and kind."""
    head = "".join(f"<th scope='col'>{name}</th>" for name in KINDS.values())
    rows = []
    for paper, group in GROUPS.items():
        own = [page for page in pages if page.artefact.paper == paper]
        if own:
            shares = [_share([page for page in own if page.artefact.kind == kind]) for kind in KINDS]
            shares.append(str(len({run for page in own for run in page.runs or ()})))
            cells = "".join(f"<td>{share}</td>" for share in shares)
            rows.append(f"<tr><th scope='row'><a href='{paper}/index.html'>{group.title}</a></th>{cells}</tr>")
    return (
        "<table class='matrix'><caption>rendered of all</caption>"
        f"<thead><tr><th scope='col'>paper</th>{head}<th scope='col'>runs read</th></tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _share(pages: Sequence[Page]) -> str:
    return f"{sum(page.rendered is not None for page in pages)} of {len(pages)}" if pages else "–"


def _cards(pages: Sequence[Page], records: Mapping[str, Record], folder: Path) -> str:
    return f"<ul class='cards'>{''.join(_card(page, records, folder) for page in pages)}</ul>"


def _card(page: Page, records: Mapping[str, Record], folder: Path) -> str:
    label, href = escape(page.artefact.label), _href(page)
    picture = f"{page.artefact.document.replace('/', '-')}.webp"
    size = thumbnails.write(page.notebook, folder / "_static" / "thumbnails" / picture) if page.rendered else None
    if size:
        alt = f"The first figure of “{label}”, small"
        place, extent = f"_static/thumbnails/{quote(picture)}", f"width='{size[0]}' height='{size[1]}'"
        face = f"<img src='{place}' alt='{alt}' {extent} loading='lazy'>"
    else:
        face = f"<span class='text'>{escape(site.first_sentence(page.notebook))}</span>"
    return (
        f"<li class='{'rendered' if page.rendered else 'waiting'}'><a class='face' href='{href}'>{face}"
        f"<strong>{label}</strong></a><p>{_state(page, records)}</p></li>"
    )


def _state(page: Page, records: Mapping[str, Record]) -> str:
    if not page.rendered:
        return "its last rendering failed" if page.failed else "not rendered yet"
    made = stamp(page, records)
    said = " · ".join(f"{name} {escape(made[name])}" for name in ("tier", "source", "rendered") if name in made)
    failed = " · a later rendering failed" if page.failed else ""
    return f"{said} · <a href='{_href(page)}#made-from-these-runs'>{_number(page)}</a>{failed}"


def _number(page: Page) -> str:
    return "runs not noted" if page.runs is None else f"{len(page.runs)} run{'s' * (len(page.runs) != 1)}"


def _chain(pages: Sequence[Page]) -> str:
    head = "".join(f"<th scope='col'>{name}</th>" for name in ("artefact", "printed", "runs", "notebook"))
    rows = "".join(_links(page) for page in pages)
    return f"<table class='chain'><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _links(page: Page) -> str:
    href, table = f"../{_href(page)}", listings.printed_of(page.artefact)
    printed = f"<a href='../published/{table}.html'>printed</a>" if table else "–"
    runs = f"<a href='{href}#made-from-these-runs'>{_number(page)}</a>" if page.rendered else "not rendered yet"
    source = escape(f"notebooks/{page.artefact.notebook}")
    name = escape(Path(page.artefact.notebook).name)
    notebook = f"<a href='../{source}'>{name}</a>" if page.artefact.source.is_file() else name
    first = f"<th scope='row'><a href='{href}'>{escape(page.artefact.label)}</a></th>"
    return f"<tr>{first}<td>{printed}</td><td>{runs}</td><td>{notebook}</td></tr>"


def _href(page: Page) -> str:
    return quote(f"{page.artefact.document}.html")


def _toctree(documents: Sequence[str], hidden: bool = True) -> str:
    option = ":hidden:\n" if hidden else ""
    return f"```{{toctree}}\n{option}\n" + "\n".join(documents) + "\n```"
