"""Scores of a partition, batched over levels: silhouette, mean cosine, adjusted mutual information."""

from __future__ import annotations

from typing import Any

import array_api_compat
import numpy as np
from jaxtyping import Float, Int
from scipy.special import entr, gammaln

from attnclust._array import to_numpy

from ._tokens import blocks

UNIT = float(np.finfo(np.float64).eps) / 2
"""The unit roundoff of float64."""

# More than the logarithms and factorials of an expected mutual information are off by.
_ROUNDING = 1e-12


def members(labels: Int[np.ndarray, "*batch n"], count: int) -> Float[np.ndarray, "*batch n m"]:
    """1 where a token is in a cluster, else 0; a token labelled -1 is in none."""
    return (labels[..., None] == np.arange(count)).astype(np.float64)


def cosine_sums(
    tokens: Float[Any, "b n d"], inside: Float[np.ndarray, "b n m"]
) -> Float[np.ndarray, "b n m"]:
    """The sum of cosine distances 1 - cos from each token to the tokens of each cluster, to itself 0.

    A zero token is at distance 1 from all others. Only the sum of a cluster's unit tokens is needed, never
    all pairs; all is computed in float64, on the device of the tokens. What rounding alone could have made
    counts as 0, so that tokens on one ray do not differ by chance.
    """
    xp = array_api_compat.array_namespace(tokens)
    clusters = xp.asarray(inside, device=array_api_compat.device(tokens))
    cosines, lengths, start = [], [], 0
    for x in blocks(tokens, "float64"):
        norms = xp.linalg.vecdot(x, x)[:, :, None] ** 0.5
        unit = norms + (norms == 0)
        together = (clusters[start : start + len(x)] / unit).mT @ x
        cosines.append(x @ together.mT / unit)
        lengths.append(norms)
        start += len(x)
    sizes = inside.sum(axis=1, keepdims=True)
    sums = sizes - to_numpy(xp.concat(cosines)) - np.where(to_numpy(xp.concat(lengths)) > 0, 0, inside)
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


def adjusted_mutual_information(tables: Int[np.ndarray, "b r c"]) -> Float[np.ndarray, " b"]:
    """Adjusted mutual information of two partitions, from their contingency table; one number a table.

    Normalised by the arithmetic mean of the entropies; 1 if both have one part, 0 if one of them has. Source:
    Vinh, Epps, Bailey (2010); the same number as scikit-learn's.
    """
    rows, columns = tables.sum(axis=2), tables.sum(axis=1)
    total = tables.sum(axis=(1, 2))
    ratio = tables * total[:, None, None] / np.maximum(rows[:, :, None] * columns[:, None, :], 1)
    mutual = (tables * np.log(np.where(tables > 0, ratio, 1))).sum(axis=(1, 2)) / total
    several = (rows > 0).sum(axis=1) > 1, (columns > 0).sum(axis=1) > 1
    expected = _expected_mutual_information(rows, columns)
    above, room = mutual - expected, (_entropy(rows) + _entropy(columns)) / 2 - expected
    # Where chance alone gives all there is, only rounding is left of both: a perfect match.
    perfect = np.abs(room) < _ROUNDING
    adjusted = np.where(perfect, 1.0, above / np.where(perfect, 1.0, room))
    return np.where(several[0] & several[1], adjusted, np.where(several[0] | several[1], 0.0, 1.0))


def _expected_mutual_information(
    rows: Int[np.ndarray, "b r"], columns: Int[np.ndarray, "b c"]
) -> Float[np.ndarray, " b"]:
    """The mean mutual information of two partitions with parts of these sizes, over all pairings.

    The count k of a cell is hypergeometric, and adds k/n log(n k / (a b)) where it is not 0 (Vinh et al.,
    equation 24a). The cells of all tables are one list, and so are their possible counts.
    """
    batch, r, c = *rows.shape, columns.shape[1]
    total = rows.sum(axis=1)
    a, b = np.repeat(rows.ravel(), c), np.repeat(columns, r, axis=0).ravel()
    n = np.repeat(total, r * c)
    least = np.maximum(a + b - n, 1)
    several = np.maximum(np.minimum(a, b) - least + 1, 0)
    cell = np.repeat(np.arange(a.size), several)
    k = np.arange(cell.size) + (least - several.cumsum() + several)[cell]
    factorial = gammaln(np.arange(1, total.max() + 2))
    log = np.log(np.maximum(np.arange(total.max() + 1), 1))
    constant = factorial[a] + factorial[b] + factorial[n - a] + factorial[n - b] - factorial[n]
    varying = (
        factorial[k] + factorial[a[cell] - k] + factorial[b[cell] - k] + factorial[(n - a - b)[cell] + k]
    )
    information = k * (log[k] + (log[n] - log[a] - log[b])[cell])
    found = np.bincount(cell // (r * c), information * np.exp(constant[cell] - varying), minlength=batch)
    return found / total


def _entropy(sizes: Int[np.ndarray, "b k"]) -> Float[np.ndarray, " b"]:
    return entr(sizes / sizes.sum(axis=1, keepdims=True)).sum(axis=1)
