"""Attention weights and one step: by hand, against a literal rendering, masks and scales."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from attnclust._array import ArgumentError
from attnclust.attention import attend, attention_weights


def test_weights_by_hand() -> None:
    """One coordinate, keys 0 and log 3, query 1: odds 1 to 3; scale halves the logit, so 1 to sqrt 3."""
    tokens = np.array([[0.0], [1.0]])
    w_q, w_k = np.array([[1.0]]), np.array([[math.log(3)]])
    np.testing.assert_allclose(attention_weights(tokens, w_q, w_k), [[0.5, 0.5], [0.25, 0.75]], rtol=1e-15)
    half = attention_weights(tokens, w_q, w_k, scale=0.5)[1]
    np.testing.assert_allclose(half, [1 / (1 + math.sqrt(3)), math.sqrt(3) / (1 + math.sqrt(3))], rtol=1e-15)


def test_weights_against_a_literal_rendering() -> None:
    """Axes of distinct lengths: batch 2 x 3, 7 tokens, 5 coordinates, 11 of queries; row = query."""
    rng = np.random.default_rng(0)
    tokens, w_q, w_k = rng.normal(size=(2, 3, 7, 5)), rng.normal(size=(5, 11)), rng.normal(size=(5, 11))
    got = attention_weights(tokens, w_q, w_k)
    assert got.shape == (2, 3, 7, 7)
    for b in np.ndindex(2, 3):
        for j in range(7):
            logits = [float(tokens[b][j] @ w_q @ (tokens[b][k] @ w_k)) / math.sqrt(11) for k in range(7)]
            odds = [math.exp(each - max(logits)) for each in logits]
            np.testing.assert_allclose(got[b][j], np.array(odds) / sum(odds), rtol=1e-12)


def test_masked_keys_get_nothing_and_the_rest_is_renormalised() -> None:
    rng = np.random.default_rng(1)
    tokens, w = rng.normal(size=(2, 5, 3)), rng.normal(size=(3, 2))
    causal = np.tril(np.ones((5, 5), dtype=bool))
    got, free = attention_weights(tokens, w, w, mask=causal), attention_weights(tokens, w, w)
    assert (got[:, ~causal] == 0).all()
    np.testing.assert_allclose(got.sum(-1), 1, rtol=1e-15)
    kept = np.where(causal, free, 0)
    np.testing.assert_allclose(got, kept / kept.sum(-1, keepdims=True), rtol=1e-13)


def test_large_logits_do_not_overflow() -> None:
    got = attention_weights(np.array([[0.0], [1e5]]), np.eye(1), np.eye(1))
    assert got.tolist() == [[0.5, 0.5], [0.0, 1.0]]


@pytest.mark.parametrize("kind", [np.float32, np.float64, torch.float16, torch.float32, torch.float64])
def test_logits_up_to_the_largest_number_and_beyond(kind: Any) -> None:
    """Keys at +-x, queries alike: logits +-x^2. Their difference may overflow, which is a weight of 0; they
    themselves may not.
    """
    as_kind: Any = np.asarray if kind in (np.float32, np.float64) else torch.tensor
    info: Any = np.finfo if as_kind is np.asarray else torch.finfo
    largest = float(info(kind).max)
    one = as_kind([[1.0]], dtype=kind)
    tokens = as_kind([[0.75 * math.sqrt(largest)], [-0.75 * math.sqrt(largest)]], dtype=kind)
    assert attention_weights(tokens, one, one).tolist() == [[1.0, 0.0], [0.0, 1.0]]
    for wrong in (2 * tokens, as_kind([[0.9 * largest], [0.0]], dtype=kind)):
        with pytest.raises(ValueError, match="tokens, w_q and w_k: logits must be finite in"):
            attention_weights(wrong, one, one)
    # The scale comes first, so a product that only it keeps in range does not overflow.
    near = attention_weights(2 * tokens, one, one, scale=0.25)
    assert near.tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_a_step_averages_rows_and_carries_values() -> None:
    attention = np.array([[0.25, 0.75], [1.0, 0.0]])
    tokens = np.array([[4.0, 0.0], [0.0, 8.0]])
    assert attend(attention, tokens).tolist() == [[1.0, 6.0], [4.0, 0.0]]
    assert attend(attention, tokens, w_v=np.array([[1.0], [0.5]])).tolist() == [[4.0], [4.0]]


@pytest.mark.parametrize("argument", ["w_q", "w_k"])
def test_batches_of_weights_must_broadcast(argument: str) -> None:
    known = {"tokens": np.ones((2, 4, 3)), "w_q": np.eye(3), "w_k": np.eye(3)}
    known[argument] = np.stack([np.eye(3)] * 5)
    with pytest.raises(ArgumentError, match=rf"^{argument}: leading \(batch\) axes must broadcast"):
        attention_weights(**known)


@pytest.mark.parametrize(("one", "other"), [("attention", "tokens"), ("attention", "w_v"), ("tokens", "w_v")])
def test_batches_of_a_step_must_broadcast(one: str, other: str) -> None:
    known = {"attention": np.eye(4), "tokens": np.ones((4, 3)), "w_v": np.eye(3)}
    known |= {one: np.stack([known[one]] * 2), other: np.stack([known[other]] * 5)}
    with pytest.raises(ArgumentError, match=rf"^{other}: leading .* broadcast against {one}"):
        attend(**known)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_dtype_is_kept_and_gradients_flow(dtype: torch.dtype) -> None:
    tokens = torch.randn((3, 2), generator=torch.Generator().manual_seed(0), dtype=dtype, requires_grad=True)
    weights = attention_weights(tokens, torch.eye(2, dtype=dtype), torch.eye(2, dtype=dtype))
    assert weights.dtype == dtype
    attend(weights, tokens).sum().backward()
    assert tokens.grad is not None
    assert bool(torch.isfinite(tokens.grad).all())
