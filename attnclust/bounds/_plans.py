"""What it costs to carry one row of masses into another between cells, by plans that are cheap to find."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

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
