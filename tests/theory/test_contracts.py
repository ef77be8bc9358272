"""What docstrings promise beside the theorems: layouts, defaults, the borders of what is accepted."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from attnclust import bounds
from attnclust._array import ArgumentError
from attnclust.attention import (
    attend,
    attention_weights,
    block_transport_configuration,
    cluster_dobrushin_configuration,
    dobrushin_configuration,
    separation_configuration,
    sharp_configuration,
)
from attnclust.geometry import cell_distances, cluster_diameters, diameter, hull_distance
from attnclust.verify import RUNGS, verify

from .arguments import A, L

Z = np.array([[0.0, 3.0], [1.0, 0.0], [5.0, 8.0]])
SHARP: dict[str, Any] = {"eps_lower": 0.125, "eps_upper": 0.25}


def test_tightness_is_measured_over_bound_and_nan_over_nothing() -> None:
    step = verify(A, np.array([[0.0], [1.0], [8.0]]), L)
    assert step.tightness["cluster_dobrushin"].tolist() == [1.0, pytest.approx(math.nan, nan_ok=True)]
    assert step.tightness["overlap"][0] == 0.25 / float(step.bounds["overlap"][0])
    assert step.tightness["paper_main"][0] == 0.25 / 8.5625
    half = verify(A, np.array([[0.0], [0.5], [0.5]]), L)
    assert half.bounds["sharp"][0] < 1
    assert half.tightness["sharp"][0] == half.measured[0] / half.bounds["sharp"][0] != 1


def test_exact_transport_is_measured_where_it_is_asked_for_alone() -> None:
    assert list(verify(A, Z, L).bounds) == list(RUNGS)
    assert list(verify(A, Z, L, transport=True).bounds) == [*RUNGS, "transport"]


def test_what_is_a_point_already_does_not_shrink() -> None:
    step = verify(A, np.zeros((3, 2)), L)
    assert not step.shrinks.any()
    assert not any(certified.any() for certified in step.certified.values())
    assert all(held.all() for held in step.holds.values())


def test_the_norm_is_euclidean_unless_said_otherwise() -> None:
    assert float(diameter(Z)) == float(diameter(Z, ord=2)) != float(diameter(Z, ord=3))
    far = Z + 20.0
    for function in (
        lambda **ord: cluster_diameters(Z, L, **ord)[0],
        lambda **ord: cell_distances(Z, L, **ord)[0, 1],
        lambda **ord: verify(A, Z, L, **ord).measured[0],
        lambda **ord: bounds.transport_bound(A, Z, L, **ord)[0],
        lambda **ord: bounds.independent_bound(A, Z, L, **ord)[0],
        lambda **ord: bounds.star_bound(A, Z, L, **ord)[0],
    ):
        assert float(function()) == float(function(ord=2)) != float(function(ord=3))
    assert (
        float(hull_distance(Z, far))
        == float(hull_distance(Z, far, ord=2))
        != float(hull_distance(Z, far, ord=1))
    )


def test_other_defaults() -> None:
    known = {"outside": 2, **SHARP}
    assert bounds.residual_bound(1.0, 4.0, **known) == bounds.residual_bound(1.0, 4.0, **known, norm=1.0)
    assert np.ptp(dobrushin_configuration(np.eye(2))) == 1.0
    cells = np.array([0, 1, 2])
    a, table = np.array([[0.6, 0.2, 0.2], [0.2, 0.5, 0.3], [0.1, 0.1, 0.8]]), cell_distances(Z, cells)
    np.testing.assert_array_equal(
        bounds.block_recursion(a, cells, distances=table),
        bounds.block_recursion(a, cells, distances=table, exact=False),
    )


def test_layout_of_the_sharp_and_the_separation_configuration() -> None:
    got = sharp_configuration(3, 2, d_cluster=1.0, d_all=4.0, **SHARP)
    assert got.labels.tolist() == [0, 0, 0, -1, -1]
    assert got.tokens.ravel().tolist() == [1.0, 0.0, 0.0, 4.0, 4.0]
    assert got.attention[:3].tolist() == [
        [0.5, 0, 0, 0.25, 0.25],
        [0, 0.75, 0, 0.125, 0.125],
        [0, 0.75, 0, 0.125, 0.125],
    ]
    for masses in ((0.5, 0.25), (0.25, 0.5)):
        got = separation_configuration(mass_g=masses[0], mass_h=masses[1], separation=1.0, d_all=2.0)
        assert got.labels.tolist() == [0, 1, -1]
    whole = separation_configuration(mass_g=1.0, mass_h=1.0, separation=2.0, d_all=2.0)
    assert whole.attention.sum(axis=1).tolist() == [1.0, 1.0, 1.0]


def test_layout_of_the_cluster_dobrushin_configuration() -> None:
    """Where the rows agree: D - d inside the cluster, 0 outside."""
    attention = np.array([[0.5, 0.125, 0.125, 0.125, 0.125], [0.125, 0.25, 0.125, 0.375, 0.125]])
    attention = np.vstack([attention, np.eye(5)[2:]])
    tokens = cluster_dobrushin_configuration(attention, np.array([0, 0, 1, -1, -1]), d_cluster=1.0, d_all=8.0)
    assert tokens.ravel().tolist() == [8.0, 7.0, 0.0, 0.0, 0.0] or tokens.ravel().tolist() == [7, 8, 0, 8, 0]


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda: sharp_configuration(2, 1, d_cluster=1.0, d_all=math.inf, **SHARP), "d_all: must be finite"),
        (lambda: separation_configuration(mass_g=0.5, mass_h=1.5, separation=1.0, d_all=2.0), "mass_g, "),
        (lambda: separation_configuration(mass_g=1.5, mass_h=0.5, separation=1.0, d_all=2.0), "mass_g, "),
        (lambda: separation_configuration(mass_g=0.5, mass_h=0.5, separation=3.0, d_all=2.0), "mass_g, "),
        (
            lambda: bounds.separation_dobrushin_bound(A, L, separation=1.0, d_all=2.0, pair=(1, 1)),
            "pair: must name two of the 2 clusters",
        ),
        (
            lambda: bounds.separation_dobrushin_bound(A, L, separation=1.0, d_all=2.0, pair=(-1, 1)),
            "pair: must name two of the 2 clusters",
        ),
        (
            lambda: bounds.separation_dobrushin_bound(A, L, separation=1.0, d_all=2.0, pair=(0, 2)),
            "pair: must name two of the 2 clusters",
        ),
        (lambda: bounds.softmax_beta(np.eye(2), np.eye(2), scale=0.0), "scale: must be a positive number"),
        (lambda: bounds.softmax_beta(np.eye(2), np.eye(2), scale=math.inf), "scale: must be a positive num"),
        (lambda: bounds.softmax_beta(np.ones((3, 0)), np.ones((3, 0))), "w_q and w_k: must have one shape"),
        (lambda: bounds.softmax_beta(np.ones((3, 2)), np.ones((2, 3))), "w_q and w_k: must have one shape"),
        (lambda: bounds.transport_bound(np.eye(65), np.ones((65, 1)), np.zeros(65, dtype=int)), "64"),
        (
            lambda: attention_weights(Z, np.eye(2), np.eye(2), mask=np.eye(3, dtype=bool) & (L == 0)),
            "mask: every query must see a key",
        ),
    ],
)
def test_refused(function: Any, said: str) -> None:
    with pytest.raises(ArgumentError, match=said):
        function()


def test_accepted_at_the_border() -> None:
    assert bounds.contraction_bound(np.array([0.0, 0.5])).tolist() == [0.0, 0.5]
    assert float(bounds.dobrushin_coefficient(np.eye(2) * (1 + 2.0**-51))) == 1.0
    w = np.arange(15.0).reshape(3, 5)
    top = np.linalg.norm(w @ w.T, 2)
    assert float(bounds.softmax_beta(w, w)) == pytest.approx(top / math.sqrt(5), rel=1e-13)
    assert float(bounds.softmax_beta(w, w, scale=0.5)) == pytest.approx(top / 2, rel=1e-13)
    both = bounds.softmax_beta(np.stack([w, 2 * w]), np.stack([w, w]))
    np.testing.assert_allclose(both, np.array([1, 2]) * top / math.sqrt(5), rtol=1e-13)
    labels = np.where(np.arange(64) < 2, 0, -1)
    moved = bounds.transport_bound(np.eye(64), np.arange(64.0)[:, None], labels)
    assert moved.tolist() == [1.0]
    unseen = np.array([[True, False], [True, False]])
    assert attention_weights(Z[:2], np.eye(2), np.eye(2), mask=unseen).tolist() == [[1.0, 0.0]] * 2
    assert attend(A, Z, w_v=np.ones((2, 1))).shape == (3, 1)


PLACE: dict[str, Any] = {"pair": (0, 1), "distances": np.array([[1.0, 8.0], [8.0, 0.0]])}


@pytest.mark.parametrize("cells", [[0, 1], [0, -1, 1], [0, 1, 2], [2, 2, 2], [-1, -1, -1], [-1, 0, 2]])
def test_cells_that_are_not_the_table_s(cells: list[int]) -> None:
    with pytest.raises(ArgumentError, match=r"cells: must be \(n,\) integers 0\.\.1"):
        block_transport_configuration(A, cells=np.array(cells), **PLACE)


@pytest.mark.parametrize(
    "table",
    [
        [[0.0, 1.0], [2.0, 0.0]],  # not symmetric
        [[0.0, -1.0], [-1.0, 0.0]],  # negative
        [[-1.0, 1.0], [1.0, 0.0]],
        [[2.5, 1.0], [1.0, 0.0]],  # a cell wider than there and back
        [[0.0, 1.0, 3.0], [1.0, 0.0, 1.0], [3.0, 1.0, 0.0]],  # a detour that is shorter
        [1.0, 2.0],
    ],
)
@pytest.mark.parametrize("scale", [1e-13, 1.0, 1e13])
def test_tables_that_no_tokens_have(table: Any, scale: float) -> None:
    cells = np.array([0, 0, 1])
    with pytest.raises(ArgumentError, match="distances: must be symmetric and satisfy"):
        block_transport_configuration(A, pair=(0, 1), cells=cells, distances=scale * np.array(table))


def test_a_table_that_misses_its_detour_by_rounding_is_accepted() -> None:
    assert 0.1 + 0.7 < 0.8
    table = np.array([[0.0, 0.1, 0.8], [0.1, 0.0, 0.7], [0.8, 0.7, 0.0]])
    tokens = block_transport_configuration(A, pair=(0, 1), cells=np.arange(3), distances=table)
    got = attend(A, tokens)
    assert abs(float(got[0, 0] - got[1, 0])) == pytest.approx(0.25 * 0.1, rel=1e-9)
