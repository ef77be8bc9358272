"""Theorem 3.1(ii) as the paper states it: in the main text, and in the appendix."""

from __future__ import annotations

from typing import Any

from jaxtyping import Float

from attnclust._array import Scalars
from attnclust.bounds._ranges import Ranges, checked_ranges
from attnclust.bounds._theorem import Theorem


def paper_main_bound(
    d_cluster: Scalars, d_all: Scalars, *, outside: Scalars, eps_lower: Scalars, eps_upper: Scalars
) -> Float[Any, "*shape"]:
    r"""Theorem 3.1(ii) of the main text, inequality (1), with the observed ranges as closed bounds.

    Setting: one step Z' = A Z, A row-stochastic; a cluster of diameter d in tokens of diameter D; every
        weight
    from the cluster to the m tokens outside lies in [eps_lower, eps_upper].

    Statement: d' <= (1 - m eps_lower)^2 d + m eps_upper D (m eps_upper D + 2).
    With "<", as printed, it is true if D > 0 and m eps_upper > 0, and false for D = 0, and for m
    eps_upper = 0 with rows of the identity on the cluster. It is not homogeneous: scaling the tokens
    scales its sides differently.

    Upper: never below d, so it never certifies that a cluster shrinks.

    Source: paper, Theorem 3.1(ii), eq. (1).

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

    >>> float(paper_main_bound(1.0, 4.0, outside=2, eps_lower=0.25, eps_upper=0.25))
    8.25
    """
    return paper_main_value(checked_ranges(d_cluster, d_all, outside, eps_lower, eps_upper))


def paper_main_value(r: Ranges) -> Any:
    """The formula, for arguments already checked."""
    return (1 - r.x_lower) ** 2 * r.d + r.uncapped * r.diameter * (r.uncapped * r.diameter + 2)


PAPER_MAIN = Theorem(
    label="paper_main",
    kind="upper",
    statement="d' <= (1 - m eps_l)^2 d + m eps_u D (m eps_u D + 2)",
    source="paper, Theorem 3.1(ii), eq. (1)",
    proof="paper_main",
    function=paper_main_bound,
)


def paper_appendix_bound(
    d_cluster: Scalars, d_all: Scalars, *, outside: Scalars, eps_lower: Scalars, eps_upper: Scalars
) -> Float[Any, "*shape"]:
    r"""Theorem A.1(ii) of the appendix, inequality (2), with the observed ranges as closed bounds.

    Setting: one step Z' = A Z, A row-stochastic; a cluster of diameter d in tokens of diameter D; every
        weight
    from the cluster to the m tokens outside lies in [eps_lower, eps_upper].

    Statement: d' <= (1 - m eps_lower)^2 d + m eps_upper D (m eps_upper + 2).
    With "<" it is true and false where :func:`paper_main_bound` is.

    Upper: never below d, so it never certifies that a cluster shrinks.

    Source: paper, Theorem A.1(ii), eq. (2).

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

    >>> float(paper_appendix_bound(1.0, 4.0, outside=2, eps_lower=0.25, eps_upper=0.25))
    5.25
    """
    return paper_appendix_value(checked_ranges(d_cluster, d_all, outside, eps_lower, eps_upper))


def paper_appendix_value(r: Ranges) -> Any:
    """The formula, for arguments already checked."""
    return (1 - r.x_lower) ** 2 * r.d + r.uncapped * r.diameter * (r.uncapped + 2)


PAPER_APPENDIX = Theorem(
    label="paper_appendix",
    kind="upper",
    statement="d' <= (1 - m eps_l)^2 d + m eps_u D (m eps_u + 2)",
    source="paper, Theorem A.1(ii), eq. (2)",
    proof="paper_appendix",
    function=paper_appendix_bound,
)
