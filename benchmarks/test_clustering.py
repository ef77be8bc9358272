"""The metrics of 13 levels of 768 dimensions against scikit-learn, one call a level and score, one thread.

Two rivals, both as a user would write them on the same float32 tokens, distances anew in every call:

- ``three``: ``DBSCAN``, ``silhouette_score`` of its clusters by the protocol's distance, and
  ``cosine_similarity`` for two outputs: of each cluster's tokens for the in-cluster cosine, of each object's
  for the in-object cosine (not of all tokens, which would take longer). eps is given to it for nothing. So
  it does less than ``measure_levels``, whose whole time counts, checks included.
- ``same``: the same outputs, hence ``three`` and eps, adjusted mutual information, the share of nearest
  neighbours on the same object, and for ``paper`` the silhouette by cosine distance too. Purity and the ratio
  of labels, which cost next to nothing, are left out.

All tokens lie on objects, so that both protocols cluster as many. Each time is the median of rounds in which
all take turns. ``python -m pytest -s benchmarks/test_clustering.py -o addopts=--import-mode=importlib``
(without the checks of shapes, which the tests turn on).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import timm
import torch
from sklearn.cluster import DBSCAN
from sklearn.metrics import adjusted_mutual_info_score, silhouette_score
from sklearn.metrics.pairwise import cosine_similarity, euclidean_distances
from threadpoolctl import threadpool_limits

from attnclust.clustering import measure_levels

LEVELS, WIDTH = 13, 768
SILHOUETTE = {"official": "cosine", "paper": "euclidean"}
# Times faster than ``three`` and than ``same``, below which something is broken: half of what was measured or
# less, since other machines differ. ``paper`` is slower, for its silhouette needs all distances in float64.
FLOOR = {
    (60, "official"): (5, 7.5),
    (60, "paper"): (4, 7),
    (197, "official"): (3, 4.5),
    (197, "paper"): (2, 4),
}


def scene(n: int) -> tuple[np.ndarray, dict[int, np.ndarray], dict[int, str]]:
    """Levels of n float32 tokens, each on one of three objects, which are found as clusters."""
    rng = np.random.default_rng(0)
    label = np.sort(rng.integers(0, 3, n))
    noise = 0.5 * rng.normal(size=(LEVELS, n, WIDTH)) * rng.uniform(0.5, 1.5, (LEVELS, n, 1))
    tokens = noise + rng.normal(size=(LEVELS, 3, WIDTH))[:, label] + rng.normal(size=WIDTH)
    objects = {i + 1: np.flatnonzero(label == i) for i in range(3)}
    return tokens.astype(np.float32), objects, {i: f"class {i}" for i in objects}


def three(level: np.ndarray, objects: dict[int, np.ndarray], eps: float, metric: str) -> np.ndarray:
    labels = DBSCAN(eps=eps, min_samples=3).fit_predict(level)
    kept = labels >= 0
    if labels.max() > 0:
        silhouette_score(level[kept], labels[kept], metric=metric)
    for patches in [*(labels == c for c in range(labels.max() + 1)), *objects.values()]:
        cosines = cosine_similarity(level[patches])
        cosines[np.triu_indices(len(cosines), 1)].mean()
    return labels


def same(level: np.ndarray, objects: dict[int, np.ndarray], metric: str) -> None:
    steps = [[np.linalg.norm(level[b] - level[a]) for a, b in pairwise(p)] for p in objects.values()]
    labels = three(level, objects, float(np.mean([np.mean(each) for each in steps])), metric)
    if metric == "euclidean" and labels.max() > 0:
        silhouette_score(level[labels >= 0], labels[labels >= 0], metric="cosine")
    truth = np.repeat(np.arange(len(objects)), [len(p) for p in objects.values()])
    adjusted_mutual_info_score(truth, labels)
    distances = euclidean_distances(level)
    np.fill_diagonal(distances, np.inf)
    (truth[distances.argmin(axis=1)] == truth).mean()


def medians(*functions: Callable[[], object], rounds: int = 15) -> list[float]:
    """Seconds of processor time, interleaved, so that all see the same machine."""
    times: list[list[float]] = [[] for _ in functions]
    for _ in range(rounds):
        for function, seen in zip(functions, times, strict=True):
            start = time.process_time()
            function()
            seen.append(time.process_time() - start)
    return [float(np.median(seen)) for seen in times]


@pytest.mark.parametrize("protocol", SILHOUETTE)
@pytest.mark.parametrize("n", [60, 197])
def test_metrics_of_all_levels(benchmark: Any, n: int, protocol: str) -> None:
    tokens, objects, names = scene(n)
    metric = SILHOUETTE[protocol]
    with threadpool_limits(1):
        found = measure_levels(tokens, objects, names, protocol=protocol)
        assert found["clusters"].min() > 1
        ours, all_of_them, few = medians(
            lambda: measure_levels(tokens, objects, names, protocol=protocol),
            lambda: [same(level, objects, metric) for level in tokens],
            lambda: [three(z, objects, eps, metric) for z, eps in zip(tokens, found["eps"], strict=True)],
        )
        benchmark.pedantic(measure_levels, (tokens, objects, names), {"protocol": protocol}, rounds=3)
    benchmark.extra_info.update(times_faster=all_of_them / ours, times_faster_than_three=few / ours)
    print(
        f"\n{n} tokens, {protocol}: {ours * 1e3:.1f} ms; scikit-learn takes {all_of_them / ours:.1f} "
        f"times as long for the same, {few / ours:.1f} times for DBSCAN, silhouette and cosines alone"
    )
    slowest = FLOOR[n, protocol]
    assert few / ours > slowest[0]
    assert all_of_them / ours > slowest[1]


def test_share_of_a_forward_pass(benchmark: Any) -> None:
    """Of ViT-B/16, one image: 60 of its 196 patches lie on objects."""
    torch.set_num_threads(1)
    model = timm.create_model("vit_base_patch16_224").eval()
    image = torch.randn(1, 3, 224, 224)
    tokens, objects, names = scene(60)
    with torch.inference_mode(), threadpool_limits(1):
        ours, forward = medians(lambda: measure_levels(tokens, objects, names), lambda: model(image))
        benchmark.pedantic(measure_levels, (tokens, objects, names), rounds=3)
    benchmark.extra_info["share_of_forward"] = ours / forward
    print(
        f"\nmetrics {ours * 1e3:.1f} ms, {ours / forward:.1%} of the forward pass of {forward * 1e3:.0f} ms"
    )
    assert ours / forward < 0.05
