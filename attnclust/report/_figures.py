"""Figures of a page: each inline, as a file, in words, and as the table of its numbers."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from markupsafe import Markup, escape

from attnclust.plots import ROLES, Panel, draw_curves, to_svg
from attnclust.report._text import interval, number

_SIZE = re.compile(r'(<svg[^>]*?) width="[^"]*" height="[^"]*"')
_FONT = re.compile(r"font-family: [^;\"]+;? ?")
_SPACES = re.compile(r' xmlns(:xlink)?="[^"]*"')


@dataclass(frozen=True)
class Table:
    """A table of text; the first column heads its rows. `csv` is a data address to save it from."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    csv: str | None = None


@dataclass(frozen=True)
class PageFigure:
    """One figure: `markup` for the page, `alt` and `caption` in words, `table` of its numbers."""

    name: str
    title: str
    caption: str
    alt: str
    markup: Markup
    table: Table


@dataclass
class Gallery:
    """Draws figures and keeps the files that stand beside the page (`files`: name -> content)."""

    files: dict[str, bytes] = field(default_factory=dict)

    def curves(
        self,
        name: str,
        panels: Sequence[Panel],
        *,
        title: str,
        caption: str,
        x_label: str,
        digits: int = 2,
        y_limits: tuple[float | int, float | int] | None = None,
        log: bool = False,
        height: int = 250,
        columns: int = 3,
    ) -> PageFigure:
        """Curves as a figure; see :func:`attnclust.plots.draw_curves`."""
        figure = draw_curves(
            panels, x_label=x_label, y_limits=y_limits, log=log, height=height, columns=columns
        )
        svg = to_svg(figure, name=name)
        self.files[f"{name}.svg"] = svg.encode()
        alt = f"{title}. {_in_words(panels, x_label, digits)}"
        return PageFigure(name, title, caption, alt, inline(svg, alt), _table(panels, x_label, digits))


def inline(svg: str, alt: str) -> Markup:
    """An SVG for the page: as wide as its place, in the page's font and colours, named by `alt`."""
    svg = _SPACES.sub("", _FONT.sub("", _SIZE.sub(r"\1", svg))).replace("xlink:href", "href")
    for role, colour in ROLES.items():
        svg = svg.replace(colour, f"var(--fig-{role})")
    return Markup(svg.replace("<svg ", f'<svg role="img" aria-label="{escape(alt)}" ', 1))


def as_csv(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A data address with the rows as CSV."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return "data:text/csv;charset=utf-8," + quote(stream.getvalue())


def _named(panels: Sequence[Panel]) -> list[tuple[str, Panel, int]]:
    return [
        (f"{curve.label} ({panel.title})" if panel.title else curve.label, panel, i)
        for panel in panels
        for i, curve in enumerate(panel.curves)
    ]


def _in_words(panels: Sequence[Panel], x_label: str, digits: int) -> str:
    sentences = []
    for name, panel, i in _named(panels):
        curve = panel.curves[i]
        known = [(x, y) for x, y in zip(curve.x, curve.mean, strict=True) if y is not None]
        if known:
            (first, start), (last, end) = known[0], known[-1]
            sentences.append(
                f"{name}: {number(start, digits)} at {x_label} {first:g}, "
                f"{number(end, digits)} at {x_label} {last:g}"
            )
    return "; ".join(sentences) + "."


def _table(panels: Sequence[Panel], x_label: str, digits: int) -> Table:
    places = sorted({x for panel in panels for curve in panel.curves for x in curve.x})
    rows, records = [], []
    for name, panel, i in _named(panels):
        curve = panel.curves[i]
        low = curve.low if curve.low is not None else [None] * len(curve.mean)
        high = curve.high if curve.high is not None else [None] * len(curve.mean)
        cells = dict(zip(curve.x, zip(curve.mean, low, high, strict=True), strict=True))
        rows.append([name, *(interval(*cells.get(x, (None, None, None)), digits) for x in places)])
        records += [[name, x, *cells[x]] for x in places if x in cells]
    return Table(
        [x_label, *(f"{x:g}" for x in places)],
        rows,
        as_csv(["curve", x_label, "mean", "ci_low", "ci_high"], records),
    )
