"""What softmax adds: rows cannot differ more than their logits, so tight sets contract on their own."""

from __future__ import annotations

from typing import Any

from jaxtyping import Float

from attnclust._array import (
    ArgumentError,
    Namespace,
    Number,
    Scalars,
    at_most,
    common_shape,
    is_scalar,
    namespace,
    positive,
    real,
    whole,
)
from attnclust.bounds._ranges import checked_diameters
from attnclust.bounds._theorem import Theorem


def softmax_beta(w_q: Any, w_k: Any, *, scale: Number = None) -> Float[Any, "*batch"]:
    r"""How fast logits can differ: beta = scale \|\|W_Q W_K^T\|\|_2.

    Source: proved here, the beta of :func:`cubic_bound`. A bias of the keys drops out of softmax; a bias
        of the queries
    is not covered.

    Args:
        w_q: ``(*batch, d, d_k)``; queries are ``tokens @ w_q``.
        w_k: the same shape.
        scale: a positive number; 1 / sqrt(d_k) if None.

    Returns:
        ``(*batch,)``.

    Raises:
        ArgumentTypeError: mixed kinds, no real floating dtype.
        ArgumentError: shapes that differ, no row or no column, NaN, a scale that is not positive.

    >>> import numpy as np
    >>> float(softmax_beta(np.eye(4), 3 * np.eye(4)))
    1.5
    """
    xp = namespace(w_q=w_q, w_k=w_k)
    w_q, w_k = real(xp, "w_q", w_q, ndim=2), real(xp, "w_k", w_k, ndim=2)
    if tuple(w_q.shape) != tuple(w_k.shape) or 0 in w_q.shape[-2:]:
        raise ArgumentError(
            "w_q and w_k",
            "must have one shape, (d, d_k), with d and d_k at least 1",
            f"{tuple(w_q.shape)}, {tuple(w_k.shape)}",
            "Transpose one?",
        )
    scale = w_q.shape[-1] ** -0.5 if scale is None else positive("scale", scale)
    return scale * xp.linalg.matrix_norm(w_q @ xp.matrix_transpose(w_k), ord=2)


def _checked(xp: Namespace, **named: Any) -> list[Any]:
    like = next((each for each in named.values() if not is_scalar(each)), None)
    arrays = [real(xp, name, value, like=like) for name, value in named.items()]
    common_shape(**dict(zip(named, arrays, strict=True)))
    for name, each in zip(named, arrays, strict=True):
        if bool(xp.any(each < 0)):
            raise ArgumentError(
                name, "must not be negative", float(xp.min(each)), "Pass diameters and norms."
            )
    return arrays


def cubic_bound(d_all: Scalars, *, beta: Scalars, steps: Number = 1) -> Float[Any, "*shape"]:
    r"""Softmax attention contracts a tight set of tokens cubically.

    Setting: Z' = softmax(Z B Z^T) Z, \|\|B\|\|_2 = beta; Euclidean norm.

    Statement: diam(Z') <= tanh(beta D^2 / 4) D <= (beta / 4) D^3; over L steps
    D_L <= (beta / 4)^((3^L - 1) / 2) D^(3^L).

    Tight for one step: two points on a line, with suitable multiplicities, attain it.

    Source: proved here; compare Dong, Cordonnier, Loukas (2021).

    Args:
        d_all: D, a number or an array.
        beta: see :func:`softmax_beta`.
        steps: how often the bound is applied to its own result, with the same beta.

    Returns:
        An array of the common shape.

    Raises:
        ArgumentTypeError: mixed kinds, no real floating dtype, steps that are no whole number.
        ArgumentError: negative, NaN or infinite; shapes that do not broadcast.

    >>> round(float(cubic_bound(2.0, beta=1.0)), 6)
    1.523188
    """
    steps = whole("steps", steps)
    xp = namespace(d_all=d_all, beta=beta)
    diameter, slope = _checked(xp, d_all=d_all, beta=beta)
    for _ in range(steps):
        diameter = xp.tanh(slope * diameter * diameter / 4) * diameter
    return diameter


def cluster_cubic_bound(d_cluster: Scalars, d_all: Scalars, *, beta: Scalars) -> Float[Any, "*shape"]:
    r"""Softmax rows of one cluster differ little, so everything they average ends up close.

    Setting: as :func:`cubic_bound`, for a cluster of diameter d.

    Statement: d' <= tanh(beta d D / 4) D. If beta D^2 <= 4 every cluster with d > 0 strictly shrinks.

    Tight for d = D, where it is :func:`cubic_bound`.

    Source: proved here.

    Args:
        d_cluster: ``(*batch, M)`` or a number: d.
        d_all: ``(*batch)`` or broadcastable: D.
        beta: see :func:`softmax_beta`.

    Returns:
        An array of the common shape.

    Raises:
        ArgumentTypeError, ArgumentError: as :func:`cubic_bound`; d > D.

    >>> round(float(cluster_cubic_bound(1.0, 2.0, beta=1.0)), 6)
    0.924234
    """
    xp = namespace(d_cluster=d_cluster, d_all=d_all, beta=beta)
    d, diameter, slope = _diameters_and_beta(xp, d_cluster, d_all, beta)
    return xp.tanh(slope * d * diameter / 4) * diameter


def _diameters_and_beta(xp: Namespace, d_cluster: Any, d_all: Any, beta: Any) -> tuple[Any, Any, Any]:
    like = next((each for each in (d_cluster, d_all, beta) if not is_scalar(each)), None)
    d, diameter = checked_diameters(xp, d_cluster, d_all, like)
    (slope,) = _checked(xp, beta=real(xp, "beta", beta, like=d))
    common_shape(d_cluster=d, d_all=diameter, beta=slope)
    return d, diameter, slope


def softmax_cluster_bound(
    d_cluster: Scalars, d_all: Scalars, *, beta: Scalars, mass: Scalars
) -> Float[Any, "*shape"]:
    r"""The cluster bound for softmax rows that also knows how much mass leaves the cluster.

    Setting: as :func:`cluster_cubic_bound`; x_u at least the mass that any row of the cluster gives away;
    omega = beta d D, y* = 1 / (1 + exp(-omega / 2)).

    Statement: d' <= tanh(omega / 4) d + phi(min(x_u, y*)) (D - d), with
    phi(y) = y (1 - y) (1 - exp(-omega)) / (1 - y + y exp(-omega)) and phi(y*) = tanh(omega / 4).

    Upper. A tight enough cluster contracts geometrically if x_u (1 - x_u) beta D^2 < 1 and x_u <= 1/2.

    Source: proved here.

    Args:
        d_cluster: ``(*batch, M)`` or a number: d.
        d_all: ``(*batch)`` or broadcastable: D.
        beta: see :func:`softmax_beta`.
        mass: x_u in [0, 1], the largest outside mass, or min(1, m eps_upper).

    Returns:
        An array of the common shape, at most :func:`cluster_cubic_bound`.

    Raises:
        ArgumentTypeError, ArgumentError: as :func:`cluster_cubic_bound`; a mass above 1.

    >>> round(float(softmax_cluster_bound(1.0, 2.0, beta=1.0, mass=0.25)), 6)
    0.668953
    """
    xp = namespace(d_cluster=d_cluster, d_all=d_all, beta=beta, mass=mass)
    d, diameter, slope = _diameters_and_beta(xp, d_cluster, d_all, beta)
    (y,) = _checked(xp, mass=real(xp, "mass", mass, like=d))
    common_shape(d_cluster=d, d_all=diameter, beta=slope, mass=y)
    y = at_most(xp, "mass", y, "1, a row's whole mass", xp.ones_like(y))
    omega = slope * d * diameter
    worst = 1 / (1 + xp.exp(-omega / 2))
    # Above y* the formula would fall again, and in floating point collapse to 0: there phi is at its peak.
    peak = xp.tanh(omega / 4)
    inner = xp.minimum(y, worst)
    gain = -xp.expm1(-omega)
    slack = 1 - inner * gain
    phi = inner * (1 - inner) * gain / xp.where(slack > 0, slack, xp.ones_like(slack))
    return peak * d + xp.where(y >= worst, peak, xp.minimum(phi, peak)) * (diameter - d)


CUBIC = Theorem(
    label="cubic",
    kind="tight",
    statement="softmax attention: diam(Z') <= tanh(beta D^2 / 4) D <= (beta / 4) D^3",
    source="proved here",
    proof="cubic",
    function=cubic_bound,
)

CLUSTER_CUBIC = Theorem(
    label="cluster_cubic",
    kind="tight",
    statement="softmax attention: d' <= tanh(beta d D / 4) D",
    source="proved here",
    proof="cluster_cubic",
    function=cluster_cubic_bound,
)

SOFTMAX_CLUSTER = Theorem(
    label="softmax_cluster",
    kind="upper",
    statement="softmax attention: d' <= tanh(omega / 4) d + phi(min(x_u, y*)) (D - d), omega = beta d D",
    source="proved here",
    proof="softmax_cluster",
    function=softmax_cluster_bound,
)
