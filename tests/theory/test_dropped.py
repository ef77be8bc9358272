"""For every theorem hypotheses that it needs: without one of them a counterexample is found in drawn steps,
and with all, in the same steps, none.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from attnclust import bounds
from attnclust.attention import block_transport_configuration
from attnclust.geometry import cell_distances

from .drawn_cases import CASES, CELLS, LABELS, Drawn, draws

SEE_THE_OUTSIDE = [
    *("contraction", "paper_main", "paper_appendix", "linear", "product", "sharp", "overlap", "sharp_total"),
    *("certificate", "iteration", "separation", "residual", "convex"),
]
"""Theorems that know of the attention at most what crosses a cluster's border."""


def signed(s: Drawn) -> Drawn:
    """What crosses a border stays; inside each cluster one weight becomes negative and the other makes up."""
    push = np.zeros((5, 5))
    push[[0, 1, 2, 3], [0, 1, 2, 3]], push[[0, 1, 2, 3], [1, 0, 3, 2]] = 2, -2
    return s._replace(moved=s.a + push)


def unequal(s: Drawn) -> Drawn:
    """What crosses a border stays; one row of each cluster gains weight inside, which tokens off the origin
    show.
    """
    more = np.ones((5, 5))
    more[0, :2] = more[2, 2:4] = 1.5
    return s._replace(moved=s.a * more, z=s.z + 100.0)


DROPPED: dict[tuple[str, str], Callable[[Drawn], tuple[Any, Any]]] = {
    **{(label, "its own"): lambda s, case=case: case(s, True) for label, case in CASES.items()},
    **{
        (label, what): lambda s, label=label, drop=drop: CASES[label](drop(s), False)
        for what, drop, labels in (
            ("no weight is negative", signed, SEE_THE_OUTSIDE),
            ("rows sum to 1", unequal, [*SEE_THE_OUTSIDE, "dobrushin"]),
        )
        for label in labels
    },
}
"""Measured and claimed where one hypothesis is dropped: that of the theorem's own case above, or one on the
matrix that every theorem needs which does not see all of it.
"""


def violated(measured: Any, claimed: Any) -> bool:
    return bool((measured > claimed + 1e-6 * (1 + np.abs(claimed))).any())


def test_every_theorem_has_one() -> None:
    assert list(CASES) == list(bounds.THEOREMS)


@pytest.mark.parametrize("label", CASES)
def test_with_every_hypothesis_no_counterexample_is_found(label: str) -> None:
    assert not any(violated(*CASES[label](s, False)) for s in draws())


@pytest.mark.parametrize(("label", "hypothesis"), DROPPED)
def test_without_one_hypothesis_a_counterexample_is_found(label: str, hypothesis: str) -> None:
    assert any(violated(*DROPPED[label, hypothesis](s)) for s in draws())


def without_detours(table: np.ndarray) -> np.ndarray:
    """The greatest table below it with C[r, s] <= C[r, t] + C[t, s], for r = s too: what tokens that obey the
    table obey anyway.
    """
    for t in range(len(table)):
        table = np.minimum(table, table[:, t, None] + table[t])
    return table


def reached(a: np.ndarray, table: np.ndarray) -> np.ndarray:
    """How far apart a token of one cell and one of another can come to be, at worst, by linear programs."""
    apart_by = np.zeros((3, 3))
    for j, i in itertools.combinations(range(5), 2):
        tokens = block_transport_configuration(a, pair=(j, i), cells=CELLS, distances=table)
        assert (cell_distances(tokens, CELLS) <= table + 1e-9).all()
        entry = tuple(sorted((CELLS[j], CELLS[i])))
        apart_by[entry] = max(apart_by[entry], abs(float((a[j] - a[i]) @ tokens[:, 0])))
    return np.maximum(apart_by, apart_by.T)


def test_the_table_s_bounds_are_reached_if_no_detour_in_it_is_shorter_and_else_not() -> None:
    """The hypothesis that makes `block_recursion` tight, entry by entry, and on its diagonal
    `block_transport`.
    """
    missed = 0
    for seed, s in enumerate(draws()[:12]):
        a, half = s.a[0], np.random.default_rng(seed).uniform(0.1, 4, size=(3, 3))
        drawn = half + half.T
        true = without_detours(drawn)
        best = reached(a, true)
        claims = {
            name: bounds.block_recursion(a, CELLS, distances=table, exact=True)
            for name, table in (("true", true), ("drawn", drawn))
        }
        np.testing.assert_allclose(claims["true"], best, rtol=1e-7, atol=1e-9)
        diagonal = bounds.block_transport_bound(a, LABELS, cells=CELLS, distances=true, exact=True)
        np.testing.assert_allclose(diagonal, np.diagonal(best)[:2], rtol=1e-7, atol=1e-9)
        missed += violated(claims["drawn"], best)
    assert missed
