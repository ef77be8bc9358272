"""The ladder in real blocks: value matrices, several heads, the residual, and the convex form of it."""

from __future__ import annotations

from typing import Any

from jaxtyping import Float

from attnclust._array import (
    ArgumentError,
    Namespace,
    Scalars,
    at_most,
    common_shape,
    is_scalar,
    namespace,
    real,
)
from attnclust.bounds._ranges import checked_ranges
from attnclust.bounds._theorem import Theorem
from attnclust.bounds.sharp import sharp_value


def _factor(xp: Namespace, name: str, value: Any, like: Any) -> Any:
    factor = real(xp, name, value, like=like)
    if bool(xp.any(factor < 0)):
        raise ArgumentError(name, "must not be negative", float(xp.min(factor)), "Pass an operator norm.")
    return factor


def value_matrix_bound(bound: Scalars, *, norm: Scalars) -> Float[Any, "*shape"]:
    r"""A bound for the tokens carried over to the tokens after a linear map: values, or values and
    projection.

    Setting: one step Z' = A Z W; any norms, \|\|x W\|\| <= w \|\|x\|\|; `bound` any homogeneous rung
        (all but paper_main)
    for the tokens Z.

    Statement: d' <= w bound.

    Tight for W = w I wherever the rung is.

    Source: proved here.

    Args:
        bound: a number or array: a rung of the ladder for Z.
        norm: w, a number or array.

    Returns:
        An array of the common shape.

    Raises:
        ArgumentTypeError: mixed kinds, no real floating dtype.
        ArgumentError: negative, NaN or infinite; shapes that do not broadcast.

    >>> float(value_matrix_bound(1.75, norm=2.0))
    3.5
    """
    xp = namespace(bound=bound, norm=norm)
    like = bound if not is_scalar(bound) else (norm if not is_scalar(norm) else None)
    rung, factor = _factor(xp, "bound", bound, like), _factor(xp, "norm", norm, like)
    common_shape(bound=rung, norm=factor)
    return factor * rung


def multi_head_bound(bounds: Any, *, norms: Any) -> Float[Any, "*batch M"]:
    r"""A bound for the sum of several heads, each followed by its part of the output projection.

    Setting: Z' = sum over heads of A_h V_h W_h; any norms, \|\|x W_h\|\| <= w_h \|\|x\|\|; a rung for
        each head's values.

    Statement: d' <= sum over heads of w_h bound_h.

    Upper: heads may cancel.

    Source: proved here.

    Args:
        bounds: ``(*batch, H, M)``: a rung of the ladder by head and cluster.
        norms: ``(H,)``: the operator norms w_h.

    Returns:
        ``(*batch, M)``.

    Raises:
        ArgumentTypeError: mixed kinds, no real floating dtype.
        ArgumentError: negative, NaN or infinite; another number of heads.

    >>> import numpy as np
    >>> multi_head_bound(np.array([[1.0], [2.0]]), norms=np.array([0.5, 3.0]))
    array([6.5])
    """
    xp = namespace(bounds=bounds, norms=norms)
    each = _factor(xp, "bounds", real(xp, "bounds", bounds, ndim=2), None)
    factors = _factor(xp, "norms", real(xp, "norms", norms, ndim=1), None)
    if tuple(factors.shape) != (each.shape[-2],):
        raise ArgumentError(
            "norms",
            f"must be (H,) with H = {each.shape[-2]}",
            f"shape {tuple(factors.shape)}",
            "One norm a head.",
        )
    return xp.sum(each * factors[:, None], axis=-2)


def residual_bound(
    d_cluster: Scalars,
    d_all: Scalars,
    *,
    outside: Scalars,
    eps_lower: Scalars,
    eps_upper: Scalars,
    norm: Scalars = 1.0,
) -> Float[Any, "*shape"]:
    r"""The sharp bound with a residual connection: no contraction is promised, and real residual streams
    expand.

    Setting: Z' = Z + A Z W; any norm, \|\|x W\|\| <= w \|\|x\|\|; ranges as in :func:`sharp_bound`.

    Statement: d' <= d + w ((1 - x_u) d + (x_u - x_l) D).

    Tight: attained by :func:`attnclust.attention.sharp_configuration` with W = w I.

    Source: proved here.

    Args:
        d_cluster: ``(*batch, M)`` or a number: the diameter d of the cluster, in any norm.
        d_all: the diameter D of all tokens in the same norm, ``(*batch)`` or anything that broadcasts.
        outside: m, how many tokens are outside the cluster.
        eps_lower: the least weight that a token of the cluster gives to one outside.
        eps_upper: the greatest such weight.
        norm: w, the operator norm of the value map.

    Returns:
        An array of the common shape.

    Raises:
        ArgumentTypeError, ArgumentError: as :func:`sharp_bound`; a negative norm.

    >>> float(residual_bound(1.0, 4.0, outside=3, eps_lower=0.125, eps_upper=0.25, norm=2.0))
    4.5
    """
    r = checked_ranges(d_cluster, d_all, outside, eps_lower, eps_upper)
    namespace(d_cluster=r.d, norm=norm)
    factor, step = _factor(r.xp, "norm", norm, r.d), sharp_value(r)
    common_shape(d_cluster=step, norm=factor)
    return r.d + factor * step


def convex_bound(
    d_cluster: Scalars,
    d_all: Scalars,
    *,
    outside: Scalars,
    eps_lower: Scalars,
    eps_upper: Scalars,
    alpha: Scalars,
) -> Float[Any, "*shape"]:
    r"""The sharp bound for a step that goes only part of the way.

    Setting: Z' = (1 - alpha) Z + alpha A Z, 0 <= alpha <= 1; any norm; ranges as in :func:`sharp_bound`.

    Statement: d' <= (1 - alpha x_u) d + alpha (x_u - x_l) D.

    Tight: attained by :func:`attnclust.attention.sharp_configuration`.

    Source: proved here.

    Args:
        d_cluster: ``(*batch, M)`` or a number: the diameter d of the cluster, in any norm.
        d_all: the diameter D of all tokens in the same norm, ``(*batch)`` or anything that broadcasts.
        outside: m, how many tokens are outside the cluster.
        eps_lower: the least weight that a token of the cluster gives to one outside.
        eps_upper: the greatest such weight.
        alpha: the share of the step, in [0, 1].

    Returns:
        An array of the common shape.

    Raises:
        ArgumentTypeError, ArgumentError: as :func:`sharp_bound`; alpha outside [0, 1].

    >>> float(convex_bound(1.0, 4.0, outside=3, eps_lower=0.125, eps_upper=0.25, alpha=0.5))
    1.375
    """
    r = checked_ranges(d_cluster, d_all, outside, eps_lower, eps_upper)
    namespace(d_cluster=r.d, alpha=alpha)
    share = _factor(r.xp, "alpha", alpha, r.d)
    share = at_most(r.xp, "alpha", share, "1, the whole step", r.xp.ones_like(share))
    step = sharp_value(r)
    common_shape(d_cluster=step, alpha=share)
    return (1 - share) * r.d + share * step


VALUE_MATRIX = Theorem(
    label="value_matrix",
    kind="tight",
    statement="for Z' = A Z W, ||x W|| <= w ||x||: d' <= w times any homogeneous rung of the ladder for Z",
    source="proved here",
    proof="value_matrix",
    function=value_matrix_bound,
)

MULTI_HEAD = Theorem(
    label="multi_head",
    kind="upper",
    statement="for several heads: d' <= sum over heads of w_h times the head's rung",
    source="proved here",
    proof="multi_head",
    function=multi_head_bound,
)

RESIDUAL = Theorem(
    label="residual",
    kind="tight",
    statement="for Z' = Z + A Z W: d' <= d + w ((1 - x_u) d + (x_u - x_l) D)",
    source="proved here",
    proof="residual",
    function=residual_bound,
)

CONVEX = Theorem(
    label="convex",
    kind="tight",
    statement="for Z' = (1 - alpha) Z + alpha A Z: d' <= (1 - alpha x_u) d + alpha (x_u - x_l) D",
    source="proved here",
    proof="convex",
    function=convex_bound,
)
