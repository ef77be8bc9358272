"""Laws over simulated layers: theorem and ladder by step, and composed over depth; what masks allow."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import Phase, find, given, settings, target
from hypothesis import strategies as st

import attnclust.watch._ladder
from attnclust import bounds
from attnclust.attention import attention_weights, block_mask, causal_mask, simulate
from attnclust.bounds import cubic_bound, softmax_beta, softmax_cluster_bound
from attnclust.geometry import cluster_diameters, diameter
from attnclust.testing import assert_bound
from attnclust.verify import verify
from attnclust.watch import watch

from .drawn import Drawn, drawn


@settings(max_examples=60)
@given(drawn())
def test_theorem_and_ladder_hold_in_every_step_of_every_layer(layer: Drawn) -> None:
    """Any W_Q, W_K, any mask, any norm: rows sum to 1, and that is all they need. Also behind a residual,
    LayerNorm and a value matrix, for the A Z of each step.
    """
    rng = np.random.default_rng(layer.seed)
    w_v = rng.normal(size=(layer.d, layer.d) if layer.heads is None else (layer.heads, layer.d, layer.d))
    for changes in ({}, {"residual": True, "norm": "layernorm", "w_v": w_v}):
        got = layer.run(**changes)
        rows = got.attention if layer.heads is None else got.attention.mean(axis=-3)
        before = got.tokens[:-1] - got.tokens[:-1].mean(axis=-2, keepdims=True)
        step = verify(rows, before, layer.labels, ord=layer.order)
        for label, held in step.holds.items():
            assert held.all(), label
        whole = diameter(rows @ before, ord=layer.order)
        assert_bound(whole, step.diameter, tolerance=2 * step.tolerance, label="contraction")
        tightness = step.tightness["cluster_dobrushin"]
        target(float(np.nanmax(tightness, initial=0.0)), label=f"measured / bound, {len(changes)}")


@settings(max_examples=60)
@given(drawn())
def test_the_composed_certificate_is_never_violated(layer: Drawn) -> None:
    """Residual-free stacks with W_V = I, all kinds of weights and masks, the weights of each layer its own or
    not.
    """
    seen = watch(layer.run(), layer.labels, ord=layer.order, radius=None)
    assert seen.simplified.all()
    for rung, held in seen.composed_holds.items():
        assert held.all(), rung
        assert np.isfinite(seen.composed[rung]).all()
        assert seen.holds[rung].all(), rung
    rounding = seen.tolerance.sum(axis=0)[..., None]
    assert_bound(seen.composed["cluster_dobrushin"], seen.composed["overlap"], tolerance=rounding)
    last, promised = seen.raw[-1], seen.composed["block_transport"][-1]
    resolved = promised > 1e6 * rounding
    target(float((last[resolved] / promised[resolved]).max(initial=0.0)))


@settings(max_examples=20)
@given(drawn(masks=("none",)), st.sampled_from([1.5, 2.0]))
def test_beyond_the_simplified_layer_nothing_is_promised(layer: Drawn, factor: float) -> None:
    """A value matrix, a residual or a norm ends the composition at the first step that feels it."""
    eye = factor * np.eye(layer.d)
    w_v = eye if layer.heads is None else np.stack([eye / layer.heads] * layer.heads)
    for changes in ({"w_v": w_v}, {"residual": True}, {"norm": "sphere"}):
        seen = watch(layer.run(**changes), layer.labels, rungs="sharp", radius=None)
        assert not seen.simplified[0].any()
        assert np.isnan(seen.composed["sharp"][1:]).all()
        assert (seen.composed["sharp"][0] == seen.raw[0]).all()
        assert seen.holds["sharp"].all()


MUTANTS = {
    "sharp": lambda d, whole, **known: 0.9 * bounds.sharp_bound(d, whole, **known),
    "product": lambda d, whole, **known: bounds.sharp_bound(d, d, **known),
    "overlap": lambda a, **known: bounds.overlap_bound(a, **(known | {"d_all": known["d_cluster"]})),
    "cluster_dobrushin": lambda a, **known: 0.98 * bounds.cluster_dobrushin_bound(a, **known),
}


@pytest.mark.parametrize("rung", MUTANTS)
def test_a_wrong_rung_is_found_out(rung: str, monkeypatch: pytest.MonkeyPatch) -> None:
    table = "FROM_RANGES" if rung in ("sharp", "product") else "FROM_ATTENTION"
    whole = getattr(attnclust.watch._ladder, table)
    monkeypatch.setattr(f"attnclust.watch._ladder.{table}", {**whole, rung: MUTANTS[rung]})

    def violates(layer: Drawn) -> bool:
        return not watch(layer.run(), layer.labels, rungs=rung, radius=None).composed_holds[rung].all()

    find(drawn(), violates, settings=settings(max_examples=500, phases=[Phase.generate]))


def test_a_stack_that_only_looks_simplified_is_noticed() -> None:
    """By more than rounding; by less, what rounding may do is part of the promise."""
    z, labels = np.random.default_rng(0).normal(size=(7, 3)), np.array([0, 0, 0, 1, 1, 1, -1])
    honest = simulate(z, np.zeros((3, 1)), np.zeros((3, 1)), steps=1, mask=np.eye(7, dtype=bool))
    for growth, looks in ((1e-15, True), (1e-9, False)):
        seen = watch(honest._replace(tokens=np.stack([z, z * (1 + growth)])), labels)
        assert bool(seen.simplified.all()) == looks
        assert all(held.all() for held in seen.composed_holds.values())


# Masked rows. The ladder asks for rows that sum to 1, and any mask leaves them so: that is tested above. The
# softmax bounds ask for logits that differ by beta D^2 at most; a masked key has none. They hold between rows
# that see the same keys, with D the diameter of those.


def softmax_step(seed: int, temperature: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(6, 2)), 10**temperature * rng.normal(size=(2, 2)), rng.normal(size=(2, 2))


@given(st.integers(0, 2**31), st.floats(-3, 1))
def test_softmax_bounds_without_a_mask(seed: int, temperature: float) -> None:
    z, w_q, w_k = softmax_step(seed, temperature)
    beta, whole = softmax_beta(w_q, w_k), diameter(z)
    after = diameter(attention_weights(z, w_q, w_k) @ z)
    ratios = assert_bound(
        after, cubic_bound(whole, beta=beta), tolerance=1e-12 * (1 + beta * whole**2) * whole
    )
    target(float(ratios.max(initial=0.0)))


def test_softmax_bounds_are_false_under_a_causal_mask() -> None:
    """Uniform attention, beta = 0: unmasked, all tokens meet in one step; masked, the first stays."""

    def violates(seed: int) -> bool:
        z, w_q, w_k = softmax_step(seed, -1.0)
        after = diameter(attention_weights(z, w_q, w_k, mask=causal_mask(6)) @ z)
        return bool(after > 1.1 * cubic_bound(diameter(z), beta=softmax_beta(w_q, w_k)))

    find(st.integers(0, 100), violates)


@given(st.integers(0, 2**31), st.floats(-3, 1))
def test_softmax_bounds_hold_between_rows_that_see_the_same_keys(seed: int, temperature: float) -> None:
    z, w_q, w_k = softmax_step(seed, temperature)
    labels = np.array([0, 0, 0, 1, 1, 1])
    after = cluster_diameters(attention_weights(z, w_q, w_k, mask=block_mask(labels)) @ z, labels)
    own, beta = cluster_diameters(z, labels), softmax_beta(w_q, w_k)
    roundoff = 1e-12 * (1 + beta * diameter(z) ** 2) * diameter(z)
    assert_bound(after, cubic_bound(own, beta=beta), tolerance=roundoff)
    none = softmax_cluster_bound(own, own, beta=beta, mass=np.zeros(2))
    assert_bound(after, none, tolerance=roundoff)


@settings(max_examples=30)
@given(drawn(masks=("causal", "ring")))
def test_a_masked_outsider_silences_the_certificate_from_ranges(layer: Drawn) -> None:
    """eps_lower is 0 as soon as one row of the cluster misses an outsider: sharp is then d at least."""
    seen = watch(layer.run(), layer.labels, rungs=("sharp", "cluster_dobrushin"), radius=None)
    mask = layer.mask_array()
    assert mask is not None
    for g in range(seen.raw.shape[-1]):
        inside = layer.labels == g
        if inside.sum() > 1 and not mask[inside][:, ~inside].all():
            assert (seen.eps_lower[..., g] == 0).all()
            assert not seen.certified["sharp"][..., g].any()


@pytest.mark.parametrize("order", [1, 2, math.inf])
def test_what_is_promised_is_worth_something(order: float) -> None:
    """At high temperature the composed certificate falls far below level 0, where the attention is known."""
    layer = Drawn(3, 8, 3, 2, "gaussian", "none", -1.5, -1.0, 1.0, 0.0, order, True, None)
    seen = watch(layer.run(), layer.labels, ord=order)
    for rung in ("overlap", "cluster_dobrushin", "block_transport"):
        assert (seen.composed[rung][-1, :, 0] < 1e-3 * seen.raw[0, :, 0]).all(), rung
        assert seen.certified[rung][0, :, 0].all(), rung
