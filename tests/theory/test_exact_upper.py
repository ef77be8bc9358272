"""The bounds that no configuration attains, against plain renderings of their statements: that they hold
says nothing of a program that gives a larger number.
"""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnclust import bounds

from .exact import Case
from .test_ladder import as_float, exact_cases

HALF, ZERO = Fraction(1, 2), Fraction(0)


def split(case: Case, j: int, i: int, cells: list[int], k: int) -> tuple[list[Fraction], list[Fraction]]:
    """The masses by cell of the parts of A[j] - A[i] that are gained and lost."""
    gained, lost = [ZERO] * k, [ZERO] * k
    for cell, x, y in zip(cells, case.a[j], case.a[i], strict=True):
        gained[cell] += max(x - y, ZERO)
        lost[cell] += max(y - x, ZERO)
    return gained, lost


@given(exact_cases(), st.data())
def test_the_linear_recursion(case: Case, data: st.DataObject) -> None:
    n = len(case.a)
    k = data.draw(st.integers(1, n))
    cells = [*range(k), *(data.draw(st.integers(0, k - 1)) for _ in range(n - k))]
    d = [Fraction(data.draw(st.integers(0, 8)), 2) for _ in range(k)]
    big = max(d) + data.draw(st.integers(0, 3))
    expected = []
    for g in range(k):
        pairs = list(itertools.combinations([t for t in range(n) if cells[t] == g], 2))
        masses = [split(case, *pair, cells, k) for pair in pairs]
        kept = [max((min(p[r], q[r]) for p, q in masses), default=ZERO) for r in range(k)]
        drift = max((sum(abs(x - y) for x, y in zip(p, q, strict=True)) / 2 for p, q in masses), default=ZERO)
        expected.append(float(sum(b * x for b, x in zip(kept, d, strict=True)) + drift * big))
    got = bounds.block_recursion_linear(
        as_float(case.a), np.array(cells), d_cluster=np.array([float(x) for x in d]), d_all=float(big)
    )
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("steps", [0, 1, 2, 5])
@pytest.mark.parametrize(
    ("m", "low", "high"),
    [(0, ZERO, ZERO), (3, ZERO, ZERO), (3, ZERO, HALF), (2, Fraction(1, 8), Fraction(1, 4)), (1, HALF, HALF)],
)
def test_iteration_is_the_sharp_bound_step_by_step(m: int, low: Fraction, high: Fraction, steps: int) -> None:
    """D does not grow, so d_t+1 <= (1 - x_u) d_t + (x_u - x_l) D; without what leaks d stays."""
    d, big = Fraction(3, 2), Fraction(7)
    upper, lower = min(Fraction(1), m * high), m * low
    expected = d
    for _ in range(steps):
        expected = (1 - upper) * expected + (upper - lower) * big
    got = bounds.iteration_bound(
        float(d), float(big), outside=m, eps_lower=float(low), eps_upper=float(high), steps=steps
    )
    assert float(got) == pytest.approx(float(expected), rel=1e-14)


@given(exact_cases())
def test_chi(case: Case) -> None:
    z, n = as_float(case.z), len(case.z)
    pi = [sum((case.a[j][k] for j in case.inside), ZERO) / len(case.inside) for k in range(n)]
    squares = [
        sum(((case.a[j][k] - case.a[i][k]) ** 2 / pi[k] for k in range(n) if pi[k]), ZERO)
        for j, i in itertools.combinations(case.inside, 2)
    ]
    share = np.array([float(p) for p in pi])
    spread = np.linalg.svd(np.sqrt(share)[:, None] * (z - share @ z), compute_uv=False).max()
    labels = np.full(n, -1)
    labels[case.inside] = 0
    got = float(bounds.chi_bound(as_float(case.a), z, labels)[0])
    assert got == pytest.approx(math.sqrt(max(squares)) * spread, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("beta", [0.05, 0.5, 2.0, 9.0])
@pytest.mark.parametrize("mass", [0.0, 0.05, 0.2, 0.45, 0.5, 0.55, 0.6, 0.7, 0.9, 1.0])
def test_softmax_cluster_is_the_greatest_leak_up_to_the_mass(beta: float, mass: float) -> None:
    """sup of phi over [0, x_u], found on a grid, without the formula for where it is."""
    d, big = 0.8, 1.5
    omega = beta * d * big
    y = np.linspace(0.0, mass, 20001)
    fall = math.exp(-omega)
    with np.errstate(invalid="ignore"):
        phi = y * (1 - y) * (1 - fall) / (1 - y + y * fall)
    expected = math.tanh(omega / 4) * d + phi.max() * (big - d)
    got = float(bounds.softmax_cluster_bound(d, big, beta=beta, mass=mass))
    assert got == pytest.approx(expected, rel=1e-7)
    assert got <= float(bounds.cluster_cubic_bound(d, big, beta=beta)) + 1e-15
