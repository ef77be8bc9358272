"""Which rung of the cascade decides a cluster, pair by pair from the definitions; far from the origin; and
what is left where there is nothing to decide.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.spatial.distance import cdist

from attnclust.bounds import block_transport_bound, certify
from attnclust.geometry import cell_distances
from attnclust.verify import verify

N, K = 9, 3
LABELS = np.where(np.arange(N) < K, 0, -1)


def plan(p: np.ndarray, q: np.ndarray, prices: np.ndarray) -> float:
    """The least cost of carrying p to q."""
    r, s = prices.shape
    sums = np.vstack([np.kron(np.eye(r), np.ones(s)), np.kron(np.ones(r), np.eye(s))])
    answer = linprog(prices.ravel(), A_eq=sums, b_eq=np.append(p, q * p.sum() / q.sum()), method="highs")
    return float(answer.fun)


def rungs(a: np.ndarray, z: np.ndarray, j: int, i: int) -> list[float]:
    """The five rungs of one pair of rows of the cluster, in the order of the cascade."""
    inside, every = np.arange(N) < K, cdist(z, z)
    d, wide = every[:K, :K].max(), every.max()
    p, q = np.maximum(a[j] - a[i], 0), np.maximum(a[i] - a[j], 0)
    kappa = max(p[~inside].sum(), q[~inside].sum())
    cells = np.array([[d, every[:K, K:].max()], [every[:K, K:].max(), every[K:, K:].max()]])
    parts = [np.array([each[inside].sum(), each[~inside].sum()]) for each in (p, q)]
    mean = a[:K].mean(axis=0)
    spread = np.linalg.norm(np.sqrt(mean)[:, None] * (z - mean @ z), ord=2)
    return [
        (p.sum() - kappa) * d + kappa * wide,
        plan(parts[0], parts[1], cells),
        p @ every @ q / p.sum(),
        np.sqrt(((a[j] - a[i]) ** 2 / mean).sum()) * spread,
        plan(p, q, every),
    ]


def test_each_rung_decides_where_the_ones_before_it_do_not() -> None:
    """The last of the pairs' own first rungs below the diameter; -1 where a pair has none."""
    seen = np.zeros(6, dtype=int)
    for seed in range(300):
        rng = np.random.default_rng(seed)
        a = rng.dirichlet(np.full(N, rng.choice([0.3, 1.0, 3.0])), size=N)
        a[1:K] = rng.uniform() * a[1:K] + rng.uniform(0, 0.5) * a[:1]
        a /= a.sum(axis=1, keepdims=True)
        # Tokens in space; or each in a direction of its own, where mass that spreads is worth little to chi.
        z = rng.normal(size=(N, 3)) if seed % 3 else np.eye(N)
        z *= np.where(LABELS == 0, 1.0, rng.choice([0.7, 1.5, 3.0]))[:, None]
        d = cdist(z[:K], z[:K]).max()
        stage, close = 0, False
        for j, i in combinations(range(K), 2):
            costs = np.array(rungs(a, z, j, i))
            close |= bool((np.abs(costs / d - 1) < 1e-6).any())
            below = np.flatnonzero(costs < d)
            stage = -1 if stage == -1 or not len(below) else max(stage, int(below[0]))
        if not close:  # a linear program and rounding may differ on a tie
            found = certify(a, z, LABELS)
            assert found.stage.tolist() == [stage], seed
            assert found.certified.tolist() == [stage >= 0], seed
            seen[stage] += 1
    assert seen[[0, 1, 2, 3, 4, -1]].min() >= 3, seen


def test_far_from_the_origin_the_cascade_says_the_same() -> None:
    rng = np.random.default_rng(5)
    a, z = rng.dirichlet(np.ones(N), size=(40, N)), np.round(64 * rng.normal(size=(40, N, 3))) / 64
    near, far = certify(a, z, LABELS), certify(a, z + 2.0**44, LABELS)
    assert (near.stage == far.stage).all()
    assert near.certified.any()


@pytest.mark.parametrize("scale", [0.0, 1.0, 1e6])
def test_what_keeps_its_diameter_is_not_certified(scale: float) -> None:
    """A permutation keeps all distances, and a cluster that is a point already has nothing to lose."""
    rng = np.random.default_rng(3)
    z, labels = scale * rng.normal(size=(6, 3)), np.array([0, 0, 0, 1, 1, 1])
    for a in (np.eye(6), np.eye(6)[[1, 2, 0, 4, 5, 3]]):
        assert certify(a, z, labels).stage.tolist() == [-1, -1]


HALVES = np.array([[1, 0, 0, 0], [0.5, 0.5, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
TURNED = np.array([[0, 0, 0, 1], [0.5, 0, 0, 0.5], [0, 0, 0, 1], [0, 0, 1, 0]])
PLACES = np.array([[0, 1], [3, -2], [3, 2], [0, -1]])


@pytest.mark.parametrize(
    ("attention", "tokens", "labels", "order", "stage"),
    [
        (np.array([[0, 0.5, 0.5], [1, 0, 0], [0, 0, 1]]), 2.0**-1060 * np.array([[0], [2], [-2]]), [], 2, -1),
        (HALVES, 5e-324 * PLACES, [0], 2, -1),
        (HALVES, 2.0**-1060 * PLACES, [0], np.inf, 2),
        (TURNED, 5e-324 * np.array([[0], [1], [-2], [-1]]), [1], 2, -1),
    ],
)
def test_a_bound_of_just_the_diameter_certifies_nothing(
    attention: np.ndarray, tokens: np.ndarray, labels: list[int], order: float, stage: int
) -> None:
    """So near to zero the allowance for rounding is zero, and bounds come to equal the diameter."""
    assert certify(attention, tokens, np.array([0, 0, *labels, -1]), ord=order).stage[0] == stage


def test_a_cluster_of_one_token_does_not_hide_the_others() -> None:
    z, a = np.random.default_rng(4).normal(size=(6, 3)), np.full((6, 6), 1 / 6)
    assert certify(a, z, np.array([0, 1, 1, -1, 3, 3])).stage.tolist() == [-1, 0, -1, 0]


@pytest.mark.parametrize("n", [1, 3])
def test_outsiders_alone_are_no_cluster(n: int) -> None:
    a, z, labels = np.full((n, n), 1 / n), np.arange(float(n))[:, None], np.full(n, -1)
    table = cell_distances(z, np.zeros(n, dtype=int))
    assert block_transport_bound(a, labels, cells=np.zeros(n, dtype=int), distances=table).shape == (0,)
    assert certify(a, z, labels).stage.shape == (0,)
    assert verify(a, z, labels).measured.shape == (0,)
