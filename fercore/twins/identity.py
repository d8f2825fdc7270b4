"""People who do not exist: proportions, skin, hair, brows, beard, glasses and texture of one face, from a seed.

Unit of length: half the width of the cheekbones (70 mm); origin midway between the pupils; u right, v down.
"""

from dataclasses import dataclass

import numpy as np

TONES = (0.45, 0.85)  # of skin, as reflectance; a narrow range: nearer to aligned laboratory sets than the full one
TEXTURE = 24  # side of the random fields that carry skin mottling and hair strands

# trait: (mean, standard deviation); truncated at two standard deviations
PROPORTIONS = {
    "eye_x": (0.455, 0.022), "eye_width": (0.220, 0.015), "eye_height": (0.165, 0.024), "tilt": (0.035, 0.05),
    "iris": (0.085, 0.003), "crease": (0.060, 0.018), "socket": (0.13, 0.045),
    "brow_y": (-0.270, 0.042), "brow_slope": (0.0, 0.032), "brow_uneven": (0.0, 0.012), "brow_arch": (0.065, 0.025),
    "brow_length": (0.300, 0.028), "brow_thick": (0.055, 0.014), "nose_base": (0.600, 0.048),
    "nose_width": (0.160, 0.024), "nose_out": (0.40, 0.065), "alae": (1.15, 0.08), "hairline": (-0.94, 0.07),
    "mouth_y": (1.000, 0.050), "mouth_width": (0.345, 0.036), "upper_lip": (0.086, 0.018), "lower_lip": (0.122, 0.020),
    "cupid": (0.20, 0.08), "mouth_bow": (0.0, 0.032), "chin": (1.62, 0.065), "jaw": (0.24, 0.20), "width": (1.0, 0.042),
    "cheek": (0.065, 0.04), "mouth_uneven": (0.0, 0.010),
}  # fmt: skip


@dataclass(frozen=True)
class Identity:
    """One person: numbers by name and two fields of unit Gaussian noise (skin, hair), TEXTURE x TEXTURE."""

    traits: dict[str, float]
    skin: np.ndarray
    hair: np.ndarray


def draw_identity(
    random: np.random.Generator, accessories: float = 1.0, tones: tuple[float, float] = TONES
) -> Identity:
    """A person; ``accessories`` scales how often a beard, glasses or a cap are met, ``tones`` is the range of skin."""
    traits = {
        name: mean + deviation * float(np.clip(random.standard_normal(), -2, 2))
        for name, (mean, deviation) in PROPORTIONS.items()
    }
    traits |= _surface(random, accessories, tones)
    _harden(traits)
    fields = random.standard_normal((2, TEXTURE, TEXTURE)).astype(np.float32)
    traits |= {
        "undertone": random.standard_normal(), "hair_warmth": random.uniform(0, 1) ** 3,
        "iris_hue": random.uniform(0.2, 1.2), "clothes_hue": random.uniform(0, 1),
        "freckled": max(0.0, random.normal(-0.2, 0.5)),
    }  # fmt: skip
    return Identity(traits, fields[0], fields[1])


def _surface(random: np.random.Generator, accessories: float, tones: tuple[float, float]) -> dict[str, float]:
    chance = random.random(8)
    masculine = float(chance[0] < 0.45)
    skin = random.uniform(*tones)
    hair = min(random.uniform(0.03, 0.22), 0.42 * skin)
    long_hair = float(chance[1] < 0.35 and not masculine)
    return {
        "masculine": masculine, "skin_tone": skin, "hair_tone": hair, "long_hair": long_hair,
        "fringe": float(chance[2] < 0.20 and not masculine) * random.uniform(0.5, 1.0),
        "beard": masculine * float(chance[3] < 0.22 * accessories) * random.uniform(0.35, 0.9),
        "stubble": masculine * random.uniform(0.0, 0.25),
        "glasses": float(chance[4] < 0.06 * accessories), "cap": float(chance[5] < 0.03 * accessories),
        "brow_dark": random.uniform(0.50, 0.97), "iris_tone": random.uniform(0.06, 0.24),
        "lip_tone": random.uniform(0.50, 0.80) * (0.6 / skin) ** 0.4, "age": float(abs(random.normal(0.0, 0.35))),
        "furrow": random.uniform(0.45, 1.2), "mottle": random.uniform(0.02, 0.06), "gloss": random.uniform(0.02, 0.09),
        "part": random.uniform(-0.5, 0.5),
    }  # fmt: skip


def _harden(traits: dict[str, float]) -> None:
    """Shift the mean proportions of men and women apart, as anthropometry finds them."""
    lean = 1.0 if traits["masculine"] else -1.0
    traits["brow_thick"] += 0.009 * lean
    traits["brow_y"] += 0.018 * lean
    traits["brow_arch"] -= 0.015 * lean
    traits["upper_lip"] -= 0.008 * lean
    traits["jaw"] -= 0.07 * lean
    traits["chin"] += 0.02 * lean
    traits["nose_width"] += 0.008 * lean
    traits["eye_height"] -= 0.006 * lean
