"""Stacks whose every level is known in closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from attnclust.attention import block_mask, causal_mask, ring_mask, simulate
from attnclust.bounds import cubic_bound
from attnclust.geometry import diameter
from attnclust.watch import watch

LABELS = np.array([0, 0, 0, 1, 1, -1])


def equiangular(n: int, cosine: float) -> np.ndarray:
    """n unit vectors in R^n, any two at the same angle."""
    return np.linalg.cholesky((1 - cosine) * np.eye(n) + cosine * np.ones((n, n)))


def next_cosine(g: float, *, n: int, beta: float, h: float | None) -> float:
    """Exactly, from x_i' = p x_i + q sum of x_k before projection; h None replaces instead of adding."""
    own, other = math.exp(beta), math.exp(beta * g)
    total = own + (n - 1) * other
    p, q = (own - other) / total, other / total
    if h is not None:
        p, q = 1 + h * p, h * q
    with_sum = 1 + (n - 1) * g  # <x_i, S> for S the sum of all, and <S, S> = n <x_i, S>
    cross = 2 * p * q * with_sum + q * q * n * with_sum
    return (p * p * g + cross) / (p * p + cross)


@pytest.mark.parametrize("h", [None, 1, 0.3, 0.01])
@pytest.mark.parametrize(("n", "beta", "g"), [(2, 1.0, -0.9), (5, 4.0, 0.0), (7, 0.5, -0.1), (3, 9.0, 0.4)])
def test_equiangular_tokens_on_the_sphere(h: float | None, n: int, beta: float, g: float) -> None:
    residual = {} if h is None else {"residual": True, "step_size": h}
    eye = np.eye(n)
    got = simulate(equiangular(n, g), eye, eye, steps=40, norm="sphere", scale=beta, **residual)
    for tokens in got.tokens:
        np.testing.assert_allclose(tokens @ tokens.T, (1 - g) * eye + g, atol=2e-12)
        g = next_cosine(g, n=n, beta=beta, h=h)


@pytest.mark.parametrize(("n", "beta", "g"), [(2, 1.0, -0.5), (6, 3.0, 0.0)])
def test_equiangular_tokens_follow_the_differential_equation(n: int, beta: float, g: float) -> None:
    """dg/dt = 2 e^(beta g) (1 - g) ((n - 1) g + 1) / (e^beta + (n - 1) e^(beta g)), with an error that halves
    with the step.
    """

    def slope(_: float, x: np.ndarray) -> np.ndarray:
        weight = np.exp(beta * x)
        return 2 * weight * (1 - x) * ((n - 1) * x + 1) / (np.exp(beta) + (n - 1) * weight)

    truth = solve_ivp(slope, (0, 2), [g], rtol=1e-11, atol=1e-13).y[0, -1]
    reached = []
    for steps in (100, 200, 400):
        tokens = simulate(
            equiangular(n, g),
            np.eye(n),
            np.eye(n),
            steps=steps,
            residual=True,
            step_size=2 / steps,
            norm="sphere",
            scale=beta,
        ).tokens[-1]
        reached.append(tokens[0] @ tokens[1])
    errors = np.abs(np.array(reached) - truth)
    assert (errors[:-1] / errors[1:] > 1.9).all()
    assert (errors[:-1] / errors[1:] < 2.1).all()
    assert abs(2 * reached[2] - reached[1] - truth) < 1e-4


def test_two_antipodal_tokens_attain_the_cubic_bound_at_every_depth() -> None:
    """r' = r tanh(beta r^2), so D' = tanh(beta D^2 / 4) D."""
    beta = 0.9
    got = simulate(np.array([[1.0], [-1.0]]), np.eye(1), np.eye(1), steps=5, scale=beta).tokens
    measured = diameter(got)
    assert measured[-1] < 1e-6 * measured[0]
    for depth in range(6):
        bound = float(cubic_bound(float(measured[0]), beta=beta, steps=depth))
        assert measured[depth] == pytest.approx(bound, rel=1e-12)


def test_equal_weights_outside_collapse_geometrically() -> None:
    """Each token sees itself and the m outsiders, alike: d' = d / (1 + m), and sharp is attained always."""
    rng = np.random.default_rng(0)
    mask = (LABELS[:, None] != LABELS[None, :]) | np.eye(6, dtype=bool)
    got = simulate(rng.normal(size=(6, 3)), np.zeros((3, 1)), np.zeros((3, 1)), steps=8, mask=mask)
    seen = watch(got, LABELS, rungs="sharp")
    for g, m in ((0, 3), (1, 4)):
        expected = seen.raw[0, g] / (1.0 + m) ** np.arange(9)
        np.testing.assert_allclose(seen.raw[:, g], expected, atol=1e-14)
        np.testing.assert_allclose(seen.composed["sharp"][:, g], expected, atol=1e-12)
        assert seen.certified["sharp"][:5, g].all()


def test_block_uniform_attention_collapses_blocks_at_once_and_their_distance_geometrically() -> None:
    """Codes +-c tell the blocks apart; weights that follow c keep the odds at e^(+-kappa): the blocks'
    distance falls by tanh(kappa) a step, their diameters to 0 in the first.
    """
    kappa, steps = 0.4, 6
    code = np.where(np.arange(8) < 4, 1.0, -1.0)
    tokens = np.column_stack([code, np.random.default_rng(1).normal(size=(8, 2))])
    read = np.array([[1.0], [0.0], [0.0]])
    queries = [read * kappa / math.tanh(kappa) ** (2 * t) for t in range(steps)]
    got = simulate(tokens, queries, read, steps=steps, scale=1)
    seen = watch(got, (code < 0).astype(int), hulls=True)
    assert (seen.raw[1:] < 1e-14).all()
    gap = [np.linalg.norm(z[0] - z[-1]) for z in got.tokens[1:]]
    np.testing.assert_allclose(gap, gap[0] * math.tanh(kappa) ** np.arange(steps), rtol=1e-12)
    assert seen.separation is not None
    np.testing.assert_allclose(seen.separation[1:, 0, 1], gap, rtol=1e-9)
    assert seen.composed["block_transport"][1, 0] < 1e-12  # rows of a block are equal: one step certifies it


def test_uniform_attention_inside_blocks_takes_each_to_its_mean_and_leaves_it_there() -> None:
    rng = np.random.default_rng(2)
    z = rng.normal(size=(6, 3))
    got = simulate(z, np.zeros((3, 1)), np.zeros((3, 1)), steps=3, mask=block_mask(LABELS)).tokens
    means = np.stack([z[label == LABELS].mean(axis=0) if label >= 0 else z[5] for label in LABELS])
    for tokens in got[1:]:
        np.testing.assert_allclose(tokens, means, atol=1e-15)


def test_identity_attention_moves_nothing() -> None:
    rng = np.random.default_rng(3)
    z, w = rng.normal(size=(6, 3)), rng.normal(size=(3, 3))
    got = simulate(z, w, w, steps=50, mask=ring_mask(6, width=0))
    assert (got.attention == np.eye(6)).all()
    assert (got.tokens == z).all()
    seen = watch(got, LABELS)
    for rung, held in seen.composed_holds.items():
        assert held.all(), rung
        assert not seen.certified[rung].any(), rung
    np.testing.assert_allclose(seen.composed["cluster_dobrushin"][-1, :2], seen.raw[0, :2], rtol=1e-12)


def test_permutation_attention_only_renames_the_tokens() -> None:
    rng = np.random.default_rng(4)
    z, order = rng.normal(size=(6, 3)), rng.permutation(6)
    got = simulate(z, np.zeros((3, 1)), np.zeros((3, 1)), steps=4, mask=np.eye(6, dtype=bool)[order])
    expected = z
    for tokens in got.tokens[1:]:
        expected = expected[order]
        assert (tokens == expected).all()
    assert (watch(got, LABELS, rungs="sharp").diameter == diameter(z)).all()


def test_rank_one_attention_collapses_everything_in_one_step() -> None:
    """All queries read the same constant, so all rows agree; keys differ, so the meeting point is no mean."""
    rng = np.random.default_rng(5)
    z = np.column_stack([rng.normal(size=(6, 3)), np.ones(6)])
    w_q, w_k = np.array([[0.0], [0.0], [0.0], [1.0]]), np.array([[1.0], [0.0], [0.0], [0.0]])
    got = simulate(z, w_q, w_k, steps=3, scale=1)
    odds = np.exp(z[:, 0])
    for tokens in got.tokens[1:]:
        np.testing.assert_allclose(tokens, np.broadcast_to(odds / odds.sum() @ z, (6, 4)), atol=1e-14)
    seen = watch(got, LABELS)
    for rung in ("overlap", "cluster_dobrushin", "block_transport"):
        assert (seen.composed[rung][1:] < 1e-12).all(), rung
        assert seen.certified[rung][0, :2].all(), rung


def test_uniform_causal_attention_is_the_running_mean() -> None:
    z = np.random.default_rng(6).normal(size=(5, 2))
    got = simulate(z, np.zeros((2, 1)), np.zeros((2, 1)), steps=1, mask=causal_mask(5)).tokens[1]
    np.testing.assert_allclose(got, np.cumsum(z, axis=0) / np.arange(1, 6)[:, None], rtol=1e-13)


def test_under_a_causal_mask_everything_comes_to_the_first_token_which_stays() -> None:
    rng = np.random.default_rng(7)
    z, w = rng.normal(size=(6, 2)), rng.normal(size=(2, 2))
    got = simulate(z, w, w, steps=300, mask=causal_mask(6)).tokens
    assert (got[:, 0] == z[0]).all()
    np.testing.assert_allclose(got[-1], np.broadcast_to(z[0], (6, 2)), atol=1e-9)


def test_uniform_attention_on_a_ring_damps_each_wave_at_its_own_rate() -> None:
    """The circulant's eigenvalues: (1 + 2 cos(2 pi k / n)) / 3 for waves of k periods."""
    n, steps = 12, 9
    angle = 2 * np.pi * np.arange(n) / n
    z = np.stack([np.cos(k * angle) for k in range(1, 5)], axis=1)
    got = simulate(z, np.zeros((4, 1)), np.zeros((4, 1)), steps=steps, mask=ring_mask(n)).tokens
    rate = (1 + 2 * np.cos(2 * np.pi * np.arange(1, 5) / n)) / 3
    np.testing.assert_allclose(got[-1], z * rate**steps, atol=1e-14)
