"""Rendered pages that the repository keeps (``results/rendered``): stamped, each small, and together too."""

import copy
import io
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell
from PIL import Image

from fercore import paths
from fercore.storage import whole_file
from fercore.website.artefacts import Page, listed, pages
from fercore.website.copies import commits, stamp
from fercore.website.records import Record, read

LARGEST, TOGETHER = 400_000, 15_000_000  # bytes
PICTURES = ("verdict_overview.png", "drawn_faces.jpg")  # of results/figures, for the README


class KeepError(RuntimeError):
    """Pages that must not become part of the repository; says which and why, one line each."""


def place() -> Path:
    """Where they stand, by paper."""
    return paths.ROOT / "results" / "rendered"


def keep(tier: str = "twin", source: str = "twin", folder: Path | None = None) -> list[Path]:
    """Copy every rendered artefact and the README's pictures to ``folder``; what is not there stays as it was.

    Raises KeepError, before anything is written, where a page is too large, all are, a rendering failed or the code of
    a page or of its runs was not committed.
    """
    folder, known = folder or place(), set(listed())
    shown = [page for page in pages(tier, source) if page.artefact in known and (page.rendered or page.failed)]
    records = read(run for page in shown for run in page.runs or ())
    texts = {folder / f"{page.artefact.document}.ipynb": stamped(page, records) for page in shown if page.rendered}
    drawn = [paths.results() / "figures" / name for name in PICTURES]
    contents = {file: text.encode() for file, text in texts.items()}
    contents |= {folder / file.name: file.read_bytes() for file in drawn if file.is_file()}
    if problems := [*_unfit(shown, records), *too_large({file: len(content) for file, content in contents.items()})]:
        raise KeepError("\n".join(problems))
    for file, content in contents.items():
        with whole_file(file) as aside:
            aside.write_bytes(content)
    return list(contents)


def stamped(page: Page, records: Mapping[str, Record]) -> str:
    """The executed notebook, below its title what it was made with; its pictures smaller where it is too large."""
    notebook = copy.deepcopy(page.notebook)
    said = " · ".join(f"{name} {escape(value, quote=False)}" for name, value in stamp(page, records).items())
    notebook.cells.insert(1, new_markdown_cell(f"*{said}*", id="stamp"))
    if len(nbformat.writes(notebook).encode()) > LARGEST:
        _compress(notebook)
    return nbformat.writes(notebook) + "\n"


def _compress(notebook: NotebookNode) -> None:
    """Store pictures of coloured faces with half the detail of colour, which eyes hardly see."""
    for output in (output for cell in notebook.cells for output in cell.get("outputs", ())):
        if drawn := output.get("data", {}).get("image/jpeg"):
            picture, small = Image.open(io.BytesIO(b64decode(drawn))), io.BytesIO()
            picture.save(small, "jpeg", quality=60, subsampling="4:2:0", optimize=True)
            output.data["image/jpeg"] = b64encode(small.getvalue()).decode()


def too_large(sizes: dict[Path, int]) -> list[str]:
    """What is wrong with pages of so many bytes."""
    large = [f"{file.name} holds {size} bytes, more than {LARGEST}" for file, size in sizes.items() if size > LARGEST]
    if (together := sum(sizes.values())) > TOGETHER:
        large.append(f"all pages hold {together} bytes, more than {TOGETHER}")
    return large


def _unfit(shown: Sequence[Page], records: Mapping[str, Record]) -> list[str]:
    problems = [f"the last rendering of {page.artefact.document} failed" for page in shown if page.failed]
    for page in shown:
        name, commit = page.artefact.document, page.notebook.metadata.get("fercore", {}).get("commit", "unknown")
        if page.rendered and _lost(commit):
            problems.append(f"{name} was made at commit {commit}: commit, then make it again")
        elif page.rendered and (lost := [one for one in commits(page, records) if _lost(one)]):
            problems.append(
                f"{name} shows runs that were made at commit {', '.join(lost)}: remove those whose run.json in "
                "results/runs says so, commit, then make it again"
            )
    return problems


def _lost(commit: str) -> bool:
    """Whether the code behind a result is in no commit."""
    return commit == "unknown" or commit.endswith("+changes")
