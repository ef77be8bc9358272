"""The masses that differ between two rows of a cluster, for all pairs at once and no (n, n, n) temporary.

For rows j and j', delta = A[j] - A[j'] and a family of token sets: the positive and the negative part of
delta on each set. Rows are first centred on the cluster's mean row, which changes no difference but
keeps the digits of rows that nearly agree; then one maximum and one thin matrix product a pair give both
parts, since sum max(a, a') = (positive part) + sum a' = (negative part) + sum a.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import array_api_compat
import numpy as np
from jaxtyping import Float

from attnclust._array import Namespace, common_batch, flatten_batch, namespace, stochastic
from attnclust._labels import Labelling, label_batch, partition, per_labelling, take
from attnclust.bounds._ranges import checked_diameters

BUDGET = 1 << 18
"""Entries of a block of pairs x tokens: what a core's caches hold."""


class PairMasses(NamedTuple):
    """A block of pairs, rows `start`... against rows `start`... to the last: masses ``(b, r, c, K)`` on
    each set.
    """

    start: int
    positive: Any
    negative: Any


def pair_masses(
    xp: Namespace, rows: Float[Any, "b k n"], sets: Float[Any, "n K"], *, others: Any = None
) -> Iterator[PairMasses]:
    """Positive and negative masses, on each set, of `rows` minus `others` ``(b, l, n)``.

    Without `others`: of each row minus each row that is not before it in the order of blocks, so every
    pair comes at least once.
    """
    b, k, n = rows.shape
    middle = xp.mean(rows, axis=1, keepdims=True)
    centred = rows - middle
    opposite = centred if others is None else others - middle
    sums, opposite_sums = centred @ sets, opposite @ sets
    step = max(1, min(k, BUDGET // max(1, b * opposite.shape[1] * n)))
    for start in range(0, k, step):
        end, first = min(start + step, k), start if others is None else 0
        larger = _sums_of_larger(xp, centred[:, start:end, None, :], opposite[:, None, first:, :], sets)
        positive = larger - opposite_sums[:, None, first:, :]
        negative = larger - sums[:, start:end, None, :]
        yield PairMasses(start, xp.maximum(positive, 0.0), xp.maximum(negative, 0.0))


def _sums_of_larger(xp: Namespace, first: Any, second: Any, sets: Any) -> Any:
    b, at_once = first.shape[0], max(1, BUDGET // (second.shape[2] * second.shape[3]))
    if b <= at_once:
        return xp.maximum(first, second) @ sets
    parts = [
        xp.maximum(first[i : min(i + at_once, b), ...], second[i : min(i + at_once, b), ...]) @ sets
        for i in range(0, b, at_once)
    ]
    return xp.concat(parts)


def indicators(xp: Namespace, members: list[np.ndarray], n: int, like: Any) -> Float[Any, "n K"]:
    """One column a set: 1 for its members."""
    table = np.zeros((n, len(members)))
    for column, each in enumerate(members):
        table[each, column] = 1
    return xp.asarray(table, dtype=like.dtype, device=array_api_compat.device(like))


class ClusterPairs(NamedTuple):
    """A block of pairs of one cluster, for the rungs that know the attention and two diameters.

    `tau` is half the distance between the rows, `kappa` the larger one-sided difference outside the cluster,
    `outside` the larger outside mass, each ``(b, r, c)``; `d` and `diameter` are ``(b, 1, 1)``.
    """

    xp: Namespace
    tau: Any
    kappa: Any
    outside: Any
    d: Any
    diameter: Any


def cluster_pairs(
    xp: Namespace, rows: Any, inside: np.ndarray, d: Any, diameter: Any, *, sets: Any = None
) -> Iterator[tuple[ClusterPairs, PairMasses]]:
    """The pairs of the cluster `inside` in blocks; `sets` are further columns, whose masses come along."""
    n = rows.shape[2]
    is_inside = np.zeros(n, dtype=bool)
    is_inside[inside] = True
    both = indicators(xp, [inside, np.flatnonzero(~is_inside)], n, rows)
    columns = both if sets is None else xp.concat([both, sets], axis=1)
    outside = (rows @ both)[:, :, 1]
    for block in pair_masses(xp, rows, columns):
        start, positive, negative = block
        end = start + positive.shape[1]
        total = positive[..., 0] + positive[..., 1] + negative[..., 0] + negative[..., 1]
        pairs = ClusterPairs(
            xp,
            total / 2,
            xp.maximum(positive[..., 1], negative[..., 1]),
            xp.maximum(outside[:, start:end, None], outside[:, None, start:]),
            d[:, None, None],
            diameter[:, None, None],
        )
        yield pairs, PairMasses(start, positive[..., 2:], negative[..., 2:])


def largest(xp: Namespace, values: Any, so_far: Any) -> Any:
    """The running maximum over pairs, ``(b,)``."""
    here = xp.max(values, axis=(-2, -1))
    return here if so_far is None else xp.maximum(here, so_far)


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
            worst = zero
            if len(inside) > 1:
                of_cluster = take(xp, rows, inside, axis=1)
                for pairs, _ in cluster_pairs(xp, of_cluster, inside, d_here[:, g], diameter_here[:, g]):
                    worst = largest(xp, value(pairs), worst)
            columns.append(worst)
        return xp.stack(columns, axis=-1) if columns else xp.zeros_like(rows[:, 0, :0])

    return per_labelling(xp, part, batch, evaluate, empty=xp.zeros_like(sides[0]))
