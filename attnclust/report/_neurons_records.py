"""The records behind the pictures of neurons, as arrays: pixels, filters, and roll-out rows by role."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from attnclust.plots import expand_view
from attnclust.records import MODEL
from attnclust.report._study import Study

CLEAN = "clean"
ATTENTION, RESIDUAL = "attention", "residual"

Weights = dict[str, dict[int, np.ndarray]]
"""Role -> level -> R_l[token], N numbers."""


@dataclass(frozen=True)
class Drawn:
    """What the pictures are made from.

    Attributes:
        filters: ``(D, C, P, P)``.
        mean, std: the model's normalisation.
        inputs: (image, condition) -> pixels, ``(H, W, 3)``.
        masks: image -> each patch's object, ``(rows, columns)``.
        weights: (image, condition, form) -> :data:`Weights`.
        tokens: (image, role) -> the token's number.
    """

    filters: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    inputs: dict[tuple[str, str], np.ndarray]
    masks: dict[str, np.ndarray]
    weights: dict[tuple[str, str, str], Weights]
    tokens: dict[tuple[str, str], int]

    def raw(self, image: str, condition: str = CLEAN) -> Float[np.ndarray, "c h w"]:
        """Pixels in [0, 1]."""
        return self.inputs[image, condition].transpose(2, 0, 1) / 255

    def seen(self, image: str, condition: str = CLEAN) -> Float[np.ndarray, "c h w"]:
        """Pixels as the model sees them."""
        return (self.raw(image, condition) - self.mean[:, None, None]) / self.std[:, None, None]

    def column(
        self, neuron: int, image: str, condition: str = CLEAN, *, raw: bool = False
    ) -> Float[np.ndarray, "c h w"]:
        """One filter over the whole image."""
        pixels = self.raw(image, condition) if raw else self.seen(image, condition)
        high, wide = self.filters.shape[2:]
        return pixels * np.tile(self.filters[neuron], (1, pixels.shape[1] // high, pixels.shape[2] // wide))

    def patch(self, image: str, number: int) -> Float[np.ndarray, "c p p"]:
        """One patch as the model sees it."""
        pixels, (high, wide) = self.seen(image), self.filters.shape[2:]
        top, left = (
            n * side for n, side in zip(divmod(number, pixels.shape[2] // wide), (high, wide), strict=True)
        )
        return pixels[:, top : top + high, left : left + wide]

    def view(
        self, column: Float[np.ndarray, "c h w"], weights: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, "c h w"]:
        """A view times the number of patches, so that equal weights repeat the column."""
        return len(weights) * expand_view(column, weights)

    @property
    def images(self) -> list[str]:
        """The study's own images, which have masks."""
        return list(self.masks)

    @property
    def photographs(self) -> list[str]:
        """The user's own."""
        return [image for image, _ in self.inputs if image not in self.masks]


@dataclass(frozen=True)
class Ranked:
    """A filter: how it tells objects from the background, on average over objects, and which classes."""

    neuron: int
    selectivity: float
    answers: int
    classes: int
    objects: int


def read_drawn(study: Study) -> Drawn | None:
    """The records, or None if there are none to draw from."""
    pictures, views = study.table("pictures"), study.table("views")
    if pictures is None or views is None:
        return None
    arrays: dict[str, dict[tuple[str, str], np.ndarray]] = {}
    for row in pictures.to_pylist():
        arrays.setdefault(row["kind"], {})[row["image"], row["condition"]] = _array(row)
    if not {"filters", "mean", "std", "input"} <= arrays.keys():
        return None
    weights: dict[tuple[str, str, str], Weights] = {}
    tokens = {}
    for row in views.to_pylist():
        roles = weights.setdefault((row["image"], row["condition"], row["form"]), {})
        roles.setdefault(row["role"], {})[row["level"]] = np.asarray(row["weights"], np.float64)
        tokens[row["image"], row["role"]] = row["token"]
    one = {kind: next(iter(arrays[kind].values())).astype(np.float64) for kind in ("filters", "mean", "std")}
    masks = {image: mask for (image, _), mask in arrays.get("mask", {}).items()}
    return Drawn(**one, inputs=arrays["input"], masks=masks, weights=weights, tokens=tokens)


def rank_filters(study: Study, drawn: Drawn, *, answers: float | int = 0.5) -> list[Ranked]:
    """All filters, the most object-selective first: by the mean of |2 AUC - 1| over objects.

    A filter answers to a class if its mean selectivity over the class's objects is at least `answers` in
    size. Without records of objects, by how much the filter's neurons vary over the first image.
    """
    table = study.table("filters")
    rows = [] if table is None else [row for row in table.to_pylist() if row["subject"] == MODEL]
    if not rows:
        pixels = drawn.seen(next(iter(drawn.inputs))[0])
        spread = _neurons(pixels, drawn.filters).std(axis=0)
        return [Ranked(int(j), float(spread[j]), 0, 0, 0) for j in np.argsort(-spread, kind="stable")]
    selectivity = np.array([row["selectivity"] for row in rows])
    names = sorted({row["class"] for row in rows})
    by_class = np.stack([selectivity[[row["class"] == name for row in rows]].mean(axis=0) for name in names])
    answered = (np.abs(by_class) >= answers).sum(axis=0)
    mean = np.abs(selectivity).mean(axis=0)
    return [
        Ranked(int(j), float(mean[j]), int(answered[j]), len(names), len(rows))
        for j in np.argsort(-mean, kind="stable")
    ]


def spread(levels: Sequence[int], most: int) -> list[int]:
    """A few levels, evenly spread, the first and the last among them.

    >>> spread(range(13), 4)
    [0, 4, 8, 12]
    """
    if len(levels) <= most:
        return list(levels)
    return [levels[round(i * (len(levels) - 1) / (most - 1))] for i in range(most)]


def _neurons(
    pixels: Float[np.ndarray, "c h w"], filters: Float[np.ndarray, "d c p p"]
) -> Float[np.ndarray, "n d"]:
    channels, height, width = pixels.shape
    high, wide = filters.shape[2:]
    patches = pixels.reshape(channels, height // high, high, width // wide, wide).transpose(1, 3, 0, 2, 4)
    return patches.reshape(-1, channels * high * wide) @ filters.reshape(len(filters), -1).T


def _array(row: dict[str, Any]) -> np.ndarray:
    return np.frombuffer(row["data"], np.dtype(row["dtype"]).newbyteorder("<")).reshape(row["shape"])
