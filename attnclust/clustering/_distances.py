"""One Gram product a level, from which every distance of the metrics is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

# Pairs computed again at a time, so that a level full of ties does not fill the memory.
_CHUNK = 4096


@dataclass(frozen=True)
class Distances:
    """The pairwise geometry of a batch of B levels with n tokens each.

    ``squared`` comes from the Gram product of centred tokens: fast, and off by at most ``error``. Where that
        could
    change an answer, the pair is computed again from its difference.

    Attributes:
        tokens: (B, n, D) float64.
        squared: (B, n, n) squared Euclidean distances, at least 0, with 0 on the diagonal.
        error: (B, 1, 1), a bound from rounding on the error of ``squared``.
    """

    tokens: Float[np.ndarray, "b n d"]
    squared: Float[np.ndarray, "b n n"]
    error: Float[np.ndarray, "b 1 1"]

    @classmethod
    def of(cls, tokens: Float[np.ndarray, "b n d"]) -> Distances:
        """The distances of float64 tokens."""
        centred = tokens - tokens.mean(axis=1, keepdims=True)
        gram = centred @ centred.swapaxes(1, 2)
        norms = np.diagonal(gram, axis1=1, axis2=2)
        squared = norms[:, :, None] + norms[:, None, :]
        # Sums of D products are off by at most D u R^2, R the largest norm; centring and adding up by less
        # than 8 u R^2. The two norms and twice the product make four of them.
        error = 4 * (tokens.shape[2] + 8) * _UNIT * norms.max(axis=1)
        gram *= 2
        squared -= gram
        np.maximum(squared, 0, out=squared)
        index = np.arange(tokens.shape[1])
        squared[:, index, index] = 0
        return cls(tokens, squared, error[:, None, None])

    def within(self, radius: Float[np.ndarray, " b"]) -> Bool[np.ndarray, "b n n"]:
        """Which pairs lie within the level's radius: |x - y|^2 <= radius^2, compared as squares.

        That is scikit-learn's own comparison. Pairs too close to the radius for the Gram product to tell are
        decided by the sum of their squared differences.
        """
        limit = (radius * radius)[:, None, None]
        near = self.squared <= limit
        for level, i, j in self._unsure(limit):
            exact = ((self.tokens[level, i] - self.tokens[level, j]) ** 2).sum(axis=-1)
            near[level, i, j] = exact <= limit[level, 0, 0]
        return near

    def cosine(self) -> Float[np.ndarray, "b n n"]:
        """Cosine distances 1 - cos(x, y), with 0 on the diagonal; a zero token is at 1 from all others.

        From |x - y|^2 = (|x| - |y|)^2 + 2 |x| |y| (1 - cos): accurate however small the angle. What rounding
        alone could have made counts as 0.
        """
        norms = np.sqrt(np.einsum("bnd,bnd->bn", self.tokens, self.tokens))
        gap = norms[:, :, None] - norms[:, None, :]
        product = norms[:, :, None] * norms[:, None, :]
        # A norm is off by at most (D / 2 + 2) u of itself.
        off = (self.tokens.shape[2] + 4) * _UNIT * norms.max(axis=1)[:, None, None]
        noise = self.error + 2 * np.abs(gap) * off
        angular = self.squared - gap * gap
        angular[angular <= noise] = 0
        with np.errstate(divide="ignore", invalid="ignore"):
            cosine = angular / (2 * product)
        cosine[product == 0] = 1
        index = np.arange(norms.shape[1])
        cosine[:, index, index] = 0
        return np.minimum(cosine, 2, out=cosine)

    def _unsure(self, limit: Float[np.ndarray, "b 1 1"]) -> Iterator[tuple[Any, Any, Any]]:
        level, i, j = np.nonzero(np.abs(self.squared - limit) <= self.error)
        for start in range(0, level.size, _CHUNK):
            part = slice(start, start + _CHUNK)
            yield level[part], i[part], j[part]


_UNIT = float(np.finfo(np.float64).eps) / 2
