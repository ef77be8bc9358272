"""Every public function that takes attention refuses the same wrong matrices, labels, cells and tokens, on
every array library; one that is added and not called here fails the first test.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import array_api_strict
import numpy as np
import pytest
import torch

from attnclust import attention as attention_room
from attnclust import bounds, geometry, verify
from attnclust._array import ArgumentError, ArgumentTypeError

from .small import TABLE, A, L, Z
from .test_array_kinds import public_functions


class Given(NamedTuple):
    """The arguments of a call, of one array kind but for the one that is wrong."""

    attention: Any
    tokens: Any
    labels: Any
    cells: Any
    table: Any
    d: Any

    @property
    def sides(self) -> dict[str, Any]:
        return {"d_cluster": self.d, "d_all": 9.0}


def given(convert: Callable[[Any], Any], **wrong: Any) -> Given:
    """Right arguments of one kind; a NumPy array among the wrong ones is converted too."""
    right = {"attention": A, "tokens": Z, "labels": L, "cells": L, "table": TABLE, "d": np.array([1.0, 0.0])}
    return Given(**{k: convert(v) if isinstance(v, np.ndarray) else v for k, v in {**right, **wrong}.items()})


CALLS: dict[str, Callable[[Given], Any]] = {
    "verify.verify": lambda g: verify.verify(g.attention, g.tokens, g.labels),
    "attention.attend": lambda g: attention_room.attend(g.attention, g.tokens),
    "attention.dobrushin_configuration": lambda g: attention_room.dobrushin_configuration(g.attention),
    "attention.cluster_dobrushin_configuration": lambda g: attention_room.cluster_dobrushin_configuration(
        g.attention, g.labels, d_cluster=1.0, d_all=9.0
    ),
    "attention.block_transport_configuration": lambda g: attention_room.block_transport_configuration(
        g.attention, pair=(0, 1), cells=g.cells, distances=g.table
    ),
    "attention.separation_dobrushin_configuration": lambda g: (
        attention_room.separation_dobrushin_configuration(g.attention, g.labels, separation=1.0, d_all=9.0)
    ),
    "bounds.certify": lambda g: bounds.certify(g.attention, g.tokens, g.labels),
    "bounds.cross_attention": lambda g: bounds.cross_attention(g.attention, g.labels),
    "bounds.dobrushin_coefficient": lambda g: bounds.dobrushin_coefficient(g.attention),
    "bounds.overlap_bound": lambda g: bounds.overlap_bound(g.attention, g.labels, **g.sides),
    "bounds.cluster_dobrushin_bound": lambda g: bounds.cluster_dobrushin_bound(
        g.attention, g.labels, **g.sides
    ),
    "bounds.block_transport_bound": lambda g: bounds.block_transport_bound(
        g.attention, g.labels, cells=g.cells, distances=g.table
    ),
    "bounds.transport_bound": lambda g: bounds.transport_bound(g.attention, g.tokens, g.labels),
    "bounds.independent_bound": lambda g: bounds.independent_bound(g.attention, g.tokens, g.labels),
    "bounds.star_bound": lambda g: bounds.star_bound(g.attention, g.tokens, g.labels),
    "bounds.chi_bound": lambda g: bounds.chi_bound(g.attention, g.tokens, g.labels),
    "bounds.block_recursion": lambda g: bounds.block_recursion(g.attention, g.cells, distances=g.table),
    "bounds.block_recursion_linear": lambda g: bounds.block_recursion_linear(g.attention, g.cells, **g.sides),
    "bounds.separation_dobrushin_bound": lambda g: bounds.separation_dobrushin_bound(
        g.attention, g.labels, separation=1.0, d_all=9.0
    ),
}
MODULES = {"verify": verify, "attention": attention_room, "bounds": bounds, "geometry": geometry}


def taking(argument: str) -> list[str]:
    """The public functions with an argument of that name that they cannot do without."""

    def takes(name: str) -> bool:
        room, function = name.split(".")
        found = inspect.signature(getattr(MODULES[room], function)).parameters.get(argument)
        return found is not None and found.default is inspect.Parameter.empty

    return sorted(filter(takes, public_functions()))


def test_every_public_function_that_takes_attention_is_called_here() -> None:
    assert sorted(CALLS) == taking("attention")


KINDS = {"numpy": np.asarray, "torch": torch.tensor, "strict": array_api_strict.asarray}
every_kind = pytest.mark.parametrize("convert", KINDS.values(), ids=KINDS)


@every_kind
@pytest.mark.parametrize("name", CALLS)
def test_what_is_right_is_accepted(name: str, convert: Callable[[Any], Any]) -> None:
    CALLS[name](given(convert))


BAD_ATTENTION: dict[str, tuple[Any, type[Exception], str]] = {
    "sums": (2 * A, ArgumentError, "every row must sum to 1"),
    "sums below 1": (A / 2, ArgumentError, "every row must sum to 1"),
    "one row's sum": (A + np.array([[0.0], [0.0], [1e-3]]), ArgumentError, "every row must sum to 1"),
    "columns": (A.T, ArgumentError, "every row must sum to 1"),
    "one of a batch": (np.stack([A, 2 * A]), ArgumentError, "every row must sum to 1"),
    "negative": (A - 1e-3, ArgumentError, "weights must not be negative"),
    "negative, rows sum to 1": (2 * np.eye(3) - A, ArgumentError, "weights must not be negative"),
    "nan": (np.where(A == 1, np.nan, A), ArgumentError, "must be finite; got 1 NaN or infinite of 9"),
    "inf": (np.where(A == 1, np.inf, A), ArgumentError, "must be finite; got 1 NaN or infinite of 9"),
    "-inf": (np.where(A == 1, -np.inf, A), ArgumentError, "must be finite; got 1 NaN or infinite of 9"),
    "not square": (A[:, :2], ArgumentError, "must be square"),
    "empty": (A[:0, :0], ArgumentError, "must be square and not empty"),
    "one axis": (A[0], ArgumentError, "must have at least 2 axes"),
    "integers": (
        np.eye(3, dtype=np.int64),
        ArgumentTypeError,
        "must have a real floating dtype; got .*int64",
    ),
    "booleans": (np.eye(3, dtype=bool), ArgumentTypeError, "must have a real floating dtype; got .*bool"),
    "complex": (A.astype(complex), ArgumentTypeError, "must have a real floating dtype; got .*complex128"),
    "a list": (A.tolist(), ArgumentTypeError, "must be a NumPy array or a torch tensor; got list"),
}


@every_kind
@pytest.mark.parametrize("wrong", BAD_ATTENTION)
@pytest.mark.parametrize("name", CALLS)
def test_attention(name: str, wrong: str, convert: Callable[[Any], Any]) -> None:
    value, error, said = BAD_ATTENTION[wrong]
    with pytest.raises(error, match=f"^attention: {said}"):
        CALLS[name](given(convert, attention=value))


LABELLED = sorted(set(CALLS) & set(taking("labels")))
BAD_LABELS: dict[str, tuple[Any, type[Exception], str]] = {
    "too few": (L[:2], ArgumentError, "must have one entry a token, so length 3; got shape"),
    "floats": (L.astype(float), ArgumentTypeError, "must have an integer dtype"),
    "below -1": (L - 3, ArgumentError, "must be -1"),
    "one below -1": (np.array([0, 0, -2]), ArgumentError, "must be -1"),
    "a list": (L.tolist(), ArgumentTypeError, "must be a NumPy array or a torch tensor; got list"),
    "a number": (np.array(0), ArgumentError, "must have one entry a token"),
}


@every_kind
@pytest.mark.parametrize("wrong", BAD_LABELS)
@pytest.mark.parametrize("name", LABELLED)
def test_labels(name: str, wrong: str, convert: Callable[[Any], Any]) -> None:
    value, error, said = BAD_LABELS[wrong]
    with pytest.raises(error, match=f"^labels: {said}"):
        CALLS[name](given(convert, labels=value))


BAD_CELLS: dict[str, tuple[Any, type[Exception], str]] = {
    "too few": (L[:2], ArgumentError, "must have one entry a token, so length 3; got shape"),
    "floats": (L.astype(float), ArgumentTypeError, "must have an integer dtype"),
    "below -1": (L - 3, ArgumentError, "must be -1"),
    "in none": (L - 1, ArgumentError, "must put every token in a cell"),
    "batched": (np.stack([L]), ArgumentError, r"batch axes must broadcast to \(\); got shape \(1, 3\)"),
}
"""The configuration has its own words: `test_contracts.test_cells_that_are_not_the_table_s`."""


@every_kind
@pytest.mark.parametrize("wrong", BAD_CELLS)
@pytest.mark.parametrize(
    "name", ["bounds.block_transport_bound", "bounds.block_recursion", "bounds.block_recursion_linear"]
)
def test_cells(name: str, wrong: str, convert: Callable[[Any], Any]) -> None:
    value, error, said = BAD_CELLS[wrong]
    with pytest.raises(error, match=f"^cells: {said}"):
        CALLS[name](given(convert, cells=value))


BAD_TABLES: dict[str, tuple[Any, type[Exception], str]] = {
    "negative": (-TABLE, ArgumentError, "must be symmetric and not negative"),
    "one entry": (
        TABLE + np.eye(2)[::-1] * [[1.0], [0.0]],
        ArgumentError,
        "must be symmetric and not negative",
    ),
    "nan": (np.where(TABLE == 1, np.nan, TABLE), ArgumentError, "must be finite; got 1 NaN"),
    "inf": (np.where(TABLE == 1, np.inf, TABLE), ArgumentError, "must be finite; got 1 NaN or infinite"),
    "too many cells": (A + A.T, ArgumentError, "must be .K, K. with K = 2 cells"),
    "integers": (TABLE.astype(int), ArgumentTypeError, "must have a real floating dtype"),
}


@every_kind
@pytest.mark.parametrize("wrong", BAD_TABLES)
@pytest.mark.parametrize("name", ["bounds.block_transport_bound", "bounds.block_recursion"])
def test_tables(name: str, wrong: str, convert: Callable[[Any], Any]) -> None:
    value, error, said = BAD_TABLES[wrong]
    with pytest.raises(error, match=f"^distances: {said}"):
        CALLS[name](given(convert, table=value))


BAD_TOKENS: dict[str, tuple[Any, type[Exception], str]] = {
    "nan": (np.where(Z == 8, np.nan, Z), ArgumentError, "must be finite; got 1 NaN or infinite of 6"),
    "inf": (np.where(Z == 8, -np.inf, Z), ArgumentError, "must be finite; got 1 NaN or infinite of 6"),
    "too few": (Z[:2], ArgumentError, "must have one row a key, so n = 3"),
    "one axis": (Z[:, 0], ArgumentError, "must have at least 2 axes"),
    "integers": (Z.astype(int), ArgumentTypeError, "must have a real floating dtype; got .*int64"),
    "complex": (Z.astype(complex), ArgumentTypeError, "must have a real floating dtype; got .*complex"),
    "a list": (Z.tolist(), ArgumentTypeError, "must be a NumPy array or a torch tensor; got list"),
}
STEP_FUNCTIONS = sorted(set(CALLS) & set(taking("tokens")))


@every_kind
@pytest.mark.parametrize("wrong", BAD_TOKENS)
@pytest.mark.parametrize("name", STEP_FUNCTIONS)
def test_tokens(name: str, wrong: str, convert: Callable[[Any], Any]) -> None:
    value, error, said = BAD_TOKENS[wrong]
    with pytest.raises(error, match=f"^tokens: {said}"):
        CALLS[name](given(convert, tokens=value))


MIXED: dict[tuple[str, str], np.ndarray] = {
    **{(name, "tokens"): Z for name in STEP_FUNCTIONS},
    **{(name, "labels"): L for name in LABELLED if not name.startswith("attention")},
    **{(f"bounds.{name}", "cells"): L for name in ("block_transport_bound", "block_recursion")},
    **{(f"bounds.{name}", "table"): TABLE for name in ("block_transport_bound", "block_recursion")},
    **{
        (f"bounds.{name}", "d"): np.array([1.0, 0.0])
        for name in ("overlap_bound", "cluster_dobrushin_bound", "block_recursion_linear")
    },
}


@every_kind
@pytest.mark.parametrize(("name", "argument"), sorted(MIXED))
def test_arrays_of_two_kinds(name: str, argument: str, convert: Callable[[Any], Any]) -> None:
    other = torch.tensor if convert is not torch.tensor else array_api_strict.asarray
    called = {"table": "distances", "d": "d_cluster"}.get(argument, argument)
    named = f"^{called}: must be of one kind with|must be of one kind with {called}"
    with pytest.raises(ArgumentTypeError, match=named):
        CALLS[name](given(convert, **{argument: other(MIXED[name, argument])}))


@every_kind
def test_batches_that_do_not_broadcast(convert: Callable[[Any], Any]) -> None:
    for name in STEP_FUNCTIONS:
        with pytest.raises(ArgumentError, match=r"leading \(batch\) axes must broadcast"):
            CALLS[name](given(convert, attention=np.stack([A, A]), tokens=np.stack([Z, Z, Z])))
    for name in (each for each in LABELLED if not each.startswith("attention")):
        with pytest.raises(ArgumentError, match=r"batch\)? axes must"):
            CALLS[name](given(convert, attention=np.stack([A, A]), labels=np.stack([L, L, L])))
