"""The theorem's steps in one page of numbers: ``layers.steps`` of ``results.json``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from attnclust.records import OBJECTS, PER_HEAD, SIMPLIFIED
from attnclust.study.columns import codes, intervals, means, rounded

# What the heat maps of heads show beside the share that shrinks and the mean ratio.
_OF_HEADS = ("cluster_dobrushin", "sharp")


def summarise_steps(steps: pa.Table, *, seed: int) -> dict[str, Any]:
    """By form of a step: the contract's shares over steps of the objects, and beside them

    - ``by_partition``: for ``objects``, ``dbscan`` and ``random`` what is measured by block, each the mean
      over images (of an image's mean over heads and clusters) with its interval; ``tightness`` is measured /
      bound;
    - ``pooled``: the same of the objects with the paper's one range for all clusters;
    - ``heads``: by block and head, over the steps of the objects;
    - ``violations``: of all partitions, pooled or not.
    """
    return {form: _form(steps.filter(pc.field("form") == form), seed) for form in (SIMPLIFIED, PER_HEAD)}


def _form(table: pa.Table, seed: int) -> dict[str, Any]:
    clusters = table.filter(pc.field("cluster") >= 0)
    own = clusters.filter(~pc.field("pooled"))
    partitions = list(dict.fromkeys(own["partition"].to_pylist()))
    objects = _Steps(own.filter(pc.field("partition") == OBJECTS))
    return {
        **objects.contract(),
        "violations": _violations(table),
        "by_partition": {
            name: _Steps(own.filter(pc.field("partition") == name)).by_block(seed) for name in partitions
        },
        "pooled": _Steps(clusters.filter(pc.field("pooled"))).by_block(seed),
        "heads": objects.by_head(),
    }


def _violations(table: pa.Table) -> dict[str, int]:
    return {
        rung: int((~table.filter(pc.field("rung") == rung)["holds"].to_numpy()).sum())
        for rung in dict.fromkeys(table["rung"].to_pylist())
    }


class _Steps:
    """Steps of one form and partition, in columns."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table
        self.images, image = codes(table, "image")
        self.rungs, rung = codes(table, "rung")
        block, head = (table[name].to_numpy() for name in ("block", "head"))
        self.blocks, self.heads = int(block.max()), max(int(head.max()) + 1, 1)
        # The first rung's rows stand for the steps themselves.
        once = rung == 0
        self.once, self.rung = once, rung
        self.image, self.block, self.head = image, block - 1, np.maximum(head, 0)
        before, after = (table[f"diameter_{name}"].to_numpy()[once] for name in ("before", "after"))
        upper, lower = table["eps_upper"].to_numpy()[once], table["eps_lower"].to_numpy()[once]
        self.measured = {
            "shrinks": table["shrinks"].to_numpy()[once].astype(float),
            "ratio": np.where(before > 0, after / np.where(before > 0, before, 1), np.nan).astype(float),
            "eps_lower": lower.astype(float),
            "eps_upper": upper.astype(float),
            "outside_mass_bound": upper.astype(float) * table["outside"].to_numpy()[once],
        }

    def contract(self) -> dict[str, Any]:
        """Shares over the steps of each block: image, head and cluster count alike."""
        block = self.block[self.once]
        found: dict[str, Any] = {
            name: means(values, block, shape=(self.blocks,))
            for name, values in self.measured.items()
            if name != "eps_lower"
        }
        certified = self.table["certified"].to_numpy().astype(float)
        found["certified"] = {
            rung: means(certified[rows], self.block[rows], shape=(self.blocks,))
            for rung, rows in self._by_rung()
        }
        return found | {"n": int(self.once.sum())}

    def by_block(self, seed: int) -> dict[str, Any]:
        """Means over images, by block, with intervals."""
        shape = (len(self.images), self.blocks)
        certified = self.table["certified"].to_numpy().astype(float)
        bound = self.table["bound"].to_numpy().astype(float)
        after = self.table["diameter_after"].to_numpy().astype(float)
        tightness = np.where(bound > 0, after / np.where(bound > 0, bound, 1), np.nan)
        curves = {
            name: means(values, self.image[self.once], self.block[self.once], shape=shape)
            for name, values in self.measured.items()
        }
        for rung, rows in self._by_rung():
            place = self.image[rows], self.block[rows]
            curves[f"certified {rung}"] = means(certified[rows], *place, shape=shape)
            curves[f"tightness {rung}"] = means(tightness[rows], *place, shape=shape)
        found = intervals(curves, seed)
        return {
            **{name: found[name] for name in self.measured},
            "certified": {rung: found[f"certified {rung}"] for rung in self.rungs},
            "tightness": {rung: found[f"tightness {rung}"] for rung in self.rungs},
            "violations": _violations(self.table),
            "images": len(self.images),
            "n": int(self.once.sum()),
        }

    def by_head(self) -> dict[str, Any]:
        """Means over images and clusters, (blocks, heads)."""
        shape = (self.blocks, self.heads)
        place = self.block[self.once], self.head[self.once]
        found: dict[str, Any] = {
            name: rounded(means(self.measured[name], *place, shape=shape))
            for name in ("shrinks", "ratio", "eps_upper", "outside_mass_bound")
        }
        certified = self.table["certified"].to_numpy().astype(float)
        found["certified"] = {
            rung: rounded(means(certified[rows], self.block[rows], self.head[rows], shape=shape))
            for rung, rows in self._by_rung()
            if rung in _OF_HEADS
        }
        return found

    def _by_rung(self) -> list[tuple[str, np.ndarray]]:
        return [(rung, self.rung == i) for i, rung in enumerate(self.rungs)]
