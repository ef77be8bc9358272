"""Evidence for a part of a claim: one number an image, or a count of exceptions an image."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from attnclust._array import Number

MARGIN = 0.05
"""What "near", "hardly changes", "small" and "hurt" mean, in the metric's own units."""

MAJORITY = 0.5
"""A claim about steps or images is one about most of them: a share above one half."""


@dataclass(frozen=True)
class Sampled:
    """Evidence that varies from image to image: the mean of `values` is claimed to lie in (low, high).

    Attributes:
        id: the claim's number, with a name behind a point where the claim has several parts.
        claim: its number in :data:`attnclust.claims.CLAIMS`.
        statement: what is claimed, in a sentence.
        statistic: what `values` are, in words.
        values: one number an image that has one.
        low, high: the open region that the mean is claimed to lie in.
        absent: why there are no values, if there are none.
        primary: False for what is reported beside the claim and has no say in its verdict.
        coins: evidence cannot be stronger than this many coins that fall alike, p = 2^(1 - coins); the number
            of values, unless it is given.
    """

    id: str
    claim: int
    statement: str
    statistic: str
    values: np.ndarray
    low: Number = -math.inf
    high: Number = math.inf
    absent: str = "no image has a value"
    primary: bool = True
    coins: Number | None = None

    def region(self) -> str:
        if self.low == -math.inf:
            return f"below {self.high:g}"
        if self.high == math.inf:
            return f"above {self.low:g}"
        return f"between {self.low:g} and {self.high:g}"


@dataclass(frozen=True)
class Exact:
    """Evidence that counts exceptions, an image: none is claimed to exist. Fields as in :class:`Sampled`."""

    id: str
    claim: int
    statement: str
    violations: np.ndarray
    steps: np.ndarray
    absent: str = "no step was measured"
    primary: bool = True
    statistic: str = field(default="share of images with a violation", init=False)


Evidence = Sampled | Exact
