"""The textures of objects and backgrounds: for each pixel, how far it goes from one colour to another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

# A texture takes coordinates (u, v) and its period, all in pixels, and a noise field in [0, 1]; it answers
# in [0, 1].
Texture = Callable[[Any, Any, float, Any], Any]
# A texture of objects, with the range of its period in pixels of a scene of 224.
ObjectTexture = tuple[Texture, tuple[float, float]]


def _wave(u: Any, period: float) -> Any:
    """A triangle wave: the signed distance, in pixels, to the nearest edge of stripes of width period / 2."""
    turns = u * (1 / period)
    return np.abs(turns - np.floor(turns) - 0.5) * period - 0.25 * period


def _soften(distance: Any) -> Any:
    """Antialias: from 0 to 1 over one pixel around the edge."""
    return np.clip(distance + 0.5, 0, 1)


def plain(u: Any, v: Any, period: float, noise: Any) -> Any:
    """One colour, faintly mottled."""
    return noise * 0.25


def striped(u: Any, v: Any, period: float, noise: Any) -> Any:
    """Straight stripes."""
    return _soften(_wave(u, period))


def checked(u: Any, v: Any, period: float, noise: Any) -> Any:
    """A checkerboard."""
    a, b = _soften(_wave(u, period)), _soften(_wave(v, period))
    return a + b - 2 * a * b


def dotted(u: Any, v: Any, period: float, noise: Any) -> Any:
    """Round dots on a square lattice."""
    x, y = u * (1 / period), v * (1 / period)
    x, y = x - np.floor(x) - 0.5, y - np.floor(y) - 0.5
    return _soften(0.32 * period - np.sqrt(x * x + y * y) * period)


def marbled(u: Any, v: Any, period: float, noise: Any) -> Any:
    """Veins: stripes bent by the noise, with soft edges."""
    return np.clip(_wave(u + noise * (2.5 * period), period) * (3 / period) + 0.5, 0, 1)


def cloudy(u: Any, v: Any, period: float, noise: Any) -> Any:
    """The noise itself."""
    return noise


def patchy(u: Any, v: Any, period: float, noise: Any) -> Any:
    """The noise in five steps, like camouflage."""
    return np.floor(noise * 4.99) * 0.25


def planked(u: Any, v: Any, period: float, noise: Any) -> Any:
    """Boards: narrow dark joints between wide grained strips."""
    return np.clip((_wave(u, period) + 0.22 * period) * 0.5, 0, 1) * (0.6 + 0.4 * noise)


OBJECT_TEXTURES: dict[str, ObjectTexture] = {
    "plain": (plain, (16.0, 16.1)),
    "striped": (striped, (10.0, 30.0)),
    "checked": (checked, (14.0, 34.0)),
    "dotted": (dotted, (11.0, 26.0)),
    "marbled": (marbled, (20.0, 48.0)),
}
# The same for backgrounds, with the kind of noise that goes into each.
BACKGROUND_TEXTURES: tuple[tuple[Texture, tuple[float, float], str], ...] = (
    (cloudy, (16.0, 16.1), "medium"),
    (cloudy, (16.0, 16.1), "fine"),
    (patchy, (16.0, 16.1), "medium"),
    (planked, (18.0, 44.0), "fine"),
    (marbled, (24.0, 60.0), "coarse"),
    (checked, (18.0, 48.0), "medium"),
    (striped, (12.0, 40.0), "medium"),
    (dotted, (9.0, 22.0), "medium"),
)
