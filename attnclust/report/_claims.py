"""Section "claims ledger": every claim of the paper and its verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from attnclust.records import MODEL, TWIN
from attnclust.report._figures import as_csv
from attnclust.report._study import Study
from attnclust.report._text import interval

SYMBOLS = {"supported": "✓", "contradicted": "✗", "undecided": "?", "not measured": "–"}
"""Verdict -> the sign beside the word."""


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
    twin: str
    twin_symbol: str


@dataclass(frozen=True)
class Ledger:
    """The rows by the claim's number, and how often each verdict was given, in all and for each claim.

    `counts` and the counts of `overview` are (symbol, verdict, how often).
    """

    groups: list[tuple[str, list[Row]]]
    counts: list[tuple[str, str, int]]
    overview: list[tuple[str, list[tuple[str, str, int]]]]
    has_twin: bool
    csv: str


def ledger(study: Study) -> Ledger | None:
    """The section, or None if no claim was judged."""
    entries = _entries(study)
    mine = [entry for entry in entries if entry["subject"] != TWIN]
    if not mine:
        return None
    twins = {entry["id"]: entry for entry in entries if entry["subject"] == TWIN}
    groups: dict[str, list[Row]] = {}
    for entry in mine:
        groups.setdefault(str(entry["claim"]), []).append(_row(entry, twins.get(entry["id"])))
    head = ["id", "statement", "verdict", "statistic", "value", "ci_low", "ci_high", "n", "subject"]
    return Ledger(
        list(groups.items()),
        _counts([entry["verdict"] for entry in mine]),
        [(claim, _counts([row.verdict for row in rows])) for claim, rows in groups.items()],
        bool(twins),
        as_csv(head, [[entry[name] for name in head] for entry in entries]),
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
    return [_from_summary(entry) for entry in study.results.get("claims") or []]


def _from_summary(entry: Mapping[str, Any]) -> dict[str, Any]:
    low, high = entry.get("ci") or (None, None)
    value = entry.get("statistic")
    return {
        "id": str(entry["id"]),
        "claim": str(entry["id"]).partition(".")[0],
        "statement": entry["statement"],
        "verdict": entry["verdict"],
        "sentence": entry.get("sentence", ""),
        "statistic": "" if isinstance(value, int | float) else value or "",
        "value": value if isinstance(value, int | float) else entry.get("value"),
        "ci_low": low,
        "ci_high": high,
        "n": entry.get("n"),
        "subject": entry.get("subject", MODEL),
    }


def _row(entry: Mapping[str, Any], twin: Mapping[str, Any] | None) -> Row:
    return Row(
        entry["id"],
        entry["statement"],
        entry["verdict"],
        SYMBOLS.get(entry["verdict"], "·"),
        entry["sentence"] or "",
        "" if (entry["statistic"] or "").lower() in (entry["sentence"] or "").lower() else entry["statistic"],
        interval(entry["value"], entry["ci_low"], entry["ci_high"], 3),
        str(entry["n"]) if entry["n"] else "–",
        twin["verdict"] if twin else "",
        SYMBOLS.get(twin["verdict"], "·") if twin else "",
    )
