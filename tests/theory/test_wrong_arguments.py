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

import jaxtyping
import numpy as np
import pytest

from attnclust._array import ArgumentError, ArgumentTypeError

from .arguments import ALONE, NUMBERS, L, converted, every_kind, named, right_arguments
from .test_array_kinds import public_functions

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
        yield from {
            "one complex": np.array(1j),
            "one flag": np.array(True),
        }.items()
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
        if argument == "like":
            yield "a number", 3
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


ARGUMENTS = [(name, argument) for name in sorted(public_functions()) for argument in right_arguments(name)]


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
