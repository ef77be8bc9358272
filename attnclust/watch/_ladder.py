"""The ladder along a trajectory: every rung for one step from measured diameters, and composed over depth.

Composed, a rung is fed its own last promise instead of what was measured, so a trajectory of certified
diameters follows from level 0 and the attention alone. Of the whole, rungs from ranges know that it does not
grow; those that know the attention, that it falls by Dobrushin's coefficient; block_transport carries its
whole table.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import array_api_compat
import numpy as np

from attnclust._array import Namespace, to_numpy
from attnclust.bounds import (
    CrossAttention,
    block_recursion,
    block_transport_bound,
    cluster_dobrushin_bound,
    dobrushin_coefficient,
    linear_bound,
    overlap_bound,
    paper_appendix_bound,
    paper_main_bound,
    product_bound,
    sharp_bound,
)
from attnclust.geometry import cell_distances

FROM_RANGES: Mapping[str, Callable[..., Any]] = {
    "paper_main": paper_main_bound,
    "paper_appendix": paper_appendix_bound,
    "linear": linear_bound,
    "product": product_bound,
    "sharp": sharp_bound,
}
FROM_ATTENTION: Mapping[str, Callable[..., Any]] = {
    "overlap": overlap_bound,
    "cluster_dobrushin": cluster_dobrushin_bound,
}
CELLS = "block_transport"
RUNGS = (*FROM_RANGES, *FROM_ATTENTION, CELLS)
"""The rungs that can be watched, weakest first."""


class Ladder(NamedTuple):
    """Bounds by rung: each step's ``(L, r, M)`` from measured diameters, and composed ``(L + 1, r, M)``."""

    steps: dict[str, Any]
    composed: dict[str, Any]


def ladder(
    xp: Namespace,
    attention: Any,
    tokens: Any,
    labels: Any,
    *,
    ranges: CrossAttention,
    current: Any,
    diameter: Any,
    slack: Any,
    rungs: Sequence[str],
    order: float,
    clusters: int,
) -> Ladder:
    """All `rungs` along ``(L, r, n, n)`` attention and ``(L + 1, r, n, d)`` tokens.

    `ranges` are those of the attention; `current` ``(L + 1, r, M)`` and `diameter` ``(L + 1, r)`` are
    measured; `slack` ``(L, r)`` is what rounding may add to any diameter in a step, and is carried along.
    """
    depth = attention.shape[0]
    steps: dict[str, Any] = {}
    composed: dict[str, Any] = {}
    for rung in rungs:
        if rung in FROM_RANGES:
            bound = FROM_RANGES[rung]
            steps[rung] = bound(current[:-1, ...], diameter[:-1, ...], **ranges._asdict())
            composed[rung] = _compose(
                xp,
                current[0, ...],
                diameter[0, ...],
                slack,
                lambda t, c, whole, bound=bound: (bound(c, whole, **_at(ranges, t)), whole),
            )
    aware = [rung for rung in rungs if rung in FROM_ATTENTION]
    shrinking = [dobrushin_coefficient(attention[t, ...]) for t in range(depth)] if aware else []
    for rung in aware:
        bound = functools.partial(FROM_ATTENTION[rung], labels=labels, clusters=clusters)
        steps[rung] = bound(attention, d_cluster=current[:-1, ...], d_all=diameter[:-1, ...])
        composed[rung] = _compose(
            xp,
            current[0, ...],
            diameter[0, ...],
            slack,
            lambda t, c, whole, bound=bound: (
                bound(attention[t, ...], d_cluster=c, d_all=whole),
                shrinking[t] * whole,
            ),
        )
    if CELLS in rungs:
        cells, places = _cells(xp, labels, clusters)
        table = cell_distances(tokens, cells, ord=order)
        steps[CELLS] = block_transport_bound(
            attention, labels, cells=cells, distances=table[:-1, ...], clusters=clusters
        )
        composed[CELLS] = _recursion(xp, attention, cells, places, table[0, ...], slack)
    return Ladder(steps, composed)


def _at(ranges: CrossAttention, t: int) -> dict[str, Any]:
    return {name: value[t, ...] for name, value in ranges._asdict().items()}


def _compose(
    xp: Namespace, current: Any, diameter: Any, slack: Any, bound: Callable[[int, Any, Any], tuple[Any, Any]]
) -> Any:
    """Certified diameters from those of level 0; `bound` gives a step's promise for clusters and whole."""
    levels, whole = [current], diameter
    for t in range(slack.shape[0]):
        promised, whole = bound(t, xp.minimum(levels[-1], whole[..., None]), whole)
        whole = whole + slack[t, ...]
        levels.append(xp.minimum(promised + slack[t, ..., None], whole[..., None]))
    return xp.stack(levels)


def _recursion(xp: Namespace, attention: Any, cells: Any, places: list[int], table: Any, slack: Any) -> Any:
    """The diagonal of the table of cells, carried from step to step."""
    zero = xp.zeros_like(table[..., 0, 0])
    sizes = np.bincount(to_numpy(cells))
    device = array_api_compat.device(table)
    moves = xp.asarray(
        1.0 - np.diag(sizes == 1), dtype=table.dtype, device=device
    )  # a lone token has no extent
    levels = []
    for t in range(slack.shape[0] + 1):
        levels.append(
            xp.stack([zero if place < 0 else table[..., place, place] for place in places], axis=-1)
            if places
            else xp.zeros_like(table[..., 0, :0])
        )
        if t < slack.shape[0]:
            promised = block_recursion(attention[t, ...], cells, distances=table)
            table = promised + slack[t, ..., None, None] * moves
    return xp.stack(levels)


def _cells(xp: Namespace, labels: Any, clusters: int) -> tuple[Any, list[int]]:
    """Clusters and outsiders as cells 0..K-1, and the cell of each cluster, -1 where it is empty."""
    values, cells = np.unique(to_numpy(labels), return_inverse=True)
    place = {int(value): k for k, value in enumerate(values)}
    device = array_api_compat.device(labels)
    return xp.asarray(cells.reshape(-1), device=device), [place.get(g, -1) for g in range(clusters)]
