"""One look for all figures: colours by role, markers and dashes, sizes that a telephone can show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import matplotlib
from matplotlib.figure import Figure

WIDTH = 360
"""Points: at 360 CSS pixels a point is a pixel."""

ROLES: Mapping[str, str] = MappingProxyType(
    {
        "ink": "#1a2027",
        "muted": "#5b6571",
        "grid": "#dde1e6",
        "blue": "#0072b2",
        "vermilion": "#d55e00",
        "green": "#008f68",
        "purple": "#b3568f",
        "amber": "#a67c00",
        "sky": "#3b97cc",
    }
)
"""Role of a colour -> the colour, so that a page can put another in its place in the dark. The hues are
those of Okabe and Ito, which the colour-blind can tell apart, darkened to 3:1 against white."""

SERIES = ("ink", "blue", "vermilion", "green", "purple", "amber", "sky")
"""The roles that curves take, in order."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X")

_RUNGS: Mapping[str, int] = MappingProxyType(
    {
        "sharp": 1,
        "cluster_dobrushin": 2,
        "block_transport": 3,
        "overlap": 4,
        "linear": 5,
        "product": 5 + len(SERIES),
        "paper_main": 6,
        "paper_appendix": 6 + len(SERIES),
    }
)
"""Two of a colour are of a kind, and differ by their markers."""


def rung_style(rung: str) -> int:
    """The style of a curve of this rung of the ladder, in every figure; 0 is for what is measured, and a
    rung that is not of the ladder is drawn in ink too.

    >>> rung_style("sharp"), rung_style("product") % len(SERIES) == rung_style("linear")
    (1, True)
    """
    return _RUNGS.get(rung, len(SERIES))


_STYLE: dict[Any, Any] = {
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 11,
    "xtick.labelsize": 10.5,
    "ytick.labelsize": 10.5,
    "legend.fontsize": 10.5,
    "legend.frameon": False,
    "legend.handlelength": 2.2,
    "legend.columnspacing": 1.0,
    "legend.handletextpad": 0.5,
    "legend.borderaxespad": 0.2,
    "text.color": ROLES["ink"],
    "axes.labelcolor": ROLES["ink"],
    "axes.titlecolor": ROLES["ink"],
    "axes.facecolor": "none",
    "axes.edgecolor": ROLES["muted"],
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": ROLES["muted"],
    "ytick.color": ROLES["muted"],
    "xtick.labelcolor": ROLES["ink"],
    "ytick.labelcolor": ROLES["ink"],
    "axes.grid": True,
    "grid.color": ROLES["grid"],
    "grid.linewidth": 0.8,
    "axes.axisbelow": True,
    "figure.dpi": 72,
    "savefig.dpi": 72,
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
    "path.simplify": False,
    # Names come from data: a dollar sign in one of them is a dollar sign.
    "text.parse_math": False,
    "text.usetex": False,
}


@contextmanager
def house_style(name: str = "attnclust") -> Iterator[None]:
    """Matplotlib's settings inside the block, and as they were after it; `name` salts the ids of an SVG."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        with matplotlib.rc_context({**_STYLE, "svg.hashsalt": name}):
            yield


def new_figure(height: int) -> Figure:
    """An empty figure of the common width, `height` points high; call it inside :func:`house_style`."""
    return Figure(figsize=(WIDTH / 72, height / 72), dpi=72, layout="constrained", facecolor="none")
