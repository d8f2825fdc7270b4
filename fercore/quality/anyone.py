"""People of every kind who smile and who do not, drawn far more varied than any twin: what they share is the smile.

A network meant for photographs must not rely on what only the drawings have. So proportions, tones, light, sharpness
and tone curve go beyond what is plausible, and the faces are aligned by the eyes, as prepared photographs are. Many are
old or do something else than smile: where only a smile folds cheeks and opens lips, every photograph seems to smile.
"""

from collections.abc import Iterator

import numpy as np

from fercore.faces.alignment import TEMPLATE
from fercore.twins.canvas import CENTRE_V, HALF_EXTENT
from fercore.twins.facs import AU_INDEX, AU_NUMBERS
from fercore.twins.filming import seeded
from fercore.twins.identity import PROPORTIONS, Identity, draw_identity
from fercore.twins.recipes import EVERY_TONE, WILD
from fercore.twins.renderer import Face
from fercore.twins.scene import draw_frame, draw_pose, draw_setting

SMILE = ("neutral", "happiness")
WIDER = 1.25  # times the deviation of every proportion
AGE = 1.2  # its deviation; 0.35 in the twins
REST = 0.07  # the deviation of what every muscle does at rest
STRAY = (1, 2, 4, 5, 7, 9, 14, 15, 17, 23, 24)  # what faces do beside smiling, and what they do without a smile
APART = 0.15  # of the faces at rest have their lips apart
OTHERWISE = 0.75  # of the faces without a smile do something else
LOWER, UPPER = (9, 10, 14, 15, 16, 17, 20, 23, 24, 25, 26, 27), (1, 2, 4, 5, 7, 43)  # with three and one of these
FAINTEST = 0.15  # pull at the lip corners that counts as a smile


def people(count: int) -> Iterator[tuple[Face, int]]:
    """``count`` people, none of a twin, each without a smile (0) and with one (1) in the same light."""
    for number in range(count):
        random = seeded("anyone", number)
        who, setting = _identity(random), draw_setting(random, WILD)
        setting |= _wider_setting(random, who.traits["skin_tone"])
        for smiling in (0, 1):
            frame = draw_frame(random, WILD, draw_pose(random, WILD))
            scene = setting | frame | _aligned(random, who.traits["eye_x"], frame["yaw"])
            yield Face(who, _units(random, bool(smiling)), float(0.15 * random.standard_normal()), scene), smiling


def _identity(random: np.random.Generator) -> Identity:
    who = draw_identity(random, 2.0, EVERY_TONE)
    traits = who.traits | {name: mean + WIDER * (who.traits[name] - mean) for name, (mean, _) in PROPORTIONS.items()}
    lips = random.uniform(0.35, 0.85) * (0.6 / traits["skin_tone"]) ** random.uniform(0, 0.8)  # vary less than skin
    traits |= {"lip_tone": lips, "mottle": random.uniform(0.02, 0.07)}
    traits |= {"furrow": random.uniform(0.2, 1.5), "gloss": random.uniform(0.0, 0.16)}
    traits["age"] = float(abs(random.normal(0.0, AGE)))
    return Identity(traits, who.skin, who.hair)


def _wider_setting(random: np.random.Generator, skin: float) -> dict[str, float]:
    exposure = (0.6 / skin) ** 0.6  # a camera opens up for dark skin, but not all the way
    return {
        "light_y": random.normal(-0.3, 0.35), "ambient": random.uniform(0.2, 0.75), "gamma": random.uniform(0.6, 1.5),
        "gain": exposure * float(np.exp(0.2 * random.standard_normal())), "noise": random.uniform(0, 0.012),
        "back": random.uniform(0.02, 0.95), "blur": random.uniform(0.2, 1.3), "own_x": 0.0, "own_y": 0.0,
        "own_scale": 1.0,
    }  # fmt: skip


def _aligned(random: np.random.Generator, eye_x: float, yaw: float) -> dict[str, float]:
    """The camera that puts the eyes where the template has them, but for a small residue."""
    (left, height), (right, _) = TEMPLATE[:2]
    scale = HALF_EXTENT * (right - left) / (eye_x * np.cos(yaw)) * np.exp(0.03 * random.standard_normal())
    down = HALF_EXTENT * (2 * height - 1) + CENTRE_V * scale
    return {
        "scale": float(scale), "roll": 0.04 * random.standard_normal(), "shift_x": 0.04 * random.standard_normal(),
        "shift_y": float(down + 0.04 * random.standard_normal()),
    }  # fmt: skip


def _units(random: np.random.Generator, smiling: bool) -> np.ndarray:
    units = dict(zip(AU_NUMBERS, np.abs(REST * random.standard_normal(len(AU_NUMBERS))), strict=True))
    units |= {26: 0.0, 27: 0.0, 43: 0.0, 25: random.uniform(0, 0.3) * (random.random() < APART)}
    for number in random.choice(STRAY, random.integers(0, 2), replace=False):
        units[int(number)] = random.uniform(0.1, 0.3)
    units |= _smile(random) if smiling else {12: min(units[12], FAINTEST / 2)} | _something_else(random)
    return np.array([units[number] for number in AU_INDEX])


def _smile(random: np.random.Generator) -> dict[int, float]:
    """As people give who are asked for one: rarely the strongest, with teeth or without."""
    strength = random.uniform(FAINTEST, 0.85)
    return {
        12: strength, 6: strength * random.uniform(0, 1), 24: 0.0, 23: 0.0, 15: 0.0,
        25: random.uniform(0.1, 1.0) * (random.random() < 0.7), 26: random.uniform(0, 0.5) * (random.random() < 0.3),
        10: random.uniform(0, 0.4) * (random.random() < 0.3),
    }  # fmt: skip


def _something_else(random: np.random.Generator) -> dict[int, float]:
    """What faces do that do not smile, or nothing: speaking, grimacing, any other expression."""
    if random.random() >= OTHERWISE:
        return {}
    numbers = [*random.choice(LOWER, 3, replace=False), random.choice(UPPER)]
    return {int(number): random.uniform(0.1, 0.8) for number in numbers}
