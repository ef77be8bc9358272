"""Proof against program: what Coq proves of 24 rational layers is what the package computes."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from attnclust import attention, bounds, geometry

COUNT = 24
# Rows of at most 5 weights, tokens of at most 3 entries, polynomials of degree 4: some dozens of roundings.
ROUNDINGS = 100 * np.finfo(np.float64).eps


def program(instance: Any) -> dict[str, float]:
    """The same numbers from the package, for cluster 0, everything else being outside."""
    a = np.array([[float(x) for x in row] for row in instance.rows])
    z = np.array([[float(x) for x in row] for row in instance.tokens])
    labels = np.where(instance.members, 0, -1)
    order = np.inf if instance.sup else 1
    new = attention.attend(a, z)
    d = geometry.cluster_diameters(z, labels, ord=order)
    big = geometry.diameter(z, ord=order)
    cross = bounds.cross_attention(a, labels)
    ranges: dict[str, Any] = {
        "outside": cross.outside,
        "eps_lower": cross.eps_lower,
        "eps_upper": cross.eps_upper,
    }
    numbers = {
        "cluster_diameter": d,
        "all_diameter": big,
        "next_cluster_diameter": geometry.cluster_diameters(new, labels, ord=order),
        "next_all_diameter": geometry.diameter(new, ord=order),
        "outside_tokens": cross.outside,
        "eps_lower": cross.eps_lower,
        "eps_upper": cross.eps_upper,
        "coefficient": bounds.dobrushin_coefficient(a),
        "cluster_dobrushin_is": bounds.cluster_dobrushin_bound(a, labels, d_cluster=d, d_all=big),
        "overlap_is": bounds.overlap_bound(a, labels, d_cluster=d, d_all=big),
        "sharp_is": bounds.sharp_bound(d, big, **ranges),
        "product_is": bounds.product_bound(d, big, **ranges),
        "linear_is": bounds.linear_bound(d, big, **ranges),
        "paper_appendix_is": bounds.paper_appendix_bound(d, big, **ranges),
        "paper_main_is": bounds.paper_main_bound(d, big, **ranges),
    }
    return {name: np.asarray(value).item() for name, value in numbers.items()}


def test_coq_has_the_instances_that_python_writes(instances: ModuleType, proofs: Path) -> None:
    assert (proofs / "instances.v").read_text() == instances.source(), "stale: run python proofs/instances.py"
    assert len(instances.instances()) == COUNT


def test_coq_proves_them(coq_output: str, status: ModuleType) -> None:
    assert status.printed(coq_output)["all_instances"] == "Closed under the global context"


@pytest.mark.parametrize("number", range(COUNT))
def test_the_program_agrees(number: int, instances: ModuleType) -> None:
    instance = instances.instances()[number]
    expected = instance.values()
    found = program(instance)
    assert set(found) == set(expected)
    scale = max(
        float(max(expected.values())), max(abs(float(x)) for row in instance.tokens for x in row), 1.0
    )
    for name, value in expected.items():
        assert abs(found[name] - float(value)) <= ROUNDINGS * scale, name


def test_the_instances_tell_rows_from_columns(instances: ModuleType) -> None:
    for instance in instances.instances():
        turned = replace(instance, rows=[list(column) for column in zip(*instance.rows, strict=True)])
        assert turned.values()["next_cluster_diameter"] != instance.values()["next_cluster_diameter"]


def test_the_instances_tell_inside_from_outside(instances: ModuleType) -> None:
    for instance in instances.instances():
        turned = replace(instance, members=[not member for member in instance.members])
        assert turned.values() != instance.values()
        # Weights towards the cluster, in place of weights away from it, would be other weights too.
        inward = [
            weight
            for row, outside in zip(instance.rows, turned.members, strict=True)
            if outside
            for weight, inside in zip(row, instance.members, strict=True)
            if inside
        ]
        values = instance.values()
        assert (min(inward), max(inward)) != (values["eps_lower"], values["eps_upper"])


def test_the_instances_reach_every_branch(instances: ModuleType) -> None:
    """Capped and uncapped ranges, both norms, a bound attained, and every rung strictly between others."""
    values = [instance.values() for instance in instances.instances()]
    capped = [v["outside_tokens"] * v["eps_upper"] > 1 for v in values]
    assert 2 <= sum(capped) <= COUNT - 2
    assert 2 <= sum(instance.sup for instance in instances.instances()) <= COUNT - 2
    assert values[0]["next_cluster_diameter"] == values[0]["sharp_is"] == Fraction(6, 5)
    rungs = [name for name in values[0] if name.endswith("_is")]
    for lower, upper in [*pairwise(rungs[:-1]), ("linear_is", "paper_main_is")]:
        assert all(v[lower] <= v[upper] for v in values)
        assert any(v[lower] < v[upper] for v in values), (lower, upper)
