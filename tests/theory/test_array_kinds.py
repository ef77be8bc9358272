"""Every public function gives one answer on NumPy, PyTorch and the strict reading of the array API standard,
with leading batch axes; a function that is added and not called here fails the first test.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

import array_api_compat
import array_api_strict
import numpy as np
import pytest
import torch

from attnclust import attention, bounds, geometry, verify
from attnclust.testing import Recipe, draw_steps

RECIPE = Recipe(seed=3, batch=3, n=7, d=5, clusters=3, attention="generic", tokens="clustered")
DRAWN = draw_steps(RECIPE)
CELLS = np.arange(7) % 3
LABELS = np.stack([DRAWN.labels, DRAWN.labels, CELLS])
KNOWN = {
    "a": DRAWN.attention,
    "z": DRAWN.tokens,
    "labels": LABELS,
    "cells": CELLS,
    "d": geometry.cluster_diameters(DRAWN.tokens, LABELS),
    "big": geometry.diameter(DRAWN.tokens),
    "table": geometry.cell_distances(DRAWN.tokens, CELLS),
    "w": np.random.default_rng(1).normal(size=(5, 2)),
    "square": np.random.default_rng(2).normal(size=(5, 5)) / 5,
    "seen": np.tril(np.ones((7, 7), dtype=bool)),
}


class Kind:
    """The numbers above as arrays of one kind."""

    def __init__(self, convert: Callable[[Any], Any]) -> None:
        self.convert = convert
        self.a, self.z, self.labels, self.cells = (convert(KNOWN[k]) for k in ("a", "z", "labels", "cells"))
        self.d, self.big, self.table = (convert(KNOWN[k]) for k in ("d", "big", "table"))
        self.w, self.square, self.seen = (convert(KNOWN[k]) for k in ("w", "square", "seen"))
        self.ranges = bounds.cross_attention(self.a, self.labels)._asdict()
        self.step = {"d_cluster": self.d, "d_all": self.big}


CALLS: dict[str, Callable[[Kind], Any]] = {
    "verify.verify": lambda k: [
        verify.verify(k.a, k.z, k.labels, transport=True),
        verify.verify(k.a, k.z, k.labels, ord=1, pooled=True),
    ],
    "geometry.diameter": lambda k: [geometry.diameter(k.z, ord=p) for p in (1, 2, 3, float("inf"))],
    "geometry.cluster_diameters": lambda k: [
        geometry.cluster_diameters(k.z, k.labels, ord=p) for p in (1, 2, 3, float("inf"))
    ],
    "geometry.cell_distances": lambda k: [
        geometry.cell_distances(k.z, k.cells, ord=p) for p in (1, 2, 3, float("inf"))
    ],
    "geometry.hull_distance": lambda k: [
        geometry.hull_distance(k.z, k.z[:, :2, :] + 9.0, ord=p) for p in (1, 2, float("inf"))
    ],
    "attention.attention_weights": lambda k: attention.attention_weights(k.z, k.w, k.w, mask=k.seen),
    "attention.attend": lambda k: [attention.attend(k.a, k.z), attention.attend(k.a, k.z, w_v=k.w)],
    "attention.simulate": lambda k: attention.simulate(
        k.z, k.square, k.square, steps=3, residual=True, norm="layernorm", mask=k.seen
    ),
    "attention.adversarial_weights": lambda k: attention.adversarial_weights(
        k.z, k.cells, cluster=1, scale=2
    ),
    "attention.causal_mask": lambda k: attention.causal_mask(4, like=k.z),
    "attention.ring_mask": lambda k: attention.ring_mask(5, width=2, like=k.z),
    "attention.block_mask": lambda k: attention.block_mask(k.labels),
    "attention.cluster_dobrushin_configuration": lambda k: attention.cluster_dobrushin_configuration(
        k.a[0, ...], k.cells, d_cluster=1.0, d_all=2.0
    ),
    "attention.dobrushin_configuration": lambda k: attention.dobrushin_configuration(k.a[0, ...]),
    "attention.block_transport_configuration": lambda k: attention.block_transport_configuration(
        k.a[0, ...], pair=(0, 3), cells=k.cells, distances=k.table[0, ...]
    ),
    "attention.separation_dobrushin_configuration": lambda k: attention.separation_dobrushin_configuration(
        k.a[0, ...], k.cells, separation=1.0, d_all=2.0
    ),
    "bounds.cross_attention": lambda k: [
        bounds.cross_attention(k.a, k.labels),
        bounds.cross_attention(k.a, k.labels, pooled=True),
    ],
    "bounds.certify": lambda k: bounds.certify(k.a, k.z, k.labels),
    **{
        f"bounds.{name}": lambda k, name=name: getattr(bounds, name)(k.d, k.big, **k.ranges)
        for name in (
            "paper_main_bound",
            "paper_appendix_bound",
            "linear_bound",
            "product_bound",
            "sharp_bound",
            "sharp_certificate",
            "residual_bound",
        )
    },
    "bounds.sharp_total_bound": lambda k: bounds.sharp_total_bound(k.big, outside=5, eps_lower=0.125),
    "bounds.iteration_bound": lambda k: bounds.iteration_bound(k.d, k.big, **k.ranges, steps=3),
    "bounds.convex_bound": lambda k: bounds.convex_bound(k.d, k.big, **k.ranges, alpha=0.5),
    "bounds.value_matrix_bound": lambda k: bounds.value_matrix_bound(k.d, norm=2.0),
    "bounds.multi_head_bound": lambda k: bounds.multi_head_bound(k.d, norms=k.big),
    "bounds.overlap_bound": lambda k: bounds.overlap_bound(k.a, k.labels, **k.step),
    "bounds.cluster_dobrushin_bound": lambda k: bounds.cluster_dobrushin_bound(k.a, k.labels, **k.step),
    "bounds.dobrushin_coefficient": lambda k: bounds.dobrushin_coefficient(k.a),
    "bounds.contraction_bound": lambda k: bounds.contraction_bound(k.big),
    "bounds.block_transport_bound": lambda k: [
        bounds.block_transport_bound(k.a, k.labels, cells=k.cells, distances=k.table, tokens=k.z),
        bounds.block_transport_bound(k.a, k.labels, cells=k.cells, distances=k.table, exact=True),
    ],
    "bounds.independent_bound": lambda k: bounds.independent_bound(k.a, k.z, k.labels, ord=1),
    "bounds.star_bound": lambda k: [
        bounds.star_bound(k.a, k.z, k.labels),
        bounds.star_bound(k.a, k.z, k.labels, centre=k.z[0, 0, :]),
    ],
    "bounds.chi_bound": lambda k: bounds.chi_bound(k.a, k.z, k.labels),
    "bounds.transport_bound": lambda k: bounds.transport_bound(k.a, k.z, k.labels),
    "bounds.block_recursion": lambda k: bounds.block_recursion(k.a, k.cells, distances=k.table),
    "bounds.block_recursion_linear": lambda k: bounds.block_recursion_linear(k.a, k.cells, **k.step),
    "bounds.separation_bound": lambda k: bounds.separation_bound(k.big / 2, k.big, mass_g=0.25, mass_h=0.5),
    "bounds.separation_dobrushin_bound": lambda k: bounds.separation_dobrushin_bound(
        k.a, k.cells, separation=k.big / 2, d_all=k.big, pair=(1, 2)
    ),
    "bounds.softmax_beta": lambda k: bounds.softmax_beta(k.w, k.w),
    "bounds.cubic_bound": lambda k: bounds.cubic_bound(k.big, beta=0.5, steps=2),
    "bounds.cluster_cubic_bound": lambda k: bounds.cluster_cubic_bound(k.d, k.big, beta=0.5),
    "bounds.softmax_cluster_bound": lambda k: bounds.softmax_cluster_bound(k.d, k.big, beta=0.5, mass=0.25),
}
WITHOUT_ARRAYS = {
    "attention.draw_weights",  # the generator decides the kind: tests/simulator
    "attention.sharp_configuration",
    "attention.separation_configuration",
}
"""Functions that take numbers alone, or whose kind is not that of an argument."""


def public_functions() -> set[str]:
    def of(module: ModuleType) -> set[str]:
        room = module.__name__.removeprefix("attnclust.")
        names = getattr(module, "__all__", ["verify"])
        return {f"{room}.{name}" for name in names if inspect.isfunction(getattr(module, name))}

    return set().union(*(of(module) for module in (geometry, attention, bounds, verify)))


def test_every_public_function_is_called_here() -> None:
    assert set(CALLS) | WITHOUT_ARRAYS == public_functions()


def arrays(value: Any) -> list[Any]:
    """The arrays in records, lists and mappings, in order."""
    if isinstance(value, dict):
        return [each for _, inner in sorted(value.items()) for each in arrays(inner)]
    if isinstance(value, tuple | list):
        return [each for inner in value for each in arrays(inner)]
    if hasattr(value, "__dict__") and not array_api_compat.is_array_api_obj(value):
        return arrays(vars(value))
    return [value]


def on_second_device(value: Any) -> Any:
    """An array that refuses to meet one of another device, as those of an accelerator do."""
    return array_api_strict.asarray(value, device=array_api_strict.Device("device1"))


EVERY_KIND = {"torch": torch.tensor, "strict": array_api_strict.asarray, "second device": on_second_device}


@pytest.mark.parametrize("convert", EVERY_KIND.values(), ids=EVERY_KIND)
@pytest.mark.parametrize("name", CALLS)
def test_one_answer_on_every_array_library(name: str, convert: Callable[[Any], Any]) -> None:
    theirs, ours = (arrays(CALLS[name](Kind(each))) for each in (convert, np.asarray))
    like = convert(KNOWN["a"])
    assert len(theirs) == len(ours) > 0
    for got, expected in zip(theirs, ours, strict=True):
        if not name.endswith("_configuration"):  # they make NumPy arrays
            assert array_api_compat.array_namespace(got) is array_api_compat.array_namespace(like)
            assert array_api_compat.device(got) == array_api_compat.device(like)
        on_host = np.from_dlpack(got)
        assert on_host.shape == expected.shape
        assert on_host.dtype == expected.dtype
        np.testing.assert_allclose(on_host, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("argument", ["d_cluster", "d_all", "outside", "eps_lower", "eps_upper"])
def test_one_array_among_numbers_decides_where_the_bound_is(argument: str) -> None:
    known = {"d_cluster": 1.0, "d_all": 2.0, "outside": 2.0, "eps_lower": 0.125, "eps_upper": 0.25}
    known[argument] = on_second_device(np.array([known[argument]] * 2))
    for bound in (bounds.sharp_bound, bounds.linear_bound, bounds.product_bound):
        got = bound(**known)
        assert array_api_compat.device(got) == array_api_compat.device(known[argument])


@pytest.mark.parametrize("convert", EVERY_KIND.values(), ids=EVERY_KIND)
def test_long_rows_too(convert: Callable[[Any], Any]) -> None:
    """From some length on NumPy goes another way."""
    rng = np.random.default_rng(4)
    known = rng.dirichlet(np.ones(90), size=90), rng.normal(size=(90, 3)), np.repeat([0, 1, -1], 30)
    theirs, ours = (verify.verify(*map(each, known)).bounds for each in (convert, np.asarray))
    for label, expected in ours.items():
        np.testing.assert_allclose(np.from_dlpack(theirs[label]), expected, rtol=1e-9, err_msg=label)
    assert float(bounds.dobrushin_coefficient(convert(np.eye(32)))) == 1.0
