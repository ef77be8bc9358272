"""Hypothesis strategies for steps of attention, for one's own property tests of bounds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from attnclust._array import ArgumentError
from attnclust.testing._draws import ATTENTION_KINDS, TOKEN_KINDS, Recipe, draw_steps


def recipes(
    *, batch: int = 16, max_n: int = 11, max_d: int = 3, orders: tuple[float, ...] = (1.0, 2.0, math.inf)
) -> st.SearchStrategy[Recipe]:
    """Recipes for batches of seeded steps: every kind of attention and of tokens, scales 1e-8..1e8,
    offsets 0, 1, 1e6.

    Args:
        batch: steps a recipe.
        max_n: at most so many tokens, at least 2.
        max_d: at most so many coordinates.
        orders: the norms to draw from.

    Returns:
        A strategy; shrinks towards few tokens, generic attention, scale 1 and seed 0.

    Raises:
        ArgumentError: max_n below 2, or batch or max_d below 1.

    >>> recipes(max_n=5).example().n <= 5  # doctest: +SKIP
    True
    """
    if max_n < 2 or batch < 1 or max_d < 1:
        raise ArgumentError(
            "max_n, batch, max_d", "must be at least 2, 1, 1", (max_n, batch, max_d), "Raise them."
        )
    return st.builds(
        Recipe,
        seed=st.integers(0, 2**32 - 1),
        batch=st.just(batch),
        n=st.integers(2, max_n),
        d=st.integers(1, max_d),
        clusters=st.integers(1, 3),
        attention=st.sampled_from(ATTENTION_KINDS),
        tokens=st.sampled_from(TOKEN_KINDS),
        temperature=st.floats(-2, 2),
        tightness=st.floats(-4, 0),
        scale=st.sampled_from((1.0, 1e-8, 1e-3, 1e3, 1e8)),
        offset=st.sampled_from((0.0, 1.0, 1e6)),
        order=st.sampled_from(orders),
    )


def steps(**sizes: Any) -> st.SearchStrategy[Any]:
    """Batches of steps: :func:`recipes` carried out. Takes the same arguments."""
    return recipes(**sizes).map(draw_steps)


def tiny_attention(*, n: int) -> st.SearchStrategy[np.ndarray]:
    """Row-stochastic ``(n, n)`` arrays drawn entry by entry, which shrink entry by entry: for small n.

    No entry is filled in behind the test's back, so distinct and equal rows both occur.

    Args:
        n: tokens, 1 to 8.

    Raises:
        ArgumentError: another n.
    """
    if not 1 <= n <= 8:
        raise ArgumentError("n", "must be 1 to 8", n, "Use steps() for larger matrices.")
    entries = hnp.arrays(np.int64, (n, n), elements=st.integers(0, 16), fill=st.nothing())
    return entries.filter(lambda table: bool(table.any(axis=1).all())).map(
        lambda table: table / table.sum(axis=1, keepdims=True)
    )


def tiny_tokens(*, n: int, d: int, distinct: bool) -> st.SearchStrategy[np.ndarray]:
    """Tokens ``(n, d)`` drawn entry by entry, all different or not necessarily."""
    rows = st.tuples(*[st.integers(-8, 8)] * d)
    lists = st.lists(rows, min_size=n, max_size=n, unique=distinct)
    return lists.map(lambda table: np.array(table, dtype=np.float64).reshape(n, d))


def partitions(*, n: int, clusters: int = 3, outsiders: bool = True) -> st.SearchStrategy[np.ndarray]:
    """Labels ``(n,)``: clusters 0..clusters-1, and -1 if outsiders are allowed; clusters may be empty."""
    lowest = -1 if outsiders else 0
    return st.lists(st.integers(lowest, clusters - 1), min_size=n, max_size=n).map(
        lambda values: np.array(values, dtype=np.int64)
    )
