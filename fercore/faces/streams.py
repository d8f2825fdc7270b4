"""What a run learns from where people are seen in two modalities."""

from dataclasses import replace
from typing import Any

from fercore.faces.faceset import FaceSet, FaceSetError
from fercore.faces.modalities import Streams, check_unpaired, counterparts, sample, unpaired
from fercore.faces.protocols import Division, Part, databases
from fercore.stages import noted_images


def visible_and_thermal(spec: Any, faces: FaceSet, division: Division, beside: bool, pairs: bool) -> Streams:
    """Visible images and, ``beside`` them, thermal ones: of other people, of the same faces, or of another database.

    Where a database has both modalities, every run sees the visible images of one half of the training people, with
    ``pairs`` each beside its own thermal one; a thermal run those of the other half. Asks the run's configuration for
    ``thermal`` ("own" or where else), ``partition``, ``m``. Raises FaceSetError where an image it needs is not there.
    """
    config = spec.config
    if config.thermal != "own":
        if pairs:
            raise FaceSetError(
                f"{spec.variant} learns from pairs of one face, of {spec.dataset} only visible images are taken: "
                "choose another row, or set thermal to 'own' where it has both"
            )
        other = _elsewhere(spec)
        if not beside:
            return Streams(division.train.labelled)
        thermal = _thermal(other)
        return Streams(division.train.labelled, beside=thermal, learned_from=tuple(noted_images(other, thermal[0])))
    both = [spec.divide(faces, modality).train.labelled for modality in ("visible", "thermal")]
    visible, thermal = (sample(part, config.m) for part in unpaired(faces, *both, config.partition))
    if spec.modality == "thermal":
        return Streams(thermal)
    if pairs:
        return Streams(visible, paired=counterparts(faces, visible.rows, "thermal"))
    if config.partition != "none":
        check_unpaired(faces, visible, thermal, config.partition)
    return Streams(visible, beside=(faces, thermal) if beside else None)


def _elsewhere(spec: Any) -> Any:
    """The run on the database whose thermal images help."""
    other = replace(spec, **spec.config.pretrained_on("thermal"))
    if databases(other.dataset) & databases(spec.dataset):
        raise FaceSetError(f"{spec.dataset} has thermal images itself; set thermal to 'own'")
    return other


def _thermal(spec: Any) -> tuple[FaceSet, Part]:
    faces = spec.faces()
    return faces, spec.divide(faces, "thermal").train.labelled
