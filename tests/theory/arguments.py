"""Right arguments of every public function, by name: the tests of wrong ones change one of them at a time."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import array_api_strict
import numpy as np
import pytest
import torch

from attnclust import attention, bounds, geometry, verify

A = np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.0, 0.0, 1.0]])
Z = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 8.0]])
L = np.array([0, 0, 1])
TABLE = geometry.cell_distances(Z, L)
MODULES = {"verify": verify, "attention": attention, "bounds": bounds, "geometry": geometry}
NUMBERS = {
    "d_cluster": 1.0,
    "d_all": 9.0,
    "eps_lower": 0.125,
    "eps_upper": 0.25,
    "norm": 2.0,
    "alpha": 0.5,
    "bound": 1.0,
    "beta": 0.5,
    "mass": 0.25,
    "mass_g": 0.25,
    "mass_h": 0.5,
    "separation": 1.0,
}
"""Numbers that most functions also take by the array."""
RIGHT: dict[str, Any] = {
    **{name: np.array([value, value]) for name, value in NUMBERS.items()},
    **{"attention": A, "tokens": Z, "a": Z, "b": Z + 9.0, "distances": TABLE},
    **{"w_q": np.eye(2), "w_k": 2 * np.eye(2), "w_v": np.eye(2), "centre": np.array([0.0, 1.0])},
    **{"bounds": np.ones((2, 2)), "norms": np.array([1.0, 2.0]), "outside": np.array([1.0, 2.0])},
    **{"labels": L, "cells": L, "mask": np.ones((3, 3), dtype=bool)},
    **{"ord": 2.0, "scale": 1.5, "step_size": 0.5},
    **{
        "steps": 2,
        "clusters": 2,
        "cluster": 0,
        "d": 3,
        "d_k": 2,
        "n": 3,
        "width": 1,
        "inside": 2,
        "heads": None,
    },
    **{"exact": False, "pooled": False, "transport": False, "residual": True},
    **{"pair": (0, 1), "like": Z, "kind": "gaussian", "batch": (), "generator": np.random.default_rng(0)},
}
ALONE: dict[str, dict[str, Any]] = {
    **{
        f"attention.{name}_configuration": NUMBERS
        for name in ("cluster_dobrushin", "dobrushin", "separation")
    },
    "attention.sharp_configuration": {**NUMBERS, "outside": 1},
    "attention.separation_dobrushin_configuration": {**NUMBERS, "clusters": (0, 1)},
    "attention.simulate": {"norm": "sphere"},
    "bounds.separation_dobrushin_bound": {"separation": np.array(1.0), "d_all": np.array(9.0)},
}
"""Right values of functions in which a name means something else: one number, or another thing."""


def named(room_and_name: str) -> Callable[..., Any]:
    room, name = room_and_name.split(".")
    return getattr(MODULES[room], name)


def right_arguments(name: str) -> dict[str, Any]:
    values = RIGHT | ALONE.get(name, {})
    return {argument: values[argument] for argument in inspect.signature(named(name)).parameters}


def converted(arguments: dict[str, Any], convert: Callable[[Any], Any]) -> dict[str, Any]:
    return {k: convert(v) if isinstance(v, np.ndarray) else v for k, v in arguments.items()}


KINDS = {"numpy": np.asarray, "torch": torch.asarray, "strict": array_api_strict.asarray}
every_kind = pytest.mark.parametrize("convert", KINDS.values(), ids=KINDS)
