"""Diameters of token sets: all of them, per cluster, and the table of distances between cells."""

from __future__ import annotations

from typing import Any

import array_api_compat
import numpy as np
from jaxtyping import Float

from attnclust._array import (
    ArgumentError,
    ArgumentTypeError,
    Labels,
    Namespace,
    Number,
    Tokens,
    flatten_batch,
    is_scalar,
    namespace,
    real,
)
from attnclust._labels import Labelling, partition, per_labelling, take
from attnclust.geometry._pairs import within
from attnclust.geometry._table import distances_of

TOGETHER = 8
"""Clusters whose sizes agree when rounded up to a multiple of this are measured together."""


def checked_order(order: Any) -> float:
    """`order` as the exponent of a norm.

    Raises:
        ArgumentTypeError: no number.
        ArgumentError: below 1 or NaN, where the p-norm is no norm.
    """
    if not is_scalar(order):
        raise ArgumentTypeError(
            "ord", "must be a number", type(order).__name__, "Pass 1, 2, inf or another p >= 1."
        )
    if not order >= 1:
        raise ArgumentError("ord", "must be at least 1", order, "Pass 1, 2, inf or another p >= 1.")
    return float(order)


def flat_float64(xp: Namespace, tokens: Any, batch: tuple[int, ...]) -> Any:
    """`tokens` in float64 with one batch axis."""
    return flatten_batch(xp, xp.astype(tokens, xp.float64, copy=False), batch)


def diameter(tokens: Tokens, *, ord: Number = 2) -> Float[Any, "*batch"]:  # noqa: A002
    r"""The largest distance between two tokens, :math:`\max_{j, k} \lVert z_j - z_k \rVert`.

    Source: paper, Theorem 3.1, where it is written d(Z).

    Args:
        tokens: ``(*batch, n, d)``, real floating.
        ord: the p of the norm, 1 <= p <= inf.

    Returns:
        ``(*batch,)`` in the dtype of `tokens`, computed in float64. 0 for fewer than two tokens. Exact
        to a few units of rounding at any offset of the tokens from the origin.

    Raises:
        ArgumentTypeError: `tokens` is no array or not of a real floating dtype; `ord` is no number.
        ArgumentError: fewer than two axes, NaN or infinity; `ord` below 1.

    >>> import numpy as np
    >>> float(diameter(np.array([[0.0, 0.0], [3.0, 4.0], [1.0, 0.0]])))
    5.0
    """
    xp = namespace(tokens=tokens)
    tokens = real(xp, "tokens", tokens, ndim=2)
    order = checked_order(ord)
    batch = tuple(tokens.shape[:-2])
    return xp.astype(xp.reshape(within(xp, flat_float64(xp, tokens, batch), order), batch), tokens.dtype)


def cluster_diameters(
    tokens: Tokens,
    labels: Labels,
    *,
    ord: Number = 2,  # noqa: A002
    clusters: int | None = None,
) -> Float[Any, "*batch M"]:
    r"""The diameter of each cluster, the paper's intra-cluster distance d(Z^m).

    Each cluster is centred on its own mean, so tight clusters far from the origin keep all their digits.

    Source: paper, Theorem 3.1(ii).

    Args:
        tokens: ``(*batch, n, d)``, real floating.
        labels: ``(n,)`` or ``(*batch, n)`` integers: clusters 0..M-1, -1 for an outsider.
        ord: the p of the norm, 1 <= p <= inf.
        clusters: the number of clusters M, if more than the largest label + 1.

    Returns:
        ``(*batch, M)`` in the dtype of `tokens`, computed in float64; 0 for a cluster with fewer than
        two tokens.

    Raises:
        ArgumentTypeError: as :func:`diameter`; labels that are no integers.
        ArgumentError: as :func:`diameter`; labels of the wrong length or outside -1..M-1.

    >>> import numpy as np
    >>> cluster_diameters(np.array([[0.0], [2.0], [9.0], [9.5]]), np.array([0, 0, 1, 1]))
    array([2. , 0.5])
    """
    xp = namespace(tokens=tokens, labels=labels)
    tokens = real(xp, "tokens", tokens, ndim=2)
    order = checked_order(ord)
    batch = tuple(tokens.shape[:-2])
    part = partition(xp, labels, batch=batch, n=tokens.shape[-2], clusters=clusters)
    flat = flat_float64(xp, tokens, batch)
    none = xp.zeros((0, part.clusters), dtype=xp.float64, device=array_api_compat.device(tokens))
    measured = per_labelling(
        xp,
        part,
        batch,
        lambda labelling: diameters_of(xp, labelling.select(xp, flat), labelling, order),
        empty=none,
    )
    return xp.astype(measured, tokens.dtype)


def diameters_of(
    xp: Namespace, x: Float[Any, "b n d"], labelling: Labelling, order: float
) -> Float[Any, "b M"]:
    """The diameters of one labelling's clusters, for the batch elements that share it.

    Clusters of about one size are measured together, filled up with their own members, which changes no
    diameter.
    """
    b, _, d = x.shape
    device = array_api_compat.device(x)
    each = [xp.zeros(b, dtype=x.dtype, device=device) for _ in labelling.members]
    alike: dict[int, list[int]] = {}
    for g, members in enumerate(labelling.members):
        if len(members) > 1:
            alike.setdefault(-(-len(members) // TOGETHER), []).append(g)
    for group in alike.values():
        size = max(len(labelling.members[g]) for g in group)
        sized = [labelling.members[g] for g in group]
        filled = np.concatenate([each if len(each) == size else np.resize(each, size) for each in sized])
        sets = xp.reshape(take(xp, x, filled, axis=1), (b * len(group), size, d))
        measured = xp.reshape(within(xp, sets, order), (b, len(group)))
        for column, g in enumerate(group):
            each[g] = measured[:, column]
    return xp.stack(each, axis=-1) if each else xp.zeros((b, 0), dtype=x.dtype, device=device)


def cell_distances(
    tokens: Tokens,
    cells: Labels,
    *,
    ord: Number = 2,  # noqa: A002
) -> Float[Any, "*batch K K"]:
    """The table of largest distances between cells: diameters on the diagonal, :math:`C_{rs}` beside it.

    Source: proved here, the table that :func:`attnclust.bounds.block_transport_bound` takes.

    Args:
        tokens: ``(*batch, n, d)``, real floating.
        cells: ``(n,)`` integers 0..K-1: the cell of each token; every token is in one.
        ord: the p of the norm, 1 <= p <= inf.

    Returns:
        ``(*batch, K, K)``, symmetric, in the dtype of `tokens`; 0 where a cell is empty.

    Raises:
        ArgumentTypeError, ArgumentError: as :func:`cluster_diameters`; a token in no cell; cells with a
            batch axis.

    >>> import numpy as np
    >>> cell_distances(np.array([[0.0], [2.0], [9.0]]), np.array([0, 0, 1]))
    array([[2., 9.],
           [9., 0.]])
    """
    xp = namespace(tokens=tokens, cells=cells)
    tokens = real(xp, "tokens", tokens, ndim=2)
    order = checked_order(ord)
    batch = tuple(tokens.shape[:-2])
    members = checked_cells(xp, cells, n=tokens.shape[-2])
    table = distances_of(xp, flat_float64(xp, tokens, batch), members, order)
    return xp.astype(xp.reshape(table, (*batch, len(members), len(members))), tokens.dtype)


def checked_cells(xp: Namespace, cells: Any, *, n: int) -> tuple[Any, ...]:
    """The members of each cell.

    Raises:
        ArgumentTypeError, ArgumentError: as :func:`cell_distances`.
    """
    part = partition(xp, cells, batch=(), n=n, clusters=None, name="cells")
    if sum(len(each) for each in part.labellings[0].members) != n:
        raise ArgumentError("cells", "must put every token in a cell", "a token in none", "Use 0..K-1.")
    return part.labellings[0].members
