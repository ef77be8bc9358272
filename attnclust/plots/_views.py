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
    """A signed array as PNG; -scale is the palette's first colour, 0 its middle, +scale its last."""
    picture = Image.fromarray(_indices(_reduced(values), scale))
    picture.putpalette(diverging_colours().tobytes())
    return _png(picture)


def encode_picture(picture: UInt8[np.ndarray, "h w c"]) -> bytes:
    """An input picture (1 or 3 channels) as PNG with 256 colours."""
    rgb = np.broadcast_to(picture, (*picture.shape[:2], 3))
    return _png(
        Image.fromarray(np.ascontiguousarray(rgb)).quantize(
            256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE
        )
    )


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
                        _reduced(view), cmap=palette, vmin=-scale, vmax=scale, interpolation="nearest"
                    )
                if axes is grid[place, 0]:
                    axes.set_ylabel(row)
                if place == 0:
                    axes.set_title(column[:16], fontsize=9, fontweight="normal", loc="center")
        if shown is not None:
            figure.colorbar(shown, ax=list(grid.flat), location="bottom", label=unit, shrink=0.7, aspect=40)
    return figure


def _reduced(values: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "a b"]:
    height, width = values.shape
    common = math.gcd(height, width)
    fits = (f for f in range(1, common + 1) if common % f == 0 and max(height, width) // f <= LARGEST)
    factor = next(fits, 1)
    blocks = values.astype(np.float64).reshape(height // factor, factor, width // factor, factor)
    return blocks.mean((1, 3))


def _indices(values: Float[np.ndarray, "h w"], scale: float | int) -> UInt8[np.ndarray, "h w"]:
    return np.round(127 * (1 + np.clip(values / scale, -1, 1))).astype(np.uint8)


def _png(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "PNG", optimize=True)
    return stream.getvalue()
