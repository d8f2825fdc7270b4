"""Pages of executed notebooks and their index: plain HTML, everything inside, no script, no network."""

import html
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import nbformat

from fercore import parameters, storage

STYLE = """
:root { color-scheme: light; }
body { max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #1d2430; background: #fff;
       font: 16px/1.55 system-ui, sans-serif; }
h1, h2, h3 { line-height: 1.2; margin: 1.8em 0 .5em; } h1 { margin-top: .5em; }
a { color: #1f5fa8; } .anchor-link, .prompt { display: none; }
img, svg { max-width: 100%; height: auto; }
pre, code { font: 13px/1.45 ui-monospace, monospace; } pre { margin: 0; overflow-x: auto; }
details.code { margin: .8em 0; border-left: 3px solid #cdd5e0; padding-left: .8rem; }
details.code > summary { cursor: pointer; color: #66707f; font-size: 12px; }
.output { overflow-x: auto; margin: .6em 0; } .math { overflow-x: auto; }
table { border-collapse: collapse; margin: .8em 0; font-size: 14px; }
th, td { padding: .3rem .7rem; text-align: right; border-bottom: 1px solid #e3e7ee; }
td { white-space: nowrap; }
th:first-child, td:first-child { text-align: left; } caption { caption-side: top; text-align: left; color: #66707f; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(18rem, 1fr)); gap: 1rem; padding: 0; }
.cards li { list-style: none; border: 1px solid #dfe4ec; border-radius: 8px; padding: .9rem 1rem; }
.cards p { margin: .4rem 0; font-size: 14px; } .tag { color: #66707f; font-size: 12px; } .bad { color: #a3262a; }
"""
CODE_FOLDS = """{% extends 'basic/index.html.j2' %}
{% block input %}<details class="code" open><summary>code</summary>{{ super() }}</details>{% endblock %}"""


def write_page(notebook: Path) -> Path:
    """Write ``notebook`` (executed) as the ``.html`` beside it."""
    from pygments.formatters import HtmlFormatter

    content = nbformat.read(notebook, as_version=4)
    body, _ = _exporter().from_notebook_node(content)
    style = STYLE + HtmlFormatter(style="friendly").get_style_defs(".highlight")
    page = notebook.with_suffix(".html")
    with storage.whole_file(page) as aside:
        aside.write_text(_document(title_of(content) or notebook.stem, body, style))
    return page


def write_index(folder: Path) -> Path:
    """Write ``folder/index.html``: one card for every rendered notebook below it, by subfolder."""
    pages = sorted(page for page in folder.rglob("*.ipynb") if not page.name.startswith("."))
    groups: dict[str, list[str]] = {}
    for page in pages:
        groups.setdefault(page.parent.relative_to(folder).as_posix(), []).append(_card(page, folder))
    sections = [
        (f"<h2>{html.escape(group)}</h2>" if group != "." else "") + f'<ul class="cards">{"".join(cards)}</ul>'
        for group, cards in groups.items()
    ]
    index = folder / "index.html"
    with storage.whole_file(index) as aside:
        aside.write_text(_document("Notebooks", "<h1>Notebooks</h1>" + "".join(sections), STYLE))
    return index


def _card(page: Path, folder: Path) -> str:
    notebook = nbformat.read(page, as_version=4)
    failed = page.name.endswith(".failed.ipynb")
    rendered = page.with_suffix(".html")
    target = rendered if rendered.is_file() and not failed else page
    link = html.escape(target.relative_to(folder).as_posix())
    title = html.escape(title_of(notebook) or page.stem)
    mark = '<span class="bad">failed</span> ' if failed else ""
    return (
        f'<li>{mark}<a href="{link}">{title}</a><p>{html.escape(first_sentence(notebook))}</p>'
        f'<span class="tag">{html.escape(_run_with(notebook))}</span></li>'
    )


def _run_with(notebook: Mapping) -> str:
    """The values a page was run with, as far as they tell pages apart."""
    given = notebook["metadata"].get("papermill", {}).get("parameters", {})
    chosen = {**parameters.defaults_of(notebook), **given}
    telling = ("paper", "tier", "source", "dataset", "protocol", "variant", "fold", "seed")
    return " · ".join(f"{name} {chosen[name]}" for name in telling if chosen.get(name) is not None)


def _prose(notebook: Mapping) -> str:
    return "\n\n".join(cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "markdown")


def title_of(notebook: Mapping) -> str:
    heading = re.search(r"^#+ (.+)$", _prose(notebook), re.MULTILINE)
    return _plain(heading.group(1)) if heading else ""


def first_sentence(notebook: Mapping) -> str:
    paragraphs = [part for part in re.split(r"\n\s*\n", _prose(notebook)) if re.match(r"\s*[\w*_`$]", part)]
    sentence = re.match(r"(.+?[.!?])(\s|$)", " ".join(paragraphs[0].split())) if paragraphs else None
    return _plain(sentence.group(1)) if sentence else ""


def _plain(markdown: str) -> str:
    return re.sub(r"[*`$]|(?<=\])\([^)]*\)|[\[\]]", "", markdown).strip()


def _document(title: str, body: str, style: str) -> str:
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{style}</style></head>\n<body>{body}</body></html>\n"
    )


def _or_tex(convert: Callable, fallback: Callable, formula: str, display: str) -> str:
    """MathML, or the formula as it was typed where the converter does not know it."""
    try:
        return convert(formula, display=display)
    except Exception:  # the converter raises many kinds; an unset formula is better than a lost page
        return fallback(formula)


def _exporter():
    """Nbconvert's bare template, with code that folds and formulas as MathML instead of a script from the network."""
    import jinja2
    from latex2mathml.converter import convert
    from nbconvert import HTMLExporter
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    class Formulas(IPythonRenderer):
        def inline_math(self, body: str) -> str:
            return _or_tex(convert, super().inline_math, body, display="inline")

        def block_math(self, body: str) -> str:
            return _or_tex(convert, super().block_math, body, display="block")

    class Pages(HTMLExporter):
        @jinja2.pass_context
        def markdown2html(self, context, source: str) -> str:
            return MarkdownWithMath(renderer=Formulas(escape=False)).render(source)

    return Pages(raw_template=CODE_FOLDS, template_name="basic")
