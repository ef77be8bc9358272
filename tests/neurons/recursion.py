"""The paper's section 3.1.2, taken literally: pictures averaged by attention, one level after the other."""

from __future__ import annotations

import numpy as np


def level_zero(image: np.ndarray, filters: np.ndarray, neuron: int) -> list[np.ndarray]:
    """One picture a patch: zeros but for the filter times the patch."""
    size = filters.shape[2]
    pictures = []
    for top in range(0, image.shape[1], size):
        for left in range(0, image.shape[2], size):
            picture = np.zeros_like(image)
            for channel in range(image.shape[0]):
                for y in range(size):
                    for x in range(size):
                        pixel = image[channel, top + y, left + x]
                        picture[channel, top + y, left + x] = filters[neuron, channel, y, x] * pixel
            pictures.append(picture)
    return pictures


def views(
    image: np.ndarray, filters: np.ndarray, maps: list[np.ndarray], *, neuron: int, prefix: int
) -> list[list[np.ndarray]]:
    """Entry l - 1: the pictures of all tokens at level l."""
    zero = level_zero(image, filters, neuron)
    tokens = len(maps[0])
    # Block 1 arranges the patches' views, weighted; the prefix tokens have none.
    levels = [[sum(maps[0][i, prefix + k] * zero[k] for k in range(len(zero))) for i in range(tokens)]]
    for attention in maps[1:]:
        below = levels[-1]
        levels.append([sum(attention[i, k] * below[k] for k in range(tokens)) for i in range(tokens)])
    return levels  # pyright: ignore[reportReturnType]
