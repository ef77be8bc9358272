"""Configurations that attain the bounds from tables of cells and the bounds on separation."""

from __future__ import annotations

import itertools

import numpy as np
from jaxtyping import Float
from scipy.optimize import linprog

from attnclust._array import (
    ArgumentError,
    Attention,
    Labels,
    Scalars,
    namespace,
    number,
    real,
    to_numpy,
    two_of,
)
from attnclust._labels import label_batch, partition
from attnclust.attention._extremal import Configuration, _matrix, _members


def block_transport_configuration(
    attention: Attention, *, pair: tuple[int, int], cells: Labels, distances: Scalars
) -> Float[np.ndarray, "n 1"]:
    """Tokens, no farther apart than the table allows, that
    :func:`attnclust.bounds.block_transport_bound` describes.

    They move rows j and j' exactly W_C(P, Q) apart: Kantorovich's potential on 2K points, one for each
    cell and each sign of A[j] - A[j'], found by linear programming. Tokens of cell 0 where A[j] is the larger
    lie at 0; those on which both rows agree lie where A[j] is the smaller.

    Source: proved here, `block_transport`.

    Args:
        attention: ``(n, n)``, row-stochastic, any.
        pair: j and j', rows.
        cells: ``(n,)`` integers 0..K-1.
        distances: ``(K, K)``: C, symmetric, with C[r, s] <= C[r, t] + C[t, s] and C[r, r] <= 2 C[r, s].

    Returns:
        ``(n, 1)`` tokens.

    Raises:
        ArgumentTypeError, ArgumentError: as the bound; a table that no tokens can have.

    >>> import numpy as np
    >>> attention = np.array([[0.5, 0.25, 0.25], [0.25, 0.25, 0.5], [0.0, 0.0, 1.0]])
    >>> table = np.array([[1.0, 8.0], [8.0, 0.0]])
    >>> cells = np.array([0, 0, 1])
    >>> tokens = block_transport_configuration(attention, pair=(0, 1), cells=cells, distances=table)
    >>> after = attention @ tokens
    >>> round(float(abs(after[0] - after[1])[0]), 12)
    2.0
    """
    xp = namespace(attention=attention, cells=cells, distances=distances)
    a = _matrix(attention)
    table = to_numpy(real(xp, "distances", distances)).astype(np.float64)
    _refuse_table(table)
    k = len(table)
    j, i = two_of("pair", pair, len(a), "rows")
    delta = a[j] - a[i]
    label_batch(xp, cells, "cells")
    cell = to_numpy(cells)
    if cell.shape != (len(a),) or cell.min() < 0 or cell.max() >= k:
        raise ArgumentError(
            "cells", f"must be (n,) integers 0..{k - 1}", f"shape {cell.shape}", "Match the table."
        )
    point = np.where(delta > 0, cell, k + cell)
    worth = np.bincount(point, weights=delta, minlength=2 * k)
    pairs = np.array(list(itertools.permutations(range(2 * k), 2)))
    differences = np.zeros((len(pairs), 2 * k))
    differences[np.arange(len(pairs)), pairs[:, 0]] = 1
    differences[np.arange(len(pairs)), pairs[:, 1]] = -1
    prices = table[pairs[:, 0] % k, pairs[:, 1] % k]
    unit = prices.max() or 1.0
    answer = linprog(
        -worth,
        A_ub=differences,
        b_ub=prices / unit,
        bounds=[(0, 0), *[(None, None)] * (2 * k - 1)],
        method="highs",
    )
    return (unit * answer.x[point])[:, None]


def _refuse_table(table: np.ndarray) -> None:
    if table.ndim == 2 and table.shape[0] == table.shape[1] and (table == table.T).all():
        # With a detour back to where it began, C[r, r] <= 2 C[r, s]; and so nothing is negative.
        detour = (table[:, :, None] + table[None, :, :]).min(axis=1)
        if (table <= detour + 1e-12 * table.max(initial=0.0)).all():
            return
    raise ArgumentError(
        "distances",
        "must be symmetric and satisfy C[r, s] <= C[r, t] + C[t, s] and C[r, r] <= 2 C[r, s]",
        "a table that no tokens can have",
        "See attnclust.geometry.cell_distances.",
    )


def separation_configuration(
    *, mass_g: float, mass_h: float, separation: float, d_all: float
) -> Configuration:
    """Attains :func:`attnclust.bounds.separation_bound` for clusters 0 and 1, in the two outside masses.

    With the greater mass on cluster 0, or equal ones: cluster 0 at s, cluster 1 at 0 and an outsider at
    s - D; row 0 leaks to the outsider, row 1 to cluster 0. Otherwise mirrored: the outsider at D, row 1 leaks
    to it and row 0 to cluster 1.

    Source: proved here, `separation`.

    Args:
        mass_g: x_G, the mass that cluster 0 gives away, in [0, 1].
        mass_h: x_H, the mass that cluster 1 gives away, in [0, 1].
        separation: s >= 0.
        d_all: D >= s.

    Returns:
        A :class:`Configuration` of three tokens.

    Raises:
        ArgumentTypeError, ArgumentError: arguments outside the ranges above, or no numbers.

    >>> attention, tokens, _ = separation_configuration(mass_g=0.25, mass_h=0.125, separation=2.0, d_all=4.0)
    >>> after = attention @ tokens
    >>> float((after[0] - after[1])[0])  # (1 - 1/8) 2 - 1/4 4
    0.75
    """
    mass_g, mass_h = number("mass_g", mass_g), number("mass_h", mass_h)
    separation, d_all = number("separation", separation), number("d_all", d_all)
    if not (0 <= mass_g <= 1 and 0 <= mass_h <= 1 and 0 <= separation <= d_all):
        raise ArgumentError(
            "mass_g, mass_h, separation, d_all",
            "must satisfy 0 <= masses <= 1 and 0 <= separation <= d_all",
            (mass_g, mass_h, separation, d_all),
            "Check their order.",
        )
    attention = np.eye(3)
    if mass_g >= mass_h:
        attention[0], attention[1] = [1 - mass_g, 0, mass_g], [mass_h, 1 - mass_h, 0]
        outsider = separation - d_all
    else:
        attention[0], attention[1] = [1 - mass_g, mass_g, 0], [0, 1 - mass_h, mass_h]
        outsider = d_all
    return Configuration(attention, np.array([[separation], [0.0], [outsider]]), np.array([0, 1, -1]))


def separation_dobrushin_configuration(
    attention: Attention,
    labels: Labels,
    *,
    clusters: tuple[int, int] = (0, 1),
    separation: float,
    d_all: float,
) -> Float[np.ndarray, "n 1"]:
    """Tokens that attain :func:`attnclust.bounds.separation_dobrushin_bound`: G at s or above, H at 0 or
    below.

    Where the worst rows gain at least as much in H as in G, all lie in [s - D, s], else in [0, D]; tokens of
    neither cluster at the lower end where row j has more weight than row j', else at the upper.

    Source: proved here, `separation_dobrushin`.

    Args:
        attention: ``(n, n)``, row-stochastic, any.
        labels: ``(n,)`` integers.
        clusters: G and H.
        separation: s >= 0.
        d_all: D >= s.

    Returns:
        ``(n, 1)`` tokens of diameter at most D, G at least s above H; the worst rows end up exactly as
        far apart (as a signed gap) as the bound says.

    Raises:
        ArgumentTypeError, ArgumentError: as the bound; no such cluster; s > D.

    >>> import numpy as np
    >>> attention = np.array([[0.75, 0.0, 0.25], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    >>> labels = np.array([0, 1, -1])
    >>> tokens = separation_dobrushin_configuration(attention, labels, separation=2.0, d_all=4.0)
    >>> after = attention @ tokens
    >>> float((after[0] - after[1])[0])  # 2 max(3/4, 1) + 4 min(3/4, 1) - 4
    1.0
    """
    a = _matrix(attention)
    known = partition(namespace(labels=labels), labels, batch=(), n=len(a), clusters=None).clusters
    g, h = (_members(labels, len(a), each) for each in two_of("clusters", clusters, known, "clusters"))
    separation, d_all = number("separation", separation), number("d_all", d_all)
    if not 0 <= separation <= d_all:
        raise ArgumentError("separation", "must be between 0 and d_all", separation, "Check their order.")

    def kept(pair: tuple[int, int]) -> tuple[float, float, float]:
        delta = a[pair[0]] - a[pair[1]]
        return np.maximum(delta[g], 0).sum(), np.maximum(-delta[h], 0).sum(), np.abs(delta).sum() / 2

    def gap(pair: tuple[int, int]) -> float:
        in_g, in_h, tau = kept(pair)
        return separation * max(in_g, in_h) + d_all * (min(in_g, in_h) - tau)

    j, i = min(itertools.product(g.tolist(), h.tolist()), key=gap)
    in_g, in_h, _ = kept((j, i))
    low = separation - d_all if in_h >= in_g else 0.0
    gains = a[j] > a[i]
    tokens = np.where(gains, low, low + d_all)
    tokens[g] = np.where(gains[g], separation, low + d_all)
    tokens[h] = np.where(gains[h], low, 0.0)
    return tokens[:, None]
