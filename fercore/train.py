"""Train runs from the command line: ``python -m fercore.train gcnet ckplus --fold 3 --variants CNN S1R1``."""

import argparse
import importlib
import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fercore import parameters
from fercore.known import names, papers
from fercore.refusals import ParameterError, one_of

if TYPE_CHECKING:  # importing it costs seconds, and a wrong word is told before
    from fercore.ablation import Ablation

EXAMPLE = '{"iterations": 300}'


def main(arguments: list[str] | None = None) -> int:
    """Train what is missing; 0 when all is there, 2 when a value cannot be (one line says which can)."""
    chosen = _parser().parse_args(arguments)
    values = {name: value for name, value in vars(chosen).items() if name != "pretraining" and value is not None}
    try:
        _check(chosen, values)
    except ParameterError as problem:
        print(f"Error: {problem}", file=sys.stderr)
        return 2
    from fercore.faces.faceset import FaceSetError
    from fercore.networks.weights import WeightsError
    from fercore.runs import ChangeError, RunError
    from fercore.training import TrainingError

    try:
        _train(chosen)
    except (ChangeError, FaceSetError, RunError, TrainingError, WeightsError) as problem:
        print(f"Error: {problem}", file=sys.stderr)
        return 1
    return 0


def _check(chosen: argparse.Namespace, values: dict) -> None:
    one_of("paper", chosen.paper, papers())
    if not isinstance(chosen.changes, dict):
        raise ParameterError(f"changes {chosen.changes!r} is not a JSON object; valid: such as '{EXAMPLE}'")
    stages = names(f"fercore.papers.{chosen.paper}", "PRETRAINING")
    if chosen.pretraining is not None:
        one_of("pretraining", chosen.pretraining, stages)
        if chosen.changes.get("pretraining") == "":
            raise ParameterError(f"pretraining {chosen.pretraining!r}: these changes leave it out; valid: without them")
    parameters.check(values, values, chosen.paper)


def _train(chosen: argparse.Namespace) -> None:
    from fercore.ablation import Ablation
    from fercore.runs import pretrain

    paper = importlib.import_module(f"fercore.papers.{chosen.paper}")
    rows = chosen.variants or ([paper.BASELINE] if chosen.pretraining else list(paper.VARIANTS))
    place = chosen.dataset, rows, chosen.protocol, [chosen.fold]
    study = Ablation(chosen.paper, *place, chosen.tier, chosen.source, [chosen.seed], chosen.changes)
    if not chosen.pretraining:
        _feasible(study, bool(chosen.variants)).train(chosen.device)
        return
    for spec in study.specs:  # most stages are the same for all rows: found after the first
        pretrain(spec, chosen.pretraining, chosen.device)


def _feasible(study: "Ablation", named: bool) -> "Ablation":
    """The study with the rows that its dataset can train; raises for one that was asked for by name."""
    from fercore.feasible import infeasible
    from fercore.runs import find

    refused = infeasible([spec for spec in study.specs if find(spec) is None])
    if not refused:
        return study
    left_out, why = [spec.variant for spec in refused], next(iter(refused.values()))
    kept = [row for row in study.variants if row not in left_out]
    if named or not kept:
        raise why
    print(f"Left out: {', '.join(left_out)} ({why})")
    return replace(study, variants=kept)


def _json(text: str) -> Any:
    """What is no JSON stays text, and is refused with all other values that cannot be."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m fercore.train", description=__doc__.splitlines()[0])
    parser.add_argument("paper")
    parser.add_argument("dataset")
    parser.add_argument("--protocol", default="default")
    parser.add_argument("--variants", nargs="+")
    parser.add_argument("--fold", type=int, default=0)
    parser.add_argument("--tier", default="twin")
    parser.add_argument("--source", default="twin")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--changes", type=_json, default={}, help="JSON: fields of the configuration and values")
    parser.add_argument("--pretraining", metavar="STAGE", help="only this stage of the rows, or of the baseline")
    return parser


if __name__ == "__main__":
    sys.exit(main())
