"""Does an independent landmark finder see what an action unit was told to do?"""

import numpy as np

from fercore.faces.landmarks import DetectorMissingError, NoFaceError, whole_mesh
from fercore.quality.report import Check
from fercore.quality.samples import ANYBODY, recipe
from fercore.twins.facs import intensities
from fercore.twins.filming import person, seeded
from fercore.twins.renderer import Face, render
from fercore.twins.scene import Nuisance, draw_frame, draw_pose

STILL = Nuisance(pose=0, sway=0, shift=0, scale=0, roll=0, noise=0)
SIZE, MARGIN, LEVELS = 192, 32, (0.0, 0.25, 0.5, 0.75, 1.0)


def _between(points: np.ndarray, one: list[int], other: list[int], axis: int) -> float:
    """Distance of two groups of mesh points along an axis, in distances between the eyes."""
    eyes = np.linalg.norm(points[468] - points[473])
    return float((points[other].mean(0) - points[one].mean(0))[axis] / eyes)


EYES = [468, 473]
MEASURES = {  # unit: (what the mesh shows of it, at least this correlation)
    1: (lambda m: _between(m, [107, 336], EYES, 1), 0.65),  # inner brows above the irises
    2: (lambda m: _between(m, [70, 300], EYES, 1), 0.65),  # outer brows
    4: (lambda m: _between(m, [107, 336], EYES, 1), 0.90),
    10: (lambda m: _between(m, EYES, [37, 0, 267], 1), 0.65),  # height of the upper lip
    12: (lambda m: _between(m, [61, 291], [1], 1), 0.90),  # mouth corners against the nose
    15: (lambda m: _between(m, [61, 291], [13], 1), 0.90),  # mouth corners against the middle of the lips
    20: (lambda m: _between(m, [61], [291], 0), 0.65),  # width of the mouth
    24: (lambda m: _between(m, [0], [17], 1), 0.65),  # thickness of both lips
    26: (lambda m: _between(m, [1], [152], 1), 0.90),  # nose tip to chin
    27: (lambda m: _between(m, [13], [14], 1), 0.90),  # gap between the lips
    43: (lambda m: _between(m, [159, 386], [145, 374], 1), 0.90),  # gap between the lids
}


def correlation(levels: np.ndarray, measured: np.ndarray) -> float:
    """Correlation within people: levels and measures (people x levels), each person's own mean taken away."""
    x, y = levels - levels.mean(1, keepdims=True), measured - measured.mean(1, keepdims=True)
    return float((x * y).sum() / np.sqrt((x**2).sum() * (y**2).sum()))


def checks(count: int = 8) -> list[Check]:
    """The size of the correlation of every measurable unit, and of the head's turn, over ``count`` people."""
    try:
        detect = whole_mesh()
    except DetectorMissingError as missing:
        return [Check("action units seen by FaceMesh", None, note=str(missing))]
    found = []
    for unit, (measure, least) in MEASURES.items():
        faces = [_posed(n, {unit: level, **_opened(unit)}) for n in range(count) for level in LEVELS]
        found.append(_check(f"AU{unit}", detect, faces, np.tile(LEVELS, (count, 1)), measure, least))
    turns = np.linspace(-0.3, 0.3, len(LEVELS))
    faces = [_posed(n, {}, yaw=float(turn)) for n in range(count) for turn in turns]
    nose = lambda m: _between(m, EYES, [1], 0)  # noqa: E731
    return [*found, _check("yaw", detect, faces, np.tile(turns, (count, 1)), nose, 0.95)]


def _opened(unit: int) -> dict[int, float]:
    return {25: 0.5} if unit in (20, 10) else {}  # the lips part, or the unit would stretch a line


def _posed(number: int, units: dict[int, float], **scene: float) -> Face:
    who = person(ANYBODY, f"U{number:03d}", recipe())
    frame = draw_frame(seeded("still"), STILL, draw_pose(seeded("still"), STILL))
    traits = who.identity.traits | {"glasses": 0.0, "beard": 0.0}
    identity = type(who.identity)(traits, who.identity.skin, who.identity.hair)
    return Face(identity, intensities(units), 0.0, who.setting | frame | scene)


def _check(name: str, detect, faces: list[Face], levels: np.ndarray, measure, least: float) -> Check:
    measured = np.full(levels.size, np.nan)
    for i, image in enumerate(render(faces, SIZE, modality="rgb")):
        try:
            measured[i] = measure(detect(np.pad(image, ((MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)), mode="edge")))
        except NoFaceError:
            continue
    measured = measured.reshape(levels.shape)
    whole = ~np.isnan(measured).any(1)
    note = f"{whole.sum()} of {len(whole)} people measured at all {levels.shape[1]} levels"
    value = abs(correlation(levels[whole], measured[whole])) if whole.any() else None
    return Check(f"{name} seen by FaceMesh, |r|", value, least, None, note)
