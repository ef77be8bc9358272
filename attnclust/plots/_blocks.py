"""What happens block by block: a waterfall of diameters, and tables of numbers as colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from attnclust.plots._style import ROLES, house_style, new_figure

SHARES = LinearSegmentedColormap.from_list("shares", ["#f4f6f8", "#0072b2"])
FACTORS = LinearSegmentedColormap.from_list("factors", ["#0072b2", "#f4f6f8", "#d55e00"])
"""Blue shrinks, vermilion grows."""
CLIPPED = 2
"""Factors beyond 2 to this power, or its inverse, are drawn alike: projections would make all others pale."""


@dataclass(frozen=True)
class Fall:
    """One waterfall: a quantity after each of several stages, block by block.

    Attributes:
        title: above the panel.
        start: the quantity before the first block.
        after: stage -> the quantity after it, by block; the stages follow each other within a block.
    """

    title: str
    start: float
    after: dict[str, Float[np.ndarray, " blocks"]]


def draw_waterfall(falls: Sequence[Fall], *, y_label: str) -> Figure:
    """Bars from before to after each stage: blue where it falls, vermilion where it rises; one row a fall.

    Args:
        falls: what is drawn, each to its own scale.
        y_label: of all.
    """
    with house_style():
        figure = new_figure(60 + 130 * len(falls))
        panels = figure.subplots(len(falls), 1, squeeze=False).ravel()
        for axes, fall in zip(panels, falls, strict=True):
            stages, before = list(fall.after), fall.start
            width = 0.8 / len(stages)
            for block in range(len(fall.after[stages[0]])):
                for place, stage in enumerate(stages):
                    now = float(fall.after[stage][block])
                    at = block + 1 + (place - (len(stages) - 1) / 2) * width
                    axes.bar(
                        at,
                        now - before,
                        width,
                        bottom=before,
                        color=ROLES["vermilion" if now > before else "blue"],
                        alpha=1.0 if place == 0 else 0.55,
                        linewidth=0,
                    )
                    axes.plot([at - width / 2, at + width / 2], [now, now], color=ROLES["ink"], linewidth=1.2)
                    before = now
            axes.use_sticky_edges = False
            axes.autoscale_view()
            axes.set_title(fall.title)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.set_ylabel(y_label)
        panels[-1].set_xlabel("block")
        stages = list(falls[0].after)
        figure.legend(
            handles=[
                Patch(color=ROLES["blue"], label="the stage contracts"),
                Patch(color=ROLES["vermilion"], label="it expands"),
                *(
                    Patch(color=ROLES["muted"], alpha=1.0 if place == 0 else 0.55, label=stage)
                    for place, stage in enumerate(stages)
                ),
                Line2D([], [], color=ROLES["ink"], linewidth=1.2, label="after it"),
            ],
            loc="outside lower left",
            ncols=2,
        )
    return figure


@dataclass(frozen=True)
class Grid:
    """A table of numbers as colours: rows from top to bottom, one column a block.

    Attributes:
        title: above it.
        values: NaN is left blank.
        rows: their names.
        factor: whether the numbers are factors about 1 (drawn by their logarithm), else shares from 0 to 1.
    """

    title: str
    values: Float[np.ndarray, "rows blocks"]
    rows: Sequence[str]
    factor: bool


def draw_grids(grids: Sequence[Grid], *, y_label: str, bar: str) -> Figure:
    """Tables of one kind, under each other, to one scale.

    Args:
        grids: what is drawn; all factors, or none.
        y_label: what the rows are.
        bar: what the colours mean.
    """
    factor = grids[0].factor
    colours = FACTORS if factor else SHARES
    scale = Normalize(-CLIPPED, CLIPPED) if factor else Normalize(0, 1)
    with house_style():
        figure = new_figure(70 + sum(34 + 17 * len(grid.rows) for grid in grids))
        panels = figure.subplots(
            len(grids), 1, squeeze=False, height_ratios=[len(grid.rows) for grid in grids]
        ).ravel()
        for axes, grid in zip(panels, grids, strict=True):
            shown = np.log2(grid.values) if factor else grid.values
            axes.imshow(
                np.ma.masked_invalid(shown),
                cmap=colours,
                norm=scale,
                aspect="auto",
                interpolation="none",
                extent=(0.5, shown.shape[1] + 0.5, len(grid.rows) - 0.5, -0.5),
            )
            axes.set_title(grid.title)
            axes.set_yticks(range(len(grid.rows)), grid.rows)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.grid(visible=False)
            axes.set_ylabel(y_label)
        panels[-1].set_xlabel("block")
        legend = figure.colorbar(ScalarMappable(scale, colours), ax=panels.tolist(), aspect=30, pad=0.02)
        legend.set_label(bar)
        if factor:
            low, high = (f"{2.0**end:g}" for end in (-CLIPPED, CLIPPED))
            legend.set_ticks([-CLIPPED, 0, CLIPPED], labels=[f"≤ {low}", "1", f"≥ {high}"])
        legend.outline.set_visible(False)  # pyright: ignore[reportCallIssue]
    return figure
