"""Changes of a paper's configuration, checked before anything is started: which fields, and what they can take."""

import ast
from collections.abc import Mapping
from sys import float_info
from types import EllipsisType
from typing import Any

from fercore import known
from fercore.refusals import ParameterError, one_of


def check_changes(name: str, changes: Any, paper: str, tier: str) -> None:
    """Refuse changes that are no dict, an unknown field, or a value that the field cannot take."""
    if not isinstance(changes, Mapping):
        raise ParameterError(f"{name} must be a dict of fields, such as {{'iterations': 300}}, not {changes!r}")
    fields, choices = known.fields(paper), known.choices(paper)
    for field, value in changes.items():
        one_of(f"{name}: field", field, fields)
        _check_type(f"{name}: {field}", value, fields[field])
        if field in choices:
            one_of(f"{name}: {field}", value, choices[field])
        elif field == "pretraining":
            one_of(f"{name}: {field}", value, _pretraining(fields[field], tier))
        elif field == "occlusions":
            for kind in value:
                one_of(f"{name}: {field}", kind, known.names("fercore.twins.occluders", "OCCLUSIONS"))


def _check_type(name: str, value: Any, field: ast.AnnAssign) -> None:
    kind = ast.unparse(field.annotation)
    least = 0 if field.value and ast.unparse(field.value) == "0" else 1
    if not _fits(value, field.annotation, least):
        counted = f", {least} or above" if "int" in kind else ""
        raise ParameterError(f"{name} cannot be {value!r}; valid: {kind}{counted}")


def _fits(value: Any, kind: ast.expr, least: int) -> bool:
    """Whether a value is of the annotated ``kind``; numbers are finite, counts not below ``least``."""
    match kind:
        case ast.Constant(value=None):
            return value is None
        case ast.BinOp(left=one, right=other):
            return _fits(value, one, least) or _fits(value, other, least)
        case ast.Subscript(slice=ast.Tuple(elts=[one, ast.Constant(value=EllipsisType())])):
            filled = isinstance(value, list | tuple) and (len(value) > 0 or ast.unparse(one) != "int")
            return filled and all(_fits(part, one, least) for part in value)
        case ast.Subscript(slice=ast.Tuple(elts=kinds)):
            whole = isinstance(value, list | tuple) and len(value) == len(kinds)
            return whole and all(_fits(part, one, least) for part, one in zip(value, kinds, strict=True))
        case ast.Name(id="int"):
            return type(value) is int and value >= least
        case ast.Name(id="float"):
            return type(value) in (int, float) and abs(value) <= float_info.max
    return type(value).__name__ == ast.unparse(kind)


def _pretraining(field: ast.AnnAssign, tier: str) -> list[str]:
    """What a run can be pre-trained on: nothing, its own images or, where a set stands in the paper, another one."""
    own = ["", "own"]
    if ast.literal_eval(field.value) in own:
        return own
    return own + (known.prepared() if tier == "paper" else known.names("fercore.twins.recipes", "TWINS"))
