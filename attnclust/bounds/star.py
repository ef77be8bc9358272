"""A coupling through one point: n distances instead of n^2."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

from attnclust._array import ArgumentError, Attention, Labels, Namespace, Number, Tokens, namespace, real
from attnclust.bounds._pairs import city_blocks
from attnclust.bounds._steps import rung_from_tokens
from attnclust.bounds._theorem import Theorem
from attnclust.geometry._pairs import norm


def star_bound(
    attention: Attention,
    tokens: Tokens,
    labels: Labels,
    *,
    centre: Any = None,
    ord: Number = 2,  # noqa: A002
    clusters: int | None = None,
) -> Float[Any, "*batch M"]:
    r"""Everything that differs between two rows, carried through one centre.

    Setting: one step Z' = A Z; c any point; any norm.

    Statement: d' <= max over pairs of the sum of \|A[j, k] - A[j', k]\| \|\|z_k - c\|\|.

    Upper: it needs n distances instead of n^2.

    Source: proved here.

    Args:
        attention: ``(*batch, n, n)``, row-stochastic.
        tokens: ``(*batch, n, d)``.
        labels: ``(n,)`` or ``(*batch, n)`` integers: clusters 0..M-1, -1 for an outsider.
        centre: ``(d,)``: c, of the same kind; the tokens' mean if None.
        ord: the p of the norm, 1 <= p <= inf.
        clusters: M, if more than the largest label + 1.

    Returns:
        ``(*batch, M)``; 0 for a cluster with fewer than two tokens.

    Raises:
        ArgumentTypeError, ArgumentError: as :func:`attnclust.verify.verify`; a centre that is not (d,).

    >>> import numpy as np
    >>> attention = np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.0, 0.0, 1.0]])
    >>> star_bound(attention, np.array([[0.0], [1.0], [8.0]]), np.array([0, 0, 1]), centre=np.array([0.5]))
    array([0.25, 0.  ])
    """
    xp = namespace("centre", tokens=tokens, centre=centre)
    origin = None
    if centre is not None:
        origin = xp.astype(real(xp, "centre", centre, ndim=1), xp.float64, copy=False)
        if tuple(origin.shape) != tuple(real(xp, "tokens", tokens, ndim=2).shape[-1:]):
            raise ArgumentError(
                "centre",
                f"must be (d,) with d = {tokens.shape[-1]}",
                f"shape {tuple(origin.shape)}",
                "Pass one point.",
            )
    return rung_from_tokens(attention, tokens, labels, ord, clusters, _worst, origin=origin)


def _worst(xp: Namespace, rows: Any, points: Any, order: float) -> Any:
    # Centred, rows that nearly agree keep the digits of their differences.
    centred = rows - xp.mean(rows, axis=1, keepdims=True)
    weighted = centred * norm(xp, points, order)[:, None, :]
    return xp.max(city_blocks(xp, weighted, [np.arange(rows.shape[2])]), axis=(1, 2))


STAR = Theorem(
    label="star",
    kind="upper",
    statement="d' <= max over pairs of sum_k |A[j,k] - A[j',k]| ||z_k - c||, for any centre c",
    source="proved here",
    proof="star",
    function=star_bound,
)
