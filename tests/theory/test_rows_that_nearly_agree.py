"""Differences of rows that agree to 1e-12 keep their digits: the bounds against rational arithmetic."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest

from attnclust.bounds import (
    block_transport_bound,
    cluster_dobrushin_bound,
    dobrushin_coefficient,
    separation_dobrushin_bound,
    star_bound,
)
from attnclust.bounds._pairs import indicators, masses_of, row_pairs

LABELS = np.repeat([0, 1, -1], [5, 4, 5])
D = {"all": 4.0, "cluster": np.array([1.0, 2.0])}


def nearly_alike(seed: int) -> np.ndarray:
    """Rows of sum exactly 1, in multiples of 2^-56, that share all but about 1e-12 of it: floating point
    holds each weight, but not a sum of them, so that sums of whole rows lose what sets them apart.
    """
    rng = np.random.default_rng(seed)
    counts = np.tile(rng.multinomial(2**56, rng.dirichlet(np.full(14, 30.0))), (14, 1))
    moved = rng.integers(-50_000, 50_000, size=(14, 14))
    moved[:, rng.integers(14)] -= moved.sum(axis=1)
    assert (counts + moved).max() <= 2**53
    return (counts + moved) / 2.0**56


def parts(one: np.ndarray, other: np.ndarray, among: np.ndarray) -> tuple[Fraction, Fraction]:
    """What one row has more than the other on some tokens, and what it has less, exactly."""
    gaps = [Fraction(float(a)) - Fraction(float(b)) for a, b in zip(one[among], other[among], strict=True)]
    return sum((g for g in gaps if g > 0), Fraction(0)), -sum((g for g in gaps if g < 0), Fraction(0))


@pytest.mark.parametrize("seed", range(8))
def test_the_digits_of_small_differences(seed: int) -> None:
    a = nearly_alike(seed)
    everyone = np.ones(14, dtype=bool)
    expected = []
    for g, d in enumerate(D["cluster"]):
        inside = np.equal(LABELS, g)
        worst = Fraction(0)
        for j, i in combinations(np.flatnonzero(inside), 2):
            kappa = max(parts(a[j], a[i], ~inside))
            tau = sum(parts(a[j], a[i], everyone)) / 2
            worst = max(worst, (tau - kappa) * Fraction(float(d)) + kappa * 4)
        expected.append(float(worst))
    got = cluster_dobrushin_bound(a, LABELS, d_cluster=D["cluster"], d_all=D["all"])
    np.testing.assert_allclose(got, expected, rtol=1e-9)
    for g, d in enumerate(D["cluster"]):
        # Two cells, the cluster and all else: the same number, by way of the cells' masses.
        cells = np.where(g == LABELS, 0, 1)
        plan = block_transport_bound(a, LABELS, cells=cells, distances=np.array([[d, 4.0], [4.0, 4.0]]))
        np.testing.assert_allclose(plan[g], expected[g], rtol=1e-9)
    tau = max(sum(parts(a[j], a[i], everyone)) / 2 for j, i in combinations(range(14), 2))
    np.testing.assert_allclose(dobrushin_coefficient(a), float(tau), rtol=1e-9)
    z = np.random.default_rng(seed).normal(size=(14, 2))
    radii = [Fraction(float(r)) for r in np.abs(z).max(axis=1)]
    for g in range(2):
        stars = [
            sum(
                r * abs(Fraction(float(p)) - Fraction(float(q)))
                for r, p, q in zip(radii, a[j], a[i], strict=True)
            )
            for j, i in combinations(np.flatnonzero(g == LABELS), 2)
        ]
        got = star_bound(a, z, LABELS, centre=np.zeros(2), ord=np.inf)[g]
        np.testing.assert_allclose(got, float(max(stars)), rtol=1e-9)


@pytest.mark.parametrize("seed", range(8))
def test_the_digits_of_what_separates_two_clusters(seed: int) -> None:
    """Where D is much larger than s, the gap is minus D times what neither cluster gains."""
    a = nearly_alike(seed)
    s, gaps = Fraction(1, 8), []
    for j in np.flatnonzero(LABELS == 0):
        for i in np.flatnonzero(LABELS == 1):
            gained, lost = parts(a[j], a[i], LABELS == 0)[0], parts(a[j], a[i], LABELS == 1)[1]
            tau = sum(parts(a[j], a[i], np.ones(14, dtype=bool))) / 2
            gaps.append(s * max(gained, lost) + 4 * min(gained, lost) - 4 * tau)
    got = separation_dobrushin_bound(a, LABELS, separation=0.125, d_all=4.0)
    np.testing.assert_allclose(got, float(min(gaps)), rtol=1e-9)


@pytest.mark.parametrize("seed", range(8))
def test_the_digits_of_masses_on_cells(seed: int) -> None:
    a, cells = nearly_alike(seed), [np.equal(LABELS, g) for g in (0, 1, -1)]
    chosen = np.random.default_rng(seed).permutation(91)[:40]
    first, second = (ends[chosen] for ends in row_pairs(14))
    sets = indicators(np, [np.flatnonzero(cell) for cell in cells], 14, a)
    got = np.stack(masses_of(np, a, first, second, sets), axis=-1)
    expected = [[parts(a[j], a[i], cell) for cell in cells] for j, i in zip(first, second, strict=True)]
    np.testing.assert_allclose(got, np.array(expected, dtype=float), rtol=1e-9, atol=1e-9 * got.max())
