"""Every argument of every public function, one at a time, as something it must not be: one clear error that
names it, never what NumPy or Python makes of it.

A function that is added is tried as soon as its arguments have a right value below.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Iterator
from typing import Any

import array_api_strict
import jaxtyping
import numpy as np
import pytest
import torch

from attnclust import attention, bounds, geometry, verify
from attnclust._array import ArgumentError, ArgumentTypeError

from .small import TABLE, A, L, Z
from .test_array_kinds import public_functions

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

NO_ARRAY: dict[str, Any] = {"a list": [[1.0]], "True": True, "complex": 1 + 1j}


MAY_BE_NEGATIVE = {"tokens", "a", "b", "w_q", "w_k", "w_v", "centre", "like"}


def wrong_values(argument: str, right: Any) -> Iterator[tuple[str, Any]]:
    """What nobody may pass where `right` is right."""
    yield from {"text": "text", "an object": object(), "a mapping": {}}.items()
    if isinstance(right, bool):
        yield from {"0": 0, "flags": np.array([True, False])}.items()
    elif isinstance(right, int):
        yield from {
            "a half": 1.5,
            "-1": -1,
            "True": True,
            "NaN": math.nan,
            "several": np.array([2, 2]),
        }.items()
    elif isinstance(right, float):
        yield from {"-1": -1.0, "NaN": math.nan, "several": np.array([0.5, 0.5]), **NO_ARRAY}.items()
    elif isinstance(right, tuple) and right:
        yield from {
            "one": (0,),
            "three": (0, 1, 2),
            "the same": (1, 1),
            "below": (-1, 0),
            "above": (0, 9),
        }.items()
        yield from {"halves": (0.5, 1), "words": ("0", "1"), "a number": 3, "None among": (0, None)}.items()
    elif isinstance(right, np.ndarray):
        first = np.arange(right.size).reshape(right.shape) == 0
        yield from NO_ARRAY.items()
        yield "complex array", right.astype(complex)
        if right.dtype == bool:
            yield from {
                "numbers": right.astype(int),
                "a number": 1,
                "none": ~right,
                "larger": np.eye(4) > 0,
            }.items()
        elif right.dtype == L.dtype:
            yield from {"floats": right.astype(float), "below -1": right - 3, "a number": 1}.items()
        else:
            yield "booleans", right.astype(bool)
            if argument not in MAY_BE_NEGATIVE:
                yield "one negative", np.where(first, -1.0, right)
            for number in (math.nan, math.inf, -math.inf):
                yield str(number), np.where(first, number, right)


@pytest.fixture(autouse=True)
def _as_users_call_it() -> Iterator[None]:
    """Without the annotations' checks, which this suite adds and which would answer first."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def named(room_and_name: str) -> Callable[..., Any]:
    room, name = room_and_name.split(".")
    return getattr(MODULES[room], name)


def right_arguments(name: str) -> dict[str, Any]:
    values = RIGHT | ALONE.get(name, {})
    return {argument: values[argument] for argument in inspect.signature(named(name)).parameters}


def converted(arguments: dict[str, Any], convert: Callable[[Any], Any]) -> dict[str, Any]:
    return {k: convert(v) if isinstance(v, np.ndarray) else v for k, v in arguments.items()}


ARGUMENTS = [(name, argument) for name in sorted(public_functions()) for argument in right_arguments(name)]
KINDS = {"numpy": np.asarray, "torch": torch.asarray, "strict": array_api_strict.asarray}
every_kind = pytest.mark.parametrize("convert", KINDS.values(), ids=KINDS)


@every_kind
@pytest.mark.parametrize("name", sorted(public_functions()))
def test_what_is_right_is_accepted(name: str, convert: Callable[[Any], Any]) -> None:
    named(name)(**converted(right_arguments(name), convert))


@every_kind
@pytest.mark.parametrize(("name", "argument"), ARGUMENTS)
def test_what_an_argument_must_not_be(name: str, argument: str, convert: Callable[[Any], Any]) -> None:
    """None too, where that is no default."""
    right = right_arguments(name)
    wrong = dict(wrong_values(argument, right[argument]))
    if inspect.signature(named(name)).parameters[argument].default is not None:
        wrong["None"] = None
    for label, value in wrong.items():
        if argument == "like" and isinstance(value, np.ndarray):
            continue
        try:
            named(name)(**converted({**right, argument: value}, convert))
        except (ArgumentError, ArgumentTypeError) as error:
            rule, _, remedy = str(error).partition("; got ")
            assert re.search(rf"\b{argument}\b", rule), (label, rule)
            assert re.search(r"\. [A-Z].*[.?]$", remedy), (label, remedy)
        else:
            pytest.fail(f"{label} was accepted")


ELEMENTWISE = [
    (name, each) for name, each in ARGUMENTS if each in {*NUMBERS, "outside"} and name not in ALONE
]


@every_kind
@pytest.mark.parametrize(("name", "argument"), ELEMENTWISE)
def test_three_numbers_beside_two(name: str, argument: str, convert: Callable[[Any], Any]) -> None:
    right = right_arguments(name)
    if len(right) == 1:
        return
    right[argument] = np.append(right[argument], right[argument][:1])
    with pytest.raises(
        ArgumentError, match=rf"{argument}\b.*must broadcast|must broadcast.* {argument}\b|must be .*K = 2"
    ):
        named(name)(**converted(right, convert))
