"""The table of largest distances between cells: for the Euclidean norm from one product for all cells."""

from __future__ import annotations

from typing import Any

import array_api_compat
import numpy as np
from jaxtyping import Float

from attnclust._array import Namespace
from attnclust._labels import Labelling, take
from attnclust.geometry._pairs import PAIR_BUDGET, between, norm, within

RESOLVED = 0.1
"""Distances whose square is at least this share of the largest square of a norm lose no digit to a common
centre: d u / 0.1 relative at most."""


def distances_of(
    xp: Namespace, x: Float[Any, "b n d"], members: tuple[Any, ...], order: float
) -> Float[Any, "b K K"]:
    """The table of distances between cells, given by their members."""
    k = len(members)
    if not k:
        return xp.zeros((x.shape[0], 0, 0), dtype=x.dtype, device=array_api_compat.device(x))
    upper = [(r, s) for r in range(k) for s in range(r, k)]
    entry = dict.fromkeys(upper) if order != 2 else _from_one_product(xp, x, members, upper)
    zero = xp.zeros(x.shape[0], dtype=x.dtype, device=array_api_compat.device(x))
    for (r, s), known in entry.items():
        if known is None:
            first, second = (take(xp, x, members[each], axis=1) for each in (r, s))
            filled = len(members[r]) and len(members[s])
            one = (
                within(xp, first, order) if r == s else between(xp, first, second, order) if filled else zero
            )
            entry[r, s] = one
    flat = xp.stack([entry[min(pair), max(pair)] for pair in np.ndindex(k, k)], axis=-1)
    return xp.reshape(flat, (x.shape[0], k, k))


def diameters_in(xp: Namespace, table: Float[Any, "b K K"], labelling: Labelling) -> tuple[Any, Any]:
    """The clusters' diameters ``(b, M)`` and that of all tokens ``(b,)``, from a table whose cells are the
    clusters that have tokens, in order, and the outsiders, if any.
    """
    zero = xp.zeros_like(table[:, 0, 0])
    filled = [g for g, members in enumerate(labelling.members) if len(members)]
    each = [zero for _ in labelling.members]
    for cell, g in enumerate(filled):
        each[g] = table[:, cell, cell]
    whole = xp.max(xp.max(table, axis=2), axis=1)
    return (xp.stack(each, axis=-1) if each else xp.zeros_like(table[:, 0, :0])), whole


def _from_one_product(
    xp: Namespace, x: Any, members: tuple[Any, ...], pairs: list[tuple[int, int]]
) -> dict[tuple[int, int], Any]:
    """Euclidean entries from the product of all tokens with each other, about one centre; None where that
    centre is too far from both cells to keep their digits.
    """
    b, n, d = x.shape
    unknown = dict.fromkeys(pairs)
    if not b * n * n * d > 0 or b * n * n > PAIR_BUDGET:
        return unknown
    x = take(xp, x, np.concatenate(members), axis=1)
    u = x - xp.mean(x, axis=1, keepdims=True)
    with np.errstate(over="ignore"):  # seen in the next lines
        halves = xp.linalg.vecdot(u, u) / 2
    radius = xp.max(halves, axis=1)
    if not bool(xp.all((radius > 1e-200) & (radius < 1e200))):
        return unknown
    closeness = u @ xp.matrix_transpose(u)  # minus half the squared distance, once the norms are off
    closeness -= halves[:, :, None]
    closeness -= halves[:, None, :]
    ends = np.cumsum([len(each) for each in members])
    blocks = [slice(int(end) - len(each), int(end)) for each, end in zip(members, ends, strict=True)]
    found: list[tuple[int, int]] = []
    rows: list[Any] = []
    for r, s in pairs:
        size = (b, len(members[r]) * len(members[s]))
        if not size[1]:
            continue
        block = xp.reshape(closeness[:, blocks[r], blocks[s]], size)
        if bool(xp.all(-xp.min(block, axis=1) > RESOLVED * radius)):
            where = xp.argmin(block, axis=1)
            width = len(members[s])
            rows += [where // width + blocks[r].start, where % width + blocks[s].start]
            found.append((r, s))
    if found:
        base = n * xp.arange(b, device=array_api_compat.device(x))[:, None]
        ends_of = xp.take(
            xp.reshape(x, (b * n, d)), xp.reshape(base + xp.stack(rows, axis=-1), (-1,)), axis=0
        )
        ends_of = xp.reshape(ends_of, (b, len(found), 2, d))
        lengths = norm(xp, ends_of[:, :, 0, :] - ends_of[:, :, 1, :], 2.0)
        for i, pair in enumerate(found):
            unknown[pair] = lengths[:, i]
    return unknown
