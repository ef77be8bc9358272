"""The sharp bound with each pair's own masses instead of ranges."""

from __future__ import annotations

from typing import Any

from jaxtyping import Float

from attnclust._array import Attention, Labels, Scalars
from attnclust._labels import take
from attnclust.bounds._pairs import ClusterPairs, row_pairs, rung_from_attention
from attnclust.bounds._theorem import Theorem


def overlap_bound(
    attention: Attention, labels: Labels, *, d_cluster: Scalars, d_all: Scalars, clusters: int | None = None
) -> Float[Any, "*batch M"]:
    r"""The sharp bound with each pair's own outside masses and their overlap instead of ranges of weights.

    Setting: one step Z' = A Z; S_j is the mass that row j puts outside the cluster and C the sum over
        outside tokens of
    min(A[j, k], A[j', k]).

    Statement: d' <= max over pairs of (1 - max(S_j, S_j')) d + (max(S_j, S_j') - C) D.

    Upper: between :func:`cluster_dobrushin_bound` and :func:`sharp_bound`.

    Source: proved here.

    Args:
        attention: ``(*batch, n, n)``, row-stochastic.
        labels: ``(n,)`` or ``(*batch, n)`` integers: clusters 0..M-1, -1 for an outsider.
        d_cluster: ``(*batch, M)``: the clusters' diameters, in any norm.
        d_all: ``(*batch)`` or broadcastable: the diameter of all tokens in the same norm.
        clusters: M, if more than the largest label + 1.

    Returns:
        ``(*batch, M)`` in the dtype that the arguments promote to; 0 for a cluster with fewer than two
        tokens.

    Raises:
        ArgumentTypeError, ArgumentError: as :func:`cluster_dobrushin_bound`.

    >>> import numpy as np
    >>> attention = np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.0, 0.0, 1.0]])
    >>> overlap_bound(attention, np.array([0, 0, -1]), d_cluster=np.array([1.0]), d_all=8.0)
    array([0.75])
    """
    return rung_from_attention(attention, labels, d_cluster, d_all, clusters, overlap_value)


def overlap_value(pairs: ClusterPairs) -> Any:
    """The formula for each pair: max(S_j, S_j') - C is kappa, computed without cancellation."""
    xp = pairs.xp
    first, second = row_pairs(pairs.outside.shape[1])
    outside = xp.maximum(*(take(xp, pairs.outside, each, axis=1) for each in (first, second)))
    inside = xp.maximum(1 - outside, 0.0)
    return inside * pairs.d + pairs.kappa * pairs.diameter


OVERLAP = Theorem(
    label="overlap",
    kind="upper",
    statement="d' <= max over pairs of (1 - max(S_j, S_j')) d + (max(S_j, S_j') - C_jj') D",
    source="proved here",
    proof="overlap",
    function=overlap_bound,
)
