"""Notebooks become pages: executed aside, cleaned, renamed into place, and shown as HTML that needs no network.

``python -m fercore.pages notebooks/gcnet/run_fold.ipynb out.ipynb -p dataset ckplus -p fold 3``

``python -m fercore.pages --index results/notebooks``
"""

import argparse
import ast
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat

from fercore import parameters, paths, provenance, storage

WIDGET = "application/vnd.jupyter.widget-view+json"


class PageError(RuntimeError):
    """A notebook did not run to its end; the message is brief."""


def render(source: Path, output: Path, given: Mapping[str, Any], log: bool = False) -> int:
    """Run a notebook with the ``given`` parameters into ``output`` and its ``.html``; 0 when both are there.

    A notebook that fails leaves ``output`` as it was and itself as ``<stem>.failed.ipynb``. Of two that make the same
    ``output`` the second waits for the first.
    """
    source, output = Path(source).absolute(), Path(output).absolute()
    if refused := check(source, given):
        return refused
    try:
        with storage.one_at_a_time(output.with_name(f".{output.stem}.lock")):
            _make(source, output, dict(given), log)
    except (PageError, OSError) as problem:  # OSError: a full disk, a folder that may not be written
        print(f"{source.name} failed: {problem}", file=sys.stderr)
        return 1
    return 0


def _make(source: Path, output: Path, given: dict[str, Any], log: bool) -> None:
    from fercore import site

    for leftover in output.parent.glob(f".{output.name}.*"):  # of a render that was killed
        leftover.unlink(missing_ok=True)
    failed = output.with_suffix(".failed.ipynb")
    with storage.whole_file(output) as aside:
        _execute(source, aside, failed, given, log)
    failed.unlink(missing_ok=True)
    site.write_page(output)


def check(source: Path, given: Mapping[str, Any]) -> int:
    """Whether a notebook can be asked for ``given``, before anything is started: 0, or 2 and one line why not."""
    try:
        parameters.check_notebook(nbformat.read(source, as_version=4), given)
    except parameters.ParameterError as problem:
        print(f"Error: {problem}", file=sys.stderr)
        return 2
    return 0


def _execute(source: Path, aside: Path, failed: Path, given: dict[str, Any], log: bool) -> None:
    """Run into ``aside``; what fails goes to ``failed`` and is told by PageError."""
    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    notes = aside.with_name(f"{aside.name}.runs")  # the kernel writes down what it reads
    os.environ["FERCORE_TRACE"] = str(notes)
    try:
        papermill.execute_notebook(source, aside, given, cwd=paths.ROOT, progress_bar=False, log_output=log)
    except PapermillExecutionError as error:
        clean(aside, source)
        os.replace(aside, failed)
        raise PageError(f"cell {error.exec_count}: {error.ename}: {error.evalue}\nkept as {_shown(failed)}") from None
    except DeadKernelError:
        raise PageError("its kernel died (killed, or out of memory)") from None
    finally:
        del os.environ["FERCORE_TRACE"]
        runs = sorted(set(notes.read_text().splitlines())) if notes.is_file() else []
        notes.unlink(missing_ok=True)
    clean(aside, source, runs)


def clean(page: Path, source: Path, runs: Sequence[str] = ()) -> None:
    """Drop progress bars, warnings and this machine's paths; name the page's paper; note its ``runs`` and commit."""
    notebook = nbformat.read(page, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if _is_content(output)]
    notebook.metadata.pop("widgets", None)
    _name_paper(notebook)
    notebook.metadata.papermill.input_path = _shown(source)
    notebook.metadata.papermill.pop("output_path", None)
    notebook.metadata.setdefault("fercore", {}).update(runs=list(runs), commit=provenance.commit())
    nbformat.write(notebook, page)


def _name_paper(notebook: nbformat.NotebookNode) -> None:
    """A title that speaks of one paper, since the page is of any, says of which: no two pages share a title."""
    from fercore.published import NAMES

    chosen = {**parameters.defaults_of(notebook), **notebook.metadata.papermill.get("parameters", {})}
    if name := NAMES.get(chosen.get("paper")):
        title, line, rest = notebook.cells[0].source.partition("\n")
        notebook.cells[0].source = title.replace("one paper", name) + line + rest


def _is_content(output: Mapping) -> bool:
    return output.get("name") != "stderr" and WIDGET not in output.get("data", {})


def _shown(path: Path) -> str:
    return str(path.relative_to(paths.ROOT)) if path.is_relative_to(paths.ROOT) else path.name


def _literal(text: str) -> Any:
    """``3``, ``True`` and ``[0, 1]`` become values; all else stays text."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m fercore.pages", description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, nargs="?", help="notebook to run")
    parser.add_argument("output", type=Path, nargs="?", help="the finished notebook; its .html stands beside it")
    parser.add_argument("-p", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"), help="a parameter")
    parser.add_argument("--log", action="store_true", help="show what the cells print while they run")
    parser.add_argument("--check", action="store_true", help="only check the parameters; nothing is run or written")
    parser.add_argument("--index", type=Path, metavar="FOLDER", help="write FOLDER/index.html over its notebooks")
    chosen = parser.parse_args(arguments)
    if chosen.index:
        from fercore import site

        print(_shown(site.write_index(chosen.index.absolute())))
        return 0
    if not chosen.source or not (chosen.output or chosen.check):
        parser.error("SOURCE and OUTPUT are needed")
    if not chosen.source.is_file():
        parser.error(f"{chosen.source} does not exist")
    given = {name: _literal(value) for name, value in chosen.p}
    if chosen.check:
        return check(chosen.source, given)
    return render(chosen.source, chosen.output, given, chosen.log)


if __name__ == "__main__":
    sys.exit(main())
