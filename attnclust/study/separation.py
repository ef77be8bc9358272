"""How well objects stand out from one another and from the rest: silhouettes of the truth, level by level.

The clustering metrics ask whether clusters that were found are objects. These ask the paper's other question,
whether the objects, as the masks give them, lie apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import array_api_compat
import numpy as np
from jaxtyping import Float, Int

from attnclust._array import to_numpy


def separation(
    levels: Float[Any, "levels n d"],
    objects: Mapping[int, Int[np.ndarray, " patches"]],
    class_names: Mapping[int, str],
) -> dict[str, Float[np.ndarray, " levels"]]:
    """Silhouettes of the objects by cosine distance (a zero token is at distance 1 from all others).

    A patch scores (b - a) / max(a, b): a is its mean distance to the other patches of its object, and b

    - ``object_silhouette``: b to the nearest of the other objects and the background; mean over object
      patches.
    - ``object_silhouette_among``: b to the nearest other object; the background left out.
    - ``object_background_silhouette``: b to the background.
    - ``silhouette_same_class``, ``silhouette_different_class``: b to one other object; mean over the pairs of
      objects of one class, of two classes. Absent if there is no such pair.

    Args:
        levels: patch tokens in float64, without prefix tokens: a NumPy array, or a tensor, which is measured
            on its own device; one number a level and score comes to the host.
        objects: object id -> patch indices, at least two each, at least two objects; the background is all
            the rest (where there is none, what sets objects against it is absent).
        class_names: object id -> class.

    Returns:
        metric -> (L + 1,), in [-1, 1].

    Source: the silhouette is Rousseeuw's (1987), here of the masks' partition.
    """
    xp, device = array_api_compat.array_namespace(levels), array_api_compat.device(levels)
    groups = list(objects.values())
    names = [class_names[identifier] for identifier in objects]
    rest = np.setdiff1d(np.arange(levels.shape[1]), np.concatenate(groups))
    unit = _directions(levels)
    shares = [xp.take(unit, xp.asarray(patches, device=device), axis=1) for patches in [*groups, rest]]
    to: list[list[Any]] = []  # to[i][j]: (levels, patches of i), mean distances to object j
    away: list[Any] = []
    for i, here in enumerate(shares[:-1]):
        to.append([_mean_distance(here, other, own=i == j) for j, other in enumerate(shares[:-1])])
        away.append(_mean_distance(here, shares[-1]))
    among, nearest, background = [], [], []
    for i, own in enumerate(to):
        others = xp.min(xp.stack([distance for j, distance in enumerate(own) if j != i]), axis=0)
        among.append(_score(own[i], others))
        if rest.size:
            nearest.append(_score(own[i], xp.minimum(others, away[i])))
            background.append(_score(own[i], away[i]))
    found = {"object_silhouette_among": _over_patches(among)}
    if rest.size:
        found["object_silhouette"] = _over_patches(nearest)
        found["object_background_silhouette"] = _over_patches(background)
    pairs: dict[str, list[np.ndarray]] = {}
    for i in range(len(groups)):
        for j in range(i):
            kind = "same" if names[i] == names[j] else "different"
            both = [_score(to[i][i], to[i][j]), _score(to[j][j], to[j][i])]
            pairs.setdefault(f"silhouette_{kind}_class", []).append(_over_patches(both))
    return found | {name: np.mean(scores, axis=0) for name, scores in pairs.items()}


def margins(
    levels: Float[np.ndarray, "levels n d"],
    objects: Mapping[int, Int[np.ndarray, " patches"]],
    grid: tuple[int, int],
) -> dict[str, Float[np.ndarray, " levels"]]:
    """By how much patches of one object are closer (Euclidean) than an object's patch and one outside of it.

    - ``object_margin``: 1 - (mean distance of pairs on one object) / (mean distance of an object's patch and
      one that is not on it, over all such pairs).
    - ``object_margin_matched``: the same with both means over pairs equally far apart on the grid, each grid
      distance weighed by its pairs on one object. Neighbours look alike, and their positions are embedded
      alike, whether they share an object or not; this takes that away.

    0 where all distances are 0.

    Args:
        levels: patch tokens in raster order, N = rows * columns.
        objects: object id -> patch indices.
        grid: rows and columns.

    Returns:
        metric -> (L + 1,), at most 1.
    """
    row, column = np.divmod(np.arange(levels.shape[1]), grid[1])
    apart = np.square(row[:, None] - row) + np.square(column[:, None] - column)
    same, other = np.zeros((2, *apart.shape), bool)
    for patches in objects.values():
        same[np.ix_(patches, patches)] = True
        other[patches] = True
    other &= ~same
    np.fill_diagonal(same, False)
    kinds = int(apart.max()) + 1
    pairs = [np.bincount(apart[chosen], minlength=kinds) for chosen in (same, other)]
    matched = np.where((pairs[0] > 0) & (pairs[1] > 0), pairs[0], 0)
    plain, even = [], []
    for tokens in levels:
        centred = tokens - tokens.mean(axis=0)
        norms = np.square(centred).sum(axis=1)
        squared = norms[:, None] + norms - 2 * centred @ centred.T
        distance = np.sqrt(np.maximum(squared, 0))
        sums = [np.bincount(apart[chosen], distance[chosen], kinds) for chosen in (same, other)]
        means = [total / np.maximum(size, 1) for total, size in zip(sums, pairs, strict=True)]
        plain.append(_margin(*(t.sum() / max(size.sum(), 1) for t, size in zip(sums, pairs, strict=True))))
        even.append(_margin(*((matched * mean).sum() for mean in means)))
    return {"object_margin": np.array(plain), "object_margin_matched": np.array(even)}


def _margin(within: float, across: float) -> float:
    return 1 - within / across if across > 0 else 0.0


def _directions(tokens: Float[Any, "levels n d"]) -> Float[Any, "levels n d"]:
    xp = array_api_compat.array_namespace(tokens)
    lengths = xp.linalg.vector_norm(tokens, axis=2, keepdims=True)
    return tokens / xp.where(lengths > 0, lengths, 1)


def _mean_distance(
    unit: Float[Any, "levels p d"], others: Float[Any, "levels q d"], *, own: bool = False
) -> Float[Any, "levels p"]:
    """Mean cosine distance to `others`; of a token to its own group, itself left out."""
    xp = array_api_compat.array_namespace(unit)
    size = others.shape[1]
    sums = size - (unit @ xp.sum(others, axis=1)[:, :, None])[:, :, 0]
    if own:
        sums -= 1 - xp.linalg.vecdot(unit, unit)
    return xp.clip(sums, 0, None) / max(size - own, 1)


def _score(own: Float[Any, "levels p"], other: Float[Any, "levels p"]) -> Float[Any, "levels p"]:
    xp = array_api_compat.array_namespace(own)
    larger = xp.maximum(own, other)
    return (other - own) / xp.where(larger > 0, larger, 1)


def _over_patches(scores: Sequence[Float[Any, "levels _"]]) -> Float[np.ndarray, " levels"]:
    xp = array_api_compat.array_namespace(*scores)
    return to_numpy(xp.mean(xp.concat(scores, axis=1), axis=1))
