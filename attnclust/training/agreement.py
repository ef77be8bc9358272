"""How well one model follows another: the protocol's curves of both, on the same scenes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from attnclust.data import LabelledImage
from attnclust.study.measure import Subject, measure
from attnclust.study.prepare import CLEAN, views_of

METRICS = (
    "purity",
    "silhouette",
    "in_cluster_cosine",
    "in_object_cosine",
    "unique_label_ratio",
    "nearest_same_object",
)


@dataclass(frozen=True)
class Agreement:
    """Mean curves of every subject under the ``official`` protocol, and how often the class agrees.

    Attributes:
        curves: subject -> metric -> mean over scenes, one number a level.
        top1: subject -> share of scenes on which it names the class that the first subject names.
        scenes: how many scenes were measured.
    """

    curves: dict[str, dict[str, Float[np.ndarray, " levels"]]]
    top1: dict[str, float]
    scenes: int

    def gap(self, metric: str, subject: str, other: str) -> float:
        """Mean over the levels of the distance between two subjects' curves."""
        return float(np.abs(self.curves[subject][metric] - self.curves[other][metric]).mean())


def agreement(subjects: Sequence[Subject], scenes: Sequence[LabelledImage]) -> Agreement:
    """Measure all subjects on the scenes that pass the selection; they must share input size and grid."""
    first = subjects[0]
    size, grid = first.loaded.size, first.layout().grid
    views = [view for scene in scenes for view in views_of(scene, [CLEAN], size=size, grid=grid, seed=0)]
    curves, classes = {}, {}
    for subject in subjects:
        rows = measure(subject, views, protocol="official", steps=False)
        table: dict[str, dict[int, list[float]]] = {metric: {} for metric in METRICS}
        for row in rows["measurements"]:
            if row["metric"] in table:
                table[row["metric"]].setdefault(row["level"], []).append(row["value"])
        curves[subject.name] = {
            metric: np.array([np.mean(levels[level]) for level in sorted(levels)])
            for metric, levels in table.items()
        }
        classes[subject.name] = [row["top1"] for row in rows["predictions"]]
    reference = np.array(classes[first.name])
    return Agreement(
        curves=curves,
        top1={name: float((np.array(found) == reference).mean()) for name, found in classes.items()},
        scenes=len(reference),
    )
