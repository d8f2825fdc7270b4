"""Building: sources written aside, made into pages by Sphinx, checked, renamed into place."""

import io
import json
import re
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import nbformat

from fercore import provenance
from fercore.storage import whole_folder
from fercore.website import artefacts, copies, indexes, listings, records
from fercore.website.artefacts import Page
from fercore.website.check import faults_of
from fercore.website.records import Record

MARK = "site.json"  # tells a site of ours from any other folder
SETTINGS = {
    "project": "fercore",
    "html_title": "fercore",
    "extensions": ["myst_nb", "fercore.website.dress"],
    "html_theme": "furo",
    "html_static_path": ["_static"],
    "html_extra_path": ["_extra"],
    "html_css_files": ["site.css"],
    "html_math_renderer": "mathml",
    "html_copy_source": False,
    "html_show_sourcelink": False,
    "html_show_copyright": False,
    "html_show_search_summary": False,  # it is fetched, which browsers refuse to a site opened from disk
    "html_use_index": False,
    "exclude_patterns": ["_static", "_extra"],
    "nb_execution_mode": "off",
    "nb_code_prompt_show": "code",
    "nb_code_prompt_hide": "code",
    "nb_ipywidgets_js": {},  # from the network otherwise
    "myst_enable_extensions": ["dollarmath", "amsmath"],
    "myst_heading_anchors": 3,
    "myst_links_external_new_tab": False,
    "suppress_warnings": ["myst.header", "misc.highlighting_failure"],
    "toc_object_entries": False,
}


class SiteError(RuntimeError):
    """The site cannot be built or replaced; says why and the way out."""


def build(target: Path, tier: str = "twin", source: str = "twin", jobs: int = 2) -> dict:
    """Build the site of all rendered pages as ``target``; what was there stays until the new one is whole."""
    started = time.monotonic()
    refuse_foreign(target)
    pages = artefacts.pages(tier, source)
    known = records.read(run for page in pages for run in page.runs or ())
    with whole_folder(target) as aside, tempfile.TemporaryDirectory() as place:
        sources, built = Path(place, "sources"), Path(place, "site")  # beside which MyST-NB leaves a folder of its own
        write_sources(sources, pages, known)
        warnings = _sphinx(sources, built, Path(place, "doctrees"), jobs)
        if faults := faults_of(built):
            raise SiteError("the site was not replaced; the new one has faults:\n" + "\n".join(faults[:50]))
        shutil.copytree(built, aside, dirs_exist_ok=True)
        about = {
            "pages": len(pages), "rendered": sum(page.rendered is not None for page in pages), "runs": len(known),
            "commit": provenance.commit(), "seconds": round(time.monotonic() - started, 1), "warnings": warnings,
        }  # fmt: skip
        (aside / MARK).write_text(json.dumps(about, indent=2) + "\n")
    return about


def refuse_foreign(target: Path) -> None:
    """Raise SiteError where ``target`` holds anything but a site of ours, which a build would replace."""
    if target.exists() and not (target / MARK).is_file() and (not target.is_dir() or any(target.iterdir())):
        raise SiteError(f"{target} is no site of ours and would be replaced; choose another folder or remove it")


def write_sources(folder: Path, pages: Sequence[Page], known: Mapping[str, Record]) -> None:
    """All that Sphinx reads."""
    shutil.copytree(Path(__file__).parent / "static", folder / "_static")
    for page in pages:
        file = copies.document(page, folder)
        file.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(copies.written(page, known), file)
        if page.artefact.source.is_file():
            beside = folder / "_extra" / "notebooks" / page.artefact.notebook
            beside.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(page.artefact.source, beside)
    listings.write_code(folder / "code")
    listings.write_published(folder / "published")
    indexes.write_papers(folder, pages, known)
    indexes.write_runs(folder, pages, known)
    indexes.write_front(folder, pages, known)


def _sphinx(sources: Path, target: Path, doctrees: Path, jobs: int) -> list[str]:
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    said = io.StringIO()
    with patch_docutils(), docutils_namespace():
        app = Sphinx(sources, None, target, doctrees, "html", SETTINGS, None, said, freshenv=True, parallel=jobs)
        app.build(force_all=True)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", said.getvalue()).splitlines()
    if app.statuscode:
        raise SiteError("Sphinx failed:\n" + "\n".join(lines))
    return [line.replace(f"{sources}/", "") for line in lines if line.strip()]
