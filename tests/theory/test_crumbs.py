"""What rounding leaves over: how far the theorem's outside mass may pass 1, mass without a partner in a plan,
and what is left where there is nothing at all.
"""

from __future__ import annotations

import numpy as np
import pytest

from attnclust import bounds
from attnclust._array import ArgumentError
from attnclust.bounds._plans import plan_costs
from attnclust.bounds._transport import exact_cost

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
