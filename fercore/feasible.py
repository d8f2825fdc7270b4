"""Which rows cannot be on a dataset, told before anything is trained."""

from dataclasses import dataclass

from fercore.faces.faceset import FaceSet, FaceSetError
from fercore.faces.protocols import Division, Part
from fercore.runs import ChangeError, RunSpec


@dataclass(frozen=True)
class Outline:
    """What ``Method.check`` asks of examples, told by the manifest alone."""

    has_reference: bool


def infeasible(specs: list[RunSpec]) -> dict[RunSpec, FaceSetError]:
    """Why runs of one protocol cannot be on their images; those that can are left out.

    Nothing is trained. Raises ChangeError for settings that the networks of a row cannot have.
    """
    if not specs:
        return {}
    faces = specs[0].faces()  # a twin that is not there yet is drawn, as the first training would
    divisions = {spec.fold: spec.divide(faces) for spec in specs}
    found = {}
    for spec in specs:
        try:
            _check(spec, faces, divisions[spec.fold])
        except FaceSetError as problem:
            found[spec] = problem
    return found


def _check(spec: RunSpec, faces: FaceSet, division: Division) -> None:
    spec.config.check(spec, faces, division)
    try:
        method = spec.module.METHOD(spec.config, division.classes, spec.terms)
    except ValueError as error:
        raise ChangeError(f"{spec}: {error}") from error
    for part in (division.train, division.test):
        method.check(_outline(faces, part))


def _outline(faces: FaceSet, part: Part) -> Outline:
    return Outline(bool((faces.table["reference"].to_numpy()[part.rows] >= 0).all()))
