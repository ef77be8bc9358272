"""What it costs to carry one row of masses into another between cells: by plans that are cheap, and
exactly.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.optimize import linprog
from scipy.sparse import csr_array

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
    kept_least = xp.clip(supply[:, 0] - demand[:, 1], 0, None)
    ends = []
    for kept in (kept_least, kept_most):
        leaving, coming = xp.clip(supply[:, 0] - kept, 0, None), xp.clip(demand[:, 0] - kept, 0, None)
        stays = xp.clip(xp.maximum(supply[:, 1] - coming, demand[:, 1] - leaving), 0, None)
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
    """The cost of the best plan, by linear programming (HiGHS); masses are first made equal in total."""
    sources, sinks = np.flatnonzero(supply > 0), np.flatnonzero(demand > 0)
    if not len(sources) or not len(sinks):
        return 0.0
    mass = max(supply.sum(), demand.sum())
    out, into = supply[sources] / supply.sum(), demand[sinks] / demand.sum()
    costs = costs[np.ix_(sources, sinks)]
    unit = costs.max()
    if unit == 0:
        return 0.0
    r, s = costs.shape
    cell = np.arange(r * s)
    constraints = csr_array(
        (np.ones(2 * r * s), (np.concatenate([cell // s, r + cell % s]), np.concatenate([cell, cell]))),
        shape=(r + s, r * s),
    )
    # One constraint follows from the others: left out, rounding in the totals cannot make it infeasible.
    answer = linprog(
        (costs / unit).ravel(), A_eq=constraints[:-1], b_eq=np.concatenate([out, into])[:-1], method="highs"
    )
    return float(answer.fun * unit * mass)
