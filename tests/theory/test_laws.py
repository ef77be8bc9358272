"""Laws that hold for every rung: refinement, composition, homogeneity, symmetry, and one answer on every
array library.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from attnclust import bounds
from attnclust.bounds import _pairs
from attnclust.geometry import cell_distances, cluster_diameters, diameter
from attnclust.testing import Recipe, draw_steps, recipes, steps
from attnclust.verify import RUNGS, verify

from .exact import Case, Norm
from .test_ladder import exact_cases

FEW = settings(max_examples=25)
CHAIN = ("block_transport", "cluster_dobrushin", "overlap", "sharp", "product", "linear")


@FEW
@given(steps(batch=16))
def test_the_ladder_is_in_order(drawn: Any) -> None:
    step = verify(drawn.attention, drawn.tokens, drawn.labels, ord=drawn.recipe.order)
    border = 2 * step.tolerance[:, None] + 1e-12 * step.diameter[:, None]
    for lower, upper in zip(("measured", *CHAIN), (*CHAIN, "paper_appendix"), strict=True):
        small = step.measured if lower == "measured" else step.bounds[lower]
        assert (small <= step.bounds[upper] + border).all(), (lower, upper)
    assert (step.bounds["linear"] <= step.bounds["paper_main"] + border).all()
    assert all(bool(held.all()) for held in step.holds.values())
    for label in ("product", "linear", "paper_main", "paper_appendix"):
        assert not step.certified[label].any(), label
    assert (step.certified["sharp"] <= step.certified["cluster_dobrushin"]).all()
    assert (step.certified["cluster_dobrushin"] <= step.certified["block_transport"]).all()
    assert (step.certified["block_transport"] <= step.shrinks).all()


@FEW
@given(recipes(batch=4, max_n=6).map(draw_steps))
def test_refining_the_cells_never_loosens_and_transport_is_the_end(drawn: Any) -> None:
    a, z, labels, order = drawn.attention, drawn.tokens, drawn.labels, drawn.recipe.order
    n = labels.shape[0]
    coarse = np.unique(labels, return_inverse=True)[1].reshape(-1)
    fine = np.unique(np.stack([coarse, np.arange(n) // 2]), axis=1, return_inverse=True)[1].reshape(-1)
    partitions = [np.zeros(n, dtype=int), coarse, fine, np.arange(n)]
    got = [
        bounds.block_transport_bound(
            a, labels, cells=c, distances=cell_distances(z, c, ord=order), exact=True
        )
        for c in partitions
    ]
    border = 1e-12 * diameter(z, ord=order)[:, None] + 1e-300
    for finer, coarser in zip(got[1:], got, strict=False):
        assert (finer <= coarser + border).all()
    np.testing.assert_allclose(
        got[-1], bounds.transport_bound(a, z, labels, ord=order), atol=float(border.max())
    )
    for i, c in enumerate(partitions):
        table = cell_distances(z, c, ord=order)
        greedy = bounds.block_transport_bound(a, labels, cells=c, distances=table, tokens=z, ord=order)
        assert (greedy >= got[i] - border).all()
        if len(set(c.tolist())) <= 2:
            np.testing.assert_allclose(greedy, got[i], rtol=1e-12, atol=float(border.max()))
    beside = bounds.independent_bound(a, z, labels, ord=order)
    assert (beside >= got[-1] - border).all()
    one = bounds.block_transport_bound(
        a, np.zeros(n, dtype=int), cells=partitions[0], distances=np.ones((1, 1))
    )
    np.testing.assert_allclose(one[:, 0], bounds.dobrushin_coefficient(a), atol=1e-14)


@FEW
@given(steps(batch=16))
def test_dobrushin_coefficients_compose(drawn: Any) -> None:
    first, second = drawn.attention, draw_steps(drawn.recipe.again(1)).attention
    product = bounds.dobrushin_coefficient(second @ first)
    assert (
        product <= bounds.dobrushin_coefficient(second) * bounds.dobrushin_coefficient(first) + 1e-13
    ).all()


@FEW
@given(recipes(batch=2, max_n=6).map(draw_steps), st.floats(0.1, 10))
def test_the_recursion_is_monotone_homogeneous_and_composes(drawn: Any, factor: float) -> None:
    first, second = drawn.attention, draw_steps(drawn.recipe.again(1)).attention
    cells = np.unique(drawn.labels, return_inverse=True)[1].reshape(-1)
    z = drawn.tokens / max(float(diameter(drawn.tokens).max()), 1e-300)
    table = cell_distances(z, cells, ord=drawn.recipe.order)

    def through(a: np.ndarray, c: np.ndarray) -> np.ndarray:
        return bounds.block_recursion(a, cells, distances=c, exact=True)

    once = through(first, table)
    np.testing.assert_allclose(through(first, factor * table), factor * once, rtol=1e-9, atol=1e-12)
    larger = table + 0.5 * np.swapaxes(table, -1, -2)
    assert (through(first, larger) >= once - 1e-12).all()
    assert (through(second @ first, table) <= through(second, once) + 1e-12).all()
    np.testing.assert_array_equal(once, np.swapaxes(once, -1, -2))
    diagonal = np.diagonal(once, axis1=-2, axis2=-1)
    linear = bounds.block_recursion_linear(
        first,
        cells,
        d_cluster=np.diagonal(table, axis1=-2, axis2=-1),
        d_all=table.max(axis=(-2, -1)),
    )
    assert (diagonal <= linear + 1e-12).all()


def test_where_rows_agree_on_the_cells_distances_between_them_do_not_matter() -> None:
    attention = np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.25, 0.25, 0.5]])
    got = bounds.block_recursion_linear(
        attention, np.array([0, 0, 1]), d_cluster=np.array([1.0, 0.0]), d_all=1e9
    )
    assert got.tolist() == [0.25, 0.0]


@FEW
@given(steps(batch=8), st.integers(0, 2**32 - 1))
def test_scaling_shifting_and_renaming_tokens_change_nothing_else(drawn: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, labels, order = drawn.attention, drawn.labels, drawn.recipe.order
    z = drawn.tokens / drawn.recipe.scale
    base = verify(a, z, labels, ord=order)
    scaled = verify(a, 4.0 * z, labels, ord=order)
    np.testing.assert_array_equal(scaled.measured, 4.0 * base.measured)
    for label in set(RUNGS) - {"paper_main"}:
        np.testing.assert_allclose(scaled.bounds[label], 4.0 * base.bounds[label], rtol=1e-13, err_msg=label)
    turn = rng.permutation(len(labels))
    turned = verify(
        a[:, turn][:, :, turn], z[:, turn], labels[turn], ord=order, clusters=base.current.shape[-1]
    )
    slack = 8 * base.tolerance[:, None] + 1e-300
    for label in RUNGS:
        if label != "block_transport":  # ties between equal costs may be broken otherwise
            rounded = np.abs(turned.bounds[label] - base.bounds[label]) <= slack + 1e-12 * base.bounds[label]
            assert rounded.all(), label
    names = rng.permutation(base.current.shape[-1])
    renamed = verify(a, z, np.where(labels < 0, -1, names[labels]), ord=order, clusters=len(names))
    np.testing.assert_array_equal(renamed.bounds["overlap"][:, names], base.bounds["overlap"])
    np.testing.assert_array_equal(renamed.outside[:, names], base.outside)


@FEW
@given(exact_cases())
def test_weighted_norms_are_norms_of_weighted_tokens(case: Case) -> None:
    """A weighted norm of tokens is the plain norm of tokens times the weights: one bound, any norm."""
    plain = Norm(case.norm.order, (1,) * len(case.norm.weights))  # type: ignore[arg-type]
    weighted = [[w * x for w, x in zip(case.norm.weights, row, strict=True)] for row in case.z]
    assert Case(case.a, weighted, case.inside, plain).ladder() == case.ladder()


RECIPE = Recipe(seed=3, batch=3, n=7, d=5, clusters=3, attention="generic", tokens="clustered")


def test_single_precision_in_single_precision_out() -> None:
    drawn = draw_steps(RECIPE)
    a, z, labels = drawn.attention.astype(np.float32), drawn.tokens.astype(np.float32), drawn.labels
    d, big = cluster_diameters(z, labels), diameter(z)
    ranges = bounds.cross_attention(a, labels)
    got = [
        ranges.eps_upper,
        bounds.sharp_bound(d, big, **ranges._asdict()),
        bounds.cluster_dobrushin_bound(a, labels, d_cluster=d, d_all=big),
        bounds.dobrushin_coefficient(a),
        bounds.independent_bound(a, z, labels),
        bounds.chi_bound(a, z, labels),
    ]
    assert {each.dtype for each in got} == {np.dtype(np.float32)}
    step = verify(a, z, labels)
    assert step.measured.dtype == np.float64
    np.testing.assert_allclose(got[2], step.bounds["cluster_dobrushin"], rtol=2e-5)
    assert all(bool(held.all()) for held in step.holds.values())


def test_numbers_are_arrays_without_axes_and_follow_the_others() -> None:
    known = {"outside": 3, "eps_lower": 0.125, "eps_upper": np.float64(0.25)}
    assert float(bounds.sharp_bound(1, 4, **known)) == 1.75
    mixed = bounds.sharp_bound(torch.ones(2, dtype=torch.float32), np.float64(4.0), **known)
    assert mixed.dtype == torch.float32
    assert mixed.tolist() == [1.75, 1.75]
    counted = bounds.sharp_bound(1.0, 4.0, outside=torch.tensor([3, 0]), eps_lower=0.125, eps_upper=0.125)
    assert counted.tolist() == [0.625, 1.0]


def test_one_diameter_a_batch_element_is_not_one_a_cluster() -> None:
    """M = batch = 2: d_all of shape (batch,) must not be taken along the cluster axis."""
    d = np.array([[1.0, 2.0], [3.0, 4.0]])
    got = bounds.sharp_bound(d, np.array([10.0, 100.0]), outside=1, eps_lower=0.0, eps_upper=0.5)
    np.testing.assert_array_equal(got, [[5.5, 6.0], [51.5, 52.0]])


def test_pooled_ranges_serve_all_clusters_and_only_those_with_a_border() -> None:
    attention = np.array([[0.5, 0.25, 0.25], [0.25, 0.75, 0.0], [0.125, 0.125, 0.75]])
    labels = np.array([0, 0, 1])
    own, pooled = (bounds.cross_attention(attention, labels, pooled=p, clusters=3) for p in (False, True))
    assert own.eps_lower.tolist() == [0.0, 0.125, 0.0]
    assert own.eps_upper.tolist() == [0.25, 0.125, 0.0]
    assert pooled.eps_lower.tolist() == [0.0, 0.0, 0.0]
    assert pooled.eps_upper.tolist() == [0.25, 0.25, 0.0]
    assert own.outside.tolist() == [1, 2, 3]
    whole = bounds.cross_attention(attention, np.zeros(3, dtype=int), pooled=True)
    assert (whole.eps_lower.tolist(), whole.eps_upper.tolist(), whole.outside.tolist()) == ([0.0], [0.0], [0])
    step = verify(attention, np.array([[0.0], [1.0], [8.0]]), labels, pooled=True)
    assert step.bounds["sharp"].tolist() == [0.75 * 1 + 0.25 * 8, 0.5 * 0 + 0.5 * 8]


def test_blocks_of_pairs_give_what_one_block_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = draw_steps(Recipe(seed=5, batch=3, n=13, clusters=2))
    once = verify(drawn.attention, drawn.tokens, drawn.labels)
    for budget in (1, 100, 500, 1000, 2000, 4000):
        for constant in ("BUDGET", "GATHERED"):
            monkeypatch.setattr(_pairs, constant, budget)
        again = verify(drawn.attention, drawn.tokens, drawn.labels)
        for label in RUNGS:
            np.testing.assert_allclose(again.bounds[label], once.bounds[label], rtol=1e-13, err_msg=label)


def test_degenerate_batches_and_clusters() -> None:
    drawn = draw_steps(Recipe(seed=7, batch=2, n=5))
    a, z = drawn.attention, drawn.tokens
    nobody = verify(a, z, np.full(5, -1), clusters=2)
    assert all((bound == 0).all() for label, bound in nobody.bounds.items() if label in CHAIN[:3])
    assert not nobody.counted.any()
    assert nobody.outside.tolist() == [[5, 5], [5, 5]]
    empty = verify(a[:0], z[:0], np.zeros(5, dtype=int))
    assert empty.measured.shape == (0, 1)
    assert verify(a, z, np.full(5, -1)).measured.shape == (2, 0)
    assert bounds.star_bound(a, z, np.full(5, -1)).shape == (2, 0)
    assert bounds.overlap_bound(a, np.full(5, -1), d_cluster=np.zeros((2, 0)), d_all=1.0).shape == (2, 0)
    assert bounds.certify(a[:0], z[:0], np.zeros(5, dtype=int)).stage.shape == (0, 1)
    alone = verify(a, z, np.arange(5))
    assert (alone.measured == 0).all()
    assert all(bool(held.all()) for held in alone.holds.values())
    assert np.isnan(verify(a, 0 * z, np.zeros(5, dtype=int)).tightness["sharp"]).all()


@pytest.mark.parametrize("order", [1.0, 2.0, math.inf])
def test_certify_is_the_verdict_of_exact_transport(order: float) -> None:
    """The cascade says yes exactly where the exact transport bound is below the diameter, and names the
    rung.
    """
    seen = set()
    for seed in range(40):
        drawn = draw_steps(
            Recipe(
                seed=seed,
                batch=6,
                n=7,
                d=2,
                attention="mixed",
                tokens="clustered",
                tightness=-0.7,
                order=order,
            )
        )
        a, z, labels = drawn.attention, drawn.tokens, drawn.labels
        step = verify(a, z, labels, ord=order, transport=True)
        got = bounds.certify(a, z, labels, ord=order)
        border = step.tolerance[:, None]
        by_transport = step.bounds["transport"] < step.current - border
        np.testing.assert_array_equal(got.certified & (got.stage != 3), by_transport & (got.stage != 3))
        np.testing.assert_array_equal(got.certified, got.stage >= 0)
        first = step.certified["cluster_dobrushin"]
        np.testing.assert_array_equal(got.stage == 0, first)
        np.testing.assert_array_equal((got.stage >= 0) & (got.stage <= 1), step.certified["block_transport"])
        seen |= set(got.stage.ravel().tolist())
    assert {-1, 0, 1, 2, 4} <= seen


def test_second_moments_certify_what_no_transport_does() -> None:
    """Eight orthogonal tokens at distance sqrt(2): any transport costs 0.9 sqrt(2), but the difference
    is 0.9 / sqrt(2).
    """
    attention = np.eye(10)
    signs = np.array([1.0, -1.0] * 4)
    attention[0], attention[1] = (np.concatenate([[0, 0], (1 + 0.9 * s * signs) / 8]) for s in (1, -1))
    tokens = np.vstack([0.4 * np.eye(9)[8], -0.4 * np.eye(9)[8], np.eye(9)[:8]])
    labels = np.array([0, 0, *[-1] * 8])
    assert float(bounds.transport_bound(attention, tokens, labels)[0]) == pytest.approx(0.9 * math.sqrt(2))
    assert float(bounds.chi_bound(attention, tokens, labels)[0]) == pytest.approx(0.9 / math.sqrt(2))
    certificate = bounds.certify(attention, tokens, labels)
    assert certificate.stage.tolist() == [bounds.STAGES.index("chi")]
    assert bounds.certify(attention, tokens, labels, ord=1).stage.tolist() == [-1]


def test_the_tolerance_is_the_derived_one() -> None:
    """n = 3 tokens, d = 1: 4 (3 + 1 + 8) 2^-53 times the largest distance from the mean, plus the rows'
    defect.
    """
    tokens, labels = np.array([[0.0], [3.0], [6.0]]), np.array([0, 0, 1])
    exact = verify(np.eye(3), tokens, labels)
    assert float(exact.tolerance) == pytest.approx(48 * 2.0**-53 * 3.0, rel=1e-12)
    rough = np.eye(3) + np.diag([2.0**-49, 0.0, 0.0])  # within 4 (3 + 8) u of 1
    assert float(verify(rough, tokens, labels).tolerance) == pytest.approx(
        (48 + 16) * 2.0**-53 * 3.0, rel=1e-12
    )
    assert not exact.shrinks.any()
    assert exact.holds["sharp"].all()
