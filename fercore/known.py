"""What a parameter can name: papers, sets, rows, fields. Read from sources, as importing them would cost seconds."""

import ast
import importlib
from functools import cache
from pathlib import Path

from fercore import paths
from fercore.storage import restore


def papers() -> list[str]:
    """The papers that this companion reproduces."""
    return sorted(file.stem for file in (Path(__file__).parent / "papers").glob("[a-z]*.py"))


def prepared() -> list[str]:
    """The image sets prepared on this machine."""
    place = paths.data() / "prepared"
    restore(place)
    return sorted(manifest.parent.name for manifest in place.glob("[!.]*/faceset.json"))


def names(module: str, table: str) -> list[str]:
    """The keys of the dict ``table`` in ``module``, or the names in a tuple."""
    try:
        return _keys(module, _assigned(module, table))
    except LookupError:  # it does not stand there plainly
        return list(getattr(importlib.import_module(module), table))


def number(module: str, name: str) -> int:
    """The number that ``name`` stands for in ``module``."""
    return ast.literal_eval(_assigned(module, name))


def fields(paper: str) -> dict[str, ast.AnnAssign]:
    """The lines of a paper's configuration, by field."""
    return {line.target.id: line for line in _config(paper).body if isinstance(line, ast.AnnAssign)}


def choices(paper: str) -> dict[str, tuple]:
    """Fields of a paper's configuration that take one of a few values, where these stand there plainly."""
    found = {}
    for option in [option for call in _calls(_config(paper), "check_choices") for option in call.keywords]:
        try:
            found[option.arg] = ast.literal_eval(option.value)
        except ValueError:  # names or calls: the configuration itself refuses others
            continue
    return found


def divided_otherwise() -> set[str]:
    """The datasets with a protocol of more or fewer than the usual folds."""
    protocols = _calls(_source("fercore.faces.protocols"), "Protocol")
    return {call.args[1].value for call in protocols if {"folds", "official"} & {word.arg for word in call.keywords}}


@cache
def _source(module: str) -> ast.Module:
    return ast.parse(paths.ROOT.joinpath(*module.split(".")).with_suffix(".py").read_text())


def _assigned(module: str, name: str) -> ast.expr:
    for line in _source(module).body:
        targets = line.targets if isinstance(line, ast.Assign) else [getattr(line, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            return line.value
    raise LookupError(name)


def _keys(module: str, node: ast.expr | None) -> list[str]:
    match node:
        case ast.Constant(value=str(name)):
            return [name]
        case ast.Dict(keys=parts) | ast.Tuple(elts=parts):
            pass
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            parts = [left, right]
        case ast.Name(id=other) | ast.Starred(value=ast.Name(id=other)):
            parts = [_assigned(module, other)]
        case _:
            raise LookupError(module)
    return [key for part in parts for key in _keys(module, part)]


def _config(paper: str) -> ast.ClassDef:
    classes = [node for node in _source(f"fercore.papers.{paper}").body if isinstance(node, ast.ClassDef)]
    return next(node for node in classes if node.name == "Config")


def _calls(tree: ast.AST, function: str) -> list[ast.Call]:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [call for call in calls if function in (getattr(call.func, "id", None), getattr(call.func, "attr", None))]
