"""Arrays to figures, and nothing else: no reading, no computing of results, no global state of matplotlib.

Figures are drawn 360 points wide, so that their text is legible on a telephone; several stand side by side
where there is room. The same arrays give the same bytes.
"""

from attnclust.plots._blocks import Fall, Grid, draw_grids, draw_waterfall
from attnclust.plots._curves import Curve, Panel, draw_curves
from attnclust.plots._embedding import Cloud, draw_embedding
from attnclust.plots._export import to_pdf, to_png, to_svg
from attnclust.plots._simulator import Phases, Scene, draw_phases, draw_scenes
from attnclust.plots._style import ROLES, SERIES, rung_style
from attnclust.plots._views import (
    diverging_colours,
    draw_views,
    encode_clipped,
    encode_filter,
    encode_picture,
    encode_signed,
    encode_tiles,
    expand_view,
    reduced,
)

__all__ = [
    "ROLES",
    "SERIES",
    "Cloud",
    "Curve",
    "Fall",
    "Grid",
    "Panel",
    "Phases",
    "Scene",
    "diverging_colours",
    "draw_curves",
    "draw_embedding",
    "draw_grids",
    "draw_phases",
    "draw_scenes",
    "draw_views",
    "draw_waterfall",
    "encode_clipped",
    "encode_filter",
    "encode_picture",
    "encode_signed",
    "encode_tiles",
    "expand_view",
    "reduced",
    "rung_style",
    "to_pdf",
    "to_png",
    "to_svg",
]
