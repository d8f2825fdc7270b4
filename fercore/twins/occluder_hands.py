"""Hands, drawn pale: the placing gives them the colour of a skin."""

import numpy as np

from fercore.twins.sketch import Sketch

PALE = (0.98, 0.95, 0.93)
NAIL = (1.0, 0.90, 0.90)
SLEEVES = ((0.25, 0.30, 0.45), (0.62, 0.60, 0.58), (0.15, 0.15, 0.17), (0.50, 0.22, 0.22))


def hand(spread: float, bend: float, fingers: int = 4, thumb: float = 0.7, sleeve: int = 0) -> Sketch:
    """A hand seen from its back: fingers ``spread`` apart (radians), ``bend`` 0 straight .. 1 fist, thumb angle."""
    s = Sketch()
    s.lay(s.limb((0.02, 1.10), (0.0, 0.45), 0.26, 0.22), PALE, 0.20)
    s.lay(s.box((0.03, 0.96), (0.34, 0.20), 0.08), SLEEVES[sleeve], 0.16, grain=0.06, seed=sleeve)
    _thumb(s, thumb, bend)
    s.lay(s.box((0.0, 0.22), (0.34, 0.32), 0.20, taper=0.12), PALE, 0.28, grain=0.02, seed=3)
    lengths, widths = (0.60, 0.68, 0.63, 0.48), (0.098, 0.104, 0.100, 0.086)
    order = (0, 3, 1, 2)  # the middle ones lie on top
    for i in [i for i in order if i < fingers]:
        _finger(
            s, (-0.245 + 0.163 * i, -0.02 + 0.05 * abs(i - 1.3) / 1.3), (i - 1.5) * spread, lengths[i], widths[i], bend
        )
    for i in range(3):  # tendons between the knuckles
        s.darken(s.limb((-0.16 + 0.163 * i, 0.02), (-0.12 + 0.12 * i, 0.22), 0.008), 0.14, 0.05)
    return s


def _finger(s: Sketch, root, angle: float, length: float, width: float, bend: float) -> None:
    length = length * (1 - 0.62 * bend)
    ahead = np.array([np.sin(angle), -np.cos(angle)])
    middle, tip = np.array(root) + 0.5 * length * ahead, np.array(root) + length * ahead
    s.darken(s.limb(root, tip, width + 0.015), 0.30, 0.05)  # its shadow on its neighbours
    s.lay(s.limb(root, middle, width * 1.04, width * 0.98), PALE, width * 1.1)
    s.lay(s.limb(middle, tip, width * 0.97, width * 0.78), PALE, width)
    across = np.array([ahead[1], -ahead[0]])
    for share in (0.0, 0.48, 0.74):
        for shift in (-0.018, 0.018):
            at = np.array(root) + (share * length + shift) * ahead
            s.darken(s.limb(at - 0.55 * width * across, at + 0.55 * width * across, 0.004), 0.20, 0.018)
    if bend < 0.5:
        nail = tip + 0.01 * ahead
        s.lay(s.limb(nail - 0.05 * ahead, nail + 0.012 * ahead, width * 0.50, width * 0.46), NAIL, 0.05)


def _thumb(s: Sketch, angle: float, bend: float) -> None:
    root = np.array([-0.27, 0.34])
    knee = root + 0.30 * np.array([-np.sin(angle), -np.cos(angle)])
    tip = knee + (0.26 - 0.08 * bend) * np.array([-np.sin(angle - 0.55), -np.cos(angle - 0.55)])
    s.lay(s.limb(root, knee, 0.150, 0.115), PALE, 0.13)
    s.lay(s.limb(knee, tip, 0.112, 0.088), PALE, 0.11)
    ahead = (tip - knee) / np.linalg.norm(tip - knee)
    s.lay(s.limb(tip - 0.03 * ahead, tip + 0.03 * ahead, 0.050, 0.045), NAIL, 0.05)


def edge_of_hand() -> Sketch:
    """A hand laid flat over the mouth, seen from its little finger's side: palm, four fingers in a row, no thumb."""
    s = Sketch()
    s.lay(s.limb((1.10, 0.62), (0.62, 0.36), 0.24, 0.22), PALE, 0.2)
    s.lay(s.box((1.0, 0.60), (0.20, 0.34), 0.10), SLEEVES[1], 0.16, grain=0.06, seed=7)
    s.lay(s.oval((0.38, 0.20), (0.44, 0.36)), PALE, 0.3, grain=0.02, seed=5)
    for i in range(4):
        y = -0.16 + 0.165 * i
        _finger(s, (0.18, y + 0.08), -1.62 - 0.05 * (i - 1.5), (0.70, 0.80, 0.78, 0.62)[i], 0.092, 0.0)
    return s


def knuckles() -> Sketch:
    """A fist seen from the front, as it holds up a chin: four folded fingers in a row, the thumb across them."""
    s = Sketch()
    s.lay(s.limb((0.0, 1.1), (0.0, 0.5), 0.30, 0.28), PALE, 0.25)
    s.lay(s.box((0.0, 0.98), (0.38, 0.18), 0.08), SLEEVES[3], 0.16, grain=0.06, seed=9)
    s.lay(s.oval((0.0, 0.15), (0.56, 0.50)), PALE, 0.35, grain=0.02, seed=13)
    for i in range(4):
        x, y = -0.39 + 0.26 * i, -0.14 + 0.05 * abs(i - 1.2)
        s.darken(s.oval((x, y + 0.02), (0.15, 0.24)), 0.30, 0.05)
        s.lay(s.oval((x, y), (0.135, 0.22)), PALE, 0.13)
        s.lay(s.oval((x, y + 0.28), (0.125, 0.16)), PALE, 0.12)
        s.darken(s.limb((x - 0.06, y + 0.16), (x + 0.06, y + 0.16), 0.005), 0.3, 0.03)
    s.lay(s.limb((-0.52, 0.42), (0.18, 0.34), 0.13, 0.10), PALE, 0.12)
    return s.lay(s.limb((0.16, 0.33), (0.22, 0.325), 0.06), NAIL, 0.05)


def pointing() -> Sketch:
    """A fist with one finger stretched out, as it is laid on lips."""
    s = hand(0.05, 0.95, thumb=-0.25, sleeve=2)
    _finger(s, (-0.20, 0.02), -0.03, 0.72, 0.095, 0.0)
    return s
