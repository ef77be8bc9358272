"""Names that come from data are text, wherever they stand."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from attnclust.report import build_page

from .conftest import claims
from .reading import Page

NAMES = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    r"$\frac{ $x_1$ $\frac{$",
    "{{ 7 * 7 }}{% raw %}",
    "</style></svg></table>&amp;'",
    "_under\u202e\n<b>",
)


def poison(name: str) -> Callable[[dict[str, Any]], None]:
    def change(summary: dict[str, Any]) -> None:
        provenance = summary["provenance"]
        provenance["model"].update(name=name, weights=name, checkpoint=name)
        provenance["settings"].update(model=name, protocol=name, device=name)
        provenance.update(data=name, device=name, date=name, versions={name: name})
        summary["theory"] = {
            name: {
                "statement": name,
                "kind": name,
                "proof": {"name": name, "status": name, "sha256": name},
                "worst_ratio": 1.0,
                "examples": 1,
            }
        }
        for subject in (summary, summary["random_twin"]):
            subject["metrics"][name] = subject["metrics"].pop("shuffle-8")
            for form in subject["layers"]["steps"].values():
                form["certified"][name] = form["certified"].pop("sharp")
                form["violations"][name] = form["violations"].pop("sharp")
        summary["images"][name] = {"seen": 3, "selected": 1, "reasons": {name: 2}}
        summary["skipped"] = [{"image": name, "reason": name}]

    return change


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_are_text(study: Callable[..., Path], whole: Path, name: str) -> None:
    rows = [
        {**row, "statement": name, "sentence": name, "statistic": name, "verdict": name} for row in claims()
    ]
    folder = study(poison(name), image=name, role=name, claim_rows=rows)
    page = Page(build_page(folder))
    honest = Page(whole / "index.html")
    assert page.unbalanced == []
    assert {tag for tag, _ in page.elements} - {tag for tag, _ in honest.elements} <= {"br"}
    assert not page.all("script")
    for _, attributes in page.elements:
        assert not [key for key in attributes if key.startswith("on")]
    shown = " ".join(name.split())
    for section in ("opening", "theory", "inside", "neurons", "behaviour", "claims", "methods"):
        words = page.section(section)
        # The table of theorems turns signs of formulas, its labels stay as they are.
        assert shown in words
    assert any(name in image["alt"] for image in page.all("img"))
    for figure in (folder / "figures").glob("*.svg"):
        ET.parse(figure)
