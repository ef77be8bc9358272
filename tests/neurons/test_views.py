"""Closed forms against the literal recursion, worked cases, and the exact sum that makes a neuron."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from subprocess import run
from typing import Any

import numpy as np
import pytest
import torch

from attnclust._array import ArgumentError, ArgumentTypeError
from attnclust.neurons import column_view, embedding_view, neuron_view, rollout

from .recursion import level_zero, views

# Channels 2, patches 3 x 5 of 7 pixels, filters 11, prefix 1 or 2, levels 4: no two axes alike.
GRID, PATCH, CHANNELS, FILTERS, LEVELS = (3, 5), 7, 2, 11, 4
PATCHES = GRID[0] * GRID[1]


@dataclass
class Case:
    image: np.ndarray
    filters: np.ndarray
    maps: list[np.ndarray]
    prefix: int

    def rollout(self) -> Any:
        return rollout(self.maps, prefix_tokens=self.prefix)


@pytest.fixture(params=[0, 1, 2], ids=lambda prefix: f"{prefix} prefix tokens")
def case(request: pytest.FixtureRequest) -> Case:
    rng = np.random.default_rng(5)
    tokens = request.param + PATCHES
    maps = [rng.dirichlet(np.full(tokens, 0.3), size=tokens) for _ in range(LEVELS)]
    image = rng.normal(size=(CHANNELS, GRID[0] * PATCH, GRID[1] * PATCH))
    return Case(image, rng.normal(size=(FILTERS, CHANNELS, PATCH, PATCH)), maps, request.param)


def slack(case: Case) -> float:
    """L sums of T products, each rounded, of numbers up to max|f| max|x|."""
    tokens = len(case.maps[0])
    return 2 * LEVELS * (tokens + 2) * 2.0**-53 * float(np.abs(case.filters).max() * np.abs(case.image).max())


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_every_view_is_the_literal_recursions(case: Case, kind: str) -> None:
    convert: Any = torch.from_numpy if kind == "torch" else np.asarray
    image, filters = convert(case.image), convert(case.filters)
    weights = rollout([convert(m) for m in case.maps], prefix_tokens=case.prefix)
    for neuron in (0, 3, FILTERS - 1):
        literal = views(case.image, case.filters, case.maps, neuron=neuron, prefix=case.prefix)
        for level in range(1, LEVELS + 1):
            together = neuron_view(image, filters, weights, level=level, token=None, neuron=neuron)
            assert isinstance(together, torch.Tensor if kind == "torch" else np.ndarray)
            np.testing.assert_allclose(np.asarray(together), literal[level - 1], rtol=0, atol=slack(case))
            for token in (0, case.prefix, case.prefix + PATCHES - 1):
                one = neuron_view(image, filters, weights, level=level, token=token, neuron=neuron)
                assert one.shape == case.image.shape
                np.testing.assert_array_equal(np.asarray(one), np.asarray(together[token]))


def test_level_zero_is_one_patch_in_a_picture_of_zeros(case: Case) -> None:
    literal = level_zero(case.image, case.filters, 4)
    for patch in range(PATCHES):
        view = neuron_view(
            case.image, case.filters, case.rollout(), level=0, token=case.prefix + patch, neuron=4
        )
        np.testing.assert_array_equal(view, literal[patch])
    column = column_view(case.image, case.filters, neuron=4)
    np.testing.assert_allclose(column, np.sum(literal, axis=0), rtol=0, atol=0)


def test_prefix_tokens_have_no_view_at_level_zero(case: Case) -> None:
    weights = case.rollout()
    for token in [*range(case.prefix), *([None] if case.prefix else [])]:
        with pytest.raises(
            ArgumentError, match="token: a prefix token has no patch, hence no view at level 0"
        ):
            neuron_view(case.image, case.filters, weights, level=0, token=token, neuron=0)
        with pytest.raises(ArgumentError, match="token: a prefix token has no patch"):
            embedding_view(case.image, case.filters, weights, level=0, token=token)
    if not case.prefix:
        every = neuron_view(case.image, case.filters, weights, level=0, token=None, neuron=2)
        np.testing.assert_array_equal(every, level_zero(case.image, case.filters, 2))


OVERLAYS: dict[str, Any] = {
    "sum": lambda stack: stack.sum(axis=0),
    "mean": lambda stack: stack.mean(axis=0),
    "max": lambda stack: stack.max(axis=0),
    "l2": lambda stack: np.sqrt((stack**2).sum(axis=0)),
}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_overlays_are_those_of_all_the_neurons_stacked(case: Case, overlay: str) -> None:
    weights = case.rollout()
    for level, token in [(0, case.prefix + 6), (1, 0), (LEVELS, case.prefix + 3)]:
        stack = np.stack(
            [
                neuron_view(case.image, case.filters, weights, level=level, token=token, neuron=neuron)
                for neuron in range(FILTERS)
            ]
        )
        ours = embedding_view(case.image, case.filters, weights, level=level, token=token, overlay=overlay)
        np.testing.assert_allclose(ours, OVERLAYS[overlay](stack), rtol=0, atol=FILTERS * slack(case))


def test_the_rollout_is_the_product_of_the_maps_without_the_prefix_at_block_one(case: Case) -> None:
    weights = case.rollout()
    assert weights.shape == (LEVELS, case.prefix + PATCHES, PATCHES)
    product = np.eye(case.prefix + PATCHES)
    for level, attention in enumerate(case.maps):
        product = attention @ product
        np.testing.assert_allclose(weights[level], product[:, case.prefix :], rtol=0, atol=1e-14)
    lost = case.maps[0][:, : case.prefix].sum(axis=1)
    np.testing.assert_allclose(weights[0].sum(axis=1), 1 - lost, rtol=0, atol=1e-14)


def test_the_residual_rollout_row_normalises_attention_plus_identity(case: Case) -> None:
    weights = rollout(case.maps, prefix_tokens=case.prefix, residual=True)
    mixed = []
    for attention in case.maps:
        summed = attention + np.eye(len(attention))
        mixed.append(summed / summed.sum(axis=1, keepdims=True))
    np.testing.assert_allclose(weights, rollout(mixed, prefix_tokens=case.prefix), rtol=0, atol=1e-15)


def test_a_batch_of_rollouts_is_each_images_own(case: Case) -> None:
    other = [attention[::-1, ::-1].copy() for attention in case.maps]
    batched = rollout(
        [np.stack(pair) for pair in zip(case.maps, other, strict=True)], prefix_tokens=case.prefix
    )
    assert batched.shape == (LEVELS, 2, case.prefix + PATCHES, PATCHES)
    np.testing.assert_array_equal(batched[:, 0], case.rollout())
    np.testing.assert_array_equal(batched[:, 1], rollout(other, prefix_tokens=case.prefix))
    stacked = rollout(np.stack(case.maps), prefix_tokens=case.prefix)
    np.testing.assert_array_equal(stacked, case.rollout())


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_out_is_written_and_returned(case: Case, kind: str) -> None:
    convert: Any = torch.from_numpy if kind == "torch" else np.asarray
    image, filters = convert(case.image), convert(case.filters)
    weights = convert(case.rollout())
    tokens = case.prefix + PATCHES

    def check(expected: Any, **options: Any) -> None:
        function = options.pop("function")
        out = convert(np.full(tuple(expected.shape), np.nan))
        given = (image, filters) if function is column_view else (image, filters, weights)
        assert function(*given, **options, out=out) is out
        np.testing.assert_array_equal(np.asarray(out), np.asarray(expected))

    options: dict[str, Any] = {"level": 2, "neuron": 1}
    check(neuron_view(image, filters, weights, **options, token=3), function=neuron_view, **options, token=3)
    everyone = neuron_view(image, filters, weights, **options, token=None)
    assert everyone.shape == (tokens, *case.image.shape)
    check(everyone, function=neuron_view, **options, token=None)
    laid = embedding_view(image, filters, weights, level=3, token=None, overlay="max")
    check(laid, function=embedding_view, level=3, token=None, overlay="max")
    check(column_view(image, filters, neuron=10), function=column_view, neuron=10)


def test_views_of_all_tokens_change_nothing_they_are_given(case: Case) -> None:
    weights = case.rollout()
    before = [x.copy() for x in (case.image, case.filters, weights)]
    for array in (case.image, case.filters, weights):
        array.flags.writeable = False
    embedding_view(case.image, case.filters, weights, level=1, token=None, overlay="l2")
    neuron_view(case.image, case.filters, weights, level=4, token=None, neuron=1)
    for array, copy in zip((case.image, case.filters, weights), before, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_dtypes_are_kept_and_promoted(case: Case) -> None:
    image, filters = case.image.astype(np.float32), case.filters.astype(np.float32)
    weights = rollout([m.astype(np.float32) for m in case.maps], prefix_tokens=case.prefix)
    assert weights.dtype == np.float32
    for level in (0, 1):
        view = neuron_view(image, filters, weights, level=level, token=case.prefix, neuron=0)
        assert view.dtype == np.float32
    assert neuron_view(image, filters, case.rollout(), level=1, token=0, neuron=0).dtype == np.float64
    half = torch.from_numpy(image).half()
    mixed = neuron_view(
        half, torch.from_numpy(filters), torch.from_numpy(weights), level=1, token=0, neuron=0
    )
    assert mixed.dtype == torch.float32


WRONG: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"level": 5}, ArgumentError, r"level: must be in 0..4 \(5 levels\); got 5"),
    ({"level": -1}, ArgumentError, r"level: must be in 0..4"),
    ({"level": 1.0}, ArgumentTypeError, "level: must be an int; got float"),
    ({"level": True}, ArgumentTypeError, "level: must be an int; got bool"),
    ({"token": 16}, ArgumentError, r"token: must be in 0..15 \(16 tokens, prefix tokens first\); got 16"),
    ({"token": -1}, ArgumentError, "token: must be in 0..15"),
    ({"neuron": 11}, ArgumentError, r"neuron: must be in 0..10 .*; got 11"),
    ({"neuron": None}, ArgumentTypeError, "neuron: must be an int; got NoneType"),
    (
        {"image": np.zeros((2, 5, 6))},
        ArgumentError,
        "image: sides must be multiples of the patch, 7 x 7; got 5 x 6",
    ),
    ({"image": np.zeros((2, 21, 36))}, ArgumentError, "sides must be multiples"),
    ({"image": np.zeros((2, 0, 0))}, ArgumentError, "image: must have shape .*not empty"),
    ({"image": np.zeros((3, 21, 35))}, ArgumentError, "filters: must have the image's 3 channels; got 2"),
    (
        {"image": np.zeros((21, 35))},
        ArgumentError,
        r"image: must have shape \(C, H, W\), not empty; got shape",
    ),
    (
        {"image": np.zeros((2, 21, 35), np.uint8)},
        ArgumentTypeError,
        "image: must have a real floating dtype; got uint8",
    ),
    ({"image": [[1.0]]}, ArgumentTypeError, "image"),
    ({"image": torch.zeros(2, 21, 35)}, ArgumentTypeError, "must be of one kind"),
    ({"image": np.zeros((2, 21, 42))}, ArgumentError, r"rollout: must be \(L, T, 18\) with T >= 18"),
    ({"rollout": np.zeros((4, 3, 16, 15))}, ArgumentError, r"rollout: must have shape \(L, T, N\)"),
    ({"rollout": None}, ArgumentTypeError, "rollout"),
    (
        {"rollout": np.full((4, 16, 15), np.nan)},
        ArgumentError,
        "rollout: weights must be numbers from 0 on; got nan",
    ),
    ({"rollout": np.full((4, 16, 15), -0.1)}, ArgumentError, "weights must be numbers from 0 on; got -0.1"),
    (
        {"out": np.zeros((2, 21, 36))},
        ArgumentError,
        r"out: must be a C-contiguous float64 array of shape \(2, 21, 35\)",
    ),
    ({"out": np.zeros((2, 21, 35), np.float32)}, ArgumentError, "out"),
    ({"out": np.zeros((35, 21, 2)).T}, ArgumentError, "out: .*not contiguous"),
]


@pytest.mark.parametrize(("change", "error", "message"), WRONG)
def test_wrong_arguments(change: dict[str, Any], error: type[Exception], message: str) -> None:
    rng = np.random.default_rng(0)
    maps = rng.dirichlet(np.ones(16), size=(4, 16))
    given: dict[str, Any] = {
        "image": np.zeros((2, 21, 35)),
        "filters": np.zeros((11, 2, 7, 7)),
        "rollout": rollout(maps),
        "level": 1,
        "token": 0,
        "neuron": 0,
    } | change
    arrays = [given.pop(name) for name in ("image", "filters", "rollout")]
    with pytest.raises(error, match=message):
        neuron_view(*arrays, **given)


def test_unknown_overlay(case: Case) -> None:
    wrong: Any
    for wrong in ("median", "", None, 3):
        with pytest.raises(ArgumentError, match="overlay: must be one of sum, mean, max, l2"):
            embedding_view(case.image, case.filters, case.rollout(), level=1, token=0, overlay=wrong)


@pytest.mark.parametrize(
    ("maps", "prefix", "error", "message"),
    [
        ([], 1, ArgumentError, "must hold a map a block"),
        ([np.eye(3), np.eye(4)], 1, ArgumentError, r"attention\[1\]: must have the shape of attention\[0\]"),
        ([np.eye(3), np.ones((3, 3))], 1, ArgumentError, r"attention\[1\]: every row must sum to 1"),
        ([np.eye(3)], 3, ArgumentError, "prefix_tokens: must leave a patch: 0..2 for 3 tokens; got 3"),
        ([np.eye(3)], -1, ArgumentError, "prefix_tokens"),
        ([np.eye(3)], True, ArgumentTypeError, "prefix_tokens: must be an int; got bool"),
        ([np.eye(3, dtype=int)], 1, ArgumentTypeError, "floating"),
        ([np.eye(3), torch.eye(3)], 1, ArgumentTypeError, "must be of one kind"),
    ],
)
def test_wrong_maps(maps: list[Any], prefix: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        rollout(maps, prefix_tokens=prefix)


def test_importing_the_room_imports_neither_torch_nor_timm() -> None:
    code = "import sys, attnclust.neurons; sys.exit(bool({'torch', 'timm'} & set(sys.modules)))"
    assert run([sys.executable, "-c", code], check=False).returncode == 0
