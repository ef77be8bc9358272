"""Figures of a page: each inline, as a file, in words, and as the table of its numbers."""

from __future__ import annotations

import base64
import csv
import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from numbers import Integral, Real
from urllib.parse import quote

from markupsafe import Markup, escape
from matplotlib.figure import Figure

from attnclust.plots import ROLES, Panel, draw_curves, to_png, to_svg
from attnclust.report._text import interval, number

CSV_ADDRESS = "data:text/csv;charset=utf-8,"
"""How the address of a table as CSV begins."""
_SIZE = re.compile(r'(<svg[^>]*?) width="[^"]*" height="[^"]*"')
_FONT = re.compile(r"font-family: [^;\"]+;? ?")
_SPACES = re.compile(r' xmlns(:xlink)?="[^"]*"')
_LARGE = 80_000
"""Bytes of an SVG above which the page shows a PNG instead; the file beside the page stays vector."""
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
_COMMANDS = ("=", "+", "-", "@", "\t", "\r")
_PLAIN = ",:;/()=+*@!~"
"""Characters that stand as they are in a data address."""


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
    """Draws figures and keeps them.

    Attributes:
        files: what stands in ``figures/`` beside the page, name -> content.
        drawn: the same figures before they became files, name without ending -> figure.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    drawn: dict[str, Figure] = field(default_factory=dict)

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
        alt = f"{title}. {_in_words(panels, x_label, digits)}"
        return self.drawing(
            name, figure, title=title, caption=caption, alt=alt, table=_table(panels, x_label, digits)
        )

    def drawing(
        self, name: str, figure: Figure, *, title: str, caption: str, alt: str, table: Table
    ) -> PageFigure:
        """Any figure of matplotlib: as SVG where that is small, else as PNG.

        Args:
            name: its file's name and its id in the page, ``figure-NAME``; what is no letter, digit, ``-`` or
                ``_`` becomes ``-``.
            figure: drawn by :mod:`attnclust.plots`, in colours of :data:`attnclust.plots.ROLES`.
            title: its heading.
            caption: what one sees, in a sentence.
            alt: the same for those who do not see it: the message and its main numbers.
            table: the numbers behind it, with ``csv`` from :func:`as_csv`.
        """
        name = _UNSAFE.sub("-", name)
        svg = to_svg(figure, name=name)
        self.files[f"{name}.svg"] = svg.encode()
        self.drawn[name] = figure
        markup = inline(svg, alt) if len(svg) <= _LARGE else embedded(to_png(figure), alt)
        return PageFigure(name, title, caption, alt, markup, table)


def inline(svg: str, alt: str) -> Markup:
    """An SVG for the page: as wide as its place, in the page's font and colours, named by `alt`."""
    svg = _SPACES.sub("", _FONT.sub("", _SIZE.sub(r"\1", svg))).replace("xlink:href", "href")
    for role, colour in ROLES.items():
        svg = svg.replace(colour, f"var(--fig-{role})")
    return Markup(svg.replace("<svg ", f'<svg role="img" aria-label="{escape(alt)}" ', 1))


def embedded(png: bytes, alt: str) -> Markup:
    """A PNG for the page, named by `alt`."""
    address = "data:image/png;base64," + base64.b64encode(png).decode()
    return Markup(f'<img src="{address}" alt="{escape(alt)}">')


def as_csv(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A data address with the rows as CSV, numbers to six significant digits, None and NaN as empty cells.

    Text that a spreadsheet would run as a formula gets an apostrophe before it.

    >>> as_csv(["name", "x"], [["=1+1", 0.123456789], ["b", None]])
    'data:text/csv;charset=utf-8,name,x%0D%0A%27=1+1,0.123457%0D%0Ab,%0D%0A'
    """
    stream = io.StringIO()
    writer = csv.writer(stream)  # ends lines as RFC 4180 says, which also quotes a lone carriage return
    writer.writerow(map(_cell, head))
    writer.writerows([_cell(value) for value in row] for row in rows)
    return CSV_ADDRESS + quote(stream.getvalue(), safe=_PLAIN)


def _cell(value: object) -> str:
    if isinstance(value, Real) and not isinstance(value, Integral):
        return "" if math.isnan(value) else f"{value:.6g}"
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_COMMANDS) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


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
