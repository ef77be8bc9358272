"""Every hypothesis is necessary: without it a counterexample is found. So the checks can fail at all."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, find, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from attnclust import bounds
from attnclust.attention import sharp_configuration
from attnclust.geometry import cluster_diameters, diameter, hull_distance
from attnclust.testing import Recipe, Steps, assert_bound, draw_steps, recipes

SEARCH = settings(max_examples=2000, derandomize=True, deadline=None, phases=[Phase.generate])


def found(wrong: Callable[[Steps], bool]) -> None:
    find(recipes(batch=32, max_n=6).map(draw_steps), wrong, settings=SEARCH)


def after(steps: Steps) -> np.ndarray:
    """The next diameters by plain NumPy: the package refuses what these tests feed it."""
    return cluster_diameters(steps.attention @ steps.tokens, steps.labels, ord=steps.recipe.order)


def at_scale_one(steps: Steps) -> bool:
    return steps.recipe.scale == 1.0 and steps.recipe.offset == 0.0


def test_contraction_needs_rows_that_sum_to_one() -> None:
    def grows(steps: Steps) -> bool:
        longer = 1.5 * steps.attention
        return bool((diameter(longer @ steps.tokens) > 1.01 * diameter(steps.tokens)).any())

    found(grows)


def test_contraction_needs_weights_that_are_not_negative() -> None:
    def grows(steps: Steps) -> bool:
        n = steps.attention.shape[-1]
        away = 2 * np.eye(n) - steps.attention  # rows sum to 1, diagonals above it
        return bool((diameter(away @ steps.tokens) > 1.01 * diameter(steps.tokens)).any())

    found(grows)


def test_contraction_is_about_rows_and_not_columns() -> None:
    def grows(steps: Steps) -> bool:
        turned = np.swapaxes(steps.attention, -1, -2)
        return at_scale_one(steps) and bool(
            (diameter(turned @ steps.tokens) > 1.01 * diameter(steps.tokens)).any()
        )

    found(grows)


RANGE_MUTANTS: dict[str, Callable[..., Any]] = {
    "product with one factor left out": lambda d, big, m, low, high: (
        (1 - _xu(m, high)) * d + _xu(m, high) * d
    ),
    "sharp without the common part back": lambda d, big, m, low, high: (1 - _xu(m, high)) * d,
    "sharp with the lower range for the upper": lambda d, big, m, low, high: (1 - m * low) * d,
    "sharp with both diameters d": lambda d, big, m, low, high: (1 - m * low) * d + 0 * big,
    "sharp with one outsider for m": lambda d, big, m, low, high: (1 - high) * d + (high - low) * big,
    "sharp with half the excess": lambda d, big, m, low, high: (
        (1 - _xu(m, high)) * d + 0.5 * (_xu(m, high) - m * low) * big
    ),
}


def _xu(m: np.ndarray, high: np.ndarray) -> np.ndarray:
    return np.minimum(1.0, m * high)


@pytest.mark.parametrize("name", RANGE_MUTANTS)
def test_no_smaller_function_of_the_ranges_holds(name: str) -> None:
    def violated(steps: Steps) -> bool:
        if not at_scale_one(steps):
            return False
        ranges = bounds.cross_attention(steps.attention, steps.labels)
        d = cluster_diameters(steps.tokens, steps.labels, ord=steps.recipe.order)
        big = diameter(steps.tokens, ord=steps.recipe.order)[:, None]
        claim = RANGE_MUTANTS[name](d, big, ranges.outside, ranges.eps_lower, ranges.eps_upper)
        return bool((after(steps) > claim + 1e-6).any())

    found(violated)


def test_the_paper_s_strict_forms_fail_where_the_theory_says() -> None:
    zero = {"outside": 1, "eps_lower": 0.0, "eps_upper": 0.5}
    assert float(bounds.paper_main_bound(0.0, 0.0, **zero)) == 0.0  # D = 0: 0 < 0 is false
    assert float(bounds.paper_appendix_bound(0.0, 0.0, **zero)) == 0.0
    none = {"outside": 0, "eps_lower": 0.0, "eps_upper": 0.0}
    assert float(bounds.paper_main_bound(1.0, 2.0, **none)) == 1.0  # identity: d' = d = bound
    assert float(bounds.paper_appendix_bound(1.0, 2.0, **none)) == 1.0


def test_the_main_text_s_bound_is_not_homogeneous_and_the_appendix_s_is() -> None:
    known = {"outside": 2, "eps_lower": 0.125, "eps_upper": 0.25}
    once, twice = (float(bounds.paper_main_bound(c, 4 * c, **known)) for c in (1.0, 2.0))
    assert once == 0.5625 + 0.5 * 4 * 4
    assert twice == 2 * 0.5625 + 0.5 * 8 * 6 != 2 * once
    assert float(bounds.paper_appendix_bound(2.0, 8.0, **known)) == 2 * float(
        bounds.paper_appendix_bound(1.0, 4.0, **known)
    )


def test_frobenius_spread_is_not_monotone_though_the_diameter_is() -> None:
    tokens = np.array([[1.0], [0.0], [0.0], [0.0]])
    attention = np.eye(4)[[0, 0, 1, 1]]

    def spread(z: np.ndarray) -> float:
        return float(((z - z.mean(axis=0)) ** 2).sum())

    assert (spread(tokens), spread(attention @ tokens)) == (0.75, 1.0)
    assert diameter(attention @ tokens) <= diameter(tokens)


def test_no_certificate_for_diameter_over_separation_from_ranges() -> None:
    """In the sup norm the cluster shrinks no faster than its distance to the other: the Dunn ratio does
    not fall.
    """
    eps, d, s = 0.125, 1.0, 2.0
    tokens = np.array([[s, d / 2], [s, -d / 2], [s, 0.0], [0.0, 0.0], [0.0, 0.0]])
    labels = np.array([0, 0, 0, 1, 1])
    attention = np.eye(5)
    attention[:3, 3:] = eps
    attention[[0, 1, 2], [0, 1, 2]] = 1 - 2 * eps
    step = attention @ tokens
    before, later = (float(cluster_diameters(z, labels, ord=math.inf)[0]) for z in (tokens, step))
    gaps = [float(hull_distance(z[:3], z[3:], ord=math.inf)) for z in (tokens, step)]
    assert later == pytest.approx((1 - 2 * eps) * before)
    assert gaps[1] <= (1 - 2 * eps) * gaps[0] + 1e-8
    assert later / gaps[1] >= before / gaps[0] - 1e-8


def test_softmax_bounds_need_softmax() -> None:
    """A permutation moves a tight pair to a far one: no function of beta bounds that."""
    attention = np.eye(3)[[0, 2, 1]]
    tokens = np.array([[0.0], [0.01], [1.0]])
    labels = np.array([0, 0, -1])
    got = float(cluster_diameters(attention @ tokens, labels)[0])
    assert got > float(bounds.cluster_cubic_bound(0.01, 1.0, beta=1.0))
    assert got > float(bounds.softmax_cluster_bound(0.01, 1.0, beta=1.0, mass=1.0))


def test_the_certificate_is_complete() -> None:
    """Where it says no, some step with these numbers does not shrink: the boundary case itself."""
    known = {"outside": 3, "eps_lower": 0.125, "eps_upper": 0.25}
    d, d_all = 2.0, 4.0  # (3/4 - 3/8) 4 = 3/4 2: exactly at the border
    assert not bool(bounds.sharp_certificate(d, d_all, **known))
    attention, tokens, labels = sharp_configuration(2, d_cluster=d, d_all=d_all, **known)
    assert float(cluster_diameters(attention @ tokens, labels)[0]) == d


def test_the_ends_of_the_softmax_formula_do_not_collapse() -> None:
    """omega = 200: exp(-omega) is 0 in the formula, which would give 0 at mass 1 and does give D by the
    bound.
    """
    assert float(bounds.softmax_cluster_bound(1.0, 2.0, beta=100.0, mass=1.0)) == 2.0
    assert float(bounds.softmax_cluster_bound(1.0, 2.0, beta=100.0, mass=0.25)) == 1.25


def test_assert_bound_can_fail_and_says_where() -> None:
    with pytest.raises(AssertionError, match=r"sharp is violated at \(1,\): measured 3 > bound 2"):
        assert_bound(np.array([1.0, 3.0]), np.array([2.0, 2.0]), tolerance=0.5, label="sharp")
    assert assert_bound(np.array([2.5, 1.0]), np.array([2.0, 4.0]), tolerance=0.5).size == 0
    assert assert_bound(np.array([1.0, 1.0]), np.array([2.0, 0.0]), tolerance=np.array([0.0, 1.0])) == [0.5]


@pytest.mark.parametrize("kind", ["generic", "block"])
def test_recipes_are_deterministic_and_their_seeds_matter(kind: str) -> None:
    one, same, other = (draw_steps(Recipe(seed=seed, attention=kind)) for seed in (5, 5, 6))
    np.testing.assert_array_equal(one.attention, same.attention)
    np.testing.assert_array_equal(one.tokens, same.tokens)
    assert (one.attention != other.attention).any()


def test_find_comes_back_empty_handed_from_the_theorem_itself() -> None:
    """The same search, with the sharp bound for a claim."""

    def violated(steps: Steps) -> bool:
        ranges = bounds.cross_attention(steps.attention, steps.labels)
        d = cluster_diameters(steps.tokens, steps.labels, ord=steps.recipe.order)
        big = diameter(steps.tokens, ord=steps.recipe.order)[:, None]
        return bool((after(steps) > bounds.sharp_bound(d, big, **ranges._asdict()) * (1 + 1e-6) + 1e-6).any())

    strategy = st.builds(Recipe, seed=st.integers(0, 99), batch=st.just(16)).map(draw_steps)

    with pytest.raises(NoSuchExample):
        find(strategy, violated, settings=settings(max_examples=100, derandomize=True, deadline=None))
