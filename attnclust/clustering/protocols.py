"""The metrics of a level under the three protocols: ``official``, ``paper``, ``blind``."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import array_api_compat
import numpy as np
from jaxtyping import Float, Int
from sklearn.cluster import HDBSCAN

from attnclust._array import ArgumentError, to_numpy

from ._dbscan import grow
from ._distances import Distances
from ._objects import Objects, as_objects
from ._scores import adjusted_mutual_information, cosine_sums, mean_cosine, members, silhouette
from ._tokens import as_levels, consecutive, float_name

PROTOCOLS = ("official", "paper", "blind")
"""``official``: object patches alone, by DBSCAN, as in the authors' notebook. ``paper``: the text taken
literally, all patches with background as a label. ``blind``: all patches, by HDBSCAN, objects unseen."""

MIN_SAMPLES = 3
MIN_CLUSTER_SIZE = 5

# Levels are measured together as long as they have no more pairs of tokens than so many, to save memory.
_AT_ONCE = 1 << 20


def measure_level(
    tokens: Any, objects: Any, class_names: Any, *, protocol: str = "official"
) -> dict[str, Any]:
    """The metrics of one level of one image; see :func:`measure_levels`, whose one-level form this is.

    Args:
        tokens: (N, D) patch tokens in raster order, without class token or other prefix tokens.
        objects: object id -> patch indices.
        class_names: object id -> class name, or one name an object in the order of ``objects``.
        protocol: ``official``, ``paper`` or ``blind``.

    Returns:
        metric name -> number.

    Example:
        >>> import numpy as np
        >>> from attnclust.clustering import measure_level
        >>> angles = np.array([0.0, 0.2, 0.1, 1.5, 1.7, 1.6, 0.8])
        >>> tokens = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        >>> found = measure_level(tokens, {1: [0, 1, 2], 2: [3, 4, 5]}, {1: "cat", 2: "dog"})
        >>> found["clusters"], found["purity"], round(found["silhouette"], 3)
        (2, 1.0, 0.989)
    """
    level = as_levels("tokens", tokens, ndims=(2,))
    measured = _measure(level[None], objects, class_names, protocol)
    return {name: values[0].item() for name, values in measured.items()}


def measure_levels(
    levels: Any, objects: Any, class_names: Any, *, protocol: str = "official"
) -> dict[str, Any]:
    """The metrics of all levels of one image, batched.

    What is clustered, and against which labels (eps is, for each level, the mean over objects of the mean
    Euclidean distance between an object's raster-consecutive patches; eps = 0 counts as one cluster of all):

    - ``official``: the object patches alone, object by object, by DBSCAN (Euclidean, eps, min_samples 3);
      labels are the objects; silhouette by cosine distance.
    - ``paper``: all N patches by the same DBSCAN; background is one more label; silhouette by Euclidean
      distance.
    - ``blind``: all N patches by scikit-learn's HDBSCAN (Euclidean, min_cluster_size 5); the rest as
      ``paper``.

    Metrics (P = patches that are clustered; noise = patches in no cluster):

    - ``purity``: patches of the dominant label of their cluster / P; the first object wins a tie, background
      loses it.
    - ``silhouette``: mean over the patches that are not noise; 0 for one cluster, -1 for none. ``paper`` and
      ``blind`` give it by cosine distance too, as ``silhouette_cosine``.
    - ``in_cluster_cosine``: mean over clusters of the mean cosine of their pairs; -1 for no cluster.
    - ``in_object_cosine``: the same over the objects, background not among them.
    - ``unique_label_ratio``: ``official``: distinct classes of the dominant objects / distinct classes of the
      objects. ``paper``, ``blind``: distinct dominant labels, background included / (objects + 1); and, as
      ``unique_label_ratio_appendix``, the appendix's: distinct classes of the dominant objects / distinct
      classes.
    - ``clusters``; ``noise_share``: noise / P; ``eps`` (not for ``blind``).
    - ``adjusted_mutual_info`` of clusters and labels, noise as one cluster more.
    - ``nearest_same_object``: share of object patches whose Euclidean nearest other object patch lies on the
      same object; a tie, up to rounding, counts as the same.

    A zero token has cosine 0 with every other.

    Args:
        levels: (L + 1, N, D) patch tokens in raster order, without class token or other prefix tokens; NumPy
            array or torch tensor, which is measured on its own device: to the host come one bit a pair and
            one number a token and cluster (``blind``: the tokens). All is computed in float64, except that
            ``official`` tells pairs of float32 tokens that are clearly within eps, or clearly not, by their
            float32 distances.
        objects: object id -> patch indices, at least two each, no patch in two objects.
        class_names: object id -> class name, or one name an object in the order of ``objects``.
        protocol: ``official``, ``paper`` or ``blind``.

    Returns:
        metric name -> (L + 1,) array: integers for ``clusters``, float64 for the others.

    Raises:
        ArgumentTypeError: tokens are no real floating numbers, or patch indices no integers.
        ArgumentError: a wrong shape, NaN or infinity, numbers too large or small to be squared, an unknown
            protocol, objects or names that do not fit.

    Source: section 3.2 and appendix B of the paper, and the authors' notebook.

    Example:
        >>> import numpy as np
        >>> from attnclust.clustering import measure_levels
        >>> levels = np.random.default_rng(0).normal(size=(13, 20, 5))
        >>> found = measure_levels(levels, {1: range(6), 2: range(9, 17)}, ["cat", "dog"])
        >>> found["purity"].shape
        (13,)
    """
    return _measure(as_levels("levels", levels, ndims=(3,)), objects, class_names, protocol)


def _measure(
    levels: Float[np.ndarray, "b n d"], objects: Any, class_names: Any, protocol: str
) -> dict[str, Any]:
    if protocol not in PROTOCOLS:
        raise ArgumentError(
            "protocol", f"it must be one of {', '.join(PROTOCOLS)}", repr(protocol), "Name one."
        )
    count = levels.shape[1]
    if protocol == "blind" and count < MIN_CLUSTER_SIZE:
        raise ArgumentError(
            "protocol",
            f"blind needs {MIN_CLUSTER_SIZE} patches or more",
            str(count),
            "Take another protocol.",
        )
    found = as_objects(objects, class_names, count)
    step = max(1, _AT_ONCE // count**2)
    parts = [_measure_some(levels[i : i + step], found, protocol) for i in range(0, len(levels), step)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _measure_some(levels: Float[Any, "b n d"], objects: Objects, protocol: str) -> dict[str, Any]:
    xp = array_api_compat.array_namespace(levels)
    truth = objects.truth(levels.shape[1])
    picked = np.concatenate(objects.patches)
    on_objects = levels
    if not np.array_equal(picked, np.arange(levels.shape[1])):
        on_objects = xp.take(levels, xp.asarray(picked, device=array_api_compat.device(levels)), axis=1)
    eps = _eps(on_objects, objects)
    if protocol == "official":
        # Here distances only decide, so that float32 will do for tokens of float32.
        distances = Distances.of(on_objects, dtype=float_name(levels))
        nearest = distances.nearest(truth[picked])
        truth = truth[picked]
    else:
        distances = Distances.of(levels)
        nearest = distances.nearest(truth[picked], picked)
    if protocol == "blind":
        clusterer = HDBSCAN(min_cluster_size=MIN_CLUSTER_SIZE, copy=True)  # pyright: ignore[reportArgumentType]
        tokens = to_numpy(levels).astype(np.float64, copy=False)
        labels = np.stack([clusterer.fit_predict(level) for level in tokens])
    else:
        labels = grow(distances.within(eps), min_samples=MIN_SAMPLES)
        labels[eps == 0] = 0
    scores = _scores(distances, labels, truth, objects, euclidean=protocol != "official")
    return scores | {"nearest_same_object": nearest} | ({} if protocol == "blind" else {"eps": eps})


def _eps(tokens: Float[Any, "b n d"], objects: Objects) -> Float[np.ndarray, " b"]:
    """The mean over objects of the mean distance of consecutive patches, for tokens object by object."""
    steps = consecutive(tokens)
    ends = np.cumsum([patches.size for patches in objects.patches]).tolist()
    # No step leads from one object to the next.
    means = [steps[:, start : end - 1].mean(axis=1) for start, end in pairwise([0, *ends])]
    return np.stack(means, axis=1).mean(axis=1)


def _scores(
    distances: Distances,
    labels: Int[np.ndarray, "b n"],
    truth: Int[np.ndarray, " n"],
    objects: Objects,
    *,
    euclidean: bool,
) -> dict[str, Any]:
    batch, count = labels.shape
    number = len(objects.patches)
    inside = members(labels, int(labels.max()) + 1)
    on_object = np.broadcast_to(members(truth, number), (batch, count, number))
    sums = cosine_sums(distances.tokens, np.concatenate([inside, on_object], axis=2))
    to_clusters, to_objects = sums[:, :, : inside.shape[2]], sums[:, :, inside.shape[2] :]
    separations = distances.sums(inside) if euclidean else to_clusters
    # tables[b, c, k]: patches of cluster c and label k; background, where it is clustered, is the last label.
    tables = (inside.swapaxes(1, 2) @ members(truth, int(truth.max()) + 1)).astype(np.int64)
    clusters = labels.max(axis=1) + 1
    scores: dict[str, Any] = {
        "purity": tables.max(axis=2).sum(axis=1) / count,
        "silhouette": silhouette(separations, inside),
        "in_cluster_cosine": mean_cosine(to_clusters, inside),
        "in_object_cosine": mean_cosine(to_objects, on_object),
    }
    dominant = [set(table[:m].argmax(axis=1).tolist()) for table, m in zip(tables, clusters, strict=True)]
    classes = np.array([len({int(objects.classes[k]) for k in found if k < number}) for found in dominant])
    by_class = classes / np.unique(objects.classes).size
    if euclidean:
        scores["silhouette_cosine"] = silhouette(to_clusters, inside)
        scores["unique_label_ratio"] = np.array([len(found) for found in dominant]) / (number + 1)
        scores["unique_label_ratio_appendix"] = by_class
    else:
        scores["unique_label_ratio"] = by_class
    scores["clusters"] = clusters
    scores["noise_share"] = (labels < 0).sum(axis=1) / count
    noise = np.bincount(truth, minlength=tables.shape[2]) - tables.sum(axis=1)
    scores["adjusted_mutual_info"] = adjusted_mutual_information(
        np.concatenate([tables, noise[:, None]], axis=1)
    )
    return scores
