"""Evidence with its numbers: mean, interval, p-values for "as claimed" and for "not as claimed"."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from attnclust._array import Number
from attnclust.statistics import CONFIDENCE, bootstrap_means, detectable_effect, region_p_values

from ._evidence import Evidence, Exact, Sampled

POWER = 0.8
"""How often an effect of the size that is given as detectable is found."""


@dataclass(frozen=True)
class Part:
    """A part of a claim that was measured: a mean over `n` images, its 95 % interval, and two p-values.

    `inside` is the p-value for the claimed region, `outside` for its outside; of exact evidence 0 or 1.
    """

    evidence: Evidence
    value: float
    low: float
    high: float
    n: int
    inside: float
    outside: float

    @property
    def p(self) -> float:
        """The p-value of the side that the evidence is on."""
        return min(self.inside, self.outside)

    @property
    def coins(self) -> Number:
        """How many coins that fall alike the evidence can be as strong as."""
        coins = self.evidence.coins if isinstance(self.evidence, Sampled) else None
        return self.n if coins is None else coins

    @property
    def depth(self) -> float:
        """How many standard errors the mean lies inside the claimed region; negative outside of it."""
        row = self.evidence
        if isinstance(row, Exact):
            return math.inf
        margin = min(self.value - row.low, row.high - self.value)
        error = row.values.std() / math.sqrt(self.n)
        return float(margin / error) if error else math.copysign(math.inf, margin)

    def detectable(self, level: float) -> float | None:
        """The effect that so many images would show four times in five, at an error level."""
        if isinstance(self.evidence, Exact):
            return 1 - (1 - POWER) ** (1 / self.n)
        effect = detectable_effect(self.evidence.values, level=level, power=POWER)
        return None if np.isnan(effect) else effect


def measure(evidence: Iterable[Evidence], *, seed: int) -> dict[str, Part]:
    """The parts that have numbers, by id; those over equally many images share their resamples."""
    parts: dict[str, Part] = {}
    alike: dict[int, list[Sampled]] = defaultdict(list)
    for row in evidence:
        if isinstance(row, Sampled):
            alike[row.values.size].append(row)
        elif row.steps.sum():
            parts[row.id] = _exact(row)
    for n, rows in alike.items():
        if n:
            together = bootstrap_means(np.stack([row.values for row in rows], axis=1), seed=seed)
            parts |= {row.id: _sampled(row, means) for row, means in zip(rows, together.T, strict=True)}
    return parts


def _sampled(row: Sampled, means: np.ndarray) -> Part:
    n = row.values.size
    coins = n if row.coins is None else row.coins
    inside, outside = region_p_values(means, images=coins, low=row.low, high=row.high)
    low, high = np.quantile(means, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]).tolist()
    return Part(row, float(row.values.mean()), low, high, n, inside, outside)


def _exact(row: Exact) -> Part:
    n, hit = int((row.steps > 0).sum()), int((row.violations > 0).sum())
    interval = binomtest(hit, n).proportion_ci(CONFIDENCE, method="exact")
    return Part(row, hit / n, float(interval.low), float(interval.high), n, float(hit > 0), float(hit == 0))
