"""Turn a cast into faces to draw and the manifest that describes them, every number from a seed of its own."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from fercore.twins.cast import ONSET_TO_APEX, Take
from fercore.twins.facs import AU_NUMBERS, CHANGING, Style, draw_expression
from fercore.twins.identity import TONES, Identity, draw_identity
from fercore.twins.renderer import Face
from fercore.twins.scene import Nuisance, draw_frame, draw_pose, draw_setting


@dataclass(frozen=True)
class TwinRecipe:
    """What a twin is made of; a change of any field, or of the code in this folder, makes new images."""

    stands_for: str  # the dataset it stands for, as printed under figures
    cast: Callable[[], list[Take]]  # who shows what
    course: tuple[float, ...] = ONSET_TO_APEX  # how far the expression has unfolded in each frame
    held: tuple[tuple[str, int], ...] = ()  # label: how many pictures are taken of each moment after the first
    strength: tuple[float, float] = (0.95, 0.10)  # mean and deviation of the apex, per sequence
    style_spread: float = 1.0  # how far people differ in how they show an expression
    sloppiness: float = 1.0  # how far one person's performances differ
    accessories: float = 1.0  # how often beards, glasses and caps are met
    tones: tuple[float, float] = TONES  # of skin, darkest and fairest
    session_per_take: bool = False  # light, background and camera change with every take, not only with the subject
    modalities: tuple[str, ...] = ("visible",)  # "thermal" too: the same faces, seen by their warmth
    occlusion: str = ""  # a kind of ``occluders`` that covers every face
    references: bool = True  # whether people have a neutral picture to be compared with
    nuisance: Nuisance = field(default_factory=Nuisance)
    subjects: int | None = None  # a smaller twin: this many whole subjects

    def course_of(self, label: str) -> tuple[float, ...]:
        """How far an expression of this label has unfolded in each frame of a take."""
        times = dict(self.held).get(label, 1)
        return self.course[:1] + tuple(moment for moment in self.course[1:] for _ in range(times))


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
        draw_identity(seeded(name, subject, "identity"), recipe.accessories, recipe.tones),
        Style.draw(seeded(name, subject, "style"), recipe.style_spread),
        draw_setting(seeded(name, subject, "setting"), recipe.nuisance),
    )


def film(name: str, recipe: TwinRecipe, takes: list[Take]) -> Iterator[tuple[Face, dict]]:
    """Faces to draw, each with its manifest row (and its AU intensities), take after take, one at a time."""
    count, who, subject = 0, None, None
    neutral_of: dict[tuple, int] = {}  # for single pictures: the first neutral one of each subject and session
    for take in takes:
        if take.subject != subject:  # casts go subject by subject: one person is held at a time
            who, subject = person(name, take.subject, recipe), take.subject
        onset, course = count, recipe.course_of(take.label)
        for i, face in enumerate(film_take(name, recipe, take, who)):
            for shift, modality in enumerate(recipe.modalities):
                if len(course) > 1:
                    reference = onset + shift
                elif take.label == "neutral":
                    reference = neutral_of.setdefault((take.subject, take.session, modality), count)
                else:
                    reference = neutral_of.get((take.subject, take.session, modality), -1)
                row = _row(take, i + 1, course[i], reference if recipe.references else -1)
                yield face, row | {"modality": modality} | _units(face)
                count += 1


def film_take(name: str, recipe: TwinRecipe, take: Take, who: Person) -> list[Face]:
    """The frames of one take."""
    random = seeded(name, take.subject, take.sequence, "take")
    expression = draw_expression(take.label, who.style, random, recipe.sloppiness)
    mean, deviation = recipe.strength
    apex = float(np.clip(mean + deviation * random.standard_normal(), 0.4, 1.15))
    pose = draw_pose(random, recipe.nuisance)
    if take.yaw is not None:
        pose["yaw"] = take.yaw + 0.04 * random.standard_normal()  # the head is not screwed to the camera
    setting = draw_setting(random, recipe.nuisance) if recipe.session_per_take else who.setting
    if take.session:
        setting = draw_setting(seeded(name, take.subject, take.session, "setting"), recipe.nuisance)
    faces = []
    for i, intensity in enumerate(recipe.course_of(take.label)):
        own = seeded(name, take.subject, take.sequence, i)
        frame = draw_frame(own, recipe.nuisance, pose)
        if take.label in CHANGING:
            expression = draw_expression(take.label, who.style, own, recipe.sloppiness)
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
        "reference": reference,
        "split": take.split,
    }


def _units(face: Face) -> dict[str, float]:
    """What no real dataset knows: the true intensity of every action unit."""
    return {f"au{number}": round(float(value), 3) for number, value in zip(AU_NUMBERS, face.units, strict=True)}
