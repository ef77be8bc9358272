"""Batch axes on some arguments and not on others; a batch without elements; blocks of pairs of any size."""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from attnclust import bounds
from attnclust.verify import verify

CELLS = np.array([0, 1, 1, 2, 0])
MANY = np.array([0, 1, 1, 2, 0, 0, 1, 2, 2, 1, 0, 2])


def made(seed: int, batch: tuple[int, ...], n: int) -> dict[str, Any]:
    """What the functions take, with the batch axes `batch`; no two elements alike."""
    rng = np.random.default_rng(seed)
    known = [0] * (n // 2) + [1] * ((n - 1) // 2) + [-1]
    half = rng.uniform(1, 4, size=(*batch, 3, 3))
    return {
        "attention": rng.dirichlet(np.full(n, 0.5), size=(*batch, n)),
        "tokens": rng.normal(size=(*batch, n, 2)),
        "labels": np.stack([rng.permutation(known) for _ in range(math.prod(batch))]).reshape(*batch, n),
        # The diameter of all tokens last, so that both are of one batch.
        "of_clusters": rng.uniform([0, 0, 5], [5, 5, 9], size=(*batch, 3)),
        "of_cells": rng.uniform([0, 0, 0, 5], [5, 5, 5, 9], size=(*batch, 4)),
        "d_all": rng.uniform(5, 9, size=batch),
        "separation": rng.uniform(0, 5, size=batch),
        "distances": half + np.swapaxes(half, -1, -2),
        "w": rng.normal(size=(*batch, 2, 4)),
        "heads": rng.uniform(size=(*batch, 4, 2)),
    }


def fields(record: Any) -> dict[str, Any]:
    """The arrays of a record, those in its mappings by their label."""
    flat: dict[str, Any] = {}
    for name, value in (record._asdict() if hasattr(record, "_asdict") else vars(record)).items():
        flat |= (
            {f"{name} {key}": each for key, each in value.items()}
            if isinstance(value, dict)
            else {name: value}
        )
    return flat


def cells_of(a: np.ndarray) -> np.ndarray:
    return CELLS if a.shape[-1] == len(CELLS) else MANY


def sides(d: np.ndarray) -> dict[str, Any]:
    return {"d_cluster": d[..., :-1], "d_all": d[..., -1]}


STEP, ROWS = ("attention", "tokens", "labels"), ("attention", "labels")
CALLS: dict[str, tuple[tuple[str, ...], Callable[..., Any]]] = {
    "verify": (STEP, lambda a, z, c: fields(verify(a, z, c, transport=True))),
    "verify pooled": (STEP, lambda a, z, c: fields(verify(a, z, c, pooled=True))),
    "certify": (STEP, lambda a, z, c: fields(bounds.certify(a, z, c))),
    "certify, 1-norm": (STEP, lambda a, z, c: fields(bounds.certify(a, z, c, ord=1))),
    "transport": (STEP, bounds.transport_bound),
    "independent": (STEP, bounds.independent_bound),
    "star": (STEP, bounds.star_bound),
    "chi": (STEP, bounds.chi_bound),
    "ranges": (ROWS, lambda a, c: fields(bounds.cross_attention(a, c))),
    "ranges pooled": (ROWS, lambda a, c: fields(bounds.cross_attention(a, c, pooled=True))),
    "overlap": ((*ROWS, "of_clusters"), lambda a, c, d: bounds.overlap_bound(a, c, **sides(d))),
    "cluster_dobrushin": (
        (*ROWS, "of_clusters"),
        lambda a, c, d: bounds.cluster_dobrushin_bound(a, c, **sides(d)),
    ),
    "block_transport": (
        (*ROWS, "distances"),
        lambda a, c, t: bounds.block_transport_bound(a, c, cells=cells_of(a), distances=t),
    ),
    "block_transport exact": (
        (*ROWS, "distances"),
        lambda a, c, t: bounds.block_transport_bound(a, c, cells=cells_of(a), distances=t, exact=True),
    ),
    "block_recursion": (
        ("attention", "distances"),
        lambda a, t: bounds.block_recursion(a, cells_of(a), distances=t),
    ),
    "block_recursion_linear": (
        ("attention", "of_cells"),
        lambda a, d: bounds.block_recursion_linear(a, cells_of(a), **sides(d)),
    ),
    "separation_dobrushin": (
        (*ROWS, "separation", "d_all"),
        lambda a, c, s, d: bounds.separation_dobrushin_bound(a, c, separation=s, d_all=d, pair=(1, 0)),
    ),
    "dobrushin": (("attention",), bounds.dobrushin_coefficient),
    "softmax_beta": (("w",), lambda w: bounds.softmax_beta(w, 2 * w[..., ::-1])),
    "multi_head": (("heads",), lambda h: bounds.multi_head_bound(h, norms=np.arange(4.0))),
}


def called(name: str, arguments: list[Any]) -> dict[str, np.ndarray]:
    got = CALLS[name][1](*arguments)
    return got if isinstance(got, dict) else {name: got}


def batchings(count: int) -> Iterator[list[tuple[bool, bool]]]:
    """Which of two batch axes each argument has: both; both in one alone, in all but one; and in one the
    first, in the others the second.
    """
    both, none, first, second = (True, True), (False, False), (True, False), (False, True)
    yield [both] * count
    for one in range(count):
        for here, there in ((both, none), (none, both), (first, second), (second, first)):
            kept = [here if i == one else there for i in range(count)]
            if kept != [none]:
                yield kept


@pytest.mark.parametrize("name", CALLS)
def test_each_argument_brings_its_own_batch_axes(name: str) -> None:
    names = CALLS[name][0]
    drawn = made(5, (2, 3), 5)  # axes of other lengths than the tokens: none is taken for another unseen
    for kept in batchings(len(names)):
        arguments = []
        for each, (one, other) in zip(names, kept, strict=True):
            part = drawn[each][:: 1 if one else 2, :: 1 if other else 3]
            arguments.append(part if one or other else part[0, 0])
        batch = (2 if any(one for one, _ in kept) else 1, 3 if any(other for _, other in kept) else 1)
        got = called(name, arguments)
        for i, j in np.ndindex(*batch):
            alone = [drawn[each][i * one, j * other] for each, (one, other) in zip(names, kept, strict=True)]
            for label, expected in called(name, alone).items():
                assert got[label].shape == (*batch, *expected.shape), (label, kept)
                np.testing.assert_allclose(
                    got[label][i, j], expected, rtol=1e-12, atol=1e-13, err_msg=f"{label} {kept}"
                )


@pytest.mark.parametrize("name", CALLS)
def test_each_element_of_three_leading_axes_is_as_it_is_alone(name: str) -> None:
    names, drawn = CALLS[name][0], made(11, (2, 3, 4), 5)
    got = called(name, [drawn[each] for each in names])
    for at in np.ndindex(2, 3, 4):
        for label, alone in called(name, [drawn[each][at] for each in names]).items():
            np.testing.assert_allclose(got[label][at], alone, rtol=1e-12, atol=1e-13, err_msg=f"{label} {at}")


@pytest.mark.parametrize("first", range(1, 6))
def test_elements_with_one_labelling_get_what_they_get_alone_however_many_they_are(first: int) -> None:
    """Also where they are as many as the tokens: five."""
    drawn = made(first, (6,), 5)
    drawn["labels"] = drawn["labels"][[0] * first + [1] * (6 - first)]
    for name in ("verify", "certify", "overlap", "block_transport", "star", "ranges"):
        got = called(name, [drawn[each] for each in CALLS[name][0]])
        for i in range(6):
            for label, expected in called(name, [drawn[each][i] for each in CALLS[name][0]]).items():
                np.testing.assert_allclose(got[label][i], expected, rtol=1e-12, atol=1e-13, err_msg=label)


@pytest.mark.parametrize("empty", [(0,), (2, 0), (0, 3)])
@pytest.mark.parametrize("name", CALLS)
def test_a_batch_without_elements_gives_a_result_without_elements(name: str, empty: tuple[int, ...]) -> None:
    """One labelling for all, which is nobody's: without batch axes, and with axes of length 1."""
    names, drawn = CALLS[name][0], made(0, (), 5)
    alone = called(name, [drawn[each] for each in names])
    for ones in {(), (1,) * len(empty)} if "labels" in names else {()}:
        arguments = [
            np.broadcast_to(drawn[each], (*(ones if each == "labels" else empty), *np.shape(drawn[each])))
            for each in names
        ]
        for label, got in called(name, arguments).items():
            assert got.shape == (*empty, *alone[label].shape), label
            assert got.dtype == alone[label].dtype, label


# The constants that cut the work: what blocks may hold, and from where on NumPy goes pair by pair.
BLOCKS = [("_pairs", "BUDGET"), ("_pairs", "GATHERED"), ("independent", "GATHERED"), ("certify", "GATHERED")]
LONG = [("_pairs", "LONG")]


@pytest.mark.parametrize(
    "name", sorted(set(CALLS) - {"ranges", "ranges pooled", "transport", "chi", "softmax_beta", "multi_head"})
)
def test_blocks_of_pairs_of_any_size_give_what_one_block_gives(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clusters of six and five tokens, or cells of four: blocks end within them. In six elements their rows
    are those of one, turned by one each, so that the worst pair comes in every place.
    """
    names, one = CALLS[name][0], made(0, (), 12)
    drawn = {each: np.stack([value] * 6) for each, value in one.items()} | {"labels": one["labels"]}
    groups = one["labels"] if "labels" in names else MANY
    for turn, group in itertools.product(range(6), range(3)):
        rows = np.flatnonzero(groups == group)
        drawn["attention"][turn, rows] = one["attention"][np.roll(rows, turn)]
    arguments = [drawn[each] for each in names]
    once = called(name, arguments)
    # Blocks of every size; then NumPy's other way, pair by pair, which long rows take.
    for constants, value in (*((BLOCKS, budget) for budget in (1, 4, 15, 60, 250, 1000)), (LONG, 0)):
        with monkeypatch.context() as patched:
            for module, constant in constants:
                patched.setattr(sys.modules[f"attnclust.bounds.{module}"], constant, value)
            again = called(name, arguments)
        for label, expected in once.items():
            np.testing.assert_allclose(again[label], expected, rtol=1e-12, atol=1e-13, err_msg=label)
