"""One Gram product a level, from which every distance of the metrics is read.

Distances that only decide (is a pair within eps? whose patch is nearest?) may come from float32: what
rounding could have decided otherwise is computed again, in float64, from differences.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import array_api_compat
import numpy as np
from jaxtyping import Bool, Float, Int

from attnclust._array import ArgumentError, Namespace, to_numpy, unit_roundoff

from ._tokens import CACHED, blocks

# Pairs computed again at a time, so that a level full of ties does not fill the memory.
_CHUNK = 4096
# Where float32 leaves more than one decision in so many open, a float64 product settles them more cheaply.
_FEW = 16
# Half squared norms that leave room for the squares of differences, above and below, by dtype.
_RANGE = {"float32": (1e-30, 1e36), "float64": (1e-290, 1e300)}
# How much finer float64 is than float32.
_FINER = float(np.finfo(np.float64).eps / np.finfo(np.float32).eps)


@dataclass(frozen=True)
class Distances:
    """The pairwise geometry of a batch of B levels with n tokens each, on the device of the tokens.

    ``half[b, i, j]`` is |x_i - x_j|^2 / 2 from the Gram product of centred tokens. With u the unit roundoff
    of its dtype and h_i = |x_i - mean|^2 / 2, it is off by at most ``error * (h_i + h_j)``, where error is
    (2 D + 16) u: a sum of D products is off by D u times the product of the norms, which is at most
    h_i + h_j, and the norms by as much; centring, adding up and rounding the result take less than 16 u.

    Attributes:
        tokens: (B, n, D), as they came.
        half: (B, n, n), with 0 on the diagonal; rounding can leave a number just below 0.
        norms: (B, n), the h_i; float64, on the host.
        error: see above.
    """

    tokens: Float[Any, "b n d"]
    half: Float[Any, "b n n"]
    norms: Float[np.ndarray, "b n"]
    error: float

    @classmethod
    def of(cls, tokens: Float[Any, "b n d"], *, dtype: str = "float64") -> Distances:
        """The distances, from a Gram product in float64; or in float32, if the tokens' size allows it.

        Refuses tokens whose squares float64 cannot hold.
        """
        xp = array_api_compat.array_namespace(tokens)
        with np.errstate(over="ignore", invalid="ignore"):
            half, norms = _half_squares(xp, tokens, dtype)
        norms = to_numpy(norms).astype(np.float64)
        low, high = _RANGE[dtype]
        largest = norms.max(axis=1)
        small = np.flatnonzero(~(largest > low))
        if not np.all(largest < high) or any(bool(xp.any(tokens[b] != tokens[b, :1])) for b in small):
            if dtype == "float32":
                return cls.of(tokens)
            raise ArgumentError(
                "tokens",
                "their squared distances must lie between 1e-290 and 1e300",
                f"{2 * largest.min():.2g} to {2 * largest.max():.2g}",
                "Scale the tokens; no metric but eps depends on the unit.",
            )
        return cls(tokens, half, norms, (2 * tokens.shape[2] + 16) * unit_roundoff(xp, half))

    def within(self, radius: Float[np.ndarray, " b"]) -> Bool[np.ndarray, "b n n"]:
        """Which pairs lie within the level's radius: |x - y|^2 <= radius^2, compared as squares.

        That is scikit-learn's own comparison. The answer, a bit a pair, is on the host.
        """
        xp = array_api_compat.array_namespace(self.half)
        square = radius * radius
        # The error of the farthest two tokens, and what rounding the limit to this dtype may do.
        doubt = self.error * (2 * self.norms.max(axis=1) + square)
        near, perhaps = (
            self.half <= xp.asarray(limit[:, None, None], dtype=self.half.dtype, device=self._device)
            for limit in (square / 2 - doubt, square / 2 + doubt)
        )
        # In one axis, which is found faster than in three.
        (place,) = xp.nonzero(xp.reshape(near ^ perhaps, (-1,)))
        level, i, j = np.unravel_index(to_numpy(place), self.half.shape)
        if self._narrow and level.size * _FEW > self.norms.size * self.norms.shape[1]:
            return Distances.of(self.tokens).within(radius)
        near = to_numpy(near)
        once = i < j
        level, i, j = level[once], i[once], j[once]
        near[level, i, j] = near[level, j, i] = self._squared(level, i, j) <= square[level]
        near[:, np.arange(near.shape[1]), np.arange(near.shape[1])] = True
        return near

    def nearest(
        self, group: Int[np.ndarray, " k"], picked: Int[np.ndarray, " k"] | None = None
    ) -> Float[np.ndarray, " b"]:
        """The share of tokens whose nearest other token is of their own group; a tie counts as their own.

        Args:
            group: the group of each token, in rising order: 0, ..., 0, 1, ...
            picked: which tokens they are, the others being left out; None if they are all.
        """
        xp = array_api_compat.array_namespace(self.half)
        index = np.arange(group.size) if picked is None else picked
        chosen, every = self._index(index), self._index(np.arange(self.half.shape[1]))
        starts = np.flatnonzero(np.diff(group, prepend=-1))
        parts = [slice(start, end) for start, end in pairwise([*starts.tolist(), group.size])]
        # No token is its own neighbour; a copy of all pairs would take longer than lending the diagonal.
        self.half[:, every, every] = xp.inf
        # The pairs are symmetric: over rows, least distances are found faster than over columns.
        least = xp.stack(
            [xp.min(self.half[:, part if picked is None else chosen[part]], axis=1) for part in parts], axis=2
        )
        self.half[:, every, every] = 0
        if picked is not None:
            least = least[:, chosen]
        own, others = _own_and_others(to_numpy(least).astype(np.float64), group)
        norms = self.norms[:, index]
        doubt = 2 * self.error * (norms + norms.max(axis=1, keepdims=True))
        found = own <= others + doubt
        if self._narrow:
            level, i = np.nonzero(found & (own >= others - doubt))
            if level.size * _FEW > found.size:
                return Distances.of(self.tokens).nearest(group, picked)
            rows = to_numpy(self.half[self._index(level), self._index(index[i])]).astype(np.float64)
            rows[np.arange(i.size), index[i]] = np.inf
            rows = rows[:, index]
            row, j = np.nonzero(rows <= (np.minimum(own, others) + doubt)[level, i][:, None])
            rows[...] = np.inf
            rows[row, j] = self._squared(level[row], index[i[row]], index[j]) / 2
            own, others = _own_and_others(np.minimum.reduceat(rows, starts, axis=1), group[i])
            found[level, i] = own <= others + _FINER * doubt[level, i]
        return found.mean(axis=1)

    def sums(self, inside: Float[np.ndarray, "b n m"]) -> Float[np.ndarray, "b n m"]:
        """The sum of Euclidean distances from each token to the tokens of each cluster."""
        xp = array_api_compat.array_namespace(self.half)
        clusters = xp.asarray(inside, dtype=self.half.dtype, device=self._device)
        # A few levels at a time, so that their lengths stay in a processor's cache.
        step = max(1, CACHED // (self.half.shape[1] ** 2 * self.half.itemsize))
        sums = []
        for start in range(0, self.half.shape[0], step):
            some = slice(start, start + step)
            sums.append(xp.sqrt(xp.clip(self.half[some], 0, None)) @ clusters[some])
        return 2**0.5 * to_numpy(xp.concat(sums))

    @property
    def _device(self) -> Any:
        return array_api_compat.device(self.half)

    @property
    def _narrow(self) -> bool:
        xp = array_api_compat.array_namespace(self.half)
        return self.half.dtype == xp.float32

    def _index(self, index: Int[np.ndarray, " k"]) -> Any:
        return array_api_compat.array_namespace(self.half).asarray(index, device=self._device)

    def _squared(
        self, level: Int[np.ndarray, " k"], i: Int[np.ndarray, " k"], j: Int[np.ndarray, " k"]
    ) -> Float[np.ndarray, " k"]:
        """|x_i - x_j|^2 of chosen pairs, from their differences in float64."""
        xp = array_api_compat.array_namespace(self.tokens)
        found = np.empty(level.size)
        for start in range(0, found.size, _CHUNK):
            at, one, other = (self._index(index[start : start + _CHUNK]) for index in (level, i, j))
            x, y = (xp.astype(self.tokens[at, place], xp.float64) for place in (one, other))
            found[start : start + _CHUNK] = to_numpy(xp.linalg.vecdot(x - y, x - y))
        return found


def _half_squares(xp: Namespace, tokens: Float[Any, "b n d"], dtype: str) -> tuple[Any, Any]:
    """Half the squared distances, (b, n, n), and half the squared norms about the mean, (b, n)."""
    device, (batch, n, _) = array_api_compat.device(tokens), tokens.shape
    kind = getattr(xp, dtype)
    half = xp.empty((batch, n, n), dtype=kind, device=device)
    norms = xp.empty((batch, n), dtype=kind, device=device)
    ones, place = xp.ones((1, n), dtype=kind, device=device), xp.arange(n, device=device)
    start = 0
    for x in blocks(tokens, dtype):
        some = slice(start, start + len(x))
        # A product with ones is the quickest mean; any centre near it would do. The block is ours to change.
        x -= ones @ x / n
        xp.matmul(x, x.mT, out=half[some])
        h = xp.linalg.diagonal(half[some]) / 2
        xp.subtract(h[:, :, None], half[some], out=half[some])
        half[some] += h[:, None, :]
        half[some, place, place] = 0
        norms[some] = h
        start += len(x)
    return half, norms


def _own_and_others(
    least: Float[np.ndarray, "*rows groups"], group: Int[np.ndarray, ...]
) -> tuple[Float[np.ndarray, "*rows"], Float[np.ndarray, "*rows"]]:
    """Of the least distances to each group: that to the own group, and the least to another."""
    own = np.arange(least.shape[-1]) == group[..., None]
    return least.min(axis=-1, where=own, initial=np.inf), least.min(axis=-1, where=~own, initial=np.inf)
