"""The stage ledger in one page of numbers: ``layers.stages`` of ``results.json``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from attnclust.records import BACKGROUND, OBJECTS, PER_HEAD
from attnclust.study.columns import codes, intervals, means, rounded

BEFORE = {
    "norm1": "input",
    "values": "norm1",
    "attention": "values",
    "projection": "attention",
    "residual": "input",
    "norm2": "residual",
    "mlp": "norm2",
    "output": "residual",
}
"""Stage -> the stage that it works on. A residual sum works on the stream that it adds to."""

QUANTITIES = ("raw", "relative", "angular")
_RUNG = "cluster_dobrushin"


def summarise_stages(stages: pa.Table, steps: pa.Table, *, seed: int) -> dict[str, Any] | None:
    """What every stage of every block does to the clusters; None without a ledger.

    - ``diameters``: quantity (raw, relative, angular) -> stage -> by block, the mean over images (of an
      image's mean over clusters) with its interval;
    - ``objects``: quantity -> by level from 0 on, the diameters in the residual stream of objects alone,
      without the background;
    - ``factors``: quantity -> stage -> the diameter after the stage over the one before it, the geometric
      mean over clusters, with intervals: below 1 the stage contracts;
    - ``looseness``: stage -> bound / measured raw diameter, likewise; attention's bound is the rung
      cluster_dobrushin of each head, joined over the heads;
    - ``norms``: by block (and head): the factor by which each stage's bound lets a diameter grow: operator
      norms of W_V and W_O, of the MLP, and the local factor of the normalisations (mean over images and
      clusters).
    """
    if not stages.num_rows:
        return None
    ledger = _Ledger(stages)
    diameters: dict[str, Any] = {}
    factors: dict[str, Any] = {}
    for quantity in QUANTITIES:
        column = ledger.column(f"{quantity}_diameter")
        diameters[quantity] = intervals(ledger.by_image(column), seed)
        grown = {
            stage: _log_ratio(column[stage], column[before])
            for stage, before in BEFORE.items()
            if stage in column
        }
        factors[quantity] = _exponentials(intervals(ledger.by_image(grown), seed))
    raw, bound = ledger.column("raw_diameter"), ledger.column("bound")
    bound["attention"] = _attention_bounds(steps, ledger)
    loose = {stage: _log_ratio(bound[stage], raw[stage]) for stage in BEFORE}
    loose = {stage: values for stage, values in loose.items() if not np.isnan(values).all()}
    return {
        "diameters": diameters,
        "objects": _objects(stages, seed),
        "factors": factors,
        "looseness": _exponentials(intervals(ledger.by_image(loose), seed)),
        "norms": _norms(ledger),
        "images": len(ledger.images),
    }


def _objects(stages: pa.Table, seed: int) -> dict[str, Any]:
    ledger, levels = _Ledger(stages.filter(pc.field("cluster_name") != BACKGROUND)), {}
    for quantity in QUANTITIES:
        column = ledger.by_image(ledger.column(f"{quantity}_diameter"))
        levels[quantity] = np.concatenate([column["input"][:, :1], column["output"]], axis=1)
    return intervals(levels, seed)


class _Ledger:
    """The table as arrays ``(images, blocks, clusters)`` by stage, NaN where an image has no such cluster."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table
        self.images, self.image = codes(table, "image")
        self.stages, self.stage = codes(table, "stage")
        self.head, self.cluster = table["head"].to_numpy(), table["cluster"].to_numpy()
        self.block = table["block"].to_numpy() - 1
        self.shape = (len(self.images), int(self.block.max()) + 1, int(self.cluster.max()) + 1)

    def column(self, name: str, head: int = -1) -> dict[str, np.ndarray]:
        """A column by stage."""
        values, found = self.table[name].to_numpy().astype(float), {}
        for i, stage in enumerate(self.stages):
            rows = (self.stage == i) & (self.head == head)
            if rows.any():
                found[stage] = np.full(self.shape, np.nan)
                found[stage][self.image[rows], self.block[rows], self.cluster[rows]] = values[rows]
        return found

    def by_image(self, column: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The mean over each image's clusters, ``(images, blocks)``."""
        return {stage: _mean(values, axis=2) for stage, values in column.items()}


def _attention_bounds(steps: pa.Table, ledger: _Ledger) -> np.ndarray:
    """On the heads' outputs side by side: the root of the sum of the heads' squared bounds."""
    rows = steps.filter(
        (pc.field("form") == PER_HEAD)
        & (pc.field("partition") == OBJECTS)
        & (pc.field("rung") == _RUNG)
        & ~pc.field("pooled")
    )
    names, place = codes(rows, "image")
    known = {name: i for i, name in enumerate(ledger.images)}
    image = np.array([known.get(name, -1) for name in names])[place]
    kept = image >= 0
    here = image[kept], rows["block"].to_numpy()[kept] - 1, rows["cluster"].to_numpy()[kept]
    squares = rows["bound"].to_numpy().astype(float)[kept] ** 2
    heads = len(np.unique(rows["head"].to_numpy()))
    return np.sqrt(heads * means(squares, *here, shape=ledger.shape))


def _norms(ledger: _Ledger) -> dict[str, Any]:
    raw, bound = ledger.column("raw_diameter"), ledger.column("bound")
    found: dict[str, Any] = {
        stage: rounded(_mean(_ratio(bound[stage], raw[before]), axis=(0, 2)))
        for stage, before in BEFORE.items()
        if stage in ("norm1", "norm2", "values", "projection", "mlp")
    }
    heads = range(int(ledger.head.max()) + 1)
    by_head = {stage: [] for stage in ("values", "projection")}
    for head in heads:
        own_raw, own_bound = ledger.column("raw_diameter", head), ledger.column("bound", head)
        by_head["values"].append(_mean(_ratio(own_bound["values"], raw["norm1"]), axis=(0, 2)))
        ratio = _ratio(own_bound["projection"], own_raw["attention"])
        by_head["projection"].append(_mean(ratio, axis=(0, 2)))
    if by_head["values"]:
        found["heads"] = {stage: rounded(np.stack(each, axis=1)) for stage, each in by_head.items()}
    return {name: each for name, each in found.items() if name == "heads" or not np.isnan(each).all()}


def _ratio(after: np.ndarray, before: np.ndarray) -> np.ndarray:
    return np.where(before > 0, after / np.where(before > 0, before, 1), np.nan)


def _log_ratio(after: np.ndarray, before: np.ndarray) -> np.ndarray:
    ratio = _ratio(after, before)
    return np.log(np.where(ratio > 0, ratio, np.nan))


def _mean(values: np.ndarray, axis: int | tuple[int, ...]) -> np.ndarray:
    """The mean of what is not NaN, NaN where nothing is."""
    known = ~np.isnan(values)
    count = known.sum(axis=axis)
    total = np.where(known, values, 0).sum(axis=axis)
    return np.divide(total, count, out=np.full(np.shape(total), np.nan), where=count > 0)


def _exponentials(found: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {key: rounded(np.exp(limit)) for key, limit in summary.items()}
        for name, summary in found.items()
    }
