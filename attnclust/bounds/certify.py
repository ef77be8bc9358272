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
from attnclust._labels import Labelling, label_batch, partition, per_labelling, take
from attnclust.bounds._pairs import cluster_pairs, indicators
from attnclust.bounds._plans import exact_cost, plan_costs
from attnclust.bounds.chi import chi_factors
from attnclust.bounds.cluster_dobrushin import cluster_dobrushin_value
from attnclust.bounds.independent import independent_costs
from attnclust.geometry._diameters import checked_order, diameters_of, distances_of, flat_float64
from attnclust.geometry._pairs import all_distances, norm, rounding, within

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

    Setting: one step Z' = A Z. A pair of rows is decided by the first of cluster_dobrushin,
        block_transport (cells: the
    clusters, and the outsiders), independent, chi (Euclidean norm only) and exact transport that is
    below the cluster's diameter by more than rounding; a cluster is certified when all its pairs are.
    Exact transport is the strongest that the attention and all distances can say, so only its verdict is
    a "no"; a pair that does not come closer than d in the step itself is not tried.

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
    b, n, _ = points.shape
    stages = np.full((b, len(labelling.members)), -1, dtype=np.int64)
    if b == 0:
        return stages
    before, after = (diameters_of(xp, each, labelling, order) for each in (points, rows @ points))
    diameter = within(xp, points, order)
    border = rounding(xp, rows, points, order)
    outsiders = np.flatnonzero(labelling.labels < 0)
    cells = [each for each in (*labelling.members, outsiders) if len(each)]
    prices = distances_of(xp, points, tuple(cells), order)
    sets = indicators(xp, cells, n, rows)
    limit = before - border[:, None]

    @functools.cache
    def distances(element: int) -> Any:
        """All distances of one batch element, for every cluster that comes to need them."""
        return all_distances(xp, points[element, ...][None, ...], order)

    for g, inside in enumerate(labelling.members):
        shrinking = to_numpy(after[:, g] < limit[:, g])
        if len(inside) < 2 or not shrinking.any():
            continue
        of_cluster = take(xp, rows, inside, axis=1)
        undecided = _first_rung(xp, of_cluster, inside, before[:, g], diameter, sets, limit[:, g])
        for element in np.flatnonzero(shrinking):
            here = undecided.of(xp, int(element))
            context = _Element(
                xp,
                of_cluster[element, ...],
                points[element, ...],
                prices[element, ...],
                functools.partial(distances, int(element)),
                order,
                limit[element, g],
            )
            stages[element, g] = context.decide(here)
    return stages


class _Pairs(NamedTuple):
    """Pairs of rows that the first rung left undecided, by batch element: indices on the host, masses on
    the device.
    """

    element: np.ndarray
    first: np.ndarray
    second: np.ndarray
    supply: Any
    demand: Any

    def of(self, xp: Namespace, element: int) -> _Pairs:
        return self.take(xp, np.flatnonzero(self.element == element))

    def take(self, xp: Namespace, keep: np.ndarray) -> _Pairs:
        return _Pairs(
            self.element[keep],
            self.first[keep],
            self.second[keep],
            take(xp, self.supply, keep, axis=0),
            take(xp, self.demand, keep, axis=0),
        )


def _first_rung(
    xp: Namespace, rows: Any, inside: np.ndarray, d: Any, diameter: Any, sets: Any, limit: Any
) -> _Pairs:
    left = []
    for pairs, masses in cluster_pairs(xp, rows, inside, d, diameter, sets=sets):
        open_pairs = to_numpy(cluster_dobrushin_value(pairs) >= limit[:, None, None])
        element, first, second = np.nonzero(open_pairs)
        ordered = second > first  # both are counted from the block's start, and a pair comes in either order
        element, first, second = element[ordered], first[ordered], second[ordered]
        flat = np.ravel_multi_index((element, first, second), open_pairs.shape)
        k = sets.shape[1]
        supply, demand = (
            take(xp, xp.reshape(each, (-1, k)), flat, axis=0) for each in (masses.positive, masses.negative)
        )
        left.append(_Pairs(element, first + masses.start, second + masses.start, supply, demand))
    element, first, second = (
        np.concatenate(each) for each in zip(*(pairs[:3] for pairs in left), strict=True)
    )
    return _Pairs(
        element,
        first,
        second,
        xp.concat([each.supply for each in left]),
        xp.concat([each.demand for each in left]),
    )


class _Element(NamedTuple):
    """One batch element and cluster: what the later rungs need, made only when they are reached."""

    xp: Namespace
    rows: Any
    points: Any
    prices: Any
    distances: Callable[[], Any]
    order: float
    limit: Any

    def decide(self, pairs: _Pairs) -> int:
        """The index of the rung that settles the last pair, -1 if even the last rung leaves one."""
        xp = self.xp
        if not len(pairs.first):
            return 0
        pairs = self._left(pairs, plan_costs(xp, pairs.supply, pairs.demand, self.prices))
        if not len(pairs.first):
            return 1
        distances = self.distances()
        costs = independent_costs(xp, self._differences(pairs)[None, ...], distances)[0, :]
        # The dearest first: where exact transport will say no, it says so soon.
        pairs, costs = pairs.take(xp, np.argsort(-to_numpy(costs))), xp.sort(costs, descending=True)
        pairs = self._left(pairs, costs)
        if not len(pairs.first):
            return 2
        if self.order == 2:
            scaled, spread = chi_factors(xp, self.rows[None, ...], self.points[None, ...])
            first, second = (take(xp, scaled[0, ...], each, axis=0) for each in (pairs.first, pairs.second))
            pairs = self._left(pairs, norm(xp, first - second, 2.0) * spread[0])
            if not len(pairs.first):
                return 3
        return 4 if self._transports(pairs, to_numpy(distances[0, ...])) else -1

    def _differences(self, pairs: _Pairs) -> Any:
        xp = self.xp
        return take(xp, self.rows, pairs.first, axis=0) - take(xp, self.rows, pairs.second, axis=0)

    def _left(self, pairs: _Pairs, bounds: Any) -> _Pairs:
        return pairs.take(self.xp, np.flatnonzero(to_numpy(bounds >= self.limit)))

    def _transports(self, pairs: _Pairs, distances: np.ndarray) -> bool:
        limit = float(self.limit)
        return all(
            exact_cost(np.maximum(delta, 0), np.maximum(-delta, 0), distances) < limit
            for delta in to_numpy(self._differences(pairs))
        )
