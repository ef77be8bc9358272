"""Pictures of simulated tokens: every token and hull is drawn, every border where it belongs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.contour import QuadContourSet

from attnclust.plots import Phases, Scene, draw_phases, draw_scenes, to_svg

CORNERS = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [0.5, 0.5], [5.0, 5.0], [6.0, 5.0], [7.0, 5.0]])
CLUSTERS = np.array([0, 0, 0, 0, 1, 1, 1])


def test_a_scene_shows_all_tokens_at_both_ends_and_hulls_where_there_is_one() -> None:
    tokens = np.stack([CORNERS, CORNERS / 2, CORNERS / 4])
    axes: Any = draw_scenes([Scene("<b>$x$", tokens, CLUSTERS)], columns=1).axes[0]
    assert axes.get_title(loc="left") == "<b>$x$"
    ends = [line for line in axes.lines if line.get_linestyle() == "None"]
    drawn = [np.column_stack(line.get_data()) for line in ends]
    for cluster in (0, 1):
        for level in (0, 2):
            assert any(np.array_equal(points, tokens[level, cluster == CLUSTERS]) for points in drawn)
    assert len({line.get_marker() for line in ends}) == 2
    # Cluster 0 has a hull of three corners at either end; cluster 1 lies on a line and has none.
    hulls = [patch.get_xy() for patch in axes.patches]
    assert len(hulls) == 2
    for hull, level in zip(hulls, (0, 2), strict=True):
        assert {tuple(corner) for corner in hull} == {tuple(corner) for corner in tokens[level, :3]}


def test_panels_on_one_scale_have_one_scale() -> None:
    scenes = [Scene("", CORNERS[None], CLUSTERS), Scene("", CORNERS[None] / 100, CLUSTERS)]
    figure = draw_scenes(scenes, columns=3, shared=True)
    first, second, _ = figure.axes
    assert first.get_xlim() == second.get_xlim()
    alone = draw_scenes(scenes, columns=2).axes
    assert alone[0].get_xlim() != alone[1].get_xlim()


def phases(line: np.ndarray) -> Phases:
    heats, spreads = [0.1, 1.0, 10.0, 100.0], [0.01, 0.1, 1.0]
    return Phases(heats, spreads, np.linspace(0, 1, 12).reshape(3, 4), {"sharp": line})


def drawn(line: np.ndarray):
    return draw_phases(
        phases(line), x_label="heat", y_label="spread", ground="share", border=4, border_label="border"
    )


def test_a_phase_picture_has_the_shares_the_border_and_the_line_at_one_half() -> None:
    """The line falls from 1 to 0 between 1 and 10, so it passes one half midway between their logarithms."""
    figure = drawn(np.array([[1.0, 1.0, 0.0, 0.0]] * 3))
    axes: Any = figure.axes[0]
    (image,) = axes.images
    np.testing.assert_array_equal(np.asarray(image.get_array()), np.linspace(0, 1, 12).reshape(3, 4))
    assert image.get_extent() == pytest.approx([-1.5, 2.5, -2.5, 0.5])
    contours = [each for each in axes.collections if isinstance(each, QuadContourSet)]
    vertices = np.concatenate([np.asarray(path.vertices) for each in contours for path in each.get_paths()])
    assert len(vertices) >= 3
    np.testing.assert_allclose(vertices[:, 0], 0.5)
    (border,) = [line for line in axes.lines if line.get_linestyle() == "-"]
    assert list(border.get_xdata()) == pytest.approx([np.log10(4)] * 2)
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["0.1", "1", "10", "100"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["sharp", "border"]
    assert not [each for each in axes.collections if isinstance(each, PathCollection)]


def test_a_rung_that_never_certifies_half_has_no_line_but_a_name() -> None:
    figure = drawn(np.zeros((3, 4)))
    assert not figure.axes[0].collections
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["sharp", "border"]


def test_the_same_arrays_give_the_same_bytes() -> None:
    line = np.array([[1.0, 1.0, 0.0, 0.0]] * 3)
    assert to_svg(drawn(line), name="a") == to_svg(drawn(line), name="a")
    scene = [Scene("", np.stack([CORNERS, CORNERS]), CLUSTERS)]
    assert to_svg(draw_scenes(scene), name="a") == to_svg(draw_scenes(scene), name="a")
