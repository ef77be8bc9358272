"""Verdicts in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ._evidence import Exact, Sampled
from ._measured import Part

SUPPORTED, CONTRADICTED, UNDECIDED, NOT_MEASURED = VERDICTS = (
    "supported",
    "contradicted",
    "undecided",
    "not measured",
)
"""All verdicts there are. "Contradicted" is a result, not a failure."""


def told(part: Part, verdict: str, *, level: float, beside: str) -> str:
    """What was measured of a part and how that bears on the claim; `beside` says what it is corrected for."""
    row = part.evidence
    if isinstance(row, Exact):
        return _exceptions(row, part)
    measured = (
        f"{row.statistic} is {_number(part.value)} on average over {_images(part.n)} "
        f"(95 % interval {_number(part.low)} to {_number(part.high)})"
    )
    if verdict == SUPPORTED:
        return f"{measured}, {row.region()} as claimed"
    if verdict == CONTRADICTED:
        return f"{measured}; {row.region()} was claimed"
    return f"{measured}; {row.region()} was claimed, and {_why_undecided(row, part, level, beside)}"


def of_parts(verdicts: Sequence[str], verdict: str, missing: Sequence[str]) -> str:
    """How the parts of a claim fared, before the one that decides is told."""
    lead = f"of its {len(verdicts)} parts, {tally(verdicts)}"
    if verdict == NOT_MEASURED:
        lead = f"in part, since {'; '.join(dict.fromkeys(missing))}; {lead}"
    words = {SUPPORTED: "the weakest", CONTRADICTED: "the plainest"}.get(verdict, "farthest from support")
    return f"{lead}; {words}"


def tally(verdicts: Sequence[str]) -> str:
    counts = Counter(verdicts)
    return ", ".join(f"{counts[each]} {each}" for each in VERDICTS if counts[each])


def _why_undecided(row: Sampled, part: Part, level: float, beside: str) -> str:
    """Why a part is undecided, and what its images could have shown."""
    if 2.0 ** (1 - part.coins) > level:
        return f"{_images(part.n)} are too few for a verdict{beside}"
    if part.p <= level:
        reason = "it does not stand out far enough among the claim's parts"
    elif part.p <= 0.05:
        reason = f"the interval does not stay on one side when corrected for multiple testing{beside}"
    else:
        reason = "the interval does not lie on one side"
    effect = part.detectable(level)
    if effect:
        found = f"a mean {_number(effect)} beyond the limit is found four times in five"
        reason += f" (with {part.n} images {found})"
    return reason


def _exceptions(row: Exact, part: Part) -> str:
    steps, violations = int(row.steps.sum()), int(row.violations.sum())
    share = f"95 % interval for the share of images with one: {_number(part.low)} to {_number(part.high)}"
    if violations:
        where = f"on {int((row.violations > 0).sum())} of {_images(part.n)}"
        return f"{violations:,} of {_count(steps, 'step')} violate it, {where} ({share})"
    return f"not one violation in {_count(steps, 'step')} on {_images(part.n)} ({share})"


def _number(value: float) -> str:
    return f"{value + 0.0:.3g}".replace("-", "\N{MINUS SIGN}")


def _images(n: int) -> str:
    return _count(n, "image")


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"
