from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from attnclust._array import ArgumentError
from attnclust.plots import (
    diverging_colours,
    draw_views,
    encode_filter,
    encode_picture,
    encode_signed,
    expand_view,
    to_png,
)


def decoded(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def test_a_view_is_every_patch_times_its_weight_in_raster_order() -> None:
    rng = np.random.default_rng(0)
    patch, rows, columns = 5, 3, 7  # a grid that is not square, so that no transpose hides
    column = rng.normal(size=(2, rows * patch, columns * patch))
    weights = rng.normal(size=rows * columns)
    view = expand_view(column, weights)
    for p in range(rows * columns):
        top, left = p // columns * patch, p % columns * patch
        here = (slice(None), slice(top, top + patch), slice(left, left + patch))
        np.testing.assert_array_equal(view[here], weights[p] * column[here])


@pytest.mark.parametrize(
    ("shape", "n"), [((3, 6, 9), 7), ((3, 6, 8), 6), ((6, 9), 6), ((3, 2, 2), 9), ((3, 6, 9), 0)]
)
def test_weights_that_do_not_tile_the_column_are_refused(shape: tuple[int, ...], n: int) -> None:
    with pytest.raises(ArgumentError, match="weights: must have one number for each square patch"):
        expand_view(np.ones(shape), np.ones(n))


def test_the_scale_has_its_ends_and_its_middle() -> None:
    colours = diverging_colours().astype(int)
    picture = decoded(encode_signed(np.array([[-2.0, -9.0, 0.0, 2.0, 9.0]]), scale=2.0))
    np.testing.assert_array_equal(picture[0], colours[[0, 0, 127, 254, 254]])
    assert colours[0][2] > colours[0][0]  # blue below
    assert colours[254][0] > colours[254][2]  # red above
    assert np.ptp(colours[127]) <= 2  # grey-white in the middle


def test_long_pictures_are_averaged_over_whole_blocks() -> None:
    values = np.zeros((224, 448))
    values[:4, :4] = 1.0
    values[:2, 4:8] = 1.0
    picture = decoded(encode_signed(values, scale=1.0))
    assert picture.shape == (56, 112, 3)
    colours = diverging_colours()
    np.testing.assert_array_equal(picture[0, :3], colours[[254, round(127 * 1.5), 127]])


def test_a_filter_shows_zero_as_grey_and_its_largest_weight_in_full() -> None:
    weights = np.zeros((3, 2, 2), np.float16)
    weights[0, 0, 1], weights[2, 1, 0] = 0.5, -0.5
    picture = decoded(encode_filter(weights))
    assert picture[0, 0].tolist() == [128, 128, 128]
    assert picture[0, 1].tolist() == [255, 128, 128]
    assert picture[1, 0].tolist() == [128, 128, 0]


@pytest.mark.parametrize("channels", [1, 5])
def test_filters_of_other_depths_are_summed(channels: int) -> None:
    weights = np.zeros((channels, 2, 2))
    weights[0, 0, 0] = -3.0
    colours = diverging_colours()
    np.testing.assert_array_equal(decoded(encode_filter(weights))[0], colours[[0, 127]])


@pytest.mark.parametrize("channels", [1, 3])
def test_an_input_picture_keeps_its_sides(channels: int) -> None:
    picture = np.full((5, 7, channels), 77, np.uint8)
    np.testing.assert_array_equal(decoded(encode_picture(picture)), np.full((5, 7, 3), 77))


def test_a_sheet_names_rows_and_columns_and_leaves_gaps() -> None:
    view = np.linspace(-1, 1, 12).reshape(3, 4)
    sheet = draw_views(
        [[view, None], [view, view]],
        rows=["level 1", "level 12"],
        columns=["class token", "$\\frac{"],
        scale=1.0,
        unit="view",
    )
    pictures = sheet.axes[:4]
    assert [len(axes.images) for axes in pictures] == [1, 0, 1, 1]
    assert [axes.get_title("center") for axes in pictures] == ["class token", "$\\frac{", "", ""]
    assert [axes.get_ylabel() for axes in pictures] == ["level 1", "", "level 12", ""]
    assert sheet.axes[4].get_xlabel() == "view"
    assert to_png(sheet)[:4] == b"\x89PNG"
