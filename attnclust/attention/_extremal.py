"""Configurations that attain the tight theorems exactly: the worst tokens for given weights, the worst
weights for ranges.

They live on a line, so they are extremal in every norm; NumPy arrays, float64.
"""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from attnclust._array import ArgumentError, Attention, Labels, namespace, number, stochastic, to_numpy, whole
from attnclust._labels import partition


class Configuration(NamedTuple):
    """One step of attention: weights ``(n, n)``, tokens ``(n, 1)``, labels ``(n,)``."""

    attention: Float[np.ndarray, "n n"]
    tokens: Float[np.ndarray, "n 1"]
    labels: Int[np.ndarray, " n"]


def sharp_configuration(
    inside: int, outside: int, *, eps_lower: float, eps_upper: float, d_cluster: float, d_all: float
) -> Configuration:
    """Attains :func:`attnclust.bounds.sharp_bound` for cluster 0, for any admissible (m, eps_lower,
    eps_upper, d, D).

    Token 0 of the cluster stands at d, the other tokens of the cluster at 0, all outsiders at D. Row 0 puts
    min(1, m eps_upper) / m on each outsider and the rest on token 0; every other row of the cluster puts
    eps_lower on each outsider and the rest on token 1.

    Source: proved here, `sharp`.

    Args:
        inside: tokens of the cluster, at least 2.
        outside: m, at least 1.
        eps_lower: 0 <= eps_lower <= eps_upper, m eps_lower <= 1.
        eps_upper: at most 1.
        d_cluster: 0 <= d <= D.
        d_all: D.

    Returns:
        A :class:`Configuration`; outsiders are labelled -1.

    Raises:
        ArgumentTypeError, ArgumentError: arguments outside the ranges above, or no numbers.

    >>> attention, tokens, labels = sharp_configuration(
    ...     2, 3, eps_lower=0.125, eps_upper=0.25, d_cluster=1.0, d_all=4.0)
    >>> after = attention @ tokens
    >>> float(abs(after[0] - after[1]).max())  # (1 - 3/4) 1 + (3/4 - 3/8) 4
    1.75
    """
    inside, outside = whole("inside", inside, least=2), whole("outside", outside, least=1)
    eps_lower, eps_upper = number("eps_lower", eps_lower), number("eps_upper", eps_upper)
    if not (0 <= eps_lower <= eps_upper <= 1 and outside * eps_lower <= 1):
        raise ArgumentError(
            "eps_lower, eps_upper",
            "must satisfy 0 <= eps_lower <= eps_upper <= 1 and m eps_lower <= 1",
            (eps_lower, eps_upper),
            "Narrow the range.",
        )
    d_cluster, d_all = _diameters(d_cluster, d_all)
    n = inside + outside
    attention = np.eye(n)
    attention[1:inside] = 0
    attention[1:inside, inside:] = eps_lower
    attention[1:inside, 1] = 1 - outside * eps_lower
    share = min(1.0, outside * eps_upper) / outside
    attention[0, inside:] = share
    attention[0, 0] = 1 - outside * share
    tokens = np.zeros((n, 1))
    tokens[0], tokens[inside:] = d_cluster, d_all
    return Configuration(attention, tokens, np.where(np.arange(n) < inside, 0, -1))


def _diameters(d_cluster: Any, d_all: Any) -> tuple[float, float]:
    d_cluster, d_all = number("d_cluster", d_cluster), number("d_all", d_all)
    if not 0 <= d_cluster <= d_all:
        raise ArgumentError(
            "d_cluster, d_all",
            "must satisfy 0 <= d_cluster <= d_all",
            (d_cluster, d_all),
            "Check their order.",
        )
    return d_cluster, d_all


def _matrix(attention: Attention) -> Float[np.ndarray, "n n"]:
    xp = namespace(attention=attention)
    attention = stochastic(xp, "attention", attention)
    if attention.ndim != 2:
        raise ArgumentError(
            "attention", "must be one matrix", f"shape {tuple(attention.shape)}", "Take one step."
        )
    return to_numpy(attention).astype(np.float64)


def _members(labels: Labels, n: int, cluster: Any) -> np.ndarray:
    cluster = whole("cluster", cluster)
    xp = namespace(labels=labels)
    part = partition(xp, labels, batch=(), n=n, clusters=None)
    if not cluster < part.clusters or not len(part.labellings[0].members[cluster]):
        raise ArgumentError("labels", f"must have tokens in cluster {cluster}", "none", "Check the label.")
    return part.labellings[0].members[cluster]


def cluster_dobrushin_configuration(
    attention: Attention, labels: Labels, *, cluster: int = 0, d_cluster: float, d_all: float
) -> Float[np.ndarray, "n 1"]:
    """Tokens, of diameters at most d and D, that attain :func:`attnclust.bounds.cluster_dobrushin_bound`.

    For the pair of rows that is worst, swapped where the outside part of (A[j] - A[j'])^+ is the larger:
    D where A[j, k] > A[j', k]; elsewhere D - d inside the cluster and 0 outside.

    Source: proved here, `cluster_dobrushin`.

    Args:
        attention: ``(n, n)``, row-stochastic, any.
        labels: ``(n,)`` integers.
        cluster: which cluster, with at least two tokens.
        d_cluster: 0 <= d <= D.
        d_all: D.

    Returns:
        ``(n, 1)`` tokens.

    Raises:
        ArgumentTypeError, ArgumentError: as :func:`attnclust.bounds.cluster_dobrushin_bound`; no such
            cluster.

    >>> import numpy as np
    >>> attention = np.array([[0.5, 0.25, 0.25], [0.25, 0.25, 0.5], [0.0, 0.0, 1.0]])
    >>> tokens = cluster_dobrushin_configuration(attention, np.array([0, 0, -1]), d_cluster=1.0, d_all=8.0)
    >>> after = attention @ tokens
    >>> float(abs(after[0] - after[1])[0])  # (1/4 - 1/4) 1 + 1/4 8
    2.0
    """
    a = _matrix(attention)
    inside = _members(labels, len(a), cluster)
    d_cluster, d_all = _diameters(d_cluster, d_all)
    is_inside = np.isin(np.arange(len(a)), inside)

    def promise(pair: tuple[int, int]) -> float:
        delta = a[pair[0]] - a[pair[1]]
        kappa = max(np.maximum(delta, 0)[~is_inside].sum(), np.maximum(-delta, 0)[~is_inside].sum())
        return (np.abs(delta).sum() / 2 - kappa) * d_cluster + kappa * d_all

    j, i = max(itertools.combinations(inside.tolist(), 2), key=promise, default=(int(inside[0]),) * 2)
    delta = a[j] - a[i]
    if np.maximum(delta, 0)[~is_inside].sum() > np.maximum(-delta, 0)[~is_inside].sum():
        delta = -delta
    elsewhere = np.where(is_inside, d_all - d_cluster, 0.0)
    return np.where(delta > 0, d_all, elsewhere)[:, None]


def dobrushin_configuration(attention: Attention, *, d_all: float = 1.0) -> Float[np.ndarray, "n 1"]:
    """Tokens of diameter at most D whose next diameter is tau(A) D.

    Source: proved here, `dobrushin`.

    Args:
        attention: ``(n, n)``, row-stochastic, any.
        d_all: D.

    Returns:
        ``(n, 1)`` tokens.

    Raises:
        ArgumentTypeError, ArgumentError: as :func:`attnclust.bounds.dobrushin_coefficient`.

    >>> import numpy as np
    >>> attention = np.array([[0.75, 0.25], [0.25, 0.75]])
    >>> float(np.ptp(attention @ dobrushin_configuration(attention, d_all=2.0)))
    1.0
    """
    a = _matrix(attention)
    d_all = number("d_all", d_all)
    labels = np.zeros(len(a), dtype=np.int64)
    return cluster_dobrushin_configuration(a, labels, d_cluster=d_all, d_all=d_all)
