"""What a notebook may be asked for: every value is checked before anything is started or written.

This module is imported by every papermill process, so it imports nothing heavy until a check needs it.
"""

import ast
import importlib
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from sys import float_info
from typing import Any

from fercore import paths
from fercore.changes import check_changes
from fercore.known import divided_otherwise, names, number, papers, prepared
from fercore.refusals import ParameterError, listed, one_of, within

TIERS = ("smoke", "twin", "paper")
SOURCES = ("twin", "prepared")
NO_PAPER = "none"  # metadata of a notebook that belongs to no paper
NAME = re.compile(r"[A-Za-z0-9_+()-]+")  # no slash, no dot: no name leads out of its folder
PHOTOS = ("drawn", "london")  # photographs that need no file
FILES = {"photo"}  # parameters that may hold the path of a file, which is only read
LAST_SEED = 2**63 - 1  # a table of results keeps seeds as 64-bit integers


def check(values: Mapping[str, Any], defaults: Mapping[str, Any], paper: str) -> None:
    """Refuse an unknown name, a wrong type or an impossible value among ``values`` given over ``defaults``."""
    for name, value in values.items():
        if name not in defaults:
            raise ParameterError(f"parameter {name!r} is unknown; valid: {listed(defaults)}")
        _check_type(name, value, defaults[name])
    asked = {**defaults, **values}
    for name, value in asked.items():
        if isinstance(value, list | tuple):
            _check_each_once(name, value)
    chosen = {"source": "twin", "tier": "twin", "paper": paper, **asked}
    for name, check_one in CHECKS.items():
        if asked.get(name) is not None:
            _apply(check_one, name, asked[name], chosen)
    _check_headings(asked, defaults)


def _apply(check_one: Callable[[str, Any, Mapping], None], name: str, value: Any, chosen: Mapping[str, Any]) -> None:
    for one in value if isinstance(value, list | tuple) else [value]:
        try:
            check_one(name, one, chosen)
        except (TypeError, AttributeError):
            raise ParameterError(f"{name}: {one!r} is of the wrong type") from None


def defaults_in(source: str) -> dict[str, Any]:
    """The names and default values of a parameters cell: lines ``name = literal``, nothing else."""
    found = {}
    for line in ast.parse(source).body:
        if not (isinstance(line, ast.Assign) and len(line.targets) == 1 and isinstance(line.targets[0], ast.Name)):
            raise ParameterError(f"parameters cell, line {line.lineno}: only `name = literal` may stand here")
        try:
            found[line.targets[0].id] = ast.literal_eval(line.value)
        except ValueError:
            raise ParameterError(f"parameters cell, line {line.lineno}: the default is not a literal") from None
    return found


def defaults_of(notebook: Mapping) -> dict[str, Any]:
    """The parameters and defaults of a notebook: those of its cell tagged ``parameters``."""
    tagged = [cell for cell in notebook["cells"] if "parameters" in cell["metadata"].get("tags", ())]
    return defaults_in(tagged[0]["source"]) if tagged else {}


def check_notebook(notebook: Mapping, given: Mapping[str, Any]) -> None:
    """Check ``given`` against the parameters cell and the paper (``metadata.fercore.paper``) of a notebook."""
    paper = notebook["metadata"].get("fercore", {}).get("paper")
    if paper not in (*papers(), NO_PAPER):
        valid = listed((*papers(), NO_PAPER))
        raise ParameterError(f"the notebook's metadata.fercore.paper is {paper!r}; valid: {valid}")
    check(given, defaults_of(notebook), paper)


def _check_type(name: str, value: Any, default: Any) -> None:
    kind, several = type(default).__name__, isinstance(default, list | tuple | dict)
    if several and isinstance(value, str):
        example = f"{{{name}: {json.dumps(default)}}}"
        raise ParameterError(f"{name} must be a {kind}, not the text {value!r}; with papermill give -y '{example}'")
    expected = (int, float) if type(default) is float else type(default)
    fits = default is None or (isinstance(value, expected) and isinstance(value, bool) == isinstance(default, bool))
    if not fits:
        raise ParameterError(f"{name} must be of type {kind} (as {default!r}), not {value!r}")
    if isinstance(default, float) and not abs(value) <= float_info.max:
        raise ParameterError(f"{name} must be a finite number (as {default!r}), not {value!r}")
    if isinstance(value, str) and name not in FILES and not NAME.fullmatch(value):
        raise ParameterError(f"{name}: {value!r} is not a name; valid: letters, digits, _ + - ( )")
    if isinstance(default, list | tuple):
        for one in value:
            _check_type(name, one, default[0] if default else None)


def _check_each_once(name: str, value: list | tuple) -> None:
    if not value:
        raise ParameterError(f"{name} is an empty list; valid: one or more")
    if again := [one for one in value if value.count(one) > 1]:
        raise ParameterError(f"{name} {list(value)!r} has {again[0]!r} more than once; valid: each once")


def _check_headings(asked: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
    """Rows on several datasets stand under printed headings, which know their datasets by place alone."""
    rows_on_several = "datasets" in defaults and "dataset" not in defaults and {"variant", "variants"} & set(defaults)
    if not rows_on_several:
        return
    given, printed = ([_printed(one) for one in chosen["datasets"]] for chosen in (asked, defaults))
    if given != printed:
        raise ParameterError(
            f"datasets {asked['datasets']!r} would stand under headings of others; "
            f"valid: {listed(printed)}, in this order (or prepared otherwise: {printed[0]}-NAME)"
        )


def _printed(dataset: str) -> str:
    """The dataset that a paper names: one prepared with another crop, such as oulu-dark, is still Oulu-CASIA."""
    return dataset.split("-")[0]


def _check_dataset(name: str, value: str, chosen: Mapping[str, Any]) -> None:
    joined = value.split("+")
    for one in joined:
        _check_one_dataset(name, one, chosen)
    if len(set(joined)) < len(joined):
        raise ParameterError(f"{name} {value!r} joins a set to itself; valid: each once, such as {joined[0]}")


def _check_one_dataset(name: str, value: str, chosen: Mapping[str, Any]) -> None:
    if chosen["source"] == "twin":
        hint = "; prepared on this machine, choose source prepared: " + value if value in prepared() else ""
        return one_of(name, value, names("fercore.twins.recipes", "TWINS"), hint)
    script = Path("data_prep", f"{value}.py")
    hint = f"; to prepare it: python {script} --help" if (paths.ROOT / script).is_file() else ""
    one_of(name, value, prepared(), hint)


def _check_protocol(name: str, value: str, chosen: Mapping[str, Any]) -> None:
    protocols, dataset = importlib.import_module("fercore.faces.protocols"), chosen["dataset"]
    one_of(name, value, ["default", *protocols.protocols_for(dataset)], f" (dataset {dataset})")


def _check_variant(name: str, value: str, chosen: Mapping[str, Any]) -> None:
    one_of(name, value, names(f"fercore.papers.{chosen['paper']}", "VARIANTS"))


def _check_fold(name: str, value: int, chosen: Mapping[str, Any]) -> None:
    if value == 0:  # always there, where counting all may cost pandas' seconds
        return
    dataset, protocol = chosen.get("dataset", ""), chosen.get("protocol", "default")
    if "other" in chosen:  # the people of the dataset are left out one by one, those of the other come in folds
        dataset, protocol = chosen["other"], "default"
    within(name, value, 0, _folds(dataset, protocol, chosen["paper"]) - 1)


def _check_left_out(name: str, value: int, chosen: Mapping[str, Any]) -> None:
    people = number("fercore.faces.protocols", "PEOPLE")
    if "protocol" in chosen:
        people = _folds(chosen["dataset"], chosen["protocol"], chosen["paper"])
    within(name, value, 0, people - 1)


def _folds(dataset: str, protocol: str, paper: str) -> int:
    """As many as the protocol has: one where it takes an official division."""
    if protocol == "default" and _printed(dataset) not in divided_otherwise():
        return number("fercore.faces.folds", "N_FOLDS")
    found = importlib.import_module("fercore.faces.protocols").protocol_of(dataset, protocol, paper)
    return 1 if found.official or found.name == "identities" else found.folds


def _check_inner(name: str, value: int, chosen: Mapping[str, Any]) -> None:
    within(name, value, 0, number("fercore.faces.folds", "N_FOLDS") - 1)


def _check_size(name: str, value: int, chosen: Mapping[str, Any]) -> None:
    within(name, value, number("fercore.twins.renderer", "SMALLEST"))


def _check_photo(name: str, value: str, chosen: Mapping[str, Any]) -> None:
    if value not in PHOTOS and not Path(value).expanduser().is_file():
        raise ParameterError(f"{name} {value!r} is no file; valid: {listed(PHOTOS)} or the path of a photograph")


def _check_device(name: str, value: str, chosen: Mapping[str, Any]) -> None:
    one_of(name, value, ("cpu", "cuda"))
    if value == "cuda" and not importlib.import_module("torch").cuda.is_available():
        raise ParameterError("device 'cuda' is not available on this machine; valid: cpu")


def _check_fraction(name: str, value: float, chosen: Mapping[str, Any]) -> None:
    if not 0 < value < 1:
        raise ParameterError(f"{name} {value} is out of range; valid: above 0 and below 1")


def _check_own_changes(name: str, value: dict, chosen: Mapping[str, Any]) -> None:
    check_changes(name, value, chosen["paper"], chosen["tier"])


def _check_arms(name: str, value: dict, chosen: Mapping[str, Any]) -> None:
    if len(value) < 2:
        raise ParameterError(f"{name}: {value!r} compares nothing; valid: two or more, each with its changes")
    for arm, changes in value.items():
        check_changes(f"{name}: {arm!r}", changes, chosen["paper"], chosen["tier"])


def _check_shorter(name: str, value: dict, chosen: Mapping[str, Any]) -> None:
    for paper, changes in value.items():
        one_of(f"{name}: paper", paper, papers())
        check_changes(f"{name}: {paper}", changes, paper, chosen["tier"])


CHECKS: dict[str, Callable[[str, Any, Mapping[str, Any]], None]] = {  # in this order: each knows that those before hold
    **dict.fromkeys(("paper", "papers"), lambda name, value, chosen: one_of(name, value, papers())),
    "tier": lambda name, value, chosen: one_of(name, value, TIERS),
    "source": lambda name, value, chosen: one_of(name, value, SOURCES),
    **dict.fromkeys(("dataset", "datasets", "other"), _check_dataset),
    "protocol": _check_protocol,
    **dict.fromkeys(("variant", "variants"), _check_variant),
    **dict.fromkeys(("fold", "folds"), _check_fold),
    "left_out": _check_left_out,
    "inner": _check_inner,
    **dict.fromkeys(("seed", "seeds"), lambda name, value, chosen: within(name, value, 0, LAST_SEED)),
    "device": _check_device,
    "photo": _check_photo,
    **dict.fromkeys(("batch", "every", "people", "rounds"), lambda name, value, chosen: within(name, value, 1)),
    **dict.fromkeys(("image_size", "size"), _check_size),
    "digits": lambda name, value, chosen: within(name, value, 0),
    "share": lambda name, value, chosen: within(name, value, 0, 1),
    **dict.fromkeys(("level", "weight"), _check_fraction),
    **dict.fromkeys(("changes", "strong"), _check_own_changes),
    "arms": _check_arms,
    "shorter": _check_shorter,
}
