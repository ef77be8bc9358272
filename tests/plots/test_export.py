from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET

import matplotlib as mpl
import numpy as np
from PIL import Image

from attnclust.plots import ROLES, Curve, Panel, draw_curves, to_png, to_svg

HOSTILE = ("<script>alert(1)</script>", r"$\frac{", r"$\frac{$", "_hidden", "a & b", "-->")


def figure(labels: tuple[str, ...] = ("clean", "shuffle-2"), **options):
    curves = [
        Curve(label, range(5), np.linspace(0.2, 0.3 + i / 10, 5).tolist(), [0.1] * 5, [0.4] * 5, style=i)
        for i, label in enumerate(labels)
    ]
    return draw_curves([Panel("", curves, "purity")], x_label="level", **options)


def test_same_arrays_same_bytes() -> None:
    assert to_svg(figure(), name="a") == to_svg(figure(), name="a")
    assert to_png(figure()) == to_png(figure())


def test_ids_of_two_figures_never_meet_and_all_references_are_kept() -> None:
    first, second = to_svg(figure(), name="a"), to_svg(figure(), name="b")
    ids = [set(re.findall(r'\bid="([^"]*)"', svg)) for svg in (first, second)]
    assert ids[0]
    assert not ids[0] & ids[1]
    for svg, known in zip((first, second), ids, strict=True):
        assert set(re.findall(r'url\(#([^)]*)\)|href="#([^"]*)"', svg)) == {
            pair
            for pair in re.findall(r'url\(#([^)]*)\)|href="#([^"]*)"', svg)
            if (pair[0] or pair[1]) in known
        }


def test_no_address_but_namespaces_and_no_rule_that_reaches_beyond_the_figure() -> None:
    svg = to_svg(figure(), name="a")
    assert set(re.findall(r'https?://[^"<\s]*', svg)) == {
        "http://www.w3.org/1999/xlink",
        "http://www.w3.org/2000/svg",
    }
    assert "<style" not in svg
    assert "<metadata" not in svg


def test_hostile_labels_are_text() -> None:
    root = ET.fromstring(to_svg(figure(HOSTILE), name="a"))
    texts = {
        "".join(element.itertext()).strip().lstrip("\u200b")
        for element in root.iter()
        if "text" in element.tag
    }
    assert set(HOSTILE) <= texts
    assert not [element for element in root.iter() if element.tag.endswith("script")]


def test_numbers_in_text_keep_their_decimals() -> None:
    ticks = to_svg(figure(y_limits=(0.2345, 0.2365)), name="a")
    assert re.search(r">0\.23\d{2}<", ticks)


def test_settings_of_matplotlib_stay_as_they_were() -> None:
    before = dict(mpl.rcParams)
    to_svg(figure(), name="a")
    to_png(figure())
    assert dict(mpl.rcParams) == before


def test_every_curve_has_its_colour_and_gaps_stay_gaps() -> None:
    gap = Curve("gap", range(3), [0.1, None, 0.3])
    svg = to_svg(draw_curves([Panel("", [gap], "purity")], x_label="level"), name="gap")
    assert ROLES["ink"] in svg
    marks = re.findall(r'<use [^>]*style="fill: #1a2027; stroke: #1a2027"', svg)
    assert len(marks) == 2 + 1  # two known points and the legend's


def test_text_is_at_least_nine_pixels_when_the_figure_is_360_wide() -> None:
    svg = to_svg(figure(), name="a")
    box = re.search(r'viewBox="0 0 ([\d.]+)', svg)
    assert box
    assert float(box[1]) <= 360
    sizes = [float(size) for size in re.findall(r"font(?:-size)?: (?:bold )?([\d.]+)px", svg)]
    assert sizes
    assert min(sizes) >= 9


def test_panels_share_one_scale_and_one_entry_a_label() -> None:
    panels = [
        Panel("model", [Curve("clean", range(3), [0.0, 0.5, 1.0])], "purity"),
        Panel("random twin", [Curve("clean", range(3), [0.1, 0.1, 0.1], dashed=True)], "purity"),
    ]
    drawn = draw_curves(panels, x_label="level")
    assert drawn.axes[0].get_ylim() == drawn.axes[1].get_ylim()
    assert len(re.findall(">clean<", to_svg(drawn, name="a"))) == 1
    assert [axes.lines[0].get_linestyle() for axes in drawn.axes] == ["-", "--"]


def test_png_is_a_palette_picture_twice_as_wide() -> None:
    picture = Image.open(io.BytesIO(to_png(figure())))
    assert picture.mode == "P"
    assert picture.width == 720
