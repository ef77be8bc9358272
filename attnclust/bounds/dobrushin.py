"""Theorem 3.1(i) and the best constant in it: Dobrushin's ergodicity coefficient."""

from __future__ import annotations

from typing import Any

import array_api_compat
import numpy as np
from jaxtyping import Float

from attnclust._array import ArgumentError, Attention, Scalars, flatten_batch, namespace, real, stochastic
from attnclust.bounds._pairs import city_blocks
from attnclust.bounds._theorem import Theorem


def contraction_bound(d_all: Scalars) -> Float[Any, "*shape"]:
    """The diameter of all tokens never grows.

    Setting: one step Z' = A Z, A row-stochastic; any norm.

    Statement: diam(Z') <= diam(Z) = D.

    Tight in D: the identity attains it.

    Source: paper, Theorem 3.1(i).

    Args:
        d_all: a number or an array: D.

    Returns:
        D, as an array.

    Raises:
        ArgumentTypeError: no real floating dtype.
        ArgumentError: negative, NaN or infinite.

    >>> float(contraction_bound(2.0))
    2.0
    """
    xp = namespace(d_all=d_all)
    diameter = real(xp, "d_all", d_all)
    if bool(xp.any(diameter < 0)):
        raise ArgumentError("d_all", "must not be negative", float(xp.min(diameter)), "Pass a diameter.")
    return diameter


def dobrushin_coefficient(attention: Attention) -> Float[Any, "*batch"]:
    r"""Dobrushin's ergodicity coefficient, the best constant in diam(Z') <= tau(A) diam(Z).

    Setting: one step Z' = A Z, A row-stochastic; any norm.

    Statement: tau(A) = max over pairs of half the sum of \|A[j] - A[j']\|; diam(A Z) <= tau(A) diam(Z), and
    tau(A B) <= tau(A) tau(B).

    Tight for every A: :func:`attnclust.attention.dobrushin_configuration` attains it.

    Source: proved here; the coefficient is Dobrushin's (1956).

    Args:
        attention: ``(*batch, n, n)``, row-stochastic.

    Returns:
        ``(*batch,)``, in [0, 1].

    Raises:
        ArgumentTypeError: no array, no real floating dtype.
        ArgumentError: not square, rows that do not sum to 1, negative weights, NaN.

    >>> import numpy as np
    >>> float(dobrushin_coefficient(np.array([[0.75, 0.25], [0.25, 0.75]])))
    0.5
    """
    xp = namespace(attention=attention)
    attention = stochastic(xp, "attention", attention)
    batch, n = tuple(attention.shape[:-2]), attention.shape[-1]
    if n == 1:
        return xp.zeros(batch, dtype=attention.dtype, device=array_api_compat.device(attention))
    distances = city_blocks(xp, flatten_batch(xp, attention, batch), [np.arange(n)])
    return xp.reshape(xp.clip(xp.max(distances, axis=(1, 2)) / 2, None, 1), batch)


CONTRACTION = Theorem(
    label="contraction",
    kind="tight",
    statement="diam(Z') <= diam(Z)",
    source="paper, Theorem 3.1(i)",
    proof="contraction",
    function=contraction_bound,
)

DOBRUSHIN = Theorem(
    label="dobrushin",
    kind="tight",
    statement="diam(Z') <= tau(A) diam(Z), tau(A) = max over pairs of half the sum of |A[j] - A[j']|",
    source="proved here",
    proof="dobrushin",
    function=dobrushin_coefficient,
)
