"""Where a refusal begins: the last value that is accepted, the first that is not, and one wrong entry among
right ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from attnclust import bounds
from attnclust._array import ArgumentError
from attnclust.verify import verify

RANGES = {"outside": 2, "eps_lower": 0.125, "eps_upper": 0.25}
ROWS = np.stack([np.full((3, 3), 1 / 3)] * 2)
LABELS = np.array([0, 0, 1])

TAKES: dict[str, Callable[[Any], Any]] = {
    "contraction d_all": bounds.contraction_bound,
    "value bound": lambda x: bounds.value_matrix_bound(x, norm=1.0),
    "value norm": lambda x: bounds.value_matrix_bound(1.0, norm=x),
    "heads bounds": lambda x: bounds.multi_head_bound(x[:, None], norms=np.ones(len(x))),
    "heads norms": lambda x: bounds.multi_head_bound(np.ones((len(x), 1)), norms=x),
    "residual norm": lambda x: bounds.residual_bound(1.0, 4.0, **RANGES, norm=x),
    "convex alpha": lambda x: bounds.convex_bound(1.0, 4.0, **RANGES, alpha=x),
    "separation": lambda x: bounds.separation_bound(x, 4.0, mass_g=0.5, mass_h=0.5),
    "separation d_all": lambda x: bounds.separation_bound(0.0, x, mass_g=0.5, mass_h=0.5),
    "separation mass_g": lambda x: bounds.separation_bound(1.0, 4.0, mass_g=x, mass_h=0.5),
    "separation mass_h": lambda x: bounds.separation_bound(1.0, 4.0, mass_g=0.5, mass_h=x),
    "separation_dobrushin": lambda x: bounds.separation_dobrushin_bound(
        ROWS, LABELS, separation=x, d_all=4.0
    ),
    "cubic d_all": lambda x: bounds.cubic_bound(x, beta=1.0),
    "cubic beta": lambda x: bounds.cubic_bound(1.0, beta=x),
    "cluster_cubic d": lambda x: bounds.cluster_cubic_bound(x, 4.0, beta=1.0),
    "cluster_cubic beta": lambda x: bounds.cluster_cubic_bound(1.0, 4.0, beta=x),
    "softmax_cluster mass": lambda x: bounds.softmax_cluster_bound(1.0, 4.0, beta=1.0, mass=x),
    "sharp d": lambda x: bounds.sharp_bound(x, 4.0, **RANGES),
    "sharp d_all": lambda x: bounds.sharp_bound(0.0 * np.abs(x), x, **RANGES),
    "sharp eps_lower": lambda x: bounds.sharp_bound(np.ones(2), 4.0, **{**RANGES, "eps_lower": x / 4}),
    "sharp eps_upper": lambda x: bounds.sharp_bound(
        np.ones(2), 4.0, **{**RANGES, "eps_lower": 0.0, "eps_upper": x}
    ),
    "overlap d": lambda x: bounds.overlap_bound(ROWS[0], LABELS, d_cluster=x, d_all=4.0),
    "cells' table": lambda x: bounds.block_recursion(ROWS[0], LABELS, distances=np.diag(x)),
    "cells' diameters": lambda x: bounds.block_recursion_linear(ROWS[0], LABELS, d_cluster=x, d_all=4.0),
}


@pytest.mark.parametrize("name", TAKES)
def test_nothing_negative_is_taken_and_nothing_else_is_refused(name: str) -> None:
    """Zero, small and unlike numbers pass; one negative entry does not, however small, in any place."""
    for right in ([0.0, 0.0], [0.0, 0.5], [1e-300, 0.75], [1.0, 0.25]):
        assert np.isfinite(TAKES[name](np.array(right))).all()
    for wrong in ([-1e-9, 0.5], [0.5, -1.0], [-0.5, -0.5]):
        with pytest.raises(ArgumentError, match=r"must (not be negative|be symmetric and not negative)"):
            TAKES[name](np.array(wrong))


def test_steps_are_counted_from_none() -> None:
    """After no layer a diameter is what it was."""
    assert float(bounds.iteration_bound(1.0, 4.0, **RANGES, steps=0)) == 1.0
    assert float(bounds.cubic_bound(1.5, beta=1.0, steps=0)) == 1.5


@pytest.mark.parametrize("pair", [(-1, 1), (1, -1), (0, 2), (2, 0), (0, 0), (1, 1)])
def test_only_clusters_that_exist_can_be_a_pair(pair: tuple[int, int]) -> None:
    with pytest.raises(ArgumentError, match="pair: must name two of the 2 clusters"):
        bounds.separation_dobrushin_bound(ROWS, LABELS, separation=1.0, d_all=4.0, pair=pair)
    for right in ((0, 1), (1, 0)):
        got = bounds.separation_dobrushin_bound(ROWS, LABELS, separation=1.0, d_all=4.0, pair=right)
        np.testing.assert_allclose(got, [0.0, 0.0], atol=1e-15)  # rows that agree make one point of all


@pytest.mark.parametrize("scale", [0.0, -1.0, math.inf, math.nan])
def test_a_scale_is_positive_and_finite(scale: float) -> None:
    with pytest.raises(ArgumentError, match="scale: must be a positive number"):
        bounds.softmax_beta(np.eye(2), np.eye(2), scale=scale)
    assert float(bounds.softmax_beta(np.eye(2), np.eye(2), scale=1e-300)) == 1e-300


@pytest.mark.parametrize("shape", [(4, 0), (3, 4, 0), (2, 3, 4, 0)])
def test_heads_without_width_have_no_beta(shape: tuple[int, ...]) -> None:
    with pytest.raises(ArgumentError, match="w_q and w_k: must have one shape"):
        bounds.softmax_beta(np.zeros(shape), np.zeros(shape))


def test_one_token_alone_has_nothing_to_shrink() -> None:
    one, label = np.ones((1, 1)), np.array([0])
    assert bounds.block_recursion(one, label, distances=np.ones((1, 1))).tolist() == [[0.0]]
    assert bounds.block_recursion_linear(one, label, d_cluster=np.ones(1), d_all=1.0).tolist() == [0.0]
    assert bounds.block_transport_bound(one, label, cells=label, distances=np.ones((1, 1))).tolist() == [0.0]
    sides = {"d_cluster": np.ones(1), "d_all": 1.0}
    assert bounds.overlap_bound(one, label, **sides).tolist() == [0.0]
    assert bounds.cluster_dobrushin_bound(one, label, **sides).tolist() == [0.0]
    assert float(bounds.dobrushin_coefficient(one)) == 0.0
    assert [each.tolist() for each in bounds.cross_attention(one, label)] == [[0.0], [0.0], [0]]
    tokens = np.array([[3.0]])
    for bound in (bounds.transport_bound, bounds.independent_bound, bounds.star_bound, bounds.chi_bound):
        assert bound(one, tokens, label).tolist() == [0.0]
    assert bounds.certify(one, tokens, label).stage.tolist() == [-1]
    step = verify(one, tokens, label, transport=True)
    assert all(bound.tolist() == [0.0] for bound in step.bounds.values())
    assert not step.counted.any()
    assert not step.shrinks.any()


def test_a_greedy_plan_is_the_default_and_an_exact_one_is_asked_for() -> None:
    """On a line, 1/2 of mass at 0 and at 5 carried to 3 and 9: greedy moves 5 to 3, and is left with 9."""
    places = np.array([0.0, 5.0, 3.0, 9.0])
    attention = np.array([[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5], [0.5, 0.5, 0, 0], [0.5, 0.5, 0, 0]])
    known = {"distances": np.abs(places[:, None] - places), "cells": np.arange(4)}
    greedy, best = 0.5 * (2 + 9), 0.5 * (3 + 4)
    assert float(bounds.block_recursion(attention, **known)[0, 1]) == greedy
    assert float(bounds.block_recursion(attention, **known, exact=True)[0, 1]) == best
    labels = np.array([0, 0, -1, -1])
    assert bounds.block_transport_bound(attention, labels, **known).tolist() == [greedy]
    assert bounds.block_transport_bound(attention, labels, **known, exact=True).tolist() == [best]


def test_every_count_of_outsiders_is_whole() -> None:
    known = {"eps_lower": 0.0, "eps_upper": 0.25}
    for right in (np.array([0.0, 2.0]), np.array([0, 2])):
        assert bounds.sharp_bound(np.ones(2), 4.0, outside=right, **known).tolist() == [1.0, 2.5]
    for wrong in ([1.5, 2.0], [2.0, 1.5], [2.0, -1.0], [0.5, 0.5]):
        with pytest.raises(ArgumentError, match="outside: must count the tokens"):
            bounds.sharp_bound(np.ones(2), 4.0, outside=np.array(wrong), **known)
