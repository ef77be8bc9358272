"""A whole table of cluster diameters and distances, carried through a step: what composes over depth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from attnclust._array import (
    ArgumentError,
    Attention,
    Labels,
    Namespace,
    Scalars,
    common_batch,
    flag,
    flatten_batch,
    namespace,
    stochastic,
)
from attnclust._labels import take
from attnclust.bounds._pairs import pair_masses
from attnclust.bounds._ranges import checked_diameters
from attnclust.bounds._theorem import Theorem
from attnclust.bounds.block_transport import checked_table, worst_costs
from attnclust.geometry._diameters import checked_cells


def block_recursion(
    attention: Attention, cells: Labels, *, distances: Scalars, exact: bool = False
) -> Float[Any, "*batch K K"]:
    r"""The table of all cell diameters and distances after a step, bounded from the table before.

    Setting: one step Z' = A Z; the tokens are partitioned into K cells with the table C of largest
        distances, any norm.

    Statement: C' <= F_A(C), F_A(C)[m, l] = max over j in m, j' in l of W_C(P, Q) (see
        :func:`block_transport_bound`).
    F_A is monotone and homogeneous, so it composes over layers; F_(A2 A1) <= F_A2 o F_A1.

    Tight entry by entry, given A and C; it loses in composition.

    Source: proved here.

    Args:
        attention: ``(*batch, n, n)``, row-stochastic.
        cells: ``(n,)`` integers 0..K-1: the cell of each token.
        distances: ``(K, K)`` or ``(*batch, K, K)``: C, symmetric.
        exact: solve each transport problem exactly instead of the greedy plan.

    Returns:
        ``(*batch, K, K)``: F_A(C), symmetric. The diagonal bounds diameters; that of a cell with one
        token is 0.

    Raises:
        ArgumentTypeError, ArgumentError: as :func:`block_transport_bound`.

    >>> import numpy as np
    >>> attention = np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.0, 0.0, 1.0]])
    >>> block_recursion(attention, np.array([0, 0, 1]), distances=np.array([[1.0, 8.0], [8.0, 0.0]]))
    array([[0.25, 6.  ],
           [6.  , 0.  ]])
    """
    xp = namespace(attention=attention, cells=cells, distances=distances)
    exact = flag("exact", exact)
    attention = stochastic(xp, "attention", attention)
    members = checked_cells(xp, cells, n=attention.shape[-1])
    table = checked_table(xp, distances, members)
    batch = common_batch(xp, attention=tuple(attention.shape[:-2]), distances=tuple(table.shape[:-2]))
    dtype = xp.result_type(attention, table)
    rows = flatten_batch(xp, xp.astype(attention, dtype, copy=False), batch)
    prices = flatten_batch(xp, xp.astype(table, dtype, copy=False), batch)
    k = len(members)
    entries = {
        (r, s): _between(xp, rows, members[r], members[s], members, prices, exact=exact)
        for r in range(k)
        for s in range(r, k)
    }
    flat = xp.stack([entries[min(r, s), max(r, s)] for r in range(k) for s in range(k)], axis=-1)
    return xp.reshape(flat, (*batch, k, k))


def _between(
    xp: Namespace,
    rows: Any,
    first: np.ndarray,
    second: np.ndarray,
    cells: Sequence[np.ndarray],
    prices: Any,
    *,
    exact: bool,
) -> Any:
    same = first is second
    if not len(first) or not len(second) or not rows.shape[0] or (same and len(first) < 2):
        return xp.zeros_like(rows[:, 0, 0])
    others = None if same else take(xp, rows, second, axis=1)
    supply, demand = pair_masses(xp, take(xp, rows, first, axis=1), cells, others=others)
    return worst_costs(xp, supply, demand, prices, exact=exact)


def block_recursion_linear(
    attention: Attention, cells: Labels, *, d_cluster: Scalars, d_all: Scalars
) -> Float[Any, "*batch K"]:
    r"""The linear form of the recursion: every cell's diameter from all cells' diameters and D.

    Setting: as :func:`block_recursion`; P and Q are the cell masses of the parts of A[j] - A[j'].

    Statement: d'_g <= sum over r of B[g, r] d_r + kappa_g D, with B[g, r] = max over pairs in g of
        min(P_r, Q_r) and kappa_g
    the largest total variation between two rows' cell masses.

    Upper. If all rows of a cell give the same mass to each cell, kappa = 0 and distances between cells
    do not matter.

    Source: proved here.

    Args:
        attention: ``(*batch, n, n)``, row-stochastic.
        cells: ``(n,)`` integers 0..K-1: the cell of each token.
        d_cluster: ``(*batch, K)``: the cells' diameters, in any norm.
        d_all: ``(*batch)`` or broadcastable: D.

    Returns:
        ``(*batch, K)``; 0 for a cell with fewer than two tokens.

    Raises:
        ArgumentTypeError, ArgumentError: as :func:`block_transport_bound`; d > D; another number of cells.

    >>> import numpy as np
    >>> attention = np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.0, 0.0, 1.0]])
    >>> block_recursion_linear(attention, np.array([0, 0, 1]), d_cluster=np.array([1.0, 0.0]), d_all=8.0)
    array([0.25, 0.  ])
    """
    xp = namespace(attention=attention, cells=cells, d_cluster=d_cluster, d_all=d_all)
    attention = stochastic(xp, "attention", attention)
    members = checked_cells(xp, cells, n=attention.shape[-1])
    d, diameter = checked_diameters(xp, d_cluster, d_all, attention)
    if d.ndim == 0 or d.shape[-1] != len(members):
        raise ArgumentError(
            "d_cluster",
            f"must be (*batch, K) with K = {len(members)}",
            f"shape {tuple(d.shape)}",
            "One a cell.",
        )
    batch = common_batch(xp, attention=tuple(attention.shape[:-2]), d_cluster=tuple(d.shape[:-1]))
    dtype = xp.result_type(attention, d, diameter)
    rows = flatten_batch(xp, xp.astype(attention, dtype, copy=False), batch)
    shape = (*batch, len(members))
    d, diameter = (
        xp.reshape(xp.broadcast_to(xp.astype(each, dtype, copy=False), shape), (rows.shape[0], len(members)))
        for each in (d, diameter)
    )
    columns = []
    for g, inside in enumerate(members):
        if len(inside) < 2:
            columns.append(xp.zeros_like(rows[:, 0, 0]))
            continue
        of_cell, kept, drift = take(xp, rows, inside, axis=1), xp.zeros_like(rows[:, 0, 0]), 0.0
        for r, cell in enumerate(members):
            positive, negative = (each[..., 0] for each in pair_masses(xp, of_cell, [cell]))
            kept = kept + xp.max(xp.minimum(positive, negative), axis=1) * d[:, r]
            drift = drift + xp.abs(positive - negative) / 2
        columns.append(kept + xp.max(drift, axis=1) * diameter[:, g])
    return xp.reshape(xp.stack(columns, axis=-1), shape)


BLOCK_RECURSION = Theorem(
    label="block_recursion",
    kind="tight",
    statement="the table of cell diameters and distances after a step is at most F_A of the table before",
    source="proved here",
    proof="block_recursion",
    function=block_recursion,
)

BLOCK_RECURSION_LINEAR = Theorem(
    label="block_recursion_linear",
    kind="upper",
    statement="d'_g <= sum_r B_gr d_r + kappa_g D, B_gr = max min(P_r, Q_r), kappa_g = max total variation",
    source="proved here",
    proof="block_recursion_linear",
    function=block_recursion_linear,
)
