"""Speed of the bounds: ratios in one run, one thread (``OMP_NUM_THREADS=1 pytest
benchmarks/test_bounds.py``).

Ratios are printed and kept in ``extra_info``; nothing here is asserted about time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from attnclust.bounds import certify, cluster_dobrushin_bound
from attnclust.geometry import cluster_diameters, diameter
from attnclust.verify import verify

SIZES = {"even": [40, 40, 39, 39, 39], "uneven": [150, 12, 12, 12, 11], "one": [197]}


def best_of(function: Callable[[], Any], rounds: int = 9) -> float:
    """Least processor time, in seconds: other work on the machine only ever adds."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return min(times)


@pytest.mark.parametrize("sizes", SIZES)
def test_cluster_diameters_against_pdist(benchmark: Any, sizes: str) -> None:
    """197 tokens x 768 coordinates, at an offset of a million diameters."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(len(SIZES[sizes])), SIZES[sizes])
    z = rng.normal(size=(197, 768)) + 4e7 * rng.normal(size=768)

    def reference() -> list[float]:
        return [float(pdist(z[labels == g]).max()) for g in range(len(SIZES[sizes]))]

    got = benchmark(lambda: cluster_diameters(z, labels))
    error = float(np.max(np.abs(got / reference() - 1)))
    assert error <= 1e-13
    ratio = best_of(reference) / best_of(lambda: cluster_diameters(z, labels))
    benchmark.extra_info.update(faster_than_pdist=ratio, relative_error=error)
    print(f"\ncluster diameters, {sizes}: {ratio:.2f} times faster than pdist, relative error {error:.1e}")


def plain(attention: np.ndarray, labels: np.ndarray, d: np.ndarray, big: float) -> np.ndarray:
    """cluster_dobrushin, one pair after the other."""
    worst = np.zeros(len(d))
    for g in range(len(d)):
        inside = np.flatnonzero(labels == g)
        out = labels != g
        for a, j in enumerate(inside):
            for i in inside[a + 1 :]:
                delta = attention[j] - attention[i]
                kappa = max(np.maximum(delta[out], 0).sum(), np.maximum(-delta[out], 0).sum())
                worst[g] = max(worst[g], (np.abs(delta).sum() / 2 - kappa) * d[g] + kappa * big)
    return worst


@pytest.mark.parametrize("sizes", SIZES)
def test_cluster_dobrushin_and_the_cascade(benchmark: Any, sizes: str) -> None:
    """One step of 197 tokens; value vectors of 64 coordinates."""
    rng = np.random.default_rng(1)
    labels = np.repeat(np.arange(len(SIZES[sizes])), SIZES[sizes])
    attention, z = rng.dirichlet(np.full(197, 0.3), size=197), rng.normal(size=(197, 64))
    d, big = cluster_diameters(z, labels), diameter(z)

    def bound() -> np.ndarray:
        return cluster_dobrushin_bound(attention, labels, d_cluster=d, d_all=big)

    got = benchmark(bound)
    np.testing.assert_allclose(got, plain(attention, labels, d, float(big)), rtol=1e-12)
    one = best_of(bound)
    ratio = best_of(lambda: plain(attention, labels, d, float(big)), rounds=2) / one
    cascade = best_of(lambda: certify(attention, z, labels)) / one
    benchmark.extra_info.update(milliseconds=1e3 * one, faster_than_plain=ratio, cascade=cascade)
    print(
        f"\ncluster_dobrushin, {sizes}: {1e3 * one:.2f} ms, {ratio:.0f} times faster than plain NumPy; "
        f"the cascade takes {cascade:.1f} times as long"
    )


def test_verify_of_a_layer(benchmark: Any) -> None:
    """12 heads x 197 tokens x 5 clusters: under 0.3 s."""
    rng = np.random.default_rng(2)
    attention, z = rng.dirichlet(np.full(197, 0.3), size=(12, 197)), rng.normal(size=(12, 197, 64))
    labels = np.repeat(np.arange(5), SIZES["uneven"])
    step = benchmark(lambda: verify(attention, z, labels))
    assert all(bool(held.all()) for held in step.holds.values())
    seconds = best_of(lambda: verify(attention, z, labels), rounds=3)
    benchmark.extra_info.update(seconds=seconds)
    print(f"\nverify, 12 heads x 197 tokens x 5 clusters: {seconds:.3f} s")
