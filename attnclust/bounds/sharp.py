"""The best possible bound from ranges of weights and two diameters."""

from __future__ import annotations

from typing import Any

from jaxtyping import Float

from attnclust._array import Scalars
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
