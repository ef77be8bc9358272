"""The strongest verdict on shrinking for little more than the price of the first rung: a cascade over
pairs.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import array_api_compat
import numpy as np

from attnclust._array import (
    Attention,
    Labels,
    Namespace,
    Number,
    Tokens,
    checked_step,
    common_batch,
    namespace,
    to_numpy,
)
from attnclust._blocks import blocks
from attnclust._labels import Labelling, label_batch, partition, per_labelling, take
from attnclust.bounds._pairs import GATHERED, cluster_pairs, indicators, masses_of, row_pairs
from attnclust.bounds._plans import plan_costs
from attnclust.bounds._transport import exact_cost
from attnclust.bounds.chi import chi_factors
from attnclust.bounds.cluster_dobrushin import cluster_dobrushin_value
from attnclust.bounds.independent import independent_costs
from attnclust.geometry._diameters import checked_order, flat_float64
from attnclust.geometry._pairs import all_distances, distance_ceilings, norm, rounding, within
from attnclust.geometry._table import diameters_in, distances_of

STAGES = ("cluster_dobrushin", "block_transport", "independent", "chi", "transport")
"""The rungs of the cascade, in order."""


class Certificate(NamedTuple):
    """What the cascade says of each cluster, each ``(*batch, M)``.

    Attributes:
        certified: the cluster is certain to shrink.
        stage: the last rung of :data:`STAGES` that was needed, by its index; -1 where nothing certifies.
    """

    certified: Any
    stage: Any


def certify(
    attention: Attention,
    tokens: Tokens,
    labels: Labels,
    *,
    ord: Number = 2,  # noqa: A002
    clusters: int | None = None,
) -> Certificate:
    """Whether a cluster is certain to shrink: five rungs, each only on the pairs of rows still undecided.

    Setting: one step Z' = A Z. A pair of rows is decided by the first of cluster_dobrushin, block_transport
    (cells: the clusters, and the outsiders), independent, chi (Euclidean norm only) and exact transport that
    is below the cluster's diameter by more than rounding; a cluster is certified when all its pairs are.
    Exact transport is the strongest that the attention and all distances can say, so only its verdict is a
    "no". After the first rung, a cluster that the step leaves as wide as it was is not tried further.

    Source: proved here.

    Args:
        attention: ``(*batch, n, n)``, row-stochastic.
        tokens: ``(*batch, n, d)``.
        labels: ``(n,)`` or ``(*batch, n)`` integers: clusters 0..M-1, -1 for an outsider.
        ord: the p of the norm, 1 <= p <= inf.
        clusters: M, if more than the largest label + 1.

    Returns:
        A :class:`Certificate`. Clusters with fewer than two tokens have nothing to shrink and are not
        certified.

    Raises:
        ArgumentTypeError, ArgumentError: as :func:`attnclust.verify.verify`.

    >>> import numpy as np
    >>> attention = np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.0, 0.0, 1.0]])
    >>> certify(attention, np.array([[0.0], [1.0], [8.0]]), np.array([0, 0, 1]))
    Certificate(certified=array([ True, False]), stage=array([ 0, -1]))
    """
    xp = namespace(attention=attention, tokens=tokens, labels=labels)
    attention, tokens = checked_step(xp, attention, tokens)
    order = checked_order(ord)
    batch = common_batch(
        xp,
        attention=tuple(attention.shape[:-2]),
        tokens=tuple(tokens.shape[:-2]),
        labels=label_batch(xp, labels),
    )
    part = partition(xp, labels, batch=batch, n=tokens.shape[-2], clusters=clusters)
    rows, points = flat_float64(xp, attention, batch), flat_float64(xp, tokens, batch)
    points = points - xp.mean(points, axis=1, keepdims=True)
    device = array_api_compat.device(tokens)

    def evaluate(labelling: Labelling) -> Any:
        stages = _cascade(xp, labelling.select(xp, rows), labelling.select(xp, points), labelling, order)
        return xp.asarray(stages, device=device)

    none = xp.zeros((0, part.clusters), dtype=xp.int64, device=device)
    stage = per_labelling(xp, part, batch, evaluate, empty=none)
    return Certificate(stage >= 0, stage)


def _cascade(xp: Namespace, rows: Any, points: Any, labelling: Labelling, order: float) -> np.ndarray:
    """The stage that decided each cluster, ``(b, M)``."""
    b = points.shape[0]
    stages = np.full((b, len(labelling.members)), -1, dtype=np.int64)
    if b == 0:
        return stages
    cells = [each for each in (*labelling.members, np.flatnonzero(labelling.labels < 0)) if len(each)]
    prices = distances_of(xp, points, tuple(cells), order)
    before, diameter = diameters_in(xp, prices, labelling)
    border = rounding(xp, rows, points, order)
    limit = before - border[:, None]

    # One table a batch element, for every cluster that comes to need it.
    ceilings, distances = (
        functools.cache(lambda element, table=table: table(xp, points[element, ...][None, ...], order))
        for table in (distance_ceilings, all_distances)
    )

    sets = indicators(xp, cells, rows.shape[2], rows)
    for g, inside in enumerate(labelling.members):
        if len(inside) < 2:
            continue
        of_cluster = take(xp, rows, inside, axis=1)
        pairs = cluster_pairs(xp, of_cluster, inside, before[:, g], diameter)
        unsettled = to_numpy(cluster_dobrushin_value(pairs) >= limit[:, g, None])
        undecided = unsettled.any(axis=1)
        stages[:, g] = np.where(undecided, -1, 0)
        if not undecided.any():
            continue
        # Where two tokens stay as far apart as the cluster was wide, no rung can certify.
        closer = to_numpy(within(xp, of_cluster @ points, order) < limit[:, g])
        for each in np.flatnonzero(undecided & closer).tolist():
            context = _Element(
                xp,
                of_cluster[each, ...],
                points[each, ...],
                sets,
                prices[each, ...],
                functools.partial(ceilings, each),
                functools.partial(distances, each),
                order,
                float(limit[each, g]),
            )
            stages[each, g] = context.decide(*(ends[unsettled[each]] for ends in row_pairs(len(inside))))
    return stages


class _Element(NamedTuple):
    """One batch element and cluster: what the last rungs need, made only when they are reached."""

    xp: Namespace
    rows: Any
    points: Any
    sets: Any
    prices: Any
    ceilings: Callable[[], Any]
    distances: Callable[[], Any]
    order: float
    limit: float

    def decide(self, first: np.ndarray, second: np.ndarray) -> int:
        """The index of the rung that settles the last of these pairs, -1 if even the last rung leaves one."""
        xp = self.xp
        masses = masses_of(xp, self.rows, first, second, self.sets)
        still = to_numpy(plan_costs(xp, *masses, self.prices)) >= self.limit
        if not still.any():
            return 1
        first, second = first[still], second[still]
        some = blocks(len(first), self.rows.shape[1], GATHERED)
        costs = np.concatenate([self._independent(first[each], second[each]) for each in some])
        (still,) = np.nonzero(costs >= self.limit)
        if not len(still):
            return 2
        # The dearest first: where exact transport will say no, it says so soon.
        still = still[np.argsort(-costs[still])]
        first, second = first[still], second[still]
        if self.order == 2:
            scaled, spread = chi_factors(xp, self.rows[None, ...], self.points[None, ...])
            ends = [take(xp, scaled[0, ...], each, axis=0) for each in (first, second)]
            (still,) = np.nonzero(to_numpy(norm(xp, ends[0] - ends[1], 2.0) * spread[0]) >= self.limit)
            if not len(still):
                return 3
            first, second = first[still], second[still]
        return 4 if self._transports(first, second) else -1

    def _independent(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        xp, delta = self.xp, self._differences(first, second)[None, ...]
        p, q = xp.maximum(delta, 0.0), xp.maximum(-delta, 0.0)
        return to_numpy(independent_costs(xp, p, q, self.ceilings())[0, :])

    def _differences(self, first: np.ndarray, second: np.ndarray) -> Any:
        return take(self.xp, self.rows, first, axis=0) - take(self.xp, self.rows, second, axis=0)

    def _transports(self, first: np.ndarray, second: np.ndarray) -> bool:
        prices = to_numpy(self.distances()[0, ...])
        return all(
            exact_cost(np.maximum(delta, 0), np.maximum(-delta, 0), prices, decide=self.limit) < self.limit
            for delta in to_numpy(self._differences(first, second))
        )
