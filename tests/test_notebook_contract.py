"""Notebooks are pages, not programs: what may stand in one, and that the check itself can fail."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from fercore import parameters, paths

IMPORTS = {"fercore", "pandas", "matplotlib", "seaborn", "numpy", "IPython"}
LINES, PARAMETER_LINES = 10, 12
PARAMETER = re.compile(r"[a-z_]\w* = .+  # \S.*")
PATH = re.compile(
    r"(~|/|\.\.?/|[A-Za-z]:\\)\S+"  # from a root or relative
    r"|(data|results|notebooks|shared)/\S*"  # a folder of this project
    r"|\S+\.(csv|json|ya?ml|txt|npy|npz|pt|pth|png|jpe?g|pdf|svg|html|ipynb|parquet|safetensors)"  # a file
)
TRAINING = {"step", "backward", "zero_grad", "fit", "train"}


def violations(notebook: nbformat.NotebookNode) -> list[str]:
    """Everything that breaks the contract, in words."""
    found = [*_format(notebook), *_metadata(notebook), *_parameters(notebook)]
    before = None
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            found += [f"cell {number}: {problem}" for problem in (*_state(cell), *_code(cell), *_prose(cell, before))]
        before = cell
    return found


def _format(notebook) -> Iterator[str]:
    ids = [cell.get("id") for cell in notebook.cells]
    if None in ids or len(set(ids)) != len(ids):
        yield "every cell needs an id of its own"
        return  # validate() would give it one
    try:
        nbformat.validate(notebook)
    except nbformat.ValidationError as error:
        yield f"not a valid notebook: {error.message}"


def _metadata(notebook) -> Iterator[str]:
    paper = notebook.metadata.get("fercore", {}).get("paper")
    if paper not in (*parameters.papers(), parameters.NO_PAPER):
        yield f"metadata.fercore.paper is {paper!r}, not one of {parameters.papers()} or {parameters.NO_PAPER!r}"
    if notebook.metadata.get("kernelspec", {}).get("name") != "python3":
        yield "the kernel is not python3"
    first = notebook.cells[0] if notebook.cells else None
    if first is None or first.cell_type != "markdown" or not first.source.startswith("# "):
        yield "the first cell is not a title"


def _parameters(notebook) -> Iterator[str]:
    tagged = [cell for cell in notebook.cells if _is_parameters(cell)]
    if len(tagged) != 1 or tagged[0].cell_type != "code":
        yield f"{len(tagged)} cells are tagged parameters, one is needed"
        return
    for line in filter(str.strip, tagged[0].source.splitlines()):
        if not PARAMETER.fullmatch(line):
            yield f"parameters: {line!r} is not `name = literal  # comment`"
    try:
        defaults = parameters.defaults_in(tagged[0].source)
        if defaults.get("source") != "prepared":  # what is prepared differs between machines
            parameters.check({}, defaults, notebook.metadata.get("fercore", {}).get("paper"))
    except (parameters.ParameterError, SyntaxError) as error:
        yield f"parameters: {error}"


def _state(cell) -> Iterator[str]:
    if cell.outputs or cell.execution_count is not None:
        yield "has outputs or an execution count; sources are kept without"


def _code(cell) -> Iterator[str]:
    lines = [line for line in cell.source.splitlines() if line.strip() and not line.strip().startswith("#")]
    if len(lines) > (PARAMETER_LINES if _is_parameters(cell) else LINES):
        yield f"{len(lines)} lines of code"
    try:
        tree = ast.parse(cell.source)
    except SyntaxError:
        yield "is not plain Python"
        return
    for node in ast.walk(tree):
        yield from _node(node)


def _node(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.While():
            yield f"{type(node).__name__}: belongs in fercore"
        case ast.Assign(value=ast.Lambda()) | ast.AnnAssign(value=ast.Lambda()) | ast.NamedExpr(value=ast.Lambda()):
            yield "an assigned lambda: belongs in fercore"
        case ast.For() if _called(node) & TRAINING:
            yield "a training loop: belongs in fercore"
        case ast.Import(names=names):
            yield from (f"imports {one.name}" for one in names if one.name.split(".")[0] not in IMPORTS)
        case ast.ImportFrom(module=module) if (module or "").split(".")[0] not in IMPORTS:
            yield f"imports {module}"
        case ast.Constant(value=str(text)) if PATH.fullmatch(text):
            yield f"a path: {text!r}"


def _called(loop: ast.For) -> set[str]:
    calls = [node.func for node in ast.walk(loop) if isinstance(node, ast.Call)]
    return {getattr(call, "attr", getattr(call, "id", None)) for call in calls}


def _prose(cell, before) -> Iterator[str]:
    if _is_parameters(cell) or _is_imports(cell):
        return
    if before is None or before.cell_type != "markdown":
        yield "no prose introduces it"


def _is_parameters(cell) -> bool:
    return "parameters" in cell.metadata.get("tags", ())


def _is_imports(cell) -> bool:
    try:
        body = ast.parse(cell.source).body
    except SyntaxError:
        return False
    return bool(body) and all(isinstance(line, ast.Import | ast.ImportFrom) for line in body)


SOURCES = sorted(path for path in (paths.ROOT / "notebooks").rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts)


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_notebook_keeps_the_contract(source: Path):
    assert violations(nbformat.read(source, as_version=nbformat.NO_CONVERT)) == []


def page(parameter_lines='tier = "twin"  # size of the run', code="table", **metadata) -> nbformat.NotebookNode:
    cells = [
        new_markdown_cell("# Title\n\nProse."),
        new_code_cell("import pandas as pd\nfrom fercore import tables"),
        new_code_cell(parameter_lines, metadata={"tags": ["parameters"]}),
        new_markdown_cell("What follows."),
        new_code_cell(code),
    ]
    about = {"fercore": {"paper": "gcnet"}, "kernelspec": {"name": "python3", "display_name": "Python 3"}}
    return new_notebook(cells=cells, metadata={**about, **metadata})


@pytest.mark.parametrize(
    "code",
    [
        "table",
        "for fold in range(3):\n    print(fold)",
        'axes.set_ylabel("images/s")',
        'print(f"{done}/{total} folds, see Sec. 4.1 and/or the appendix")',
        "runs.sort(key=lambda run: run.fold)",
    ],
)
def test_a_good_page_passes(code):
    assert violations(page(code=code)) == []


@pytest.mark.parametrize(
    ("code", "complaint"),
    [
        ("def f():\n    return 1", "FunctionDef"),
        ("class A:\n    pass", "ClassDef"),
        ("f = lambda x: x", "assigned lambda"),
        ("while True:\n    break", "While"),
        ("for x, y in batches:\n    method.step(x)", "training loop"),
        ("import torch", "imports torch"),
        ("from sklearn.svm import SVC", "imports sklearn.svm"),
        ("from . import x", "imports None"),
        ('pd.read_csv("table.csv")', "a path"),
        ('open("/etc/hosts")', "a path"),
        ('place = "../shared/data"', "a path"),
        ('place = f"results/{tier}"', "a path"),
        ("%matplotlib inline", "not plain Python"),
        ("\n".join(f"x{i} = {i}" for i in range(11)), "11 lines"),
    ],
)
def test_bad_code_is_noticed(code, complaint):
    assert any(complaint in problem for problem in violations(page(code=code)))


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ('tier = "twin"', "is not `name = literal"),
        ("tier = choose()  # computed", "not a literal"),
        ("import os  # no", "is not `name = literal"),
        ('tier = "huge"  # size', "valid: smoke, twin, paper"),
        ("fold = 10  # one of ten", "out of range"),
        ('dataset = "ck"  # which faces', "ckplus"),
        ('variant = "S2R2"  # row of the table', "S1R1"),
        ("seed = -1  # first", "seed"),
        ("\n".join(f"x{i} = {i}  # number" for i in range(13)), "13 lines"),
    ],
)
def test_bad_parameters_are_noticed(lines, complaint):
    assert any(complaint in problem for problem in violations(page(lines)))


def test_state_form_and_metadata_are_noticed():
    ran, twice, unnamed, bare, dangling = (page() for _ in range(5))
    ran.cells[4].execution_count = 1
    twice.cells[4].metadata.tags = ["parameters"]
    unnamed.cells[4].id = unnamed.cells[3].id
    bare.cells.pop(3)
    dangling.cells[0].source = "No title"
    assert any("execution count" in problem for problem in violations(ran))
    assert any("2 cells are tagged" in problem for problem in violations(twice))
    assert any("id of its own" in problem for problem in violations(unnamed))
    assert any("no prose" in problem for problem in violations(bare))
    assert any("not a title" in problem for problem in violations(dangling))
    assert any("metadata.fercore.paper" in problem for problem in violations(page(fercore={"paper": "unknown"})))
    julia = page(kernelspec={"name": "julia", "display_name": "Julia"})
    assert any("not python3" in problem for problem in violations(julia))
