"""Measurements as curves over levels: means over images with their intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from attnclust.statistics import mean_interval


def columns(table: pa.Table) -> dict[str, np.ndarray]:
    """The columns of a table as arrays."""
    return {
        name: np.asarray(table[name].combine_chunks().cast(_plain(table, name)))
        for name in table.schema.names
    }


def curves(table: pa.Table, seed: int) -> dict[str, dict[str, Any]]:
    """By condition and metric: mean over images and 95 % bootstrap interval, per level.

    An image counts at those levels where it has a number; ``n`` is how many have one at some level.
    """
    found: dict[str, dict[str, Any]] = {}
    column = columns(table)
    for condition in dict.fromkeys(column["condition"]):
        here = column["condition"] == condition
        for metric in dict.fromkeys(column["metric"][here]):
            chosen = here & (column["metric"] == metric)
            order = np.lexsort((column["level"][chosen], column["image"][chosen]))
            levels = int(column["level"][chosen].max()) + 1
            values = column["value"][chosen][order].reshape(-1, levels)
            mean, low, high = mean_interval(values, seed=seed)
            found.setdefault(condition, {})[metric] = {
                "mean": mean,
                "ci_low": low,
                "ci_high": high,
                "n": int((~np.isnan(values)).any(axis=1).sum()),
            }
    return found


def _plain(table: pa.Table, name: str) -> pa.DataType:
    """The type of a column without its dictionary."""
    kind = table.schema.field(name).type
    return kind.value_type if pa.types.is_dictionary(kind) else kind
