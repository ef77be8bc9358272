"""Section "claims ledger": every claim of the paper and its verdict, each with its parts folded away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from attnclust.records import MODEL, TWIN
from attnclust.report._figures import as_csv
from attnclust.report._study import Study
from attnclust.report._text import interval, number

SYMBOLS = {"supported": "✓", "contradicted": "✗", "undecided": "?", "not measured": "–"}
"""Verdict -> the sign beside the word."""

HEAD = (
    *("id", "role", "statement", "verdict", "statistic", "value", "ci_low", "ci_high", "n", "detectable"),
    *("p_value", "subject"),
)
"""The columns of the ledger as CSV."""


@dataclass(frozen=True)
class Row:
    """One row of the ledger; `twin` is the verdict on the random twin, empty without one."""

    id: str
    statement: str
    verdict: str
    symbol: str
    sentence: str
    statistic: str
    value: str
    n: str
    detectable: str
    beside: bool
    twin: str
    twin_symbol: str
    twin_value: str


@dataclass(frozen=True)
class Group:
    """A claim and its parts."""

    number: str
    claim: Row
    parts: list[Row]

    @property
    def beside(self) -> int:
        """How many of the parts only stand beside."""
        return sum(row.beside for row in self.parts)


@dataclass(frozen=True)
class Ledger:
    """The claims in order, and how often each verdict was given to a claim: (symbol, verdict, how often)."""

    groups: list[Group]
    counts: list[tuple[str, str, int]]
    twin_counts: list[tuple[str, str, int]]
    csv: str

    @property
    def has_twin(self) -> bool:
        return bool(self.twin_counts)


def ledger(study: Study) -> Ledger | None:
    """The section, or None if no claim was judged."""
    entries = _entries(study)
    mine = [entry for entry in entries if entry["subject"] != TWIN]
    if not mine:
        return None
    twins = {entry["id"]: entry for entry in entries if entry["subject"] == TWIN}
    groups: list[Group] = []
    for entry in mine:
        row = _row(entry, twins.get(entry["id"]))
        if entry["role"] == "claim" or not groups or groups[-1].number != str(entry["claim"]):
            groups.append(Group(str(entry["claim"]), row, []))
        else:
            groups[-1].parts.append(row)
    return Ledger(
        groups,
        _counts([group.claim.verdict for group in groups]),
        _counts([group.claim.twin for group in groups if group.claim.twin]),
        as_csv(HEAD, [[entry[name] for name in HEAD] for entry in entries]),
    )


def _counts(verdicts: list[str]) -> list[tuple[str, str, int]]:
    counts = Counter(verdicts)
    order = [*SYMBOLS, *(verdict for verdict in counts if verdict not in SYMBOLS)]
    return [(SYMBOLS.get(verdict, "·"), verdict, counts[verdict]) for verdict in order if counts[verdict]]


def _entries(study: Study) -> list[dict[str, Any]]:
    """All claims, from the table, which says more, or else from the summary."""
    table = study.table("claims")
    if table is not None:
        return table.to_pylist()
    twin = (study.results.get("random_twin") or {}).get("claims") or []
    return [
        *(_from_summary(entry, MODEL) for entry in study.results.get("claims") or []),
        *(_from_summary(entry, TWIN) for entry in twin),
    ]


def _from_summary(entry: Mapping[str, Any], subject: str) -> dict[str, Any]:
    low, high = entry.get("ci") or (None, None)
    value = entry.get("statistic")
    number_, _, part = str(entry["id"]).partition(".")
    return {
        "id": str(entry["id"]),
        "claim": number_,
        "role": entry.get("role") or ("part" if part else "claim"),
        "statement": entry["statement"],
        "verdict": entry["verdict"],
        "sentence": entry.get("sentence", ""),
        "statistic": "" if isinstance(value, int | float) else value or "",
        "value": value if isinstance(value, int | float) else entry.get("value"),
        "ci_low": low,
        "ci_high": high,
        "n": entry.get("n"),
        "detectable": entry.get("detectable"),
        "p_value": entry.get("p_value"),
        "subject": subject,
    }


def _row(entry: Mapping[str, Any], twin: Mapping[str, Any] | None) -> Row:
    return Row(
        entry["id"],
        entry["statement"],
        entry["verdict"],
        SYMBOLS.get(entry["verdict"], "·"),
        entry["sentence"] or "",
        "" if (entry["statistic"] or "").lower() in (entry["sentence"] or "").lower() else entry["statistic"],
        _value(entry),
        str(entry["n"]) if entry["n"] else "–",
        number(entry["detectable"], 2),
        entry["role"] == "beside",
        twin["verdict"] if twin else "",
        SYMBOLS.get(twin["verdict"], "·") if twin else "",
        _value(twin) if twin else "",
    )


def _value(entry: Mapping[str, Any]) -> str:
    return interval(entry["value"], entry["ci_low"], entry["ci_high"], 3)
