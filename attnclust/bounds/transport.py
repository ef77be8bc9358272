"""The bound that knows everything: exact transport between rows, an oracle for the rungs above it."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import array_api_compat
import numpy as np
from jaxtyping import Float

from attnclust._array import ArgumentError, Attention, Labels, Namespace, Number, Tokens, to_numpy
from attnclust.bounds._steps import rung_from_tokens
from attnclust.bounds._theorem import Theorem
from attnclust.bounds._transport import exact_cost
from attnclust.geometry._pairs import all_distances

TRANSPORT_LIMIT = 64
"""The largest n for which a transport problem for every pair is accepted."""


def transport_bound(
    attention: Attention,
    tokens: Tokens,
    labels: Labels,
    *,
    ord: Number = 2,  # noqa: A002
    clusters: int | None = None,
) -> Float[Any, "*batch M"]:
    r"""The exact 1-Wasserstein distance between rows, the best that the attention and all distances can say.

    Setting: one step Z' = A Z; any norm.

    Statement: d' <= max over pairs of W(A[j], A[j']), the least cost of carrying one row's mass to the
        other's at prices
    \|\|z_k - z_l\|\|.

    Tight for every row-stochastic matrix and every metric on the tokens: on a line, with tokens at a
    Kantorovich potential, it is attained. As an oracle it knows more than a theory should.

    Source: proved here.

    Args:
        attention: ``(*batch, n, n)``, row-stochastic, n <= 64: one transport problem (exact, on the host) a
            pair.
        tokens: ``(*batch, n, d)``.
        labels: ``(n,)`` or ``(*batch, n)`` integers: clusters 0..M-1, -1 for an outsider.
        ord: the p of the norm, 1 <= p <= inf.
        clusters: M, if more than the largest label + 1.

    Returns:
        ``(*batch, M)``; 0 for a cluster with fewer than two tokens.

    Raises:
        ArgumentTypeError, ArgumentError: as :func:`attnclust.verify.verify`; n above 64.

    >>> import numpy as np
    >>> attention = np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.0, 0.0, 1.0]])
    >>> round(float(transport_bound(attention, np.array([[0.0], [1.0], [8.0]]), np.array([0, 0, 1]))[0]), 12)
    0.25
    """
    return rung_from_tokens(attention, tokens, labels, ord, clusters, _worst)


def refuse_large(n: int) -> None:
    """Raise ArgumentError where exact transport for all pairs would take too long."""
    if n > TRANSPORT_LIMIT:
        raise ArgumentError(
            "tokens",
            f"exact transport takes at most {TRANSPORT_LIMIT} tokens",
            f"n = {n}",
            "Use block_transport_bound or certify, which need exact transport for few pairs or none.",
        )


def _worst(xp: Namespace, rows: Any, points: Any, order: float) -> Any:
    refuse_large(points.shape[1])
    prices = to_numpy(all_distances(xp, points, order))
    worst = [_worst_pair(row, price) for row, price in zip(to_numpy(rows), prices, strict=True)]
    return xp.asarray(np.array(worst), dtype=rows.dtype, device=array_api_compat.device(rows))


def _worst_pair(rows: Float[np.ndarray, "k n"], prices: Float[np.ndarray, "n n"]) -> float:
    """The dearest pair; those that moving the larger part across at the highest price cannot lift above it
    are left out.
    """
    pairs = np.array(list(combinations(range(len(rows)), 2)))
    differences = rows[pairs[:, 0]] - rows[pairs[:, 1]]
    larger = (np.abs(differences).sum(axis=1) + np.abs(differences.sum(axis=1))) / 2
    ceiling = larger * prices.max()
    worst = 0.0
    for pair in np.argsort(-ceiling):
        if ceiling[pair] <= worst:
            break
        delta = differences[pair]
        worst = max(worst, exact_cost(np.maximum(delta, 0), np.maximum(-delta, 0), prices))
    return worst


TRANSPORT = Theorem(
    label="transport",
    kind="tight",
    statement="d' <= max over pairs of the least cost of carrying A[j] to A[j'] at prices ||z_k - z_l||",
    source="proved here",
    proof="transport",
    function=transport_bound,
)
