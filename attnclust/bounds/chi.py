"""A Euclidean bound from second moments: how much rows differ, times how far the tokens spread."""

from __future__ import annotations

from typing import Any

from jaxtyping import Float

from attnclust._array import Attention, Labels, Namespace, Tokens
from attnclust.bounds._steps import rung_from_tokens
from attnclust.bounds._theorem import Theorem
from attnclust.geometry._pairs import within


def chi_bound(
    attention: Attention, tokens: Tokens, labels: Labels, *, clusters: int | None = None
) -> Float[Any, "*batch M"]:
    r"""The chi-square distance between two rows, times the spread of the tokens under the cluster's mean row.

    Setting: one step Z' = A Z; Euclidean norm; pi the mean of the cluster's rows, mu = pi^T Z.

    Statement: d' <= max over pairs of (sum of (A[j, k] - A[j', k])^2 / pi_k)^(1/2), times the spectral
        norm of
    diag(sqrt(pi)) (Z - 1 mu^T).

    Upper: beside the chain; it does not grow with outliers that receive little attention.

    Source: proved here.

    Args:
        attention: ``(*batch, n, n)``, row-stochastic.
        tokens: ``(*batch, n, d)``.
        labels: ``(n,)`` or ``(*batch, n)`` integers: clusters 0..M-1, -1 for an outsider.
        clusters: M, if more than the largest label + 1.

    Returns:
        ``(*batch, M)``; 0 for a cluster with fewer than two tokens.

    Raises:
        ArgumentTypeError, ArgumentError: as :func:`attnclust.verify.verify`.

    >>> import numpy as np
    >>> attention = np.array([[0.75, 0.25], [0.25, 0.75]])
    >>> chi_bound(attention, np.array([[0.0], [2.0]]), np.array([0, 0]))
    array([1.])
    """
    return rung_from_tokens(attention, tokens, labels, 2, clusters, _value)


def _value(xp: Namespace, rows: Any, points: Any, order: float) -> Any:
    scaled, spread = chi_factors(xp, rows, points)
    return within(xp, scaled, order) * spread


def chi_factors(
    xp: Namespace, rows: Float[Any, "b k n"], points: Float[Any, "b n d"]
) -> tuple[Float[Any, "b k n"], Float[Any, " b"]]:
    """Rows whose Euclidean distances are the chi-square distances, and the spectral norm that they are
    multiplied by.
    """
    weights = xp.mean(rows, axis=1)
    root = xp.sqrt(weights)
    scaled = xp.where(
        weights[:, None, :] > 0,
        rows / xp.where(weights > 0, root, xp.ones_like(root))[:, None, :],
        xp.zeros_like(rows),
    )
    centred = points - weights[:, None, :] @ points
    return scaled, xp.linalg.matrix_norm(root[:, :, None] * centred, ord=2)


CHI = Theorem(
    label="chi",
    kind="upper",
    statement="d' <= max over pairs of (sum_k delta_k^2 / pi_k)^(1/2) || diag(sqrt(pi)) (Z - 1 mu^T) ||",
    source="proved here",
    proof="chi",
    function=chi_bound,
)
