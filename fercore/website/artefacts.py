"""What the site shows: the artefacts of the papers (``results/published/artefacts.csv``) and their rendered pages."""

import re
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd

from fercore import parameters, paths

COLUMNS = ["paper", "artefact", "page", "notebook", "title", "command"]
LARGEST = 20_000_000  # bytes of a notebook; ours stay below 0.5 MB
NAME = re.compile(r"[A-Za-z0-9_+()-][A-Za-z0-9_+().=-]*")  # of a folder or run: leads nowhere else


@dataclass(frozen=True)
class Group:
    """Artefacts that belong together."""

    title: str
    about: str


GROUPS = {
    "verdict": Group("The verdict", "Every claim of the four papers, held against print and runs."),
    "gcnet": Group("GCNet", "Kim et al.: compare a face with a generated reference of the same person."),
    "occluded": Group(
        "Occluded", "Pan et al. 2019: a teacher that saw clean faces guides one that sees occluded ones."
    ),
    "unpaired": Group("Unpaired", "Xia & Wang 2020: thermal faces help visible ones, without pairs."),
    "idferm": Group("IDFERM", "Liu et al. 2019: hard negatives from a generator, radial metric learning."),
    "twins": Group("The drawn faces", "How good the stand-ins of the licensed datasets are."),
}


@dataclass(frozen=True)
class Artefact:
    """A table, figure or page, and the notebook that makes it."""

    paper: str
    artefact: str  # "Table 2", "Figure 4" or "page"
    page: str  # of the rendered file, without suffix
    notebook: str  # below notebooks/
    title: str
    command: str  # that renders it

    @property
    def label(self) -> str:
        """As the README names it."""
        return self.title if self.artefact == "page" else f"{self.artefact}, {self.title}"

    @property
    def kind(self) -> str:
        """Table, Figure or page."""
        return self.artefact.split()[0]

    @property
    def document(self) -> str:
        """Where its page stands in the site, without suffix."""
        return f"{self.paper}/{self.page}"

    @property
    def source(self) -> Path:
        """The notebook without outputs."""
        return paths.notebooks() / self.notebook


@dataclass(frozen=True)
class Page:
    """An artefact and what is rendered of it: None where nothing is."""

    artefact: Artefact
    rendered: Path | None
    failed: bool = False  # its last rendering

    @cached_property
    def notebook(self) -> nbformat.NotebookNode:
        """The executed notebook, or else the source."""
        file = self.rendered or self.artefact.source
        if (size := file.stat().st_size) > LARGEST:
            raise ValueError(f"{file} holds {size} bytes, more than {LARGEST}: no page of ours; remove it")
        return nbformat.read(file, as_version=4)

    @cached_property
    def runs(self) -> tuple[str, ...] | None:
        """Folders below results/runs that it read; None where it does not say."""
        noted = self.notebook.metadata.get("fercore", {}).get("runs") if self.rendered else None
        if noted is None:
            return None
        for run in noted:
            parts = run.split("/")
            if len(parts) != 3 or not all(NAME.fullmatch(part) for part in parts):
                raise ValueError(f"{self.rendered}: {run!r} is no run folder (paper/data/run)")
        return tuple(noted)

    @property
    def chosen(self) -> dict[str, Any]:
        """The parameters it was run with."""
        given = self.notebook.metadata.get("papermill", {}).get("parameters", {})
        return {**parameters.defaults_of(self.notebook), **given}


def listed() -> list[Artefact]:
    """Every artefact, in the order of the README."""
    table = pd.read_csv(paths.published() / "artefacts.csv", keep_default_na=False)
    artefacts = [Artefact(*row) for row in table[COLUMNS].itertuples(index=False)]
    if unknown := {one.paper for one in artefacts} - set(GROUPS):
        raise ValueError(f"artefacts.csv names {sorted(unknown)}; valid: {', '.join(GROUPS)}")
    return artefacts


def pages(tier: str = "twin", source: str = "twin") -> list[Page]:
    """A page for every artefact, then for what else is rendered in the folders of this tier and source."""
    artefacts = listed()
    found = [_page(one, folder_of(one.paper, tier, source)) for one in artefacts]
    known = {page.rendered for page in found}
    for paper in GROUPS:
        folder = folder_of(paper, tier, source)
        others = sorted([*folder.glob("*.ipynb"), *folder.glob("folds/*.ipynb")])
        found += [_other(paper, file) for file in others if file not in known and not _aside(file)]
    return found


def _other(paper: str, file: Path) -> Page:
    """A rendered page that the list does not name, such as one fold; it says itself what it was made from."""
    page = Page(Artefact(paper, "page", file.stem, f"{paper}/{file.name}", file.stem, command=""), file)
    source = page.notebook.metadata.get("papermill", {}).get("input_path", "").removeprefix("notebooks/")
    named = source and all(NAME.fullmatch(part) for part in source.split("/"))
    return replace(page, artefact=replace(page.artefact, notebook=source)) if named else page


def _aside(file: Path) -> bool:
    return file.name.startswith(".") or file.stem.endswith(".failed")


def folder_of(paper: str, tier: str, source: str) -> Path:
    """Where the workflow leaves the rendered pages of a paper."""
    name = paper if (tier, source) == ("twin", "twin") else f"{paper}-{tier}-{source}"
    if paper in ("twins", "verdict"):
        name = paper if tier == "twin" else f"{paper}-{tier}"
    return paths.results() / "notebooks" / name


def _page(artefact: Artefact, folder: Path) -> Page:
    rendered = folder / f"{artefact.page}.ipynb"
    failed = rendered.with_suffix(".failed.ipynb").is_file()
    return Page(artefact, rendered if rendered.is_file() else None, failed)
