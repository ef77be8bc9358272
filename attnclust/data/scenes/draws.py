"""Random draws and noise that are the same on every machine.

Only what is fixed for good is used: the raw words of Philox keyed by a SeedSequence (NumPy promises both
streams), exact scaling of integers, and the operations that IEEE 754 rounds correctly (+, -, *, /, square
root, floor). No sine, no power, no sum of floats whose order a library may choose.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Float32

Item = TypeVar("Item")

_BUFFER = 256
_ATLAS_KEY = (0x5CE7E5, 1)
# Spacings of the random grids, in pixels of a scene of 224, that are added up to one noise field.
_OCTAVES: dict[str, tuple[int, ...]] = {"coarse": (112, 64), "medium": (48, 24, 12), "fine": (12, 6, 3)}


class Dice:
    """All that is random about one scene: a stream of draws fixed by ``key``.

    >>> Dice((0, 7)).uniform(0.0, 1.0) == Dice((0, 7)).uniform(0.0, 1.0)
    True
    """

    def __init__(self, key: tuple[int, ...]) -> None:
        self._bits = np.random.Philox(np.random.SeedSequence(key))
        self._words: list[int] = []

    def _word(self) -> int:
        if not self._words:
            self._words = self._bits.random_raw(_BUFFER).tolist()
        return self._words.pop()

    def uniform(self, low: float, high: float) -> float:
        """A number in [low, high), one of 2**32 equally spaced ones."""
        return low + (high - low) * ((self._word() >> 32) * 2.0**-32)

    def integer(self, below: int) -> int:
        """An integer in 0 .. below - 1."""
        return ((self._word() >> 32) * below) >> 32

    def choice(self, items: Sequence[Item]) -> Item:
        """One of ``items``, each equally likely."""
        return items[self.integer(len(items))]

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.uniform(0.0, 1.0) < probability

    def direction(self) -> tuple[float, float]:
        """A unit vector (cosine, sine), by the rational parametrisation of the circle."""
        t = self.uniform(-1.0, 1.0)
        cosine, sine = (1 - t * t) / (1 + t * t), 2 * t / (1 + t * t)
        turn = self.integer(4)
        if turn % 2:
            cosine, sine = -sine, cosine
        return (-cosine, -sine) if turn >= 2 else (cosine, sine)

    def colour(
        self, saturation: tuple[float, float], value: tuple[float, float]
    ) -> tuple[float, float, float]:
        """A colour (red, green, blue) in [0, 1] of any hue, with saturation and value in these ranges."""
        hue, s, v = self.uniform(0.0, 6.0), self.uniform(*saturation), self.uniform(*value)
        tint = (abs(hue - 3) - 1, 2 - abs(hue - 2), 2 - abs(hue - 4))
        red, green, blue = (v * (1 - s + s * min(max(t, 0.0), 1.0)) for t in tint)
        return red, green, blue

    def bytes(self, shape: tuple[int, ...]) -> Any:
        """An array of uniform bytes."""
        count = int(np.prod(shape))
        words = np.asarray(self._bits.random_raw(-(-count // 8)), dtype="<u8")
        return words.view(np.uint8)[:count].reshape(shape)

    def noise(self, kind: str, size: int, shape: tuple[int, int]) -> Float32[np.ndarray, "h w"]:
        """A window of ``shape``, at a random place and reflection, of the noise field ``kind``."""
        field = noise_field(kind, size)
        y, x = (self.integer(side - part + 1) for side, part in zip(field.shape, shape, strict=True))
        flip = self.integer(4)
        window = field[y : y + shape[0], x : x + shape[1]]
        return window[:: -1 if flip % 2 else 1, :: -1 if flip >= 2 else 1]


@lru_cache(maxsize=6)
def noise_field(kind: str, size: int) -> Float32[np.ndarray, "s s"]:
    """Value noise in [0, 1] on a square of twice ``size``: built once, and scenes cut windows from it."""
    dice = Dice((*_ATLAS_KEY, sorted(_OCTAVES).index(kind), size))
    side = 2 * size
    field = np.zeros((side, side), dtype=np.float32)
    weight = 1.0
    total = 0.0
    for octave in _OCTAVES[kind]:
        spacing = max(octave * size // 224, 2)
        knots = side // spacing + 2
        grid = dice.bytes((knots, knots)).astype(np.float32) / np.float32(255)
        position = np.arange(side)
        lower = position // spacing
        step = ((position % spacing) / spacing).astype(np.float32)
        step = step * step * (3 - 2 * step)
        rows = grid[lower] + (grid[lower + 1] - grid[lower]) * step[:, None]
        field += np.float32(weight) * (rows[:, lower] + (rows[:, lower + 1] - rows[:, lower]) * step[None, :])
        total += weight
        weight *= 0.6
    # The sum of octaves crowds around its middle: spread it over [0, 1].
    spread = np.clip((field / np.float32(total) - np.float32(0.5)) * np.float32(1.7) + np.float32(0.5), 0, 1)
    spread.flags.writeable = False
    return spread


@lru_cache(maxsize=2)
def pixel_grid(size: int) -> tuple[Any, Any]:
    """Coordinates of the pixel centres, as a column y (size, 1) and a row x (1, size), in float32."""
    centres = np.arange(size, dtype=np.float32) + np.float32(0.5)
    return centres[:, None], centres[None, :]
