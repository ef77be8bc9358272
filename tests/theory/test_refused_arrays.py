"""Every public function that takes attention refuses the same wrong matrices, labels, cells and tokens, on
every array library; one that is added is found by its signature.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import array_api_strict
import numpy as np
import pytest
import torch

from attnclust._array import ArgumentError, ArgumentTypeError

from .arguments import TABLE, A, L, Z, converted, every_kind, named, right_arguments
from .test_array_kinds import public_functions


def call(name: str, convert: Callable[[Any], Any], **wrong: Any) -> None:
    """With right arguments of one kind but for the wrong ones; a NumPy array among those is converted too."""
    named(name)(**converted({**right_arguments(name), **wrong}, convert))


def taking(argument: str) -> list[str]:
    """The public functions with an argument of that name that they cannot do without."""
    found = {name: inspect.signature(named(name)).parameters.get(argument) for name in public_functions()}
    return sorted(name for name, each in found.items() if each and each.default is each.empty)


ATTENTIVE = taking("attention")
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
@pytest.mark.parametrize("name", ATTENTIVE)
def test_attention(name: str, wrong: str, convert: Callable[[Any], Any]) -> None:
    value, error, said = BAD_ATTENTION[wrong]
    with pytest.raises(error, match=f"^attention: {said}"):
        call(name, convert, attention=value)


LABELLED = sorted(set(ATTENTIVE) & set(taking("labels")))
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
        call(name, convert, labels=value)


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
        call(name, convert, cells=value)


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
        call(name, convert, distances=value)


BAD_TOKENS: dict[str, tuple[Any, type[Exception], str]] = {
    "nan": (np.where(Z == 8, np.nan, Z), ArgumentError, "must be finite; got 1 NaN or infinite of 6"),
    "inf": (np.where(Z == 8, -np.inf, Z), ArgumentError, "must be finite; got 1 NaN or infinite of 6"),
    "too few": (Z[:2], ArgumentError, "must have one row a key, so n = 3"),
    "one axis": (Z[:, 0], ArgumentError, "must have at least 2 axes"),
    "integers": (Z.astype(int), ArgumentTypeError, "must have a real floating dtype; got .*int64"),
    "complex": (Z.astype(complex), ArgumentTypeError, "must have a real floating dtype; got .*complex"),
    "a list": (Z.tolist(), ArgumentTypeError, "must be a NumPy array or a torch tensor; got list"),
}
STEP_FUNCTIONS = sorted(set(ATTENTIVE) & set(taking("tokens")))


@every_kind
@pytest.mark.parametrize("wrong", BAD_TOKENS)
@pytest.mark.parametrize("name", STEP_FUNCTIONS)
def test_tokens(name: str, wrong: str, convert: Callable[[Any], Any]) -> None:
    value, error, said = BAD_TOKENS[wrong]
    with pytest.raises(error, match=f"^tokens: {said}"):
        call(name, convert, tokens=value)


MIXED: dict[tuple[str, str], np.ndarray] = {
    **{(name, "tokens"): Z for name in STEP_FUNCTIONS},
    **{(name, "labels"): L for name in LABELLED if not name.startswith("attention")},
    **{(f"bounds.{name}", "cells"): L for name in ("block_transport_bound", "block_recursion")},
    **{(f"bounds.{name}", "distances"): TABLE for name in ("block_transport_bound", "block_recursion")},
    **{
        (f"bounds.{name}", "d_cluster"): np.array([1.0, 0.0])
        for name in ("overlap_bound", "cluster_dobrushin_bound", "block_recursion_linear")
    },
}


@every_kind
@pytest.mark.parametrize(("name", "argument"), sorted(MIXED))
def test_arrays_of_two_kinds(name: str, argument: str, convert: Callable[[Any], Any]) -> None:
    other = torch.asarray if convert is not torch.asarray else array_api_strict.asarray
    said = f"^{argument}: must be of one kind with|must be of one kind with {argument}"
    with pytest.raises(ArgumentTypeError, match=said):
        call(name, convert, **{argument: other(MIXED[name, argument])})


@every_kind
def test_batches_that_do_not_broadcast(convert: Callable[[Any], Any]) -> None:
    for name in STEP_FUNCTIONS:
        with pytest.raises(ArgumentError, match=r"leading \(batch\) axes must broadcast"):
            call(name, convert, attention=np.stack([A, A]), tokens=np.stack([Z, Z, Z]))
    for name in (each for each in LABELLED if not each.startswith("attention")):
        with pytest.raises(ArgumentError, match=r"batch\)? axes must"):
            call(name, convert, attention=np.stack([A, A]), labels=np.stack([L, L, L]))
