"""Curves with intervals against level or block, in one panel or several that share their scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter, NullLocator

from attnclust.plots._style import MARKERS, ROLES, SERIES, house_style, new_figure

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

Numbers = Sequence[float | int | None]
"""None is a number that was not measured: a gap."""


@dataclass(frozen=True)
class Curve:
    """One curve.

    Attributes:
        label: its name in the legend; curves of one label and style have one entry there.
        x: levels or blocks.
        mean: as long as `x`.
        low: lower ends of the interval, as long as `x`, or None.
        high: upper ends.
        style: which colour and marker, 0 first; after seven the colours come again, with other markers.
        dashed: drawn dashed with hollow markers, as random twins are.
        reference: whose curve it is, if another study's: drawn thin and dotted behind all others, with one
            entry of this name in the legend for all of them.
    """

    label: str
    x: Sequence[float | int]
    mean: Numbers
    low: Numbers | None = None
    high: Numbers | None = None
    style: int = 0
    dashed: bool = False
    reference: str = ""


@dataclass(frozen=True)
class Panel:
    """Curves that share a pair of axes.

    Attributes:
        title: above the panel; empty for none.
        curves: what is drawn, the first on top.
        y_label: quantity and unit.
    """

    title: str
    curves: Sequence[Curve]
    y_label: str


def draw_curves(
    panels: Sequence[Panel],
    *,
    x_label: str,
    y_limits: tuple[float | int, float | int] | None = None,
    log: bool = False,
    height: int = 250,
    columns: int = 3,
) -> Figure:
    """Panels side by side with one scale and one legend below.

    Args:
        panels: at least one.
        x_label: what the horizontal axis counts, "level" or "block".
        y_limits: the vertical range; from the data if None.
        log: logarithmic vertical axis; numbers must be positive.
        height: points.
        columns: entries of the legend in a row.

    >>> clean = Curve("clean", range(3), [0.5, 0.75, None], [0.4, 0.7, None], [0.6, 0.8, None])
    >>> figure = draw_curves([Panel("model", [clean], "purity")], x_label="level")
    >>> [axes.get_xlabel() for axes in figure.axes]
    ['level']
    """
    with house_style():
        figure = new_figure(height)
        grid = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        entries: dict[tuple[str, int], Line2D] = {}
        for axes, panel in zip(grid, panels, strict=True):
            for order, curve in enumerate(panel.curves):
                line = _draw(axes, curve, front=len(panel.curves) - order, crowd=len(panel.curves))
                entries.setdefault(
                    (curve.reference, -1) if curve.reference else (curve.label, curve.style), line
                )
            _dress(axes, panel, x_label=x_label, first=axes is grid[0], ticks=7 if len(panels) == 1 else 4)
            if log:
                axes.set_yscale("log")
                axes.yaxis.set_minor_locator(NullLocator())
                axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _short(value)))
                axes.yaxis.set_minor_formatter(NullFormatter())
            if y_limits is not None:
                axes.set_ylim(*y_limits)
        figure.legend(
            list(entries.values()),
            # matplotlib drops names that begin with an underscore.
            ["\u200b" + key[0] if key[0].startswith("_") else key[0] for key in entries],
            loc="outside lower left",
            ncols=min(columns, len(entries)),
        )
    return figure


def _draw(axes: Axes, curve: Curve, *, front: int, crowd: int) -> Line2D:
    colour = ROLES[SERIES[curve.style % len(SERIES)]]
    x = np.asarray(list(curve.x), float)
    if curve.low is not None and curve.high is not None:
        axes.fill_between(
            x,
            _array(curve.low),
            _array(curve.high),
            color=colour,
            alpha=0.18 if crowd < 4 else 0.1,
            linewidth=0,
            zorder=1.5,
        )
    if curve.reference:
        (line,) = axes.plot(
            x, _array(curve.mean), color=colour, linewidth=1.3, linestyle=(0, (1, 1.6)), zorder=1.8
        )
        return line
    (line,) = axes.plot(
        x,
        _array(curve.mean),
        color=colour,
        linewidth=1.6,
        linestyle=(0, (4, 2)) if curve.dashed else "-",
        # Where the colours come again, the markers do not.
        marker=MARKERS[(curve.style + curve.style // len(SERIES)) % len(MARKERS)],
        markersize=4,
        markerfacecolor="none" if curve.dashed else colour,
        zorder=2 + front / 100,
    )
    return line


def _short(value: float) -> str:
    """A tick of a logarithmic axis, without the letter e: it is a power of ten where it is small or large."""
    digits = f"{value:g}"
    if "e" not in digits and value >= 1e-3:
        return digits
    factor, _, power = f"{value:e}".partition("e")
    raised = str(int(power)).translate(_RAISED)
    return f"10{raised}" if float(factor) == 1 else f"{float(factor):g}·10{raised}"


def _array(numbers: Numbers) -> np.ndarray:
    return np.array([np.nan if number is None else number for number in numbers], float)


def _dress(axes: Axes, panel: Panel, *, x_label: str, first: bool, ticks: int) -> None:
    axes.set_xlabel(x_label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 4, 10], nbins=ticks))
    axes.grid(axis="x", visible=False)
    if first:
        axes.set_ylabel(panel.y_label)
    if panel.title:
        axes.set_title(panel.title)
