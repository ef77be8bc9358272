"""The farthest pair of many rows, for NumPy: looked for in float32, settled in float64.

A product in float32 costs half of one in float64. Its error is bounded, so every pair that could be the
farthest is known; those few distances are computed from their differences in float64. Where that leaves too
many pairs, or meets numbers that float32 cannot hold, the caller works in float64.

For NumPy alone: other libraries may round the factors of a float32 product further (TF32), and then
the error bound would not hold.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

CANDIDATES = 64
"""So many pairs a set are settled in float64 at most."""
LEAST = 1e-26
"""A squared norm below this, or above its inverse, is left to float64."""
UNIT = float(np.finfo(np.float32).eps) / 2


def farthest_pairs(x: Float[np.ndarray, "b k d"]) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Every pair of rows that may be the farthest of its set, as (set, row, other row), or None where
    float32 cannot tell.

    With v the rows minus the first, in float32, r the largest of their norms (no more than the diameter) and
    u = 2^-24: rounding v moves half a squared distance by 4 u r^2 at most, the product by d u r^2, both
    halves of the norms by (d + 1) u r^2 together, and the two subtractions by 6 u r^2: 2 (d + 6) u r^2
    covers them all. A pair that is the farthest is thus within twice that of the farthest seen.
    """
    sets, rows, width = x.shape
    v = np.empty(x.shape, dtype=np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        np.subtract(x, x[:, :1], out=v, casting="same_kind")
        halves = np.linalg.vecdot(v, v) / 2
    radius = halves.max(axis=1)
    if not ((radius > LEAST) & (radius < 1 / LEAST)).all():
        return None
    closeness = v @ v.transpose(0, 2, 1)  # minus half the squared distance, once the norms are off
    closeness -= halves[:, :, None]
    closeness -= halves[:, None, :]
    flat = closeness.reshape(sets, rows * rows)
    near = flat <= (flat.min(axis=1) + 8 * (width + 6) * UNIT * radius)[:, None]
    element, pair = np.divmod(np.flatnonzero(near), rows * rows)
    first, second = np.divmod(pair, rows)
    once = first < second
    return (element[once], first[once], second[once]) if once.sum() <= CANDIDATES * sets else None
