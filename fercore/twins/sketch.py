"""A pad to draw solid objects on: rounded shapes with colour, light from the upper left and soft edges."""

import numpy as np

PAD = 256  # pixels per side of a drawn template
LIGHT = np.array([-0.45, -0.65, 0.62])


class Sketch:
    """Red, green, blue and cover of one object, PAD x PAD, in coordinates x to the right, y down, both -1..1.

    Colours are kept multiplied by the cover, so that a soft edge mixes with what is behind it and nothing else.
    """

    def __init__(self):
        steps = (np.arange(PAD) + 0.5) / PAD * 2 - 1
        self.x, self.y = np.meshgrid(steps, steps)
        self.colour = np.zeros((3, PAD, PAD))
        self.cover = np.zeros((PAD, PAD))

    def lay(
        self, inside: np.ndarray, colour, bulge: float = 0.15, grain: float = 0.0, seed: int = 0, form=None
    ) -> "Sketch":
        """Lay a shape over what is there; ``inside`` is the distance to its edge.

        The surface is round within ``bulge`` of its rim, or of where ``form`` is 0 (a cylinder's sides).
        """
        rim = inside if form is None else form
        height = bulge * np.sqrt(1 - (1 - np.clip(rim / bulge, 0, 1)) ** 2)
        slope_y, slope_x = np.gradient(height, 2 / PAD)
        normal = np.stack([-slope_x, -slope_y, np.ones_like(height)])
        light = (LIGHT[:, None, None] * normal).sum(0) / np.linalg.norm(normal, axis=0) / np.linalg.norm(LIGHT)
        shade = 0.45 + 0.70 * np.clip(light, 0, 1) + 0.35 * np.clip(light, 0, 1) ** 24
        if grain:
            shade = shade * (1 + grain * _clouds(seed))
        cover = np.clip(inside * PAD / 2 + 0.5, 0, 1)
        paint = np.asarray(colour, float)[:, None, None] * shade
        self.colour += cover * (paint - self.colour)
        self.cover += cover * (1 - self.cover)
        return self

    def darken(self, inside: np.ndarray, by: float, soft: float = 0.03) -> "Sketch":
        """A crease or shadow on what is drawn already: darkest where ``inside`` is 0 or more."""
        self.colour *= 1 - by * np.clip(1 + inside / soft, 0, 1)
        return self

    def veil(self, inside: np.ndarray, cover: float) -> "Sketch":
        """Let the background shine through a part (glass)."""
        left = 1 - (1 - cover) * np.clip(inside * PAD / 2 + 0.5, 0, 1)
        self.cover *= left
        self.colour *= left
        return self

    def picture(self) -> np.ndarray:
        """The template, 4 x PAD x PAD: red, green, blue (times cover) and cover, in 0..1."""
        return np.concatenate([np.clip(self.colour, 0, 1), self.cover[None]]).astype(np.float32)

    def limb(self, start, end, wide: float, narrow: float | None = None) -> np.ndarray:
        """Distance to the edge of a bar with round ends, from ``start`` (radius ``wide``) to ``end`` (``narrow``)."""
        (ax, ay), (bx, by) = start, end
        dx, dy = bx - ax, by - ay
        t = np.clip(((self.x - ax) * dx + (self.y - ay) * dy) / (dx * dx + dy * dy + 1e-9), 0, 1)
        radius = wide + ((wide if narrow is None else narrow) - wide) * t
        return radius - np.hypot(self.x - ax - t * dx, self.y - ay - t * dy)

    def oval(self, at, size) -> np.ndarray:
        """About the distance to the edge of an ellipse with half axes ``size``."""
        r = np.hypot((self.x - at[0]) / size[0], (self.y - at[1]) / size[1])
        return (1 - r) * min(size)

    def box(self, at, size, round_by: float = 0.06, taper: float = 0.0) -> np.ndarray:
        """Distance to the edge of a rounded box with half sides ``size``; ``taper`` narrows it towards the bottom."""
        half = size[0] * (1 - taper * (self.y - at[1]) / size[1])
        ex = np.abs(self.x - at[0]) - half + round_by
        ey = np.abs(self.y - at[1]) - size[1] + round_by
        return round_by - np.hypot(np.clip(ex, 0, None), np.clip(ey, 0, None)) - np.clip(np.maximum(ex, ey), None, 0)


def _clouds(seed: int) -> np.ndarray:
    random, total = np.random.default_rng(seed), np.zeros((PAD, PAD))
    for cells in (8, 16, 32):
        total += np.kron(random.standard_normal((cells, cells)), np.ones((PAD // cells, PAD // cells))) / 3
    return total
