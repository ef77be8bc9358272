"""What the bounds share that know the tokens themselves: one step in float64, cluster by cluster."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import array_api_compat

from attnclust._array import Namespace, checked_step, common_batch, namespace
from attnclust._labels import Labelling, label_batch, partition, per_labelling, take
from attnclust.geometry._diameters import checked_order, flat_float64


def rung_from_tokens(
    attention: Any,
    tokens: Any,
    labels: Any,
    order: Any,
    clusters: int | None,
    value: Callable[[Namespace, Any, Any, float], Any],
    *,
    origin: Any = None,
) -> Any:
    """``value(xp, rows of the cluster (b, k, n), tokens (b, n, d), order)`` for each cluster.

    Tokens are taken from `origin`, their mean if None. ``(*batch, M)``, computed in float64, in the
    dtype of the arguments; 0 for a cluster with fewer than two tokens.
    """
    xp = namespace(attention=attention, tokens=tokens, labels=labels)
    attention, tokens = checked_step(xp, attention, tokens)
    p = checked_order(order)
    batch = common_batch(
        xp,
        attention=tuple(attention.shape[:-2]),
        tokens=tuple(tokens.shape[:-2]),
        labels=label_batch(xp, labels),
    )
    part = partition(xp, labels, batch=batch, n=tokens.shape[-2], clusters=clusters)
    rows, points = flat_float64(xp, attention, batch), flat_float64(xp, tokens, batch)
    points = points - (xp.mean(points, axis=1, keepdims=True) if origin is None else origin)

    def evaluate(labelling: Labelling) -> Any:
        rows_here, points_here = labelling.select(xp, rows), labelling.select(xp, points)
        zero = xp.zeros_like(rows_here[:, 0, 0])
        columns = [
            value(xp, take(xp, rows_here, inside, axis=1), points_here, p) if len(inside) > 1 else zero
            for inside in labelling.members
        ]
        return xp.stack(columns, axis=-1) if columns else xp.zeros_like(rows_here[:, 0, :0])

    none = xp.zeros((0, part.clusters), dtype=xp.float64, device=array_api_compat.device(tokens))
    return xp.astype(per_labelling(xp, part, batch, evaluate, empty=none), tokens.dtype, copy=False)
