"""The one rule that turns evidence into verdicts: on each claim of a run, and on each of its parts.

*Sampled* evidence is one number an image. Its mean has a bootstrap 95 % interval over images, and the claim
names an open region for the mean: above 0, below -0.05, within +-0.05. Two bootstrap p-values go with it, for
"inside" and for "outside" (:func:`attnclust.statistics.region_p_values`). *Exact* evidence is a count of
violations of something that is said to hold without exception, so sampling has no say: one violation
contradicts it, none in all steps measured supports it, and its interval is the exact (Clopper-Pearson) 95 %
interval for the share of images with a violation.

A **claim** says that all its primary parts hold. So it is supported with the largest of their p-values for
"inside" (an intersection-union test: every part has to pass, and none needs a correction), and contradicted
with the smallest for "outside" times the number of parts (Bonferroni: any one of them would do). The smaller
of the two enters Holm's correction **over the claims of the run**, and the claim is decided where the result
is at most 0.05. One exact violation contradicts it outright; with parts that were not measured it can be
contradicted, but not supported: it is "not measured", and its sentence says how the others fared. In all, a
run gives a wrong verdict on some claim with probability 0.05 at most.

A **part** is reported beneath its claim, by the same rule with Holm's correction over the parts of that claim
alone: among the claim's primary parts, and apart from them among those that stand beside. These are another
reading of a part, or the ratios that a part averages over; they have no say in the claim's verdict and cost
it nothing, and its sentence counts how they fared. All parts of a supported claim are supported, as its test
showed.

What could have been found goes with each verdict: how far beyond the limit a mean must lie to be found four
times in five by so many images, at the level of the correction's hardest step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from attnclust.statistics import CONFIDENCE, holm

from ._evidence import Evidence, Exact
from ._list import CLAIMS
from ._measured import Part, measure
from ._words import CONTRADICTED, NOT_MEASURED, SUPPORTED, UNDECIDED, of_parts, tally, told

ROLES = ("claim", "part", "beside")
"""What a row of the ledger is: a claim, a part that its verdict rests on, or a part that stands beside it."""

ALPHA = 1 - CONFIDENCE
"""The error level of a run: over all its claims, after Holm's correction."""


@dataclass(frozen=True)
class Claim:
    """One row of the ledger: a claim, or a part of one, and how it fared.

    The numbers of a claim with several parts are those of the part that decides: the weakest of a supported
    claim, the plainest contradiction, else the one farthest from support.

    Attributes:
        id: ``"4"``, or with a part ``"3.certified.sharp"``.
        claim: its number in :data:`attnclust.claims.CLAIMS`.
        role: one of :data:`ROLES`.
        statement: what is claimed, in a sentence.
        verdict: one of :data:`VERDICTS`.
        sentence: how it fared, in a sentence.
        statistic: what was computed for each image, in words.
        value: its mean over images; None where not measured.
        ci_low, ci_high: the 95 % interval of the mean, not corrected.
        n: the number of images.
        detectable: how far beyond the limit a mean would be found four times in five; for exact evidence, the
            share of images with a violation that would be; None where not measured, or from one image.
        p_value: corrected; None for exact evidence and where not measured.
        subject: whose records were judged.
    """

    id: str
    claim: int
    role: str
    statement: str
    verdict: str
    sentence: str
    statistic: str
    value: float | None
    ci_low: float | None
    ci_high: float | None
    n: int
    detectable: float | None
    p_value: float | None
    subject: str

    def row(self) -> dict[str, Any]:
        """The claim as a row of the table ``claims`` (:data:`attnclust.records.TABLES`)."""
        return dict(vars(self))


@dataclass(frozen=True)
class _Case:
    """A claim, its evidence, and what was measured of it."""

    number: int
    rows: Sequence[Evidence]
    parts: Mapping[str, Part]

    @property
    def primary(self) -> list[Evidence]:
        return [row for row in self.rows if row.primary]

    @property
    def known(self) -> list[Part]:
        """The primary parts that were measured."""
        return [self.parts[row.id] for row in self.primary if row.id in self.parts]

    @property
    def missing(self) -> list[str]:
        """Why primary parts were not measured."""
        return [row.absent for row in self.primary if row.id not in self.parts]

    @property
    def violated(self) -> bool:
        return any(isinstance(part.evidence, Exact) and part.value > 0 for part in self.known)

    @property
    def sides(self) -> tuple[float, float] | None:
        """The p-values of the claim for "inside" and "outside"; None where there is nothing to test."""
        sampled = [part for part in self.known if not isinstance(part.evidence, Exact)]
        if not sampled or self.violated:
            return None
        inside = 1.0 if self.missing else max(part.inside for part in self.known)
        return inside, min(1.0, len(sampled) * min(part.outside for part in sampled))

    def verdict(self, p: float | None) -> str:
        """The claim's verdict, given its corrected p-value."""
        if self.violated:
            return CONTRADICTED
        if self.sides is not None and p is not None and p <= ALPHA:
            inside, outside = self.sides
            return SUPPORTED if inside < outside else CONTRADICTED
        if self.missing or not self.known:
            return NOT_MEASURED
        return SUPPORTED if self.sides is None else UNDECIDED

    def decisive(self, verdict: str) -> Part:
        """The part whose numbers stand for the claim."""
        if verdict == CONTRADICTED:
            return min(self.known, key=lambda part: (part.outside, part.depth))
        return max(self.known, key=lambda part: (part.inside, -part.depth))


def settle(
    evidence: Iterable[Evidence], *, subject: str, seed: int = 0, claims: Mapping[int, str] = CLAIMS
) -> list[Claim]:
    """Judge all evidence of one run together: each claim, then its parts in the order they came.

    A claim whose one part has the claim's number for its id is one row. Parts over equally many images share
    their resamples, so no interval depends on the other rows.

    Args:
        evidence: the parts of all claims, no two with one id.
        subject: whose records they come from.
        seed: of the bootstrap.
        claims: number -> statement; a claim without evidence is not measured.

    >>> from numpy import array, full
    >>> from attnclust.claims._evidence import Sampled
    >>> rho = Sampled("4", 4, "Purity rises with depth.", "Spearman's rho", full(20, 0.8), low=0)
    >>> exact = Exact("1.a", 1, "No diameter grows.", array([0, 0]), array([12, 12]))
    >>> rows = settle([rho, exact], subject="model", claims={1: "Nothing widens.", 4: "Purity rises."})
    >>> [(row.id, row.role, row.verdict) for row in rows]
    [('1', 'claim', 'supported'), ('1.a', 'part', 'supported'), ('4', 'claim', 'supported')]
    """
    rows = list(evidence)
    parts = measure(rows, seed=seed)
    cases = [_Case(number, [row for row in rows if row.claim == number], parts) for number in claims]
    tested = {case.number: min(case.sides) for case in cases if case.sides is not None}
    corrected = dict(zip(tested, holm(list(tested.values())).tolist(), strict=True))
    ledger = []
    for case in cases:
        verdict = case.verdict(corrected.get(case.number))
        beneath = _part_rows(case, verdict)
        head = _head(case, verdict, {row["id"]: row["verdict"] for row in beneath}, len(tested))
        head |= {"statement": claims[case.number], "p_value": corrected.get(case.number)}
        single = [row.id for row in case.rows] == [str(case.number)]
        ledger += [
            Claim(**fields, claim=case.number, subject=subject)
            for fields in ([head] if single else [head, *beneath])
        ]
    return ledger


def _head(case: _Case, verdict: str, verdicts: Mapping[str, str], tested: int) -> dict[str, Any]:
    """A claim's own row, all but what :func:`settle` knows."""
    head = {"id": str(case.number), "role": "claim", "verdict": verdict}
    if not case.known:
        reason = "; ".join(dict.fromkeys(case.missing)) or "nothing in the records speaks of it"
        statistic = case.primary[0].statistic if case.primary else ""
        return head | _nothing(statistic) | {"sentence": f"Not measured: {reason}."}
    part, level = case.decisive(verdict), ALPHA / max(tested, 1)
    beside = f" beside the other claims of this run ({tested} are tested)"
    own = verdicts[part.evidence.id] if verdict == NOT_MEASURED else verdict
    words = told(part, own, level=level, beside=beside)
    if len(case.primary) > 1:
        fared = of_parts([verdicts[row.id] for row in case.primary], verdict, case.missing)
        words = f"{fared}, {part.evidence.id}: {words}"
    # What the claim's parts average over may go two ways, and another reading may go another.
    others = [verdicts[row.id] for row in case.rows if not row.primary]
    besides = f" Beside it: {tally(others)}." if others else ""
    return head | _numbers(part, level) | {"sentence": f"{verdict.capitalize()}: {words}.{besides}"}


def _part_rows(case: _Case, whole: str) -> list[dict[str, Any]]:
    """The rows of a claim's parts, all but claim and subject."""
    corrected: dict[str, float] = {}
    sizes: dict[bool, int] = {}
    for primary in (True, False):
        family = [
            row.id
            for row in case.rows
            if row.primary is primary and row.id in case.parts and not isinstance(row, Exact)
        ]
        sizes[primary] = len(family)
        p_values = holm([case.parts[name].p for name in family]).tolist()
        corrected |= dict(zip(family, p_values, strict=True))
    rows = []
    for row in case.rows:
        fields = {
            "id": row.id,
            "role": "part" if row.primary else "beside",
            "statement": row.statement,
            "p_value": corrected.get(row.id),
        }
        part = case.parts.get(row.id)
        if part is None:
            fields |= _nothing(row.statistic) | {
                "verdict": NOT_MEASURED,
                "sentence": f"Not measured: {row.absent}.",
            }
        else:
            level = ALPHA / max(sizes[row.primary], 1)
            if row.primary and whole == SUPPORTED and fields["p_value"] is not None:
                fields["p_value"] = min(fields["p_value"], ALPHA)  # the claim's own test has shown it
            verdict = _part_verdict(part, fields["p_value"])
            words = told(part, verdict, level=level, beside=f" beside the claim's {sizes[row.primary]} parts")
            fields |= _numbers(part, level) | {
                "verdict": verdict,
                "sentence": f"{verdict.capitalize()}: {words}.",
            }
        rows.append(fields)
    return rows


def _part_verdict(part: Part, p: float | None) -> str:
    if p is not None and p > ALPHA:
        return UNDECIDED
    return SUPPORTED if part.inside < part.outside else CONTRADICTED


def _numbers(part: Part, level: float) -> dict[str, Any]:
    return {
        "statistic": part.evidence.statistic,
        "value": part.value,
        "ci_low": part.low,
        "ci_high": part.high,
        "n": part.n,
        "detectable": part.detectable(level),
    }


def _nothing(statistic: str) -> dict[str, Any]:
    numbers = dict.fromkeys(("value", "ci_low", "ci_high", "detectable"))
    return {"statistic": statistic, "n": 0, **numbers}
