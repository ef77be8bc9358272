"""A coupling that needs no search: what differs between two rows, carried across independently."""

from __future__ import annotations

from typing import Any

from jaxtyping import Float

from attnclust._array import Attention, Labels, Namespace, Number, Tokens
from attnclust._blocks import blocks
from attnclust._labels import take
from attnclust.bounds._pairs import GATHERED, row_pairs
from attnclust.bounds._steps import rung_from_tokens
from attnclust.bounds._theorem import Theorem
from attnclust.geometry._pairs import all_distances


def independent_bound(
    attention: Attention,
    tokens: Tokens,
    labels: Labels,
    *,
    ord: Number = 2,  # noqa: A002
    clusters: int | None = None,
) -> Float[Any, "*batch M"]:
    r"""The cost of carrying what differs between two rows across independently.

    Setting: one step Z' = A Z; p and q are the positive and the negative part of A[j] - A[j'], each of
        mass tau, and
    C[k, l] = \|\|z_k - z_l\|\|, in any norm.

    Statement: d' <= max over pairs of p^T C q / tau.

    Upper: a coupling, so never below :func:`transport_bound`.

    Source: proved here.

    Args:
        attention: ``(*batch, n, n)``, row-stochastic.
        tokens: ``(*batch, n, d)``.
        labels: ``(n,)`` or ``(*batch, n)`` integers: clusters 0..M-1, -1 for an outsider.
        ord: the p of the norm, 1 <= p <= inf.
        clusters: M, if more than the largest label + 1.

    Returns:
        ``(*batch, M)``; 0 for a cluster with fewer than two tokens.

    Raises:
        ArgumentTypeError, ArgumentError: as :func:`attnclust.verify.verify`.

    >>> import numpy as np
    >>> attention = np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.0, 0.0, 1.0]])
    >>> independent_bound(attention, np.array([[0.0], [1.0], [8.0]]), np.array([0, 0, 1]))
    array([0.25, 0.  ])
    """

    def value(xp: Namespace, rows: Any, points: Any, order: float) -> Any:
        prices, (first, second) = all_distances(xp, points, order), row_pairs(rows.shape[1])
        worst = []
        for some in blocks(len(first), rows.shape[0] * rows.shape[2], GATHERED):
            left, right = (take(xp, rows, each[some], axis=1) for each in (first, second))
            costs = independent_costs(
                xp, xp.maximum(left - right, 0.0), xp.maximum(right - left, 0.0), prices
            )
            worst.append(xp.max(costs, axis=-1))
        return xp.max(xp.stack(worst), axis=0)

    return rung_from_tokens(attention, tokens, labels, ord, clusters, value)


def independent_costs(
    xp: Namespace, p: Float[Any, "b N n"], q: Float[Any, "b N n"], prices: Float[Any, "b n n"]
) -> Float[Any, "b N"]:
    """p^T C q over the smaller mass of the two parts of each row difference, which rounding may make
    unequal.
    """
    mass = xp.minimum(xp.sum(p, axis=-1), xp.sum(q, axis=-1))
    carried = xp.sum((p @ prices) * q, axis=-1)
    return xp.where(mass > 0, carried / xp.where(mass > 0, mass, xp.ones_like(mass)), xp.zeros_like(mass))


INDEPENDENT = Theorem(
    label="independent",
    kind="upper",
    statement="d' <= max over pairs of p^T C q / tau, p and q the parts of A[j] - A[j'], C all distances",
    source="proved here",
    proof="independent",
    function=independent_bound,
)
