"""The paper's bound without its quadratic term."""

from __future__ import annotations

from typing import Any

from jaxtyping import Float

from attnclust._array import Scalars
from attnclust.bounds._ranges import Ranges, checked_ranges
from attnclust.bounds._theorem import Theorem


def linear_bound(
    d_cluster: Scalars, d_all: Scalars, *, outside: Scalars, eps_lower: Scalars, eps_upper: Scalars
) -> Float[Any, "*shape"]:
    r"""The paper's bounds without their quadratic terms, which are superfluous.

    Setting: one step Z' = A Z, A row-stochastic; a cluster of diameter d in tokens of diameter D; every
        weight
    from the cluster to the m tokens outside lies in [eps_lower, eps_upper]. Write
    x_l = m eps_lower.

    Statement: d' <= (1 - x_l)^2 d + 2 m eps_upper D.

    Upper: never below d, so it never certifies that a cluster shrinks.

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

    >>> float(linear_bound(1.0, 4.0, outside=2, eps_lower=0.25, eps_upper=0.25))
    4.25
    """
    return linear_value(checked_ranges(d_cluster, d_all, outside, eps_lower, eps_upper))


def linear_value(r: Ranges) -> Any:
    """The formula, for arguments already checked."""
    return (1 - r.x_lower) ** 2 * r.d + 2 * r.uncapped * r.diameter


LINEAR = Theorem(
    label="linear",
    kind="upper",
    statement="d' <= (1 - x_l)^2 d + 2 m eps_u D",
    source="proved here",
    proof="linear",
    function=linear_bound,
)
