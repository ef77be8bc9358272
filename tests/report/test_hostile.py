"""Names that come from data are text, wherever they stand: page, Markdown, CSV, figures, comparison."""

from __future__ import annotations

import csv
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from attnclust.report import build_page, compare_studies

from .conftest import claims
from .reading import Page

NAMES = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    r"$\frac{ $x_1$ $\frac{$",
    "{{ 7 * 7 }}{% raw %}",
    "</style></svg></table>&amp;'",
    "_under\u202e\n<b>",
    "=HYPERLINK(A1)|a](https://example.org) @all #1 `x`\n\n1. one",
    "../../up",
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
    page = Page(build_page(folder, export=True))
    is_sound(page, Page(whole / "index.html"))
    shown = " ".join(name.split())
    for section in ("opening", "theory", "inside", "neurons", "behaviour", "claims", "methods"):
        # The table of theorems turns signs of formulas, its labels stay as they are.
        assert shown in page.section(section)
    assert any(name in image["alt"] for image in page.all("img"))
    for figure in (folder / "figures").glob("*.svg"):
        ET.parse(figure)
    for table in (folder / "export").glob("*.csv"):
        with table.open(newline="", encoding="utf-8") as stream:
            cells = [cell for row in csv.reader(stream) for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "@", "\t", "\r"))]
    made = {path.name for path in folder.parent.iterdir()}
    assert made == {"study"}, "a name has left its folder"
    is_plain_markdown((folder / "report.md").read_text("utf-8"), shown)


def is_sound(page: Page, honest: Page) -> None:
    """No element, script or handler that an honest page has not."""
    assert page.unbalanced == []
    assert {tag for tag, _ in page.elements} - {tag for tag, _ in honest.elements} <= {"br"}
    assert not page.all("script")
    for _, attributes in page.elements:
        assert not [key for key in attributes if key.startswith("on")]


def is_plain_markdown(text: str, shown: str) -> None:
    """As GitHub's dialect reads it: no link, picture, HTML or list but our own, and the name as text."""
    tokens = MarkdownIt("gfm-like").parse(text)
    inline = [child for token in tokens for child in token.children or []]
    assert sum(child.type == "code_inline" for child in inline) == 1, "the command, in a fence of its own"
    assert {child.type for child in inline} <= {
        "text",
        "text_special",
        "strong_open",
        "strong_close",
        "code_inline",
    }
    blocks = {token.content.strip() for token in tokens if token.type == "html_block"}
    assert all(block in OWN_BLOCKS for block in blocks)
    assert not [token for token in tokens if token.type in ("ordered_list_open", "fence", "code_block")]
    lines = [
        "".join(child.content for child in token.children or []).replace("\N{WORD JOINER}", "")
        for token in tokens
        if token.type == "inline"
    ]
    assert sum(shown in line for line in lines) >= 5
    assert not any(
        "@all" in child.content or "#1" in child.content for child in inline if child.type == "text"
    )


INLINE = {"text", "text_special", "strong_open", "strong_close", "code_inline"}
CALLS = ("@all", "#1")
OWN_BLOCKS = {
    "<details>\n<summary>Claims of the paper</summary>",
    "<details>\n<summary>What was measured</summary>",
    "</details>",
}


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_are_text_in_a_comparison(study: Callable[..., Path], whole: Path, name: str) -> None:
    def change(summary: dict[str, Any]) -> None:
        poison(name)(summary)
        summary["claims"] = [
            {"id": name, "statement": name, "verdict": name, "statistic": 0.5, "ci": [0.25, 0.75], "n": 3}
        ]

    folders = [study(change, name="a", tables=()), study(name="b", tables=())]
    page = Page(compare_studies(folders, folders[0].parent / "out", export=True))
    is_sound(page, Page(whole / "index.html"))
    for section in ("opening", "claims"):
        assert " ".join(name.split()) in page.section(section)
    for figure in (folders[0].parent / "out" / "figures").glob("*.svg"):
        ET.parse(figure)
    assert {path.name for path in folders[0].parent.iterdir()} == {"a", "b", "out"}
