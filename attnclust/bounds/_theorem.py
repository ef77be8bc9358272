"""The form of a theorem's record, shared by documentation, report, proofs and tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Theorem:
    """One theorem: what it says, where it comes from, and which function computes it.

    Attributes:
        label: the name that docs, code, tests and proofs share.
        kind: ``"tight"`` where nothing better can be said from the same knowledge, else ``"upper"``.
        statement: one line of plain text.
        source: where in the paper, or "proved here".
        proof: the name of the Coq theorem, None where there is none.
        function: the public function.
    """

    label: str
    kind: Literal["tight", "upper"]
    statement: str
    source: str
    proof: str | None
    function: Callable[..., Any]
