"""What it costs to carry one row of masses into another between cells: by plans that are cheap, and
exactly.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from attnclust._array import Namespace, to_numpy


def plan_costs(
    xp: Namespace, supply: Float[Any, "N K"], demand: Float[Any, "N K"], costs: Float[Any, "K K"]
) -> Float[Any, " N"]:
    """The cost of a plan for each pair: the best one for one or two cells, a greedy one for more."""
    return (
        _two_cells(xp, supply, demand, costs) if costs.shape[0] == 2 else _greedy(xp, supply, demand, costs)
    )


def _two_cells(xp: Namespace, supply: Any, demand: Any, costs: Any) -> Any:
    """Exact: the cost is linear in what stays in the first cell, so one of its two ends is best."""
    kept_most = xp.minimum(supply[:, 0], demand[:, 0])
    kept_least = xp.maximum(supply[:, 0] - demand[:, 1], 0.0)
    ends = []
    for kept in (kept_least, kept_most):
        leaving, coming = xp.maximum(supply[:, 0] - kept, 0.0), xp.maximum(demand[:, 0] - kept, 0.0)
        stays = xp.maximum(xp.maximum(supply[:, 1] - coming, demand[:, 1] - leaving), 0.0)
        ends.append(kept * costs[0, 0] + leaving * costs[0, 1] + coming * costs[1, 0] + stays * costs[1, 1])
    return xp.minimum(*ends)


def _greedy(xp: Namespace, supply: Any, demand: Any, costs: Any) -> Any:
    """As much as possible over each pair of cells, in order of cost.

    Never above what two diameters say (:func:`attnclust.bounds.cluster_dobrushin_bound`): once every pair of
    cells that costs at most d has been used, G is empty of supply or of demand, so at most kappa is left.
    """
    k = costs.shape[0]
    table = to_numpy(costs)
    left = [supply[:, r] for r in range(k)]
    wanted = [demand[:, s] for s in range(k)]
    total = xp.zeros_like(supply[:, 0])
    for flat in np.argsort(table, axis=None, kind="stable"):
        r, s = divmod(int(flat), k)
        moved = xp.minimum(left[r], wanted[s])
        left[r], wanted[s] = left[r] - moved, wanted[s] - moved
        total = total + moved * float(table[r, s])
    # Where rows miss the sum 1 by rounding, a crumb finds no partner: it is charged the highest cost.
    crumbs = xp.maximum(xp.sum(xp.stack(left), axis=0), xp.sum(xp.stack(wanted), axis=0))
    return total + crumbs * float(table.max())


def exact_cost(
    supply: Float[np.ndarray, " r"], demand: Float[np.ndarray, " s"], costs: Float[np.ndarray, "r s"]
) -> float:
    """The cost of the best plan, to rounding: shortest augmenting paths, with potentials that keep
    prices >= 0.

    A linear-programming library would do, but its tolerances (about 1e-7 of the total) are far above
    rounding, and it calls feasible problems with masses of that size infeasible. Masses are first made
    equal in total.
    """
    sources, sinks = np.flatnonzero(supply > 0), np.flatnonzero(demand > 0)
    if not len(sources) or not len(sinks):
        return 0.0
    mass = max(supply.sum(), demand.sum())
    left, wanted = supply[sources] / supply.sum(), demand[sinks] / demand.sum()
    costs = costs[np.ix_(sources, sinks)]
    flow = np.zeros_like(costs)
    source_price, sink_price = np.zeros(len(left)), np.zeros(len(wanted))
    while left.max() > CRUMB and wanted.max() > CRUMB:
        reduced = np.maximum(costs + source_price[:, None] - sink_price, 0)
        path, to_sources, to_sinks = _shortest_path(reduced, left > CRUMB, wanted > CRUMB, flow > 0)
        end = to_sinks[path[0][1]]
        source_price += np.minimum(to_sources, end)
        sink_price += np.minimum(to_sinks, end)
        moved = min(left[path[-1][0]], wanted[path[0][1]], *(flow[arc] for arc in path[1::2]))
        left[path[-1][0]] -= moved
        wanted[path[0][1]] -= moved
        for step, arc in enumerate(path):
            flow[arc] = flow[arc] + moved if step % 2 == 0 else max(flow[arc] - moved, 0.0)
    return float((flow * costs).sum() * mass)


CRUMB = 1e-16
"""A share of the mass that rounding may leave over on one side, and that is not worth a path."""


def _shortest_path(
    reduced: Float[np.ndarray, "r s"],
    open_sources: Bool[np.ndarray, " r"],
    open_sinks: Bool[np.ndarray, " s"],
    used: Bool[np.ndarray, "r s"],
) -> tuple[list[tuple[int, int]], Float[np.ndarray, " r"], Float[np.ndarray, " s"]]:
    """Dijkstra from every open source to the nearest open sink; back along arcs in use, at price 0.

    Returns the arcs from the sink back to the source (forward, backward, forward, ...) and both distances.
    """
    to_sources = np.where(open_sources, 0.0, np.inf)
    to_sinks = np.full(reduced.shape[1], np.inf)
    from_sink, from_source = np.full(reduced.shape[0], -1), np.full(reduced.shape[1], -1)
    fresh_sources, fresh_sinks = np.ones(len(to_sources), dtype=bool), np.ones(len(to_sinks), dtype=bool)
    while True:
        i = int(np.argmin(np.where(fresh_sources, to_sources, np.inf)))
        j = int(np.argmin(np.where(fresh_sinks, to_sinks, np.inf)))
        if fresh_sources[i] and to_sources[i] <= (to_sinks[j] if fresh_sinks[j] else np.inf):
            fresh_sources[i] = False
            nearer = to_sources[i] + reduced[i] < to_sinks
            to_sinks[nearer] = to_sources[i] + reduced[i][nearer]
            from_source[nearer] = i
        elif open_sinks[j]:
            break
        else:
            fresh_sinks[j] = False
            nearer = used[:, j] & (to_sinks[j] < to_sources)
            to_sources[nearer] = to_sinks[j]
            from_sink[nearer] = j
    path = [(int(from_source[j]), j)]
    while from_sink[path[-1][0]] >= 0:
        i = path[-1][0]
        back = int(from_sink[i])
        path += [(i, back), (int(from_source[back]), back)]
    return path, to_sources, to_sinks
