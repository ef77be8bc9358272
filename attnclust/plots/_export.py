"""Figures to bytes: SVG and PDF without dates, random ids or addresses, and small PNG."""

from __future__ import annotations

import io
import re

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from PIL import Image

from attnclust.plots._style import house_style

_PROLOGUE = re.compile(r"^.*?(?=<svg\b)", re.DOTALL)
_METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
_ID = re.compile(r'(\s)id="([^"]*)"')
_STYLE = re.compile(r'\s*<defs>\s*<style type="text/css">\*\{([^}]*)\}</style>\s*</defs>')
_TAG = re.compile(r"<[^>]*>")
_DECIMALS = re.compile(r"(\d+\.\d\d)\d+")
_REFERENCE = re.compile(r'(?:url\(#|href="#)([^")]+)')


def to_svg(figure: Figure, *, name: str) -> str:
    """The figure as SVG text, the same for the same figure and `name`.

    Text stays text; ids that nothing refers to go, and the others are made from `name`, so that several
    figures can stand in one page.

    >>> from attnclust.plots import Curve, Panel, draw_curves, to_svg
    >>> figure = draw_curves([Panel("", [Curve("clean", [0, 1], [0.25, 0.5])], "purity")], x_label="level")
    >>> to_svg(figure, name="purity").startswith("<svg")
    True
    """
    stream = io.StringIO()
    with house_style(name):
        FigureCanvasSVG(figure).print_svg(
            stream, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type"))
        )
    text = _METADATA.sub("", _PROLOGUE.sub("", stream.getvalue(), count=1), count=1)
    used = {referred: f"{name}-{i}" for i, referred in enumerate(dict.fromkeys(_REFERENCE.findall(text)))}
    text = _ID.sub(lambda m: f'{m[1]}id="{used[m[2]]}"' if m[2] in used else "", text)
    text = _REFERENCE.sub(lambda m: m[0].replace(m[1], used[m[1]]), text)
    text = _TAG.sub(lambda m: _DECIMALS.sub(r"\1", m[0]), text)
    # A rule for "*" would reach beyond the figure; the root's own style is inherited within it.
    rule = _STYLE.search(text)
    if rule is not None:
        text = _STYLE.sub("", text, count=1).replace("<svg ", f'<svg style="{rule[1]}" ', 1)
    return re.sub(r"\s*\n\s*", "\n", text).strip() + "\n"


def to_pdf(figure: Figure, *, name: str) -> bytes:
    """The figure as PDF with its text as text, the same for the same figure and `name`: no date, no tool."""
    stream = io.BytesIO()
    with house_style(name):
        plain = dict.fromkeys(("CreationDate", "Creator", "Producer"))
        FigureCanvasPdf(figure).print_pdf(stream, metadata=plain)
    return stream.getvalue()


def to_png(figure: Figure, *, scale: float | int = 2.0, colours: int = 256) -> bytes:
    """The figure as PNG with a palette of at most `colours`, `scale` pixels a point, on white."""
    stream = io.BytesIO()
    with house_style():
        figure.set_facecolor("white")
        figure.set_dpi(72 * scale)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        picture = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])
    picture.quantize(colours, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
        stream, "PNG", optimize=True
    )
    return stream.getvalue()
