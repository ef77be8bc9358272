"""Single scores of given partitions against scikit-learn, one call a level."""

from __future__ import annotations

import numpy as np
import pytest
import torch
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
from attnclust.clustering._tokens import consecutive


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
        "euclidean": silhouette(distances.sums(inside), inside),
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
        np.testing.assert_allclose(np.sqrt(2 * distances.half[level].clip(0)), expected, rtol=1e-9)


@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy])
@pytest.mark.parametrize("shape", [(1, 2, 3), (13, 61, 768), (3, 7, 60_000), (2, 5, 140_000)])
def test_steps_are_those_of_float64_wherever_the_cache_cuts_the_rows(shape, kind):
    tokens = np.random.default_rng(8).normal(size=shape).astype(np.float32) + 100
    tokens[-1, -1] = tokens[-1, -2]
    found = consecutive(kind(tokens))
    expected = np.linalg.norm(np.diff(tokens.astype(np.float64), axis=1), axis=2)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert found[-1, -1] == 0


def test_cosine_sums_agree_with_scikit_learn():
    tokens, labels = levels_and_labels(2)
    tokens[3, 4] = 0
    inside = members(labels, 4)
    expected = [cosine_distances(level) @ who for level, who in zip(tokens, inside, strict=True)]
    np.testing.assert_allclose(cosine_sums(tokens, inside), expected, atol=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy])
def test_the_error_bound_holds(dtype, kind):
    rng = np.random.default_rng(3)
    for tokens in (
        rng.normal(size=(1, 31, 17)),
        rng.normal(size=(1, 31, 17)) * 10.0 ** rng.integers(-6, 6, (31, 1)),
        rng.normal(size=(1, 31, 17)) + 300,
    ):
        distances = Distances.of(kind(tokens.astype(dtype)), dtype=dtype)
        assert str(distances.half.dtype).endswith(dtype)
        wide = tokens.astype(dtype)[0].astype(np.longdouble)
        exact = ((wide[:, None] - wide[None]) ** 2).sum(axis=2) / 2
        norms = distances.norms[0]
        bound = distances.error * (norms[:, None] + norms)
        wrong = np.abs(np.asarray(distances.half[0]) - exact)
        assert (wrong <= bound).all()
        # Sums of rounding errors rarely come near their bound, but the bound is no wild guess either.
        assert wrong.max() > bound.max() / 10_000


def test_numbers_that_float32_cannot_square_are_told_apart_in_float64():
    tokens = np.random.default_rng(0).normal(size=(1, 13, 5)).astype(np.float32)
    for unit in (1e25, 1e-25):
        distances = Distances.of(np.float32(unit) * tokens, dtype="float32")
        assert distances.half.dtype == np.float64
        near = Distances.of(tokens.astype(float)).within(np.array([2.0]))
        np.testing.assert_array_equal(distances.within(np.array([2.0 * unit])), near)


@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy])
def test_float32_decides_as_float64_does(kind):
    """Lattices, where most distances tie with eps, and clouds whose distances lie within rounding of it."""
    rng = np.random.default_rng(9)
    group = np.repeat([0, 1, 2], [7, 9, 13])
    picked = rng.permutation(31)[:29]
    for case in range(40):
        tokens = rng.integers(0, 3, (3, 31, 11)).astype(np.float32)
        if case % 2:
            tokens = (1 + 1e-7 * rng.normal(size=(3, 31, 1)) * tokens).astype(np.float32) * 7
        if case % 4 > 1:
            tokens += rng.normal(size=(3, 31, 11)).astype(np.float32) * 1e-6
        narrow = Distances.of(kind(tokens), dtype="float32")
        exact = ((tokens[:, :, None].astype(float) - tokens[:, None]) ** 2).sum(axis=3)
        # Beyond a pair's own distance by more than float64's rounding and far less than float32's.
        radius = np.sqrt(np.median(exact, axis=(1, 2))) * (1 + 1e-12)
        np.testing.assert_array_equal(
            narrow.within(radius), exact <= (radius**2)[:, None, None], err_msg=str(case)
        )
        some = exact[:, picked[:, None], picked] + np.where(np.eye(29, dtype=bool), np.inf, 0)
        same = group[:, None] == group
        own, others = (np.where(mask, some, np.inf).min(axis=2) for mask in (same, ~same))
        share = (own <= others * (1 + 1e-12)).mean(axis=1)
        np.testing.assert_allclose(narrow.nearest(group, picked), share)


def ami(table) -> float:
    return float(adjusted_mutual_information(table[None])[0])


def test_adjusted_mutual_information_agrees_with_scikit_learn():
    rng = np.random.default_rng(5)
    for _ in range(300):
        n = int(rng.integers(1, 200))
        a = rng.integers(0, rng.integers(1, 9), n)
        b = np.where(rng.random(n) < rng.random(), a, rng.integers(0, rng.integers(1, 12), n))
        expected = adjusted_mutual_info_score(a, b)
        table = np.asarray(contingency_matrix(a, b))
        assert ami(table) == pytest.approx(expected, rel=1e-9, abs=1e-9)
        # Empty rows and columns stand for clusters of other levels.
        padded = np.pad(table, ((0, 2), (1, 0)))
        assert ami(padded) == pytest.approx(ami(table), rel=1e-12, abs=1e-12)


def test_adjusted_mutual_information_by_hand():
    assert ami(np.array([[3, 0], [0, 4]])) == pytest.approx(1)
    assert ami(np.array([[7]])) == 1
    assert ami(np.array([[3, 4]])) == pytest.approx(0, abs=1e-12)
    # Two tokens each in a part of its own, against both in one: no information, no chance of any.
    assert ami(np.array([[1], [1]])) == pytest.approx(0, abs=1e-12)
