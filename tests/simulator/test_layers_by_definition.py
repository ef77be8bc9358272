"""Corners of a simulated layer: runs with weights of their own in one dimension, tokens at 0, maps larger
than a block, an overflow in one run alone, and the borders of what weights and masks may be.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from attnclust._array import ArgumentError, ArgumentTypeError
from attnclust.attention import simulate


def test_runs_in_one_dimension_have_their_own_weights() -> None:
    z = np.array([[[0.5], [-1.0], [2.0]], [[1.0], [0.25], [-0.5]]])
    w_q = np.array([[[1.0]], [[-3.0]]])
    both = simulate(z, w_q, np.eye(1), steps=2)
    for run in range(2):
        alone = simulate(z[run], w_q[run], np.eye(1), steps=2)
        np.testing.assert_allclose(both.tokens[:, run], alone.tokens, rtol=1e-14)
        np.testing.assert_allclose(both.attention[:, run], alone.attention, rtol=1e-14)


def test_a_token_at_zero_stays_there_on_the_sphere() -> None:
    """Two opposite tokens that attend evenly meet at 0, which has no direction."""
    z = np.array([[1.0, 0.0], [-1.0, 0.0]])
    seen = simulate(z, np.zeros((2, 1)), np.zeros((2, 1)), steps=2, norm="sphere")
    np.testing.assert_array_equal(seen.tokens[1:], np.zeros((2, 2, 2)))


def test_a_map_larger_than_a_block() -> None:
    z = np.random.default_rng(0).normal(size=(2, 370, 1))
    logits = z @ z.swapaxes(-1, -2)
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    seen = simulate(z, np.eye(1), np.eye(1), steps=1)
    np.testing.assert_allclose(seen.attention[0], weights, rtol=1e-12)
    np.testing.assert_allclose(seen.tokens[1], weights @ z, rtol=1e-12)


@pytest.mark.parametrize("convert", [np.asarray, torch.tensor], ids=["numpy", "torch"])
def test_an_overflow_of_one_run_alone_is_told_with_its_step(convert: Callable[[Any], Any]) -> None:
    """Every step multiplies by 1e100: the second run overflows in its third step, the first stays at 0."""
    z = convert(np.array([[[0.0], [0.0]], [[1e50], [1e50]]]))
    w = convert(np.zeros((1, 1)))
    with pytest.raises(ArgumentError, match="an overflow in step 3"):
        simulate(z, w, w, steps=5, w_v=convert(np.array([[1e100]])))


@pytest.mark.parametrize(
    "weights",
    [
        {"w_q": np.ones((2, 3, 0)), "w_k": np.ones((2, 3, 0))},
        {"w_q": np.ones((3, 1)), "w_k": np.ones((3, 1)), "w_v": np.ones((2, 3, 4))},
    ],
    ids=["no query", "values of another width"],
)
def test_weights_of_each_run_are_refused_like_shared_ones(weights: dict[str, np.ndarray]) -> None:
    with pytest.raises(ArgumentError, match="w_"):
        simulate(np.ones((2, 5, 3)), steps=1, **weights)


@pytest.mark.parametrize("mask", [1.0, True, np.ones((2, 2))])
def test_a_mask_that_is_not_boolean_is_refused(mask: Any) -> None:
    with pytest.raises(ArgumentTypeError, match="mask"):
        simulate(np.ones((2, 1)), np.eye(1), np.eye(1), steps=1, mask=mask)


def test_every_query_needs_a_key_and_no_key_needs_a_query() -> None:
    z, one = np.array([[1.0], [2.0]]), np.eye(1)
    blind = np.array([[True, True], [False, False]])
    with pytest.raises(ArgumentError, match="every query must see a key"):
        simulate(z, one, one, steps=1, mask=blind)
    seen = simulate(z, one, one, steps=1, mask=blind.T)
    np.testing.assert_array_equal(seen.attention[0], [[1.0, 0.0], [1.0, 0.0]])
