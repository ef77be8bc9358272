"""The section's own figures: intervals as bands, a rung alike everywhere, captions that tell the numbers."""

from __future__ import annotations

from itertools import count
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from attnclust.plots import rung_style
from attnclust.plots._curves import _short
from attnclust.report._figures import Gallery
from attnclust.report._inside import inside
from attnclust.report._study import Study
from attnclust.verify import RUNGS


def curve(*mean: float, wide: float = 0.125) -> dict[str, list[float]]:
    return {"mean": [*mean], "ci_low": [x - wide for x in mean], "ci_high": [x + wide for x in mean]}


def steps() -> dict[str, Any]:
    """Every rung certifies something, each another share, so that no two curves are one."""
    shares = {rung: curve(0.5 + i / 64, 0.25) for rung, i in zip(RUNGS, count(1), strict=False)}
    objects = {
        "shrinks": curve(0.75, 0.5),
        "ratio": curve(0.5, 0.75),
        "eps_lower": curve(0.001, 0.002, wide=0.0005),
        "eps_upper": curve(0.25, 0.375),
        "outside_mass_bound": curve(4.0, 8.0, wide=1.0),
        "certified": shares,
        "tightness": shares,
    }
    plain = {
        **{name: [0.0, 0.0] for name in ("shrinks", "ratio", "eps_upper", "outside_mass_bound")},
        "certified": {rung: [0.0, 0.0] for rung in RUNGS},
    }
    return plain | {"by_partition": {"objects": objects, "dbscan": objects, "random": objects}}


LEVELS = {"relative_diameter": curve(0.84375, 0.5, 0.75)}


def made(**layers: Any) -> tuple[Any, dict[str, Figure]]:
    gallery = Gallery()
    return inside(Study({"layers": layers}, {}), gallery), gallery.drawn


def looks(figure: Figure) -> dict[str, tuple[str, Any]]:
    legend: Any = figure.legends[0]
    return {
        text.get_text(): (to_hex(line.get_color()), line.get_marker())
        for text, line in zip(legend.get_texts(), legend.get_lines(), strict=True)
    }


def bands(figure: Figure) -> list[tuple[float, float]]:
    """Lowest and highest end of each band at the first block."""
    found = []
    for band in figure.axes[0].collections:
        points = np.asarray(band.get_paths()[0].vertices)
        y = points[points[:, 0] == 1, 1]
        found.append((float(y.min()), float(y.max())))
    return found


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("certified-per_head", (62.5, 87.5)),
        ("ratio", (0.375, 0.625)),
        ("eps_lower", (0.0005, 0.0015)),
        ("eps_upper", (0.125, 0.375)),
        ("outside_mass", (3.0, 5.0)),
    ],
)
def test_every_curve_over_blocks_has_its_interval_as_a_band(name: str, expected: tuple[float, float]) -> None:
    part, drawn = made(steps={"per_head": steps()})
    figure = drawn[name]
    assert len(bands(figure)) == len(looks(figure)) == len(figure.axes[0].lines)
    assert bands(figure)[0] == pytest.approx(expected)
    (shown,) = (each for each in (*part.steps, *part.ranges) if each.name == name)
    assert "Bands: 95 %" in shown.caption
    assert "[" in shown.table.rows[0][1], "the table tells the interval too"


def test_records_without_intervals_are_drawn_without_bands() -> None:
    part, drawn = made(steps={"per_head": {"shrinks": [0.5, 0.25], "certified": {"sharp": [0.25, 0.5]}}})
    assert bands(drawn["certified-per_head"]) == []
    assert np.allclose(drawn["certified-per_head"].axes[0].lines[1].get_ydata(), [25.0, 50.0])
    assert "Bands" not in part.steps[0].caption


def test_a_rung_looks_the_same_in_every_figure_and_like_no_other() -> None:
    _, drawn = made(steps={"per_head": steps(), "simplified": steps()})
    names = ("certified-per_head", "certified-simplified", "partitions", "tightness")
    seen = [(rung, look) for name in names for rung, look in looks(drawn[name]).items() if rung in RUNGS]
    assert len(seen) > 2 * len(RUNGS)
    assert len(set(seen)) == len({look for _, look in seen}) == len(RUNGS)
    assert len({rung_style(rung) for rung in (*RUNGS, "of somebody else")} | {0}) == len(RUNGS) + 2


def test_curves_that_hide_each_other_are_named() -> None:
    own = steps()
    tight = own["by_partition"]["objects"]["tightness"]
    tight["product"] = curve(*(x + 0.005 for x in tight["sharp"]["mean"]))
    part, _ = made(steps={"per_head": own})
    (shown,) = (each for each in part.blocks.steps if each.name == "tightness")
    assert "Curves that cannot be told apart: product and sharp." in shown.caption
    tight["product"] = curve(*(x + 0.25 for x in tight["sharp"]["mean"]))
    tight["product"]["mean"][1] = None
    part, _ = made(steps={"per_head": own})
    (shown,) = (each for each in part.blocks.steps if each.name == "tightness")
    assert "told apart" not in shown.caption


def test_ticks_of_a_logarithmic_axis_are_powers_where_they_are_small() -> None:
    assert [_short(value) for value in (1e-5, 0.001, 0.25, 100.0, 2e-4, 1e7)] == [
        *("10⁻⁵", "0.001", "0.25", "100", "2·10⁻⁴", "10⁷")
    ]


def test_the_caption_tells_what_the_background_hides() -> None:
    part, _ = made(levels=LEVELS, stages={"objects": {"relative": curve(0.8125, 0.75, 0.625)}})
    (figure,) = part.diameters
    assert "0.84 → 0.75; objects alone, without background: 0.81 → 0.62" in figure.caption
    assert [row[0] for row in figure.table.rows] == ["model", "model, objects alone"]
    part, _ = made(levels=LEVELS)
    assert "alone" not in part.diameters[0].caption
