"""Pictures of simulated tokens: where they go, with their clusters' hulls, and who shrinks at which heat."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter
from scipy.spatial import ConvexHull, QhullError

from attnclust.plots._style import MARKERS, ROLES, SERIES, house_style, new_figure

PAPER, SEA = "#f7f6f6", "#4393c3"
"""Share 0 and share 1 on a phase picture; the same by day and night."""
OVER = "#141a20"
"""Lines drawn over them: no role, so that a page does not lighten it in the dark."""


@dataclass(frozen=True)
class Scene:
    """Tokens on their way in the plane.

    Attributes:
        title: above the panel.
        tokens: ``(levels, n, 2)``; paths lead through all, the first is drawn hollow, the last filled.
        clusters: ``(n,)``: the cluster of each token, 0 or more.
    """

    title: str
    tokens: Float[np.ndarray, "levels n 2"]
    clusters: Int[np.ndarray, " n"]


def draw_scenes(
    scenes: Sequence[Scene], *, columns: int = 3, height: int = 260, shared: bool = False
) -> Figure:
    """Scenes side by side, each cluster in a colour and a marker of its own, with its hull at both ends.

    Args:
        scenes: at least one.
        columns: scenes in a row.
        height: points.
        shared: give all one scale; else each fills its panel.
    """
    rows = math.ceil(len(scenes) / columns)
    with house_style():
        figure = new_figure(height)
        grid = figure.subplots(rows, columns, sharex=shared, sharey=shared, squeeze=False).ravel()
        for axes, scene in zip(grid, scenes, strict=False):
            _draw_scene(axes, scene)
            axes.set_aspect("equal", adjustable="box" if shared else "datalim")
        for axes in grid[len(scenes) :]:
            axes.set_axis_off()
    return figure


def _draw_scene(axes: Axes, scene: Scene) -> None:
    axes.set_title(scene.title, fontsize=10, fontweight="normal")
    axes.set(xticks=[], yticks=[])
    for side in axes.spines.values():
        side.set(visible=True, color=ROLES["grid"])
    for cluster in np.unique(scene.clusters):
        style = 1 + int(cluster) % (len(SERIES) - 1)
        colour, marker = ROLES[SERIES[style]], MARKERS[style]
        paths = scene.tokens[:, scene.clusters == cluster]
        axes.plot(paths[..., 0], paths[..., 1], color=colour, linewidth=0.5, alpha=0.5, zorder=1)
        if len(paths) > 1:
            _draw_hull(axes, paths[0], colour, alpha=0.1)
            axes.plot(
                *paths[0].T, linestyle="", marker=marker, markersize=3, color=colour, markerfacecolor="none",
                markeredgewidth=0.6, zorder=2,
            )  # fmt: skip
        _draw_hull(axes, paths[-1], colour, alpha=0.3)
        axes.plot(*paths[-1].T, linestyle="", marker=marker, markersize=4, color=colour, zorder=3)


def _draw_hull(axes: Axes, points: Float[np.ndarray, "n 2"], colour: str, *, alpha: float) -> None:
    """The convex hull, filled; points on a line have none that could be seen."""
    try:
        corners = points[ConvexHull(points).vertices]
    except QhullError:
        return
    axes.fill(*corners.T, facecolor=colour, edgecolor=colour, alpha=alpha, linewidth=0.8, zorder=0.5)


@dataclass(frozen=True)
class Phases:
    """Shares between 0 and 1 on an evenly spaced grid of logarithms, ``(len(spreads), len(temperatures))``.

    `shares` is the ground; each of `lines` is drawn where it passes one half.
    """

    temperatures: Sequence[float]
    spreads: Sequence[float]
    shares: Float[np.ndarray, "s t"]
    lines: Mapping[str, Float[np.ndarray, "s t"]]


def draw_phases(
    phases: Phases,
    *,
    x_label: str,
    y_label: str,
    ground: str,
    border: float | int,
    border_label: str,
    height: int = 330,
) -> Figure:
    """A phase picture: the share as a ground from paper to blue, and borders over it.

    Args:
        phases: what is drawn.
        x_label: quantity of the horizontal axis.
        y_label: quantity of the vertical one.
        ground: what the share is of.
        border: temperature of the upright line.
        border_label: what lies left of it.
        height: points.
    """
    x, y = np.log10(phases.temperatures), np.log10(phases.spreads)
    colours = LinearSegmentedColormap.from_list("share", [PAPER, SEA])
    with house_style():
        figure = new_figure(height)
        axes = figure.subplots()
        half = [(axis[1] - axis[0]) / 2 for axis in (x, y)]
        mesh = axes.imshow(
            phases.shares,
            cmap=colours,
            vmin=0,
            vmax=1,
            origin="lower",
            aspect="auto",
            interpolation="none",
            extent=(x[0] - half[0], x[-1] + half[0], y[0] - half[1], y[-1] + half[1]),
        )
        entries = []
        for i, (name, shares) in enumerate(phases.lines.items()):
            dashes = ("-", (0, (5, 2)), (0, (1, 1.5)))[i % 3]
            if shares.min() < 0.5 < shares.max():
                axes.contour(x, y, shares, levels=[0.5], colors=[OVER], linewidths=1.8, linestyles=[dashes])
            # In the legend, beside the picture, the line is on the page's own ground.
            entries.append(Line2D([], [], color=ROLES["ink"], linewidth=1.8, linestyle=dashes, label=name))
        axes.axvline(math.log10(border), color=ROLES["vermilion"], linewidth=1.8)
        entries.append(Line2D([], [], color=ROLES["vermilion"], linewidth=1.8, label=border_label))
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(FuncFormatter(lambda at, _: f"{10.0**at:g}"))
        axes.set_xticks(range(math.ceil(x[0] - 1e-9), math.floor(x[-1] + 1e-9) + 1))
        axes.set_yticks(range(math.ceil(y[0] - 1e-9), math.floor(y[-1] + 1e-9) + 1))
        axes.grid(visible=False)
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
        bar = figure.colorbar(mesh, ax=axes, ticks=[0, 0.5, 1], aspect=30, pad=0.02)
        bar.set_label(ground)
        bar.outline.set_visible(False)  # pyright: ignore[reportCallIssue]
        figure.legend(handles=entries, loc="outside lower left", ncols=1)
    return figure
