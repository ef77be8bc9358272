"""Leading axes: each element of a batch gets what it gets alone, and one wrong element is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from attnclust import bounds
from attnclust._array import ArgumentError
from attnclust.geometry import cell_distances, cluster_diameters, diameter
from attnclust.testing import Recipe, draw_steps
from attnclust.verify import verify

CELLS = np.array([0, 1, 2, 0, 1, 2, 0])
DRAWN = draw_steps(Recipe(seed=11, batch=24, n=7, d=5, clusters=3, attention="generic", tokens="clustered"))
SHAPE = (2, 3, 4)
A, Z = DRAWN.attention.reshape(*SHAPE, 7, 7), DRAWN.tokens.reshape(*SHAPE, 7, 5)
L = np.stack([DRAWN.labels, CELLS, np.roll(CELLS, 1), np.array([0, 0, 1, 1, 2, -1, 2])])


def _sides(z: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    return {"d_cluster": cluster_diameters(z, labels), "d_all": diameter(z)}


def _linear_recursion(a: np.ndarray, z: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return bounds.block_recursion_linear(a, CELLS, **_sides(z, CELLS))


def _separation(a: np.ndarray, z: np.ndarray, labels: np.ndarray) -> np.ndarray:
    size = diameter(z)
    return bounds.separation_dobrushin_bound(a, labels, separation=size / 3, d_all=size, pair=(2, 0))


FUNCTIONS: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], Any]] = {
    "verify": lambda a, z, labels: [*verify(a, z, labels, transport=True).bounds.values()],
    "verify measures": lambda a, z, labels: [verify(a, z, labels).measured, verify(a, z, labels).current],
    "cross_attention": lambda a, z, labels: [*bounds.cross_attention(a, labels)],
    "certify": lambda a, z, labels: bounds.certify(a, z, labels).stage,
    "independent": lambda a, z, labels: bounds.independent_bound(a, z, labels),
    "star": lambda a, z, labels: bounds.star_bound(a, z, labels),
    "chi": lambda a, z, labels: bounds.chi_bound(a, z, labels),
    "overlap": lambda a, z, labels: bounds.overlap_bound(a, labels, **_sides(z, labels)),
    "dobrushin": lambda a, z, labels: bounds.dobrushin_coefficient(a),
    "cells": lambda a, z, labels: bounds.block_transport_bound(
        a, labels, cells=CELLS, distances=cell_distances(z, CELLS)
    ),
    "cells exactly": lambda a, z, labels: bounds.block_transport_bound(
        a, labels, cells=CELLS, distances=cell_distances(z, CELLS), exact=True
    ),
    "recursion": lambda a, z, labels: bounds.block_recursion(a, CELLS, distances=cell_distances(z, CELLS)),
    "linear recursion": _linear_recursion,
    "separation": _separation,
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_element_of_three_leading_axes_is_as_it_is_alone(name: str) -> None:
    function = FUNCTIONS[name]
    whole = function(A, Z, L)
    for at in np.ndindex(*SHAPE):
        alone = function(A[at], Z[at], L[at[-1]])
        for every, one in zip(*(x if isinstance(x, list) else [x] for x in (whole, alone)), strict=True):
            got = np.broadcast_to(every, (*SHAPE, *np.shape(one)))[at] if np.ndim(every) < 3 else every[at]
            np.testing.assert_allclose(got, one, rtol=1e-10, atol=1e-12, err_msg=f"{name} {at}")


@pytest.mark.parametrize("name", ["linear recursion", "separation", "overlap", "cells", "dobrushin"])
def test_attention_shared_by_a_batch_of_the_rest(name: str) -> None:
    """One matrix, tokens with leading axes: their batch shapes broadcast."""
    function = FUNCTIONS[name]
    shared = np.broadcast_to(A[1, 1, 1], A.shape)
    np.testing.assert_allclose(
        np.broadcast_to(function(A[1, 1, 1], Z, L[1]), function(shared, Z, L[1]).shape),
        function(shared, Z, L[1]),
        rtol=1e-12,
    )


ONE_WRONG = np.array([1.0, -1.0])


@pytest.mark.parametrize(
    ("function", "named"),
    [
        (lambda: bounds.contraction_bound(ONE_WRONG), "d_all"),
        (lambda: bounds.value_matrix_bound(1.0, norm=ONE_WRONG), "norm"),
        (lambda: bounds.separation_bound(1.0, 2.0, mass_g=0.5 * ONE_WRONG, mass_h=0.5), "mass_g"),
        (lambda: bounds.separation_bound(ONE_WRONG, 2.0, mass_g=0.5, mass_h=0.5), "separation"),
        (
            lambda: bounds.separation_dobrushin_bound(
                np.stack([np.eye(2)] * 2), np.array([0, 1]), separation=ONE_WRONG, d_all=2.0
            ),
            "separation",
        ),
        (lambda: bounds.cubic_bound(1.0, beta=ONE_WRONG), "beta"),
        (lambda: bounds.softmax_cluster_bound(1.0, 2.0, beta=1.0, mass=0.5 * ONE_WRONG), "mass"),
        (lambda: bounds.residual_bound(ONE_WRONG, 2.0, outside=1, eps_lower=0.0, eps_upper=0.5), "d_cluster"),
    ],
)
def test_one_negative_number_among_good_ones_is_refused(function: Callable[[], Any], named: str) -> None:
    with pytest.raises(ArgumentError, match=f"{named}: must not be negative"):
        function()
