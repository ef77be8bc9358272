"""The best possible bound from the attention matrix and a table of distances between cells of tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import array_api_compat
import numpy as np
from jaxtyping import Float

from attnclust._array import (
    ArgumentError,
    Attention,
    Labels,
    Namespace,
    Number,
    Scalars,
    Tokens,
    at_most,
    common_batch,
    flag,
    flatten_batch,
    namespace,
    real,
    stochastic,
    to_numpy,
)
from attnclust._labels import Labelling, label_batch, partition, per_labelling, take
from attnclust.bounds._pairs import indicators, masses_of, pair_masses, row_pairs
from attnclust.bounds._plans import plan_costs
from attnclust.bounds._theorem import Theorem
from attnclust.bounds._transport import exact_cost
from attnclust.geometry import cell_distances
from attnclust.geometry._diameters import checked_cells


def block_transport_bound(
    attention: Attention,
    labels: Labels,
    *,
    cells: Labels,
    distances: Scalars,
    exact: bool = False,
    tokens: Tokens = None,
    ord: Number = 2,  # noqa: A002
    clusters: int | None = None,
) -> Float[Any, "*batch M"]:
    r"""The best possible bound given the attention and a table of distances between cells: a small
    transport problem.

    Setting: one step Z' = A Z; the tokens are partitioned into K cells (the clusters, the prefix tokens
        apart; or
    finer) and C[r, s] is at least every distance between a token of r and another of s. For a pair j, j' in
    the cluster P and Q are the masses of the positive and the negative part of A[j] - A[j'] on each cell.

    Statement: d' <= max over pairs of W_C(P, Q), the least cost of a plan with marginals P and Q at prices C.

    Tight for every row-stochastic matrix and every table with C[r, s] <= C[r, t] + C[t, s] and
    C[r, r] <= 2 C[r, s], as every true one has:
    :func:`attnclust.attention.block_transport_configuration` attains it. Refining the cells never
    loosens it; one cell is Dobrushin's bound.

    Source: proved here.

    Args:
        attention: ``(*batch, n, n)``, row-stochastic.
        labels: ``(n,)`` or ``(*batch, n)`` integers: clusters 0..M-1, -1 for an outsider.
        cells: ``(n,)`` integers 0..K-1: the cell of each token.
        distances: ``(K, K)`` or ``(*batch, K, K)``: C, symmetric, in any norm.
        exact: solve the transport problem of every pair exactly, one by one on the host (slow; an
            oracle). Otherwise the best plan for K <= 2, and for more cells a greedy one, in order of
            cost: valid, never above :func:`cluster_dobrushin_bound`, within a few per cent on real attention.
        tokens: ``(*batch, n, d)``: if given, `distances` is checked against them, in the norm `ord`.
        ord: the p of that norm.
        clusters: M, if more than the largest label + 1.

    Returns:
        ``(*batch, M)`` in the dtype that the arguments promote to; 0 for a cluster with fewer than two
        tokens.

    Raises:
        ArgumentTypeError: mixed kinds, no real floating dtype, labels or cells that are no integers.
        ArgumentError: rows that do not sum to 1, negative weights, NaN, labels or cells of the wrong
            length, a token in no cell, a table that is not symmetric, negative, of the wrong size, or
            smaller than the truth.

    >>> import numpy as np
    >>> attention = np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.0, 0.0, 1.0]])
    >>> labels = cells = np.array([0, 0, 1])
    >>> block_transport_bound(attention, labels, cells=cells, distances=np.array([[1.0, 8.0], [8.0, 0.0]]))
    array([0.25, 0.  ])
    """
    xp = namespace(
        "tokens", attention=attention, labels=labels, cells=cells, distances=distances, tokens=tokens
    )
    exact = flag("exact", exact)
    attention = stochastic(xp, "attention", attention)
    n = attention.shape[-1]
    members = checked_cells(xp, cells, n=n)
    table = checked_table(xp, distances, members)
    if tokens is not None:
        truth = xp.astype(cell_distances(tokens, cells, ord=ord), table.dtype, copy=False)
        common_batch(xp, distances=table.shape[:-2], tokens=truth.shape[:-2])
        at_most(xp, "the true distance between two cells", truth, "the entry of distances", table)
    batch = common_batch(
        xp,
        attention=tuple(attention.shape[:-2]),
        labels=label_batch(xp, labels),
        distances=tuple(table.shape[:-2]),
    )
    part = partition(xp, labels, batch=batch, n=n, clusters=clusters)
    dtype = xp.result_type(attention, table)
    rows = flatten_batch(xp, xp.astype(attention, dtype, copy=False), batch)
    prices = flatten_batch(xp, xp.astype(table, dtype, copy=False), batch)

    def evaluate(labelling: Labelling) -> Any:
        here, prices_here = labelling.select(xp, rows), labelling.select(xp, prices)
        columns = [_of_cluster(xp, here, inside, members, prices_here, exact) for inside in labelling.members]
        return xp.stack(columns, axis=-1) if columns else xp.zeros_like(here[:, 0, :0])

    none = xp.zeros((0, part.clusters), dtype=dtype, device=array_api_compat.device(attention))
    return per_labelling(xp, part, batch, evaluate, empty=none)


def checked_table(xp: Namespace, distances: Any, members: tuple[np.ndarray, ...]) -> Any:
    """The table of prices between cells.

    Raises:
        ArgumentTypeError, ArgumentError: as :func:`block_transport_bound`.
    """
    table = real(xp, "distances", distances, ndim=2)
    k = len(members)
    if tuple(table.shape[-2:]) != (k, k):
        raise ArgumentError(
            "distances",
            f"must be (K, K) with K = {k} cells",
            f"shape {tuple(table.shape)}",
            "See attnclust.geometry.cell_distances.",
        )
    if bool(xp.any(table < 0)) or bool(xp.any(table != xp.matrix_transpose(table))):
        raise ArgumentError(
            "distances",
            "must be symmetric and not negative",
            "a table that is not",
            "C[r, s] is the largest distance between a token of r and one of s.",
        )
    return table


def _of_cluster(
    xp: Namespace, rows: Any, inside: np.ndarray, cells: Sequence[np.ndarray], prices: Any, exact: bool
) -> Any:
    worst = xp.zeros_like(rows[:, 0, 0])
    if len(inside) < 2:
        return worst
    supply, demand = pair_masses(xp, take(xp, rows, inside, axis=1), cells)
    return worst_costs(xp, supply, demand, prices, exact=exact) if rows.shape[0] else worst


def worst_costs(xp: Namespace, supply: Any, demand: Any, prices: Any, *, exact: bool) -> Any:
    """The largest cost over the pairs ``(b, N, K)``, ``(b,)``."""
    measure = _exact_costs if exact else plan_costs
    worst = [
        xp.max(measure(xp, supply[b, ...], demand[b, ...], prices[b, ...])) for b in range(supply.shape[0])
    ]
    return xp.stack(worst)


FEW = 256
"""So many pairs at most are not worth a look at which of them could be the worst."""


def worst_costs_below(
    xp: Namespace, rows: Any, cells: Sequence[np.ndarray], prices: Any, ceilings: Any
) -> Any:
    """The largest cost over the pairs of a cluster's `rows`, ``(b,)``, where no pair of stochastic rows costs
    more than its ceiling ``(b, N)``: pairs that cannot be the worst are left out.
    """
    sets = indicators(xp, cells, rows.shape[2], rows)
    first, second = row_pairs(rows.shape[1])
    sums = xp.sum(rows, axis=2)
    # What rows miss of the sum 1 finds no partner, and is charged the highest price.
    charge = (xp.max(sums, axis=1) - xp.min(sums, axis=1)) * xp.max(prices, axis=(1, 2))
    worst = []
    for b in range(rows.shape[0]):
        ceiling = to_numpy(ceilings[b, ...] + charge[b])
        high = 0.95 * ceiling.max() if len(first) > FEW else 0.0

        def among(keep: np.ndarray, b: int = b) -> Any:
            masses = masses_of(xp, rows[b, ...], first[keep], second[keep], sets)
            return xp.max(plan_costs(xp, *masses, prices[b, ...]))

        best = among(ceiling >= high)
        rest = (ceiling < high) & (ceiling > float(to_numpy(best)))
        worst.append(xp.maximum(best, among(rest)) if rest.any() else best)
    return xp.stack(worst)


def _exact_costs(xp: Namespace, supply: Any, demand: Any, prices: Any) -> Any:
    tables = [to_numpy(each).astype(np.float64) for each in (supply, demand, prices)]
    costs = [exact_cost(p, q, tables[2]) for p, q in zip(tables[0], tables[1], strict=True)]
    return xp.asarray(np.array(costs), dtype=supply.dtype, device=array_api_compat.device(supply))


BLOCK_TRANSPORT = Theorem(
    label="block_transport",
    kind="tight",
    statement="d' <= max over pairs of W_C(P, Q), the least cost of carrying P to Q at cell prices C",
    source="proved here",
    proof="block_transport",
    function=block_transport_bound,
)
