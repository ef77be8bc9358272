"""What is done to an image before the model sees it: shuffled cells, blacked-out or noise-filled patches."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool

from attnclust._array import ArgumentError, ArgumentTypeError

from .patches import Grid, Mask, cell_size, grid_sides, patch_coverage
from .voc import VOID_ABOVE

Picture = Any
"""``UInt8[np.ndarray, "h w 3"]``, an image before normalisation."""

OCCLUSIONS = ("random", "salient", "non-salient", "noise")
"""What :func:`occlude` drops or fills."""

SALIENT_ABOVE = 0.15
"""A patch is salient if the objects together cover more than this share of it."""

ALL_CONDITIONS = (
    "clean",
    *(f"shuffle-{cells}" for cells in (2, 8)),
    *(f"random-{ratio}" for ratio in (0.2, 0.4, 0.6, 0.8)),
    *(f"salient-{ratio}" for ratio in (0.2, 0.4, 0.6, 0.8)),
    *(f"non-salient-{ratio}" for ratio in (0.2, 0.4, 0.6, 0.8, 1.0)),
    "noise-1.0",
)
"""The conditions of the paper (section 3.2 and appendix B)."""

DEFAULT_CONDITIONS = ("clean", "shuffle-2", "shuffle-8", "random-0.4", "salient-0.4", "non-salient-1.0")
"""The conditions of a study that does not name its own."""


@dataclass(frozen=True)
class Condition:
    """A condition read from its name.

    Attributes:
        name: the name in its one spelling (``random-0.40`` is ``random-0.4``); it seeds the drawing.
        kind: ``clean``, ``shuffle``, or what is occluded.
        amount: cells a side for ``shuffle``, the ratio for an occlusion, 0 for ``clean``.
    """

    name: str
    kind: str
    amount: float | int


def parse_condition(name: str) -> Condition:
    """Read a condition's name.

    Names are ``clean``, ``shuffle-G``, ``random-R``, ``salient-R``, ``non-salient-R`` and ``noise-R``: G is a
    number of cells a side from 2, R a ratio in (0, 1]; the paper's are in ``ALL_CONDITIONS``.

    Raises:
        ArgumentError: there is no such condition; the message lists those there are.

    Example:
        >>> from attnclust.data import parse_condition
        >>> parse_condition("shuffle-8")
        Condition(name='shuffle-8', kind='shuffle', amount=8)
        >>> parse_condition("non-salient-1")
        Condition(name='non-salient-1.0', kind='non-salient', amount=1.0)
    """
    if name == "clean":
        return Condition("clean", "clean", 0)
    if (found := re.fullmatch(r"shuffle-([0-9]{1,4})", name)) and int(found[1]) >= 2:
        return Condition(f"shuffle-{int(found[1])}", "shuffle", int(found[1]))
    for kind in OCCLUSIONS:
        found = re.fullmatch(rf"{kind}-([0-9]*\.?[0-9]+)", name)
        if found and 0 < float(found[1]) <= 1:
            return Condition(f"{kind}-{float(found[1])}", kind, float(found[1]))
    raise ArgumentError(
        "condition",
        "it must be clean, shuffle-G with G >= 2 cells a side, or random-R, salient-R, non-salient-R or "
        "noise-R with 0 < R <= 1",
        repr(name),
        f"The paper's are {', '.join(ALL_CONDITIONS)}.",
    )


def shuffle_grid(
    image: Picture, mask: Mask, grid: Grid, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Cut image and mask into cells and put the cells in one random order, the same for both.

    A cell is ``floor(height / rows)`` by ``floor(width / columns)`` pixels; pixels left over at the bottom
    and at the right stay where they are. Source: section 3.2 of the paper.

    Args:
        image: (h, w, 3) 8-bit pixels.
        mask: (h, w) object numbers.
        grid: cells down and across; one number for both.
        rng: draws the one permutation.

    Returns:
        The shuffled image and mask, new arrays; neither gains nor loses a pixel.

    Raises:
        ArgumentError, ArgumentTypeError: shapes or types do not fit, or the grid has more cells a side than
            pixels.

    Example:
        >>> import numpy as np
        >>> from attnclust.data import shuffle_grid
        >>> mask = np.array([[1, 2], [3, 4]])
        >>> image = np.zeros((2, 2, 3), np.uint8)
        >>> _, shuffled = shuffle_grid(image, mask, 2, np.random.default_rng(0))
        >>> sorted(shuffled.ravel().tolist())
        [1, 2, 3, 4]
    """
    image, mask = _check_pair(image, mask)
    rows, columns = grid_sides(grid)
    order = rng.permutation(rows * columns)
    image, mask = image.copy(), mask.copy()
    for array in (image, mask):
        cells = _cells(array, grid)
        old = cells.copy()
        cells[...] = old[order // columns, order % columns].reshape(cells.shape)
    return image, mask


def occlude(
    image: Picture, mask: Mask, kind: str, ratio: float | int, *, grid: Grid, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Drop patches: their pixels become black (``noise``: uniformly random), their mask background.

    ``random`` drops int(ratio * N) of all N patches; ``salient`` int(ratio * n) of the n patches that the
    objects together cover by more than 15 %; ``non-salient`` and ``noise`` int(ratio * n) of the n others.
    All objects of the mask count here, large or small. Patches are those of
    :func:`~attnclust.data.patch_coverage`: pixels left over at the bottom and at the right are never dropped.
    Source: appendix B of the paper (figures 12 to 16).

    Args:
        image: (h, w, 3) 8-bit pixels, squashed to the model's size and not yet normalised.
        mask: (h, w) object numbers, above 200 void.
        kind: ``random``, ``salient``, ``non-salient`` or ``noise``.
        ratio: the share of those patches, in (0, 1].
        grid: the model's patches down and across.
        rng: draws the patches, then the noise.

    Returns:
        The occluded image and mask, new arrays.

    Raises:
        ArgumentError, ArgumentTypeError: an unknown kind, a ratio outside (0, 1], shapes or types that do not
            fit.

    Example:
        >>> import numpy as np
        >>> from attnclust.data import occlude
        >>> mask = np.array([[1, 1, 0, 0]])
        >>> image = np.full((1, 4, 3), 7, np.uint8)
        >>> dark, left = occlude(image, mask, "salient", 1.0, grid=(1, 2), rng=np.random.default_rng(0))
        >>> dark[0, :, 0], left[0]
        (array([0, 0, 7, 7], dtype=uint8), array([0, 0, 0, 0]))
    """
    image, mask = _check_pair(image, mask)
    if kind not in OCCLUSIONS:
        known = ", ".join(OCCLUSIONS)
        raise ArgumentError("kind", f"it must be one of {known}", repr(kind), "Name one of these.")
    if not 0 < ratio <= 1:
        raise ArgumentError(
            "ratio", "it must lie in (0, 1]", repr(ratio), "Leave the image clean for ratio 0."
        )
    if kind == "random":
        rows, columns = grid_sides(grid)
        candidates = np.arange(rows * columns)
    else:
        candidates = np.flatnonzero(salient_patches(mask, grid=grid) == (kind == "salient"))
    dropped = rng.choice(candidates, size=int(ratio * candidates.size), replace=False)
    image, mask = image.copy(), mask.copy()
    pixels, values = _cells(image, grid), _cells(mask, grid)
    row, column = np.divmod(dropped, pixels.shape[1])
    fill = (
        rng.integers(0, 256, size=(dropped.size, *pixels.shape[2:]), dtype=np.uint8) if kind == "noise" else 0
    )
    pixels[row, column] = fill
    values[row, column] = 0
    return image, mask


def salient_patches(mask: Mask, *, grid: Grid) -> Bool[np.ndarray, " n"]:
    """The patches that the objects, all together, cover by more than 15 %.

    Args:
        mask: (h, w) object numbers, above 200 void.
        grid: patches down and across, N in all.

    Returns:
        (N,) truth values in raster order.

    Example:
        >>> import numpy as np
        >>> from attnclust.data import salient_patches
        >>> salient_patches(np.array([[1, 2, 0, 255]]), grid=(1, 2))
        array([ True, False])
    """
    mask = np.asarray(mask)
    # One object out of all, so that shares are counted and not added up.
    return (
        patch_coverage(((mask > 0) & (mask <= VOID_ABOVE)).astype(np.uint8), grid=grid)[:, 0] > SALIENT_ABOVE
    )


def apply_condition(
    condition: str | Condition, image: Picture, mask: Mask, *, grid: Grid, seed: int, name: str
) -> tuple[np.ndarray, np.ndarray]:
    """An image and its mask under a condition, drawn from the seed and the names of image and condition.

    The same three give the same pixels in every process and for every model of that input size and grid; a
    shuffle does not even depend on the model's grid. Apply it to the squashed image before it is normalised,
    and select images (:func:`~attnclust.data.select_objects`) after it.

    Args:
        condition: a name that :func:`parse_condition` reads, or what it returns.
        image: (h, w, 3) 8-bit pixels.
        mask: (h, w) object numbers.
        grid: the model's patches down and across.
        seed: the study's seed.
        name: the image's name.

    Returns:
        The new image and mask; copies for ``clean``.

    Raises:
        ArgumentError, ArgumentTypeError: as :func:`parse_condition`, :func:`shuffle_grid` and
            :func:`occlude`.

    Example:
        >>> import numpy as np
        >>> from attnclust.data import apply_condition
        >>> image, mask = np.full((4, 4, 3), 9, np.uint8), np.ones((4, 4), np.uint8)
        >>> half, left = apply_condition("random-0.5", image, mask, grid=4, seed=0, name="a")
        >>> int((half == 0).all(axis=2).sum()), int(left.sum())
        (8, 8)
    """
    if isinstance(condition, str):
        condition = parse_condition(condition)
    image, mask = _check_pair(image, mask)
    if condition.kind == "clean":
        return image.copy(), mask.copy()
    # Python's own hash() differs from process to process; a digest does not.
    key = hashlib.sha256(repr((int(seed), name, condition.name)).encode()).digest()
    rng = np.random.default_rng(int.from_bytes(key, "big"))
    if condition.kind == "shuffle":
        return shuffle_grid(image, mask, int(condition.amount), rng)
    return occlude(image, mask, condition.kind, condition.amount, grid=grid, rng=rng)


def _cells(array: np.ndarray, grid: Grid) -> np.ndarray:
    """A view of (h, w, ...) as (rows, columns, cell height, cell width, ...)."""
    rows, columns = grid_sides(grid)
    height, width = cell_size(array.shape, grid)
    down, across, *rest = array.strides
    return np.lib.stride_tricks.as_strided(
        array,
        (rows, columns, height, width, *array.shape[2:]),
        (height * down, width * across, down, across, *rest),
    )


def _check_pair(image: Picture, mask: Mask) -> tuple[np.ndarray, np.ndarray]:
    image, mask = np.asarray(image), np.asarray(mask)
    if image.dtype != np.uint8:
        raise ArgumentTypeError(
            "image", "it must hold 8-bit pixels", str(image.dtype), "Normalise it afterwards."
        )
    if image.ndim != 3 or image.shape[2] != 3:
        raise ArgumentError(
            "image", "it must have shape (height, width, 3)", str(image.shape), "Give RGB pixels."
        )
    if mask.shape != image.shape[:2]:
        raise ArgumentError(
            "mask",
            "it must be as high and wide as the image",
            f"{mask.shape} for {image.shape[:2]}",
            "Squash both.",
        )
    return image, mask
