"""Speed of the bounds: ratios in one run, one thread.

``OMP_NUM_THREADS=1 pytest benchmarks/test_bounds.py -s -o addopts=--import-mode=importlib`` (without the type
checks that tests add). Ratios are printed and kept in ``extra_info``; the gates are half of what an idle
machine gives, so that only a real loss trips them. With ATTNCLUST_DATA, the cascade runs on the value vectors
of a trained DeiT-Tiny too.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from attnclust.bounds import certify, cluster_dobrushin_bound
from attnclust.geometry import cluster_diameters, diameter
from attnclust.verify import verify

SIZES = {"even": [40, 40, 39, 39, 39], "uneven": [150, 12, 12, 12, 11], "one": [197]}
FASTER = {"even": 0.7, "uneven": 1.4, "one": 2.5}
"""Half of how much faster than pdist the diameters are."""


def scattered(sizes: str) -> np.ndarray:
    """Labels of clusters whose tokens lie scattered, as patches of objects do."""
    labels = np.repeat(np.arange(len(SIZES[sizes])), SIZES[sizes])
    return np.random.default_rng(5).permutation(labels)


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
    labels = scattered(sizes)
    z = rng.normal(size=(197, 768)) + 4e7 * rng.normal(size=768)

    def reference() -> list[float]:
        return [float(pdist(z[labels == g]).max()) for g in range(len(SIZES[sizes]))]

    got = benchmark(lambda: cluster_diameters(z, labels))
    error = float(np.max(np.abs(got / reference() - 1)))
    assert error <= 1e-13
    ratio = best_of(reference) / best_of(lambda: cluster_diameters(z, labels))
    benchmark.extra_info.update(faster_than_pdist=ratio, relative_error=error)
    print(f"\ncluster diameters, {sizes}: {ratio:.2f} times faster than pdist, relative error {error:.1e}")
    assert ratio > FASTER[sizes]


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
    labels = scattered(sizes)
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
    assert cascade < 4


def real_steps(images: int) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Attention, value vectors and labels of every block and head of DeiT-Tiny on the first VOC images that
    pass the selection.
    """
    timm, torch = pytest.importorskip("timm"), pytest.importorskip("torch")
    from attnclust.data import VOCObjects, select_objects, squash
    from attnclust.vit import trace

    root = Path(os.environ.get("ATTNCLUST_DATA", Path(__file__).parents[1] / "shared" / "data"))
    if not (root / "weights").is_dir():
        pytest.skip(f"no real data at {root}: set ATTNCLUST_DATA")
    weights = root / "weights" / "deit_tiny_patch16_224.safetensors"
    model = timm.create_model("deit_tiny_patch16_224", checkpoint_path=str(weights)).eval()
    mean, std = (np.array(model.default_cfg[name]) for name in ("mean", "std"))
    steps: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for sample in VOCObjects(root / "VOCdevkit" / "VOC2007"):
        sample = squash(sample, 224)
        chosen = select_objects(sample.instances, sample.classes, grid=14)
        if chosen.reason:
            continue
        labels = np.zeros(197, dtype=np.int64)
        labels[0] = -1
        for number, patches in enumerate(chosen.objects.values(), 1):
            labels[1 + patches] = number
        pixels = torch.tensor(((sample.image / 255 - mean) / std).transpose(2, 0, 1)[None]).float()
        seen = trace(model, pixels, attention="heads", values=True)
        for attention, values in zip(seen.attention, seen.values, strict=True):
            for a, v in zip(attention[0].double().numpy(), values[0].double().numpy(), strict=True):
                steps.append((a / a.sum(axis=-1, keepdims=True), v, labels))
        if len(steps) == images * 36:
            break
    return steps


def test_the_cascade_on_real_value_vectors(benchmark: Any) -> None:
    """One step of 197 tokens: the whole cascade against cluster_dobrushin alone, block by block."""
    steps = real_steps(images=4)
    seconds = np.zeros((2, len(steps)))
    for i, (attention, values, labels) in enumerate(steps):
        known = {"d_cluster": cluster_diameters(values, labels), "d_all": diameter(values)}
        seconds[0, i] = best_of(lambda a=attention, y=labels, k=known: cluster_dobrushin_bound(a, y, **k), 5)
        seconds[1, i] = best_of(lambda a=attention, v=values, y=labels: certify(a, v, y), 5)
    benchmark(lambda: certify(*steps[0]))
    blocks = seconds.reshape(2, -1, 12, 3).mean(axis=(1, 3))
    whole = seconds.mean(axis=1)
    ratio = whole[1] / whole[0]
    print(
        f"\ncluster_dobrushin {1e3 * whole[0]:.2f} ms, the cascade {1e3 * whole[1]:.2f} ms a step: "
        f"{ratio:.2f} times as long; by block {np.round(blocks[1] / blocks[0], 1).tolist()}"
    )
    benchmark.extra_info.update(milliseconds=(1e3 * whole).tolist(), cascade=ratio)
    assert ratio < 5


def test_verify_of_a_layer(benchmark: Any) -> None:
    """12 heads x 197 tokens x 5 clusters: under 0.3 s."""
    rng = np.random.default_rng(2)
    attention, z = rng.dirichlet(np.full(197, 0.3), size=(12, 197)), rng.normal(size=(12, 197, 64))
    labels = scattered("uneven")
    step = benchmark(lambda: verify(attention, z, labels))
    assert all(bool(held.all()) for held in step.holds.values())
    seconds = best_of(lambda: verify(attention, z, labels), rounds=3)
    benchmark.extra_info.update(seconds=seconds)
    print(f"\nverify, 12 heads x 197 tokens x 5 clusters: {seconds:.3f} s")
    assert seconds < 0.3
