"""Section "theory": the theorem, and the ladder of bounds as the package proves and tests it."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from attnclust.report._study import Study
from attnclust.report._text import ABSENT, formula, number


@dataclass(frozen=True)
class Rung:
    """One theorem as the page prints it."""

    label: str
    statement: Markup
    kind: str
    proof: str
    proof_name: str
    sha256: str
    worst: str
    examples: str


def rungs(study: Study) -> list[Rung]:
    """All theorems of the record, in its order; empty if it holds none."""
    found = []
    for label, entry in (study.results.get("theory") or {}).items():
        proof = entry.get("proof") or {}
        examples = entry.get("examples")
        found.append(
            Rung(
                label,
                formula(entry.get("statement") or ""),
                entry.get("kind") or ABSENT,
                proof.get("status") or "not yet",
                proof.get("name") or "",
                proof.get("sha256") or "",
                number(entry.get("worst_ratio"), 4),
                f"{examples:,}" if examples else ABSENT,
            )
        )
    return found
