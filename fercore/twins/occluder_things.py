"""Food, drinks, and what hides faces in real pictures."""

import numpy as np

from fercore.twins.sketch import Sketch

BREAD, LEAF, RED, CHEESE, MEAT = (
    (0.80, 0.55, 0.27),
    (0.40, 0.66, 0.22),
    (0.78, 0.16, 0.12),
    (0.96, 0.78, 0.25),
    (0.36, 0.20, 0.13),
)
WHITE, STEEL, GLASS, INK = (0.93, 0.93, 0.91), (0.55, 0.57, 0.60), (0.80, 0.88, 0.92), (0.06, 0.06, 0.07)


def burger() -> Sketch:
    s = Sketch()
    s.lay(s.box((0, 0.42), (0.72, 0.20), 0.18), BREAD, 0.18, 0.03)
    s.lay(s.box((0, 0.18), (0.76, 0.13), 0.10), MEAT, 0.10, 0.15, 1)
    s.lay(s.box((0, 0.05), (0.78, 0.06), 0.05), CHEESE, 0.05)
    s.lay(s.limb((-0.70, -0.04), (0.70, -0.04), 0.09) + 0.035 * np.sin(22 * s.x), LEAF, 0.06)
    s.lay(np.minimum(s.oval((0, -0.08), (0.76, 0.58)), -0.08 - s.y), BREAD, 0.35, 0.03, 2)
    for i, x in enumerate((-0.45, -0.2, 0.05, 0.3, 0.5, -0.3, 0.15)):
        s.lay(s.oval((x, -0.42 + 0.10 * (i % 3)), (0.045, 0.028)), (0.97, 0.90, 0.70), 0.03)
    return s


def apple() -> Sketch:
    s = Sketch()
    body = np.maximum(s.oval((-0.17, 0.08), (0.48, 0.58)), s.oval((0.17, 0.08), (0.48, 0.58)))
    s.lay(body, RED, 0.45, 0.05, 3).lay(s.limb((0, -0.42), (0.08, -0.78), 0.03), (0.33, 0.22, 0.12), 0.03)
    return s.lay(s.limb((0.09, -0.62), (0.34, -0.70), 0.08, 0.02), LEAF, 0.06)


def banana() -> Sketch:
    s = Sketch()
    bow = 0.13 - 0.10 * s.x**2 - np.abs(np.hypot(s.x, s.y + 0.75) - 0.95)
    s.lay(np.minimum(bow, s.y + 0.32), (0.95, 0.82, 0.25), 0.13, 0.03, 4)
    for side in (-1, 1):
        s.lay(s.limb((side * 0.80, -0.22), (side * 0.86, -0.36), 0.045, 0.03), (0.30, 0.22, 0.10), 0.04)
    return s.darken(0.008 - np.abs(np.hypot(s.x, s.y + 0.75) - 0.99), 0.25, 0.02)


def ice_cream() -> Sketch:
    s = Sketch()
    cone = np.minimum(0.36 - 0.42 * (s.y - 0.05) - np.abs(s.x), np.minimum(s.y - 0.02, 0.92 - s.y))
    s.lay(cone, (0.82, 0.60, 0.32), 0.12)
    s.darken(
        np.maximum(0.010 - np.abs((s.x + s.y) % 0.16 - 0.08), 0.010 - np.abs((s.x - s.y) % 0.16 - 0.08)), 0.25, 0.02
    )
    s.lay(s.oval((-0.14, -0.16), (0.34, 0.32)), (0.96, 0.80, 0.82), 0.3, 0.06, 5)
    return s.lay(s.oval((0.15, -0.42), (0.32, 0.31)), (0.55, 0.36, 0.24), 0.3, 0.06, 6)


def sandwich() -> Sketch:
    s = Sketch()
    for y, half, colour in (
        (0.34, 0.15, BREAD),
        (0.16, 0.05, RED),
        (0.08, 0.05, LEAF),
        (0.0, 0.05, CHEESE),
        (-0.18, 0.15, BREAD),
    ):
        s.lay(s.box((0.03 * np.sin(9 * y), y), (0.80, half), min(half, 0.09)), colour, 0.1, 0.05, int(100 * half))
    return s


def mug() -> Sketch:
    s = Sketch()
    s.lay(0.075 - np.abs(np.hypot((s.x - 0.48) / 1.0, (s.y - 0.05) / 1.15) - 0.27), (0.20, 0.36, 0.62), 0.07)
    s.lay(s.box((-0.05, 0.05), (0.50, 0.62), 0.08, 0.05), (0.22, 0.40, 0.68), 0.5, form=_tube(s, -0.05, 0.54))
    s.lay(s.oval((-0.05, -0.55), (0.50, 0.11)), (0.30, 0.50, 0.78), 0.05)
    return s.lay(s.oval((-0.05, -0.54), (0.44, 0.08)), (0.26, 0.17, 0.12), 0.05)


def glass() -> Sketch:
    s = Sketch()
    s.lay(s.box((0, 0.05), (0.40, 0.75), 0.05, 0.18), GLASS, 0.4, form=_tube(s, 0, 0.44))
    juice = s.box((0, 0.22), (0.345, 0.52), 0.04, 0.12)
    s.lay(juice, (0.95, 0.60, 0.12), 0.4, form=_tube(s, 0, 0.42))
    return s.veil(np.minimum(s.box((0, 0.05), (0.37, 0.72), 0.05, 0.18), -juice), 0.45)


def bottle() -> Sketch:
    s, green = Sketch(), (0.16, 0.38, 0.22)
    s.lay(s.box((0, 0.42), (0.30, 0.58), 0.10), green, 0.3, form=_tube(s, 0, 0.31))
    s.lay(s.limb((0, -0.12), (0, 0.0), 0.14, 0.28), green, 0.3, form=_tube(s, 0, 0.31))
    s.lay(s.box((0, -0.42), (0.115, 0.42), 0.05), green, 0.12, form=_tube(s, 0, 0.125))
    s.lay(s.box((0, 0.42), (0.305, 0.22), 0.02), WHITE, 0.3, form=_tube(s, 0, 0.32))
    return s.lay(s.box((0, -0.86), (0.13, 0.08), 0.03), (0.75, 0.65, 0.3), 0.12, form=_tube(s, 0, 0.14))


def can() -> Sketch:
    s = Sketch()
    s.lay(s.limb((0.10, -0.60), (0.32, -1.0), 0.035), WHITE, 0.03)
    s.lay(s.box((0, 0.14), (0.36, 0.70), 0.07), RED, 0.36, form=_tube(s, 0, 0.38))
    s.lay(s.box((0, 0.10), (0.362, 0.10), 0.01), WHITE, 0.36, form=_tube(s, 0, 0.38))
    return s.lay(s.oval((0, -0.54), (0.34, 0.09)), STEEL, 0.04)


def _tube(s: Sketch, middle: float, half: float) -> np.ndarray:
    return half - np.abs(s.x - middle)


def mask(colour, pleats: int) -> Sketch:
    """A mask from the nose to under the chin, with ear loops; ``pleats`` 0 is a cloth one."""
    s = Sketch()
    for side in (-1, 1):
        s.lay(s.limb((side * 0.62, -0.25), (side * 0.98, -0.42), 0.022), WHITE, 0.02)
        s.lay(s.limb((side * 0.58, 0.30), (side * 0.98, 0.02), 0.022), WHITE, 0.02)
    body = np.minimum(s.oval((0, 0.02), (0.78, 0.66)), s.y + 0.38 + 0.14 * (1 - (s.x / 0.45) ** 2).clip(0))
    s.lay(body, colour, 0.45, 0.03 if pleats else 0.08, 8)
    for i in range(pleats):
        s.darken(0.008 - np.abs(s.y - (-0.18 + 0.17 * i) - 0.10 * (1 - s.x**2)), 0.30, 0.03)
    return s


def shades(round_ones: bool) -> Sketch:
    s = Sketch()
    s.lay(s.limb((-0.9, -0.05), (0.9, -0.05), 0.03), INK, 0.03)
    for side in (-1, 1):
        at = (side * 0.42, 0.03)
        s.lay(s.oval(at, (0.31, 0.30)) if round_ones else s.box(at, (0.34, 0.24), 0.12, 0.1), INK, 0.1)
    return s


def spectacles() -> Sketch:
    s = Sketch()
    s.lay(s.limb((-0.9, -0.05), (0.9, -0.05), 0.035), INK, 0.03)
    for side in (-1, 1):
        at, lens = (side * 0.42, 0.03), (0.34, 0.27)
        s.lay(s.box(at, lens, 0.14), INK, 0.05)
        s.veil(s.box(at, (lens[0] - 0.06, lens[1] - 0.06), 0.10), 0.12)
    return s


def microphone(ball: bool) -> Sketch:
    s = Sketch()
    s.lay(s.limb((0.06, 1.0), (0, 0.0), 0.13, 0.16), INK, 0.14)
    head = s.oval((0, -0.32), (0.34, 0.38)) if ball else s.box((0, -0.35), (0.22, 0.42), 0.16)
    s.lay(head, STEEL if ball else (0.16, 0.16, 0.17), 0.3, 0.10, 9)
    if ball:
        s.darken(np.maximum(np.cos(60 * s.x), np.cos(60 * s.y)) * 0.02 - 0.016, 0.4, 0.01)
    return s


def strand_of_hair(dark: float, bend: float) -> Sketch:
    s, random = Sketch(), np.random.default_rng(11)
    for x in np.linspace(-0.55, 0.50, 70) + 0.02 * random.standard_normal(70):
        tone = np.array((0.42, 0.28, 0.17)) * dark * random.uniform(0.65, 1.25)
        path = x + bend * (s.y + 1) ** 2 / 4 + 0.04 * np.sin(3 * s.y + x) + 0.012 * np.sin(9 * s.y + 20 * x)
        thin = 0.020 * (1 - 0.5 * (s.y + 1) / 2)
        s.lay(np.minimum(thin - np.abs(s.x - path), random.uniform(0.70, 0.98) - s.y), tone, 0.02)
    return s
