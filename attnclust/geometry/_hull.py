"""The distance between the convex hulls of two token sets."""

from __future__ import annotations

import math
from typing import Any

import array_api_compat
import numpy as np
from jaxtyping import Float
from scipy.optimize import linprog, nnls

from attnclust._array import (
    ArgumentError,
    Number,
    Tokens,
    common_batch,
    flatten_batch,
    namespace,
    real,
    to_numpy,
)
from attnclust.geometry._diameters import checked_order

ROUNDS = 1 << 20
"""Far more than non-negative least squares take; reaching it is an error."""


def hull_distance(a: Tokens, b: Tokens, *, ord: Number = 2) -> Float[Any, "*batch"]:  # noqa: A002
    r"""The distance between the convex hulls of two sets, :math:`\min \lVert x - y \rVert` over both hulls.

    Source: proved here, the s of :func:`attnclust.bounds.separation_bound`.

    Euclidean: Wolfe's algorithm for the point of least norm in the hull of all differences, of which only the
    extreme ones that are needed are ever formed, with non-negative least squares within. For 1 and infinity:
    a linear program (HiGHS).

    Args:
        a: ``(*batch, n, d)``, real floating, n >= 1.
        b: ``(*batch, m, d)``, real floating, m >= 1, of the same kind.
        ord: 1, 2 or infinity.

    Returns:
        ``(*batch,)`` in the dtype of `a`, computed in float64 on the host; 0 where the hulls meet, to
        within a few units of rounding of the largest difference.

    Raises:
        ArgumentTypeError: as :func:`attnclust.geometry.diameter`; mixed kinds.
        ArgumentError: as there; an empty set, different d, batch axes that do not broadcast, another `ord`.

    >>> import numpy as np
    >>> square = np.array([[0.0, 0.0], [0.0, 2.0], [2.0, 0.0], [2.0, 2.0]])
    >>> round(float(hull_distance(square, np.array([[5.0, 1.0], [6.0, 6.0]]))), 12)
    3.0
    """
    xp = namespace(a=a, b=b)
    a, b = real(xp, "a", a, ndim=2), real(xp, "b", b, ndim=2)
    order = checked_order(ord)
    if order not in (1, 2, math.inf):
        raise ArgumentError("ord", "must be 1, 2 or infinity", ord, "Take one of the three.")
    if a.shape[-1] != b.shape[-1] or a.shape[-2] == 0 or b.shape[-2] == 0:
        raise ArgumentError(
            "b",
            "must share d with a, and neither may be empty",
            f"shapes {tuple(a.shape)}, {tuple(b.shape)}",
            "Check the sets.",
        )
    batch = common_batch(xp, a=tuple(a.shape[:-2]), b=tuple(b.shape[:-2]))
    first = to_numpy(flatten_batch(xp, a, batch)).astype(np.float64)
    second = to_numpy(flatten_batch(xp, b, batch)).astype(np.float64)
    measure = _euclidean if order == 2 else lambda x, y: _linear(x, y, order)
    distances = np.array([measure(x, y) for x, y in zip(first, second, strict=True)]).reshape(batch)
    return xp.asarray(distances, dtype=a.dtype, device=array_api_compat.device(a))


def _euclidean(x: Float[np.ndarray, "n d"], y: Float[np.ndarray, "m d"]) -> float:
    """Wolfe (1976): the point of least norm in the hull of {x_i - y_j}, from a few of the differences.

    The difference that lies farthest back from the point so far joins them, until none brings it nearer.
    The least ||C^T w||^2 + (sum w - 1)^2 over w >= 0 lies on the ray through the point of least norm of C's
    hull, so non-negative least squares (Lawson and Hanson) give it, and the differences that it needs.
    """
    centre = y.mean(axis=0)
    x, y = x - centre, y - centre
    scale = np.abs(np.vstack([x, y])).max(initial=0.0)
    if scale == 0:
        return 0.0
    x, y = x / scale, y / scale
    target = np.append(np.zeros(x.shape[1]), 1.0)
    nearest = x[0] - y[0]
    chosen = nearest[None]
    while True:
        chosen = np.vstack([chosen, x[np.argmin(x @ nearest)] - y[np.argmax(y @ nearest)]])
        weights = nnls(np.vstack([chosen.T, np.ones(len(chosen))]), target, maxiter=ROUNDS)[0]
        chosen, weights = chosen[weights > 0], weights[weights > 0] / weights.sum()
        nearer = weights @ chosen
        if not np.linalg.norm(nearer) < np.linalg.norm(nearest):
            return float(scale * np.linalg.norm(nearest))
        nearest = nearer


def _linear(x: np.ndarray, y: np.ndarray, order: float) -> float:
    """Least t (inf norm) or sum t (1-norm) with -t <= x^T a - y^T b <= t over two simplices."""
    n, m, d = len(x), len(y), x.shape[1]
    centre = y.mean(axis=0)
    x, y = x - centre, y - centre
    scale = np.abs(np.vstack([x, y])).max(initial=0.0)
    if scale == 0:
        return 0.0
    slack = np.ones((d, 1)) if math.isinf(order) else np.eye(d)
    difference = np.hstack([x.T, -y.T]) / scale
    simplices = np.zeros((2, n + m + slack.shape[1]))
    simplices[0, :n] = simplices[1, n : n + m] = 1
    answer = linprog(
        np.concatenate([np.zeros(n + m), np.ones(slack.shape[1])]),
        A_ub=np.vstack([np.hstack([difference, -slack]), np.hstack([-difference, -slack])]),
        b_ub=np.zeros(2 * d),
        A_eq=simplices,
        b_eq=np.ones(2),
        method="highs",
    )
    return float(scale * max(0.0, answer.fun))
