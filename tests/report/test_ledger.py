"""The ledger of claims: claims are counted, their parts folded beneath them, the twin beside them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

from attnclust.report import build_page
from attnclust.report._claims import ledger
from attnclust.report._study import open_study

from .conftest import claims
from .reading import Page
from .test_page import csv_of


def test_parts_stand_beneath_their_claim_and_are_not_counted(whole: Path):
    found = ledger(open_study(whole))
    assert found is not None
    assert [(group.number, [part.id for part in group.parts]) for group in found.groups] == [
        ("1", ["1.simplified", "1.raw"]),
        *((number, []) for number in ("4", "5", "8", "11")),
    ]
    assert found.counts == [
        ("✓", "supported", 2),
        ("✗", "contradicted", 1),
        ("?", "undecided", 1),
        ("–", "not measured", 1),
    ]
    assert found.twin_counts == [("?", "undecided", 5)]


def test_a_row_says_what_could_have_been_found(whole: Path):
    text = Page(whole / "index.html").section("claims")
    assert (
        "4 Purity rises with depth. Sentence of claim 4. 0.812 [0.710, 0.890] Spearman's rho 32 0.06" in text
    )
    assert "1.raw (beside) No raw diameter grows." in text
    assert "Parts of claim 1 (1, and 1 beside)" in text


def test_the_csv_holds_every_row_of_both_subjects(whole: Path):
    lines = list(csv.DictReader(io.StringIO("\n".join(csv_of(Page(whole / "index.html"), "claims.csv")))))
    assert len(lines) == len(claims())
    assert [line["subject"] for line in lines].count("random_twin") == len(claims()) // 2
    assert {line["role"] for line in lines} == {"claim", "part", "beside"}
    assert lines[3]["detectable"] == "0.0625"


def test_the_twins_verdicts_come_from_the_summary_too(study: Callable[..., Path]):
    def change(summary):
        entry = {"id": "4", "statement": "Purity rises.", "statistic": "rho", "value": 0.8, "n": 31}
        summary["claims"] = [entry | {"verdict": "supported", "ci": [0.7, 0.9]}]
        summary["random_twin"]["claims"] = [entry | {"verdict": "contradicted", "ci": [-0.9, -0.7]}]

    text = Page(build_page(study(change, tables=()))).section("claims")
    assert "The random twin: 1 contradicted" in text
    assert "✗ contradicted 0.800 [−0.900, −0.700]" in text
