"""Pictures of neuron views: signed arrays to colours, and sheets of them."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8
from matplotlib import colormaps
from matplotlib.figure import Figure
from PIL import Image

from attnclust._array import ArgumentError
from attnclust.plots._style import WIDTH, house_style

STEPS = 31
"""Colours of a signed picture, 0 the middle one: so few that a page of them stays small."""

LARGEST = 128
"""Pixels: a longer picture is averaged over blocks of pixels until it fits, where blocks divide it."""


Column = Any
"""Floating array ``(C, H, W)``: a filter times every patch of a picture."""
Weights = Any
"""Floating array ``(N,)``: a weight for every patch, in raster order."""


def expand_view(column: Column, weights: Weights) -> Float[np.ndarray, "c h w"]:
    """A token's view from its roll-out row: every patch of the column times the token's weight for it.

    Patches are in raster order; their grid follows from n and the picture's sides. This is the closed form
    V_l(patch p) = R_l[token, p] column(patch p) of the recursion in section 3.1.2 of the paper.

    >>> import numpy as np
    >>> expand_view(np.ones((1, 2, 4)), np.array([3.0, 5.0]))[0].tolist()
    [[3.0, 3.0, 5.0, 5.0], [3.0, 3.0, 5.0, 5.0]]

    Raises:
        ArgumentError: no square patches of which N fill the picture.
    """
    height, width = column.shape[-2:]
    patch = math.isqrt(height * width // max(len(weights), 1))
    if (
        column.ndim != 3
        or patch == 0
        or height % patch
        or width % patch
        or height * width != patch**2 * len(weights)
    ):
        raise ArgumentError(
            "weights",
            "must have one number for each square patch of the column (C, H, W)",
            f"{len(weights)} for a column of shape {column.shape}",
            "Pass the patch columns of one roll-out row, without prefix tokens.",
        )
    grid = weights.reshape(height // patch, width // patch)
    return column * grid.repeat(patch, 0).repeat(patch, 1)


def diverging_colours() -> UInt8[np.ndarray, "255 3"]:
    """Blue over near white, which is 0, to red: the palette of all signed pictures."""
    return np.round(colormaps["RdBu_r"](np.linspace(0, 1, 255))[:, :3] * 255).astype(np.uint8)


def encode_signed(values: Float[np.ndarray, "h w"], *, scale: float | int) -> bytes:
    """A signed array as PNG in 31 colours; -scale is the palette's first, 0 its middle, +scale its last."""
    clipped = np.clip(reduced(values) / scale, -1, 1)
    picture = Image.fromarray(np.round((STEPS - 1) / 2 * (1 + clipped)).astype(np.uint8))
    picture.putpalette(diverging_colours()[np.linspace(0, 254, STEPS).astype(int)].tobytes())
    return _png(picture)


def encode_clipped(view: Float[np.ndarray, "c h w"], *, scale: float | int) -> bytes:
    """A view in the paper's display, as WebP: channels as colours, 0 and less black, `scale` and more full.

    Channels other than three are averaged to grey. Half of what a filter makes of an image is negative, and
    so not to be seen here.
    """
    channels = view if len(view) == 3 else np.repeat(view.mean(0, keepdims=True), 3, axis=0)
    small = np.stack([reduced(channel) for channel in channels], axis=2)
    return _webp(np.round(255 * np.clip(small / scale, 0, 1)).astype(np.uint8))


def encode_picture(picture: UInt8[np.ndarray, "h w c"]) -> bytes:
    """An input picture (1 or 3 channels) as WebP, made smaller like the others."""
    rgb = np.broadcast_to(picture, (*picture.shape[:2], 3))
    small = np.stack([reduced(rgb[:, :, channel].astype(np.float64)) for channel in range(3)], axis=2)
    return _webp(np.round(small).astype(np.uint8))


def encode_tiles(tiles: Float[np.ndarray, "n c p p"], *, columns: int, own_scale: bool = False) -> bytes:
    """Many small signed pictures in one, row by row, with lines between them, as WebP.

    Three channels are colours about mid-grey, which is 0; others are summed, signed. All tiles share one
    scale, the 99.5th percentile of their size, unless each is to have its own.
    """
    n, channels, high, wide = tiles.shape
    if channels != 3:
        tiles = np.repeat(tiles.sum(1, keepdims=True), 3, axis=1)
    sizes = np.abs(tiles).reshape(n, -1)
    largest = np.quantile(sizes, 0.995, axis=1 if own_scale else None)
    scale = np.where(largest > 0, largest, 1).reshape(-1, 1, 1, 1)
    rgb = np.round(127.5 * (1 + np.clip(tiles / scale, -1, 1))).astype(np.uint8).transpose(0, 2, 3, 1)
    rows = -(-n // columns)
    sheet = np.full((rows * (high + 1) - 1, columns * (wide + 1) - 1, 3), 255, np.uint8)
    empty = np.full((rows * columns - n, *rgb.shape[1:]), 128, np.uint8)
    for place, tile in enumerate(np.concatenate([rgb, empty])):
        top, left = place // columns * (high + 1), place % columns * (wide + 1)
        sheet[top : top + high, left : left + wide] = tile
    return _webp(sheet)


def encode_filter(weights: Float[np.ndarray, "c p p"]) -> bytes:
    """A filter as PNG: three channels as colours about mid-grey, which is 0; others summed, signed."""
    largest = float(np.abs(weights).max()) or 1.0
    if len(weights) != 3:
        return encode_signed(weights.sum(0), scale=float(np.abs(weights.sum(0)).max()) or 1.0)
    rgb = np.round(127.5 * (1 + weights.astype(np.float64) / largest)).astype(np.uint8)
    return _png(Image.fromarray(np.ascontiguousarray(rgb.transpose(1, 2, 0))))


def draw_views(
    views: Sequence[Sequence[Float[np.ndarray, "h w"] | None]],
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    scale: float | int,
    unit: str,
) -> Figure:
    """A sheet of signed pictures on one scale, with a colour bar; None leaves a place empty."""
    with house_style():
        cell = (WIDTH - 40) / len(columns)
        figure = Figure(
            figsize=(WIDTH / 72, (cell * len(rows) + 70) / 72), dpi=72, layout="constrained", facecolor="none"
        )
        grid = figure.subplots(len(rows), len(columns), squeeze=False)
        palette = colormaps["RdBu_r"]
        shown: Any = None
        for place, (views_row, row) in enumerate(zip(views, rows, strict=True)):
            for axes, view, column in zip(grid[place], views_row, columns, strict=True):
                axes.set(xticks=[], yticks=[])
                axes.grid(visible=False)
                axes.spines[:].set_visible(False)
                if view is not None:
                    shown = axes.imshow(
                        reduced(view), cmap=palette, vmin=-scale, vmax=scale, interpolation="nearest"
                    )
                if axes is grid[place, 0]:
                    axes.set_ylabel(row)
                if place == 0:
                    axes.set_title(column[:16], fontsize=9, fontweight="normal", loc="center")
        if shown is not None:
            figure.colorbar(shown, ax=list(grid.flat), location="bottom", label=unit, shrink=0.7, aspect=40)
    return figure


def reduced(values: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "a b"]:
    """A picture as small as it is shown: at most 128 pixels a side, averaged over whole blocks of pixels.

    >>> reduced(np.arange(4.0 * 256 * 256).reshape(512, 512)).shape
    (128, 128)
    """
    height, width = values.shape
    common = math.gcd(height, width)
    fits = (f for f in range(1, common + 1) if common % f == 0 and max(height, width) // f <= LARGEST)
    factor = next(fits, 1)
    blocks = values.astype(np.float64).reshape(height // factor, factor, width // factor, factor)
    return blocks.mean((1, 3))


def _png(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def _webp(rgb: UInt8[np.ndarray, "h w 3"]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(rgb)).save(stream, "WEBP", quality=80, method=6)
    return stream.getvalue()
