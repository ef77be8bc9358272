"""The options of the roll-out and the spaces of pixels, each against what it says in words."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
import torch

from attnclust._array import ArgumentError, ArgumentTypeError
from attnclust.neurons import column_view, embedding_view, neuron_view, patch_views, pixel_space, rollout

LEVELS, BATCH, HEADS, TOKENS = 5, 2, 3, 13


@pytest.fixture
def heads() -> np.ndarray:
    rng = np.random.default_rng(3)
    return rng.dirichlet(np.full(TOKENS, 0.4), size=(LEVELS, BATCH, HEADS, TOKENS))


@pytest.mark.parametrize("residual", [False, True])
def test_head_mean_and_one_head(heads: np.ndarray, residual: bool) -> None:
    mean = rollout(heads, head="mean", residual=residual)
    assert mean.shape == (LEVELS, BATCH, TOKENS, TOKENS - 1)
    np.testing.assert_allclose(mean, rollout(heads.mean(axis=2), residual=residual), rtol=0, atol=1e-15)
    for head in range(HEADS):
        one = rollout(torch.from_numpy(heads), head=head, residual=residual)
        np.testing.assert_array_equal(one.numpy(), rollout(heads[:, :, head], residual=residual))
    # The average of the heads' roll-outs is another thing: heads mix from block to block.
    apart = np.mean([rollout(heads, head=head) for head in range(HEADS)], axis=0)
    assert np.abs(apart - rollout(heads, head="mean")).max() > 1e-3


@pytest.mark.parametrize("prefix_tokens", [0, 1, 3])
@pytest.mark.parametrize("residual", [False, True])
def test_prefix_tokens_dropped_rescaled_or_cut(heads: np.ndarray, prefix_tokens: int, residual: bool) -> None:
    maps = heads[:, 0, 0]
    options: dict[str, Any] = {"prefix_tokens": prefix_tokens, "residual": residual}
    dropped = rollout(maps, **options)
    np.testing.assert_array_equal(dropped, rollout(maps, **options, prefix="drop"))
    rescaled = rollout(maps, **options, prefix="rescale")
    np.testing.assert_allclose(rescaled, dropped / dropped.sum(axis=-1, keepdims=True), rtol=1e-14)
    # Literally: no token ever reads a prefix token, and what it reads sums to 1.
    product = np.eye(TOKENS)
    cut = rollout(maps, **options, prefix="cut")
    for level, attention in enumerate(maps):
        step = (attention + np.eye(TOKENS)) / 2 if residual else attention.copy()
        step[:, :prefix_tokens] = 0
        product = step / step.sum(axis=1, keepdims=True) @ product
        np.testing.assert_allclose(cut[level], product[:, prefix_tokens:], rtol=0, atol=1e-14)
        np.testing.assert_allclose(cut[level].sum(axis=-1), 1, rtol=0, atol=1e-14)
    if not prefix_tokens:
        np.testing.assert_allclose(cut, dropped, rtol=0, atol=1e-14)
    else:
        assert np.abs(cut - rescaled).max() > 1e-3


def test_without_the_residual_path_rows_grow_alike(heads: np.ndarray) -> None:
    plain, residual = (rollout(heads, head="mean", residual=r)[:, 0] for r in (False, True))
    spread = [np.ptp(form, axis=1).max(axis=1) for form in (plain, residual)]
    assert (np.diff(spread[0]) < 0).all()
    assert spread[0][-1] < 0.02 < spread[1][-1]


WRONG: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"head": 3}, ArgumentError, r"head: must be in 0..2 \(3 heads\); got 3"),
    ({"head": -1}, ArgumentError, r"head: must be in 0..2"),
    ({"head": 1.0}, ArgumentTypeError, "head: must be None, 'mean' or an int; got 1.0"),
    ({"head": True}, ArgumentTypeError, "head: must be None, 'mean' or an int"),
    ({"head": "max"}, ArgumentTypeError, "head: must be None, 'mean' or an int; got 'max'"),
    ({"prefix": "keep"}, ArgumentError, "prefix: must be one of drop, rescale, cut; got 'keep'"),
    ({"prefix": None}, ArgumentError, "prefix: must be one of"),
    ({"prefix_tokens": 13}, ArgumentError, "prefix_tokens: must leave a patch: 0..12 for 13 tokens"),
]


@pytest.mark.parametrize(("change", "error", "message"), WRONG)
def test_wrong_options(
    heads: np.ndarray, change: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        rollout(heads[:, 0], **change)


def test_a_head_needs_heads(heads: np.ndarray) -> None:
    with pytest.raises(ArgumentError, match=r"head: needs maps \(\*batch, H, T, T\); got .*\(13, 13\)"):
        rollout(heads[:, 0, 0], head=0)


@pytest.mark.parametrize("prefix", ["rescale", "cut"])
def test_a_token_that_reads_no_patch_cannot_be_rescaled(prefix: str) -> None:
    maps = np.array([[[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.0, 0.5, 0.5]]])
    assert rollout(maps)[0, 0].tolist() == [0.0, 0.0]
    with pytest.raises(ArgumentError, match="prefix: 'rescale' and 'cut' need every token"):
        rollout(maps, prefix=prefix)


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_the_sheet_of_a_patch_is_its_level_zero_views(kind: str) -> None:
    convert: Any = torch.from_numpy if kind == "torch" else np.asarray
    rng = np.random.default_rng(8)
    image, filters = rng.normal(size=(2, 21, 35)), rng.normal(size=(11, 2, 7, 7))
    weights = rollout(rng.dirichlet(np.ones(16), size=(4, 16)))
    for patch in (0, 6, 14):
        row, column = divmod(patch, 5)
        sheet = patch_views(convert(image), convert(filters), patch=patch)
        assert sheet.shape == (11, 2, 7, 7)
        for neuron in range(11):
            view = neuron_view(image, filters, weights, level=0, token=1 + patch, neuron=neuron)
            here = view[:, 7 * row : 7 * row + 7, 7 * column : 7 * column + 7]
            np.testing.assert_array_equal(np.asarray(sheet[neuron]), here)
    for wrong in (15, -1):
        with pytest.raises(ArgumentError, match=rf"patch: must be in 0..14 \(15 patches\); got {wrong}"):
            patch_views(convert(image), convert(filters), patch=wrong)


class TestPixelSpaces:
    MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.3, 0.25)

    @pytest.fixture
    def image(self) -> np.ndarray:
        image = np.random.default_rng(5).uniform(size=(3, 14, 21))
        image[:, 7:, :7] = 0  # a blacked-out patch
        return image

    def test_sums_of_views_in_each_space(self, image: np.ndarray) -> None:
        kernel = np.random.default_rng(6).normal(size=(1, 3, 7, 7))
        sums = {}
        for space in ("raw", "normalised", "centred"):
            pixels = pixel_space(image, space, mean=self.MEAN, std=self.STD)
            column = column_view(pixels, kernel, neuron=0)
            sums[space] = column.reshape(3, 2, 7, 3, 7).sum(axis=(0, 2, 4))
        seen = torch.nn.functional.conv2d(
            torch.from_numpy((image - np.reshape(self.MEAN, (3, 1, 1))) / np.reshape(self.STD, (3, 1, 1)))[
                None
            ],
            torch.from_numpy(kernel),
            stride=7,
        )
        np.testing.assert_allclose(sums["normalised"], seen[0, 0].numpy(), rtol=1e-12)
        assert sums["raw"][1, 0] == 0  # black shows as nothing, and only here
        assert abs(sums["normalised"][1, 0]) > 0.1
        gap = sums["normalised"] - sums["centred"]
        np.testing.assert_allclose(gap, gap[0, 0], rtol=1e-10)  # one number for all patches
        assert abs(gap[0, 0]) > 0.1

    def test_a_tensor_stays_one(self, image: np.ndarray) -> None:
        given = torch.from_numpy(image).float()
        for space in ("raw", "normalised", "centred"):
            pixels = pixel_space(given, space, mean=self.MEAN, std=self.STD)
            assert isinstance(pixels, torch.Tensor)
            assert pixels.dtype == torch.float32
            ours = pixel_space(image, space, mean=self.MEAN, std=self.STD)
            np.testing.assert_allclose(pixels.numpy(), ours, atol=1e-5)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"space": "log"}, "space: must be one of raw, normalised, centred; got 'log'"),
            ({"mean": (0.5,)}, "mean: must hold 3 numbers, one a channel"),
            ({"std": (0.5, 0.0, 1.0)}, "std: must hold 3 numbers, one a channel, above 0"),
            ({"image": np.zeros((4, 4))}, "image: must have at least 3 axes"),
            ({"image": np.zeros((1, 3, 4, 4))}, r"image: must have shape \(C, H, W\)"),
            ({"image": np.full((3, 2, 2), np.nan)}, "image: must be finite"),
        ],
    )
    def test_wrong_arguments(self, image: np.ndarray, change: dict[str, Any], message: str) -> None:
        given: dict[str, Any] = {"image": image, "space": "raw", "mean": self.MEAN, "std": self.STD} | change
        with pytest.raises(ArgumentError, match=message):
            pixel_space(given.pop("image"), given.pop("space"), **given)


@pytest.mark.parametrize("overlay", ["sum", "mean", "max", "l2"])
def test_an_overlay_needs_no_stack(overlay: str) -> None:
    rng = np.random.default_rng(1)
    image, filters = rng.normal(size=(3, 112, 112)), rng.normal(size=(768, 3, 16, 16))
    weights = rollout(rng.dirichlet(np.ones(50), size=(2, 50)))
    tracemalloc.start()
    embedding_view(image, filters, weights, level=2, token=0, overlay=overlay)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # A few pictures, where the stack would be 768 of them.
    assert peak < 10 * image.nbytes
