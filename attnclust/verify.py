"""One step of attention, measured, against every rung of the ladder at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import array_api_compat
import numpy as np

from attnclust._array import (
    Attention,
    Labels,
    Namespace,
    Number,
    Tokens,
    checked_step,
    common_batch,
    flag,
    namespace,
)
from attnclust._labels import Labelling, label_batch, partition, per_labelling, take
from attnclust.bounds._pairs import cluster_pairs
from attnclust.bounds._ranges import Ranges
from attnclust.bounds.block_transport import worst_costs_below
from attnclust.bounds.cluster_dobrushin import cluster_dobrushin_value
from attnclust.bounds.cross_attention import outside_counts, ranges_of
from attnclust.bounds.linear import linear_value
from attnclust.bounds.overlap import overlap_value
from attnclust.bounds.paper import paper_appendix_value, paper_main_value
from attnclust.bounds.product import product_value
from attnclust.bounds.sharp import sharp_value
from attnclust.bounds.transport import transport_bound
from attnclust.geometry._diameters import checked_order, diameters_of, distances_of, flat_float64
from attnclust.geometry._pairs import rounding, within

FROM_RANGES = {
    "paper_main": paper_main_value,
    "paper_appendix": paper_appendix_value,
    "linear": linear_value,
    "product": product_value,
    "sharp": sharp_value,
}
FROM_PAIRS = {"overlap": overlap_value, "cluster_dobrushin": cluster_dobrushin_value}
RUNGS = (*FROM_RANGES, *FROM_PAIRS, "block_transport")
"""The rungs that are measured together; `transport` joins them where asked for."""


@dataclass(frozen=True)
class Verification:
    """What a step did to each cluster, and what each bound said; every entry is ``(*batch, M)``, in float64.

    Attributes:
        current: diameters d before the step.
        measured: diameters d' after it.
        diameter: ``(*batch,)``, the diameter D of all tokens before the step.
        tolerance: ``(*batch,)``, the rounding that every comparison allows:
            4 (n + d + 8) u max||z - mean||, plus the defect of the rows' sums times the same norm.
        eps_lower, eps_upper, outside: the ranges of cross-cluster weights (see
            :func:`attnclust.bounds.cross_attention`).
        counted: clusters with at least two tokens; only they count in shares.
        shrinks: d' < d by more than the tolerance.
        bounds: the bound by each rung's label.
        holds: d' <= bound, within the tolerance.
        certified: bound < d by more than the tolerance, so the rung promised that the cluster would shrink.
    """

    current: Any
    measured: Any
    diameter: Any
    tolerance: Any
    eps_lower: Any
    eps_upper: Any
    outside: Any
    counted: Any
    shrinks: Any
    bounds: Mapping[str, Any]
    holds: Mapping[str, Any]
    certified: Mapping[str, Any]

    @property
    def tightness(self) -> dict[str, Any]:
        """Measured / bound by rung, in [0, 1] to rounding; NaN where the bound is 0."""
        xp = array_api_compat.array_namespace(self.measured)
        ratios = {}
        for label, bound in self.bounds.items():
            divisor = xp.where(bound > 0, bound, xp.ones_like(bound))
            ratios[label] = xp.where(bound > 0, self.measured / divisor, xp.full_like(bound, math.nan))
        return ratios


def verify(
    attention: Attention,
    tokens: Tokens,
    labels: Labels,
    *,
    ord: Number = 2,  # noqa: A002
    transport: bool = False,
    pooled: bool = False,
    clusters: int | None = None,
) -> Verification:
    """Measure every cluster before and after one step Z' = A Z, and hold every cheap rung of the ladder
    against it.

    Setting: the simplified layer. A step of a real model obeys it exactly per head, with its value
    vectors as tokens.

    Args:
        attention: ``(*batch, n, n)``, row-stochastic; row = query.
        tokens: ``(*batch, n, d)``: what the attention averages, of the same kind.
        labels: ``(n,)`` or ``(*batch, n)`` integers: clusters 0..M-1, -1 for an outsider.
        ord: the p of the norm, 1 <= p <= inf.
        transport: measure exact transport too, with the key ``transport``: solved pair by pair on the host,
            refused above 64 tokens.
        pooled: hold the rungs from ranges to one range for all clusters, as the paper states its
            theorem, instead of each cluster's own.
        clusters: M, if more than the largest label + 1.

    Returns:
        A :class:`Verification`, of the kind and on the device of the arguments, in float64.

    Raises:
        ArgumentTypeError: mixed kinds, no real floating dtype, labels that are no integers.
        ArgumentError: rows that do not sum to 1, negative weights, NaN, shapes that do not fit, labels
            of the wrong length.

    >>> import numpy as np
    >>> attention = np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.0, 0.0, 1.0]])
    >>> step = verify(attention, np.array([[0.0], [1.0], [8.0]]), np.array([0, 0, 1]))
    >>> step.measured[0], step.bounds["cluster_dobrushin"][0], step.bounds["paper_main"][0]
    (np.float64(0.25), np.float64(0.25), np.float64(8.5625))
    >>> step.certified["cluster_dobrushin"], step.certified["paper_main"]
    (array([ True, False]), array([False, False]))
    """
    xp = namespace(attention=attention, tokens=tokens, labels=labels)
    attention, tokens = checked_step(xp, attention, tokens)
    order = checked_order(ord)
    transport, pooled = flag("transport", transport), flag("pooled", pooled)
    n = tokens.shape[-2]
    own = {"attention": tuple(attention.shape[:-2]), "tokens": tuple(tokens.shape[:-2])}
    batch = common_batch(xp, **own, labels=label_batch(xp, labels))
    part = partition(xp, labels, batch=batch, n=n, clusters=clusters)
    # A step is measured once, however many labellings it is held against.
    steps = common_batch(xp, **own)
    step = _measure(xp, flat_float64(xp, attention, steps), flat_float64(xp, tokens, steps), order)
    of_step = np.broadcast_to(np.arange(math.prod(steps)).reshape(steps), batch).flatten()
    device = array_api_compat.device(tokens)
    names = ("current", "measured", "eps_lower", "eps_upper", *RUNGS)
    none = xp.zeros((0, len(names), part.clusters), dtype=xp.float64, device=device)
    table = per_labelling(
        xp, part, batch, lambda labelling: _evaluate(xp, step, of_step, labelling, order, pooled), empty=none
    )
    column = {name: table[..., i, :] for i, name in enumerate(names)}
    counts = outside_counts(part, math.prod(batch), n).reshape(*batch, part.clusters)
    tolerance, whole = (
        xp.reshape(take(xp, each, of_step, axis=0), batch) for each in (step.tolerance, step.diameter)
    )
    border, current, measured = tolerance[..., None], column["current"], column["measured"]
    bounds = {name: column[name] for name in RUNGS}
    if transport:
        bounds["transport"] = xp.astype(
            transport_bound(attention, tokens, labels, ord=ord, clusters=clusters), xp.float64, copy=False
        )
    return Verification(
        current=current,
        measured=measured,
        diameter=whole,
        tolerance=tolerance,
        eps_lower=column["eps_lower"],
        eps_upper=column["eps_upper"],
        outside=xp.asarray(counts, device=device),
        counted=xp.asarray(n - counts >= 2, device=device),
        shrinks=measured < current - border,
        bounds=bounds,
        holds={name: measured <= bound + border for name, bound in bounds.items()},
        certified={name: bound < current - border for name, bound in bounds.items()},
    )


class _Step(NamedTuple):
    """A step in float64 with one batch axis; tokens centred, which changes no distance."""

    rows: Any
    before: Any
    after: Any
    diameter: Any
    tolerance: Any

    def select(self, xp: Namespace, steps: np.ndarray) -> _Step:
        if np.array_equal(steps, np.arange(self.rows.shape[0])):
            return self
        return _Step(*(take(xp, each, steps, axis=0) for each in self))


def _measure(xp: Namespace, rows: Any, tokens: Any, order: float) -> _Step:
    before = tokens - xp.mean(tokens, axis=1, keepdims=True)
    return _Step(rows, before, rows @ before, within(xp, before, order), rounding(xp, rows, before, order))


def _evaluate(
    xp: Namespace, step: _Step, of_step: np.ndarray, labelling: Labelling, order: float, pooled: bool
) -> Any:
    """All columns of the table for the batch elements of one labelling, ``(b, names, M)``.

    `of_step` holds the step of each element of the whole batch.
    """
    step = step.select(xp, of_step if labelling.positions is None else of_step[labelling.positions])
    n = step.rows.shape[1]
    current, measured = (diameters_of(xp, each, labelling, order) for each in (step.before, step.after))
    current = xp.minimum(current, step.diameter[:, None])
    eps = ranges_of(xp, step.rows, labelling, pooled=pooled)
    lower, upper = eps[:, 0, :], eps[:, 1, :]
    m = xp.asarray([float(n - len(inside)) for inside in labelling.members], dtype=xp.float64)
    m = array_api_compat.to_device(m, array_api_compat.device(lower))
    one = xp.ones_like(upper)
    ranges = Ranges(
        xp, current, step.diameter[:, None], xp.minimum(m * lower, one), xp.minimum(m * upper, one), m * upper
    )
    from_ranges = [value(ranges) for value in FROM_RANGES.values()]
    return xp.stack(
        [current, measured, lower, upper, *from_ranges, *_from_pairs(xp, step, labelling, current, order)],
        axis=1,
    )


def _from_pairs(xp: Namespace, step: _Step, labelling: Labelling, current: Any, order: float) -> list[Any]:
    """The rungs from pairs of rows and block_transport, each ``(b, M)``, from one pass over the pairs."""
    outsiders = np.flatnonzero(labelling.labels < 0)
    cells = [each for each in (*labelling.members, outsiders) if len(each)]
    prices = distances_of(xp, step.before, tuple(cells), order)
    zero = xp.zeros_like(step.diameter)
    columns: list[list[Any]] = [[] for _ in range(len(FROM_PAIRS) + 1)]
    for g, inside in enumerate(labelling.members):
        worst = [zero for _ in columns]
        if len(inside) > 1 and step.rows.shape[0]:
            of_cluster = take(xp, step.rows, inside, axis=1)
            pairs = cluster_pairs(xp, of_cluster, inside, current[:, g], step.diameter)
            found = {name: value(pairs) for name, value in FROM_PAIRS.items()}
            # No plan costs more than the rung above it in the ladder.
            ceilings = found["cluster_dobrushin"]
            plans = worst_costs_below(xp, of_cluster, cells, prices, ceilings)
            worst = [*(xp.max(values, axis=-1) for values in found.values()), plans]
        for column, value in zip(columns, worst, strict=True):
            column.append(value)
    return [xp.stack(each, axis=-1) if each else xp.zeros_like(current) for each in columns]
