"""Studies side by side: model by model, claim by claim, curves overlaid, from ``results.json`` alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from attnclust._array import ArgumentError
from attnclust.report import compare_studies
from attnclust.report.__main__ import main as command

from .conftest import claims
from .reading import Page, csv_of

Study = Callable[..., Path]


def judged(summary: dict[str, Any]) -> None:
    summary["claims"] = [
        {**row, "ci": [row["ci_low"], row["ci_high"]]} for row in claims() if row["subject"] == "model"
    ]


def other(summary: dict[str, Any]) -> None:
    judged(summary)
    summary["provenance"]["model"]["name"] = "another_model"
    summary["provenance"]["settings"].update(model="another_model", seed=8)
    summary["metrics"]["clean"]["purity"]["mean"] = [0.25] * 13
    next(claim for claim in summary["claims"] if claim["id"] == "4")["verdict"] = "contradicted"
    summary["layers"]["steps"]["per_head"]["violations"]["sharp"] = 3


@pytest.fixture
def two(study: Study) -> list[Path]:
    return [study(judged, name="a", tables=()), study(other, name="b", tables=())]


def test_model_by_model_claim_by_claim_curve_over_curve(two: list[Path], tmp_path: Path) -> None:
    page = Page(compare_studies(two, tmp_path / "out"))
    opening = page.section("opening")
    assert "A: attnclust_student on procedural scenes B: another_model on procedural scenes" in opening
    assert "settings · model attnclust_student another_model settings · seed 7 8" in opening
    assert "torch" not in opening, "what is the same is not told"
    assert "All studies could judge 4 claims, and agree on 3." in opening
    numbers = page.section("numbers")
    assert "Purity 0.74 [0.70, 0.78] 0.25 [0.70, 0.78]" in numbers
    assert "violations (one head on its values) 0 3" in numbers
    assert "≠ 4. Purity rises with depth. ✓ supported, 0.812 [0.710, 0.890] ✗ contradicted," in page.section(
        "claims"
    )
    rows = [line.split(",") for line in csv_of(page, "purity.csv")[1:]]
    assert [row[:3] for row in rows if row[1] == "12"] == [
        ["A: attnclust_student on procedural scenes", "12", "0.7351"],
        ["B: another_model on procedural scenes", "12", "0.25"],
    ]


def test_models_of_unlike_depth_share_an_axis(two: list[Path], study: Study, tmp_path: Path) -> None:
    def shallow(summary: dict[str, Any]) -> None:
        for subject in (summary["metrics"]["clean"]["purity"], summary["layers"]["levels"]["raw_diameter"]):
            for ends in ("mean", "ci_low", "ci_high"):
                subject[ends] = list(subject[ends])[:5]

    page = Page(compare_studies([two[0], study(shallow, name="c", tables=())], tmp_path / "out"))
    assert "share of all blocks" in page.section("curves")
    places = {line.split(",")[1] for line in csv_of(page, "purity.csv")[1:] if line.startswith("B")}
    assert places == {"0", "0.25", "0.5", "0.75", "1"}


def test_the_same_results_give_the_same_bytes_wherever_they_lie(two: list[Path], tmp_path: Path) -> None:
    moved = [Path(shutil.copytree(folder, tmp_path / f"moved-{i}")) for i, folder in enumerate(two)]
    first = compare_studies(two, tmp_path / "x", export=True).parent
    second = compare_studies(moved, tmp_path / "y", export=True).parent
    made = sorted(path.relative_to(first) for path in first.rglob("*") if path.is_file())
    assert {path.suffix for path in made} == {".html", ".svg", ".pdf", ".csv"}
    for path in made:
        assert (second / path).read_bytes() == (first / path).read_bytes(), path


def test_studies_that_measured_little_can_be_compared(study: Study, tmp_path: Path) -> None:
    def strip(summary: dict[str, Any]) -> None:
        for key in ("theory", "layers", "metrics", "random_twin", "images", "claims", "skipped"):
            del summary[key]

    folders = [study(strip, name=name, tables=()) for name in "ab"]
    page = Page(compare_studies(folders, tmp_path / "out"))
    assert "All were measured with the same settings." in page.section("opening")
    assert not page.all("svg")
    assert "None" not in page.text


def test_the_command(two: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = list(map(str, two))
    assert command(["--compare", folders[0], folders[0], "--output", str(tmp_path / "same")]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'same' / 'index.html'}\n"
    assert command(["--compare", *folders, "--output", str(tmp_path / "out")]) == 1, "one violates a theorem"
    assert command(["--compare", folders[0]]) == 2
    assert "two or more" in capsys.readouterr().err
    assert command(["--compare", folders[0], "nowhere"]) == 2
    assert "nowhere" in capsys.readouterr().err


def test_the_default_folder_is_named_after_the_results(
    two: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made = compare_studies(two)
    assert made.parent.parent == Path("reports")
    assert made == compare_studies(two)
    assert made != compare_studies(two[::-1])


def test_a_study_is_not_written_over(two: list[Path]) -> None:
    with pytest.raises(ArgumentError, match="--output"):
        compare_studies(two, two[0])
    assert not (two[0] / "index.html").exists()
