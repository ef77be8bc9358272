"""How well objects stand out from one another and from the rest: silhouettes of the truth, level by level.

The clustering metrics ask whether clusters that were found are objects. These ask the paper's other question,
whether the objects, as the masks give them, lie apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, Int


def separation(
    levels: Float[np.ndarray, "levels n d"],
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
        levels: patch tokens, without prefix tokens.
        objects: object id -> patch indices, at least two each, at least two objects; the background is all
            the rest (where there is none, what sets objects against it is absent).
        class_names: object id -> class.

    Returns:
        metric -> (L + 1,), in [-1, 1].

    Source: the silhouette is Rousseeuw's (1987), here of the masks' partition.
    """
    groups = list(objects.values())
    names = [class_names[identifier] for identifier in objects]
    rest = np.setdiff1d(np.arange(levels.shape[1]), np.concatenate(groups))
    unit = _directions(levels)
    to: list[list[np.ndarray]] = []  # to[i][j]: (levels, patches of i), mean distances to object j
    away: list[np.ndarray] = []
    for i, patches in enumerate(groups):
        here = unit[:, patches]
        to.append([_mean_distance(here, unit[:, other], own=i == j) for j, other in enumerate(groups)])
        away.append(_mean_distance(here, unit[:, rest]) if rest.size else np.empty(0))
    among, nearest, background = [], [], []
    for i, own in enumerate(to):
        others = np.min([distance for j, distance in enumerate(own) if j != i], axis=0)
        among.append(_score(own[i], others))
        if rest.size:
            nearest.append(_score(own[i], np.minimum(others, away[i])))
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


def _directions(tokens: Float[np.ndarray, "levels n d"]) -> Float[np.ndarray, "levels n d"]:
    lengths = np.linalg.norm(tokens, axis=2, keepdims=True)
    return np.divide(tokens, lengths, out=np.zeros_like(tokens), where=lengths > 0)


def _mean_distance(
    unit: Float[np.ndarray, "levels p d"], others: Float[np.ndarray, "levels q d"], *, own: bool = False
) -> Float[np.ndarray, "levels p"]:
    """Mean cosine distance to `others`; of a token to its own group, itself left out."""
    size = others.shape[1]
    sums = size - np.einsum("lpd,ld->lp", unit, others.sum(axis=1))
    if own:
        sums -= 1 - np.square(unit).sum(axis=2)
    return np.maximum(sums, 0) / max(size - own, 1)


def _score(
    own: Float[np.ndarray, "levels p"], other: Float[np.ndarray, "levels p"]
) -> Float[np.ndarray, "levels p"]:
    larger = np.maximum(own, other)
    return np.divide(other - own, larger, out=np.zeros_like(larger), where=larger > 0)


def _over_patches(scores: Sequence[Float[np.ndarray, "levels _"]]) -> Float[np.ndarray, " levels"]:
    return np.concatenate(scores, axis=1).mean(axis=1)
