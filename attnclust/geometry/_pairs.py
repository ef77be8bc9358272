"""Largest distances between rows, in float64, exact to rounding at any offset and any scale.

For the Euclidean norm a centred Gram product (for NumPy one in float32, see `_screen`) finds the farthest
pair and the distance of that pair is then recomputed from its difference, so the answer is the true distance
of a true pair: cancellation can only pick another pair whose distance is the same to rounding. Nothing larger
than a block of pairs is ever held.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import array_api_compat
import numpy as np
from array_api_compat import is_numpy_array
from jaxtyping import Float

from attnclust._array import Namespace
from attnclust.geometry._screen import farthest_pairs

PAIR_BUDGET = 1 << 20
"""Entries of a block of the Gram matrix."""
DIFFERENCE_BUDGET = 1 << 17
"""Entries of a block of coordinate differences."""


def norm(xp: Namespace, x: Float[Any, "*batch d"], order: float) -> Float[Any, "*batch"]:
    """The p-norm along the last axis, without overflow or underflow in between."""
    if x.shape[-1] == 0:
        return xp.sum(x, axis=-1)
    x = xp.abs(x)
    if math.isinf(order):
        return xp.max(x, axis=-1)
    if order == 1:
        return xp.sum(x, axis=-1)
    largest = xp.max(x, axis=-1, keepdims=True)
    unit = xp.where(largest > 0, largest, xp.ones_like(largest))
    return unit[..., 0] * xp.sum((x / unit) ** order, axis=-1) ** (1 / order)


def rounding(
    xp: Namespace, rows: Float[Any, "b n n"], centred: Float[Any, "b n d"], order: float
) -> Float[Any, " b"]:
    """What rounding may do to a distance after a step, against a bound on it.

    With `centred` tokens every average of n of them errs by at most about n u max||z||, a norm of d
    coordinates by d u relative; the defect of the rows' sums acts like a further weight on a token that
    is not there.
    """
    n, d = centred.shape[1:]
    radius = xp.max(norm(xp, centred, order), axis=1)
    defect = xp.max(xp.abs(xp.sum(rows, axis=2) - 1), axis=1)
    return (4 * (n + d + 8) * float(xp.finfo(centred.dtype).eps) / 2 + defect) * radius


def within(xp: Namespace, x: Float[Any, "b k d"], order: float) -> Float[Any, " b"]:
    """The diameter of each set of `k` rows."""
    if x.shape[0] == 0 or x.shape[1] < 2 or x.shape[2] == 0:
        return xp.zeros(x.shape[0], dtype=x.dtype, device=array_api_compat.device(x))
    if math.isinf(order):
        return xp.max(xp.max(x, axis=1) - xp.min(x, axis=1), axis=-1)
    return _farthest(xp, x, x, order, same=True)


def between(xp: Namespace, x: Float[Any, "b k d"], y: Float[Any, "b l d"], order: float) -> Float[Any, " b"]:
    """The largest distance from a row of `x` to a row of `y`."""
    if x.shape[0] == 0 or x.shape[2] == 0:
        return xp.zeros(x.shape[0], dtype=x.dtype, device=array_api_compat.device(x))
    if math.isinf(order):
        return xp.max(
            xp.maximum(xp.max(x, axis=1) - xp.min(y, axis=1), xp.max(y, axis=1) - xp.min(x, axis=1)), axis=-1
        )
    return _farthest(xp, x, y, order, same=False)


def all_distances(xp: Namespace, x: Float[Any, "b n d"], order: float) -> Float[Any, "b n n"]:
    """Every distance between two rows, from differences, so that close rows keep their digits."""
    b, n, d = x.shape
    step = max(1, DIFFERENCE_BUDGET // max(1, b * n * d))
    unit, length = None, lambda difference: norm(xp, difference, order)
    if order == 2 and d:
        # Scaled once, not distance by distance: what then vanishes is below rounding of the largest.
        unit = xp.max(xp.max(xp.abs(x), axis=-1), axis=-1)[:, None, None]
        unit = xp.where(unit > 0, unit, xp.ones_like(unit))
        x, length = x / unit, lambda difference: xp.sqrt(xp.linalg.vecdot(difference, difference))
    parts = [
        length(x[:, start : min(start + step, n), None, :] - x[:, None, :, :]) for start in range(0, n, step)
    ]
    table = xp.concat(parts, axis=1)
    return table if unit is None else table * unit


def distance_ceilings(xp: Namespace, x: Float[Any, "b n d"], order: float) -> Float[Any, "b n n"]:
    """Every distance or, in the Euclidean norm, a number above it by rounding at most: from one product.

    Half a squared distance from centred rows errs by 2 (d + 6) u r^2 at most, r the largest of their norms.
    """
    spread = xp.max(xp.abs(x)) if math.prod(x.shape) else 0.0
    if order != 2 or not 1e-100 < float(spread) < 1e100:
        return all_distances(xp, x, order)
    u = x - xp.mean(x, axis=1, keepdims=True)
    squares = xp.linalg.vecdot(u, u)
    error = 4 * (x.shape[2] + 6) * float(xp.finfo(x.dtype).eps) / 2 * xp.max(squares, axis=1)
    table = squares[:, :, None] + squares[:, None, :] - 2 * (u @ xp.matrix_transpose(u))
    return xp.sqrt(xp.maximum(table, 0.0) + error[:, None, None])


def _farthest(xp: Namespace, x: Any, y: Any, order: float, *, same: bool) -> Any:
    b, k, d = x.shape
    pairs = PAIR_BUDGET if order == 2 else max(1, DIFFERENCE_BUDGET // max(1, d))
    at_once = max(1, pairs // (k * y.shape[1]))
    if b <= at_once:
        return _farthest_of_few(xp, x, y, order, same=same)
    parts = [
        _farthest_of_few(
            xp, x[i : min(i + at_once, b), ...], y[i : min(i + at_once, b), ...], order, same=same
        )
        for i in range(0, b, at_once)
    ]
    return xp.concat(parts)


def _farthest_of_few(xp: Namespace, x: Any, y: Any, order: float, *, same: bool) -> Any:
    b, k, _ = x.shape
    if order == 2:
        pairs = farthest_pairs(x) if same and is_numpy_array(x) and b * k * k <= PAIR_BUDGET else None
        return _farthest_euclidean(xp, x, y, same=same) if pairs is None else _largest_of(xp, x, *pairs)
    best = None
    for _, _, rows, others in _blocks(x, y, DIFFERENCE_BUDGET // max(1, x.shape[2]), same=same):
        distance = norm(xp, rows[:, :, None, :] - others[:, None, :, :], order)
        largest = xp.max(xp.max(distance, axis=-1), axis=-1)
        best = largest if best is None else xp.maximum(best, largest)
    return best


def _largest_of(xp: Namespace, x: np.ndarray, element: np.ndarray, row: Any, other: Any) -> np.ndarray:
    """The largest distance among the pairs given of each set; 0 where none is."""
    farthest = np.zeros(len(x))
    np.maximum.at(farthest, element, norm(xp, x[element, row] - x[element, other], 2.0))
    return farthest


def _blocks(x: Any, y: Any, budget: int, *, same: bool) -> Iterator[tuple[int, int, Any, Any]]:
    """Blocks of rows of `x` against rows of `y`; where both are the same set, each pair once (blocks
    apart).
    """
    b, k, _ = x.shape
    step = max(1, min(k, budget // max(1, b * y.shape[1])))
    for start in range(0, k, step):
        first = start if same else 0
        yield start, first, x[:, start : min(start + step, k), :], y[:, first:, :]


def _farthest_euclidean(xp: Namespace, x: Any, y: Any, *, same: bool) -> Any:
    b, k, d = x.shape
    device = array_api_compat.device(x)
    centre = xp.mean(x, axis=1, keepdims=True)
    if not same:
        centre = (centre + xp.mean(y, axis=1, keepdims=True)) / 2
    u = x - centre
    v = u if same else y - centre
    spread = xp.max(xp.abs(u)) if same else xp.maximum(xp.max(xp.abs(u)), xp.max(xp.abs(v)))
    if not bool((spread > 1e-100) & (spread < 1e100)):
        u, v = _scaled(xp, u, v)
    halves_u = xp.linalg.vecdot(u, u) / 2
    halves_v = halves_u if same else xp.linalg.vecdot(v, v) / 2
    best = row = column = None
    for start, first, rows, others in _blocks(u, v, PAIR_BUDGET, same=same):
        # Half the squared distance, up to its sign: the least is the farthest pair.
        closeness = rows @ xp.matrix_transpose(others)
        closeness -= halves_u[:, start : start + rows.shape[1], None]
        closeness -= halves_v[:, None, first:]
        width = others.shape[1]
        flat = xp.reshape(closeness, (b, -1))
        where = xp.argmin(flat, axis=-1)
        least = xp.min(flat, axis=-1)
        i, j = where // width + start, where % width + first
        if best is None:
            best, row, column = least, i, j
        else:
            better = least < best
            best = xp.where(better, least, best)
            row, column = xp.where(better, i, row), xp.where(better, j, column)
    base = xp.arange(b, device=device)
    far = xp.take(xp.reshape(x, (b * k, d)), base * k + row, axis=0)
    other = xp.take(xp.reshape(y, (b * y.shape[1], d)), base * y.shape[1] + column, axis=0)
    return norm(xp, far - other, 2.0)


def _scaled(xp: Namespace, u: Any, v: Any) -> tuple[Any, Any]:
    """Both divided by their common largest entry, per batch element, so that squares neither overflow
    nor vanish.
    """
    largest = xp.maximum(
        xp.max(xp.max(xp.abs(u), axis=-1), axis=-1), xp.max(xp.max(xp.abs(v), axis=-1), axis=-1)
    )
    unit = xp.where(largest > 0, largest, xp.ones_like(largest))[:, None, None]
    return u / unit, v / unit
