"""Distances: against SciPy, at any offset and scale, in every norm, in blocks, and the degenerate
conventions.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist, pdist

from attnclust.geometry import _pairs, cell_distances, cluster_diameters, diameter, hull_distance
from attnclust.geometry._screen import farthest_pairs

SCIPY = {1: "cityblock", 2: "euclidean", math.inf: "chebyshev", 3: "minkowski"}


def reference(x: np.ndarray, order: float) -> float:
    if len(x) < 2:
        return 0.0
    return float(pdist(x, **metric(order)).max())


def metric(order: float) -> dict[str, Any]:
    return {"metric": SCIPY[order], **({"p": 3} if order == 3 else {})}


@pytest.mark.parametrize("order", SCIPY)
@pytest.mark.parametrize("offset", [0.0, 1.0, 1e6])
@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_diameters_against_scipy(order: float, offset: float, scale: float) -> None:
    rng = np.random.default_rng(3)
    z = scale * (rng.normal(size=(2, 3, 13, 5)) + offset * rng.normal(size=5))
    labels = np.array([0, 0, 1, 1, 1, 2, -1, -1, 0, 1, 0, 4, 4])
    got = cluster_diameters(z, labels, ord=order)
    whole = diameter(z, ord=order)
    assert got.shape == (2, 3, 5)
    for i in np.ndindex(2, 3):
        assert whole[i] == pytest.approx(reference(z[i], order), rel=1e-13)
        for g in range(5):
            assert got[(*i, g)] == pytest.approx(reference(z[i][labels == g], order), rel=1e-13, abs=0), g
    assert (got[..., [2, 3]] == 0).all()  # one token, no token


@pytest.mark.parametrize("offset", [1.0, 1e3, 1e6])
def test_a_tight_cluster_far_away_keeps_its_digits(offset: float) -> None:
    """The uncentred Gram product would be wrong by tens of per cent here, and in float32 by more."""
    rng = np.random.default_rng(5)
    z = rng.normal(size=(197, 67)) + offset * 10 * rng.normal(size=67)
    labels = np.arange(197) % 5
    expected = [reference(z[labels == g], 2) for g in range(5)]
    np.testing.assert_allclose(cluster_diameters(z, labels), expected, rtol=1e-13)
    single = z.astype(np.float32)
    expected32 = [reference(single[labels == g].astype(np.float64), 2) for g in range(5)]
    got = cluster_diameters(single, labels)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, expected32, rtol=1e-6)


@pytest.mark.parametrize("offset", [0.0, 1e6])
@pytest.mark.parametrize("d", [3, 768])
def test_ties_that_float32_cannot_tell_apart_are_settled(offset: float, d: int) -> None:
    """On a sphere, one pair is opposite, and nine others are so to 1e-9 of the diameter: float32 sees ten
    ties.
    """
    rng = np.random.default_rng(19)
    z = rng.normal(size=(3, 41, d))
    z /= np.linalg.norm(z, axis=-1, keepdims=True)
    for pair in range(10):
        z[:, 20 + pair] = -z[:, pair] * (1 - 1e-9 * (pair != 3))
    z += offset * rng.normal(size=d)
    expected = [reference(each, 2) for each in z]
    np.testing.assert_allclose(diameter(z), expected, rtol=1e-13)


@pytest.mark.parametrize("tokens", [np.eye(120), np.tile(np.eye(2), (60, 1)), np.zeros((120, 3))])
def test_many_farthest_pairs(tokens: np.ndarray) -> None:
    """All tokens equally far apart, or in two places, or in one: too many pairs to settle one by one."""
    labels = np.arange(120) % 3
    expected = [reference(tokens[labels == g], 2) for g in range(3)]
    np.testing.assert_allclose(cluster_diameters(tokens, labels), expected, rtol=1e-15)
    assert float(diameter(tokens)) == pytest.approx(reference(tokens, 2), rel=1e-15)


@given(st.integers(0, 2**32 - 1), st.integers(2, 40), st.integers(1, 70), st.sampled_from((0.0, 1e6)))
def test_no_farthest_pair_is_missed_in_float32(seed: int, n: int, d: int, offset: float) -> None:
    """The pairs kept include the true farthest one, whatever the rounding of the product."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(3, n, d)) ** 3 + offset
    kept = farthest_pairs(x)
    assert kept is not None
    for b in range(3):
        every = cdist(x[b], x[b])
        here = kept[0] == b
        assert every[kept[1][here], kept[2][here]].max() == every.max()
        assert here.sum() <= 64 * 3


def test_tight_cells_far_apart_keep_their_digits() -> None:
    """Two pairs of cells 1e-7 wide and 1e-6 apart, at distance 1: the common centre is too far from both."""
    rng = np.random.default_rng(23)
    places = np.array([[0.0, 0.0], [1e-6, 0.0], [1.0, 0.0], [1.0, 1e-6]])
    cells = np.repeat(np.arange(4), 5)
    z = places[cells] + 1e-7 * rng.normal(size=(3, 20, 2))
    got = cell_distances(z, cells)
    for b in range(3):
        for r, s in np.ndindex(4, 4):
            expected = cdist(z[b][cells == r], z[b][cells == s]).max()
            assert got[b, r, s] == pytest.approx(expected, rel=1e-13), (r, s)


@pytest.mark.parametrize("order", SCIPY)
@pytest.mark.parametrize("scale", [1e-160, 1.0, 1e160])
def test_distance_ceilings_are_never_below_a_distance(order: float, scale: float) -> None:
    z = np.random.default_rng(29).normal(size=(4, 11, 7))
    z[:, 1] = z[:, 0]
    every = _pairs.all_distances(np, scale * z, float(order))
    above = _pairs.distance_ceilings(np, scale * z, float(order)) - every
    assert (above >= 0).all()
    assert (above <= 1e-6 * scale).all()


@pytest.mark.parametrize("scale", [1e-200, 1e-140, 1e140, 1e200])
def test_squares_neither_overflow_nor_vanish(scale: float) -> None:
    z = scale * np.array([[[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]], [[0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]])
    np.testing.assert_allclose(diameter(z), [5 * scale, 0.0], rtol=1e-15)
    np.testing.assert_allclose(diameter(z, ord=3)[0], 91 ** (1 / 3) * scale, rtol=1e-15)


@pytest.mark.parametrize("order", [1, 2, 3, math.inf])
def test_blocks_give_what_one_block_gives(order: float, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(7)
    z, labels = rng.normal(size=(11, 17, 3)), rng.integers(0, 3, size=17)
    once = diameter(z, ord=order), cell_distances(z, labels, ord=order)
    for budget in (1, 40, 700):
        monkeypatch.setattr(_pairs, "PAIR_BUDGET", budget)
        monkeypatch.setattr(_pairs, "DIFFERENCE_BUDGET", budget)
        np.testing.assert_array_equal(diameter(z, ord=order), once[0])
        np.testing.assert_array_equal(cell_distances(z, labels, ord=order), once[1])


@pytest.mark.parametrize("order", SCIPY)
def test_cell_distances_are_largest_distances(order: float) -> None:
    rng = np.random.default_rng(11)
    z, cells = rng.normal(size=(3, 13, 2)), np.array([0, 1, 2, 2, 1, 0, 3, 3, 3, 1, 0, 2, 0])
    got = cell_distances(z, cells, ord=order)
    for b in range(3):
        every = cdist(z[b], z[b], **metric(order))
        for r in range(4):
            for s in range(4):
                expected = every[np.ix_(cells == r, cells == s)].max()
                assert got[b, r, s] == pytest.approx(expected, rel=1e-14), (r, s)
    np.testing.assert_allclose(
        _pairs.all_distances(np, z, float(order))[0], cdist(z[0], z[0], **metric(order)), rtol=1e-14
    )
    empty = cell_distances(z[0], 2 * cells)
    assert (empty[1] == 0).all()
    assert (empty[:, 1] == 0).all()


def test_labels_that_differ_along_the_batch_and_broadcast() -> None:
    rng = np.random.default_rng(13)
    z, labels = rng.normal(size=(5, 3, 7, 2)), rng.integers(-1, 3, size=(5, 1, 7))
    labels[3] = labels[1]
    got = cluster_diameters(z, labels, clusters=4)
    assert got.shape == (5, 3, 4)
    for b in range(5):
        for h in range(3):
            expected = [reference(z[b, h][labels[b, 0] == g], 2) for g in range(4)]
            np.testing.assert_allclose(got[b, h], expected, rtol=1e-13)


def test_degenerate_sets() -> None:
    assert diameter(np.zeros((3, 0, 2))).tolist() == [0.0, 0.0, 0.0]
    assert float(diameter(np.ones((1, 2)))) == 0.0
    assert float(diameter(np.zeros((4, 0)))) == 0.0
    assert diameter(np.zeros((0, 4, 2))).shape == (0,)
    assert cluster_diameters(np.zeros((0, 4, 2)), np.zeros((0, 4), dtype=int), clusters=3).shape == (0, 3)
    assert cluster_diameters(np.ones((4, 2)), np.full(4, -1)).shape == (0,)
    for order in (1, 2, np.inf):
        assert cell_distances(np.zeros((0, 4, 2)), np.array([0, 0, 1, 1]), ord=order).shape == (0, 2, 2)
        assert (cell_distances(np.zeros((3, 4, 0)), np.array([0, 0, 1, 1]), ord=order) == 0).all()
    assert cell_distances(np.ones((4, 2)), np.zeros(4, dtype=int)).tolist() == [[0.0]]


def test_dtype_kind_and_device_are_kept() -> None:
    z, labels = np.random.default_rng(17).normal(size=(7, 3)), np.array([0, 0, 0, 1, 1, 1, 1])
    for dtype in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
        tokens = torch.tensor(z, dtype=dtype)
        got = cluster_diameters(tokens, torch.tensor(labels))
        assert got.dtype == dtype
        assert got.device == tokens.device
        exact = [reference(tokens.double().numpy()[labels == g], 2) for g in range(2)]
        np.testing.assert_allclose(got.double().numpy(), exact, rtol=float(torch.finfo(dtype).eps))


def corners(low: float, high: float, d: int) -> np.ndarray:
    return np.array(list(itertools.product([low, high], repeat=d)))


@pytest.mark.parametrize("order", [1, 2, math.inf])
def test_hull_distance_of_boxes_by_hand(order: float) -> None:
    """[0,1]^3 and [3,4]^3: nearest at (1,1,1) and (3,3,3), so 2 in each of three coordinates."""
    expected = {1: 6.0, 2: 2 * math.sqrt(3), math.inf: 2.0}[order]
    assert float(hull_distance(corners(0.0, 1.0, 3), corners(3.0, 4.0, 3), ord=order)) == pytest.approx(
        expected, rel=1e-9
    )
    assert float(hull_distance(corners(0.0, 2.0, 3), corners(1.0, 4.0, 3), ord=order)) == pytest.approx(
        0.0, abs=1e-9
    )
    inside = np.array([[0.5, 0.5, 0.5]])
    assert float(hull_distance(corners(0.0, 1.0, 3), inside, ord=order)) == pytest.approx(0.0, abs=1e-9)


@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(1, 9), st.integers(1, 5), st.floats(0, 4))
def test_hull_distance_has_a_functional_and_a_pair_that_prove_it(
    seed: int, n: int, m: int, d: int, shift: float
) -> None:
    """Both sides of the duality: a separating direction from below, sampled points of the hulls from
    above.
    """
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(n, d)), rng.normal(size=(m, d))
    a[:, 0] += shift
    got = float(hull_distance(a, b))
    samples = rng.dirichlet(np.ones(n), 64) @ a, rng.dirichlet(np.ones(m), 64) @ b
    assert got <= cdist(*samples).min() + 1e-12
    assert got <= cdist(a, b).min() + 1e-12
    directions = np.vstack([np.eye(d), rng.normal(size=(64, d)), samples[0] - samples[1]])
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    assert got >= ((directions @ a.T).min(axis=1) - (directions @ b.T).max(axis=1)).max() - 1e-12
    assert float(hull_distance(b, a)) == pytest.approx(got, rel=1e-9, abs=1e-12)
    smallest, largest = (float(hull_distance(a, b, ord=p)) for p in (math.inf, 1))
    assert smallest <= got + 1e-8
    assert got <= largest + 1e-8


def test_hull_distance_far_from_the_origin_and_batched() -> None:
    a, b = corners(0.0, 1.0, 2) + 1e6, corners(3.0, 4.0, 2) + 1e6
    assert float(hull_distance(a, b)) == pytest.approx(2 * math.sqrt(2), rel=1e-12)
    both = hull_distance(np.stack([a, a, b]), np.stack([b, a, a]))
    np.testing.assert_allclose(both, [2 * math.sqrt(2), 0.0, 2 * math.sqrt(2)], rtol=1e-12, atol=1e-9)
    same = torch.ones((1, 2), dtype=torch.float32)
    assert float(hull_distance(same, same)) == 0.0
    assert hull_distance(same, same).dtype == torch.float32
    assert float(hull_distance(np.ones((1, 2)), np.ones((1, 2)), ord=1)) == 0.0


def test_no_token_in_no_cell() -> None:
    for batch in ((), (2,), (0, 3)):
        assert cell_distances(np.zeros((*batch, 0, 3)), np.zeros(0, dtype=int)).shape == (*batch, 0, 0)


def test_tight_cells_beside_another_element_s_wide_ones_keep_their_digits() -> None:
    """One centre for all cells would lose them; in a batch whose other element has wide cells."""
    rng = np.random.default_rng(13)
    cells = np.repeat([0, 1, 2], 5)
    z = rng.normal(size=(2, 15, 3))
    z[1] += 1e8 * np.array([-1.0, 0.0, 1.0])[cells][:, None]
    got = cell_distances(z, cells)
    for b in range(2):
        for r, s in np.ndindex(3, 3):
            expected = cdist(z[b][cells == r], z[b][cells == s]).max()
            assert got[b, r, s] == pytest.approx(expected, rel=1e-14)
