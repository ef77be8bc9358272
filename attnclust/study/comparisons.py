"""Comparisons on the same images: protocols, controls, conditions; top-1 agreement with the clean image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from attnclust.clustering import PROTOCOLS
from attnclust.records import CONVERTED, MODEL, NO_MASK, PIXELS, POSITIONS
from attnclust.statistics import mean_interval
from attnclust.study.curves import columns, curves
from attnclust.study.prepare import CLEAN

CLUSTERED, BLIND = "all patches are clustered, background has a label", "clusters by HDBSCAN, objects unseen"
DIFFERENCES = (
    ("purity", CLUSTERED, ("official", "purity"), ("paper", "purity")),
    ("purity", BLIND, ("paper", "purity"), ("blind", "purity")),
    ("silhouette", CLUSTERED, ("official", "silhouette"), ("paper", "silhouette_cosine")),
    ("silhouette", "Euclidean distance, not cosine", ("paper", "silhouette_cosine"), ("paper", "silhouette")),
    ("silhouette", BLIND, ("paper", "silhouette"), ("blind", "silhouette")),
    ("in_cluster_cosine", CLUSTERED, ("official", "in_cluster_cosine"), ("paper", "in_cluster_cosine")),
    ("in_cluster_cosine", BLIND, ("paper", "in_cluster_cosine"), ("blind", "in_cluster_cosine")),
    (
        "unique_label_ratio",
        CLUSTERED,
        ("official", "unique_label_ratio"),
        ("paper", "unique_label_ratio_appendix"),
    ),
    (
        "unique_label_ratio",
        "dominant labels / (objects + 1), not classes / classes",
        ("paper", "unique_label_ratio_appendix"),
        ("paper", "unique_label_ratio"),
    ),
    ("unique_label_ratio", BLIND, ("paper", "unique_label_ratio"), ("blind", "unique_label_ratio")),
    (
        "adjusted_mutual_info",
        CLUSTERED,
        ("official", "adjusted_mutual_info"),
        ("paper", "adjusted_mutual_info"),
    ),
    ("adjusted_mutual_info", BLIND, ("paper", "adjusted_mutual_info"), ("blind", "adjusted_mutual_info")),
    ("clusters", CLUSTERED, ("official", "clusters"), ("paper", "clusters")),
    ("clusters", BLIND, ("paper", "clusters"), ("blind", "clusters")),
    ("noise_share", CLUSTERED, ("official", "noise_share"), ("paper", "noise_share")),
    ("noise_share", BLIND, ("paper", "noise_share"), ("blind", "noise_share")),
)
"""How protocols differ, one thing at a time: metric, what changes, before and after (protocol, metric)."""

COMMON = (
    *("purity", "silhouette", "in_cluster_cosine", "in_object_cosine", "unique_label_ratio"),
    *("adjusted_mutual_info", "nearest_same_object"),
)
"""The metrics whose curves are given on the common images too."""


def comparisons(tables: Mapping[str, pa.Table], subjects: Sequence[str], *, seed: int) -> dict[str, Any]:
    """What ``results.json`` says of comparisons.

    - ``protocols``: ``curves[protocol][metric]`` of the clean images and, one at a time, the ``differences``
      between protocols: means over images and levels before and after, and the mean over images of the
      paired difference with its interval.
    - ``controls[raw_pixels | position_embeddings][condition][metric]``: one level.
    - ``common[family]``: ``conditions``, ``n`` and ``metrics[condition][metric]`` on the images that pass the
      selection under all of the family's conditions, clean included; ``all`` stands for every condition.
    - ``agreement[subject][condition]``: share of images whose top-1 class is that of the clean image.
    - ``notes``: how many pictures have no mask, how many were converted, and the first of their names.
    """
    measurements = tables["measurements"]
    clean = tables["protocols"]
    return {
        "protocols": {
            "curves": curves(clean.rename_columns(_as_condition(clean)), seed),
            "differences": _differences(clean, seed),
        },
        "controls": {
            control: curves(measurements.filter(pc.field("subject") == control), seed)
            for control in (PIXELS, POSITIONS)
        },
        "common": _common(measurements.filter(pc.field("subject") == MODEL), seed),
        "agreement": {subject: _agreement(tables["predictions"], subject, seed) for subject in subjects},
        "notes": _notes(tables["notes"]),
    }


def _as_condition(table: pa.Table) -> list[str]:
    return ["condition" if name == "protocol" else name for name in table.column_names]


def _differences(table: pa.Table, seed: int) -> list[dict[str, Any]]:
    """The table's images in one order, so that differences are paired."""
    column = columns(table)
    means: dict[tuple[str, str], np.ndarray] = {}
    for protocol in PROTOCOLS:
        for metric in dict.fromkeys(column["metric"].tolist()):
            chosen = (column["protocol"] == protocol) & (column["metric"] == metric)
            if chosen.any():
                order = np.lexsort((column["level"][chosen], column["image"][chosen]))
                levels = int(column["level"][chosen].max()) + 1
                means[protocol, metric] = column["value"][chosen][order].reshape(-1, levels).mean(axis=1)
    found = []
    for metric, difference, before, after in DIFFERENCES:
        if before in means and after in means:
            mean, low, high = mean_interval(means[after] - means[before], seed=seed)
            found.append(
                {
                    "metric": metric,
                    "difference": difference,
                    "from": before[0],
                    "to": after[0],
                    "before": means[before].mean(),
                    "after": means[after].mean(),
                    "mean": mean,
                    "ci_low": low,
                    "ci_high": high,
                    "n": len(means[before]),
                }
            )
    return found


def _common(table: pa.Table, seed: int) -> dict[str, Any]:
    # Views are measured of images, too, that a condition does not let in.
    table = table.filter(pc.field("metric").isin(COMMON))
    column = columns(table)
    conditions = list(dict.fromkeys(column["condition"].tolist()))
    images = {name: set(column["image"][column["condition"] == name].tolist()) for name in conditions}
    families: dict[str, list[str]] = {"all": conditions}
    for name in conditions:
        if name != CLEAN:
            families.setdefault(name.rpartition("-")[0], [CLEAN]).append(name)
    found = {}
    for family, members in families.items():
        kept = set.intersection(*(images[name] for name in members))
        if kept:
            chosen = table.filter(pc.field("image").isin(sorted(kept)) & pc.field("condition").isin(members))
            found[family] = {"conditions": members, "n": len(kept), "metrics": curves(chosen, seed)}
        else:
            found[family] = {"conditions": members, "n": 0, "metrics": {}}
    return found


def _agreement(table: pa.Table, subject: str, seed: int) -> dict[str, Any]:
    column = columns(table.filter(pc.field("subject") == subject))
    top1 = {
        name: dict(zip(column["image"][here].tolist(), column["top1"][here].tolist(), strict=True))
        for name in dict.fromkeys(column["condition"].tolist())
        for here in (column["condition"] == name,)
    }
    found = {}
    for condition, classes in top1.items():
        # An image that only another condition lets in has no clean prediction.
        same = [classes[image] == top1[CLEAN][image] for image in classes if image in top1[CLEAN]]
        if condition != CLEAN and same:
            mean, low, high = mean_interval(np.array(same, dtype=float), seed=seed)
            found[condition] = {"mean": mean, "ci_low": low, "ci_high": high, "n": len(same)}
    return found


def _notes(table: pa.Table) -> dict[str, Any]:
    rows = table.to_pylist()
    return {
        kind: {"n": len(images), "first": images[:20]}
        for kind in (NO_MASK, CONVERTED)
        if (images := [f"{row['image']}: {row['note']}" for row in rows if row["kind"] == kind])
    }
