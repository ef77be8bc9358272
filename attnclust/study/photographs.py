"""The user's own photographs: read, checked, and brought to the model's input size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from attnclust._array import ArgumentError
from attnclust.data import LabelledImage, mosaic, open_photo, squash
from attnclust.study.settings import Settings

JOINED = 4


@dataclass(frozen=True)
class Photograph:
    """A picture of the user's, and the patches whose views are drawn: role -> patch."""

    name: str
    pixels: UInt8[np.ndarray, "h w 3"]
    patches: dict[str, int]


def open_photographs(settings: Settings) -> list[LabelledImage]:
    """The user's own pictures, without objects; one that cannot be read is refused, as is a wrong number."""
    if settings.mosaic and len(settings.images) != JOINED:
        raise ArgumentError(
            "--mosaic",
            f"joins {JOINED} pictures into one",
            f"{len(settings.images)} after --image",
            "Name four.",
        )
    pictures = [(file.name, open_photo(file)) for file in settings.images]
    return [
        LabelledImage(name, pixels, np.zeros(pixels.shape[:2], np.uint8), ()) for name, pixels in pictures
    ]


def fit(
    pictures: Sequence[LabelledImage], *, size: tuple[int, int], grid: tuple[int, int], join: bool
) -> list[Photograph]:
    """The pictures at the model's input size, or all four joined; one smaller than a patch is refused."""
    patch = (size[0] // grid[0], size[1] // grid[1])
    for picture in pictures:
        height, width = picture.instances.shape
        if height < patch[0] or width < patch[1]:
            raise ArgumentError(
                "--image",
                f"must hold a patch of the model, {patch[0]} x {patch[1]} pixels (height x width)",
                f"{picture.name} of {height} x {width}",
                "Give a larger picture.",
            )
    if join and pictures:
        names = [picture.name for picture in pictures]
        joined = mosaic([picture.image for picture in pictures], size)
        return [Photograph(f"mosaic of {', '.join(names)}", joined, _quarters(names, grid))]
    return [
        Photograph(picture.name, squash(picture, size).image, _middle_and_corner(grid))
        for picture in pictures
    ]


def _middle_and_corner(grid: tuple[int, int]) -> dict[str, int]:
    """Two patches of a picture without masks."""
    return {"middle patch": grid[0] // 2 * grid[1] + grid[1] // 2, "corner patch": 0}


def _quarters(names: Sequence[str], grid: tuple[int, int]) -> dict[str, int]:
    """The middle patch of each quarter."""
    down, across = ((side // 4, side * 3 // 4) for side in grid)
    return {
        f"picture {number}: {name}": row * grid[1] + column
        for number, (name, (row, column)) in enumerate(
            zip(names, [(r, c) for r in down for c in across], strict=True), start=1
        )
    }
