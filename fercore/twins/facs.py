"""Action units and the expressions they make up.

Numbers and meanings follow the Facial Action Coding System and its emotion table EMFACS: P. Ekman, W. V. Friesen,
"Facial Action Coding System" (1978), and Ekman, Friesen, Hager, "FACS Investigator's Guide" (2002). Pain: the units
of K. M. Prkachin, P. E. Solomon, Pain 139 (2008). Laughter: W. Ruch, P. Ekman, "The expressive pattern of laughter"
(2001); a posed one lacks the orbital part of the cheek raiser and is more one-sided.
"""

from dataclasses import dataclass

import numpy as np

AU_NAMES = {
    1: "inner brow raiser", 2: "outer brow raiser", 4: "brow lowerer", 5: "upper lid raiser", 6: "cheek raiser",
    7: "lid tightener", 9: "nose wrinkler", 10: "upper lip raiser", 12: "lip corner puller", 14: "dimpler",
    15: "lip corner depressor", 16: "lower lip depressor", 17: "chin raiser", 20: "lip stretcher", 23: "lip tightener",
    24: "lip pressor", 25: "lips part", 26: "jaw drop", 27: "mouth stretch", 43: "eyes closed",
}  # fmt: skip
AU_NUMBERS = tuple(AU_NAMES)
AU_INDEX = {number: index for index, number in enumerate(AU_NUMBERS)}
STRONGEST = 1.2  # an intensity above 1 exaggerates; beyond this the drawn curves would cross

# label: {AU: (probability that it takes part, its mean intensity where it does)}
PROTOTYPES: dict[str, dict[int, tuple[float, float]]] = {
    "neutral": {},
    "anger": {4: (1.0, 0.90), 5: (0.45, 0.40), 7: (0.85, 0.70), 17: (0.55, 0.55), 23: (0.75, 0.75), 24: (0.60, 0.75),
              10: (0.12, 0.30), 9: (0.10, 0.25)},
    "contempt": {14: (1.0, 1.00), 12: (0.70, 0.40), 2: (0.30, 0.40), 4: (0.10, 0.25), 17: (0.10, 0.25)},
    "disgust": {9: (0.95, 0.90), 10: (0.65, 0.70), 4: (0.55, 0.45), 7: (0.60, 0.60), 6: (0.50, 0.50),
                17: (0.50, 0.55), 15: (0.25, 0.35), 16: (0.25, 0.40), 25: (0.35, 0.50)},
    "fear": {1: (0.95, 0.95), 2: (0.50, 0.45), 4: (0.85, 0.65), 5: (0.90, 0.90), 20: (0.95, 0.80), 25: (1.0, 0.85),
             26: (0.50, 0.45), 7: (0.25, 0.35), 15: (0.25, 0.30)},
    "happiness": {12: (1.0, 0.90), 6: (0.90, 0.70), 25: (0.80, 0.80), 26: (0.20, 0.35), 7: (0.15, 0.30)},
    "sadness": {1: (0.95, 0.90), 4: (0.75, 0.50), 15: (0.95, 0.80), 17: (0.70, 0.70), 7: (0.20, 0.30),
                43: (0.15, 0.35), 24: (0.15, 0.40)},
    "surprise": {1: (1.0, 0.90), 2: (1.0, 0.95), 5: (0.85, 0.75), 25: (1.0, 0.70), 26: (0.45, 0.80), 27: (0.70, 0.80)},
    "pain": {4: (1.0, 0.80), 6: (0.85, 0.75), 7: (0.85, 0.75), 9: (0.60, 0.60), 10: (0.75, 0.70), 43: (0.65, 0.80),
             20: (0.35, 0.45), 25: (0.70, 0.60), 26: (0.30, 0.35), 12: (0.20, 0.35)},
    "laughter": {12: (1.0, 1.00), 6: (1.0, 0.90), 7: (0.50, 0.45), 25: (1.0, 0.95), 26: (0.85, 0.70), 27: (0.20, 0.40),
                 43: (0.45, 0.55), 9: (0.25, 0.30), 10: (0.25, 0.35)},
    "posed_laughter": {12: (1.0, 0.85), 6: (0.30, 0.35), 25: (1.0, 0.85), 26: (0.75, 0.55), 1: (0.25, 0.35),
                       2: (0.30, 0.40), 20: (0.25, 0.30)},
    "speech": {25: (0.85, 0.55), 26: (0.60, 0.40), 10: (0.25, 0.30), 16: (0.50, 0.50), 17: (0.30, 0.35),
               20: (0.30, 0.35), 23: (0.25, 0.45), 24: (0.15, 0.50), 1: (0.15, 0.30), 2: (0.15, 0.30),
               12: (0.15, 0.25)},
}  # fmt: skip
CHANGING = {"speech"}  # no course of one expression: every frame is an articulation of its own
ONE_SIDED = {"contempt": 0.75, "posed_laughter": 0.25}  # how one-sided at least; all others are nearly even
LEAN = {  # expressions that people blend into another one
    "anger": "disgust", "disgust": "anger", "contempt": "happiness", "fear": "surprise", "happiness": "surprise",
    "sadness": "anger", "surprise": "fear", "pain": "disgust",
}  # fmt: skip


def intensities(units: dict[int, float]) -> np.ndarray:
    """The vector of all AUs from the few that are active, each 0 (rest) .. 1 (as strong as people show it).

    Raises ValueError for a unit that is not drawn or an intensity outside 0..1.
    """
    vector = np.zeros(len(AU_NUMBERS))
    for number, intensity in units.items():
        if number not in AU_INDEX:
            raise ValueError(f"no action unit {number}; there are {', '.join(map(str, AU_NUMBERS))}")
        if not 0 <= intensity <= 1:
            raise ValueError(f"action unit {number}: intensity must be in 0..1, not {intensity}")
        vector[AU_INDEX[number]] = intensity
    return vector


@dataclass(frozen=True)
class Style:
    """How one person shows everything: a gain per AU, a resting tonus per AU, and how much expressions blend."""

    gain: np.ndarray  # one per AU
    rest: np.ndarray  # one per AU, what the "neutral" face already shows
    mix: float  # 0 pure prototypes .. 1 half of a neighbouring one

    @classmethod
    def draw(cls, random: np.random.Generator, spread: float = 1.0) -> "Style":
        """A person's style; ``spread`` scales how far people differ."""
        gain = np.exp(0.25 * spread * random.standard_normal(len(AU_NUMBERS)))
        rest = np.abs(0.07 * spread * random.standard_normal(len(AU_NUMBERS)))
        rest[[AU_INDEX[25], AU_INDEX[26], AU_INDEX[27], AU_INDEX[43]]] *= 0.3  # a resting mouth is shut, eyes are open
        return cls(gain, rest, float(random.beta(1.0, 4.0) * spread))


@dataclass(frozen=True)
class Expression:
    """Apex intensity of every AU, and how one-sided they are (-1 the viewer's left only .. 1 right only)."""

    units: np.ndarray
    asymmetry: float

    def at(self, fraction: float, style: Style) -> np.ndarray:
        """AU intensities at ``fraction`` of the way from this person's rest to the apex."""
        return np.clip(style.rest + fraction * self.units, 0.0, STRONGEST)


def draw_expression(label: str, style: Style, random: np.random.Generator, sloppiness: float = 1.0) -> Expression:
    """One performance of ``label`` by a person: which AUs take part, and how strongly.

    Raises ValueError for a label without a prototype.
    """
    if label not in PROTOTYPES:
        raise ValueError(f"no expression {label!r}; there are {', '.join(PROTOTYPES)}")
    units = _draw_units(label, random, sloppiness)
    if label in LEAN:
        units = units + 0.5 * style.mix * _draw_units(LEAN[label], random, sloppiness)
    units = _coherent(label, units * style.gain, random)
    least = ONE_SIDED.get(label, 0.0)
    one_sided = random.uniform(least, min(least + 0.25, 1.0)) * random.choice([-1.0, 1.0])
    asymmetry = one_sided if least else 0.10 * random.standard_normal()
    return Expression(np.clip(units, 0.0, STRONGEST), float(np.clip(asymmetry, -1.0, 1.0)))


def _draw_units(label: str, random: np.random.Generator, sloppiness: float) -> np.ndarray:
    units = np.zeros(len(AU_NUMBERS))
    for number, (probability, mean) in PROTOTYPES[label].items():
        takes_part = random.random() < probability
        strength = mean + 0.17 * sloppiness * random.standard_normal()
        if takes_part:
            units[AU_INDEX[number]] = max(0.15, strength)
    return units


def _coherent(label: str, units: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Rules between AUs: teeth before jaw in fear, an open jaw in surprise, pressed lips do not part."""
    part, drop, stretch = AU_INDEX[25], AU_INDEX[26], AU_INDEX[27]
    if label == "fear":  # the lips are drawn wide over the teeth; a dropped jaw would read as surprise
        units[stretch] = 0.0
        units[drop] = min(units[drop], 0.6)
        units[part] = max(units[part], 0.55)
        units[AU_INDEX[20]] = max(units[AU_INDEX[20]], 0.6)
    if label in ("fear", "sadness"):  # a frown stronger than the raised inner brows would read as anger
        units[AU_INDEX[1]] = max(units[AU_INDEX[1]], 0.4)
        units[AU_INDEX[4]] = min(units[AU_INDEX[4]], units[AU_INDEX[1]])
    if label == "disgust" and max(units[AU_INDEX[9]], units[AU_INDEX[10]]) < 0.55:
        units[AU_INDEX[9]] = random.uniform(0.55, 0.9)
    if label == "surprise" and max(units[drop], units[stretch]) < 0.45:
        units[random.choice([drop, stretch])] = random.uniform(0.5, 0.9)
    if label in ("anger", "sadness") and units[AU_INDEX[24]] > 0.3:
        units[[part, drop, stretch]] = 0.0
    return units
