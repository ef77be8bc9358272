"""A trajectory of the simulator, measured level by level and held against the ladder."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import array_api_compat

from attnclust._array import (
    ArgumentError,
    ArgumentTypeError,
    Labels,
    Namespace,
    Number,
    is_scalar,
    namespace,
    real,
    stochastic,
    unit_roundoff,
)
from attnclust._labels import partition
from attnclust.bounds import certify, cross_attention
from attnclust.geometry import cluster_diameters, diameter
from attnclust.geometry._diameters import checked_order
from attnclust.geometry._pairs import norm
from attnclust.watch._chains import chained_clusters
from attnclust.watch._hulls import dunn_ratios, separations
from attnclust.watch._ladder import CELLS, RUNGS, ladder

ENTRIES = 1 << 21
"""Attention weights of all steps that are watched together: enough that the calls themselves cost little."""


@dataclass(frozen=True)
class Watch:
    """What was seen along a trajectory of L steps; depth comes first, as in the trajectory. In float64.

    Level quantities have L + 1 entries, step quantities L; entry l of a step leads from level l to l + 1.

    Attributes:
        diameter: ``(L + 1, *batch)``: D, the diameter of all tokens.
        raw: ``(L + 1, *batch, M)``: the clusters' diameters d.
        relative: d / D; 0 where D = 0.
        angular: the widest angle between two tokens of the cluster seen from the origin, degrees; or None.
        clusters_found: ``(L + 1, *batch)`` int: chains of tokens (see :func:`chained_clusters`), or None.
        separation: ``(L + 1, *batch, M, M)``: distances between the clusters' hulls, or None.
        dunn: ``(L + 1, *batch)``: the largest d over the least separation, or None.
        eps_lower, eps_upper, outside: ``(L, *batch, M)``: see :func:`attnclust.bounds.cross_attention`.
        stepped: ``(L, *batch, M)``: the clusters' diameters in A Z, the step of the simplified layer from
            this level; the next level's `raw` where the layer is that one.
        tolerance: ``(L, *batch)``: what rounding may do to a diameter and its bound in this step:
            (4 (n + d + 8) u + 6 times the defect of the rows' sums) max||z||, u of the trajectory's dtype.
        simplified: ``(L, *batch)`` bool: the step was Z' = A Z, within that tolerance.
        bounds: by rung ``(L, *batch, M)``: the bound on `stepped` from this level's measured diameters.
        holds: stepped <= bound, within the tolerance.
        certified: bound < d by more than the tolerance.
        composed: by rung ``(L + 1, *batch, M)``: the bound on `raw` from level 0 and the attention alone,
            each step fed the promise of the one before, rounding included; NaN from the first step on that
            was not simplified.
        composed_holds: raw <= composed, by rung ``(L + 1, *batch, M)``; true where nothing is promised.
        stage: ``(L, *batch, M)`` int: see :func:`attnclust.bounds.certify`, or None.
    """

    diameter: Any
    raw: Any
    relative: Any
    angular: Any
    clusters_found: Any
    separation: Any
    dunn: Any
    eps_lower: Any
    eps_upper: Any
    outside: Any
    stepped: Any
    tolerance: Any
    simplified: Any
    bounds: Mapping[str, Any]
    holds: Mapping[str, Any]
    certified: Mapping[str, Any]
    composed: Mapping[str, Any]
    composed_holds: Mapping[str, Any]
    stage: Any


def watch(
    trajectory: Any,
    labels: Labels,
    *,
    ord: Number = 2,  # noqa: A002
    rungs: Any = RUNGS,
    angles: Any = True,
    radius: Number = 0.05,
    hulls: Any = False,
    certificates: Any = False,
    clusters: Number = None,
) -> Watch:
    r"""Diameters, attention ranges, the ladder and its composition, and clusters, along a trajectory.

    Setting: any trajectory of :func:`attnclust.attention.simulate`. Bounds speak of A Z, whatever the layer
    makes of it; their composition speaks of the levels themselves, and so only of the simplified layer,
    Z' = A Z: no value matrix, no residual, no norm. Any mask will do, since its rows still sum to 1. With
    several heads A is their mean, which is what the layer applies if it has no value matrices.

    Source: paper, section 3.2; the composition is proved here (`block_recursion`; the other rungs are
    monotone in both diameters, and homogeneous but for paper_main).

    Args:
        trajectory: what :func:`attnclust.attention.simulate` gave: tokens ``(L + 1, *batch, n, d)`` and
            attention ``(L, *batch, n, n)``, or with heads before the last two axes.
        labels: ``(n,)`` or ``(*batch, n)`` integers: clusters 0..M-1, -1 for an outsider.
        ord: the p of the norm, 1 <= p <= inf.
        rungs: which of :data:`RUNGS`; those from ranges cost least, block_transport most.
        angles: measure `angular`.
        radius: tokens count as one cluster where a chain joins them whose steps are at most this share of the
            run's Euclidean diameter at level 0; None does not count them.
        hulls: measure `separation` and `dunn` too: exact, pair by pair on the host; `ord` 1, 2 or infinity.
        certificates: run the cascade of :func:`attnclust.bounds.certify` too.
        clusters: M, if more than the largest label + 1.

    Returns:
        A :class:`Watch`, of the kind and on the device of the trajectory.

    Raises:
        ArgumentTypeError: mixed kinds, no real floating dtype, labels that are no integers.
        ArgumentError: shapes that do not fit, rows that do not sum to 1, NaN, labels of the wrong length, an
            unknown rung, a negative radius; block_transport or hulls with labels that differ by run.

    >>> import numpy as np
    >>> from attnclust.attention import simulate
    >>> tokens = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    >>> seen = watch(simulate(tokens, np.eye(1), np.eye(1), steps=2), np.array([0, 0, 1, 1]))
    >>> seen.raw.round(3).tolist()
    [[1.0, 1.0], [0.285, 0.285], [0.014, 0.014]]
    >>> seen.composed["cluster_dobrushin"].round(3).tolist()
    [[1.0, 1.0], [0.317, 0.317], [0.016, 0.016]]
    """
    tokens, attention, labels, names, order, count = _checked(trajectory, labels, ord, rungs, clusters)
    xp = array_api_compat.array_namespace(tokens)
    if radius is not None and not (is_scalar(radius) and 0 <= radius < math.inf):
        raise ArgumentError("radius", "must be a number of at least 0", radius, "Pass a share, such as 0.05.")
    shared = labels.ndim == 1
    if not shared and (CELLS in names or hulls):
        raise ArgumentError(
            "labels",
            "must be (n,) where block_transport or hulls are watched",
            f"shape {tuple(labels.shape)}",
            "Watch runs of one labelling together, or leave these out of rungs.",
        )
    depth, *batch, n, _ = attention.shape
    runs = math.prod(batch)
    flat_tokens = xp.reshape(tokens, (depth + 1, runs, *tokens.shape[-2:]))
    flat_attention = xp.reshape(attention, (depth, runs, n, n))
    flat_labels = labels if shared else xp.reshape(xp.broadcast_to(labels, (*batch, n)), (runs, n))
    at_once = max(1, ENTRIES // max(1, depth * n * n))
    parts = []
    for first in range(0, max(runs, 1), at_once):
        here = slice(first, min(first + at_once, runs))
        levels, maps = flat_tokens[:, here, ...], flat_attention[:, here, ...]
        which = labels if shared else flat_labels[here, ...]
        seen = _see(xp, levels, maps, which, order, names, count)
        levels = xp.astype(levels, xp.float64, copy=False)
        if angles:
            seen["angular"] = _angles(xp, levels, which, count)
        if radius is not None:
            seen["clusters_found"] = _found(xp, levels, float(radius))
        if hulls:
            members = partition(xp, labels, batch=(), n=n, clusters=count).labellings[0].members
            seen["separation"] = separations(xp, levels, members, order)
            seen["dunn"] = dunn_ratios(xp, seen["raw"], seen["separation"])
        if certificates:
            seen["stage"] = certify(maps, flat_tokens[:-1, here, ...], which, ord=order, clusters=count).stage
        parts.append(seen)
    whole = {name: _joined(xp, [part[name] for part in parts], tuple(batch)) for name in parts[0]}
    by_rung = {
        kind: {name: whole.pop(f"{kind}:{name}") for name in names}
        for kind in ("bounds", "holds", "certified", "composed", "composed_holds")
    }
    absent = dict.fromkeys(("angular", "clusters_found", "separation", "dunn", "stage"))
    return Watch(**(absent | whole), **by_rung)


def _joined(xp: Namespace, parts: list[Any], batch: tuple[int, ...]) -> Any:
    x = parts[0] if len(parts) == 1 else xp.concat(parts, axis=1)
    return xp.reshape(x, (x.shape[0], *batch, *x.shape[2:]))


def _see(
    xp: Namespace,
    tokens: Any,
    attention: Any,
    labels: Any,
    order: float,
    rungs: tuple[str, ...],
    count: int,
) -> dict[str, Any]:
    """Everything cheap, for a block of runs."""
    ranges = cross_attention(attention, labels, clusters=count)  # also refuses rows that do not sum to 1
    n, d = tokens.shape[-2:]
    roundoff = unit_roundoff(xp, tokens)
    tokens, rows = (xp.astype(each, xp.float64, copy=False) for each in (tokens, attention))
    before, after = tokens[:-1, ...], tokens[1:, ...]
    largest = _longest(xp, before, order)
    defect = xp.max(xp.abs(xp.sum(rows, axis=-1) - 1), axis=-1)
    slack = (4 * (n + d + 8) * roundoff + 6 * defect) * largest
    averaged = rows @ before
    simplified = _within(xp, averaged - after, slack, order)
    whole = diameter(tokens, ord=order)
    raw = xp.minimum(cluster_diameters(tokens, labels, ord=order, clusters=count), whole[..., None])
    all_simplified = bool(xp.all(simplified))
    stepped = (
        raw[1:, ...] if all_simplified else cluster_diameters(averaged, labels, ord=order, clusters=count)
    )
    found = ladder(
        xp,
        attention,
        tokens,
        labels,
        ranges=ranges,
        current=raw,
        diameter=whole,
        slack=slack,
        rungs=rungs,
        order=order,
        clusters=count,
    )
    seen = {
        "diameter": whole,
        "raw": raw,
        "relative": raw / xp.where(whole > 0, whole, xp.ones_like(whole))[..., None],
        **ranges._asdict(),
        "stepped": stepped,
        "tolerance": slack,
        "simplified": simplified,
    }
    unbroken = xp.cumulative_prod(xp.astype(simplified, xp.int64), axis=0) > 0
    unbroken = xp.concat([xp.ones_like(whole[:1, ...], dtype=xp.bool), unbroken])
    border = slack[..., None]
    for rung in rungs:
        bound, promised = found.steps[rung], found.composed[rung]
        seen[f"bounds:{rung}"] = bound
        seen[f"holds:{rung}"] = stepped <= bound + border
        seen[f"certified:{rung}"] = bound < raw[:-1, ...] - border
        known = unbroken[..., None]
        seen[f"composed:{rung}"] = xp.where(known, promised, math.nan * xp.ones_like(promised))
        seen[f"composed_holds:{rung}"] = (raw <= promised) | ~known
    return seen


def _longest(xp: Namespace, x: Any, order: float) -> Any:
    """The largest norm of a token in each set; plain squares where they neither overflow nor vanish."""
    if order == 2:
        squares = xp.max(xp.linalg.vecdot(x, x), axis=-1)
        if bool(xp.all((squares > 1e-250) & xp.isfinite(squares))):
            return xp.sqrt(squares)
    return xp.max(norm(xp, x, order), axis=-1)


def _within(xp: Namespace, gap: Any, limit: Any, order: float) -> Any:
    """Whether every token of a set is at most `limit` long; the largest coordinate tells where it can."""
    least = xp.max(xp.max(xp.abs(gap), axis=-1), axis=-1)
    if bool(xp.all(least * gap.shape[-1] ** (1 / order) <= limit)):
        return least <= limit
    return xp.max(norm(xp, gap, order), axis=-1) <= limit


def _angles(xp: Namespace, tokens: Any, labels: Any, count: int) -> Any:
    length = norm(xp, tokens, 2.0)[..., None]
    chords = cluster_diameters(
        tokens / xp.where(length > 0, length, xp.ones_like(length)), labels, clusters=count
    )
    half = chords / 2
    return 2 * xp.asin(xp.minimum(half, xp.ones_like(half))) * (180 / math.pi)


def _found(xp: Namespace, tokens: Any, radius: float) -> Any:
    reach = radius * diameter(tokens[0, ...])
    reach = xp.broadcast_to(reach[None, ...], tuple(tokens.shape[:-2]))
    return xp.max(chained_clusters(tokens, radius=reach), axis=-1) + 1


def _checked(trajectory: Any, labels: Any, order: Any, rungs: Any, clusters: Any) -> tuple[Any, ...]:
    if not isinstance(trajectory, tuple) or len(trajectory) != 2:
        raise ArgumentTypeError(
            "trajectory",
            "must be a Trajectory(tokens, attention)",
            type(trajectory).__name__,
            "Pass what simulate returned.",
        )
    tokens, attention = trajectory
    xp = namespace(tokens=tokens, attention=attention, labels=labels)
    tokens = real(xp, "tokens", tokens, ndim=3)
    if attention.ndim == tokens.ndim + 1:
        attention = xp.mean(stochastic(xp, "attention", attention), axis=-3)
    if tuple(attention.shape[:-1]) != (tokens.shape[0] - 1, *tokens.shape[1:-1]):
        raise ArgumentError(
            "trajectory",
            "must hold tokens (L + 1, *batch, n, d) and attention (L, *batch, n, n)",
            f"shapes {tuple(tokens.shape)} and {tuple(attention.shape)}",
            "Pass what simulate returned.",
        )
    names = (rungs,) if isinstance(rungs, str) else tuple(rungs)
    for name in names:
        if name not in RUNGS:
            raise ArgumentError("rungs", f"must be among {', '.join(RUNGS)}", repr(name), "Leave it out.")
    part = partition(xp, labels, batch=tuple(tokens.shape[1:-2]), n=tokens.shape[-2], clusters=clusters)
    return tokens, attention, labels, names, checked_order(order), part.clusters
