"""The one rule that turns evidence into a verdict.

*Sampled* evidence is one number an image. Its mean has a bootstrap 95 % interval over images, and the claim
names
an open region for the mean: above 0, below -0.05, within +-0.05. Two bootstrap p-values go with it, for
"inside" and for "outside" (:func:`attnclust.statistics.region_p_values`). The smaller of the two enters
Holm's correction, over all sampled rows of a run; a row is decided where its corrected p-value is at most
0.05: then its interval lies wholly inside the region (supported) or wholly outside it (contradicted), and so
does the wider interval that the correction asks for. Otherwise it is undecided.

*Exact* evidence is a count of violations of something that is said to hold without exception, so sampling has
no
say in the verdict: one violation contradicts it, none in all steps measured supports it. Its interval is the
exact (Clopper-Pearson) 95 % interval for the share of images with a violation. It takes no part in the
correction.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.stats import binomtest

from attnclust._array import Number
from attnclust.statistics import (
    CONFIDENCE,
    bootstrap_means,
    detectable_effect,
    holm,
    region_p_values,
)

SUPPORTED, CONTRADICTED, UNDECIDED, NOT_MEASURED = VERDICTS = (
    "supported",
    "contradicted",
    "undecided",
    "not measured",
)
"""All verdicts there are. "Contradicted" is a result, not a failure."""

ALPHA = 1 - CONFIDENCE
"""The error level of a run: over all its sampled rows, after Holm's correction."""

MARGIN = 0.05
"""What "near", "hardly changes" and "hurt" mean, in the metric's own units."""

MAJORITY = 0.5
"""A claim about steps or images is one about most of them: a share above one half."""


@dataclass(frozen=True)
class Claim:
    """One row of the ledger: a claim, or a part of one, and how it fared.

    Attributes:
        id: ``"4"``, or with a part ``"3.certified.sharp"``.
        claim: its number in the list of claims.
        statement: what is claimed, in a sentence.
        verdict: one of :data:`VERDICTS`.
        sentence: how it fared, in a sentence.
        statistic: what was computed for each image, in words.
        value: its mean over images; None where not measured.
        ci_low, ci_high: the 95 % interval of the mean, not corrected.
        n: the number of images.
        subject: whose records were judged.
        p_value: Holm-corrected; None for exact evidence and where not measured.
    """

    id: str
    claim: int
    statement: str
    verdict: str
    sentence: str
    statistic: str
    value: float | None
    ci_low: float | None
    ci_high: float | None
    n: int
    subject: str
    p_value: float | None = None

    def row(self) -> dict[str, Any]:
        """The claim as a row of the table ``claims`` (:data:`attnclust.records.TABLES`)."""
        return {name: value for name, value in vars(self).items() if name != "p_value"}


@dataclass(frozen=True)
class Sampled:
    """Evidence that varies from image to image: the mean of `values` is claimed to lie in (low, high)."""

    id: str
    claim: int
    statement: str
    statistic: str
    values: np.ndarray
    low: Number = -math.inf
    high: Number = math.inf
    absent: str = "no image has a value"
    """Why there are no values, if there are none."""

    def region(self) -> str:
        if self.low == -math.inf:
            return f"below {self.high:g}"
        if self.high == math.inf:
            return f"above {self.low:g}"
        return f"between {self.low:g} and {self.high:g}"


@dataclass(frozen=True)
class Exact:
    """Evidence that counts exceptions, an image: none is claimed to exist."""

    id: str
    claim: int
    statement: str
    violations: np.ndarray
    steps: np.ndarray
    absent: str = "no step was measured"
    statistic: str = field(default="share of images with a violation", init=False)


Evidence = Sampled | Exact


def settle(evidence: Iterable[Evidence], *, subject: str, seed: int = 0) -> list[Claim]:
    """Judge all evidence of one run together; the order stays.

    Rows over equally many images share their resamples, so no row's interval depends on the other rows.

    >>> from numpy import array, full
    >>> rho = Sampled("4", 4, "Purity rises with depth.", "Spearman's rho", full(20, 0.8), low=0)
    >>> exact = Exact("1", 1, "No diameter grows.", array([0, 0]), array([12, 12]))
    >>> [(claim.id, claim.verdict) for claim in settle([rho, exact], subject="model")]
    [('4', 'supported'), ('1', 'supported')]
    """
    rows = list(evidence)
    sampled = iter(
        _judge_sampled([row for row in rows if isinstance(row, Sampled) and row.values.size], seed)
    )
    claims = []
    for row in rows:
        if isinstance(row, Sampled):
            outcome = next(sampled) if row.values.size else _not_measured(row.absent)
        else:
            outcome = _judge_exact(row) if row.steps.sum() else _not_measured(row.absent)
        named = {name: getattr(row, name) for name in ("id", "claim", "statement", "statistic")}
        claims.append(Claim(**named, subject=subject, **outcome))
    return claims


def _not_measured(reason: str) -> dict[str, Any]:
    numbers = {"value": None, "ci_low": None, "ci_high": None, "n": 0}
    return {"verdict": NOT_MEASURED, "sentence": f"Not measured: {reason}.", **numbers}


def _judge_exact(row: Exact) -> dict[str, Any]:
    n = int((row.steps > 0).sum())
    hit = int((row.violations > 0).sum())
    steps, violations = int(row.steps.sum()), int(row.violations.sum())
    interval = binomtest(hit, n).proportion_ci(CONFIDENCE, method="exact")
    share = (
        f"95 % interval for the share of images with one: {_number(interval.low)} to {_number(interval.high)}"
    )
    if violations:
        sentence = (
            f"Contradicted: {violations} of {steps} steps violate it, on {hit} of {_images(n)} ({share})."
        )
    else:
        sentence = f"Supported: not one violation in {_count(steps, 'step')} on {_images(n)} ({share})."
    return {
        "verdict": CONTRADICTED if violations else SUPPORTED,
        "sentence": sentence,
        "value": hit / n,
        "ci_low": float(interval.low),
        "ci_high": float(interval.high),
        "n": n,
    }


def _judge_sampled(rows: Sequence[Sampled], seed: int) -> list[dict[str, Any]]:
    means = _resample(rows, seed)
    p_values = [
        region_p_values(mean, images=row.values.size, low=row.low, high=row.high)
        for row, mean in zip(rows, means, strict=True)
    ]
    corrected = holm([min(pair) for pair in p_values])
    outcomes = []
    for row, mean, (inside, outside), p in zip(rows, means, p_values, corrected, strict=True):
        low, high = np.quantile(mean, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]).tolist()
        value = float(row.values.mean())
        measured = (
            f"{row.statistic} is {_number(value)} on average over {_images(row.values.size)} "
            f"(95 % interval {_number(low)} to {_number(high)})"
        )
        if p > ALPHA:
            verdict = UNDECIDED
            reason = _why_undecided(row, raw=min(inside, outside), family=len(rows))
            sentence = f"Undecided: {measured}; {row.region()} was claimed, and {reason}."
        elif inside < outside:
            verdict, sentence = SUPPORTED, f"Supported: {measured}, {row.region()} as claimed."
        else:
            verdict, sentence = CONTRADICTED, f"Contradicted: {measured}; {row.region()} was claimed."
        outcomes.append(
            {
                "verdict": verdict,
                "sentence": sentence,
                "value": value,
                "ci_low": low,
                "ci_high": high,
                "n": row.values.size,
                "p_value": float(p),
            }
        )
    return outcomes


def _resample(rows: Sequence[Sampled], seed: int) -> list[np.ndarray]:
    """The bootstrap means of each row; rows of equal length in one go, with the same draws."""
    columns: dict[int, list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        columns[row.values.size].append(index)
    means: list[np.ndarray] = [np.empty(0)] * len(rows)
    for indices in columns.values():
        together = bootstrap_means(np.stack([rows[index].values for index in indices], axis=1), seed=seed)
        for column, index in enumerate(indices):
            means[index] = together[:, column]
    return means


def _why_undecided(row: Sampled, *, raw: float, family: int) -> str:
    """Why `row` is undecided, and what its images could have shown."""
    n = row.values.size
    if 2.0 ** (1 - n) * family > ALPHA:
        return f"{_images(n)} are too few for a verdict beside the {_count(family, 'row')} of this run"
    if raw <= ALPHA:
        reason = f"the interval does not stay on one side when corrected for the {family} rows of this run"
    else:
        reason = "the interval does not lie on one side"
    effect = detectable_effect(row.values, level=ALPHA / family)
    if effect > 0:
        reason += f" (with {n} images a mean {_number(effect)} beyond the limit is found four times in five)"
    return reason


def _number(value: float) -> str:
    return f"{value + 0.0:.3g}".replace("-", "\N{MINUS SIGN}")


def _images(n: int) -> str:
    return _count(n, "image")


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
