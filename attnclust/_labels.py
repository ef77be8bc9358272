"""Partitions of tokens: labels checked once, then clusters as index lists, one list of lists a distinct
labelling.

A batch usually holds few distinct labellings (all heads and all levels of an image share one), so
everything per cluster is computed for all batch elements of one labelling together.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import array_api_compat
import numpy as np

from attnclust._array import (
    ArgumentError,
    ArgumentTypeError,
    Labels,
    Namespace,
    is_scalar,
    to_numpy,
    whole,
)


class Labelling(NamedTuple):
    """One distinct labelling of a batch: which batch elements have it (None: all), and the tokens of
    each cluster.
    """

    positions: np.ndarray | None
    labels: np.ndarray
    members: tuple[np.ndarray, ...]

    def select(self, xp: Namespace, x: Any) -> Any:
        """The batch elements of `x` ``(b, ...)`` that have this labelling."""
        return x if self.positions is None else take(xp, x, self.positions, axis=0)


class Partition(NamedTuple):
    """All labellings of a batch, and the number of clusters M, the same for all."""

    clusters: int
    labellings: tuple[Labelling, ...]


def take(xp: Namespace, x: Any, indices: np.ndarray, *, axis: int) -> Any:
    """Entries of `x` at host `indices` along `axis`."""
    return xp.take(x, xp.asarray(indices, device=array_api_compat.device(x)), axis=axis)


def label_batch(xp: Namespace, labels: Labels, name: str = "labels") -> tuple[int, ...]:
    """The batch shape of `labels`.

    Raises:
        ArgumentTypeError: no array of integers.
        ArgumentError: no axis.
    """
    if is_scalar(labels) or not array_api_compat.is_array_api_obj(labels):
        raise ArgumentTypeError(name, "must be an integer array", type(labels).__name__, "Convert it first.")
    array: Any = labels
    if not xp.isdtype(array.dtype, "integral"):
        raise ArgumentTypeError(
            name, "must have an integer dtype", array.dtype, "Number the clusters 0..M-1."
        )
    if array.ndim == 0:
        raise ArgumentError(name, "must have one entry a token", "a single number", "Label every token.")
    return tuple(array.shape[:-1])


def refuse_below(name: str, lowest: int) -> None:
    """Raise :class:`ArgumentError` where the lowest label is below that of an outsider."""
    if lowest < -1:
        raise ArgumentError(
            name, "must be -1 (outsider) or a cluster number", lowest, "Number the clusters 0..M-1."
        )


def partition(
    xp: Namespace,
    labels: Labels,
    *,
    batch: tuple[int, ...],
    n: int,
    clusters: int | None,
    name: str = "labels",
) -> Partition:
    """The clusters that `labels` name, over a batch of `n` tokens each.

    Raises:
        ArgumentTypeError: labels are no integers, `clusters` no whole number.
        ArgumentError: wrong length, a batch shape that does not broadcast to `batch`, values below -1 or not
            below `clusters`.
    """
    label_batch(xp, labels, name)
    if labels.shape[-1] != n:
        raise ArgumentError(
            name,
            f"must have one entry a token, so length {n}",
            f"shape {tuple(labels.shape)}",
            "Label every token; -1 is an outsider.",
        )
    table = to_numpy(labels).astype(np.int64)
    try:
        rows = np.broadcast_to(table, (*batch, n)).reshape(math.prod(batch), n)
    except ValueError:
        raise ArgumentError(
            name,
            f"batch axes must broadcast to {batch}",
            f"shape {table.shape}",
            "Labels are (n,) or (*batch, n).",
        ) from None
    lowest, highest = (int(table.min()), int(table.max())) if table.size else (-1, -1)
    refuse_below(name, lowest)
    count = highest + 1 if clusters is None else whole("clusters", clusters)
    if highest >= count:
        raise ArgumentError(name, f"must be below clusters={count}", highest, "Raise clusters or renumber.")
    if table.ndim == 1:
        return Partition(count, (_labelling(None, table, count),))
    distinct, inverse = np.unique(rows, axis=0, return_inverse=True)
    if len(distinct) == 1:
        return Partition(count, (_labelling(None, distinct[0], count),))
    inverse = inverse.reshape(-1)
    return Partition(
        count, tuple(_labelling(np.flatnonzero(inverse == i), row, count) for i, row in enumerate(distinct))
    )


def _labelling(positions: np.ndarray | None, labels: np.ndarray, clusters: int) -> Labelling:
    return Labelling(positions, labels, tuple(np.flatnonzero(labels == g) for g in range(clusters)))


def per_labelling(
    xp: Namespace,
    part: Partition,
    batch: tuple[int, ...],
    evaluate: Callable[[Labelling], Any],
    *,
    empty: Any,
) -> Any:
    """The results ``(b_i, ...)`` of `evaluate` for each labelling, put back in batch order: ``(*batch,
    ...)``.

    `empty` is the result for a batch without elements.
    """
    results = [evaluate(labelling) for labelling in part.labellings]
    if not results:
        return xp.reshape(empty, (*batch, *empty.shape[1:]))
    whole = results[0] if len(results) == 1 else xp.concat(results, axis=0)
    if len(results) > 1:
        order = np.argsort(
            np.concatenate([np.asarray(each.positions) for each in part.labellings]), kind="stable"
        )
        whole = take(xp, whole, order, axis=0)
    return xp.reshape(whole, (*batch, *whole.shape[1:]))
