"""The ranges of weights that cross a cluster's border: what Theorem 3.1(ii) assumes about attention."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import array_api_compat
import numpy as np
from jaxtyping import Float

from attnclust._array import (
    Attention,
    Labels,
    Namespace,
    common_batch,
    flag,
    flatten_batch,
    namespace,
    stochastic,
)
from attnclust._labels import Labelling, Partition, label_batch, partition, per_labelling, take


class CrossAttention(NamedTuple):
    """Ranges of cross-cluster weights, each ``(*batch, M)``; `outside` holds integers."""

    eps_lower: Any
    eps_upper: Any
    outside: Any


def cross_attention(
    attention: Attention, labels: Labels, *, pooled: bool = False, clusters: int | None = None
) -> CrossAttention:
    """The least and the greatest weight from each cluster to the tokens outside it, and how many those are.

    Source: paper, Theorem 3.1(ii), where one pair of ranges serves all clusters: ``pooled=True``. A
        range per cluster
    is a refinement, proved here.

    Args:
        attention: ``(*batch, n, n)``, row-stochastic; row = query.
        labels: ``(n,)`` or ``(*batch, n)`` integers: clusters 0..M-1, -1 for an outsider.
        pooled: one range for all clusters, over every weight from a cluster to a token outside it.
        clusters: M, if more than the largest label + 1.

    Returns:
        eps_lower, eps_upper and outside. For a cluster without tokens, and for one that holds all, both
        are 0, pooled or not; they do not
        count towards the common range.

    Raises:
        ArgumentTypeError: mixed kinds, no real floating dtype, labels that are no integers.
        ArgumentError: rows that do not sum to 1, negative weights, NaN, labels of the wrong length.

    >>> import numpy as np
    >>> attention = np.array([[0.5, 0.25, 0.25], [0.25, 0.75, 0.0], [0.125, 0.125, 0.75]])
    >>> eps_lower, eps_upper, outside = cross_attention(attention, np.array([0, 0, 1]))
    >>> eps_lower, eps_upper, outside
    (array([0.   , 0.125]), array([0.25 , 0.125]), array([1, 2]))
    """
    xp = namespace(attention=attention, labels=labels)
    pooled = flag("pooled", pooled)
    attention = stochastic(xp, "attention", attention)
    batch = common_batch(xp, attention=tuple(attention.shape[:-2]), labels=label_batch(xp, labels))
    n = attention.shape[-1]
    part = partition(xp, labels, batch=batch, n=n, clusters=clusters)
    flat = flatten_batch(xp, attention, batch)
    device = array_api_compat.device(attention)
    none = xp.zeros((0, 2, part.clusters), dtype=attention.dtype, device=device)
    table = per_labelling(
        xp,
        part,
        batch,
        lambda labelling: ranges_of(xp, labelling.select(xp, flat), labelling, pooled=pooled),
        empty=none,
    )
    counts = outside_counts(part, math.prod(batch), n)
    return CrossAttention(
        table[..., 0, :], table[..., 1, :], xp.asarray(counts.reshape(*batch, part.clusters), device=device)
    )


def ranges_of(
    xp: Namespace, rows: Float[Any, "b n n"], labelling: Labelling, *, pooled: bool
) -> Float[Any, "b 2 M"]:
    """Least and greatest cross weights of each cluster, for the batch elements of one labelling."""
    n = rows.shape[2]
    zero = xp.zeros_like(rows[:, 0, 0])
    lower, upper = [zero] * len(labelling.members), [zero] * len(labelling.members)
    crossing = [g for g, inside in enumerate(labelling.members) if 0 < len(inside) < n]
    for g in crossing:
        inside = labelling.members[g]
        is_outside = np.ones(n, dtype=bool)
        is_outside[inside] = False
        weights = take(xp, take(xp, rows, inside, axis=1), np.flatnonzero(is_outside), axis=2)
        lower[g] = xp.min(weights, axis=(-2, -1))
        upper[g] = xp.max(weights, axis=(-2, -1))
    if pooled and crossing:
        least = xp.min(xp.stack([lower[g] for g in crossing]), axis=0)
        greatest = xp.max(xp.stack([upper[g] for g in crossing]), axis=0)
        for g in crossing:
            lower[g], upper[g] = least, greatest
    if not labelling.members:
        return xp.zeros((rows.shape[0], 2, 0), dtype=rows.dtype, device=array_api_compat.device(rows))
    return xp.stack([xp.stack(each, axis=-1) for each in (lower, upper)], axis=1)


def outside_counts(part: Partition, b: int, n: int) -> np.ndarray:
    """How many tokens are outside each cluster, ``(b, M)``; n for a cluster without tokens."""
    counts = np.zeros((b, part.clusters), dtype=np.int64)
    for labelling in part.labellings:
        here = slice(None) if labelling.positions is None else labelling.positions
        counts[here] = [n - len(inside) for inside in labelling.members]
    return counts
