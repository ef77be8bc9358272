"""Scores of a partition, batched over levels: silhouette, mean cosine, adjusted mutual information."""

from __future__ import annotations

from functools import lru_cache
from math import exp, lgamma, log

import numpy as np
from jaxtyping import Float, Int

from ._distances import UNIT


def members(labels: Int[np.ndarray, "*batch n"], count: int) -> Float[np.ndarray, "*batch n m"]:
    """1 where a token is in a cluster, else 0; a token labelled -1 is in none."""
    return (labels[..., None] == np.arange(count)).astype(np.float64)


def cosine_sums(
    tokens: Float[np.ndarray, "b n d"], inside: Float[np.ndarray, "b n m"]
) -> Float[np.ndarray, "b n m"]:
    """The sum of cosine distances 1 - cos from each token to the tokens of each cluster, to itself 0.

    A zero token is at distance 1 from all others. Only the sum of a cluster's unit tokens is needed, never
    all pairs. What rounding alone could have made counts as 0, so that tokens on one ray do not differ by
    chance.
    """
    norms = np.sqrt(np.einsum("bnd,bnd->bn", tokens, tokens))[:, :, None]
    directed = norms > 0
    weights = np.divide(1, norms, out=np.zeros_like(norms), where=directed)
    cosines = tokens @ ((inside * weights).swapaxes(1, 2) @ tokens).swapaxes(1, 2) * weights
    sizes = inside.sum(axis=1, keepdims=True)
    sums = sizes - cosines - np.where(directed, 0, inside)
    # Each cosine is off by at most (D + 8) u.
    sums[sums <= sizes * (tokens.shape[2] + 8) * UNIT] = 0
    return sums


def silhouette(
    sums: Float[np.ndarray, "b n m"], inside: Float[np.ndarray, "b n m"]
) -> Float[np.ndarray, " b"]:
    """The mean silhouette of the tokens in clusters; 0 if there is one cluster, -1 if there is none.

    ``sums[b, i, c]`` is the sum of distances from token i to the tokens of cluster c; ``inside`` says who is
    where. A token alone in its cluster scores 0, and so does one at distance 0 from its own and the nearest
    other cluster.
    """
    sizes = inside.sum(axis=1)
    own_size = np.einsum("bnm,bm->bn", inside, sizes)
    with np.errstate(divide="ignore", invalid="ignore"):
        within = np.einsum("bnm,bnm->bn", sums, inside) / (own_size - 1)
        means = sums / sizes[:, None, :]
    means[(inside == 1) | (sizes[:, None, :] == 0)] = np.inf
    other = means.min(axis=2, initial=np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = (other - within) / np.maximum(within, other)
    scores = np.where((own_size > 1) & (np.maximum(within, other) > 0), scores, 0)
    clusters = (sizes > 0).sum(axis=1)
    clustered = inside.sum(axis=(1, 2))
    mean = np.where(own_size > 0, scores, 0).sum(axis=1) / np.maximum(clustered, 1)
    return np.where(clusters > 1, mean, np.where(clusters == 1, 0.0, -1.0))


def mean_cosine(
    sums: Float[np.ndarray, "b n m"], inside: Float[np.ndarray, "b n m"]
) -> Float[np.ndarray, " b"]:
    """The mean over clusters of the mean cosine of their pairs; -1 if no cluster has a pair.

    ``sums`` are sums of cosine distances, as in :func:`silhouette`.
    """
    sizes = inside.sum(axis=1)
    pairs = sizes * (sizes - 1)
    distance = np.einsum("bnm,bnm->bm", sums, inside) / np.maximum(pairs, 1)
    counted = (pairs > 0).sum(axis=1)
    cosine = np.where(pairs > 0, 1 - distance, 0).sum(axis=1) / np.maximum(counted, 1)
    return np.where(counted > 0, cosine, -1.0)


def adjusted_mutual_information(table: Int[np.ndarray, "r c"]) -> float:
    """Adjusted mutual information of two partitions, from their contingency table.

    Normalised by the arithmetic mean of the entropies; 1 if both have one part. Source: Vinh, Epps, Bailey
    (2010); the same number as scikit-learn's.
    """
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    rows, columns = rows[rows > 0], columns[columns > 0]
    if rows.size == columns.size <= 1:
        return 1.0
    total = int(table.sum())
    row, column = np.nonzero(table)
    counts = table[row, column] / total
    outer = (table.sum(axis=1)[row] / total) * (table.sum(axis=0)[column] / total)
    mutual = float((counts * np.log(counts / outer)).sum())
    expected = sum(_expected(int(a), int(b), total) for a in rows for b in columns)
    ceiling = (_entropy(rows / total) + _entropy(columns / total)) / 2
    spread = ceiling - expected
    tiny = float(np.finfo(np.float64).eps)
    return (mutual - expected) / (min(spread, -tiny) if spread < 0 else max(spread, tiny))


def _entropy(shares: Float[np.ndarray, " k"]) -> float:
    return float(-(shares * np.log(shares)).sum())


@lru_cache(maxsize=1 << 18)
def _expected(a: int, b: int, total: int) -> float:
    """What parts of sizes a and b share on average in random partitions: a hypergeometric overlap."""
    fixed = lgamma(a + 1) + lgamma(b + 1) + lgamma(total - a + 1) + lgamma(total - b + 1) - lgamma(total + 1)
    answer = 0.0
    for n in range(max(1, a + b - total), min(a, b) + 1):
        ways = lgamma(n + 1) + lgamma(a - n + 1) + lgamma(b - n + 1) + lgamma(total - a - b + n + 1)
        answer += n / total * log(total * n / (a * b)) * exp(fixed - ways)
    return answer
