"""The simulator against a literal rendering of its formula, in every mode; kinds, batches, gradients."""

from __future__ import annotations

import math
from typing import Any

import array_api_strict
import numpy as np
import pytest
import torch

from attnclust.attention import attend, attention_weights, causal_mask, ring_mask, simulate

N, D, K, HEADS, STEPS = 7, 5, 3, 2, 11


def literal(z: np.ndarray, heads: list[tuple], *, h: float | None, norm: str | None, mask: Any) -> tuple:
    """One step, token by token: weights of each head, and the tokens after it. `heads`: (W_Q, W_K, W_V)."""
    after, maps = np.zeros_like(z), []
    for w_q, w_k, w_v in heads:
        a = np.zeros((len(z), len(z)))
        for j in range(len(z)):
            logit = [float(z[j] @ w_q @ (z[k] @ w_k)) / math.sqrt(w_q.shape[1]) for k in range(len(z))]
            seen = [k for k in range(len(z)) if mask is None or mask[j, k]]
            odds = {k: math.exp(logit[k] - max(logit[i] for i in seen)) for k in seen}
            for k in seen:
                a[j, k] = odds[k] / sum(odds.values())
                after[j] += a[j, k] * (z[k] @ w_v)
        maps.append(a)
    z = after if h is None else z + h * after
    if norm == "layernorm":
        z = torch.nn.functional.layer_norm(torch.tensor(z), (z.shape[1],)).numpy()
    elif norm == "sphere":
        z = np.stack([row / math.sqrt(sum(x * x for x in row)) for row in z])
    return np.stack(maps), z


@pytest.mark.parametrize("norm", [None, "layernorm", "sphere"])
@pytest.mark.parametrize("h", [None, 1, 0.25])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("values", [False, True])
def test_against_a_literal_rendering(norm: str | None, h: float | None, masked: bool, values: bool) -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=(N, D))
    w_q, w_k = rng.normal(size=(2, D, K))
    w_v = rng.normal(size=(D, D)) / 2 if values else None
    mask = rng.random((N, N)) < 0.5
    np.fill_diagonal(mask, True)
    mask = mask if masked else None
    residual = {} if h is None else {"residual": True, "step_size": h}
    got = simulate(z, w_q, w_k, steps=3, w_v=w_v, norm=norm, mask=mask, **residual)
    np.testing.assert_array_equal(got.tokens[0], z)
    for at in range(3):
        heads = [(w_q, w_k, np.eye(D) if w_v is None else w_v)]
        weights, z = literal(z, heads, h=h, norm=norm, mask=mask)
        np.testing.assert_allclose(got.attention[at], weights[0], rtol=1e-11, atol=1e-13)
        np.testing.assert_allclose(got.tokens[at + 1], z, rtol=1e-11, atol=1e-12)


def test_heads_are_summed_and_without_values_averaged() -> None:
    rng = np.random.default_rng(1)
    z, w_q, w_k = rng.normal(size=(N, D)), *rng.normal(size=(2, HEADS, D, K))
    w_v = rng.normal(size=(HEADS, D, D))
    got = simulate(z, w_q, w_k, steps=1, w_v=w_v, heads=HEADS)
    maps, after = literal(z, list(zip(w_q, w_k, w_v, strict=True)), h=None, norm=None, mask=None)
    assert got.attention.shape == (1, HEADS, N, N)
    np.testing.assert_allclose(got.attention[0], maps, rtol=1e-12)
    np.testing.assert_allclose(got.tokens[1], after, rtol=1e-11, atol=1e-13)
    plain = simulate(z, w_q, w_k, steps=1, heads=HEADS)
    np.testing.assert_allclose(plain.tokens[1], plain.attention[0].mean(axis=0) @ z, rtol=1e-12, atol=1e-13)


def test_it_is_attention_weights_and_attend_again_and_again() -> None:
    rng = np.random.default_rng(2)
    z, w_q, w_k = rng.normal(size=(2, 3, N, D)), *rng.normal(size=(2, D, K))
    got = simulate(z, w_q, w_k, steps=STEPS, mask=ring_mask(N, width=2), scale=0.75)
    assert got.tokens.shape == (STEPS + 1, 2, 3, N, D)
    assert got.attention.shape == (STEPS, 2, 3, N, N)
    for at in range(STEPS):
        weights = attention_weights(z, w_q, w_k, mask=ring_mask(N, width=2), scale=0.75)
        np.testing.assert_allclose(got.attention[at], weights, rtol=1e-10, atol=1e-15)
        z = attend(weights, z)
        np.testing.assert_allclose(got.tokens[at + 1], z, rtol=1e-10, atol=1e-13)


def test_a_batch_is_its_runs_and_weights_and_masks_may_be_batched_too(monkeypatch: Any) -> None:
    """Many tokens with one weight, one set of tokens with many weights, and both; in blocks of any size."""
    rng = np.random.default_rng(3)
    z, w_q, w_k = rng.normal(size=(2, 3, N, D)), *rng.normal(size=(2, 3, D, K))
    masks = np.stack([np.ones((N, N), bool), causal_mask(N)])[:, None]
    whole = simulate(z, w_q, w_k, steps=2, mask=masks, norm="sphere", residual=True)
    shared = simulate(z[0, 0], w_q, w_k[0], steps=2)
    for i in range(2):
        for j in range(3):
            one = simulate(z[i, j], w_q[j], w_k[j], steps=2, mask=masks[i, 0], norm="sphere", residual=True)
            np.testing.assert_allclose(whole.tokens[:, i, j], one.tokens, rtol=1e-12, atol=1e-14)
            np.testing.assert_allclose(whole.attention[:, i, j], one.attention, rtol=1e-12, atol=1e-14)
            one = simulate(z[0, 0], w_q[j], w_k[0], steps=2)
            np.testing.assert_allclose(shared.tokens[:, j], one.tokens, rtol=1e-12, atol=1e-14)
    monkeypatch.setattr("attnclust.attention._simulate.HOST_ENTRIES", 2 * N * N)
    blocks = simulate(z, w_q, w_k, steps=2, mask=masks, norm="sphere", residual=True)
    np.testing.assert_allclose(blocks.tokens, whole.tokens, rtol=1e-12, atol=1e-14)


def test_a_list_of_weights_is_one_a_step() -> None:
    rng = np.random.default_rng(4)
    z, w_q, w_k = rng.normal(size=(N, D)), *rng.normal(size=(2, 3, D, K))
    w_v = list(rng.normal(size=(3, D, D)))
    got = simulate(z, list(w_q), tuple(w_k), steps=3, w_v=w_v).tokens
    for at in range(3):
        z = simulate(z, w_q[at], w_k[at], steps=1, w_v=w_v[at]).tokens[1]
        np.testing.assert_allclose(got[at + 1], z, rtol=1e-11, atol=1e-12)


def test_no_step() -> None:
    got = simulate(np.ones((2, N, D)), np.eye(D), np.eye(D), steps=0)
    assert got.tokens.shape == (1, 2, N, D)
    assert got.attention.shape == (0, 2, N, N)
    assert simulate(np.ones((0, N, D)), np.eye(D), np.eye(D), steps=2).tokens.shape == (3, 0, N, D)


@pytest.mark.parametrize("norm", [None, "layernorm", "sphere"])
def test_torch_and_the_strict_array_api_agree_with_numpy(norm: str | None) -> None:
    rng = np.random.default_rng(5)
    z, w_q, w_k, w_v = (rng.normal(size=s) for s in ((2, N, D), (D, K), (D, K), (D, D)))
    mask = causal_mask(N)
    options = {"steps": 4, "residual": True, "step_size": 0.5, "norm": norm}
    expected = simulate(z, w_q, w_k, w_v=w_v, mask=mask, **options)
    for convert in (torch.tensor, array_api_strict.asarray):
        arrays = [convert(each) for each in (z, w_q, w_k, w_v, mask)]
        got = simulate(*arrays[:3], w_v=arrays[3], mask=arrays[4], **options)
        for ours, theirs in zip(got, expected, strict=True):
            assert type(ours) is type(arrays[0])
            np.testing.assert_allclose(np.asarray(ours), theirs, rtol=1e-11, atol=1e-13)


def test_the_dtype_is_what_the_arguments_promote_to() -> None:
    z, w = torch.ones(N, D), torch.eye(D)
    assert simulate(z, w, w, steps=1).tokens.dtype == torch.float32
    assert simulate(z, w.double(), w, steps=1).attention.dtype == torch.float64


def test_gradients_flow_through_all_steps() -> None:
    rng = np.random.default_rng(6)
    z = torch.tensor(rng.normal(size=(3, 2)))
    w = torch.tensor(rng.normal(size=(2, 2)), requires_grad=True)

    def last(w_q: torch.Tensor) -> torch.Tensor:
        return simulate(z, w_q, torch.eye(2, dtype=torch.float64), steps=3, residual=True).tokens[-1]

    assert torch.autograd.gradcheck(last, (w,))


def test_the_same_call_gives_the_same_bits() -> None:
    rng = np.random.default_rng(7)
    z, w = rng.normal(size=(50, N, D)), rng.normal(size=(D, D))
    first, second = (simulate(z, w, w, steps=5) for _ in range(2))
    assert first.tokens.tobytes() == second.tokens.tobytes()
    assert first.attention.tobytes() == second.attention.tobytes()
