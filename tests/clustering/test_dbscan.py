"""DBSCAN against scikit-learn's, ties and border tokens included, and against answers by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn import config_context
from sklearn.cluster import DBSCAN

from attnclust._array import ArgumentError, ArgumentTypeError
from attnclust.clustering import dbscan


def sklearn_labels(tokens: np.ndarray, eps: float, min_samples: int = 3) -> np.ndarray:
    return DBSCAN(eps=eps, min_samples=min_samples, algorithm="brute").fit_predict(tokens)


def line(*places: float) -> np.ndarray:
    return np.array(places, dtype=np.float64)[:, None]


def test_a_chain_is_one_cluster_however_the_tokens_are_ordered():
    chain = np.arange(40.0)
    order = np.random.default_rng(1).permutation(40)
    assert set(dbscan(chain[order][:, None], 1.0)) == {0}


def test_a_token_exactly_at_eps_is_a_neighbour():
    assert dbscan(line(0, 3, 6), 3.0).tolist() == [0, 0, 0]
    assert dbscan(line(0, 3, 6), np.nextafter(3.0, 0)).tolist() == [-1, -1, -1]


def test_clusters_are_numbered_by_their_first_core_token():
    # Token 0 is border of the cluster at 10, whose first core token is 2; the cluster at 0 has core token 1.
    assert dbscan(line(9, 0, 10, 0, 10.5, 0, 11, 50), 1.0).tolist() == [1, 0, 1, 0, 1, 0, 1, -1]


def test_a_border_token_goes_to_the_first_cluster_that_reaches_it():
    # 1 and -1 see four tokens and are core; 0, between them, sees three and is border of both.
    tokens = line(1, 2, 2, 0, -1, -2, -2)
    assert dbscan(tokens, 1.0, min_samples=4).tolist() == [0, 0, 0, 0, 1, 1, 1]
    assert dbscan(tokens[::-1], 1.0, min_samples=4).tolist() == [0, 0, 0, 0, 1, 1, 1]
    assert set(dbscan(tokens, 1.0, min_samples=5)) == {-1}


def test_a_cluster_can_lose_its_border_and_be_smaller_than_min_samples():
    left = [[-1, 0], [-2, 0], [-2.5, 0], [-3, 0]]
    right = [[1, 0], [2, 0], [2.5, 0], [3, 0]]
    # The core token in the middle sees four tokens, and two of them are taken.
    tokens = np.array([*left, *right, [0, 0], [0, 1]], dtype=np.float64)
    assert dbscan(tokens, 1.0, min_samples=4).tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2]


def test_eps_zero_joins_equal_tokens_only():
    assert dbscan(line(1, 1, 1, 2, 2, 3, 3, 3), 0).tolist() == [0, 0, 0, -1, -1, 1, 1, 1]


def test_min_samples_one_leaves_no_noise():
    assert dbscan(line(0, 1, 5), 1.0, min_samples=1).tolist() == [0, 0, 1]


def batches(count: int, seed: int):
    """20 levels each: lattices full of ties, duplicates, clouds in few and many dimensions, blobs."""
    rng = np.random.default_rng(seed)
    for batch in range(count):
        n, d, kind = int(rng.integers(1, 30)), int(rng.integers(1, 4)), batch % 5
        if kind == 0:
            tokens = rng.integers(0, int(rng.integers(2, 9)), (20, n, d)).astype(float)
            eps = np.sqrt(rng.integers(1, 12, 20))
        elif kind == 1:
            tokens = rng.integers(-2, 3, (20, n, 17)).astype(float) * 3
            eps = 3 * np.sqrt(rng.integers(10, 50, 20))
        elif kind == 2:
            tokens = rng.normal(size=(20, n, d))[:, rng.integers(0, n, n)]
            eps = rng.uniform(0.05, 1.5, 20)
        elif kind == 3:
            tokens = rng.normal(size=(20, n, 23))
            eps = rng.uniform(4, 8, 20)
        else:
            tokens = rng.normal(size=(20, n, 5)) * 0.4 + 3 * rng.integers(0, 3, (20, n, 1))
            eps = rng.uniform(0.3, 1.5, 20)
        # Numbers that float32 holds, so that both dtypes have one answer.
        yield tokens.astype(np.float32), eps, int(rng.integers(1, 6))


def test_ten_thousand_cases_agree_with_scikit_learn():
    clusters = noise = 0
    with config_context(assume_finite=True, skip_parameter_validation=True):
        for tokens, eps, min_samples in batches(500, seed=8):
            wide = tokens.astype(np.float64)
            labels = dbscan(wide, eps, min_samples=min_samples)
            narrow = dbscan(tokens, eps, min_samples=min_samples)
            for level in range(20):
                expected = sklearn_labels(wide[level], eps[level], min_samples)
                np.testing.assert_array_equal(labels[level], expected)
                np.testing.assert_array_equal(narrow[level], expected)
                clusters += expected.max() > 0
                noise += (expected < 0).any()
                if min_samples == 3:
                    assert np.bincount(expected[expected >= 0]).min(initial=3) == 3
    assert clusters > 2000
    assert noise > 2000


@given(
    hnp.arrays(
        np.float64,
        st.tuples(st.integers(1, 23), st.integers(1, 3)),
        elements=st.integers(0, 5).map(float),
        fill=st.nothing(),
    ),
    st.integers(1, 13),
    st.integers(1, 5),
)
def test_lattices_agree_with_scikit_learn(tokens, square, min_samples):
    eps = float(np.sqrt(square))
    expected = sklearn_labels(tokens, eps, min_samples)
    np.testing.assert_array_equal(dbscan(tokens, eps, min_samples=min_samples), expected)


@pytest.mark.parametrize("offset", [1e3, 1e6, 1e9])
def test_ties_are_exact_far_from_the_origin(offset):
    # The Gram product of uncentred tokens would lose these distances; scikit-learn's is right near 0.
    rng = np.random.default_rng(4)
    for _ in range(50):
        tokens = rng.integers(0, 6, (29, 3)).astype(float)
        for square in (1, 2, 3, 5):
            expected = sklearn_labels(tokens, float(np.sqrt(square)))
            np.testing.assert_array_equal(dbscan(tokens + offset, float(np.sqrt(square))), expected)


def test_one_far_token_does_not_blur_the_others():
    tokens = np.vstack([np.random.default_rng(6).integers(0, 4, (23, 3)), [[1e8, 0, 0]]]).astype(float)
    expected = sklearn_labels(tokens[:-1], float(np.sqrt(2)))
    np.testing.assert_array_equal(dbscan(tokens, float(np.sqrt(2)))[:-1], expected)


def test_a_batch_is_its_levels_each_with_its_own_eps():
    rng = np.random.default_rng(2)
    levels = rng.normal(size=(7, 31, 5)) * rng.uniform(0.1, 10, (7, 1, 1))
    eps = rng.uniform(0.5, 3, 7)
    labels = dbscan(levels, eps)
    assert labels.shape == (7, 31)
    for level in range(7):
        np.testing.assert_array_equal(labels[level], dbscan(levels[level], eps[level]))
        np.testing.assert_array_equal(dbscan(levels, 1.0)[level], dbscan(levels[level], 1.0))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_torch_tensors_are_read_as_their_own_numbers(dtype):
    tokens = torch.from_numpy(np.random.default_rng(2).normal(size=(31, 5))).to(dtype).requires_grad_()
    expected = sklearn_labels(tokens.detach().double().numpy(), 1.3)
    np.testing.assert_array_equal(dbscan(tokens, 1.3), expected)


def test_real_levels_agree_with_scikit_learn(real_levels):
    for image in real_levels:
        patches = np.concatenate(list(image.objects.values()))
        for level in image.levels:
            tokens = level[patches].astype(np.float64)
            step = np.linalg.norm(tokens[1:] - tokens[:-1], axis=1).mean()
            for factor in (0.6, 0.8, 1.0):
                expected = sklearn_labels(tokens, factor * step)
                np.testing.assert_array_equal(dbscan(tokens, factor * step), expected)
                np.testing.assert_array_equal(dbscan(level[patches], factor * step), expected)


def test_wrong_arguments_are_refused():
    tokens = np.zeros((5, 3))
    with pytest.raises(ArgumentTypeError, match="real floating"):
        dbscan(np.zeros((5, 3), int), 1.0)
    with pytest.raises(ArgumentTypeError, match="real floating"):
        dbscan(torch.zeros((5, 3), dtype=torch.int64), 1.0)
    with pytest.raises(ArgumentError, match="shape"):
        dbscan(np.zeros(5), 1.0)
    with pytest.raises(ArgumentError, match="shape"):
        dbscan(np.zeros((0, 3)), 1.0)
    for wrong in (np.nan, np.inf):
        with pytest.raises(ArgumentError, match="1 NaN or infinite of 15"):
            dbscan(np.where(np.arange(15).reshape(5, 3) == 7, wrong, tokens), 1.0)
    for unit in (1e170, 1e-170):
        with pytest.raises(ArgumentError, match="squared distances"):
            dbscan(unit * np.arange(15.0).reshape(5, 3), unit)
    for eps in (-1.0, np.nan, [1.0, 2.0]):
        with pytest.raises(ArgumentError, match="eps"):
            dbscan(tokens, eps)
    with pytest.raises(ArgumentError, match="min_samples"):
        dbscan(tokens, 1.0, min_samples=0)
