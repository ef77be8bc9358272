"""The best possible bound from the attention matrix and two diameters."""

from __future__ import annotations

from typing import Any

from jaxtyping import Float

from attnclust._array import Attention, Labels, Scalars
from attnclust.bounds._pairs import ClusterPairs, rung_from_attention
from attnclust.bounds._theorem import Theorem


def cluster_dobrushin_bound(
    attention: Attention, labels: Labels, *, d_cluster: Scalars, d_all: Scalars, clusters: int | None = None
) -> Float[Any, "*batch M"]:
    r"""The best possible bound on a cluster's next diameter, given the attention matrix and two diameters.

    Setting: one step Z' = A Z; for j, j' in the cluster let tau be half the sum of \|A[j] - A[j']\| and
        kappa the larger of
    the two one-sided differences summed over the tokens outside.

    Statement: d' <= max over pairs of (tau - kappa) d + kappa D.

    Tight for every row-stochastic matrix: :func:`attnclust.attention.cluster_dobrushin_configuration`
    gives tokens with diameters at most d and D that attain it. For one cluster that holds all tokens it
    is tau(A) D.

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
        ArgumentTypeError: mixed kinds, no real floating dtype, labels that are no integers.
        ArgumentError: rows that do not sum to 1, negative weights, NaN, labels of the wrong length, d > D.

    >>> import numpy as np
    >>> attention = np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.0, 0.0, 1.0]])
    >>> cluster_dobrushin_bound(attention, np.array([0, 0, -1]), d_cluster=np.array([1.0]), d_all=8.0)
    array([0.25])
    """
    return rung_from_attention(attention, labels, d_cluster, d_all, clusters, cluster_dobrushin_value)


def cluster_dobrushin_value(pairs: ClusterPairs) -> Any:
    """The formula for each pair."""
    kept = pairs.xp.maximum(pairs.tau - pairs.kappa, 0.0)
    return kept * pairs.d + pairs.kappa * pairs.diameter


CLUSTER_DOBRUSHIN = Theorem(
    label="cluster_dobrushin",
    kind="tight",
    statement="d' <= max over pairs of (tau - kappa) d + kappa D",
    source="proved here",
    proof="cluster_dobrushin",
    function=cluster_dobrushin_bound,
)
