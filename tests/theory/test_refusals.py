"""Wrong input: one clear error that names the argument, the rule, what came and the remedy; slack at the
borders.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import array_api_strict
import numpy as np
import pytest
import torch

from attnclust import bounds
from attnclust._array import ArgumentError, ArgumentTypeError
from attnclust.attention import (
    attend,
    attention_weights,
    block_transport_configuration,
    cluster_dobrushin_configuration,
    separation_configuration,
    separation_dobrushin_configuration,
    sharp_configuration,
)
from attnclust.geometry import cell_distances, cluster_diameters, diameter, hull_distance
from attnclust.testing import recipes, tiny_attention
from attnclust.verify import verify

from .arguments import TABLE, A, L, Z

NAN = np.where(Z == 8.0, np.nan, Z)
RANGES = {"outside": 2, "eps_lower": 0.1, "eps_upper": 0.2}

RANGE_FUNCTIONS = [
    bounds.paper_main_bound,
    bounds.paper_appendix_bound,
    bounds.linear_bound,
    bounds.product_bound,
    bounds.sharp_bound,
    bounds.sharp_certificate,
    bounds.residual_bound,
    lambda d, big, **known: bounds.convex_bound(d, big, **known, alpha=0.5),
    lambda d, big, **known: bounds.iteration_bound(d, big, **known, steps=2),
]
KINDS: dict[str, Callable[[Any], Any]] = {
    "number": float,
    "numpy": lambda x: np.array([x, x]),
    "torch": lambda x: torch.tensor([x, x], dtype=torch.float64),
    "strict": lambda x: array_api_strict.asarray([x, x], dtype=array_api_strict.float64),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bound", RANGE_FUNCTIONS)
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"d_cluster": 2.0, "d_all": 1.0}, "d_cluster: must be at most d_all; got d_cluster - d_all = 1"),
        ({"d_cluster": -1.0}, "d_cluster: must not be negative; got -1"),
        ({"d_cluster": 0.0, "d_all": -1.0}, "d_all: must not be negative; got -1"),
        ({"d_cluster": math.nan}, "d_cluster: must be finite"),
        ({"d_all": math.inf}, "d_all: must be finite"),
        ({"eps_lower": 0.3}, "eps_lower: must be at most eps_upper"),
        ({"eps_lower": -0.1}, "eps_lower: must not be negative"),
        ({"eps_lower": math.nan}, "eps_lower: must be finite"),
        ({"eps_lower": 0.0, "eps_upper": -0.1}, "eps_upper: must not be negative"),
        ({"eps_upper": 1.5}, "eps_upper: must be at most 1"),
        ({"eps_upper": math.inf}, "eps_upper: must be finite"),
        ({"outside": 20.0}, r"outside \* eps_lower: must be at most 1"),
        ({"outside": 1.5}, "outside: must count the tokens"),
        ({"outside": -1.0}, "outside: must count the tokens"),
        ({"outside": math.nan}, "outside: must be finite"),
    ],
)
def test_ranges(bound: Callable[..., Any], changed: dict[str, float], said: str, kind: str) -> None:
    """Every number of the call as one kind; an array holds it twice."""
    right = {"d_cluster": 1.0, "d_all": 2.0, **RANGES}
    known = {name: KINDS[kind](value) for name, value in {**right, **changed}.items()}
    with pytest.raises(ArgumentError, match=f"^{said}"):
        bound(known.pop("d_cluster"), known.pop("d_all"), **known)
    known = {name: KINDS[kind](value) for name, value in right.items()}
    bound(known.pop("d_cluster"), known.pop("d_all"), **known)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"d_all": -1.0}, "d_all: must not be negative; got -1"),
        ({"d_all": math.nan}, "d_all: must be finite"),
        ({"eps_lower": -0.1}, "eps_lower: must not be negative"),
        ({"eps_lower": 1.5}, "eps_lower: must be at most"),
        ({"outside": 20.0}, r"outside \* eps_lower: must be at most 1"),
        ({"outside": 1.5}, "outside: must count the tokens"),
    ],
)
def test_the_total_form_names_what_it_was_given(changed: dict[str, float], said: str, kind: str) -> None:
    right = {"d_all": 2.0, "outside": 2.0, "eps_lower": 0.1}
    known = {name: KINDS[kind](value) for name, value in {**right, **changed}.items()}
    with pytest.raises(ArgumentError, match=f"^{said}"):
        bounds.sharp_total_bound(known.pop("d_all"), **known)


@pytest.mark.parametrize("bound", RANGE_FUNCTIONS)
@pytest.mark.parametrize(
    ("d", "big", "changed", "error", "said"),
    [
        (1.0, 2.0, {"eps_upper": torch.tensor([0.5])}, None, ""),
        (np.ones(2), torch.ones(2), {}, ArgumentTypeError, "d_all: must be of one kind with d_cluster"),
        (np.ones(2), np.ones(3), {}, ArgumentError, "d_all: must broadcast against d_cluster"),
        (np.ones((2, 2)), np.ones(3), {}, ArgumentError, "d_all: must broadcast against d_cluster"),
        (np.array([1]), 2.0, {}, ArgumentTypeError, "d_cluster: must have a real floating dtype"),
        (1.0, np.array([2]), {}, ArgumentTypeError, "^d_all: must have a real floating dtype; got int64"),
        ("1", 2.0, {}, ArgumentTypeError, "d_cluster: must be a NumPy array or a torch tensor; got str"),
    ],
)
def test_ranges_of_kinds_and_shapes(
    bound: Callable[..., Any],
    d: Any,
    big: Any,
    changed: dict[str, Any],
    error: type[Exception] | None,
    said: str,
) -> None:
    if error is None:
        assert bound(d, big, **{**RANGES, **changed}).shape == (1,)
        return
    with pytest.raises(error, match=said):
        bound(d, big, **{**RANGES, **changed})


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: diameter(Z.astype(int)), ArgumentTypeError, "tokens: must have a real floating dtype"),
        (lambda: diameter(Z[0]), ArgumentError, "tokens: must have at least 2 axes"),
        (lambda: diameter(NAN), ArgumentError, "tokens: must be finite"),
        (lambda: diameter([[1.0]]), ArgumentTypeError, "tokens: must be a NumPy array"),
        (lambda: diameter(Z, ord=0.5), ArgumentError, "ord: must be at least 1; got 0.5"),
        (lambda: diameter(Z, ord=float("nan")), ArgumentError, "ord: must be at least 1"),
        (lambda: diameter(Z, ord="fro"), ArgumentTypeError, "ord: must be a number; got str"),
        (lambda: cluster_diameters(Z, L, clusters=1), ArgumentError, "labels: must be below clusters=1"),
        (lambda: cluster_diameters(Z, L[None].repeat(2, 0)), ArgumentError, "labels: batch axes must"),
        (lambda: cluster_diameters(Z, 0), ArgumentTypeError, "labels: must be an integer array"),
        (lambda: cluster_diameters(Z, np.array(0)), ArgumentError, "labels: must have one entry a token"),
        (lambda: cell_distances(Z, L - 1), ArgumentError, "cells: must put every token"),
        (lambda: hull_distance(Z, Z[:0]), ArgumentError, "b: must share d with a"),
        (lambda: hull_distance(Z, Z[:, :1]), ArgumentError, "b: must share d with a"),
        (lambda: hull_distance(Z, Z, ord=3), ArgumentError, "ord: must be 1, 2 or infinity; got 3"),
        (lambda: hull_distance(Z, torch.tensor(Z)), ArgumentTypeError, "b: must be of one kind with a"),
        (lambda: attention_weights(Z, np.eye(3), np.eye(3)), ArgumentError, "w_q and w_k: must both be"),
        (
            lambda: attention_weights(Z, np.eye(2), np.eye(2), scale=0.0),
            ArgumentError,
            "scale: must be a pos",
        ),
        (
            lambda: attention_weights(Z, np.eye(2), np.eye(2), mask=np.zeros((3, 3), bool)),
            ArgumentError,
            "mask: every query must see a key",
        ),
        (
            lambda: attention_weights(Z, np.eye(2), np.eye(2), mask=A),
            ArgumentTypeError,
            "mask: must be boolean",
        ),
        (
            lambda: attention_weights(Z, np.eye(2), np.eye(2), mask=np.ones((2, 2), bool)),
            ArgumentError,
            "must broadcast",
        ),
        (
            lambda: attention_weights(Z[:0], np.eye(2), np.eye(2)),
            ArgumentError,
            "tokens: must hold a token; g",
        ),
        (
            lambda: attention_weights(np.stack([Z, Z]), np.ones((3, 2, 1)), np.ones((2, 1))),
            ArgumentError,
            r"w_q: leading \(batch\) axes must broadcast against tokens; got \(3,\) beside \(2,\)",
        ),
        (
            lambda: attend(A, np.stack([Z, Z]), w_v=np.ones((3, 2, 1))),
            ArgumentError,
            r"w_v: leading \(batch\) axes must broadcast against tokens; got \(3,\) beside \(2,\)",
        ),
        (lambda: attend(A, Z, w_v=np.eye(3)), ArgumentError, "w_v: must be .d, d_v. with d = 2"),
        (lambda: attend(A.T, Z), ArgumentError, "attention: every row must sum to 1.*Rows are queries"),
        (lambda: verify(A, Z, L, transport=True).bounds["none"], KeyError, "none"),
        (
            lambda: bounds.transport_bound(np.eye(65), np.zeros((65, 1)), np.zeros(65, int)),
            ArgumentError,
            "tokens: exact transport takes at most 64 tokens; got n = 65",
        ),
        (
            lambda: bounds.block_transport_bound(
                A, L, cells=L, distances=TABLE - 0.5 * (TABLE == 1), tokens=Z
            ),
            ArgumentError,
            "the true distance between two cells: must be at most the entry of distances",
        ),
        (
            lambda: bounds.block_transport_bound(
                A, L, cells=L, distances=np.stack([TABLE] * 2), tokens=np.stack([Z] * 3)
            ),
            ArgumentError,
            r"tokens: leading \(batch\) axes must broadcast against distances",
        ),
        (
            lambda: bounds.block_transport_bound(A, L, cells=L, distances=A),
            ArgumentError,
            "distances: must be",
        ),
        (
            lambda: bounds.block_transport_bound(A, L, cells=L, distances=np.array([[1.0, 2.0], [3.0, 0.0]])),
            ArgumentError,
            "distances: must be symmetric",
        ),
        (
            lambda: bounds.block_recursion(A, L, distances=-TABLE),
            ArgumentError,
            "distances: must be symmetric",
        ),
        (
            lambda: bounds.block_recursion_linear(A, L, d_cluster=np.ones(3), d_all=9.0),
            ArgumentError,
            "d_cluster: must be .*K = 2",
        ),
        (lambda: bounds.star_bound(A, Z, L, centre=np.ones(3)), ArgumentError, "centre: must be .d,."),
        (
            lambda: bounds.separation_dobrushin_bound(A, L, separation=9.5, d_all=9.0),
            ArgumentError,
            "separation: must be at most d_all",
        ),
        (
            lambda: bounds.separation_dobrushin_bound(A, L, separation=1.0, d_all=9.0, pair=(0, 2)),
            ArgumentError,
            "pair: must name two of the 2 clusters",
        ),
        (
            lambda: bounds.separation_dobrushin_bound(A, 2 * L, separation=1.0, d_all=9.0),
            ArgumentError,
            "labels: clusters .0, 1. must have tokens",
        ),
        (
            lambda: bounds.separation_bound(3.0, 2.0, mass_g=0.0, mass_h=0.0),
            ArgumentError,
            "separation: must",
        ),
        (lambda: bounds.separation_bound(1.0, 2.0, mass_g=1.5, mass_h=0.0), ArgumentError, "mass_g: must be"),
        (
            lambda: bounds.separation_bound(1.0, 2.0, mass_g=0.0, mass_h=-1.0),
            ArgumentError,
            "mass_h: must not",
        ),
        (lambda: bounds.cubic_bound(1.0, beta=-1.0), ArgumentError, "beta: must not be negative"),
        (lambda: bounds.cluster_cubic_bound(2.0, 1.0, beta=1.0), ArgumentError, "d_cluster: must be at most"),
        (
            lambda: bounds.softmax_cluster_bound(1.0, 2.0, beta=1.0, mass=2.0),
            ArgumentError,
            "mass: must be at",
        ),
        (
            lambda: bounds.softmax_beta(np.eye(2), np.eye(3)),
            ArgumentError,
            "w_q and w_k: must have one shape",
        ),
        *(
            (
                lambda shape=shape: bounds.softmax_beta(np.ones(shape), np.ones(shape)),
                ArgumentError,
                "w_q and w_k: must have one shape, .d, d_k., with d and d_k at least 1",
            )
            for shape in ((0, 2), (2, 0), (5, 0, 2))
        ),
        (
            lambda: bounds.sharp_bound(1.0, 2.0, **{**RANGES, "outside": np.array([2.0, 1.5])}),
            ArgumentError,
            "outside: must count the tokens",
        ),
        (lambda: bounds.contraction_bound(-1.0), ArgumentError, "d_all: must not be negative"),
        (lambda: bounds.value_matrix_bound(1.0, norm=-1.0), ArgumentError, "norm: must not be negative"),
        (lambda: bounds.multi_head_bound(np.ones((2, 1)), norms=np.ones(3)), ArgumentError, "norms: must be"),
        (
            lambda: bounds.convex_bound(1.0, 2.0, **RANGES, alpha=1.5),
            ArgumentError,
            "alpha: must be at most 1",
        ),
        (
            lambda: sharp_configuration(1, 1, eps_lower=0.0, eps_upper=0.5, d_cluster=1.0, d_all=2.0),
            ArgumentError,
            "inside: must be at least 2; got 1",
        ),
        (
            lambda: sharp_configuration(2, 0, eps_lower=0.0, eps_upper=0.5, d_cluster=1.0, d_all=2.0),
            ArgumentError,
            "outside: must be at least 1; got 0",
        ),
        (
            lambda: sharp_configuration(2, 3, eps_lower=0.5, eps_upper=0.5, d_cluster=1.0, d_all=2.0),
            ArgumentError,
            "eps_lower, eps_upper: must satisfy",
        ),
        (
            lambda: sharp_configuration(2, 1, eps_lower=0.0, eps_upper=1.5, d_cluster=1.0, d_all=2.0),
            ArgumentError,
            "eps_lower, eps_upper: must satisfy",
        ),
        (
            lambda: sharp_configuration(2, 3, eps_lower=0.0, eps_upper=0.5, d_cluster=3.0, d_all=2.0),
            ArgumentError,
            "d_cluster, d_all: must satisfy",
        ),
        (
            lambda: cluster_dobrushin_configuration(A, L, cluster=2, d_cluster=1.0, d_all=2.0),
            ArgumentError,
            "labels: must have tokens in cluster 2",
        ),
        (
            lambda: separation_configuration(mass_g=2.0, mass_h=0.0, separation=1.0, d_all=2.0),
            ArgumentError,
            "mass_g, mass_h, separation, d_all: must satisfy",
        ),
        (
            lambda: separation_configuration(mass_g=0.5, mass_h=0.5, separation=1.0, d_all=math.inf),
            ArgumentError,
            "d_all: must be finite",
        ),
        (
            lambda: separation_dobrushin_configuration(A, L, separation=3.0, d_all=2.0),
            ArgumentError,
            "separation: must be between 0 and d_all",
        ),
        (
            lambda: separation_dobrushin_configuration(A, 2 * L, clusters=(0, 1), separation=1.0, d_all=2.0),
            ArgumentError,
            "labels: must have tokens in cluster 1",
        ),
        (
            lambda: block_transport_configuration(A, pair=(0, 3), cells=L, distances=TABLE),
            ArgumentError,
            r"pair: must name two of the 3 rows; got \(0, 3\). Pass a pair of different numbers below 3",
        ),
        (
            lambda: block_transport_configuration(A, pair=(0, 1), cells=L, distances=np.ones((2, 1))),
            ArgumentError,
            "distances: must be symmetric",
        ),
        (
            lambda: bounds.sharp_total_bound(np.array([1]), outside=2, eps_lower=0.1),
            ArgumentTypeError,
            "^d_all: must have a real floating dtype",
        ),
        (
            lambda: bounds.sharp_total_bound(np.ones(2), outside=2, eps_lower=np.zeros(3)),
            ArgumentError,
            "^eps_lower: must broadcast",
        ),
        (lambda: recipes(max_n=1), ArgumentError, "max_n, batch, max_d: must be at least 2, 1, 1"),
        (lambda: tiny_attention(n=9), ArgumentError, "n: must be 1 to 8"),
    ],
)
def test_each_of_its_own(call: Callable[[], Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        call()


def test_a_clear_error_has_four_parts() -> None:
    with pytest.raises(
        ArgumentError,
        match=r"^attention: every row must sum to 1 .*; got a row that misses it by 1\. Rows are",
    ):
        verify(2 * A, Z, L)


def test_rounding_at_the_borders_is_accepted_and_clipped() -> None:
    u = 2.0**-53
    above = 1.0 * (1 + 32 * u)
    assert float(bounds.sharp_bound(above, 1.0, outside=0, eps_lower=0.0, eps_upper=0.0)) == 1.0
    with pytest.raises(ArgumentError, match="d_cluster: must be at most d_all"):
        bounds.sharp_bound(1.0 + 1e-13, 1.0, outside=0, eps_lower=0.0, eps_upper=0.0)
    same = {"outside": 2, "eps_upper": 0.25}
    kept = bounds.sharp_bound(1.0, 4.0, eps_lower=0.25 * (1 + 32 * u), **same)
    assert float(kept) == 0.5
    third = {"outside": 3, "eps_lower": 1 / 3 * (1 + 4 * u), "eps_upper": 1 / 3 * (1 + 4 * u)}
    assert float(bounds.sharp_bound(1.0, 4.0, **third)) == pytest.approx(0.0, abs=1e-15)
    rough = A * (1 + 2e-15)  # 4 (3 + 8) u = 4.9e-15
    assert verify(rough, Z, L).holds["cluster_dobrushin"].all()
    with pytest.raises(ArgumentError, match="every row must sum to 1"):
        verify(A * (1 + 2e-14), Z, L)
    single = (A * (1 + 1e-6)).astype(np.float32)  # 4 (3 + 8) 2^-24 = 2.6e-6
    assert verify(single, Z.astype(np.float32), L).holds["cluster_dobrushin"].all()
    with pytest.raises(ArgumentError, match="every row must sum to 1"):
        verify((A * (1 + 1e-5)).astype(np.float32), Z.astype(np.float32), L)
