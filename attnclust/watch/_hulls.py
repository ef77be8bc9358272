"""How far apart the hulls of clusters stay, level by level."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from attnclust._array import Namespace
from attnclust._labels import take
from attnclust.geometry import hull_distance


def separations(xp: Namespace, tokens: Any, members: tuple[np.ndarray, ...], order: float) -> Any:
    """Distances between the hulls of clusters, ``(*batch, M, M)``; infinite on the diagonal and for an empty
    cluster.
    """
    m = len(members)
    nothing = math.inf * xp.ones_like(tokens[..., 0, 0])
    entry = {(g, h): nothing for g in range(m) for h in range(m)}
    sets = [take(xp, tokens, each, axis=-2) for each in members]
    for g, h in itertools.combinations([g for g in range(m) if len(members[g])], 2):
        entry[g, h] = entry[h, g] = hull_distance(sets[g], sets[h], ord=order)
    if not m:
        return xp.zeros((*tokens.shape[:-2], 0, 0), dtype=tokens.dtype)
    return xp.stack([xp.stack([entry[g, h] for h in range(m)], axis=-1) for g in range(m)], axis=-2)


def dunn_ratios(xp: Namespace, diameters: Any, separation: Any) -> Any:
    """The largest diameter over the least separation, ``(*batch)``: below 1, clusters are compact and apart.

    Infinite where hulls meet, NaN where there are not two clusters.
    """
    if diameters.shape[-1] < 2:
        return (
            math.nan * xp.ones_like(separation[..., 0, 0]) if diameters.shape[-1] else xp.sum(diameters, -1)
        )
    least = xp.min(xp.min(separation, axis=-1), axis=-1)
    apart = xp.where(least > 0, least, xp.ones_like(least))
    ratio = xp.where(least > 0, xp.max(diameters, axis=-1) / apart, math.inf * xp.ones_like(least))
    return xp.where(xp.isinf(least), math.nan * xp.ones_like(least), ratio)
