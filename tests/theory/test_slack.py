"""Slack at every border: a rounding error beyond it is accepted and clipped to it, a clear violation is
refused, on NumPy, PyTorch and the strict reading of the array API standard.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import array_api_strict
import numpy as np
import pytest
import torch

from attnclust import bounds
from attnclust._array import ArgumentError
from attnclust.geometry import cell_distances

U = 2.0**-53
RANGES = {"outside": 2, "eps_lower": 0.125, "eps_upper": 0.25}
ROWS = np.array([[0.75, 0.0, 0.25], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])


class Border(NamedTuple):
    """A call of one number that must not exceed `limit`, and the name under which it is refused."""

    call: Callable[[Any, Callable[[Any], Any]], Any]
    limit: float
    said: str


BORDERS = {
    "separation": Border(
        lambda x, to: bounds.separation_bound(x, to(4.0), mass_g=to(0.25), mass_h=to(0.5)), 4.0, "separation"
    ),
    "separation mass_g": Border(
        lambda x, to: bounds.separation_bound(to(1.0), to(4.0), mass_g=x, mass_h=to(0.5)), 1.0, "mass_g"
    ),
    "separation mass_h": Border(
        lambda x, to: bounds.separation_bound(to(1.0), to(4.0), mass_g=to(0.5), mass_h=x), 1.0, "mass_h"
    ),
    "separation_dobrushin": Border(
        lambda x, to: bounds.separation_dobrushin_bound(
            to(ROWS), to(np.array([0, 1, -1])), separation=x, d_all=to(4.0)
        ),
        4.0,
        "separation",
    ),
    "softmax_cluster mass": Border(
        lambda x, to: bounds.softmax_cluster_bound(to(1.0), to(4.0), beta=to(0.1), mass=x), 1.0, "mass"
    ),
    "softmax_cluster d": Border(
        lambda x, to: bounds.softmax_cluster_bound(x, to(4.0), beta=to(0.1), mass=to(0.1)), 4.0, "d_cluster"
    ),
    "cluster_cubic d": Border(
        lambda x, to: bounds.cluster_cubic_bound(x, to(4.0), beta=to(0.1)), 4.0, "d_cluster"
    ),
    "convex alpha": Border(
        lambda x, to: bounds.convex_bound(to(1.0), to(4.0), **RANGES, alpha=x), 1.0, "alpha"
    ),
    "overlap d": Border(
        lambda x, to: bounds.overlap_bound(to(ROWS), to(np.array([0, 0, 1])), d_cluster=x, d_all=to(4.0)),
        4.0,
        "d_cluster",
    ),
    "linear recursion d": Border(
        lambda x, to: bounds.block_recursion_linear(
            to(ROWS), to(np.array([0, 0, 1])), d_cluster=x * to(np.ones(2)), d_all=to(4.0)
        ),
        4.0,
        "d_cluster",
    ),
    **{
        f"{name} {argument}": Border(
            lambda x, to, name=name, argument=argument: getattr(bounds, name)(
                **{
                    **{k: to(float(v)) for k, v in {"d_cluster": 1.0, "d_all": 4.0, **RANGES}.items()},
                    **{argument: x},
                }
            ),
            limit,
            argument,
        )
        for name in ("paper_main_bound", "linear_bound", "product_bound", "sharp_bound", "residual_bound")
        for argument, limit in (("d_cluster", 4.0), ("eps_lower", 0.25), ("eps_upper", 1.0))
    },
}
KINDS = {
    "numpy": np.asarray,
    "torch": lambda x: torch.asarray(x, dtype=torch.float64 if isinstance(x, float) else None),
    "strict": array_api_strict.asarray,
}


@pytest.mark.parametrize("convert", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("name", BORDERS)
def test_slack(name: str, convert: Callable[[Any], Any]) -> None:
    call, limit, said = BORDERS[name]
    at = np.asarray(call(convert(limit), convert))
    for within in (1 + 2 * U, 1 + 32 * U, 1 + 64 * U):
        np.testing.assert_array_equal(np.asarray(call(convert(limit * within), convert)), at)
    for beyond in (1 + 66 * U, 1 + 1e-13, 1.001, 2.0):
        with pytest.raises(ArgumentError, match=f"^{said}: must be at most"):
            call(convert(limit * beyond), convert)


@pytest.mark.parametrize("convert", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize(
    "name", ["separation mass_g", "separation mass_h", "softmax_cluster mass", "convex alpha"]
)
def test_nothing_is_forgiven_below_zero(name: str, convert: Callable[[Any], Any]) -> None:
    """A share is 0 exactly where nothing is given; no rounding error makes it negative."""
    call, _, said = BORDERS[name]
    assert np.isfinite(np.asarray(call(convert(0.0), convert)))
    assert np.isfinite(np.asarray(call(convert(-0.0), convert)))
    for below in (-5e-324, -U, -0.5):
        with pytest.raises(ArgumentError, match=f"^{said}: must not be negative"):
            call(convert(below), convert)


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_the_ends_of_the_convex_form(alpha: float) -> None:
    """No step at all leaves d; the whole step is the sharp bound, (1 - 1/2) 1 + (1/2 - 1/4) 4."""
    got = float(bounds.convex_bound(1.0, 4.0, **RANGES, alpha=alpha))
    assert got == {0.0: 1.0, 1.0: 1.5}[alpha]


@pytest.mark.parametrize("convert", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("entry", [(0, 0), (0, 1)])
def test_a_table_against_its_tokens(entry: tuple[int, int], convert: Callable[[Any], Any]) -> None:
    """Short of the truth by rounding: accepted; short by more: refused; above it: what the theorem allows."""
    tokens, cells = np.array([[0.0, 0.3], [0.7, 0.1], [0.2, 8.1]]), np.array([0, 0, 1])
    truth = cell_distances(tokens, cells)

    def bound(factor: float) -> Any:
        table = truth.copy()
        table[entry] *= factor
        table[entry[::-1]] = table[entry]
        arrays = {"cells": cells, "distances": table, "tokens": tokens}
        return bounds.block_transport_bound(
            convert(ROWS), convert(cells), **{name: convert(value) for name, value in arrays.items()}
        )

    for right in (1 - 60 * U, 1 - 2 * U, 1.0, 1.5):
        assert np.isfinite(np.asarray(bound(right))).all()
    for short in (1 - 72 * U, 1 - 1e-13, 0.999, 0.0):
        with pytest.raises(
            ArgumentError,
            match=r"^the true distance between two cells: must be at most the entry of distances",
        ):
            bound(short)
