"""One Gram product a level, from which every distance of the metrics is read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from attnclust._array import ArgumentError

# Pairs computed again at a time, so that a level full of ties does not fill the memory.
_CHUNK = 4096


@dataclass(frozen=True)
class Distances:
    """The pairwise geometry of a batch of B levels with n tokens each.

    ``squared`` comes from the Gram product of centred tokens: fast, and off by at most ``error``. Where that
    could change who is near whom, the pair is computed again from its difference.

    Attributes:
        tokens: (B, n, D) float64.
        squared: (B, n, n) squared Euclidean distances, with 0 on the diagonal; rounding can leave one just
        below 0.
        error: (B, 1, 1), a bound from rounding on the error of ``squared``.
    """

    tokens: Float[np.ndarray, "b n d"]
    squared: Float[np.ndarray, "b n n"]
    error: Float[np.ndarray, "b 1 1"]

    @classmethod
    def of(cls, tokens: Float[np.ndarray, "b n d"]) -> Distances:
        """The distances of float64 tokens; refuses numbers whose squares float64 cannot hold."""
        with np.errstate(over="ignore", invalid="ignore"):
            centred = tokens - tokens.mean(axis=1, keepdims=True)
            squared = centred @ centred.swapaxes(1, 2)
        norms = np.diagonal(squared, axis1=1, axis2=2).copy()
        largest = norms.max(axis=1)
        if not np.all(largest < 1e300) or (np.any(largest < 1e-290) and np.any(centred[largest < 1e-290])):
            raise ArgumentError(
                "tokens",
                "their squared distances must lie between 1e-290 and 1e300",
                f"{largest.min():.2g} to {largest.max():.2g}",
                "Scale the tokens; no metric but eps depends on the unit.",
            )
        squared *= -2
        squared += norms[:, :, None]
        squared += norms[:, None, :]
        index = np.arange(tokens.shape[1])
        squared[:, index, index] = 0
        # Sums of D products are off by at most D u R^2, R the largest norm; centring and adding up by less
        # than 8 u R^2. The two norms and twice the product make four of them.
        error = 4 * (tokens.shape[2] + 8) * UNIT * largest
        return cls(tokens, squared, error[:, None, None])

    def within(self, radius: Float[np.ndarray, " b"]) -> Bool[np.ndarray, "b n n"]:
        """Which pairs lie within the level's radius: |x - y|^2 <= radius^2, compared as squares.

        That is scikit-learn's own comparison. Pairs too close to the radius for the Gram product to tell are
        decided by the sum of their squared differences.
        """
        limit = (radius * radius)[:, None, None]
        near = self.squared <= limit - self.error
        perhaps = self.squared <= limit + self.error
        if np.count_nonzero(near) < np.count_nonzero(perhaps):
            level, i, j = np.nonzero(perhaps & ~near)
            for start in range(0, level.size, _CHUNK):
                part = slice(start, start + _CHUNK)
                difference = self.tokens[level[part], i[part]] - self.tokens[level[part], j[part]]
                near[level[part], i[part], j[part]] = (difference**2).sum(axis=1) <= limit[level[part], 0, 0]
        return near


UNIT = float(np.finfo(np.float64).eps) / 2
"""The unit roundoff of float64."""
