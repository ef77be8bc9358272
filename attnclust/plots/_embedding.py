"""Pictures of embeddings: the image with its patches labelled, and its tokens as points, level by level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, UInt8
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from PIL import Image

from attnclust.plots._style import MARKERS, ROLES, SERIES, house_style, new_figure

CLASSES = 5
"""Sizes, and as many strengths of colour, in which the attention is shown."""

_PATCH = 10  # pixels of a patch in the picture
_TINT = 0.55
_SIZES = np.linspace(2.2, 7.0, CLASSES)
_STRENGTHS = np.linspace(0.3, 1.0, CLASSES)
_HUES = SERIES[1:]
_EDGE = 0.06


@dataclass(frozen=True)
class Cloud:
    """The patches of one level as points.

    Attributes:
        title: above the panel.
        points: one a patch, in raster order.
        weights: one a patch, not negative: how large and how strong its point is drawn, the heaviest the
            most; None for all alike.
    """

    title: str
    points: Float[np.ndarray, "n 2"]
    weights: Float[np.ndarray, " n"] | None = None


def draw_embedding(
    picture: UInt8[np.ndarray, "h w 3"],
    labels: Int[np.ndarray, "rows columns"],
    names: Sequence[str],
    clouds: Sequence[Cloud],
) -> Figure:
    """The picture with its labelled patches, then up to three clouds, in two rows.

    Args:
        picture: the image.
        labels: each patch's object, 0 for background.
        names: of the objects 1, 2, ...; colours and markers go by this order.
        clouds: what is drawn beside it.
    """
    with house_style():
        figure = new_figure(400)
        grid = figure.subplots(2, 2).ravel()
        grid[0].imshow(_tinted(picture, labels), interpolation="none", aspect="equal")
        grid[0].set_title("patches and their labels")
        for axes, cloud in zip(grid[1:], clouds, strict=False):
            axes.set_title(cloud.title)
            _scatter(axes, cloud, labels.ravel())
        for axes in grid:
            axes.set(xticks=[], yticks=[])
            axes.grid(visible=False)
            axes.spines[:].set_visible(True)
            axes.spines[:].set_color(ROLES["grid"])
        for axes in grid[1 + len(clouds) :]:
            axes.set_visible(False)
        present = [number for number in range(1, len(names) + 1) if (labels == number).any()]
        shown = [*(names[number - 1] for number in present), "background"]
        figure.legend(
            [_key(number) for number in (*present, 0)],
            # matplotlib drops names that begin with an underscore.
            ["\u200b" + name if name.startswith("_") else name for name in shown],
            loc="outside lower left",
            ncols=max(1, int(400 / (45 + 6 * max(map(len, shown))))),  # what the width holds of the longest
        )
    return figure


def _scatter(axes: Axes, cloud: Cloud, labels: Int[np.ndarray, " n"]) -> None:
    low, high = cloud.points.min(axis=0), cloud.points.max(axis=0)
    centre, half = (low + high) / 2, float((high - low).max()) / 2 or 1.0
    places = (cloud.points - centre) / half
    classes = _classes(cloud.weights, len(places))
    for number in sorted(set(labels.tolist())):
        colour, marker = _look(number)
        for step in range(CLASSES):
            here = (labels == number) & (classes == step)
            if here.any():
                axes.plot(
                    *places[here].T,
                    linestyle="none",
                    marker=marker,
                    color=colour,
                    alpha=float(_STRENGTHS[step]),
                    markersize=float(_SIZES[step]),
                    markeredgewidth=0,
                    zorder=2 + step / CLASSES + (number > 0),
                )
    axes.set(xlim=(-1 - _EDGE, 1 + _EDGE), ylim=(-1 - _EDGE, 1 + _EDGE), aspect="equal")


def _classes(weights: np.ndarray | None, n: int) -> Int[np.ndarray, " n"]:
    """Five steps from 0 to the heaviest weight; the middle one for all where there are no weights."""
    if weights is None or not weights.max() > 0:
        return np.full(n, CLASSES // 2)
    return np.minimum((weights / weights.max() * CLASSES).astype(int), CLASSES - 1)


def _look(number: int) -> tuple[str, str]:
    """Colour and marker of an object; of the background for 0."""
    if number == 0:
        return ROLES["muted"], "o"
    again, hue = divmod(number - 1, len(_HUES))
    # Where colours repeat, they come with other markers.
    return ROLES[_HUES[hue]], MARKERS[1 + (hue + again) % (len(MARKERS) - 1)]


def _key(number: int) -> Line2D:
    colour, marker = _look(number)
    return Line2D([], [], linestyle="none", marker=marker, color=colour, markersize=6, markeredgewidth=0)


def _tinted(picture: UInt8[np.ndarray, "h w 3"], labels: Int[np.ndarray, "rows columns"]) -> np.ndarray:
    """The picture, a few pixels a patch, the patches of objects in their colours."""
    rows, columns = labels.shape
    small = np.asarray(
        Image.fromarray(picture).resize((columns * _PATCH, rows * _PATCH), Image.Resampling.BICUBIC)
    )
    tinted = small.astype(np.float64) / 255
    for number in range(1, int(labels.max()) + 1):
        where = (labels == number).repeat(_PATCH, 0).repeat(_PATCH, 1)
        tinted[where] = (1 - _TINT) * tinted[where] + _TINT * np.array(to_rgb(_look(number)[0]))
    return np.round(tinted * 255).astype(np.uint8)
