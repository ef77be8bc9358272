from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from attnclust._array import ArgumentError
from attnclust.plots import (
    diverging_colours,
    draw_views,
    encode_clipped,
    encode_filter,
    encode_picture,
    encode_signed,
    encode_tiles,
    expand_view,
    reduced,
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


PALETTE = diverging_colours()[np.linspace(0, 254, 31).astype(int)].astype(int)


def test_the_scale_has_its_ends_and_its_middle() -> None:
    picture = decoded(encode_signed(np.array([[-2.0, -9.0, 0.0, 2.0, 9.0, 0.1]]), scale=2.0))
    np.testing.assert_array_equal(picture[0], PALETTE[[0, 0, 15, 30, 30, 16]])
    np.testing.assert_array_equal(PALETTE[[0, 15, 30]], diverging_colours()[[0, 127, 254]])
    assert PALETTE[0][2] > PALETTE[0][0]  # blue below
    assert PALETTE[30][0] > PALETTE[30][2]  # red above
    assert np.ptp(PALETTE[15]) <= 2  # grey-white in the middle


def test_long_pictures_are_averaged_over_whole_blocks() -> None:
    values = np.zeros((224, 448))
    values[:4, :4] = 1.0
    values[:2, 4:8] = 1.0
    picture = decoded(encode_signed(values, scale=1.0))
    assert picture.shape == (56, 112, 3)
    np.testing.assert_array_equal(picture[0, :3], PALETTE[[30, 22, 15]])
    np.testing.assert_array_equal(reduced(values)[0, :3], [1.0, 0.5, 0.0])


def test_the_clipped_display_shows_channels_as_colours_and_nothing_below_zero() -> None:
    view = np.zeros((3, 8, 24))
    view[0, :, :8], view[2, :, 8:16], view[1] = 2.0, 9.0, -5.0
    picture = decoded(encode_clipped(view, scale=2.0)).astype(int)
    for at, colour in ((4, (255, 0, 0)), (12, (0, 0, 255)), (20, (0, 0, 0))):
        assert np.abs(picture[4, at] - colour).max() < 40  # WebP loses a little
    grey = decoded(encode_clipped(np.full((2, 8, 8), 1.0), scale=2.0)).astype(int)
    assert np.abs(grey - 128).max() < 6


def test_tiles_stand_row_by_row_with_lines_between() -> None:
    tiles = np.zeros((5, 3, 16, 16))
    for number in range(5):
        tiles[number] = number + 1
    sheet = decoded(encode_tiles(tiles, columns=3)).astype(int)
    assert sheet.shape == (2 * 17 - 1, 3 * 17 - 1, 3)
    greys = [sheet[8 + 17 * (n // 3), 8 + 17 * (n % 3), 0] for n in range(5)]
    np.testing.assert_allclose(greys, 127.5 * (1 + np.arange(1, 6) / 5), atol=8)
    own = decoded(encode_tiles(tiles, columns=3, own_scale=True)).astype(int)
    assert min(own[8 + 17 * (n // 3), 8 + 17 * (n % 3), 0] for n in range(5)) > 245
    assert np.abs(sheet[25, 42] - 128).max() < 8  # no sixth tile
    assert sheet[4, 16].min() > sheet[4, 8].min() + 50  # a line
    assert decoded(encode_tiles(tiles[:, :2], columns=5)).shape == (16, 5 * 17 - 1, 3)


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
    np.testing.assert_array_equal(decoded(encode_filter(weights))[0], PALETTE[[0, 15]])


@pytest.mark.parametrize("channels", [1, 3])
def test_an_input_picture_keeps_its_sides(channels: int) -> None:
    picture = np.full((5, 7, channels), 77, np.uint8)
    shown = decoded(encode_picture(picture)).astype(int)
    assert shown.shape == (5, 7, 3)
    assert np.abs(shown - 77).max() <= 2
    assert decoded(encode_picture(np.zeros((224, 448, channels), np.uint8))).shape == (56, 112, 3)


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
