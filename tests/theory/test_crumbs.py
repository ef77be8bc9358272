"""What rounding leaves over: how far the theorem's outside mass may pass 1, mass without a partner in a plan,
and what is left where there is nothing at all.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from attnclust import bounds
from attnclust._array import ArgumentError
from attnclust.bounds._plans import plan_costs
from attnclust.bounds._transport import exact_cost
from attnclust.geometry import cell_distances
from attnclust.verify import verify

UNIT = np.finfo(float).eps / 2


@pytest.mark.parametrize(("beyond", "accepted"), [(38 * UNIT, True), (42 * UNIT, False)])
def test_the_outside_mass_may_pass_one_by_the_rounding_of_its_sum(beyond: float, accepted: bool) -> None:
    """Of m = 2 weights: 4 (m + 8) = 40 units."""
    known = {"outside": 2, "eps_lower": 0.5 * (1 + beyond), "eps_upper": 0.75}
    if accepted:
        assert float(bounds.sharp_bound(1.0, 4.0, **known)) == 0.0
    else:
        with pytest.raises(ArgumentError, match="outside"):
            bounds.sharp_bound(1.0, 4.0, **known)


def test_the_largest_count_sets_the_slack() -> None:
    lower = np.array([0.0, (1 + 1000 * UNIT) / 1000])
    got = bounds.sharp_bound(
        np.ones(2), 4.0, outside=np.array([1, 1000]), eps_lower=lower, eps_upper=np.array([0.5, 0.5])
    )
    np.testing.assert_array_equal(got, [0.5 * 1 + 0.5 * 4, 0.0])


def test_no_cluster_at_all() -> None:
    none = np.zeros(0)
    got = bounds.sharp_bound(none, 4.0, outside=np.zeros(0, dtype=int), eps_lower=none, eps_upper=none)
    assert got.shape == (0,)
    alone, nobody = np.ones((1, 1)), np.array([-1])
    assert bounds.overlap_bound(alone, nobody, d_cluster=none, d_all=0.0).shape == (0,)
    assert bounds.independent_bound(alone, alone, nobody).shape == (0,)


def test_mass_without_a_partner_is_charged_the_highest_price() -> None:
    """A half goes from the first cell to the second at 2; the other half finds no demand, at 9; and the same
    with supply and demand exchanged.
    """
    prices = np.array([[1.0, 2.0, 9.0], [2.0, 1.0, 3.0], [9.0, 3.0, 1.0]])
    more, less = np.array([[1.0, 0.0, 0.0]]), np.array([[0.0, 0.5, 0.0]])
    for supply, demand in ((more, less), (less, more)):
        np.testing.assert_array_equal(plan_costs(np, supply, demand, prices), [0.5 * 2 + 0.5 * 9])


def test_masses_of_unlike_totals_are_carried_as_the_larger() -> None:
    assert exact_cost(np.array([2.0]), np.array([1.0]), np.array([[3.0]])) == 6.0
    assert exact_cost(np.array([1.0]), np.array([2.0]), np.array([[3.0]])) == 6.0


def test_the_larger_of_unlike_masses_is_what_stays_in_the_second_cell() -> None:
    prices = np.array([[1.0, 9.0], [9.0, 3.0]])
    more, less = np.array([[0.0, 2.0]]), np.array([[0.0, 1.0]])
    for supply, demand in ((more, less), (less, more)):
        np.testing.assert_array_equal(plan_costs(np, supply, demand, prices), [2 * 3.0])


def test_a_plan_that_costs_just_the_limit_decides_nothing() -> None:
    """The cheapest arc first costs 2, the limit; the best plan, 1, is below it."""
    halves, prices = np.array([0.5, 0.5]), np.array([[0.0, 1.0], [1.0, 4.0]])
    assert exact_cost(halves, halves, prices, decide=2.0) < 2.0


@pytest.mark.parametrize("crumbs", [(1e-16, 1.1e-16), (1.1e-16, 1e-16)])
def test_a_crumb_of_just_the_size_that_is_left_ends_the_search(crumbs: tuple[float, float]) -> None:
    supply, demand = np.array([crumbs[0], 1.0]), np.array([1.0, crumbs[1]])
    assert exact_cost(supply, demand, np.array([[2.0, 3.0], [1.0, 2.0]])) == 1.0


@pytest.mark.parametrize("tokens", [26, 5])
def test_rows_that_miss_the_sum_one_are_priced_alike_however_many_pairs_there_are(tokens: int) -> None:
    """In single precision a row may miss 2e-6, which at the highest price costs 20; the rest costs a half."""
    n, k = tokens, tokens - 2
    rows = np.zeros((n, n))
    rows[:, -2:], rows[:, :2] = 0.25, 0.25
    rows[0, :2], rows[1, :2] = [0.5, 0.0], [0.0, 0.5]
    rows[2, 1] += 2e-6
    z, labels = np.zeros((n, 1)), np.array([0] * k + [1, -1])
    z[1], z[-1] = 1.0, 1e7
    a, z = rows.astype(np.float32), z.astype(np.float32)
    unmatched = 1e7 * (a[2].astype(float).sum() - 1)
    assert unmatched <= verify(a, z, labels).bounds["block_transport"][0] <= unmatched + 0.5


def test_the_dearest_pair_is_found_where_rows_miss_the_sum_one() -> None:
    n, one, half = 64, np.float32(2.0**-17), np.float32(2.0**-18)
    a = np.full((n, n), 1 / n, dtype=np.float32)
    a[1, 0], a[1, 1] = a[1, 0] + one, a[1, 1] - one
    a[2, 0], a[2, 1] = a[2, 0] + one + half, a[2, 1] - one + half
    z = np.eye(n, 1, dtype=np.float32)
    rows, prices = a[:3].astype(float), np.abs(z - z.T).astype(float)
    costs = [
        exact_cost(np.maximum(rows[j] - rows[i], 0), np.maximum(rows[i] - rows[j], 0), prices)
        for j, i in combinations(range(3), 2)
    ]
    got = bounds.transport_bound(a, z, np.array([0] * 3 + [-1] * 61))
    np.testing.assert_allclose(got, [max(costs)], rtol=1e-6)


def test_a_coupling_of_rows_that_miss_the_sum_one_is_no_cheaper_than_the_best() -> None:
    a = np.full((8, 8), 0.125, dtype=np.float32)
    a[1, 0], a[1, 1] = a[1, 0] + np.float32(3e-6), a[1, 1] - np.float32(1e-7)
    step = a, np.eye(8, 1, dtype=np.float32), np.array([0, 0] + [-1] * 6)
    assert (
        float(bounds.independent_bound(*step)[0]) >= (1 - 1e-6) * float(bounds.transport_bound(*step)[0]) > 0
    )


def test_distances_beyond_the_largest_number() -> None:
    far = np.array([[1.7e308], [-1.7e308]])
    with np.errstate(over="ignore", invalid="ignore"):
        assert bounds.independent_bound(np.full((2, 2), 0.5), far, np.array([0, 0])).tolist() == [0.0]
        assert bounds.transport_bound(np.eye(2), far, np.array([0, 0])).tolist() == [np.inf]


def test_a_cell_without_tokens_stays_without_distances() -> None:
    a = np.random.default_rng(7).dirichlet(np.ones(4), size=4)
    filled = np.array([[1.0, 3.0], [3.0, 2.0]])
    wider = np.array([[1.0, 0.0, 3.0], [0.0, 0.0, 0.0], [3.0, 0.0, 2.0]])
    got = bounds.block_recursion(a, np.array([0, 0, 2, 2]), distances=wider)
    np.testing.assert_array_equal(got[1], 0)
    np.testing.assert_array_equal(got[:, 1], 0)
    expected = bounds.block_recursion(a, np.array([0, 0, 1, 1]), distances=filled)
    np.testing.assert_allclose(got[np.ix_([0, 2], [0, 2])], expected, rtol=1e-14)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_many_pairs_at_any_scale(scale: float) -> None:
    """Beyond a few hundred pairs only those that could be the worst are priced."""
    rng = np.random.default_rng(11)
    a, z = rng.dirichlet(np.ones(50), size=50), scale * rng.normal(size=(50, 2))
    labels = np.repeat([0, 1], [30, 20])
    table = cell_distances(z, labels)
    expected = bounds.block_transport_bound(a, labels, cells=labels, distances=table)
    np.testing.assert_allclose(verify(a, z, labels).bounds["block_transport"], expected, rtol=1e-12)
