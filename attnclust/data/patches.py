"""From pixels to patches: squashing, which object a patch belongs to, and which images count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from PIL import Image

from attnclust._array import ArgumentError, ArgumentTypeError

from .sample import LabelledImage
from .voc import VOID_ABOVE

Mask = Any
"""``Integer[np.ndarray, "h w"]``: 0 background, i + 1 the i-th object, above 200 void."""

Grid = Any
"""``int | tuple[int, int]``: cells down and across; one number stands for both."""

TOO_FEW_OBJECTS = "too few objects"
TOO_FEW_PATCHES = "too few patches"


@dataclass(frozen=True)
class Selection:
    """What the rule of :func:`select_objects` makes of one image.

    Attributes:
        objects: object id (mask value) -> its patches, raster indices in rising order; empty if the image is
            out.
        class_names: object id -> class name, for the same objects.
        contested: how many patches two or more counted objects could claim.
        reason: ``None`` if the image is in, else ``TOO_FEW_OBJECTS`` or ``TOO_FEW_PATCHES``.
    """

    objects: dict[int, Int[np.ndarray, " _"]]
    class_names: dict[int, str]
    contested: int
    reason: str | None


def squash(sample: LabelledImage, size: Grid) -> LabelledImage:
    """The image squashed to the model's input size, bicubic (Pillow's); the mask by nearest pixels; no crop.

    Args:
        sample: a labelled image of any size.
        size: the model's input, height and width, in pixels; one number for a square.

    Returns:
        The labelled image at that size; values of the mask are never mixed.

    Raises:
        ArgumentError: the size is no pair of positive numbers.

    Example:
        >>> import numpy as np
        >>> from attnclust.data import LabelledImage, squash
        >>> wide = LabelledImage("a", np.zeros((30, 50, 3), np.uint8), np.ones((30, 50), np.uint8), ("cat",))
        >>> squash(wide, 16).instances.shape
        (16, 16)
    """
    height, width = grid_sides(size, name="size")
    image = Image.fromarray(sample.image).resize((width, height), Image.Resampling.BICUBIC)
    mask = Image.fromarray(sample.instances).resize((width, height), Image.Resampling.NEAREST)
    return replace(sample, image=np.array(image), instances=np.array(mask))


def patch_coverage(mask: Mask, *, grid: Grid) -> Float[np.ndarray, "n 200"]:
    """The share of each patch that each object covers.

    A patch is ``floor(height / rows)`` by ``floor(width / columns)`` pixels. Where the grid does not divide
    the sides, the pixels left over at the bottom and at the right belong to no patch.

    Args:
        mask: (h, w), 0 for background, i + 1 for the i-th object, above 200 for void (counted as background).
        grid: patches down and across, N in all.

    Returns:
        Shares in [0, 1], (N, 200): patches in raster order, column i for mask value i + 1.

    Raises:
        ArgumentTypeError: the mask does not hold integers.
        ArgumentError: the mask is not (h, w), holds values outside 0..255, or has fewer pixels than the grid
            cells.

    Example:
        >>> import numpy as np
        >>> from attnclust.data import patch_coverage
        >>> mask = np.zeros((4, 6), int)
        >>> mask[:2, :2] = 1
        >>> mask[0, 3] = 2
        >>> patch_coverage(mask, grid=(2, 3))[:, :2].tolist()
        [[1.0, 0.0], [0.0, 0.25], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]
    """
    mask = _check_mask(mask)
    rows, columns = grid_sides(grid)
    height, width = cell_size(mask.shape, grid)
    cells = np.arange(rows)[:, None] * columns + np.arange(columns)
    # One histogram of (patch, value) over all pixels.
    cell_of_pixel = np.repeat(np.repeat(cells, height, axis=0), width, axis=1)
    values = mask[: rows * height, : columns * width].astype(np.intp)
    counts = np.bincount((cell_of_pixel * 256 + values).ravel(), minlength=rows * columns * 256)
    return counts.reshape(rows * columns, 256)[:, 1 : VOID_ABOVE + 1] / (height * width)


def patch_labels(mask: Mask, *, grid: Grid, overlap: float | int = 0.4) -> Int[np.ndarray, " n"]:
    """The object that each patch belongs to: one that covers at least the given share of it.

    A patch that several objects could claim goes to the one that covers more of it, the first on a tie;
    :func:`contested_patches` tells which they are. Void (mask values above 200) is background.

    Args:
        mask: (h, w), 0 for background, i + 1 for the i-th object, above 200 for void.
        grid: patches down and across, N in all; see :func:`patch_coverage` for sides that it does not divide.
        overlap: the share of a patch that makes it an object's, in (0, 1].

    Returns:
        (N,) in raster order: i + 1 for the i-th object, 0 for none.

    Raises:
        ArgumentError, ArgumentTypeError: as :func:`patch_coverage`, or the overlap is outside (0, 1].

    Example:
        >>> import numpy as np
        >>> from attnclust.data import patch_labels
        >>> mask = np.zeros((4, 6), int)
        >>> mask[:, :2] = 1
        >>> mask[2:, 1:4] = 2
        >>> patch_labels(mask, grid=(2, 3))
        array([1, 0, 0, 1, 2, 0])
    """
    coverage = patch_coverage(mask, grid=grid)
    claimed = coverage >= _check_overlap(overlap)
    return np.where(claimed.any(axis=1), np.argmax(coverage, axis=1) + 1, 0)


def contested_patches(mask: Mask, *, grid: Grid, overlap: float | int = 0.4) -> Bool[np.ndarray, " n"]:
    """Which patches two or more objects cover by at least the given share.

    Takes and refuses the same as :func:`patch_labels`; returns (N,) truth values in raster order.

    Example:
        >>> import numpy as np
        >>> from attnclust.data import contested_patches
        >>> mask = np.zeros((4, 6), int)
        >>> mask[:, :2] = 1
        >>> mask[2:, 1:4] = 2
        >>> np.flatnonzero(contested_patches(mask, grid=(2, 3)))
        array([3])
    """
    return (patch_coverage(mask, grid=grid) >= _check_overlap(overlap)).sum(axis=1) > 1


def select_objects(
    mask: Mask,
    classes: Sequence[str],
    *,
    grid: Grid,
    overlap: float | int = 0.4,
    side: float | int = 0.14,
    min_objects: int = 2,
    min_patches: int = 3,
) -> Selection:
    """The objects of an image that count and their patches, or why the image is out.

    An object counts if its area is more than ``side**2`` of the image's: for 224 x 224 pixels and the
    default, more than (0.14 * 224)^2 pixels, about 983. Objects that do not count claim no patch. The image
    is out if fewer than ``min_objects`` count, or if one that counts has fewer than ``min_patches`` patches.
    Source: section 3.2 of the paper ("at least two big objects"), with the numbers of the authors' notebook.

    Args:
        mask: (h, w) at the model's input size, after any occlusion.
        classes: the class of each object; mask value i + 1 is of class ``classes[i]``.
        grid: patches down and across.
        overlap: the share of a patch that makes it an object's.
        side: the side of the smallest object, as a fraction of the image's.
        min_objects: how many objects must count.
        min_patches: how many patches each of them must have.

    Raises:
        ArgumentError, ArgumentTypeError: as :func:`patch_labels`, or ``classes`` does not name an object of
            the mask.

    Example:
        >>> import numpy as np
        >>> from attnclust.data import select_objects
        >>> mask = np.zeros((224, 224), np.uint8)
        >>> mask[:64, :64], mask[96:160, 96:160] = 1, 2
        >>> found = select_objects(mask, ("cat", "dog"), grid=14)
        >>> found.reason, found.class_names, found.objects[1][:5]
        (None, {1: 'cat', 2: 'dog'}, array([ 0,  1,  2,  3, 14]))
    """
    mask = _check_mask(mask)
    areas = np.bincount(mask.ravel(), minlength=256)[1 : VOID_ABOVE + 1]
    present = np.flatnonzero(areas) + 1
    if present.size and present[-1] > len(classes):
        raise ArgumentError(
            "classes",
            "it must name the class of every object of the mask",
            f"{len(classes)} classes for object {present[-1]}",
            "Give one class an object.",
        )
    # As a share, correctly rounded, so that an area exactly at the limit stays out.
    counted = [int(i) for i in present if areas[i - 1] / mask.size > side * side]
    if len(counted) < min_objects:
        return Selection({}, {}, 0, TOO_FEW_OBJECTS)
    big = np.where(np.isin(mask, counted), mask, 0)
    labels = patch_labels(big, grid=grid, overlap=overlap)
    contested = int(contested_patches(big, grid=grid, overlap=overlap).sum())
    objects = {i: np.flatnonzero(labels == i) for i in counted}
    if any(patches.size < min_patches for patches in objects.values()):
        return Selection({}, {}, contested, TOO_FEW_PATCHES)
    return Selection(objects, {i: classes[i - 1] for i in counted}, contested, None)


def grid_sides(grid: Grid, *, name: str = "grid") -> tuple[int, int]:
    """Both sides of a grid (or size) as positive integers, or an error that names the argument."""
    sides = (grid, grid) if isinstance(grid, int | np.integer) else tuple(grid)
    if len(sides) != 2 or not all(isinstance(side, int | np.integer) and side >= 1 for side in sides):
        raise ArgumentError(
            name, "it must be one or two positive integers", repr(grid), "Give (rows, columns)."
        )
    return int(sides[0]), int(sides[1])


def cell_size(shape: tuple[int, ...], grid: Grid) -> tuple[int, int]:
    """The height and width in pixels of a grid's cells: the sides divided, rounded down."""
    rows, columns = grid_sides(grid)
    height, width = shape[0] // rows, shape[1] // columns
    if not height or not width:
        raise ArgumentError(
            "grid",
            "each cell must hold a pixel",
            f"{rows} x {columns} cells on {shape[:2]} pixels",
            "Take fewer cells.",
        )
    return height, width


def _check_mask(mask: Mask) -> np.ndarray:
    mask = np.asarray(mask)
    if mask.dtype.kind not in "iu":
        raise ArgumentTypeError(
            "mask", "it must hold integers", str(mask.dtype), "Give object numbers, 0 for none."
        )
    if mask.ndim != 2 or not mask.size:
        raise ArgumentError("mask", "it must have shape (height, width)", str(mask.shape), "Give one mask.")
    if mask.min() < 0 or mask.max() > 255:
        raise ArgumentError(
            "mask",
            "its values must lie in 0..255",
            f"{mask.min()}..{mask.max()}",
            "Number the objects from 1.",
        )
    return mask


def _check_overlap(overlap: float | int) -> float | int:
    if not 0 < overlap <= 1:
        raise ArgumentError(
            "overlap", "it must lie in (0, 1]", repr(overlap), "Give the share of a patch, as 0.4."
        )
    return overlap
