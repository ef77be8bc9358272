"""Single scores of given partitions against scikit-learn, one call a level."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import adjusted_mutual_info_score, silhouette_score
from sklearn.metrics.cluster import contingency_matrix
from sklearn.metrics.pairwise import cosine_distances, euclidean_distances

from attnclust.clustering._distances import Distances
from attnclust.clustering._scores import (
    adjusted_mutual_information,
    cosine_sums,
    mean_cosine,
    members,
    silhouette,
)


def levels_and_labels(seed: int):
    """Six levels of 31 tokens with 2 to 4 clusters, one of them of a single token, and noise."""
    rng = np.random.default_rng(seed)
    labels = np.stack([rng.integers(-1, 2 + level % 3, 31) for level in range(6)])
    labels[:, :6] = (0, 0, 1, 1, 1, -1)
    labels[2, 6:][labels[2, 6:] == 3] = -1
    labels[2, 7] = 3
    return rng.normal(size=(6, 31, 7)) + rng.normal(size=7), labels


def test_silhouette_agrees_with_scikit_learn():
    tokens, labels = levels_and_labels(1)
    inside = members(labels, 4)
    distances = Distances.of(tokens)
    found = {
        "cosine": silhouette(cosine_sums(tokens, inside), inside),
        "euclidean": silhouette(np.sqrt(distances.squared) @ inside, inside),
    }
    for metric, values in found.items():
        for level in range(6):
            kept = labels[level] >= 0
            expected = silhouette_score(tokens[level][kept], labels[level][kept], metric=metric)
            assert values[level] == pytest.approx(expected, rel=1e-11)


def test_silhouette_and_cosine_of_one_cluster_and_of_none():
    tokens = np.random.default_rng(0).normal(size=(2, 5, 3))
    inside = members(np.array([[0, 0, 0, -1, 0], [-1] * 5]), 3)
    sums = cosine_sums(tokens, inside)
    assert silhouette(sums, inside).tolist() == [0, -1]
    assert mean_cosine(sums, inside)[1] == -1
    # A level of clusters without any pair has no cosine either.
    alone = members(np.array([[0, 1, 2, -1, -1]]), 3)
    assert mean_cosine(cosine_sums(tokens[:1], alone), alone).tolist() == [-1]


def test_the_mean_over_clusters_weighs_clusters_not_pairs():
    e = np.eye(3)
    tokens = np.array([[e[0], e[0], e[0], e[0], e[1], e[2]]])
    inside = members(np.array([[0, 0, 0, 0, 1, 1]]), 2)
    assert mean_cosine(cosine_sums(tokens, inside), inside) == pytest.approx([0.5])


@pytest.mark.parametrize("offset", [0.0, 2.0**20])
@pytest.mark.parametrize("scale", [2.0**-20, 1.0, 2.0**20])
def test_distances_agree_with_scikit_learn(scale, offset):
    # Multiples of 2^-20, which stay exact however far they are moved.
    tokens = np.random.default_rng(7).normal(size=(3, 29, 11)).round(1) * 10 / 2**20
    distances = Distances.of(scale * (tokens + offset))
    for level in range(3):
        # The reference takes tokens near the origin: its own Gram product is not centred.
        expected = scale * euclidean_distances(tokens[level])
        np.testing.assert_allclose(np.sqrt(distances.squared[level].clip(0)), expected, rtol=1e-9)


def test_cosine_sums_agree_with_scikit_learn():
    tokens, labels = levels_and_labels(2)
    tokens[3, 4] = 0
    inside = members(labels, 4)
    expected = [cosine_distances(level) @ who for level, who in zip(tokens, inside, strict=True)]
    np.testing.assert_allclose(cosine_sums(tokens, inside), expected, atol=1e-13)


def test_the_error_bound_holds():
    rng = np.random.default_rng(3)
    for tokens in (
        rng.normal(size=(1, 31, 17)),
        rng.normal(size=(1, 31, 17)) * 10.0 ** rng.integers(-6, 6, (31, 1)),
    ):
        distances = Distances.of(tokens)
        wide = tokens[0].astype(np.longdouble)
        exact = ((wide[:, None] - wide[None]) ** 2).sum(axis=2)
        assert np.abs(distances.squared[0] - exact).max() <= distances.error[0, 0, 0]


def test_adjusted_mutual_information_agrees_with_scikit_learn():
    rng = np.random.default_rng(5)
    for _ in range(300):
        n = int(rng.integers(1, 200))
        a = rng.integers(0, rng.integers(1, 9), n)
        b = np.where(rng.random(n) < rng.random(), a, rng.integers(0, rng.integers(1, 12), n))
        expected = adjusted_mutual_info_score(a, b)
        table = np.asarray(contingency_matrix(a, b))
        assert adjusted_mutual_information(table) == pytest.approx(expected, rel=1e-9, abs=1e-9)
        # Empty rows and columns stand for clusters of other levels.
        padded = np.pad(table, ((0, 2), (1, 0)))
        assert adjusted_mutual_information(padded) == adjusted_mutual_information(table)


def test_adjusted_mutual_information_by_hand():
    assert adjusted_mutual_information(np.array([[3, 0], [0, 4]])) == pytest.approx(1)
    assert adjusted_mutual_information(np.array([[7]])) == 1
    assert adjusted_mutual_information(np.array([[3, 4]])) == pytest.approx(0, abs=1e-12)
    # Two tokens each in a part of its own, against both in one: no information, no chance of any.
    assert adjusted_mutual_information(np.array([[1], [1]])) == pytest.approx(0, abs=1e-12)
