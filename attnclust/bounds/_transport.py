"""The exact cost of carrying one row of masses into another: successive shortest paths."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

CRUMB = 1e-16
"""A share of the mass that rounding may leave over on one side, and that is not worth a path."""
HEAVY = 0.1
"""Shares above this part of the largest left over go first: they make the cost, and settle most verdicts."""


def exact_cost(
    supply: Float[np.ndarray, " r"],
    demand: Float[np.ndarray, " s"],
    costs: Float[np.ndarray, "r s"],
    *,
    decide: float | None = None,
) -> float:
    """The cost of the best plan, to rounding; with `decide`, any number on the same side of it as that cost.

    A linear-programming library would do, but its tolerances (about 1e-7 of the total) are far above
    rounding, and it calls feasible problems with masses of that size infeasible. Masses are first made
    equal in total. Potentials keep the reduced prices >= 0, and 0 where the plan carries anything, so that it
    is a best one once all is carried, in whatever order. At any time their worth is a lower bound of the
    cost; the plan so far, with the rest carried across independently, gives an upper one.
    """
    sources, sinks = np.flatnonzero(supply > 0), np.flatnonzero(demand > 0)
    if not len(sources) or not len(sinks):
        return 0.0
    mass = max(supply.sum(), demand.sum())
    shares, wishes = supply[sources] / supply.sum(), demand[sinks] / demand.sum()
    left, wanted = shares.copy(), wishes.copy()
    costs = costs[np.ix_(sources, sinks)]
    flow = np.zeros_like(costs)
    source_price, sink_price = np.zeros(len(left)), np.zeros(len(wanted))
    while left.max() > CRUMB and wanted.max() > CRUMB:
        heavy = max(CRUMB, HEAVY * min(left.max(), wanted.max()))
        reduced = np.maximum(costs + source_price[:, None] - sink_price, 0)
        tree = _shortest_paths(reduced, left > heavy, flow > 0)
        farthest = tree.to_sinks.max()
        source_price += np.minimum(tree.to_sources, farthest)
        sink_price += tree.to_sinks
        open_sinks = np.flatnonzero(wanted > heavy)
        for sink in open_sinks[np.argsort(tree.to_sinks[open_sinks], kind="stable")]:
            _augment(tree, int(sink), left, wanted, flow)
        if decide is not None:
            lower = mass * (wishes @ sink_price - shares @ source_price)
            rest = left @ costs @ wanted / max(left.sum(), CRUMB)
            upper = mass * ((flow * costs).sum() + rest)
            if lower >= decide or upper < decide:
                return float(lower if lower >= decide else upper)
    return float((flow * costs).sum() * mass)


class _Tree(NamedTuple):
    """Distances from the open sources, and the arc by which each sink and each source is reached; -1 at a
    root.
    """

    to_sources: Float[np.ndarray, " r"]
    to_sinks: Float[np.ndarray, " s"]
    from_sink: np.ndarray
    from_source: np.ndarray


def _shortest_paths(
    reduced: Float[np.ndarray, "r s"], open_sources: Bool[np.ndarray, " r"], used: Bool[np.ndarray, "r s"]
) -> _Tree:
    """Bellman and Ford, all sinks and then all sources at a time: forward at the reduced price, back along
    arcs in use at price 0; each round from those alone that came nearer in the last.
    """
    to_sources, to_sinks = np.where(open_sources, 0.0, np.inf), np.full(reduced.shape[1], np.inf)
    from_sink, from_source = np.full(reduced.shape[0], -1), np.full(reduced.shape[1], -1)
    (sources,) = np.nonzero(open_sources)
    while len(sources):
        through = to_sources[sources, None] + reduced[sources]
        here = through.min(axis=0)
        (sinks,) = np.nonzero(here < to_sinks)
        to_sinks[sinks], from_source[sinks] = here[sinks], sources[through[:, sinks].argmin(axis=0)]
        back = np.where(used[:, sinks], to_sinks[sinks], np.inf)
        here = back.min(axis=1, initial=np.inf)
        (sources,) = np.nonzero(here < to_sources)
        if len(sources):
            to_sources[sources], from_sink[sources] = here[sources], sinks[back[sources].argmin(axis=1)]
    return _Tree(to_sources, to_sinks, from_sink, from_source)


def _augment(
    tree: _Tree,
    sink: int,
    left: Float[np.ndarray, " r"],
    wanted: Float[np.ndarray, " s"],
    flow: Float[np.ndarray, "r s"],
) -> None:
    """Send what the tree's path to `sink` still carries; all its arcs have the reduced price 0."""
    forward, backward = [], []
    source = int(tree.from_source[sink])
    forward.append((source, sink))
    while tree.from_sink[source] >= 0:
        over = int(tree.from_sink[source])
        backward.append((source, over))
        source = int(tree.from_source[over])
        forward.append((source, over))
    moved = min(left[source], wanted[sink], *(flow[arc] for arc in backward))
    if moved <= 0:
        return
    left[source] -= moved
    wanted[sink] -= moved
    for arc in forward:
        flow[arc] += moved
    for arc in backward:
        flow[arc] -= moved
