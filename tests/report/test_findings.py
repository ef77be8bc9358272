"""The page of findings is that of the samples beside it, and they are judged by the claims as they are."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pyarrow.compute as pc
import pytest

from attnclust.claims import judge
from attnclust.records import MODEL, OBJECTS, TWIN, read_table

REPORTS = Path(__file__).parents[2] / "reports"


def test_the_findings_are_fresh() -> None:
    spec = importlib.util.spec_from_file_location("findings", REPORTS / "findings.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    assert (REPORTS / "findings.md").read_text("utf-8") == made.findings(*made.SAMPLES), (
        "run python reports/findings.py"
    )


@pytest.mark.parametrize("sample", ["scenes", "voc2007-deit-tiny"])
def test_the_samples_are_judged_by_the_present_claims(sample: str) -> None:
    folder = REPORTS / "samples" / sample
    tables = {name: read_table(folder, name) for name in ("measurements", "steps", "predictions", "filters")}
    whose = (pc.field("partition") == OBJECTS) & ~pc.field("pooled")
    tables["steps"] = tables["steps"].filter(whose)
    told = ("subject", "id", "role", "statement", "verdict", "n")
    judged = [claim.row() for subject in (MODEL, TWIN) for claim in judge(tables, subject=subject)]
    saved = read_table(folder, "claims").to_pylist()
    assert [[row[name] for name in told] for row in saved] == [
        [row[name] for name in told] for row in judged
    ], "run python reports/judge.py"
