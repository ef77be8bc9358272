"""The best possible bound from ranges of weights and two diameters."""

from __future__ import annotations

from typing import Any

from jaxtyping import Bool, Float

from attnclust._array import Number, Scalars, whole
from attnclust.bounds._ranges import Ranges, checked_ranges
from attnclust.bounds._theorem import Theorem


def sharp_bound(
    d_cluster: Scalars, d_all: Scalars, *, outside: Scalars, eps_lower: Scalars, eps_upper: Scalars
) -> Float[Any, "*shape"]:
    r"""The best possible bound on a cluster's next diameter from (m, eps_lower, eps_upper, d, D).

    Setting: one step Z' = A Z, A row-stochastic; a cluster of diameter d in tokens of diameter D; every
        weight
    from the cluster to the m tokens outside lies in [eps_lower, eps_upper]. Write x_l = m eps_lower and
    x_u = min(1, m eps_upper).

    Statement: d' <= (1 - x_u) d + (x_u - x_l) D. The cluster is certain to shrink exactly if
    (x_u - x_l) D < x_u d.

    Tight in all five quantities, for every |G| >= 2, m >= 1 and 0 <= d <= D:
    :func:`attnclust.attention.sharp_configuration` attains it.

    Source: proved here.

    Args:
        d_cluster: ``(*batch, M)`` or a number: the diameter d of the cluster, in any norm.
        d_all: the diameter D of all tokens in the same norm, ``(*batch)`` or anything that broadcasts.
        outside: m, how many tokens are outside the cluster.
        eps_lower: the least weight that a token of the cluster gives to one outside.
        eps_upper: the greatest such weight.

    Returns:
        An array of the common shape, in the dtype that the arguments promote to.

    Raises:
        ArgumentTypeError: mixed kinds, no real floating dtype.
        ArgumentError: a negative or non-finite number, d > D, eps_lower > eps_upper, m eps_lower > 1;
            excess by rounding (see :mod:`attnclust._array`) is clipped.

    >>> float(sharp_bound(1.0, 4.0, outside=3, eps_lower=0.125, eps_upper=0.25))
    1.75
    """
    return sharp_value(checked_ranges(d_cluster, d_all, outside, eps_lower, eps_upper))


def sharp_value(r: Ranges) -> Any:
    """The formula, for arguments already checked."""
    return (1 - r.x_upper) * r.d + (r.x_upper - r.x_lower) * r.diameter


SHARP = Theorem(
    label="sharp",
    kind="tight",
    statement="d' <= (1 - x_u) d + (x_u - x_l) D",
    source="proved here",
    proof="sharp",
    function=sharp_bound,
)


def sharp_total_bound(d_all: Scalars, *, outside: Scalars, eps_lower: Scalars) -> Float[Any, "*shape"]:
    r"""What the common part of all rows alone implies, whatever the cluster's diameter.

    Setting: as :func:`sharp_bound`, with nothing known of d and eps_upper.

    Statement: d' <= (1 - m eps_lower) D.

    Tight: :func:`sharp_bound` for d = D, whatever eps_upper.

    Source: proved here.

    Args:
        d_all: D, a number or an array.
        outside: m, how many tokens are outside the cluster.
        eps_lower: the least weight that a token of the cluster gives to one outside.

    Returns:
        An array of the common shape.

    Raises:
        ArgumentTypeError, ArgumentError: as :func:`sharp_bound`.

    >>> float(sharp_total_bound(4.0, outside=3, eps_lower=0.25))
    1.0
    """
    # Of d and eps_upper only that they are at least 0 and at most 1, so that errors name what was passed.
    r = checked_ranges(0.0, d_all, outside, eps_lower, 1.0)
    return (1 - r.x_lower) * r.diameter


def sharp_certificate(
    d_cluster: Scalars, d_all: Scalars, *, outside: Scalars, eps_lower: Scalars, eps_upper: Scalars
) -> Bool[Any, "*shape"]:
    r"""Whether the ranges and two diameters make it certain that the cluster shrinks.

    Setting: as :func:`sharp_bound`.

    Statement: :func:`sharp_bound` is below d exactly if (x_u - x_l) D < x_u d; for m eps_upper <= 1 that is
    d / D > 1 - eps_lower / eps_upper.

    Tight: where it is false, some step with these numbers does not shrink the cluster.

    Source: proved here.

    Args:
        d_cluster: ``(*batch, M)`` or a number: the diameter d of the cluster, in any norm.
        d_all: the diameter D of all tokens in the same norm, ``(*batch)`` or anything that broadcasts.
        outside: m, how many tokens are outside the cluster.
        eps_lower: the least weight that a token of the cluster gives to one outside.
        eps_upper: the greatest such weight.

    Returns:
        Boolean, of the common shape.

    Raises:
        ArgumentTypeError, ArgumentError: as :func:`sharp_bound`.

    >>> bool(sharp_certificate(3.0, 4.0, outside=3, eps_lower=0.125, eps_upper=0.25))
    True
    """
    r = checked_ranges(d_cluster, d_all, outside, eps_lower, eps_upper)
    return (r.x_upper - r.x_lower) * r.diameter < r.x_upper * r.d


def iteration_bound(
    d_cluster: Scalars,
    d_all: Scalars,
    *,
    outside: Scalars,
    eps_lower: Scalars,
    eps_upper: Scalars,
    steps: Number,
) -> Float[Any, "*shape"]:
    r"""The sharp bound over t layers whose weights stay in one range.

    Setting: t steps, each as in :func:`sharp_bound`; d and D are the diameters before the first.

    Statement: d_t <= (1 - x_u)^t d + (1 - (1 - x_u)^t) (1 - x_l / x_u) D; relative diameters are driven
        to at most
    1 - x_l / x_u.

    Upper: the ranges allow D to stay while the cluster falls, which no one stack attains at every step.

    Source: proved here.

    Args:
        d_cluster: ``(*batch, M)`` or a number: the diameter d of the cluster, in any norm.
        d_all: the diameter D of all tokens in the same norm, ``(*batch)`` or anything that broadcasts.
        outside: m, how many tokens are outside the cluster.
        eps_lower: the least weight that a token of the cluster gives to one outside.
        eps_upper: the greatest such weight.
        steps: t, a whole number >= 0.

    Returns:
        An array of the common shape.

    Raises:
        ArgumentTypeError, ArgumentError: as :func:`sharp_bound`; steps that are no whole number >= 0.

    >>> float(iteration_bound(1.0, 4.0, outside=2, eps_lower=0.25, eps_upper=0.25, steps=3))
    0.125
    """
    steps = whole("steps", steps)
    r = checked_ranges(d_cluster, d_all, outside, eps_lower, eps_upper)
    kept = (1 - r.x_upper) ** steps
    leaking = r.xp.where(r.x_upper > 0, r.x_upper, r.xp.ones_like(r.x_upper))
    return kept * r.d + (1 - kept) * (1 - r.x_lower / leaking) * r.diameter


SHARP_TOTAL = Theorem(
    label="sharp_total",
    kind="tight",
    statement="d' <= (1 - x_l) D",
    source="proved here",
    proof="sharp_total",
    function=sharp_total_bound,
)

CERTIFICATE = Theorem(
    label="certificate",
    kind="tight",
    statement="the cluster is certain to shrink iff (x_u - x_l) D < x_u d",
    source="proved here",
    proof="certificate",
    function=sharp_certificate,
)

ITERATION = Theorem(
    label="iteration",
    kind="upper",
    statement="d_t <= (1 - x_u)^t d_0 + (1 - (1 - x_u)^t) (1 - x_l / x_u) D_0",
    source="proved here",
    proof="iteration",
    function=iteration_bound,
)
