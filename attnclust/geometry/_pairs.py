"""Largest distances between rows, in float64, exact to rounding at any offset and any scale.

For the Euclidean norm a centred Gram product (for NumPy one in float32, see `_screen`) finds the farthest
pair and the distance of that pair is then recomputed from its difference, so the answer is the true distance
of a true pair: cancellation can only pick another pair whose distance is the same to rounding. Nothing larger
than a block of pairs is ever held.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import array_api_compat
import numpy as np
from array_api_compat import is_numpy_array
from jaxtyping import Float

from attnclust._array import Namespace
from attnclust._blocks import blocks
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
    if x.shape[1] < 2 or x.shape[2] == 0:
        return xp.zeros(x.shape[0], dtype=x.dtype, device=array_api_compat.device(x))
    if math.isinf(order):
        return xp.max(xp.max(x, axis=1) - xp.min(x, axis=1), axis=1)
    return _farthest(xp, x, x, order, same=True)


def between(xp: Namespace, x: Float[Any, "b k d"], y: Float[Any, "b l d"], order: float) -> Float[Any, " b"]:
    """The largest distance from a row of `x` to a row of `y`."""
    if x.shape[2] == 0:
        return xp.zeros(x.shape[0], dtype=x.dtype, device=array_api_compat.device(x))
    if math.isinf(order):
        above, below = xp.max(x, axis=1) - xp.min(y, axis=1), xp.max(y, axis=1) - xp.min(x, axis=1)
        return xp.max(xp.maximum(above, below), axis=1)
    return _farthest(xp, x, y, order, same=False)


def all_distances(xp: Namespace, x: Float[Any, "b n d"], order: float) -> Float[Any, "b n n"]:
    """Every distance between two rows, from differences, so that close rows keep their digits."""
    b, n, d = x.shape
    unit, length = None, lambda difference: norm(xp, difference, order)
    if order == 2 and d:
        # Scaled once, not distance by distance: what then vanishes is below rounding of the largest.
        x, unit = scaled(xp, x)
        length = lambda difference: xp.sqrt(xp.linalg.vecdot(difference, difference))  # noqa: E731
    parts = [
        length(x[:, rows, None, :] - x[:, None, :, :]) for rows in blocks(n, b * n * d, DIFFERENCE_BUDGET)
    ]
    table = xp.concat(parts, axis=1)
    return table if unit is None else table * unit


def distance_ceilings(xp: Namespace, x: Float[Any, "b n d"], order: float) -> Float[Any, "b n n"]:
    """Every distance or, in the Euclidean norm, a number above it by rounding at most: from one product.

    Half a squared distance from centred rows errs by 2 (d + 6) u r^2 at most, r the largest of their norms.
    """
    if order != 2 or not x.shape[2]:
        return all_distances(xp, x, order)
    u, unit = scaled(xp, x - xp.mean(x, axis=1, keepdims=True))
    squares = xp.linalg.vecdot(u, u)
    error = 4 * (x.shape[2] + 6) * float(xp.finfo(x.dtype).eps) / 2 * xp.max(squares, axis=1)
    table = squares[:, :, None] + squares[:, None, :] - 2 * (u @ xp.matrix_transpose(u))
    return unit * xp.sqrt(xp.maximum(table, 0.0) + error[:, None, None])


def scaled(xp: Namespace, x: Float[Any, "b k d"]) -> tuple[Any, Float[Any, "b 1 1"]]:
    """Each set over a unit such that squares neither overflow nor vanish: the power of two next below the
    largest entry, so that the division is exact; 1 for a set of zeros.
    """
    largest = xp.max(xp.abs(x), axis=(1, 2))[:, None, None]
    unit = 2.0 ** xp.floor(xp.log2(xp.where(largest > 0, largest, xp.ones_like(largest))))
    return x / unit, unit


def _farthest(xp: Namespace, x: Any, y: Any, order: float, *, same: bool) -> Any:
    b, k, d = x.shape
    budget, cost = (PAIR_BUDGET, 1) if order == 2 else (DIFFERENCE_BUDGET, d)
    measure = _farthest_euclidean if order == 2 else _farthest_in(order)
    return xp.concat(
        [
            measure(xp, x[some, ...], y[some, ...], same=same)
            for some in blocks(b, k * y.shape[1] * cost, budget)
        ]
    )


def _farthest_in(order: float) -> Callable[..., Any]:
    """The largest distance in a norm that no product gives: from every difference."""

    def measure(xp: Namespace, x: Any, y: Any, *, same: bool) -> Any:
        largest = [
            xp.max(norm(xp, rows[:, :, None, :] - others[:, None, :, :], order), axis=(1, 2))
            for _, _, rows, others in _row_blocks(x, y, DIFFERENCE_BUDGET // x.shape[2], same=same)
        ]
        return xp.max(xp.stack(largest), axis=0)

    return measure


def _row_blocks(x: Any, y: Any, budget: int, *, same: bool) -> Iterator[tuple[int, int, Any, Any]]:
    """Blocks of rows of `x` against rows of `y`, and where both begin; where both are the same set, each pair
    once (blocks apart).
    """
    for rows in blocks(x.shape[1], x.shape[0] * y.shape[1], budget):
        first = rows.start if same else 0
        yield rows.start, first, x[:, rows, :], y[:, first:, :]


def _farthest_euclidean(xp: Namespace, x: Any, y: Any, *, same: bool) -> Any:
    b, k, d = x.shape
    if same and is_numpy_array(x) and k * k <= PAIR_BUDGET:
        pairs = farthest_pairs(x)
        if pairs is not None:
            return _largest_of(xp, x, *pairs)
    centre = xp.mean(x, axis=1, keepdims=True)
    both = x - centre if same else xp.concat([x - centre, y - centre], axis=1)
    both, _ = scaled(xp, both)
    u, v = (both, both) if same else (both[:, :k, :], both[:, k:, :])
    halves_u, halves_v = xp.linalg.vecdot(u, u) / 2, xp.linalg.vecdot(v, v) / 2
    element, lengths = xp.arange(b, device=array_api_compat.device(x)), []
    for start, first, rows, others in _row_blocks(u, v, PAIR_BUDGET, same=same):
        # Half the squared distance, up to its sign: the least is the farthest pair.
        closeness = rows @ xp.matrix_transpose(others)
        closeness -= halves_u[:, start : start + rows.shape[1], None]
        closeness -= halves_v[:, None, first:]
        width = others.shape[1]
        where = xp.argmin(xp.reshape(closeness, (b, rows.shape[1] * width)), axis=1)
        row, column = where // width + start, where % width + first
        far = xp.take(xp.reshape(x, (b * k, d)), element * k + row, axis=0)
        other = xp.take(xp.reshape(y, (b * y.shape[1], d)), element * y.shape[1] + column, axis=0)
        lengths.append(norm(xp, far - other, 2.0))
    return xp.max(xp.stack(lengths), axis=0)


def _largest_of(xp: Namespace, x: np.ndarray, element: np.ndarray, row: Any, other: Any) -> np.ndarray:
    """The largest distance among the pairs given of each set; 0 where none is."""
    farthest = np.zeros(len(x))
    np.maximum.at(farthest, element, norm(xp, x[element, row] - x[element, other], 2.0))
    return farthest
