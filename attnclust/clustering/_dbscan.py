"""DBSCAN for many levels at once, with scikit-learn's labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from attnclust._array import ArgumentError

from ._distances import Distances
from ._tokens import as_levels, float_name


def dbscan(tokens: Any, eps: Any, *, min_samples: int = 3) -> Int[np.ndarray, "*batch n"]:
    """DBSCAN of one level or of a batch, Euclidean.

    The labels are those of scikit-learn's ``DBSCAN(eps, min_samples=min_samples, algorithm="brute")``: a
    token is core if at least ``min_samples`` tokens (itself counted) lie within ``eps``, compared as squares
    in float64 (float32 tokens too, unless their float32 distance is clear); clusters are numbered by their
    first core token; a border token goes to the first cluster that reaches it. So a cluster can hold fewer
    than ``min_samples`` tokens, where an earlier one took its border.

    Args:
        tokens: (n, D) or (levels, n, D), NumPy array or torch tensor, real floating, finite.
        eps: the radius, at least 0 (0: only equal tokens are neighbours); one number, or one a level.
        min_samples: how many tokens make a token core.

    Returns:
        (n,) or (levels, n): cluster 0, 1, ..., or -1 for noise.

    Raises:
        ArgumentTypeError: tokens are no real floating numbers.
        ArgumentError: a wrong shape, NaN or infinity, numbers too large or small to be squared, a negative
            radius, or fewer than 1 sample.

    Example:
        >>> import numpy as np
        >>> from attnclust.clustering import dbscan
        >>> dbscan(np.array([[0.0], [1.0], [2.0], [9.0], [10.0], [11.0], [50.0]]), 1.0)
        array([ 0,  0,  0,  1,  1,  1, -1])
    """
    levels = as_levels("tokens", tokens, ndims=(2, 3))
    batch = levels if levels.ndim == 3 else levels[None]
    radius = np.asarray(eps, dtype=np.float64)
    if radius.shape not in ((), (batch.shape[0],)) or not np.all(radius >= 0):
        raise ArgumentError(
            "eps",
            "it must be one number >= 0, or one for each level",
            repr(eps),
            "Give the radius of a ball.",
        )
    if min_samples < 1:
        raise ArgumentError(
            "min_samples", "it must be at least 1", repr(min_samples), "The paper's runs use 3."
        )
    near = Distances.of(batch, dtype=float_name(batch)).within(np.broadcast_to(radius, batch.shape[:1]))
    labels = grow(near, min_samples=min_samples)
    return labels if levels.ndim == 3 else labels[0]


def grow(near: Bool[np.ndarray, "b n n"], *, min_samples: int) -> Int[np.ndarray, "b n"]:
    """The labels that follow from who is near whom: (B, n, n), symmetric, each token near itself."""
    labels = np.full(near.shape[:2], -1)
    # Counted by eights, which is quicker than one by one.
    counts = np.bitwise_count(np.packbits(near, axis=2)).sum(axis=2, dtype=np.intp)
    for neighbours, waiting, label in zip(near, counts >= min_samples, labels, strict=True):
        cluster = 0
        # The core tokens that are in no cluster yet; the first of them starts the next.
        while waiting[first := waiting.argmax()]:
            waiting[first] = False
            reached = neighbours[first].copy()
            while (front := (reached & waiting).nonzero()[0]).size:
                waiting[front] = False
                reached |= np.logical_or.reduce(neighbours.take(front, axis=0), axis=0)
            label[reached & (label < 0)] = cluster
            cluster += 1
    return labels
