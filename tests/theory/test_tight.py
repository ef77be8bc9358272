"""What claims to be tight is attained, for drawn attention and numbers; what does not is recorded by the
search.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from attnclust import bounds
from attnclust.attention import (
    attend,
    attention_weights,
    block_transport_configuration,
    cluster_dobrushin_configuration,
    dobrushin_configuration,
    separation_configuration,
    separation_dobrushin_configuration,
    sharp_configuration,
)
from attnclust.geometry import cell_distances, cluster_diameters, diameter
from attnclust.testing import partitions, tiny_attention

UNIT = st.floats(0, 1)


def close(value: Any) -> Any:
    """Equal to a dozen digits: these configurations take a handful of roundings."""
    return pytest.approx(float(value), rel=1e-12, abs=1e-12)


@st.composite
def admissible_ranges(draw: st.DrawFn) -> dict[str, Any]:
    """Every (|G|, m, eps_lower, eps_upper, d, D) that the sharp bound speaks of, the capped ones included."""
    outside = draw(st.integers(1, 5))
    lower = draw(UNIT) / outside
    upper = lower + draw(UNIT) * (1 - lower)
    d_all = draw(st.floats(0, 8))
    return {
        "inside": draw(st.integers(2, 4)),
        "outside": outside,
        "eps_lower": lower,
        "eps_upper": upper,
        "d_cluster": draw(UNIT) * d_all,
        "d_all": d_all,
    }


@given(admissible_ranges())
def test_sharp_is_attained_in_all_its_quantities(known: dict[str, Any]) -> None:
    attention, tokens, labels = sharp_configuration(**known)
    rest = {name: known[name] for name in ("outside", "eps_lower", "eps_upper")}
    d, d_all = known["d_cluster"], known["d_all"]
    assert float(cluster_diameters(tokens, labels)[0]) == close(d)
    assert float(diameter(tokens)) == close(d_all)
    ranges = bounds.cross_attention(attention, labels)
    share = min(1 / known["outside"], known["eps_upper"])
    assert float(ranges.eps_lower[0]) == close(min(known["eps_lower"], share))
    assert float(ranges.eps_upper[0]) == close(share)
    after = attend(attention, tokens)
    got = float(cluster_diameters(after, labels)[0])
    assert got == close(float(bounds.sharp_bound(d, d_all, **rest)))
    shrinks = bool(bounds.sharp_certificate(d, d_all, **rest))
    if abs(got - d) > 1e-9:
        assert shrinks == (got < d)
    residual = float(cluster_diameters(tokens + 1.5 * after, labels)[0])
    assert residual == close(float(bounds.residual_bound(d, d_all, **rest, norm=1.5)))
    convex = float(cluster_diameters(0.625 * tokens + 0.375 * after, labels)[0])
    assert convex == close(float(bounds.convex_bound(d, d_all, **rest, alpha=0.375)))
    doubled = float(cluster_diameters(attend(attention, tokens, w_v=2 * np.eye(1)), labels)[0])
    rung = bounds.sharp_bound(d, d_all, **rest)
    assert doubled == close(float(bounds.value_matrix_bound(rung, norm=2.0)))


@given(st.integers(1, 5), UNIT, st.floats(0, 8))
def test_sharp_total_is_attained(outside: int, share: float, d_all: float) -> None:
    lower = share / outside
    attention, tokens, labels = sharp_configuration(
        2, outside, eps_lower=lower, eps_upper=lower, d_cluster=d_all, d_all=d_all
    )
    got = float(cluster_diameters(attend(attention, tokens), labels)[0])
    assert got == close(float(bounds.sharp_total_bound(d_all, outside=outside, eps_lower=lower)))


@st.composite
def any_attention(draw: st.DrawFn, *, clusters: int = 2) -> tuple[np.ndarray, np.ndarray]:
    n = draw(st.integers(2, 6))
    labels = draw(partitions(n=n, clusters=clusters))
    labels[:clusters] = np.arange(clusters)
    return draw(tiny_attention(n=n)), labels


@given(any_attention(), UNIT, st.floats(0, 8))
def test_cluster_dobrushin_is_attained_for_every_attention(
    case: tuple[np.ndarray, np.ndarray], share: float, d_all: float
) -> None:
    attention, labels = case
    d = share * d_all
    tokens = cluster_dobrushin_configuration(attention, labels, d_cluster=d, d_all=d_all)
    assert float(cluster_diameters(tokens, labels)[0]) <= d + 1e-12
    assert float(diameter(tokens)) <= d_all + 1e-12
    got = float(cluster_diameters(attend(attention, tokens), labels)[0])
    sides = {"d_cluster": np.full(labels.max() + 1, d), "d_all": d_all}
    assert got == close(float(bounds.cluster_dobrushin_bound(attention, labels, **sides)[0]))


@given(any_attention(), st.floats(0, 8))
def test_the_dobrushin_coefficient_is_the_best_constant(
    case: tuple[np.ndarray, np.ndarray], d_all: float
) -> None:
    attention, _ = case
    tokens = dobrushin_configuration(attention, d_all=d_all)
    assert float(diameter(tokens)) <= d_all + 1e-12
    coefficient = float(bounds.dobrushin_coefficient(attention))
    assert float(diameter(attend(attention, tokens))) == close(coefficient * d_all)


@given(any_attention(), st.integers(0, 2**32 - 1))
def test_block_transport_is_attained_for_every_attention_and_true_table(
    case: tuple[np.ndarray, np.ndarray], seed: int
) -> None:
    attention, labels = case
    n = len(labels)
    rng = np.random.default_rng(seed)
    cells = np.unique(rng.integers(0, 3, size=n), return_inverse=True)[1].reshape(-1)
    # Doubled tokens: two positions a cell, which is what a cell stands for.
    table = cell_distances(rng.normal(size=(2 * n, 2)), np.concatenate([cells, cells]))
    inside = np.flatnonzero(labels == 0)
    assume(len(inside) > 1)
    known = {"cells": cells, "distances": table}
    best = 0.0
    for pair in itertools.combinations(inside.tolist(), 2):
        tokens = block_transport_configuration(attention, pair=pair, **known)
        assert (cell_distances(tokens, cells) <= table + 1e-9).all()
        after = attend(attention, tokens)
        best = max(best, float(abs(after[pair[0]] - after[pair[1]])[0]))
    exact = bounds.block_transport_bound(attention, labels, **known, exact=True)
    assert best == pytest.approx(float(exact[0]), rel=1e-7, abs=1e-9)
    greedy = bounds.block_transport_bound(attention, labels, **known)
    assert float(greedy[0]) >= float(exact[0]) - 1e-9


@given(any_attention(), st.integers(0, 2**32 - 1))
def test_transport_is_attained_on_a_line(case: tuple[np.ndarray, np.ndarray], seed: int) -> None:
    """With every token a cell of its own, the potential's tokens have the same transport cost as the
    drawn ones.
    """
    attention, labels = case
    inside = np.flatnonzero(labels == 0)
    assume(len(inside) > 1)
    tokens = np.random.default_rng(seed).normal(size=(len(labels), 2))
    bound = float(bounds.transport_bound(attention, tokens, labels)[0])
    singles = np.arange(len(labels))
    table = cell_distances(tokens, singles)
    reached = 0.0
    for pair in itertools.combinations(inside.tolist(), 2):
        line = block_transport_configuration(attention, pair=pair, cells=singles, distances=table)
        after = attend(attention, line)
        reached = max(reached, float(abs(after[pair[0]] - after[pair[1]])[0]))
    assert reached == pytest.approx(bound, rel=1e-7, abs=1e-9)


@given(UNIT, UNIT, UNIT, st.floats(0, 8))
def test_separation_is_attained(mass_g: float, mass_h: float, share: float, d_all: float) -> None:
    s = share * d_all
    attention, tokens, _ = separation_configuration(mass_g=mass_g, mass_h=mass_h, separation=s, d_all=d_all)
    assert float(diameter(tokens)) == close(d_all)
    assert float(tokens[0, 0] - tokens[1, 0]) == close(s)
    assert attention[0, 1:].sum() == close(mass_g)
    assert 1 - attention[1, 1] == close(mass_h)
    after = attend(attention, tokens)
    got = float(after[0, 0] - after[1, 0])
    assert got == close(float(bounds.separation_bound(s, d_all, mass_g=mass_g, mass_h=mass_h)))


@given(any_attention(), UNIT, st.floats(0, 8))
def test_separation_dobrushin_is_attained_for_every_attention(
    case: tuple[np.ndarray, np.ndarray], share: float, d_all: float
) -> None:
    attention, labels = case
    s = share * d_all
    tokens = separation_dobrushin_configuration(attention, labels, separation=s, d_all=d_all)[:, 0]
    assert np.ptp(tokens) <= d_all + 1e-12
    assert tokens[labels == 0].min() >= s - 1e-12
    assert tokens[labels == 1].max() <= 1e-12
    after = attention @ tokens
    gap = after[labels == 0].min() - after[labels == 1].max()
    promise = float(bounds.separation_dobrushin_bound(attention, labels, separation=s, d_all=d_all))
    assert gap == close(promise)


def two_points(q: float, d_all: float, copies: tuple[int, int]) -> np.ndarray:
    return np.repeat([[0.0], [d_all]], copies, axis=0) - q


@given(st.floats(0.05, 3), st.floats(0.1, 4), st.integers(1, 5), st.integers(1, 5))
def test_cubic_is_attained_by_two_points_with_suitable_multiplicities(
    d_all: float, beta: float, zeros: int, ones: int
) -> None:
    """Copies (p, r) at positions -q and D - q: the odds of the two rows must be exp(-omega/2) and
    exp(omega/2).
    """
    # Row of x gives odds (r / p) exp(beta x D); at x = D - q and x = -q they must be reciprocal.
    q = d_all / 2 + math.log(ones / zeros) / (beta * d_all)
    tokens = two_points(q, d_all, (zeros, ones))
    attention = attention_weights(tokens, np.eye(1), beta * np.eye(1))
    got = float(diameter(attend(attention, tokens)))
    assert float(bounds.softmax_beta(np.eye(1), beta * np.eye(1))) == pytest.approx(beta, rel=1e-15)
    assert got == pytest.approx(float(bounds.cubic_bound(d_all, beta=beta)), rel=1e-10)
    assert got == pytest.approx(float(bounds.cluster_cubic_bound(d_all, d_all, beta=beta)), rel=1e-10)


def test_contraction_is_attained_by_the_identity() -> None:
    tokens = np.array([[0.0, 0.0], [3.0, 4.0]])
    after = diameter(attend(np.eye(2), tokens))
    assert float(after) == float(bounds.contraction_bound(diameter(tokens))) == 5.0


@given(st.integers(0, 6), st.floats(0.01, 0.9), st.floats(0.1, 3))
def test_cubic_over_depth_is_below_the_closed_form(steps: int, beta: float, d_all: float) -> None:
    exponent = 3**steps
    log_closed = (exponent - 1) / 2 * math.log(beta / 4) + exponent * math.log(d_all)
    closed = math.exp(min(log_closed, 700.0))
    assert float(bounds.cubic_bound(d_all, beta=beta, steps=steps)) <= closed * (1 + 1e-12) + 1e-300


@pytest.mark.parametrize(("d_all", "expected"), [(1.0, 1.0), (0.5, 1.0)])
def test_where_the_cluster_bounds_for_softmax_meet(d_all: float, expected: float) -> None:
    """All mass outside: tanh(omega/4) D, the cluster_cubic bound."""
    got = bounds.softmax_cluster_bound(0.25, d_all, beta=3.0, mass=expected)
    assert float(got) == pytest.approx(math.tanh(3.0 * 0.25 * d_all / 4) * d_all, rel=1e-15)


def test_tables_that_no_tokens_can_have_are_refused_and_borderline_ones_are_not() -> None:
    known: dict[str, Any] = {"pair": (0, 1), "cells": np.array([0, 1, 1])}
    attention = np.eye(3)
    flat = block_transport_configuration(attention, distances=np.zeros((2, 2)), **known)
    assert flat.tolist() == [[0.0]] * 3
    border = np.array([[2.0, 1.0], [1.0, 2.0]])  # C_rr = 2 C_rs: two cells of one ball
    after = attention @ block_transport_configuration(attention, distances=border, **known)
    assert abs(after[0, 0] - after[1, 0]) == pytest.approx(1.0, rel=1e-9)
    for wrong in (np.array([[2.5, 1.0], [1.0, 0.0]]), np.array([[0.0, 1.0], [2.0, 0.0]]), -border):
        with pytest.raises(ValueError, match="distances: must be symmetric and satisfy"):
            block_transport_configuration(attention, distances=wrong, **known)
    far = np.array([[0.0, 1.0, 3.0], [1.0, 0.0, 1.0], [3.0, 1.0, 0.0]])
    with pytest.raises(ValueError, match="distances: must be symmetric and satisfy"):
        block_transport_configuration(attention, pair=(0, 1), cells=np.array([0, 1, 2]), distances=far)
