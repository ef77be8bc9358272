"""The authors' published curves behind the study's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from attnclust.report import build_page

from .conftest import LEVELS, write_study
from .reading import Page, csv_of

NAME = "ViT-B/16 on VOC 2009 (authors)"


def test_they_stand_at_the_outputs_of_their_blocks(whole: Path):
    page = Page(whole / "index.html")
    lines = [line for line in csv_of(page, "purity.csv") if NAME in line]
    # From the published plots: clean after block 1 and block 12, and the 8 x 8 shuffle after block 1.
    assert f'"{NAME}, clean (model)",1,0.558,,' in lines
    assert f'"{NAME}, clean (model)",12,0.67,,' in lines
    assert f'"{NAME}, shuffle-8 (model)",1,0.591,,' in lines
    assert len(lines) == 3 * 12
    assert "361 images" in page.section("behaviour")


@pytest.mark.parametrize("change", ["protocol", "depth"])
def test_what_cannot_be_compared_stands_alone(tmp_path: Path, change: str):
    def edit(summary: dict[str, Any]) -> None:
        if change == "protocol":
            summary["provenance"]["settings"]["protocol"] = "paper"
        else:
            for part in (summary, summary["random_twin"]):
                for metrics in part["metrics"].values():
                    for curve in metrics.values():
                        for name in ("mean", "ci_low", "ci_high"):
                            curve[name] = curve[name][: LEVELS - 1]

    page = Page(build_page(write_study(tmp_path / "study", edit)))
    assert "Purity" in page.section("behaviour")
    assert NAME not in page.source
