"""The page of findings is that of the samples beside it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

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
