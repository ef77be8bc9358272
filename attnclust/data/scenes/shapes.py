"""The shapes of scenes: signed distances to outlines, and where objects lie.

A shape is a function of coordinates (x, y) and its scale r that gives, in pixels, how deep a point lies
inside (positive) or how far outside (negative): exact near straight edges, of the right sign everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import sqrt
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32

from attnclust.data.scenes.draws import Dice, pixel_grid

Plane = Float32[np.ndarray, "h w"]

_HALF_ROOT_3 = 0.8660254037844386
_ARM = 0.36  # half-width of a cross's arm, as a share of its length


def _disc(x: Any, y: Any, r: float) -> Any:
    return r - np.sqrt(x * x + y * y)


def _square(x: Any, y: Any, r: float) -> Any:
    return r - np.maximum(np.abs(x), np.abs(y))


def _triangle(x: Any, y: Any, r: float) -> Any:
    return r - np.maximum(-y, 0.5 * y + _HALF_ROOT_3 * np.abs(x))


def _cross(x: Any, y: Any, r: float) -> Any:
    x, y = np.abs(x), np.abs(y)
    return np.minimum(r - np.maximum(x, y), _ARM * r - np.minimum(x, y))


def _star(x: Any, y: Any, r: float) -> Any:
    slanted, y = _HALF_ROOT_3 * np.abs(x), np.abs(y)
    # Two triangles, one upside down: their union. With y >= 0 these are the two larger of six half-planes.
    return r - np.minimum(np.maximum(y, slanted - 0.5 * y), slanted + 0.5 * y)


@dataclass(frozen=True)
class Shape:
    """An outline: its signed distance; and for r = 1 its area and the radius of the circle around it."""

    depth: Callable[[Any, Any, float], Any]
    area: float
    reach: float


SHAPES: dict[str, Shape] = {
    "disc": Shape(_disc, 3.141592653589793, 1.0),
    "square": Shape(_square, 4.0, 1.4142135623730951),
    "triangle": Shape(_triangle, 5.196152422706632, 2.0),
    "cross": Shape(_cross, 8 * _ARM - 4 * _ARM * _ARM, 1.0628264204469138),
    "star": Shape(_star, 6.928203230275509, 2.0),
}


@dataclass(frozen=True)
class Placed:
    """A shape in a scene: centre (y, x), turn (cosine, sine), scale in pixels, stretch along its own axes."""

    shape: Shape
    centre: tuple[float, float]
    turn: tuple[float, float]
    scale: float
    stretch: float
    size: int
    margin: int

    @property
    def radius(self) -> float:
        """The radius of a circle that holds the shape."""
        return self.shape.reach * self.scale * max(self.stretch, 1 / self.stretch)

    @cached_property
    def box(self) -> tuple[slice, slice]:
        """Rows and columns that hold the shape and a margin, cut off at the border of the scene."""
        cy, cx = self.centre
        reach = self.radius + self.margin
        rows, columns = ((max(int(c - reach), 0), min(int(c + reach) + 1, self.size)) for c in (cy, cx))
        return slice(*rows), slice(*columns)

    @cached_property
    def local(self) -> tuple[Plane, Plane]:
        """Coordinates (x, y) along the shape's own axes, for the pixels of its box."""
        ys, xs = pixel_grid(self.size)
        dy, dx = ys[self.box[0]] - self.centre[0], xs[:, self.box[1]] - self.centre[1]
        cosine, sine = self.turn
        along = (cosine / self.stretch) * dx + (sine / self.stretch) * dy
        across = (cosine * self.stretch) * dy - (sine * self.stretch) * dx
        return along, across

    @cached_property
    def depth(self) -> Plane:
        """How deep each pixel of the box lies inside the shape, in pixels (negative: outside)."""
        return self.shape.depth(*self.local, self.scale)

    @property
    def inside(self) -> Bool[np.ndarray, "h w"]:
        """The pixels of the box whose centre lies in the shape."""
        return self.depth >= 0


def place(
    dice: Dice, shape: Shape, *, area: float, stretch: float, size: int, inset: float, margin: int
) -> Placed:
    """A shape of this area (pixels) at a random place, its centre ``inset`` radii or more from the border."""
    scale = sqrt(area / shape.area)
    edge = min(inset * shape.reach * scale, 0.45 * size)
    centre = dice.uniform(edge, size - edge), dice.uniform(edge, size - edge)
    return Placed(shape, centre, dice.direction(), scale, stretch, size, margin)
