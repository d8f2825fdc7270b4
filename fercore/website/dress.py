"""A Sphinx extension: formulas as MathML, alternative texts, and tables and code that a keyboard can scroll."""

import re
from html import escape

from docutils import nodes

FIGURE = re.compile(r"<img\b(?![^>]*\balt=)", re.IGNORECASE)
SCROLLS = ('<div class="table-wrapper', '<div class="math-wrapper', "<pre>")


def setup(app) -> dict:
    """Register all of it."""
    app.add_html_math_renderer("mathml", (_formula, None), (_display, None))
    app.connect("doctree-read", _describe)
    app.connect("html-page-context", _focusable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def mathml(formula: str, display: str) -> str:
    """MathML, or the formula as it was typed where the converter does not know it."""
    from latex2mathml.converter import convert

    try:
        return convert(formula, display=display)
    except Exception:  # the converter raises many kinds; an unset formula is better than a lost page
        return f"<code>{escape(formula)}</code>"


def _formula(translator, node: nodes.math) -> None:
    translator.body.append(mathml(node.astext(), "inline"))
    raise nodes.SkipNode


def _display(translator, node: nodes.math_block) -> None:
    translator.body.append(f'<div class="math">{mathml(node.astext(), "block")}</div>')
    raise nodes.SkipNode


def _describe(app, doctree: nodes.document) -> None:
    """Give every figure a text, from where it stands; let tables that pandas wrote scroll."""
    for image in doctree.findall(nodes.image):
        if not image.get("alt"):
            image["alt"] = _place_of(image)
    for raw in doctree.findall(nodes.raw):
        text = raw.astext()
        if "<img" in text:
            alt = escape(_place_of(raw), quote=True)
            text = FIGURE.sub(f'<img alt="{alt}"', text)
        if "<table" in text:
            text = f'<div class="scroll" tabindex="0">{text}</div>'
        if text != raw.astext():
            raw.children = [nodes.Text(text)]
            raw.rawsource = text


def _place_of(node: nodes.Node) -> str:
    """Page, section and what is said before the figure: "Figure of PAGE, section: SENTENCE"."""
    headings, said, inner = [], "", node
    while inner.parent is not None:
        before = inner.parent.children[: inner.parent.index(inner)]
        paragraphs = [one for one in before if isinstance(one, nodes.paragraph)]
        said = said or (paragraphs[-1].astext() if paragraphs else "")
        inner = inner.parent
        if isinstance(inner, nodes.section):
            headings.insert(0, inner.next_node(nodes.title).astext())
    sentence = re.match(r".+?[.!?:](?=\s|$)", " ".join(said.split()))
    return f"Figure of {', '.join(headings) or 'this page'}" + (f": {sentence.group(0)}" if sentence else "")


def _focusable(app, page: str, template: str, context: dict, doctree: nodes.document | None) -> None:
    body = context.get("body", "")
    for start in SCROLLS:
        body = body.replace(start, start.replace("<pre", '<pre tabindex="0"').replace("<div", '<div tabindex="0"'))
    context["body"] = body
