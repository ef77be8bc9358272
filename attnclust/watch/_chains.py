"""Clusters that nobody named: tokens chained by short distances."""

from __future__ import annotations

import math
from typing import Any

import array_api_compat
from jaxtyping import Int

from attnclust._array import ArgumentError, Namespace, Scalars, Tokens, common_batch, namespace, real

BUDGET = 1 << 20
"""Entries of a block of tables between tokens."""


def chained_clusters(tokens: Tokens, *, radius: Scalars) -> Int[Any, "*batch n"]:
    r"""The clusters that chains of tokens form, each at most `radius` (Euclidean) from the next.

    These are the connected components of the graph of short distances: single linkage cut at `radius`, or
    DBSCAN with ``min_samples=1``. Every token is in one.

    Source: single linkage (Sneath, 1957).

    Args:
        tokens: ``(*batch, n, d)``, real floating.
        radius: not negative; a number, or ``(*batch)``, one a set.

    Returns:
        ``(*batch, n)`` int64 labels 0..M-1, numbered by each cluster's first token; their number is the
        largest + 1. Distances are Euclidean, from centred Gram products in float64, so a distance within
        rounding of `radius` may fall on either side.

    Raises:
        ArgumentTypeError: mixed kinds, no real floating dtype.
        ArgumentError: NaN, a negative radius, shapes that do not fit, no token.

    >>> import numpy as np
    >>> chained_clusters(np.array([[0.0], [5.0], [0.9], [1.8], [5.5]]), radius=1.0)
    array([0, 1, 0, 0, 1])
    """
    xp = namespace(tokens=tokens, radius=radius)
    tokens = xp.astype(real(xp, "tokens", tokens, ndim=2), xp.float64, copy=False)
    reach = xp.astype(real(xp, "radius", radius, like=tokens), xp.float64, copy=False)
    *batch, n, d = tokens.shape
    if n == 0:
        raise ArgumentError("tokens", "must hold a token", f"shape {tuple(tokens.shape)}", "Add some.")
    if bool(xp.any(reach < 0)):
        raise ArgumentError("radius", "must not be negative", float(xp.min(reach)), "Pass a distance.")
    if common_batch(xp, tokens=tuple(batch), radius=tuple(reach.shape)) != tuple(batch):
        raise ArgumentError(
            "radius", f"must broadcast to {tuple(batch)}", f"shape {tuple(reach.shape)}", "Pass one a set."
        )
    sets = xp.reshape(tokens, (-1, n, d)) if math.prod(tokens.shape) else xp.zeros((math.prod(batch), n, 1))
    reach = xp.reshape(xp.broadcast_to(reach, tuple(batch)), (-1,))
    at_once = max(1, BUDGET // n**2)
    parts = [
        _labels(
            xp, sets[i : min(i + at_once, sets.shape[0]), ...], reach[i : min(i + at_once, sets.shape[0])]
        )
        for i in range(0, sets.shape[0], at_once)
    ]
    device = array_api_compat.device(tokens)
    whole = xp.concat(parts) if parts else xp.zeros((0, n), dtype=xp.int64, device=device)
    return xp.reshape(whole, (*batch, n))


def _labels(xp: Namespace, x: Any, radius: Any) -> Any:
    n, device = x.shape[1], array_api_compat.device(x)
    x = x - xp.mean(x, axis=1, keepdims=True)
    squares = xp.sum(x * x, axis=-1)
    apart = squares[:, :, None] + squares[:, None, :] - 2 * (x @ xp.matrix_transpose(x))
    place = xp.arange(n, device=device)
    near = (apart <= (radius * radius)[:, None, None]) | (place[:, None] == place[None, :])
    # Paths of twice the length with every product: after log2 n of them, all.
    for _ in range(max(1, n - 1).bit_length()):
        steps = xp.astype(near, xp.float32)
        near = (steps @ steps) > 0
    first = xp.argmax(xp.astype(near, xp.int64), axis=-1)
    rank = xp.cumulative_sum(xp.astype(first == place, xp.int64), axis=-1) - 1
    return xp.take_along_axis(rank, first, axis=-1)
