"""Weights and masks as their docstrings define them: the farthest pair by brute force, the fit by least
squares, laws of single layers; defaults, and the borders of what is accepted.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch

from attnclust._array import ArgumentError, ArgumentTypeError
from attnclust.attention import adversarial_weights, attention_weights, causal_mask, draw_weights, ring_mask

Z = np.arange(12.0).reshape(4, 3)
LABELS = np.array([0, 0, 1, -1])


def farthest(points: np.ndarray) -> tuple[int, int]:
    pairs = itertools.combinations(range(len(points)), 2)
    return max(pairs, key=lambda pair: math.dist(points[pair[0]], points[pair[1]]))


@pytest.mark.parametrize("convert", [np.asarray, torch.tensor])
@pytest.mark.parametrize("batch", [(), (3,), (2, 4)])
def test_adversarial_queries_tell_the_farthest_pair_apart(batch: tuple[int, ...], convert: Any) -> None:
    """Logits +-scale at the two; keys are the least-squares fit of inside and outside. Off the origin, in
    coordinates of unlike spread, so that the farthest pair is neither the longest tokens nor the first.
    """
    rng = np.random.default_rng(4)
    labels = np.array([1, 0, 1, -1, 1, 0, 1, 1])
    for offset, _ in itertools.product((0.0, 3.0), range(10)):
        z = rng.normal(size=(*batch, 8, 5)) * rng.uniform(0.2, 2, size=5) + offset
        got = adversarial_weights(convert(z), convert(labels), cluster=1, scale=7)
        w_q, w_k, w_v = (np.asarray(each) for each in got)
        assert w_q.shape == w_k.shape == (*batch, 5, 1)
        np.testing.assert_array_equal(w_v, np.eye(5))
        for b in np.ndindex(*batch):
            inside = np.flatnonzero(labels == 1)
            pair = inside[list(farthest(z[b][inside]))]
            np.testing.assert_allclose(sorted((z[b] @ w_q[b])[pair, 0]), [-7, 7], rtol=1e-9)
            fit = np.linalg.lstsq(z[b], np.where(labels == 1, -1.0, 1.0), rcond=None)[0]
            np.testing.assert_allclose(w_k[b][:, 0], fit, rtol=1e-8, atol=1e-10)


def test_the_farthest_pair_is_found_far_from_the_origin() -> None:
    """At 1e8 a Gram matrix of tokens that are not centred has errors of the size of these distances."""
    rng = np.random.default_rng(5)
    labels = np.array([0, 0, 0, 0, 0, 0, -1])
    for _ in range(20):
        z = 1e8 + rng.normal(size=(7, 4))
        ends = (z @ adversarial_weights(z, labels).w_q)[list(farthest(z[:6])), 0]
        np.testing.assert_allclose(sorted(ends), [-1, 1], atol=1e-4)


def test_adversarial_weights_look_at_cluster_0_with_scale_1_unless_said_otherwise() -> None:
    got, said = adversarial_weights(Z, LABELS), adversarial_weights(Z, LABELS, cluster=0, scale=1)
    for a, b in zip(got, said, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_allclose(sorted((Z @ got.w_q)[:2, 0]), [-1, 1], rtol=1e-12)


def test_a_cluster_without_tokens_cannot_be_torn() -> None:
    """Clusters may be declared that no token has; what is not declared is refused the same way."""
    for cluster in (2, 3):
        with pytest.raises(ArgumentError, match=r"cluster: must hold two tokens or more.*got 0 of 4"):
            adversarial_weights(Z, LABELS, cluster=cluster, clusters=3)


@pytest.mark.parametrize("scale", [True, "1", None, np.array([1.0]), 0, 0.0, -1.0, math.inf, math.nan, 1j])
def test_what_is_no_positive_number_is_no_scale(scale: Any) -> None:
    with pytest.raises(ArgumentError, match="scale: must be a positive number"):
        draw_weights("gaussian", 3, generator=np.random.default_rng(0), scale=scale)
    with pytest.raises(ArgumentError, match="scale: must be a positive number"):
        adversarial_weights(Z, LABELS, scale=scale)


@pytest.mark.parametrize("kind", [None, 0, ("gaussian",), ["gaussian"], np.array(["gaussian"])])
def test_a_kind_is_one_of_the_names(kind: Any) -> None:
    with pytest.raises(ArgumentError, match="kind: must be one of gaussian, orthogonal, tied"):
        draw_weights(kind, 3, generator=np.random.default_rng(0))


@pytest.mark.parametrize("kind", ["gaussian", "orthogonal", "tied"])
def test_the_smallest_layers(kind: str) -> None:
    """A coordinate, a query of one, no run at all; numbers of NumPy; scale 1 unless said otherwise."""
    w_q, w_k, w_v = draw_weights(kind, 1, 1, generator=np.random.default_rng(0))
    assert w_q.shape == w_k.shape == w_v.shape == (1, 1)
    assert [w.shape for w in draw_weights(kind, 4, generator=np.random.default_rng(0))] == [(4, 4)] * 3
    none = draw_weights(kind, np.int64(3), np.int64(2), generator=np.random.default_rng(0), batch=(0,))
    assert [w.shape for w in none] == [(0, 3, 2), (0, 3, 2), (0, 3, 3)]
    said = draw_weights(kind, 1, 1, generator=np.random.default_rng(0), scale=np.float64(1))
    assert [float(w[0, 0]) for w in said] == [float(w[0, 0]) for w in (w_q, w_k, w_v)]


@pytest.mark.parametrize("batch", [(), (9,), (3, 4, 5)])
def test_gaussian_entries_have_variance_scale_squared_over_d(batch: tuple[int, ...]) -> None:
    """Whatever the leading axes; the mean of squares lies within 5 sqrt(2 / k) of the variance."""
    w_q, w_k, w_v = draw_weights("gaussian", 40, 30, generator=np.random.default_rng(3), scale=2, batch=batch)
    for w in (w_q, w_k, w_v):
        assert abs((w**2).mean() / (4 / 40) - 1) < 5 * math.sqrt(2 / w.size)


class Imitation:
    """Of no library, with a device as a torch.Generator has."""

    device = "cpu"


def test_generators_of_other_libraries_are_refused() -> None:
    for generator in (Imitation(), torch.nn.Identity(), np.random.RandomState(0), None):
        with pytest.raises(
            ArgumentTypeError, match=r"generator: must be a numpy\.random\.Generator or a torch"
        ):
            draw_weights("gaussian", 3, generator=generator)


def test_masks_of_one_token_and_the_ring_s_default() -> None:
    assert causal_mask(1).tolist() == ring_mask(1).tolist() == ring_mask(1, width=0).tolist() == [[True]]
    neighbours = [[(j - k) % 7 in (0, 1, 6) for k in range(7)] for j in range(7)]
    assert ring_mask(7).tolist() == neighbours
    assert ring_mask(np.int64(7), width=np.int32(1)).tolist() == neighbours
    for wrong in (True, 3.0, "3", None):
        with pytest.raises(ArgumentTypeError, match="n: must be a whole number"):
            ring_mask(wrong)
        with pytest.raises(ArgumentTypeError, match="n: must be a whole number"):
            causal_mask(wrong)
        with pytest.raises(ArgumentTypeError, match="width: must be a whole number"):
            ring_mask(3, width=wrong)


@pytest.mark.parametrize("scale", [0.0, -1.0, math.inf, math.nan])
def test_attention_weights_need_a_positive_scale(scale: float) -> None:
    with pytest.raises(ArgumentError, match="scale: must be a positive number"):
        attention_weights(Z, np.eye(3), np.eye(3), scale=scale)


@pytest.mark.parametrize("batch", [(), (2,), (0,)])
def test_queries_without_coordinates_are_refused_tokens_without_are_not(batch: tuple[int, ...]) -> None:
    """No logit has a scale 1 / sqrt(0); tokens without coordinates are all alike, so attention is uniform."""
    with pytest.raises(ArgumentError, match="w_q and w_k: must both be"):
        attention_weights(Z, np.ones((*batch, 3, 0)), np.ones((*batch, 3, 0)))
    w = np.ones((*batch, 0, 2))
    got = attention_weights(np.ones((4, 0)), w, w)
    np.testing.assert_array_equal(got, np.full((*batch, 4, 4), 0.25))


def test_in_a_batch_too_a_key_may_be_unseen_and_no_query_blind() -> None:
    """Distinct layers of a batch, each with its mask: a blind query in one is refused, though each key of
    that one, and each query of the others, has its part.
    """
    tokens, w = np.stack([Z, Z + 1]), np.eye(3)
    first_key = np.zeros((4, 4), dtype=bool)
    first_key[:, 0] = True
    got = attention_weights(tokens, w, w, mask=np.stack([first_key, ~np.eye(4, dtype=bool)]))
    np.testing.assert_array_equal(got[0], first_key.astype(float))
    assert (got[1][np.eye(4, dtype=bool)] == 0).all()
    for mask in (np.stack([first_key, first_key.T]), np.stack([first_key.T, ~first_key.T])):
        with pytest.raises(ArgumentError, match="mask: every query must see a key"):
            attention_weights(tokens, w, w, mask=mask)
