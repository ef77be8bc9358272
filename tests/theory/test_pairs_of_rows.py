"""Distances between rows where the public functions seldom go: blocks, extreme scales, margins, float32."""

from __future__ import annotations

import math

import array_api_compat.numpy as xp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from attnclust._blocks import blocks
from attnclust.geometry import _pairs, _screen

U = 2.0**-53


@given(st.integers(0, 40), st.integers(0, 12), st.integers(0, 60))
def test_blocks_cover_everything_once_and_are_as_long_as_they_may(count: int, cost: int, budget: int) -> None:
    found = blocks(count, cost, budget)
    assert [i for each in found for i in range(each.start, each.stop)] == list(range(count))
    assert found or count == 0
    for each in found:
        length = each.stop - each.start
        assert length <= 1 or length * max(cost, 1) <= budget
        assert each is found[-1] or (length + 1) * max(cost, 1) > budget
    if count == 0:
        assert found == [slice(0, 0)]


def test_what_rounding_may_do_is_what_the_documentation_says() -> None:
    """4 (n + d + 8) u max||z||, and the worst defect of a row's sum times the same norm."""
    rows = np.array([[[0.5, 0.5], [0.25, 0.75]], [[0.5, 0.75], [0.5, 0.5]]])
    centred = np.array([[[3.0, -4.0, 0.0], [0.0, 1.0, 0.0]], [[0.0, 2.0, 0.0], [0.0, -1.0, 0.0]]])
    expected = [4 * (2 + 3 + 8) * U * 5, (4 * (2 + 3 + 8) * U + 0.25) * 2]
    np.testing.assert_allclose(_pairs.rounding(xp, rows, centred, 2.0), expected, rtol=1e-15)
    expected[0] = 4 * (2 + 3 + 8) * U * 7
    np.testing.assert_allclose(_pairs.rounding(xp, rows, centred, 1.0), expected, rtol=1e-15)


@pytest.mark.parametrize("offset", [0.0, 1e6])
@pytest.mark.parametrize("unit", [1.0, 2.0**-20])
def test_a_ceiling_lies_above_a_distance_by_the_error_of_the_product(offset: float, unit: float) -> None:
    """Products of whole numbers are exact, so what is added to a square shows: 4 (d + 6) u r^2."""
    z = unit * (np.array([[[-3.0], [-1.0], [0.0], [4.0]], [[-8.0], [8.0], [0.0], [0.0]]]) + offset)
    excess = _pairs.distance_ceilings(xp, z, 2.0) ** 2 - np.array([cdist(each, each) ** 2 for each in z])
    radius = np.array([16.0, 64.0])[:, None, None] * unit**2
    expected = 4 * (1 + 6) * U * radius + 0 * excess
    # The root is rounded and squared again, which leaves few digits, but all of them where tokens agree.
    np.testing.assert_allclose(excess, expected, rtol=0.2, atol=4 * U * unit**2)
    nothing = np.array([cdist(each, each) == 0 for each in z])
    np.testing.assert_allclose(excess[nothing], expected[nothing], rtol=1e-14)
    assert (_pairs.distance_ceilings(xp, np.zeros((2, 4, 0)), 2.0) == np.zeros((2, 4, 4))).all()


def mixed_scales(rng: np.random.Generator, rows: int) -> np.ndarray:
    """Sets whose rows, and whose coordinates, are of sizes whose squares vanish, are usual and overflow."""
    z = rng.normal(size=(6, rows, 4))
    z[1] *= 10.0 ** rng.choice([-200, 0, 200], size=(rows, 1))
    z[2] *= 10.0 ** rng.choice([-200, 0, 200], size=4)
    z[3] *= 1e-200
    z[4] *= 1e200
    z[5] = 0
    return z


@pytest.mark.parametrize("budget", [1, 50, 1 << 20])
def test_every_distance_at_every_scale(budget: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pairs, "DIFFERENCE_BUDGET", budget)
    monkeypatch.setattr(_pairs, "PAIR_BUDGET", budget)
    rng = np.random.default_rng(3)
    for _ in range(20):
        z, y = mixed_scales(rng, 7), mixed_scales(rng, 5)
        size = np.maximum(np.abs(z).max(axis=(1, 2)), np.abs(y).max(axis=(1, 2)))
        # A power of two: the reference then sees the same differences, not rounded ones.
        size = 2.0 ** np.floor(np.log2(np.where(size > 0, size, 1)))
        shown, other = z / size[:, None, None], y / size[:, None, None]
        expected = np.array([cdist(each, each) for each in shown])
        every, above = (
            measure(xp, z, 2.0) / size[:, None, None]
            for measure in (_pairs.all_distances, _pairs.distance_ceilings)
        )
        np.testing.assert_allclose(every, expected, rtol=1e-14, atol=1e-150)
        assert (above >= every).all()
        assert (above <= expected + 1e-6).all()
        np.testing.assert_allclose(_pairs.within(xp, z, 2.0) / size, expected.max(axis=(1, 2)), 1e-14, 1e-150)
        farthest = [cdist(a, b).max() for a, b in zip(shown, other, strict=True)]
        np.testing.assert_allclose(_pairs.between(xp, z, y, 2.0) / size, farthest, 1e-14, 1e-150)


@pytest.mark.parametrize("offset", [0.0, 1e7])
def test_the_farthest_pair_of_the_plane(offset: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many sets, from one product for any library, and in two blocks; the two sets of a pair apart."""
    rng = np.random.default_rng(13)
    z, y = (rng.normal(size=(400, 9, 2)) + offset + shift * rng.normal(size=(400, 1, 2)) for shift in (0, 3))
    monkeypatch.setattr(_pairs, "farthest_pairs", lambda _: None)
    for budget in (1 << 20, 400 * 9 * 5):
        monkeypatch.setattr(_pairs, "PAIR_BUDGET", budget)
        expected = [cdist(each, each).max() for each in z]
        np.testing.assert_allclose(_pairs._farthest_euclidean(xp, z, z, same=True), expected, rtol=1e-14)
        expected = [cdist(a, b).max() for a, b in zip(z, y, strict=True)]
        np.testing.assert_allclose(_pairs._farthest_euclidean(xp, z, y, same=False), expected, rtol=1e-14)


@pytest.mark.parametrize("order", [1.0, 3.0, math.inf])
def test_the_farthest_pair_in_other_norms(order: float, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(17)
    z, y = rng.normal(size=(6, 8, 3)), rng.normal(size=(6, 5, 3)) + 1
    for budget in (1 << 17, 40, 1):
        monkeypatch.setattr(_pairs, "DIFFERENCE_BUDGET", budget)
        for x, others in ((z, z), (z, y), (y, z)):
            gaps = np.linalg.norm(x[:, :, None, :] - others[:, None, :, :], ord=order, axis=-1)
            found = _pairs.within(xp, z, order) if others is x else _pairs.between(xp, x, others, order)
            np.testing.assert_allclose(found, gaps.max(axis=(1, 2)), rtol=1e-14)


def test_the_screen_keeps_all_pairs_within_its_margin() -> None:
    """A pair whose half squared distance is less than 8 (d + 6) u times the largest half norm below the
    largest may be the farthest, u = 2^-24; others need not be kept.
    """
    margin = 8 * (1 + 6) * 2.0**-24
    for share, kept in ((0.8, True), (1.2, False)):
        # From row 0, rows 1 and 2 lie at -a and b: pair (1, 2) is the farthest; (0, 3) is almost as far.
        halves = 0.5 - share * margin * 0.5
        z = np.array([[[0.0], [1.0], [math.sqrt(2 * halves)], [0.5]]])
        found = _screen.farthest_pairs(z)
        assert found is not None
        pairs = set(zip(found[1].tolist(), found[2].tolist(), strict=True))
        assert (0, 1) in pairs
        assert ((0, 2) in pairs) is kept
