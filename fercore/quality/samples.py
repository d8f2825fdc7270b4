"""Drawn people for measurements: their apex expressions under a stated strength of all nuisances."""

from dataclasses import fields, replace

import numpy as np
import pandas as pd

from fercore.twins.cast import Take, keep_subjects
from fercore.twins.facs import AU_INDEX, AU_NUMBERS
from fercore.twins.filming import TwinRecipe, film, film_take, person, seeded
from fercore.twins.recipes import TWINS
from fercore.twins.renderer import Face, render
from fercore.twins.scene import Nuisance

LABELS = ("anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")
ANYBODY = "quality"  # people of their own: no twin shows them


def recipe(level: float = 1.0, name: str = "ckplus", frames: int = 1) -> TwinRecipe:
    """A twin's recipe for the last ``frames`` of its course, with every nuisance ``level`` times as strong."""
    usual = TWINS[name]
    strength = Nuisance(**{field.name: level * getattr(usual.nuisance, field.name) for field in fields(Nuisance)})
    return replace(usual, course=usual.course[-frames:], nuisance=strength)


def people(
    count: int, labels: tuple[str, ...] = LABELS, how: TwinRecipe | None = None, takes: int = 1, first: int = 0
) -> tuple[list[Face], pd.DataFrame]:
    """Faces of ``count`` people showing ``takes`` times every label, and a table of subject, label and units.

    ``how`` they are shown is the CK+ twin's recipe, or another; the people, from number ``first`` on, are of no twin.
    """
    faces, rows, how = [], [], how or recipe()
    for number in range(first, first + count):
        who = person(ANYBODY, f"Q{number:04d}", how)
        for label in labels:
            for i in range(takes):
                taken = film_take(ANYBODY, how, Take(f"Q{number:04d}", f"{label}{i}", label), who)
                for face in taken:
                    units = dict(zip((f"au{number}" for number in AU_NUMBERS), face.units, strict=True))
                    rows.append({"subject": f"Q{number:04d}", "label": label, "yaw": face.scene["yaw"]} | units)
                faces += taken
    return faces, pd.DataFrame(rows)


EXCLUDED = {24: (16, 25, 26, 27), 43: (5,), 27: (26,)}  # pressed lips do not part, shut eyes are not wide


def mixtures(count: int, takes: int = 10, first: int = 0) -> tuple[list[Face], pd.DataFrame]:
    """Faces of ``count`` people with random sets of action units, and a table of subject and units.

    Every unit takes part in a quarter of the faces, at any strength and whatever the others do: unlike in expressions,
    none is rare and none tells another.
    """
    faces, rows = [], []
    for number in range(first, first + count):
        name = f"Q{number:04d}"
        who = person(ANYBODY, name, recipe())
        for i in range(takes):
            (face,) = film_take(ANYBODY, recipe(), Take(name, f"mixed{i}", "neutral"), who)
            units = _mixed(seeded(ANYBODY, name, "mixed", i))
            faces.append(replace(face, units=units))
            rows.append({"subject": name} | {f"au{n}": float(u) for n, u in zip(AU_NUMBERS, units, strict=True)})
    return faces, pd.DataFrame(rows)


def _mixed(random: np.random.Generator) -> np.ndarray:
    taking_part = random.random(len(AU_NUMBERS)) < 0.25
    units = np.where(taking_part, random.uniform(0, 1, len(AU_NUMBERS)), 0.0)
    for unit, others in EXCLUDED.items():
        if units[AU_INDEX[unit]]:
            units[[AU_INDEX[other] for other in others]] = 0.0
    return units


def cast(subjects: int | None, size: int = 48, how: TwinRecipe | None = None) -> tuple[np.ndarray, pd.DataFrame]:
    """Apex images of the CK+ twin's cast, or of ``subjects`` of them, and their manifest: as a real set has them."""
    takes = keep_subjects(TWINS["ckplus"].cast(), subjects)
    seen = list(film("ckplus", how or recipe(), takes))
    return render([face for face, _ in seen], size), pd.DataFrame([row for _, row in seen])


def scrambled(images: np.ndarray, seed: int = 0) -> np.ndarray:
    """Each image cut into 4 x 4 tiles in random order: the same gray levels, no face."""
    random, out = np.random.default_rng(seed), np.empty_like(images)
    tile = images.shape[1] // 4
    for image, result in zip(images, out, strict=True):
        result[:] = image
        for place, source in enumerate(random.permutation(16)):
            (y, x), (v, u) = divmod(place, 4), divmod(int(source), 4)
            result[y * tile : (y + 1) * tile, x * tile : (x + 1) * tile] = image[
                v * tile : (v + 1) * tile, u * tile : (u + 1) * tile
            ]
    return out


def blank(images: np.ndarray) -> np.ndarray:
    """Each image with the inside of its face (brows to chin) painted over smoothly: a head without features."""
    size = images.shape[1]
    y, x = (np.mgrid[:size, :size] + 0.5) / size
    inside = ((x - 0.5) / 0.33) ** 2 + ((y - 0.54) / 0.42) ** 2
    cover = np.clip((1.15 - inside) / 0.3, 0, 1)
    skin = np.median(images[:, round(0.5 * size) : round(0.65 * size), round(0.3 * size) : round(0.7 * size)], (1, 2))
    return (images + cover * (skin[:, None, None] * (1.05 - 0.25 * inside.clip(0, 1)) - images)).astype(np.uint8)
