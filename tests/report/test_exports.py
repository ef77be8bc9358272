"""What lies beside the page, and how the command ends: ``report.md``, ``export/``, exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from attnclust.report import build_page
from attnclust.report.__main__ import main as command

from .conftest import claims, write_study
from .reading import Page


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_study(tmp_path_factory.mktemp("exported") / "study")
    build_page(folder, export=True)
    return folder


def test_the_summary_names_what_matters_and_how_to_repeat_it(exported: Path) -> None:
    text = (exported / "report.md").read_text("utf-8")
    assert text.startswith("## Do patch embeddings cluster?")
    findings = [line for line in text.splitlines() if line.startswith("- ")]
    assert 3 <= len(findings) <= 5
    assert "0.74" in text, "the planted purity"
    assert text.count("python -m attnclust.report --model") == 1
    verdicts = [line for line in text.splitlines() if line.startswith(("| ✓", "| ✗", "| ?", "| –"))]
    assert len(verdicts) == len({row["claim"] for row in claims() if row["subject"] == "model"}) > 3


def test_every_figure_as_pdf_and_every_table_as_csv(exported: Path) -> None:
    folder = exported / "export"
    drawn = {path.stem for path in folder.glob("*.svg")}
    assert {"purity", "raw_diameter"} <= drawn
    assert drawn <= {path.stem for path in folder.glob("*.pdf")}
    assert all(path.read_bytes().startswith(b"%PDF-") for path in folder.glob("*.pdf"))
    offered = [a for a in Page(exported / "index.html").all("a") if a.get("download", "").endswith(".csv")]
    assert len(list(folder.glob("*.csv"))) == len(offered) > 10
    lines = (folder / "purity.csv").read_text("utf-8").splitlines()
    assert any(line.startswith("clean") and ",12,0.7351," in line for line in lines)


def test_the_same_records_give_the_same_bytes_beside_the_page(exported: Path, tmp_path: Path) -> None:
    second = write_study(tmp_path / "elsewhere")
    build_page(second, export=True)
    made = [exported / "report.md", *sorted((exported / "export").iterdir())]
    assert len(made) == 1 + len(list((second / "export").iterdir()))
    for path in made:
        assert (second / path.relative_to(exported)).read_bytes() == path.read_bytes(), path.name


def _edit(folder: Path, **changes: Any) -> str:
    file = folder / "results.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))
    return str(folder)


def test_how_the_command_ends(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = write_study(tmp_path / "study")
    assert command(["--from", str(folder), "--export"]) == 0
    out, err = capfd.readouterr()
    assert out == f"{folder / 'index.html'}\n"
    assert err == "", "libraries stay quiet"
    assert command(["--from", str(folder), "--output", str(tmp_path / "other")]) == 2
    assert "--output: must not go with --from" in capfd.readouterr().err
    assert not (tmp_path / "other").exists()
    with pytest.raises(SystemExit) as refused:
        command(["--from", str(folder), "--compare", str(folder), str(folder)])
    assert refused.value.code == 2
    bare = write_study(tmp_path / "bare")
    assert command(["--from", _edit(bare, layers={}, random_twin=None)]) == 0
    assert command(["--from", str(bare), "--strict"]) == 1
    assert "not measured: layers" in capfd.readouterr().err
