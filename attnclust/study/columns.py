"""Columns of a table as arrays, and their means over images with intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Float, Int

from attnclust.statistics import mean_interval


def codes(table: pa.Table, name: str) -> tuple[list[str], Int[np.ndarray, " rows"]]:
    """The distinct names of a column of names, in the order they come, and each row's place among them."""
    encoded = table[name].cast(pa.string()).combine_chunks().dictionary_encode()
    return encoded.dictionary.to_pylist(), encoded.indices.to_numpy(zero_copy_only=False)


def means(
    values: Float[np.ndarray, " rows"], *places: Int[np.ndarray, " rows"], shape: tuple[int, ...]
) -> Float[np.ndarray, "*shape"]:
    """The mean of the values at each place, NaN where there is none; NaN among the values do not count."""
    known = ~np.isnan(values)
    place = np.ravel_multi_index(tuple(each[known] for each in places), shape)
    size = int(np.prod(shape))
    count = np.bincount(place, minlength=size)
    total = np.bincount(place, weights=values[known], minlength=size)
    return np.divide(total, count, out=np.full(size, np.nan), where=count > 0).reshape(shape)


def intervals(by_image: Mapping[str, Float[np.ndarray, "n ..."]], seed: int) -> dict[str, Any]:
    """For each name the mean over images with its 95 % bootstrap interval; the same images are drawn for all.

    Rounded to six digits: more is noise, and results.json is read by people.
    """
    if not by_image:
        return {}
    stacked = np.stack(list(by_image.values()), axis=1)
    limits = [rounded(each) for each in mean_interval(stacked, seed=seed)]
    return {
        name: {key: limit[i] for key, limit in zip(("mean", "ci_low", "ci_high"), limits, strict=True)}
        for i, name in enumerate(by_image)
    }


def rounded(values: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """The values to six significant digits."""
    return np.array([float(f"{value:.6g}") for value in values.ravel()]).reshape(values.shape)
