"""The ladder from ranges and from pairs: exact, in order, equal to the package's, and what falls outside
it.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, target
from hypothesis import strategies as st

from attnclust.bounds import (
    cluster_dobrushin_bound,
    cross_attention,
    dobrushin_coefficient,
    linear_bound,
    overlap_bound,
    paper_appendix_bound,
    paper_main_bound,
    product_bound,
    sharp_bound,
)
from attnclust.geometry import cluster_diameters, diameter
from attnclust.verify import verify

from .exact import Case, Norm

RANGES = {
    "paper_main": paper_main_bound,
    "paper_appendix": paper_appendix_bound,
    "linear": linear_bound,
    "product": product_bound,
    "sharp": sharp_bound,
}
PAIRS = {"overlap": overlap_bound, "cluster_dobrushin": cluster_dobrushin_bound}
CHAIN = ("cluster_dobrushin", "overlap", "sharp", "product", "linear")
SMALL = st.integers(0, 7)


@st.composite
def exact_cases(draw: st.DrawFn) -> Case:
    """Rational steps on few tokens: rows of small integers over their sum, so that ties and zeros are
    common.
    """
    n, width = draw(st.integers(2, 5)), draw(st.integers(1, 2))
    a = []
    for _ in range(n):
        row = draw(st.lists(SMALL, min_size=n, max_size=n).filter(any))
        a.append([Fraction(x, sum(row)) for x in row])
    z = [
        [Fraction(draw(st.integers(-9, 9)), draw(st.sampled_from([1, 3]))) for _ in range(width)]
        for _ in range(n)
    ]
    inside = sorted(draw(st.sets(st.integers(0, n - 1), min_size=2)))
    weights = tuple(Fraction(draw(st.integers(1, 4)), 2) for _ in range(width))
    return Case(a, z, inside, Norm(draw(st.sampled_from([1.0, math.inf])), weights))


@given(exact_cases())
def test_the_ladder_holds_in_exact_arithmetic_without_tolerance(case: Case) -> None:
    rungs = case.ladder()
    order = [case.measured, *(rungs[label] for label in CHAIN)]
    assert order == sorted(order)
    assert rungs["linear"] <= min(rungs["paper_main"], rungs["paper_appendix"])
    assert case.measured <= case.big * case.dobrushin() <= case.big
    if case.d > 0:
        target(float(case.measured / rungs["cluster_dobrushin"]) if rungs["cluster_dobrushin"] else 0.0)
    for never_certifies in ("product", "linear", "paper_main", "paper_appendix"):
        assert rungs[never_certifies] >= case.d


def as_float(matrix: list[list[Fraction]]) -> np.ndarray:
    return np.array([[float(x) for x in row] for row in matrix])


@given(exact_cases())
def test_the_public_functions_agree_with_exact_arithmetic_to_rounding(case: Case) -> None:
    a, z = as_float(case.a), as_float(case.z) * [float(w) for w in case.norm.weights]
    labels = np.full(len(z), -1)
    labels[case.inside] = 0
    d, big = cluster_diameters(z, labels, ord=case.norm.order), diameter(z, ord=case.norm.order)
    ranges = cross_attention(a, labels)
    roundoff = 64 * np.finfo(float).eps * (1 + float(case.big)) ** 2 * len(z) ** 2
    assert abs(float(d[0]) - case.d) <= roundoff
    assert abs(float(big) - case.big) <= roundoff
    assert [float(ranges.eps_lower[0]), float(ranges.eps_upper[0])] == [float(e) for e in case.eps]
    assert int(ranges.outside[0]) == len(case.outside)
    assert abs(float(dobrushin_coefficient(a)) - case.dobrushin()) <= roundoff
    exact = case.ladder()
    step = verify(a, z, labels, ord=case.norm.order)
    assert abs(float(step.measured[0]) - case.measured) <= roundoff
    for label, bound in RANGES.items():
        got = bound(d, big, outside=ranges.outside, eps_lower=ranges.eps_lower, eps_upper=ranges.eps_upper)
        assert abs(float(got[0]) - exact[label]) <= roundoff, label
        assert abs(float(step.bounds[label][0]) - exact[label]) <= roundoff, label
    for label, bound in PAIRS.items():
        got = bound(a, labels, d_cluster=d, d_all=big)
        assert abs(float(got[0]) - exact[label]) <= roundoff, label
        assert abs(float(step.bounds[label][0]) - exact[label]) <= roundoff, label
    assert all(bool(held.all()) for held in step.holds.values())


def test_by_hand() -> None:
    """d = 2, D = 10, m = 5, weights outside in [1/20, 1/10]: every rung worked out on paper."""
    known = {"outside": 5, "eps_lower": 0.05, "eps_upper": 0.1}
    expected = {
        "sharp": 0.5 * 2 + 0.25 * 10,
        "product": 0.25 * 2 + 0.75 * 10,
        "linear": 0.5625 * 2 + 2 * 0.5 * 10,
        "paper_appendix": 0.5625 * 2 + 0.5 * 10 * 2.5,
        "paper_main": 0.5625 * 2 + 0.5 * 10 * 7,
    }
    for label, value in expected.items():
        assert float(RANGES[label](2.0, 10.0, **known)) == pytest.approx(value, rel=1e-15), label


def test_labellings_held_against_one_step_at_once_are_those_held_one_by_one() -> None:
    """Partitions along an axis of their own, heads along another; neither may be mistaken for the other."""
    draw = np.random.default_rng(3)
    n, heads, partitions, clusters = 11, 2, 3, 5
    attention, tokens = draw.dirichlet(np.ones(n), size=(heads, n)), draw.normal(size=(heads, n, 7))
    labels = draw.integers(-1, clusters, size=(partitions, n))
    labels[2] = labels[0]
    together = verify(attention, tokens, labels[:, None], clusters=clusters)
    assert together.diameter.shape == together.tolerance.shape == (partitions, heads)
    for place in range(partitions):
        for head in range(heads):
            alone = verify(attention[head], tokens[head], labels[place], clusters=clusters)
            for name in ("current", "measured", "diameter", "tolerance", "eps_upper", "counted"):
                np.testing.assert_allclose(
                    getattr(together, name)[place, head], getattr(alone, name), rtol=1e-12
                )
            for rung, bound in alone.bounds.items():
                np.testing.assert_allclose(together.bounds[rung][place, head], bound, rtol=1e-12)
