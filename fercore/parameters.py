"""What a notebook may be asked for: every value is checked before anything is started or written.

This module is imported by every papermill process, so it imports nothing heavy until a check needs it.
"""

import ast
import importlib
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from fercore import paths

TIERS = ("smoke", "twin", "paper")
SOURCES = ("twin", "prepared")
NO_PAPER = "none"  # metadata of a notebook that belongs to no paper
NAME = re.compile(r"[A-Za-z0-9_+()-]+")  # no slash, no dot: no name leads out of its folder
PHOTOS = ("drawn", "london")  # photographs that need no file
FILES = {"photo"}  # parameters that may hold the path of a file, which is only read


class ParameterError(ValueError):
    """A parameter that does not exist or a value that cannot be; the message is one line and lists what can."""


def check(values: Mapping[str, Any], defaults: Mapping[str, Any], paper: str) -> None:
    """Refuse an unknown name, a wrong type or an impossible value among ``values`` given over ``defaults``."""
    for name, value in values.items():
        if name not in defaults:
            raise ParameterError(f"parameter {name!r} is unknown; valid: {_listed(defaults)}")
        _check_type(name, value, defaults[name])
    chosen = {"source": "twin", "paper": paper, **defaults, **values}
    for name, value in {**defaults, **values}.items():
        if name in CHECKS and value is not None:
            _apply(name, value, chosen)


def _apply(name: str, value: Any, chosen: Mapping[str, Any]) -> None:
    try:
        CHECKS[name](value, chosen)
    except (TypeError, AttributeError):
        raise ParameterError(f"{name}: {value!r} is of the wrong type") from None


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
        raise ParameterError(
            f"the notebook's metadata.fercore.paper is {paper!r}; valid: {_listed((*papers(), NO_PAPER))}"
        )
    check(given, defaults_of(notebook), paper)


def names(module: str, table: str) -> list[str]:
    """The keys of the dict ``table`` in ``module``."""
    node = _assigned(module, table)  # None where it does not stand there plainly
    if isinstance(node, ast.Dict) and all(isinstance(key, ast.Constant) for key in node.keys):
        return [key.value for key in node.keys]
    return list(getattr(importlib.import_module(module), table))


def _assigned(module: str, name: str) -> ast.expr | None:
    """What ``name`` is set to in the source of ``module``: read, as importing would cost torch's seconds."""
    file = paths.ROOT.joinpath(*module.split(".")).with_suffix(".py")
    for line in ast.parse(file.read_text()).body:
        targets = line.targets if isinstance(line, ast.Assign) else [getattr(line, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            return line.value
    return None


def prepared() -> list[str]:
    """The image sets prepared on this machine."""
    return sorted(manifest.parent.name for manifest in (paths.data() / "prepared").glob("*/faceset.json"))


def _listed(valid: Iterable) -> str:
    return ", ".join(str(one) for one in valid) or "none"


def _check_type(name: str, value: Any, default: Any) -> None:
    if isinstance(value, str) and name not in FILES and not NAME.fullmatch(value):
        raise ParameterError(f"{name}: {value!r} is not a name; valid: letters, digits, _ + - ( )")
    expected = (int, float) if type(default) is float else type(default)
    fits = default is None or (isinstance(value, expected) and isinstance(value, bool) == isinstance(default, bool))
    if not fits:
        raise ParameterError(f"{name} must be of type {type(default).__name__} (as {default!r}), not {value!r}")
    if isinstance(default, list | tuple):
        for one in value:
            _check_type(name, one, default[0] if default else None)


def _one_of(name: str, value: Any, valid: Iterable, hint: str = "") -> None:
    valid = list(valid)
    if value not in valid:
        raise ParameterError(f"{name} {value!r} is unknown; valid: {_listed(valid)}{hint}")


def _check_dataset(value: str, chosen: Mapping[str, Any]) -> None:
    for one in value.split("+"):  # several are joined to one set
        _check_one_dataset(one, chosen)


def _check_one_dataset(value: str, chosen: Mapping[str, Any]) -> None:
    if chosen["source"] == "twin":
        hint = "; prepared on this machine, choose source prepared: " + value if value in prepared() else ""
        return _one_of("dataset", value, names("fercore.twins.recipes", "TWINS"), hint)
    script = Path("data_prep", f"{value}.py")
    hint = f"; to prepare it: python {script} --help" if (paths.ROOT / script).is_file() else ""
    _one_of("dataset", value, prepared(), hint)


def _check_protocol(value: str, chosen: Mapping[str, Any]) -> None:
    protocols = importlib.import_module("fercore.faces.protocols")
    _one_of(
        "protocol", value, ["default", *protocols.protocols_for(chosen["dataset"])], f" (dataset {chosen['dataset']})"
    )


def _check_variant(value: str, chosen: Mapping[str, Any]) -> None:
    _one_of("variant", value, names(f"fercore.papers.{chosen['paper']}", "VARIANTS"))


def papers() -> list[str]:
    """The papers that this companion reproduces."""
    return sorted(file.stem for file in (Path(__file__).parent / "papers").glob("[a-z]*.py"))


def _check_fold(value: int, chosen: Mapping[str, Any]) -> None:
    last = ast.literal_eval(_assigned("fercore.faces.folds", "N_FOLDS")) - 1
    if value > last and "dataset" in chosen:  # only some protocols have more folds
        protocols = importlib.import_module("fercore.faces.protocols")
        name = chosen.get("protocol", "default")
        if name == "default" or name in protocols.PROTOCOLS:  # another name is refused where it is checked itself
            last = protocols.protocol_of(chosen["dataset"], name, chosen["paper"]).folds - 1
    if not 0 <= value <= last:
        raise ParameterError(f"fold {value} is out of range; valid: 0 to {last}")


def _check_left_out(value: int, chosen: Mapping[str, Any]) -> None:
    last = ast.literal_eval(_assigned("fercore.faces.protocols", "PEOPLE")) - 1
    if not 0 <= value <= last:
        raise ParameterError(f"left_out {value} is out of range; valid: 0 to {last}")


def _check_seed(value: int, chosen: Mapping[str, Any]) -> None:
    if value < 0:
        raise ParameterError(f"seed {value} is out of range; valid: 0 or above")


def _check_photo(value: str, chosen: Mapping[str, Any]) -> None:
    if value not in PHOTOS and not Path(value).expanduser().is_file():
        raise ParameterError(f"photo {value!r} is no file; valid: {_listed(PHOTOS)} or the path of a photograph")


def _check_paper(value: str, chosen: Mapping[str, Any]) -> None:
    _one_of("paper", value, papers() if "variant" in chosen else (*papers(), NO_PAPER))


def _check_device(value: str, chosen: Mapping[str, Any]) -> None:
    _one_of("device", value, ("cpu", "cuda"))
    if value == "cuda" and not importlib.import_module("torch").cuda.is_available():
        raise ParameterError("device 'cuda' is not available on this machine; valid: cpu")


def _each(check_one: Callable[[Any, Mapping], None]) -> Callable[[list, Mapping], None]:
    def check_all(value: list, chosen: Mapping[str, Any]) -> None:
        if not value or any(value.count(one) > 1 for one in value):
            raise ParameterError(f"{list(value)!r} must be a list without repetition, and not empty")
        for one in value:
            check_one(one, chosen)

    return check_all


CHECKS: dict[str, Callable[[Any, Mapping[str, Any]], None]] = {
    "paper": _check_paper,
    "tier": lambda value, chosen: _one_of("tier", value, TIERS),
    "source": lambda value, chosen: _one_of("source", value, SOURCES),
    "dataset": _check_dataset,
    "datasets": _each(_check_dataset),
    "protocol": _check_protocol,
    "variant": _check_variant,
    "variants": _each(_check_variant),
    "fold": _check_fold,
    "folds": _each(_check_fold),
    "left_out": _each(_check_left_out),
    "seed": _check_seed,
    "device": _check_device,
    "photo": _check_photo,
}
