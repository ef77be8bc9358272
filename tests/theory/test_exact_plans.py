"""Transports, couplings, recursions, separation and the forms with value maps and residuals: in exact
arithmetic they hold and are ordered without tolerance, and the package gives the same numbers.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from attnclust import bounds
from attnclust.geometry import cell_distances

from . import exact_plans as plans
from .exact import Case, Matrix, Norm, diameter, distance, step
from .test_ladder import as_float, exact_cases

ROUNDING = 1e-12
"""Of numbers of at most about 100, sums of at most 25 products: 25 u (100 + ...) leaves a decade."""


@st.composite
def cases_with_cells(draw: st.DrawFn) -> tuple[Case, plans.Cells]:
    """A step, and its tokens in cells: the cluster's own and the outsiders', each cut further at will."""
    case = draw(exact_cases())
    of_token = [draw(st.integers(0, 1)) + 2 * (k in case.inside) for k in range(len(case.z))]
    cells = [[k for k, cell in enumerate(of_token) if cell == c] for c in range(4)]
    return case, [cell for cell in cells if cell]


def labels_of(cells: plans.Cells, n: int) -> np.ndarray:
    labels = np.full(n, -1)
    for number, cell in enumerate(cells):
        labels[cell] = number
    return labels


def scaled(case: Case) -> np.ndarray:
    """The tokens with the norm's weights on their coordinates: the plain norm then measures them."""
    return as_float(case.z) * [float(w) for w in case.norm.weights]


@given(cases_with_cells())
def test_couplings_are_ordered_without_tolerance(drawn: tuple[Case, plans.Cells]) -> None:
    case, cells = drawn
    singles = [[k] for k in range(len(case.z))]
    coarse = [case.inside, *([case.outside] if case.outside else [])]
    fine, blocks, coarsest = (
        plans.block_transport(case, each, plans.table(case, each)) for each in (singles, cells, coarse)
    )
    best = plans.transport(case)
    assert fine == best
    assert case.measured <= best <= blocks <= coarsest <= case.ladder()["cluster_dobrushin"]
    independent = plans.independent(case)
    assert best <= independent <= min(plans.star(case, centre) for centre in case.z)


@given(cases_with_cells())
def test_two_cells_of_diameters_d_and_big_are_cluster_dobrushin(drawn: tuple[Case, plans.Cells]) -> None:
    """With d inside the cluster and D everywhere else, the least cost is what the two diameters say."""
    case, _ = drawn
    if not case.outside:
        return
    prices = [[case.d, case.big], [case.big, case.big]]
    assert (
        plans.block_transport(case, [case.inside, case.outside], prices) == case.ladder()["cluster_dobrushin"]
    )


@given(cases_with_cells())
def test_the_package_agrees_to_rounding(drawn: tuple[Case, plans.Cells]) -> None:
    case, cells = drawn
    a, z, order = as_float(case.a), scaled(case), case.norm.order
    labels, numbers = labels_of([case.inside], len(z)), labels_of(cells, len(z))
    prices = plans.table(case, cells)
    np.testing.assert_allclose(cell_distances(z, numbers, ord=order), as_float(prices), atol=ROUNDING)
    known: dict[str, Any] = {"cells": numbers, "distances": as_float(prices)}
    centre = np.zeros(z.shape[1])
    got = {
        "transport": bounds.transport_bound(a, z, labels, ord=order),
        "block": bounds.block_transport_bound(a, labels, exact=True, **known),
        "independent": bounds.independent_bound(a, z, labels, ord=order),
        "star": bounds.star_bound(a, z, labels, ord=order, centre=centre),
        "star from the mean": bounds.star_bound(a, z, labels, ord=order),
    }
    origin = [Fraction(0) for _ in case.z[0]]
    mean = [sum(column, Fraction(0)) / len(case.z) for column in zip(*case.z, strict=True)]
    expected = {
        "transport": plans.transport(case),
        "block": plans.block_transport(case, cells, prices),
        "independent": plans.independent(case),
        "star": plans.star(case, origin),
        "star from the mean": plans.star(case, mean),
    }
    for label, value in expected.items():
        assert abs(float(got[label][0]) - value) <= ROUNDING, label
    greedy = float(bounds.block_transport_bound(a, labels, **known)[0])
    assert greedy >= expected["block"] - Fraction(ROUNDING)


@given(cases_with_cells(), st.data())
def test_the_recursion_bounds_every_entry_and_composes(
    drawn: tuple[Case, plans.Cells], data: st.DataObject
) -> None:
    case, cells = drawn
    prices = plans.table(case, cells)
    once = plans.recursion(case.a, cells, prices)
    after = Case(case.a, step(case.a, case.z), case.inside, case.norm)
    true = plans.table(after, cells)
    assert all(x <= y for row, bound in zip(true, once, strict=True) for x, y in zip(row, bound, strict=True))
    second = data.draw(exact_cases().filter(lambda other: len(other.z) == len(case.z))).a
    both = [
        [sum((w * case.a[k][c] for k, w in enumerate(row)), Fraction(0)) for c in range(len(row))]
        for row in second
    ]
    at_once, in_turn = plans.recursion(both, cells, prices), plans.recursion(second, cells, once)
    assert all(
        x <= y for row, bound in zip(at_once, in_turn, strict=True) for x, y in zip(row, bound, strict=True)
    )
    got = bounds.block_recursion(
        as_float(case.a), labels_of(cells, len(case.z)), distances=as_float(prices), exact=True
    )
    np.testing.assert_allclose(got, as_float(once), atol=ROUNDING)


@given(exact_cases(), st.data())
def test_separation_on_a_line(case: Case, data: st.DataObject) -> None:
    """On a line the distance of two hulls is exact: the gap between their intervals."""
    n = len(case.z)
    g = data.draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=n - 1, unique=True))
    rest = [k for k in range(n) if k not in g]
    h = data.draw(st.lists(st.sampled_from(rest), min_size=1, unique=True))
    line = [[row[0]] for row in case.z]

    def gap(z: Matrix) -> Fraction:
        low, high = (sorted(z[k][0] for k in side) for side in (g, h))
        return max(low[0] - high[-1], high[0] - low[-1], Fraction(0))

    s, big = gap(line), max(line)[0] - min(line)[0]
    promised = plans.separation_dobrushin(case.a, g, h, s, big)
    masses = [max(1 - sum(case.a[j][k] for k in side) for j in side) for side in (g, h)]
    from_masses = (1 - min(masses)) * s - max(masses) * big
    assert from_masses <= promised <= gap(step(case.a, line))
    labels = labels_of([g, h], n)
    free = Fraction(data.draw(st.integers(0, 4)), 2)
    for sides in ((s, big), (free, free + data.draw(st.integers(0, 5)))):
        known: dict[str, Any] = {"separation": float(sides[0]), "d_all": float(sides[1])}
        got = bounds.separation_dobrushin_bound(as_float(case.a), labels, **known)
        assert abs(float(got) - plans.separation_dobrushin(case.a, g, h, *sides)) <= ROUNDING
    got = bounds.separation_bound(float(s), float(big), mass_g=float(masses[0]), mass_h=float(masses[1]))
    assert abs(float(got) - from_masses) <= ROUNDING


def operator_norm(norm: Norm, w: Matrix) -> Fraction:
    """Of x -> x W on coordinates that the norm weighs: the largest row, or column, of |W|."""
    scaled = [
        [abs(x) * out / into for x, out in zip(row, norm.weights, strict=True)]
        for row, into in zip(w, norm.weights, strict=True)
    ]
    sums = [sum(row, Fraction(0)) for row in (scaled if norm.order == 1 else zip(*scaled, strict=True))]
    return max(sums)


@given(exact_cases(), st.data())
def test_value_maps_heads_and_residuals(case: Case, data: st.DataObject) -> None:
    width, n = len(case.z[0]), len(case.z)
    entry = st.integers(-4, 4).map(lambda x: Fraction(x, 2))
    maps = [[[data.draw(entry) for _ in range(width)] for _ in range(width)] for _ in range(2)]
    alpha = Fraction(data.draw(st.integers(0, 4)), 4)
    second = data.draw(exact_cases().filter(lambda other: len(other.z) == n)).a
    heads = [case, Case(second, case.z, case.inside, case.norm)]

    def mapped(z: Matrix, w: Matrix) -> Matrix:
        return [
            [sum((x * w[k][c] for k, x in enumerate(row)), Fraction(0)) for c in range(width)] for row in z
        ]

    def size(z: Matrix) -> Fraction:
        return diameter(case.norm, z, case.inside)

    def added(x: Matrix, y: Matrix) -> Matrix:
        return [[p + q for p, q in zip(u, v, strict=True)] for u, v in zip(x, y, strict=True)]

    outputs = [mapped(step(head.a, case.z), w) for head, w in zip(heads, maps, strict=True)]
    norms = [operator_norm(case.norm, w) for w in maps]
    rungs = [head.ladder()["cluster_dobrushin"] for head in heads]
    assert size(outputs[0]) <= norms[0] * rungs[0]
    assert size(added(*outputs)) <= sum(w * rung for w, rung in zip(norms, rungs, strict=True))
    (low, high), m = case.eps, len(case.outside)
    upper, lower = min(Fraction(1), m * high), m * low
    sharp = case.ladder()["sharp"]
    with_residual, convex = (
        case.d + norms[0] * sharp,
        (1 - alpha * upper) * case.d + alpha * (upper - lower) * case.big,
    )
    assert size(added(case.z, outputs[0])) <= with_residual
    partly = [
        [(1 - alpha) * p + alpha * q for p, q in zip(u, v, strict=True)]
        for u, v in zip(case.z, step(case.a, case.z), strict=True)
    ]
    assert size(partly) <= convex

    known = {"outside": m, "eps_lower": float(low), "eps_upper": float(high)}
    d, big = float(case.d), float(case.big)
    got = [
        bounds.value_matrix_bound(float(rungs[0]), norm=float(norms[0])),
        bounds.multi_head_bound(
            np.array([[float(r)] for r in rungs]), norms=np.array([float(w) for w in norms])
        )[0],
        bounds.residual_bound(d, big, norm=float(norms[0]), **known),
        bounds.convex_bound(d, big, alpha=float(alpha), **known),
    ]
    expected = [
        norms[0] * rungs[0],
        sum(w * rung for w, rung in zip(norms, rungs, strict=True)),
        with_residual,
        convex,
    ]
    for value, exact in zip(got, expected, strict=True):
        assert abs(float(value) - exact) <= 10 * ROUNDING


def test_the_oracle_by_hand() -> None:
    """A plan that must not be greedy: the cheapest arc first costs 0 + 9, the best plan 1 + 2."""
    one = Fraction(1)
    assert plans.least_cost([one, one], [one, one], [[Fraction(0), one], [Fraction(2), Fraction(9)]]) == 3
    assert (
        plans.least_cost([one, Fraction(0)], [Fraction(1, 3), Fraction(2, 3)], [[one, 4 * one], [one, one]])
        == 3
    )
    assert operator_norm(Norm(1.0, (one, 2 * one)), [[one, one], [one, -one]]) == 3
    assert distance(Norm(1.0, (one,)), [one], [Fraction(0)]) == 1
