"""Masks by hand; drawn weights have the law they claim; adversarial ones reach the sharp bound."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from attnclust.attention import (
    WEIGHT_KINDS,
    adversarial_weights,
    block_mask,
    causal_mask,
    draw_weights,
    ring_mask,
    simulate,
)
from attnclust.verify import verify


def test_masks_by_hand() -> None:
    assert causal_mask(3).tolist() == [[True, False, False], [True, True, False], [True, True, True]]
    assert ring_mask(4, width=1).sum(axis=1).tolist() == [3] * 4
    assert ring_mask(4, width=1)[0].tolist() == [True, True, False, True]
    assert ring_mask(4, width=2).all()
    assert (ring_mask(4, width=0) == np.eye(4, dtype=bool)).all()
    labels = np.array([[1, 0, 1], [-1, 0, -1]])
    assert block_mask(labels)[0].tolist() == [[True, False, True], [False, True, False], [True, False, True]]
    assert (block_mask(labels)[1] == np.eye(3, dtype=bool)).all()


def test_masks_are_of_the_kind_asked_for() -> None:
    like = torch.zeros(1)
    assert causal_mask(3, like=like).tolist() == causal_mask(3).tolist()
    assert isinstance(ring_mask(3, like=like), torch.Tensor)
    assert isinstance(block_mask(torch.tensor([0, 1])), torch.Tensor)


@pytest.mark.parametrize("make", [np.random.default_rng, lambda seed: torch.Generator().manual_seed(seed)])
@pytest.mark.parametrize("kind", WEIGHT_KINDS)
def test_drawn_weights(kind: str, make: Any) -> None:
    """Shapes, scale, the kind's own law, and the generator: the same state the same bits, else others."""
    generator = make(0)
    first = draw_weights(kind, 61, 7, generator=generator, scale=3, batch=(2, 5))
    w_q, w_k, w_v = (np.asarray(each) for each in first)
    assert (w_q.shape, w_k.shape, w_v.shape) == ((2, 5, 61, 7), (2, 5, 61, 7), (2, 5, 61, 61))
    again, other = (
        draw_weights(kind, 61, 7, generator=g, scale=3, batch=(2, 5)) for g in (make(0), generator)
    )
    assert (np.asarray(again.w_q) == w_q).all()
    assert (np.asarray(again.w_v) == w_v).all()
    assert (np.asarray(other.w_q) != w_q).all()
    assert (w_k == w_q).all() == (kind == "tied")
    for w in (w_q, w_k, w_v):
        assert w.dtype == np.float64
        if kind == "orthogonal":
            gram = np.swapaxes(w, -1, -2) @ w
            np.testing.assert_allclose(gram, np.broadcast_to(9 * np.eye(w.shape[-1]), gram.shape), atol=1e-12)
        else:  # the mean of squares of k normal numbers lies within 5 sqrt(2 / k) of their variance
            assert abs((w**2).mean() / (9 / 61) - 1) < 5 * np.sqrt(2 / w.size)
            assert abs(w.mean()) < 5 * 3 / np.sqrt(61 * w.size)


def test_orthogonal_rows_where_there_are_more_columns() -> None:
    w = draw_weights("orthogonal", 3, 5, generator=np.random.default_rng(0)).w_q
    np.testing.assert_allclose(w @ w.T, np.eye(3), atol=1e-13)


def test_orthogonal_is_uniform_on_the_circle() -> None:
    """QR alone fixes signs: without the correction the first column never turns to one side."""
    w = draw_weights("orthogonal", 2, generator=np.random.default_rng(1), batch=(4000,)).w_q
    turn = np.arctan2(w[:, 1, 0], w[:, 0, 0])
    share = np.histogram(turn, bins=8, range=(-np.pi, np.pi))[0] / 4000
    assert abs(share - 1 / 8).max() < 5 * np.sqrt(1 / 8 * 7 / 8 / 4000)
    assert abs((np.linalg.det(w) > 0).mean() - 0.5) < 5 * np.sqrt(1 / 4 / 4000)


@pytest.mark.parametrize("convert", [np.asarray, torch.tensor])
def test_adversarial_weights_reach_the_sharp_bound_as_they_grow(convert: Any) -> None:
    """Rows approach the extremal ones, so measured / sharp rises to 1; the cluster grows."""
    rng = np.random.default_rng(2)
    z = 0.01 * rng.normal(size=(3, 6, 8))
    z[:, 3:] += rng.normal(size=(3, 1, 8))
    labels = np.array([0, 0, 0, -1, -1, -1])
    ratios = []
    for scale in (1, 10, 100):
        w_q, w_k, _ = adversarial_weights(convert(z), convert(labels), scale=scale)
        got = simulate(convert(z), w_q, w_k, steps=1, scale=1)
        step = verify(got.attention[0], convert(z), convert(labels))
        ratios.append(float((step.measured / step.bounds["sharp"]).min()))
    assert sorted(ratios) == ratios
    assert ratios[-1] > 0.97
    assert bool((step.measured > 10 * step.current).all())
