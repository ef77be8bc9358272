"""What differs between two rows of attention, for all pairs of a cluster's rows and no (n, n, n) temporary.

For rows j and j', delta = A[j] - A[j']. On a set of tokens, the positive and the negative part of delta sum
to the city-block distance of the two rows there, and differ by the difference of the rows' sums there.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import array_api_compat
import numpy as np
from array_api_compat import is_numpy_array
from jaxtyping import Float
from scipy.spatial.distance import cdist, pdist

from attnclust._array import Namespace, common_batch, flatten_batch, namespace, stochastic
from attnclust._blocks import blocks
from attnclust._labels import Labelling, label_batch, partition, per_labelling, take
from attnclust.bounds._ranges import checked_diameters

BUDGET = 1 << 18
"""Entries of a block of pairs x tokens: what a core's caches hold."""
GATHERED = BUDGET // 4
"""The same where both rows of each pair are gathered: two copies and two results are held at once."""
LONG = 1 << 12
"""Pairs x tokens a set, of one batch element, from which SciPy's loop over pairs is the faster one."""


def row_pairs(k: int, others: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Each of `k` rows with each of `others`, or else each two of the rows once, as two lists."""
    if others is not None:
        first, second = np.divmod(np.arange(k * others), others)
        return first, second
    after = np.arange(k)[::-1]
    first = np.repeat(np.arange(k), after)
    return first, np.arange(len(first)) - np.repeat(np.cumsum(after) - k, after)


def city_blocks(
    xp: Namespace, rows: Float[Any, "b k n"], sets: Sequence[np.ndarray], *, others: Any = None
) -> Float[Any, "b P K"]:
    """The sum of absolute differences on each of the `sets` of tokens, for every pair of
    :func:`row_pairs`.
    """
    b, k, n = rows.shape
    opposite = rows if others is None else others
    pairs = k * (k - 1) // 2 if others is None else k * others.shape[1]
    if is_numpy_array(rows) and pairs * n >= LONG * len(sets):
        found = np.empty((b, pairs, len(sets)), dtype=rows.dtype)
        for element, (column, members) in itertools.product(range(b), enumerate(sets)):
            here, there = rows[element][:, members], opposite[element][:, members]
            distances = pdist(here, "cityblock") if others is None else cdist(here, there, "cityblock")
            found[element, :, column] = distances.ravel()
        return found
    table, parts = indicators(xp, sets, n, rows), []
    for some in blocks(k, b * opposite.shape[1] * n, BUDGET):
        skipped = some.start if others is None else 0
        gaps = xp.abs(rows[:, some, None, :] - opposite[:, None, skipped:, :]) @ table
        flat = xp.reshape(gaps, (b, gaps.shape[1] * gaps.shape[2], len(sets)))
        if others is None:
            later = np.triu(np.ones(gaps.shape[1:3], dtype=bool), 1)
            flat = take(xp, flat, np.flatnonzero(later), axis=1)
        parts.append(flat)
    return xp.concat(parts, axis=1)


def pair_masses(
    xp: Namespace, rows: Float[Any, "b k n"], sets: Sequence[np.ndarray], *, others: Any = None
) -> tuple[Any, Any]:
    """Positive and negative masses ``(b, P, K)``, on each of the `sets` of tokens, of every pair of rows.

    Sums are taken of rows centred on their mean, which changes no difference but keeps the digits of rows
    that nearly agree.
    """
    opposite = rows if others is None else others
    middle, table = xp.mean(rows, axis=1, keepdims=True), indicators(xp, sets, rows.shape[2], rows)
    first, second = row_pairs(rows.shape[1], None if others is None else others.shape[1])
    drift = take(xp, (rows - middle) @ table, first, axis=1)
    drift = drift - take(xp, (opposite - middle) @ table, second, axis=1)
    return _parts(xp, city_blocks(xp, rows, sets, others=others), drift)


def masses_of(
    xp: Namespace, rows: Float[Any, "k n"], first: np.ndarray, second: np.ndarray, sets: Float[Any, "n K"]
) -> tuple[Any, Any]:
    """Positive and negative masses ``(P, K)`` on each of `sets`, of these pairs alone."""
    sums = (rows - xp.mean(rows, axis=0)) @ sets
    distances = []
    for some in blocks(len(first), rows.shape[1], GATHERED):
        delta = take(xp, rows, first[some], axis=0) - take(xp, rows, second[some], axis=0)
        distances.append(xp.abs(delta) @ sets)
    return _parts(xp, xp.concat(distances), take(xp, sums, first, axis=0) - take(xp, sums, second, axis=0))


def _parts(xp: Namespace, distance: Any, drift: Any) -> tuple[Any, Any]:
    """The two masses with this sum and this difference."""
    return xp.maximum((distance + drift) / 2, 0.0), xp.maximum((distance - drift) / 2, 0.0)


def indicators(xp: Namespace, members: Sequence[np.ndarray], n: int, like: Any) -> Float[Any, "n K"]:
    """One column a set: 1 for its members."""
    table = np.zeros((n, len(members)))
    for column, each in enumerate(members):
        table[each, column] = 1
    return xp.asarray(table, dtype=like.dtype, device=array_api_compat.device(like))


class ClusterPairs(NamedTuple):
    """All pairs of one cluster, for the rungs that know the attention and two diameters.

    `tau` is half the distance between the rows, `kappa` the larger one-sided difference outside the cluster,
    each ``(b, P)``; `outside` each row's outside mass, ``(b, k)``; `d` and `diameter` are ``(b, 1)``.
    """

    xp: Namespace
    tau: Any
    kappa: Any
    outside: Any
    d: Any
    diameter: Any


def cluster_pairs(
    xp: Namespace, rows: Float[Any, "b k n"], inside: np.ndarray, d: Any, diameter: Any
) -> ClusterPairs:
    """The pairs of the cluster `inside`, of which these are the rows."""
    is_outside = np.ones(rows.shape[2], dtype=bool)
    is_outside[inside] = False
    sets = [inside, np.flatnonzero(is_outside)]
    distances = city_blocks(xp, rows, sets)
    outer = take(xp, rows, sets[1], axis=2)
    # Centred, rows that nearly agree keep the digits of their differences.
    sums = xp.sum(outer - xp.mean(outer, axis=1, keepdims=True), axis=-1)
    drift = city_blocks(xp, sums[:, :, None], [np.zeros(1, dtype=np.int64)])
    return ClusterPairs(
        xp,
        (distances[..., 0] + distances[..., 1]) / 2,
        (distances[..., 1] + drift[..., 0]) / 2,  # the larger of two with this sum and this difference
        xp.sum(outer, axis=-1),
        d[:, None],
        diameter[:, None],
    )


def rung_from_attention(
    attention: Any,
    labels: Any,
    d_cluster: Any,
    d_all: Any,
    clusters: int | None,
    value: Callable[[ClusterPairs], Any],
) -> Any:
    """The largest `value` over the pairs of each cluster, ``(*batch, M)``; 0 for fewer than two tokens."""
    xp = namespace(attention=attention, labels=labels, d_cluster=d_cluster, d_all=d_all)
    attention = stochastic(xp, "attention", attention)
    d, diameter = checked_diameters(xp, d_cluster, d_all, attention)
    batch = common_batch(
        xp,
        attention=tuple(attention.shape[:-2]),
        labels=label_batch(xp, labels),
        d_cluster=tuple(d.shape[:-1]),
    )
    part = partition(xp, labels, batch=batch, n=attention.shape[-1], clusters=clusters)
    shape = (*batch, part.clusters)
    dtype = xp.result_type(attention, d, diameter)
    flat = flatten_batch(xp, xp.astype(attention, dtype, copy=False), batch)
    sides = [
        xp.reshape(xp.broadcast_to(xp.astype(side, dtype, copy=False), shape), (flat.shape[0], part.clusters))
        for side in (d, diameter)
    ]

    def evaluate(labelling: Labelling) -> Any:
        rows, d_here, diameter_here = (labelling.select(xp, each) for each in (flat, *sides))
        zero = xp.zeros_like(rows[:, 0, 0])
        columns = []
        for g, inside in enumerate(labelling.members):
            of_cluster = take(xp, rows, inside, axis=1)
            columns.append(
                xp.max(
                    value(cluster_pairs(xp, of_cluster, inside, d_here[:, g], diameter_here[:, g])), axis=-1
                )
                if len(inside) > 1
                else zero
            )
        return xp.stack(columns, axis=-1) if columns else xp.zeros_like(rows[:, 0, :0])

    return per_labelling(xp, part, batch, evaluate, empty=xp.zeros_like(sides[0]))
