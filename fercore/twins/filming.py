"""Turn a cast into faces to draw and the manifest that describes them, every number from a seed of its own."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from fercore.twins.cast import ONSET_TO_APEX, Take
from fercore.twins.facs import Style, draw_expression
from fercore.twins.identity import Identity, draw_identity
from fercore.twins.renderer import Face
from fercore.twins.scene import Nuisance, draw_frame, draw_pose, draw_setting


@dataclass(frozen=True)
class TwinRecipe:
    """What a twin is made of; a change of any field, or of the code in this folder, makes new images."""

    stands_for: str  # the dataset it stands for, as printed under figures
    cast: Callable[[], list[Take]]  # who shows what
    course: tuple[float, ...] = ONSET_TO_APEX  # how far the expression has unfolded in each frame
    strength: tuple[float, float] = (0.95, 0.10)  # mean and deviation of the apex, per sequence
    style_spread: float = 1.0  # how far people differ in how they show an expression
    sloppiness: float = 1.0  # how far one person's performances differ
    accessories: float = 1.0  # how often beards, glasses and caps are met
    session_per_take: bool = False  # light, background and camera change with every take, not only with the subject
    nuisance: Nuisance = field(default_factory=Nuisance)
    subjects: int | None = None  # a smaller twin: this many whole subjects


def seeded(*key: object) -> np.random.Generator:
    """A generator that depends on ``key`` only, not on what was drawn before."""
    return np.random.default_rng(int.from_bytes(hashlib.sha256(repr(key).encode()).digest()[:16], "big"))


@dataclass(frozen=True)
class Person:
    """A subject of a twin: the same appearance and style in each of its sequences."""

    identity: Identity
    style: Style
    setting: dict[str, float]


def person(name: str, subject: str, recipe: TwinRecipe) -> Person:
    """The subject's person; no two subjects, of one twin or of two, share a seed."""
    return Person(
        draw_identity(seeded(name, subject, "identity"), recipe.accessories),
        Style.draw(seeded(name, subject, "style"), recipe.style_spread),
        draw_setting(seeded(name, subject, "setting"), recipe.nuisance),
    )


def film(name: str, recipe: TwinRecipe, takes: list[Take]) -> tuple[list[Face], pd.DataFrame]:
    """Faces to draw and their manifest, take after take."""
    faces: list[Face] = []
    rows: list[dict] = []
    people: dict[str, Person] = {}
    neutral_of: dict[str, int] = {}  # for single pictures: the first neutral one of each subject
    for take in takes:
        who = people.setdefault(take.subject, person(name, take.subject, recipe))
        start = len(faces)
        faces += film_take(name, recipe, take, who)
        reference = start if len(recipe.course) > 1 else neutral_of.setdefault(take.subject, start)
        rows += [_row(take, i + 1, intensity, reference) for i, intensity in enumerate(recipe.course)]
    return faces, pd.DataFrame(rows)


def film_take(name: str, recipe: TwinRecipe, take: Take, who: Person) -> list[Face]:
    """The frames of one take."""
    random = seeded(name, take.subject, take.sequence, "take")
    expression = draw_expression(take.label, who.style, random, recipe.sloppiness)
    mean, deviation = recipe.strength
    apex = float(np.clip(mean + deviation * random.standard_normal(), 0.4, 1.15))
    pose = draw_pose(random, recipe.nuisance)
    setting = draw_setting(random, recipe.nuisance) if recipe.session_per_take else who.setting
    faces = []
    for i, intensity in enumerate(recipe.course):
        frame = draw_frame(seeded(name, take.subject, take.sequence, i), recipe.nuisance, pose)
        units = expression.at(apex * intensity, who.style)
        faces.append(Face(who.identity, units, expression.asymmetry, setting | frame))
    return faces


def _row(take: Take, frame: int, intensity: float, reference: int) -> dict:
    neutral = take.label == "neutral" or intensity == 0.0
    return {
        "subject": take.subject,
        "sequence": take.sequence,
        "frame": frame,
        "label": "neutral" if neutral else take.label,
        "intensity": 0.0 if neutral else intensity,
        "modality": "visible",
        "reference": reference,
        "split": "",
    }
