"""A user's own pictures, from real files of every kind; and four joined into one."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from attnclust._array import ArgumentError
from attnclust.data import mosaic, open_photo

# Left half light, right half dark, so that a turn shows.
GREY = np.repeat(np.array([[200, 60]], np.uint8), [20, 20], axis=1).repeat(20, axis=0)


def half_and_half(photo: np.ndarray, *, slack: int = 3) -> None:
    assert photo.dtype == np.uint8
    assert photo.shape == (20, 40, 3)
    assert np.abs(photo[:, :18].astype(int) - 200).max() <= slack
    assert np.abs(photo[:, 22:].astype(int) - 60).max() <= slack


def png16(pixels: np.ndarray) -> bytes:
    """A PNG of 16 bits a channel, which Pillow does not write for colours: (h, w, 3)."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


@pytest.mark.parametrize("kind", ["png", "jpg", "tif", "webp", "bmp", "gif"])
def test_grey(tmp_path: Path, kind: str) -> None:
    file = tmp_path / f"a.{kind}"
    Image.fromarray(GREY).save(file, quality=95)
    half_and_half(open_photo(file), slack=8)


def test_black_and_white(tmp_path: Path) -> None:
    Image.fromarray(GREY > 100).save(tmp_path / "a.png")
    assert set(open_photo(tmp_path / "a.png").ravel()) == {0, 255}


def test_rgba_and_grey_with_alpha_lie_on_white(tmp_path: Path) -> None:
    pixels = np.zeros((2, 3, 4), np.uint8)
    pixels[0, 0] = (10, 20, 30, 255)
    pixels[1, 1] = (0, 0, 0, 51)  # a fifth of black
    Image.fromarray(pixels).save(tmp_path / "a.png")
    expected = np.full((2, 3, 3), 255)
    expected[0, 0], expected[1, 1] = (10, 20, 30), 204
    np.testing.assert_array_equal(open_photo(tmp_path / "a.png"), expected)
    alpha = Image.fromarray(np.full((2, 3), 255, np.uint8))
    Image.merge("LA", [Image.fromarray(pixels[:, :, 0]), alpha]).save(tmp_path / "b.png")
    np.testing.assert_array_equal(open_photo(tmp_path / "b.png"), pixels[:, :, :1].repeat(3, axis=2))


def test_palette_with_and_without_a_transparent_colour(tmp_path: Path) -> None:
    picture = Image.fromarray((GREY < 100).astype(np.uint8))
    picture.putpalette([200, 200, 200, 60, 60, 60])
    assert picture.mode == "P"
    picture.save(tmp_path / "a.png")
    half_and_half(open_photo(tmp_path / "a.png"), slack=0)
    picture.save(tmp_path / "b.gif", transparency=1)
    photo = open_photo(tmp_path / "b.gif")
    assert (photo[:, :20] == 200).all()
    assert (photo[:, 20:] == 255).all()


@pytest.mark.parametrize("kind", ["jpg", "tif"])
def test_cmyk(tmp_path: Path, kind: str) -> None:
    picture = Image.fromarray(GREY).convert("RGB").convert("CMYK")
    picture.save(tmp_path / f"a.{kind}", quality=95)
    with Image.open(tmp_path / f"a.{kind}") as stored:
        assert stored.mode == "CMYK"
    half_and_half(open_photo(tmp_path / f"a.{kind}"), slack=8)


@pytest.mark.parametrize("kind", ["png", "tif"])
def test_sixteen_bits_of_grey(tmp_path: Path, kind: str) -> None:
    Image.fromarray(GREY.astype(np.uint16) * 257).save(tmp_path / f"a.{kind}")
    half_and_half(open_photo(tmp_path / f"a.{kind}"), slack=0)
    Image.fromarray(np.array([[0, 65535, 128]], np.uint16)).save(tmp_path / f"b.{kind}")
    assert open_photo(tmp_path / f"b.{kind}")[0, :, 0].tolist() == [0, 255, 0]


def test_sixteen_bits_of_colour(tmp_path: Path) -> None:
    colours = np.stack([GREY, GREY, 255 - GREY], axis=2)
    (tmp_path / "a.png").write_bytes(png16(colours.astype(np.uint16) * 257))
    np.testing.assert_array_equal(open_photo(tmp_path / "a.png"), colours)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_stands_upright(tmp_path: Path, orientation: int) -> None:
    upright = np.stack([GREY, np.arange(20, dtype=np.uint8)[:, None] * 10 + 0 * GREY, GREY], axis=2)
    stored = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a),
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }[orientation](upright)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(stored)).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(open_photo(tmp_path / "a.png"), upright)


def test_sixteen_bits_turned_by_exif(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = np.ascontiguousarray(np.rot90(GREY)).astype(np.uint16) * 257
    Image.fromarray(turned).save(tmp_path / "a.png", exif=exif)
    half_and_half(open_photo(tmp_path / "a.png"), slack=0)


def test_what_is_no_photo_is_told(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"nowhere\.png"):
        open_photo(tmp_path / "nowhere.png")
    (tmp_path / "a.jpg").write_text("no picture")
    with pytest.raises(ArgumentError, match="that Pillow can read"):
        open_photo(tmp_path / "a.jpg")
    Image.fromarray(GREY).save(tmp_path / "b.png")
    whole = (tmp_path / "b.png").read_bytes()
    (tmp_path / "b.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ArgumentError, match="that Pillow can read"):
        open_photo(tmp_path / "b.png")
    for wrong in (np.array([[0.5]], np.float32), np.array([[70_000]], np.int32), np.array([[-1]], np.int32)):
        Image.fromarray(wrong).save(tmp_path / "c.tif")
        with pytest.raises(ArgumentError, match=r"integers of up to 16 bits.*c\.tif"):
            open_photo(tmp_path / "c.tif")


def test_four_pictures_make_one() -> None:
    corners = [np.full((3 + n, 5, 3), (10 * n, 100, 200), np.uint8) for n in range(4)]
    joined = mosaic(corners, (6, 10))
    assert joined.shape == (6, 10, 3)
    for n, (row, column) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
        quarter = joined[3 * row : 3 * row + 3, 5 * column : 5 * column + 5]
        np.testing.assert_array_equal(quarter, np.broadcast_to((10 * n, 100, 200), (3, 5, 3)))
    for wrong in (corners[:3], [*corners, corners[0]], []):
        with pytest.raises(ArgumentError, match=f"pictures: must be four; got {len(wrong)}"):
            mosaic(wrong, 8)
    with pytest.raises(ArgumentError, match="size: must be even; got 6 x 7"):
        mosaic(corners, (6, 7))
