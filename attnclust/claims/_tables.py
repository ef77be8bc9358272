"""Records in the form that claims need: curves an image, and shares of steps an image."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool, Float

from attnclust._array import ArgumentError, ArgumentTypeError
from attnclust.records import TABLES
from attnclust.statistics import spearman


@dataclass(frozen=True)
class Records:
    """What the claims are judged on: the records of one subject of one run.

    Attributes:
        subject: ``"model"`` or ``"random_twin"``.
        tables: name -> table, of all subjects; what is absent or None has no rows.
    """

    subject: str
    tables: Mapping[str, Any]

    def table(self, name: str) -> pa.Table:
        """The subject's rows of a table of :data:`attnclust.records.TABLES`; all, if it has no subjects."""
        return _of(self.subject, name, self.tables.get(name))

    @cached_property
    def curves(self) -> Curves:
        """The table ``measurements`` as curves."""
        return read_curves(self.table("measurements"))

    @cached_property
    def steps(self) -> Steps:
        """The table ``steps`` as columns."""
        return read_steps(self.table("steps"))


def _of(subject: str, name: str, table: Any) -> pa.Table:
    """The rows of `subject` in the records' table `name`; None is a table without rows.

    Raises:
        ArgumentTypeError: no pyarrow table.
        ArgumentError: a column is missing.
    """
    if table is None:
        return TABLES[name].empty_table()
    if not isinstance(table, pa.Table):
        raise ArgumentTypeError(
            name, "must be a pyarrow table or None", type(table).__name__, "Read it with records.read_table."
        )
    missing = sorted(set(TABLES[name].names) - set(table.column_names))
    if missing:
        raise ArgumentError(
            name, "must have the columns of its schema", f"no {missing}", f"See records.TABLES[{name!r}]."
        )
    return table.filter(pc.field("subject") == subject) if "subject" in table.column_names else table


def codes(column: pa.ChunkedArray) -> tuple[list[str], np.ndarray]:
    """The distinct names of a column of names, sorted, and each row's place among them."""
    encoded = column.cast(pa.string()).dictionary_encode().combine_chunks()
    names, place = np.unique(np.array(encoded.dictionary.to_pylist(), dtype=object), return_inverse=True)
    return names.tolist(), place[encoded.indices.to_numpy()] if names.size else np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class Curves:
    """Level metrics of one subject: ``(conditions, metrics, images, levels)``, NaN where not measured."""

    conditions: list[str]
    metrics: list[str]
    values: np.ndarray

    @property
    def levels(self) -> np.ndarray:
        return np.arange(self.values.shape[-1])

    def of(self, condition: str, metric: str) -> Float[np.ndarray, "images levels"]:
        """The metric's curves, all NaN if the records have none."""
        if condition not in self.conditions or metric not in self.metrics:
            return np.full(self.values.shape[2:], np.nan)
        return self.values[self.conditions.index(condition), self.metrics.index(metric)]

    def means(self, condition: str, metric: str) -> Float[np.ndarray, " images"]:
        """The mean over all levels, NaN for an image that misses one."""
        curves = self.of(condition, metric)
        return curves.mean(axis=1) if curves.size else np.full(len(curves), np.nan)

    def ratios(self, drop: str) -> dict[str, float]:
        """The conditions of a drop in the records, by rising ratio."""
        found = sorted(
            (float(ratio), condition)
            for condition in self.conditions
            for kind, _, ratio in [condition.rpartition("-")]
            if kind == drop
        )
        return {condition: ratio for ratio, condition in found}

    def absent(self, metric: str, *conditions: str) -> str:
        """Why no image has `metric` under all of `conditions`."""
        unknown = [name for name in conditions if name not in (*self.conditions, "clean")]
        if unknown:
            return f"{' and '.join(unknown)} {'was' if len(unknown) == 1 else 'were'} not run"
        missing = [name for name in conditions if np.isnan(self.of(name, metric)).all()]
        if missing:
            return f"the records hold no {metric} under {' or '.join(missing)}"
        return f"no image has {metric} at every level under {' and '.join(conditions)}"


def read_curves(table: pa.Table) -> Curves:
    """The curves of one subject; two rows for one image, condition, level and metric are refused."""
    (conditions, condition), (metrics, metric), (images, image) = (
        codes(table[name]) for name in ("condition", "metric", "image")
    )
    level = table["level"].to_numpy()
    if level.size and level.min() < 0:
        raise ArgumentError(
            "measurements", "levels must not be negative", int(level.min()), "Count them from 0."
        )
    shape = (len(conditions), len(metrics), len(images), int(level.max()) + 1 if level.size else 0)
    place = np.ravel_multi_index((condition, metric, image, level), shape) if level.size else level
    refuse_repeats("measurements", place, "image, condition, level and metric")
    values = np.full(shape, np.nan)
    values.flat[place] = table["value"].to_numpy()
    return Curves(conditions, metrics, np.where(np.isinf(values), np.nan, values))


def last_level(curves: Float[np.ndarray, "images levels"]) -> Float[np.ndarray, " images"]:
    """The values of the last level; NaN where there is no level."""
    return curves[:, -1] if curves.shape[1] else np.full(len(curves), np.nan)


def complete(values: np.ndarray) -> np.ndarray:
    """The rows (images) without a NaN."""
    return values[~np.isnan(values.reshape(len(values), math.prod(values.shape[1:]))).any(axis=1)]


def trends(curves: np.ndarray, against: np.ndarray) -> Float[np.ndarray, " images"]:
    """Spearman's rho of every curve; NaN for one with a hole, or without two points to make a trend."""
    return spearman(curves, against) if against.size > 1 else np.full(len(curves), np.nan)


def refuse_repeats(name: str, keys: np.ndarray, what: str) -> None:
    """Refuse records in which two rows have one key."""
    repeats = keys.size - np.unique(keys).size
    if repeats:
        raise ArgumentError(
            name, f"must have one row for each {what}", f"{repeats} rows too many", "Drop the repeats."
        )


@dataclass(frozen=True)
class Steps:
    """Theorem steps of one subject as columns of equal length; `image` counts from 0 to `images` - 1."""

    images: int
    columns: dict[str, np.ndarray]
    names: dict[str, list[str]]

    def where(self, name: str, value: str) -> Bool[np.ndarray, " rows"]:
        """The rows whose `name` ("form" or "rung") is `value`."""
        names = self.names[name]
        return self.columns[name] == (names.index(value) if value in names else -1)

    def total(self, rows: np.ndarray, of: np.ndarray) -> Float[np.ndarray, " images"]:
        """The sum of `of` over the chosen rows of each image."""
        total = np.bincount(self.columns["image"][rows], weights=of[rows], minlength=self.images)
        return total.astype(np.float64)  # without rows, NumPy counts in integers

    def share(self, rows: np.ndarray, of: np.ndarray) -> Float[np.ndarray, " some"]:
        """The mean of `of` over the chosen rows of each image; images without such rows are left out."""
        count = self.total(rows, np.ones(rows.size))
        return self.total(rows, of)[count > 0] / count[count > 0]

    def by_block(self, rows: np.ndarray, of: np.ndarray) -> Float[np.ndarray, "images blocks"]:
        """The mean of `of` over the chosen rows of each image and block, NaN where there are none."""
        block = self.columns["block"]
        blocks = int(block.max()) if block.size else 0
        place = (self.columns["image"] * blocks + block - 1)[rows]
        size = self.images * blocks
        count = np.bincount(place, minlength=size)
        total = np.bincount(place, weights=of[rows], minlength=size)
        means = np.divide(total, count, out=np.full(size, np.nan), where=count > 0)
        return means.reshape(self.images, blocks)


def read_steps(table: pa.Table) -> Steps:
    """The steps of one subject; two rows for one image, block, form, head, cluster and rung are refused."""
    columns: dict[str, np.ndarray] = {}
    names: dict[str, list[str]] = {}
    for name in ("form", "rung", "image"):
        names[name], columns[name] = codes(table[name])
    numbers = ("block", "head", "cluster", "tokens", "outside", "eps_upper", "shrinks", "holds", "certified")
    columns |= {name: table[name].to_numpy() for name in numbers}
    key = np.stack([columns[name] for name in ("image", "block", "form", "head", "cluster", "rung")], axis=1)
    refuse_repeats("steps", row_keys(key), "image, block, form, head, cluster and rung")
    return Steps(len(names["image"]), columns, names)


def row_keys(rows: np.ndarray) -> np.ndarray:
    """One integer a row of integers, equal just where the rows are."""
    if not rows.size:
        return np.empty(0, dtype=np.int64)
    shifted = rows - rows.min(axis=0)
    return np.asarray(np.ravel_multi_index(tuple(shifted.T), tuple(shifted.max(axis=0) + 1)))


def read_predictions(table: pa.Table) -> tuple[list[str], np.ndarray]:
    """The conditions, and ``(conditions, images)`` top-1 classes, -1 where there is none."""
    (conditions, condition), (images, image) = codes(table["condition"]), codes(table["image"])
    place = condition * len(images) + image
    refuse_repeats("predictions", place, "image and condition")
    top1 = np.full((len(conditions), len(images)), -1)
    top1.flat[place] = table["top1"].to_numpy()
    return conditions, top1


def read_filters(table: pa.Table) -> list[tuple[list[str], np.ndarray]]:
    """Of each image the classes of its objects, and how each filter tells them: ``(objects, filters)``."""
    (images, image), numbers = codes(table["image"]), table["object"].to_numpy()
    refuse_repeats("filters", row_keys(np.stack([image, numbers], axis=1)), "image and object")
    classes, selectivity = table["class"].cast(pa.string()).to_pylist(), table["selectivity"].to_pylist()
    rows = [np.flatnonzero(image == at) for at in range(len(images))]
    return [([classes[i] for i in found], np.array([selectivity[i] for i in found])) for found in rows]
