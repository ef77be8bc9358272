"""Distances between hulls against non-negative least squares and the dual linear program; norms and
tables of distances against NumPy and SciPy, at scales where squares overflow.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, nnls
from scipy.spatial.distance import cdist

from attnclust.geometry import _pairs, cell_distances, cluster_diameters, diameter, hull_distance


def by_least_squares(a: np.ndarray, b: np.ndarray) -> float:
    """The least ||a^T p - b^T q|| over non-negative p and q, whose sums are held at 1 by a heavy weight."""
    heavy = 1e5
    n, m = len(a), len(b)
    sums = heavy * np.array([[1.0] * n + [0.0] * m, [0.0] * n + [1.0] * m])
    target = np.concatenate([np.zeros(a.shape[1]), [heavy, heavy]])
    p = nnls(np.vstack([np.hstack([a.T, -b.T]), sums]), target, maxiter=10_000)[0]
    return float(np.linalg.norm(a.T @ p[:n] / p[:n].sum() - b.T @ p[n:] / p[n:].sum()))


def by_duality(a: np.ndarray, b: np.ndarray, order: float) -> float:
    """The widest slab between the sets: max of s - t, w a >= s, w b <= t, w of dual norm at most 1."""
    d = a.shape[1]
    rows = [np.hstack([-a, a, np.ones((len(a), 1)), np.zeros((len(a), 1))])]
    rows += [np.hstack([b, -b, np.zeros((len(b), 1)), -np.ones((len(b), 1))])]
    limit = np.zeros(len(a) + len(b))
    each: tuple[float, float | None] = (0.0, 1.0)
    if order == math.inf:  # the dual norm is the 1-norm
        rows.append(np.concatenate([np.ones(2 * d), [0.0, 0.0]])[None])
        limit, each = np.append(limit, 1.0), (0.0, None)
    cost = np.concatenate([np.zeros(2 * d), [-1.0, 1.0]])
    bounds = [*[each] * (2 * d), (None, None), (None, None)]
    return -float(linprog(cost, A_ub=np.vstack(rows), b_ub=limit, bounds=bounds, method="highs").fun)


SETS = st.tuples(
    st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 12), st.integers(1, 6), st.floats(0, 4)
)


def drawn(seed: int, n: int, m: int, d: int, shift: float) -> tuple[np.ndarray, np.ndarray]:
    """Half of the draws on a small grid, with ties, repeated and collinear points."""
    rng = np.random.default_rng(seed)
    a, b = (
        rng.integers(-2, 3, size=(k, d)).astype(float) if seed % 2 else rng.normal(size=(k, d))
        for k in (n, m)
    )
    a[:, 0] += round(shift)
    return a, b


@settings(max_examples=200)
@given(SETS)
def test_hulls_in_the_euclidean_norm(sets: tuple[int, int, int, int, float]) -> None:
    a, b = drawn(*sets)
    assert float(hull_distance(a, b)) == pytest.approx(by_least_squares(a, b), rel=1e-6, abs=1e-5)


@given(SETS, st.sampled_from([1.0, math.inf]), st.sampled_from([1e-9, 1.0, 1e9]))
def test_hulls_in_the_other_norms(sets: tuple[int, int, int, int, float], order: float, scale: float) -> None:
    a, b = drawn(*sets)
    got = float(hull_distance(scale * a, scale * b, ord=order))
    assert got == pytest.approx(scale * by_duality(a, b, order), rel=1e-7, abs=1e-7 * scale)


@pytest.mark.parametrize("d", [2, 7, 40])
@pytest.mark.parametrize("gap", [0.0, 1e-3, 3.0])
@pytest.mark.parametrize("scale", [1e-150, 1.0, 1e150])
def test_hulls_a_known_gap_apart(d: int, gap: float, scale: float) -> None:
    """Two slabs `gap` apart, each touched by some of its points; one mixture of theirs faces the other's."""
    rng = np.random.default_rng(53)
    for _ in range(10):
        touching = [rng.normal(size=(d, d)) for _ in range(2)]
        facing = [rng.dirichlet(np.ones(d)) @ each for each in touching]
        sides = []
        for sign, points, middle in zip((1, -1), touching, facing, strict=True):
            points = points - middle
            points[:, 0] = sign * gap / 2
            beyond = rng.normal(size=(2 * d, d))
            beyond[:, 0] = sign * (gap / 2 + rng.exponential(size=2 * d))
            sides.append(np.concatenate([points, beyond])[rng.permutation(3 * d)])
        turn = np.linalg.qr(rng.normal(size=(d, d)))[0]
        away = 10 * rng.normal(size=d)
        a, b = (scale * (side @ turn + away) for side in sides)
        assert float(hull_distance(a, b)) == pytest.approx(scale * gap, rel=1e-11, abs=1e-13 * scale)


def test_hulls_with_leading_axes_that_broadcast() -> None:
    rng = np.random.default_rng(37)
    a, b = rng.normal(size=(2, 1, 4, 3)) + 2, rng.normal(size=(3, 5, 3))
    for order in (1, 2, math.inf):
        got = hull_distance(a, b, ord=order)
        assert got.shape == (2, 3)
        for i, j in np.ndindex(2, 3):
            assert got[i, j] == float(hull_distance(a[i, 0], b[j], ord=order))


@pytest.mark.parametrize("order", [1.0, 1.5, 2.0, 3.0, math.inf])
@pytest.mark.parametrize("scale", [1e-250, 1e-3, 1.0, 1e250])
def test_norms(order: float, scale: float) -> None:
    x = np.random.default_rng(41).normal(size=(3, 4, 5))
    x[0, 0] = 0.0
    got = _pairs.norm(np, scale * x, order)
    np.testing.assert_allclose(got, scale * np.linalg.norm(x, ord=order, axis=-1), rtol=1e-14)
    assert (_pairs.norm(np, x[..., :0], order) == 0).all()


@pytest.mark.parametrize("order", [1.0, 2.0, 3.0, math.inf])
@pytest.mark.parametrize("scale", [1e-170, 1.0, 1e170])
def test_between_two_sets(order: float, scale: float) -> None:
    """Of different sizes, the farthest pair now here and now there; a set of one; far from the origin."""
    rng = np.random.default_rng(43)
    for k, m in ((1, 1), (1, 6), (6, 1), (5, 9)):
        x, y = rng.normal(size=(8, k, 3)) + 5, rng.normal(size=(8, m, 3)) - rng.normal(size=(8, 1, 3))
        differences = x[:, :, None, :] - y[:, None, :, :]
        expected = np.linalg.norm(differences, ord=order, axis=-1).max(axis=(1, 2))
        got = _pairs.between(np, scale * x, scale * y, order)
        np.testing.assert_allclose(got, scale * expected, rtol=1e-14)
        torch_like = _pairs._farthest_euclidean(np, x, x, same=True)
        np.testing.assert_allclose(torch_like, [cdist(one, one).max() for one in x], rtol=1e-14)


def test_one_set_of_a_batch_may_be_a_point_or_huge() -> None:
    rng = np.random.default_rng(47)
    z = rng.normal(size=(5, 9, 4)) * np.array([0.0, 1e-180, 1.0, 1e180, 1e-3])[:, None, None]
    labels = np.arange(9) % 2
    for b in range(5):
        size = max(float(np.abs(z[b]).max()), 1e-300)
        assert float(diameter(z)[b]) == pytest.approx(size * cdist(z[b] / size, z[b] / size).max(), rel=1e-13)
        for g in range(2):
            mine = z[b][labels == g] / size
            expected = size * cdist(mine, mine).max()
            assert cluster_diameters(z, labels)[b, g] == pytest.approx(expected, rel=1e-13)
        both = cdist(z[b][labels == 0] / size, z[b][labels == 1] / size).max() * size
        assert cell_distances(z, labels)[b, 0, 1] == pytest.approx(both, rel=1e-13)
