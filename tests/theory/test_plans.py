"""What it costs to carry masses: the exact cost against a linear program, and its early verdicts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.spatial.distance import cdist
from scipy.stats import wasserstein_distance

from attnclust.bounds._transport import exact_cost


def by_linear_program(supply: np.ndarray, demand: np.ndarray, costs: np.ndarray) -> float:
    r, s = costs.shape
    margins = np.zeros((r + s, r * s))
    for i in range(r):
        margins[i, i * s : (i + 1) * s] = 1
    for j in range(s):
        margins[r + j, j::s] = 1
    answer = linprog(costs.ravel(), A_eq=margins, b_eq=np.concatenate([supply, demand]), method="highs")
    return float(answer.fun)


@st.composite
def problems(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Masses in 64ths, which add up exactly, some of them 0; costs with many ties or none."""
    r, s = draw(st.integers(1, 7)), draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    supply, demand = (rng.multinomial(64, rng.dirichlet(np.full(k, 0.5))) / 64 for k in (r, s))
    costs = rng.integers(0, 4, size=(r, s)).astype(float) if draw(st.booleans()) else rng.random((r, s))
    return supply, demand, costs


@given(problems())
def test_the_exact_cost_is_that_of_a_linear_program(
    problem: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    assert exact_cost(*problem) == pytest.approx(by_linear_program(*problem), abs=1e-9)


@given(problems(), st.floats(0.01, 3))
def test_an_early_verdict_is_on_the_side_of_the_cost(
    problem: tuple[np.ndarray, np.ndarray, np.ndarray], share: float
) -> None:
    cost = exact_cost(*problem)
    limit = share * cost + 1e-3
    if abs(limit - cost) > 1e-9:
        assert (exact_cost(*problem, decide=limit) < limit) == (cost < limit)


def test_many_points_on_a_line_against_the_closed_form() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=60), rng.normal(size=50)
    p, q = rng.dirichlet(np.ones(60)), rng.dirichlet(np.ones(50))
    got = exact_cost(p, q, cdist(x[:, None], y[:, None]))
    assert got == pytest.approx(wasserstein_distance(x, y, p, q), rel=1e-13)
    assert exact_cost(3 * p, 3 * q, cdist(x[:, None], y[:, None])) == pytest.approx(3 * got, rel=1e-13)
    for unit in (1e-150, 1e-20, 1e150):
        scaled = exact_cost(p, q, unit * cdist(x[:, None], y[:, None]))
        assert scaled == pytest.approx(unit * got, rel=1e-13, abs=0)
    assert exact_cost(np.zeros(60), q, cdist(x[:, None], y[:, None])) == 0


@pytest.mark.parametrize("turned", [False, True])
def test_one_pile_carried_to_many_places(turned: bool) -> None:
    """Every share of the many is small beside the one."""
    distances = np.random.default_rng(1).random(40)
    one, many = np.array([0.5]), np.full(40, 0.5 / 40)
    problem = (many, one, distances[:, None]) if turned else (one, many, distances[None, :])
    assert exact_cost(*problem) == pytest.approx(0.5 * distances.mean(), rel=1e-13)
