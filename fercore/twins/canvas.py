"""From pixels to face coordinates, the three brushes everything is drawn with, and the rows that a brush can reach."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from types import SimpleNamespace

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

HALF_EXTENT, CENTRE_V = 1.34, 0.34  # the crop of aligned sets: eyes at 37.5 %, mouth at 75 % of the height
BELOW, ABOVE = 9.0, -9.0  # v beyond every image
PIVOT = 0.8  # depth around which the head turns: features stay in place, as after an alignment


def bell(square: Tensor) -> Tensor:
    """exp(-square) as (1 - 0.23 square)^4, 0 from 4.35 on: the same half width, no denormal numbers, 3 times faster."""
    return torch.rsub(square, 1, alpha=0.23).clamp_min_(0).square_().square_()


def bump(distance: Tensor, width) -> Tensor:
    """A bell of height 1: about exp(-(distance / width)^2)."""
    return bell((distance / width).square_())


def smoothstep(x: Tensor) -> Tensor:
    """0 below 0, 1 above 1, and 3x^2 - 2x^3 between."""
    x = x.clamp(0, 1)
    return x.square().mul_(torch.rsub(x, 3, alpha=2))


@dataclass
class Canvas:
    """Face coordinates of each pixel, B x H x W: u, v on the head, a = |u|, side = sign(u); pixel = its size.

    ``right`` goes from 0 on the left half of the face to 1 on the right one; ``heights`` are the least and the greatest
    v of each row, in any face of the batch.
    """

    u: Tensor
    v: Tensor
    a: Tensor
    side: Tensor
    right: Tensor
    pixel: float
    heights: tuple[list[float], list[float]]

    def sides(self, quantity: Tensor) -> Tensor:
        """A number per side of the face, 2 x B x 1 x 1, at every pixel: left to right across the middle."""
        left, right = quantity
        return torch.lerp(left, right, self.right)

    def rows(self, top: float, bottom: float) -> slice:
        """The rows that show v from ``top`` to ``bottom`` in any face of the batch."""
        least, greatest = self.heights
        reached = [i for i in range(len(least)) if greatest[i] >= top and least[i] <= bottom]
        return slice(reached[0], reached[-1] + 1) if reached else slice(0, 0)

    def at(self, rows: slice) -> "Canvas":
        """The canvas of these rows only."""
        planes = {name: getattr(self, name)[:, rows] for name in ("u", "v", "a", "side", "right")}
        return replace(self, **planes, heights=tuple(part[rows] for part in self.heights))

    def inside(self, distance: Tensor, softness: float = 0.0) -> Tensor:
        """Coverage of a region whose signed distance (positive inside) is given: antialiased edge."""
        return (distance / (self.pixel + softness)).add_(0.5).clamp_(0, 1)

    def stroke(self, distance: Tensor, width) -> Tensor:
        """Coverage of a thin line, widened a little so that it survives at small sizes."""
        return bump(distance, width + 0.25 * self.pixel)

    def field(self, noise: Tensor, scale_u: float, scale_v: float, folded: bool = False) -> Tensor:
        """Random field ``noise`` (B x T x T) laid over the face, smooth (bilinear), repeated by reflection."""
        grid = torch.empty(*self.v.shape, 2, device=self.v.device)
        torch.div(self.a if folded else self.u, scale_u, out=grid[..., 0])
        torch.div(self.v - CENTRE_V, scale_v, out=grid[..., 1])
        return grid_sample(noise[:, None], grid, padding_mode="reflection", align_corners=True)[:, 0]


def reaches(top: float, bottom: float) -> Callable[[Callable[..., Tensor]], Callable[..., Tensor]]:
    """Let ``draw(image, c, ...)`` see only the rows that show v from ``top`` to ``bottom``, all that it can change.

    Bells and edges end, so what is drawn stays the same; ``image`` itself is changed. Planes among the arguments
    (... x H x W) are cut to the same rows; those inside a namespace are not, and come with these rows.
    """

    def on_rows(draw: Callable[..., Tensor]) -> Callable[..., Tensor]:
        @wraps(draw)
        def drawn(image: Tensor, c: Canvas, *others) -> Tensor:
            rows, plane = c.rows(top, bottom), c.v.shape[-2:]
            cut = [x[..., rows, :] if isinstance(x, Tensor) and x.shape[-2:] == plane else x for x in others]
            image[..., rows, :] = draw(image[..., rows, :], c.at(rows), *cut)
            return image

        return drawn

    return on_rows


def make_canvas(p: SimpleNamespace, size: int) -> Canvas:
    """Invert camera (shift, roll, scale) and pose (yaw, pitch) for every pixel of a ``size`` x ``size`` image."""
    steps = (torch.arange(size, device=p.roll.device) + 0.5) / size * 2 - 1
    x = (HALF_EXTENT * steps)[None, None, :] - p.shift_x - p.own_x  # B x 1 x S
    y = (HALF_EXTENT * steps)[None, :, None] - p.shift_y - p.own_y  # B x S x 1, from the crop's centre
    scale = p.scale * p.own_scale
    turned_x = (p.roll.cos() * x + p.roll.sin() * y) / scale
    turned_y = (p.roll.cos() * y - p.roll.sin() * x) / scale + CENTRE_V
    u, v = turned_x, turned_y
    for _ in range(2):  # fixed point: the depth of the head at (u, v) decides where (u, v) is
        depth = _coarse_depth(u, v, p) - PIVOT
        u = (turned_x - depth * p.yaw.sin()) / p.yaw.cos()
        v = (turned_y - depth * p.pitch.sin()) / p.pitch.cos()
    right = (6 * u).clamp(-1, 1) * 0.5 + 0.5
    heights = v.amin((0, 2)).tolist(), v.amax((0, 2)).tolist()
    return Canvas(u, v, u.abs(), torch.sign(u), right, 2 * HALF_EXTENT / size, heights)


def _coarse_depth(u: Tensor, v: Tensor, p: SimpleNamespace) -> Tensor:
    room = (1 - (u / 1.1).square() - (v / 1.8).square()).clamp_min(0)
    dome = room * (1.6 - 0.6 * room)  # about its root, without the steep rim that would fold what is behind
    nose = bell((u / 0.22).square() + ((v - p.nose_base + 0.1) / 0.25).square())
    return dome + 0.8 * p.nose_out * nose
