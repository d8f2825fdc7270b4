"""Pages of the code and of the papers' printed tables, and which of them a notebook or an artefact leads to."""

import ast
import re
from collections.abc import Mapping
from functools import cache
from html import escape
from pathlib import Path

from fercore import paths, published
from fercore.website.artefacts import GROUPS, Artefact


@cache
def modules() -> dict[str, Path]:
    """Every module of fercore by its dotted name."""
    files = sorted((paths.ROOT / "fercore").rglob("*.py"))
    return {_dotted(file.relative_to(paths.ROOT)): file for file in files}


def _dotted(file: Path) -> str:
    parts = file.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(notebook: Mapping) -> list[tuple[str, str]]:
    """Modules of fercore that a notebook imports: (name, address from the site's root)."""
    known, found = modules(), set()
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            found |= _named(cell["source"])
    # `from fercore.a import b`: b is a module, or else a name in a
    real = {name if name in known else name.rpartition(".")[0] for name in found}
    return [(name, address(name)) for name in sorted(real & set(known) - {"fercore"})]


def address(module: str) -> str:
    """Where a module is shown, from the site's root: on the page of its package."""
    return f"code/{_package(module)}.html#{_anchor(module)}"


def _package(module: str) -> str:
    return module if modules()[module].name == "__init__.py" else module.rpartition(".")[0]


def _anchor(module: str) -> str:
    return re.sub(r"[._]+", "-", module).strip("-").lower()  # as docutils makes it


def _named(source: str) -> set[str]:
    try:
        lines = ast.walk(ast.parse(source))
    except SyntaxError:  # a line of IPython's own
        return set()
    found = set()
    for line in lines:
        if isinstance(line, ast.ImportFrom) and (line.module or "").split(".")[0] == "fercore":
            found |= {f"{line.module}.{one.name}" for one in line.names}
        elif isinstance(line, ast.Import):
            found |= {one.name for one in line.names if one.name.split(".")[0] == "fercore"}
    return found


def printed_of(artefact: Artefact) -> str | None:
    """The printed table that an artefact stands beside: the stem of its file in results/published."""
    number = artefact.artefact.removeprefix("Table ")
    known = artefact.kind == "Table" and int(number) in published.tables().get(artefact.paper, ())
    return f"{artefact.paper}_table{number}" if known else None


def write_code(folder: Path) -> None:
    """One page per package with its modules, and ``index.md`` over them."""
    folder.mkdir(parents=True)
    packages: dict[str, list[str]] = {}
    lines = []
    for name, file in modules().items():
        text = file.read_text()
        about = (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]
        section = f"({_anchor(name)})=\n## {name}\n\n{fenced(text, 'python')}\n"
        packages.setdefault(_package(name), []).append(section)
        lines.append(f"<dt><a href='../{address(name)}'>{name}</a></dt><dd>{escape(about)}</dd>")
    for package, sections in packages.items():
        head = f"---\norphan: true\n---\n# Code: {package}\n\n[all modules](index.md)\n\n"
        (folder / f"{package}.md").write_text(head + "\n".join(sections))
    listing = f"<dl class='modules'>{''.join(lines)}</dl>"
    (folder / "index.md").write_text(f"# The code\n\nThe package as it was when this site was built.\n\n{listing}\n")


def write_published(folder: Path) -> None:
    """One page per printed table."""
    folder.mkdir(parents=True)
    for paper, numbers in published.tables().items():
        for number in numbers:
            title = f"{GROUPS[paper].title}, Table {number} as printed"
            table = published.table(paper, number).to_html(index=False, border=0, na_rep="–")
            note = "The numbers of the paper, typed once; a dash where it prints none."
            page = f"---\norphan: true\n---\n# {title}\n\n{note}\n\n{raw(table)}\n"
            (folder / f"{paper}_table{number}.md").write_text(page)


def raw(html: str) -> str:
    """HTML inside a Markdown page, whatever it holds."""
    return fenced(html, "{raw} html")


def fenced(text: str, kind: str) -> str:
    """A fenced block that nothing in ``text`` closes: its fence is longer than any run of backticks there."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}{kind}\n{text}\n{fence}"
