"""The pre-training stages of a run: where each is trained, which ones it starts from, what they are noted as."""

import dataclasses
from typing import Any

from fercore import provenance
from fercore.faces.faceset import FaceSet, FaceSetError
from fercore.faces.protocols import databases


def pretraining_of(spec: Any, stage: str) -> Any:
    """The run that trains a stage of ``spec``: on its own images, an identity set or another database.

    Raises FaceSetError where that would teach it people whom ``spec`` tests.
    """
    config, what = spec.config, spec.module.PRETRAINING[stage]
    changes = tuple((dict(spec.changes) | config.pretrained_by(stage)).items())
    variant = spec.variant if what.terms is None else stage
    return dataclasses.replace(spec, variant=variant, changes=changes, **_place(spec, stage))


def before(spec: Any) -> dict[str, tuple[str, ...]]:
    """The stages that a run starts from, by name with the networks they provide; of a stage, the one before it."""
    stages = spec.module.PRETRAINING
    if spec.variant in stages:
        names = [stages[spec.variant].after] * bool(stages[spec.variant].after)
    elif spec.config.pretraining:
        names = stages.keys() - {stage.after for stage in stages.values()}
    else:
        names = []
    return {name: stages[name].provides for name in stages if name in names}


def noted(run: Any) -> list[dict]:
    """Images and code of a finished run, and of all that it learned from, as records of later runs name them."""
    data, earlier = run.about["data"], run.about.get("learned_from", [])
    return [_note(run.spec, data["credit"], data["fingerprint"], run.about["source_digest"]), *earlier]


def noted_images(spec: Any, faces: FaceSet) -> list[dict]:
    """The same of images that no run of their own stands for."""
    return [_note(spec, faces.credit, faces.fingerprint, provenance.source_digest(spec.paper))]


def distinct(notes: list[dict]) -> list[dict]:
    """Every note once: stages share what they start from."""
    return [note for place, note in enumerate(notes) if note not in notes[:place]]


def _note(spec: Any, credit: str, fingerprint: str, code: str) -> dict:
    return {"dataset": spec.dataset, "source": spec.source, "credit": credit, "fingerprint": fingerprint,
            "source_digest": code}  # fmt: skip


def _place(spec: Any, stage: str) -> dict[str, Any]:
    place = dict(spec.config.pretrained_on(stage))
    if place and spec.module.PRETRAINING[stage].drawn_below_paper:
        place["source"] = "prepared" if spec.tier == "paper" else "twin"
    where = dataclasses.replace(spec, **place)
    if not place or where.source != spec.source or not databases(where.dataset) & databases(spec.dataset):
        return place
    if (where.dataset, where.protocol) != (spec.dataset, spec.protocol):
        raise FaceSetError(
            f"{spec}: its pre-training {stage} on {where.dataset}/{where.protocol} would show it people whom it tests; "
            "choose another set to start from or to run on"
        )
    return place | {"fold": spec.fold, "inner": spec.inner}  # the same people stay out
