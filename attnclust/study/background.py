"""What becomes of a background that was blacked out or filled with noise: one cluster, or two?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Int
from sklearn.cluster import DBSCAN, KMeans
from sklearn.metrics import silhouette_score

LEAST = 8
"""Patches: of fewer, no clusters are sought."""

_MIN_SAMPLES = 3  # as in the official protocol


def background(
    levels: Float[np.ndarray, "levels n d"],
    dropped: Int[np.ndarray, " m"],
    objects: Mapping[int, Int[np.ndarray, " patches"]],
    grid: tuple[int, int],
) -> dict[str, Float[np.ndarray, " levels"]]:
    """The clusters of the patches that were dropped, level by level.

    - ``background_split``: the silhouette (cosine distance) of the best split into two, by 2-means of the
      tokens' directions. By Kaufman and Rousseeuw's reading, above 0.5 two clusters are there; one cluster
      cut in two stays below.
    - ``background_split_share``: the share of the patches on the smaller side of it.
    - ``background_split_near``: how that split goes by the distance to the objects on the grid. Of the two,
      take the one whose mean direction is more like the objects' own; the number is the chance that a patch
      of it lies nearer to an object than one of the other, less the chance that it lies farther: 1 if the
      split is by distance, 0 if it has nothing to do with it.
    - ``background_clusters``: how many clusters DBSCAN finds, its radius by the official protocol's rule
      (mean distance of raster-consecutive patches, here of those dropped).

    Args:
        levels: patch tokens in raster order.
        dropped: indices of the dropped patches, rising.
        objects: object id -> patch indices.
        grid: rows and columns of patches.

    Returns:
        metric -> (L + 1,); empty if fewer than LEAST patches were dropped.

    Source: appendix B.4 of the paper, figures 14e and 16; Kaufman and Rousseeuw (1990) for the 0.5.
    """
    if dropped.size < LEAST:
        return {}
    covered = np.concatenate(list(objects.values()))
    place = np.stack(np.divmod(np.arange(levels.shape[1]), grid[1]), axis=1)
    far = np.square(place[dropped, None] - place[covered]).sum(axis=2).min(axis=1)
    splits, shares, near, clusters = [], [], [], []
    for tokens in levels:
        lengths = np.linalg.norm(tokens, axis=1, keepdims=True)
        unit = np.divide(tokens, lengths, out=np.zeros_like(tokens), where=lengths > 0)
        score, side = _split(unit[dropped])
        splits.append(score)
        shares.append(np.bincount(side, minlength=2).min() / side.size)
        near.append(_nearer(unit[dropped], side, unit[covered].mean(axis=0), far))
        clusters.append(_clusters(tokens[dropped]))
    return {
        "background_split": np.array(splits),
        "background_split_share": np.array(shares),
        "background_split_near": np.array(near),
        "background_clusters": np.array(clusters, float),
    }


def _split(unit: Float[np.ndarray, "m d"]) -> tuple[float, Int[np.ndarray, " m"]]:
    """The best split in two and its silhouette; all in one, at 0, where the tokens are all alike."""
    centred = unit - unit.mean(axis=0)
    if np.abs(centred).max() < 1e-12:
        return 0.0, np.zeros(len(unit), dtype=int)
    # Started from the halves along the widest direction, so that no chance is involved.
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    half = centred @ axes[0] > 0
    start = np.stack([unit[half].mean(axis=0), unit[~half].mean(axis=0)])
    side = KMeans(2, init=start, n_init=1).fit_predict(unit)  # pyright: ignore[reportArgumentType]
    return float(silhouette_score(unit, side, metric="cosine")), side


def _nearer(
    unit: Float[np.ndarray, "m d"],
    side: Int[np.ndarray, " m"],
    objects: Float[np.ndarray, " d"],
    far: Int[np.ndarray, " m"],
) -> float:
    """Whether the side that is more like the objects lies nearer to them: in [-1, 1], 0 by chance."""
    if not 0 < side.sum() < side.size:
        return 0.0
    alike = [float(unit[side == each].mean(axis=0) @ objects) for each in (0, 1)]
    closer = side == int(alike[1] > alike[0])
    return float(np.sign(far[~closer] - far[closer][:, None]).mean())


def _clusters(tokens: Float[np.ndarray, "m d"]) -> int:
    radius = float(np.linalg.norm(np.diff(tokens, axis=0), axis=1).mean())
    if radius == 0:
        return 1
    labels = DBSCAN(eps=radius, min_samples=_MIN_SAMPLES).fit_predict(tokens)
    return int(labels.max()) + 1
