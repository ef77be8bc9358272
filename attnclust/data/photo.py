"""A user's own pictures: read whatever their format, and four of them joined into one."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps

from attnclust._array import ArgumentError

from .patches import Grid, grid_sides
from .voc import DECODING_ERRORS

Pictures = Sequence[Any]
"""``UInt8[np.ndarray, "h w 3"]`` each."""

_MOSAIC = 4


def open_photo(path: str | PathLike[str]) -> UInt8[np.ndarray, "h w 3"]:
    """A user's own picture as 8-bit RGB, the right way up (its EXIF orientation is applied).

    Grey, palette and CMYK pictures are converted, 16 bits a channel scaled to 8; transparent parts show
    white, as on a page.

    Args:
        path: a picture in any format that Pillow reads with integers of up to 16 bits a channel.

    Returns:
        The picture, (height, width, 3).

    Raises:
        ArgumentError: there is no such file, it is no picture, it is damaged, or its numbers are floating or
            above 65,535, so that nothing says which of them is white.

    Example:
        >>> import tempfile, pathlib, numpy as np
        >>> from PIL import Image
        >>> from attnclust.data import open_photo
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "wide.png"
        ...     Image.fromarray(np.zeros((2, 5), np.uint8)).save(path)
        ...     print(open_photo(path).shape)
        (2, 5, 3)
    """
    try:
        with Image.open(path) as opened:
            picture = ImageOps.exif_transpose(opened)
    except DECODING_ERRORS as error:
        raise ArgumentError(
            "path", "it must be a picture that Pillow can read", f"{path} ({error})", "Give another file."
        ) from error
    if picture.mode.startswith(("I", "F")):
        picture = _eight_bits(picture, path)
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        page = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(page, picture)
    return np.array(picture.convert("RGB"))


def mosaic(pictures: Pictures, size: Grid) -> UInt8[np.ndarray, "h w 3"]:
    """Four pictures joined into one, two by two, each squashed to a quarter of it.

    Source: the paper, section 3.2 (Figure 6b: four images joined to have one with diverse objects).

    Args:
        pictures: four pictures, (h, w, 3): top left, top right, bottom left, bottom right.
        size: height and width of the whole, even numbers of pixels; one number for a square.

    Returns:
        The whole, (height, width, 3).

    Raises:
        ArgumentError: not four pictures, or an odd side.

    Example:
        >>> import numpy as np
        >>> four = [np.full((9, 7, 3), grey, np.uint8) for grey in (10, 20, 30, 40)]
        >>> mosaic(four, 4)[:, :, 0].tolist()
        [[10, 10, 20, 20], [10, 10, 20, 20], [30, 30, 40, 40], [30, 30, 40, 40]]
    """
    height, width = grid_sides(size, name="size")
    if len(pictures) != _MOSAIC:
        raise ArgumentError("pictures", "must be four", len(pictures), "Join four pictures.")
    if height % 2 or width % 2:
        raise ArgumentError("size", "must be even", f"{height} x {width}", "Each picture takes half a side.")
    small = [
        np.array(Image.fromarray(each).resize((width // 2, height // 2), Image.Resampling.BICUBIC))
        for each in pictures
    ]
    return np.concatenate([np.concatenate(small[row : row + 2], axis=1) for row in (0, 2)])


def _eight_bits(picture: Image.Image, path: str | PathLike[str]) -> Image.Image:
    """A grey picture of 16 bits as one of 8."""
    values = np.asarray(picture)
    if values.dtype.kind == "f" or values.min() < 0 or values.max() > 65_535:
        raise ArgumentError(
            "path",
            "a picture must have integers of up to 16 bits a channel",
            f"{path} of mode {picture.mode}",
            "Save it as 8-bit RGB.",
        )
    return Image.fromarray(np.round(values / 257).astype(np.uint8))
