"""The head as a height field, and the light that falls on it."""

from types import SimpleNamespace

import torch
from torch import Tensor
from torch.nn.functional import pad

from fercore.twins.canvas import Canvas, bell, bump, reaches, smoothstep
from fercore.twins.mouth import MOUTH

WRAP = 0.15  # light that goes round into the shadow through the skin: cos = -WRAP is where it ends
STEEPEST = 2.5  # slopes beyond this belong to the outline, where a height field has no meaning


def head_radius(c: Canvas, p: SimpleNamespace, k: SimpleNamespace) -> Tensor:
    """r of the head outline: below 1 inside; the lower half narrows with the jaw, the upper is the skull."""
    down = (c.v / c.sides(k.chin)).square()
    up = (c.v / 1.66).square()
    across = (c.u / p.width).square()
    lower = across * (1 + p.jaw * down) + 0.55 * down + 0.45 * down.square()
    upper = across + 0.6 * up + 0.4 * up.square()
    return torch.where(c.v > 0, lower, upper)


def height(
    c: Canvas, p: SimpleNamespace, k: SimpleNamespace, radius: Tensor, au: dict, mouth: SimpleNamespace
) -> Tensor:
    """Depth of the face towards the viewer, B x H x W."""
    r = radius.clamp(0, 1.3)
    dome = 1.03 - r * (0.4 + 0.6 * r)
    z = dome.clamp_min(1e-3).sqrt() + 3 * dome.clamp_max(1e-3)  # keeps falling outside: no bright rim
    return _lower_face(_middle_face(_eye_region(z, c, p), c, p, k, au), c, p, k, mouth)


@reaches(-0.50, 0.35)
def _eye_region(z: Tensor, c: Canvas, p: SimpleNamespace) -> Tensor:
    socket = (c.a - p.eye_x) / 0.27
    z = z - p.socket * bell(socket.square() + ((c.v + 0.04) / 0.17).square())
    ball = (c.a - p.eye_x) / 0.17
    z = z + 0.07 * bell(ball.square() + (c.v / 0.10).square())
    return z + (0.05 + 0.03 * p.masculine) * bell(((c.a - 0.36) / 0.34).square() + ((c.v + 0.27) / 0.10).square())


@reaches(-0.20, 1.00)
def _middle_face(z: Tensor, c: Canvas, p: SimpleNamespace, k: SimpleNamespace, au: dict[int, Tensor]) -> Tensor:
    raised = c.sides(au[6] + au[12]).clamp(0, 2)
    cheek_v = (c.v - 0.44 + 0.05 * raised) / 0.23
    z = z + (p.cheek + 0.07 * raised) * bell(((c.a - 0.56) / 0.27).square() + cheek_v.square())
    return z + _nose(c, p, c.sides(k.nose_y), c.sides(k.nose_wide))


@reaches(*MOUTH)
def _lower_face(z: Tensor, c: Canvas, p: SimpleNamespace, k: SimpleNamespace, mouth: SimpleNamespace) -> Tensor:
    hollow = 0.05 * bell(((c.a - 0.60) / 0.22).square() + ((c.v - 0.86) / 0.24).square())  # below the cheekbone
    chin = _chin(c, c.sides(k.lower_middle), c.sides(k.chin), c.sides(k.lower_lip))
    return z - hollow + _lips(c, mouth, c.sides(k.nose_y)) + chin


def _nose(c: Canvas, p: SimpleNamespace, nose_y: Tensor, nose_wide: Tensor) -> Tensor:
    t = (c.v / nose_y).clamp(-0.4, 1)
    profile = (0.42 * t * t + 0.58 * t).clamp_min(0) * torch.where(c.v > nose_y, bump(c.v - nose_y, 0.11), 1.0)
    ridge = bump(c.a, nose_wide * (0.70 + 0.44 * t.clamp_min(0)))
    wing = bell(((c.a - p.alae * nose_wide * 0.82) / 0.075).square() + ((c.v - nose_y + 0.055) / 0.075).square())
    tip = bell((c.a / 0.115).square() + ((c.v - nose_y + 0.075) / 0.11).square())
    return 0.66 * p.nose_out * profile * ridge + 0.085 * wing + 0.05 * tip


def _lips(c: Canvas, m: SimpleNamespace, nose_y: Tensor) -> Tensor:
    """The red of the lips bulges; between nose and mouth runs a groove with two ridges."""
    rolled = m.within * (1 - 0.5 * m.t.square())
    upper = bump(c.v - 0.4 * m.outer_upper - 0.6 * m.inner_upper, 0.55 * (m.inner_upper - m.outer_upper) + 0.02)
    lower = bump(c.v - 0.55 * m.inner_lower - 0.45 * m.outer_lower, 0.50 * (m.outer_lower - m.inner_lower) + 0.02)
    along = smoothstep((c.v - nose_y - 0.02) / 0.06) * smoothstep((m.outer_upper + 0.02 - c.v) / 0.06)
    groove = 0.7 * bump(c.a - 0.085, 0.045) - bump(c.a, 0.055)
    return (0.030 * upper + 0.045 * lower) * rolled + 0.010 * groove * along


def _chin(c: Canvas, middle: Tensor, chin: Tensor, lip: Tensor) -> Tensor:
    mound = 0.07 * bell((c.a / 0.42).square() + ((c.v - middle) / 0.20).square())
    fold = middle + 0.55 * (chin - middle) * 0.75
    dip = -0.05 * bell((c.a / 0.28).square() + ((c.v - fold - lip * 0.3) / 0.075).square())
    boss = 0.08 * bell((c.a / 0.32).square() + ((c.v - chin + 0.22) / 0.20).square())
    return mound + dip + boss


def shade(c: Canvas, p: SimpleNamespace, z: Tensor) -> tuple[Tensor, Tensor]:
    """Light on the head: (diffuse factor, gloss), from the normals of the turned height field."""
    turned = z * (p.yaw.cos() * p.pitch.cos()) - c.u * p.yaw.sin() - c.v * p.pitch.sin()
    slope_x, slope_y = _slopes(turned, c.pixel)
    length = (slope_x.square() + slope_y.square() + 1).sqrt()
    light = (p.light_x.square() + p.light_y.square() + 1).sqrt()
    cosine = (1 - slope_x * p.light_x - slope_y * p.light_y) / (length * light)
    cosine = ((cosine + WRAP) / (1 + WRAP)).clamp_min(0)
    half = (p.light_x.square() + p.light_y.square() + (1 + light).square()).sqrt()
    mirror = ((light + 1 - slope_x * p.light_x - slope_y * p.light_y) / (length * half)).clamp_min(0)
    mirror = mirror.square().square()  # ^4
    return p.ambient * 0.9 + (1 - p.ambient) * 1.15 * cosine, p.gloss * mirror * mirror * mirror  # ^12


def _slopes(z: Tensor, pixel: float) -> tuple[Tensor, Tensor]:
    wide = pad(z[:, None], (1, 1, 1, 1), mode="replicate")[:, 0]
    slope_x = (wide[:, 1:-1, 2:] - wide[:, 1:-1, :-2]) / (2 * pixel)
    slope_y = (wide[:, 2:, 1:-1] - wide[:, :-2, 1:-1]) / (2 * pixel)
    return slope_x.clamp(-STEEPEST, STEEPEST), slope_y.clamp(-STEEPEST, STEEPEST)


def hollows(c: Canvas, p: SimpleNamespace, nose_y: Tensor) -> Tensor:
    """Factor of light that reaches the hollows: eye sockets, under and beside the nose, and the sides of the head."""
    return _around_nose(1 - 0.25 * smoothstep((c.a - 0.62) / 0.55), c, p, nose_y)


@reaches(-0.40, 1.20)
def _around_nose(lit: Tensor, c: Canvas, p: SimpleNamespace, nose_y: Tensor) -> Tensor:
    socket = 0.22 * bell(((c.a - p.eye_x + 0.05) / 0.24).square() + ((c.v + 0.09) / 0.12).square())
    under = 0.16 * bell((c.a / 0.22).square() + ((c.v - nose_y - 0.07) / 0.07).square())
    root = 0.14 * bell(((c.a - 0.17) / 0.08).square() + ((c.v - 0.02) / 0.14).square())
    away = c.u + 0.16 * p.light_x.sign()  # the nose's shadow falls away from the light
    cast = 0.45 * p.light_x.abs().clamp(0, 0.6) * bell((away / 0.11).square() + ((c.v - nose_y + 0.12) / 0.26).square())
    return lit * (1 - socket) * (1 - under) * (1 - root) * (1 - cast)
