"""The section on the simulator: drawn from its records alone, each picture with what it illustrates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from attnclust.records import read_table, to_table, write_json, write_table
from attnclust.report import build_page
from attnclust.study.simulate import write_simulations

from .reading import Page

FIGURES = (
    "stages", "stages-sizes", "stages-count", "variants", "variants-raw", "variants-relative",
    "ladder", "phases", "emergence",
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("simulated")
    write_simulations(made, seed=0)
    write_json(made / "results.json", {"provenance": {"data": "scenes"}})
    build_page(made)
    return made


def test_every_picture_is_there_with_its_statement(folder: Path) -> None:
    page = Page(folder / "index.html")
    text = page.section("simulator")
    figures = [each["id"] for each in page.all("figure") if each["id"].startswith("figure-simulated")]
    assert figures == [f"figure-simulated-{name}" for name in FIGURES]
    assert {f"simulated-{name}.svg" for name in FIGURES} == {f.name for f in (folder / "figures").iterdir()}
    for statement in (
        "cluster_cubic : softmax attention: d′ ≤ tanh(β d D / 4) D",
        "separation : s′ ≥",
        "residual : for Z′ = Z + A Z W",
        "value_matrix : for Z′ = A Z W",
        "sharp : d′ ≤ (1 − x u ) d + (x u − x l ) D",
        "certificate : the cluster is certain to shrink iff",
        "equiangular tokens",
    ):
        assert statement in text, statement
    assert "no violation" in text
    assert "none was broken" in text


def test_numbers_in_words_are_those_of_the_records(folder: Path) -> None:
    text = Page(folder / "index.html").section("simulator")
    checks = read_table(folder, "simulated_checks").to_pylist()
    assert f"{sum(row['checked'] for row in checks):,} times" in text
    composed = [row for row in checks if (row["experiment"], row["form"]) == ("ladder", "composed")]
    assert f"Of {sum(row['checked'] for row in composed):,} promises" in text
    (at,) = [
        row["median"]
        for row in read_table(folder, "simulated_curves").to_pylist()
        if (row["experiment"], row["series"], row["level"]) == ("ladder", "measured", 4)
    ]
    assert f"at level 4, {at:.3f} measured" in text


def test_violations_are_told(folder: Path, tmp_path: Path) -> None:
    rows = read_table(folder, "simulated_checks").to_pylist()
    page = changed(folder, tmp_path, "simulated_checks", [rows[0] | {"violations": 3}, *rows[1:]])
    assert "✗ 3 violations." in page.section("simulator")


@pytest.mark.parametrize(
    ("table", "gone"),
    [
        ("simulated_tokens", ("stages", "variants")),
        ("simulated_phases", ("phases",)),
        ("simulated_checks", ()),
    ],
)
def test_what_was_not_simulated_is_absent(folder: Path, tmp_path: Path, table: str, gone: tuple) -> None:
    page = changed(folder, tmp_path, table, None)
    figures = [each["id"] for each in page.all("figure")]
    assert [name for name in FIGURES if f"figure-simulated-{name}" not in figures] == [
        name for name in FIGURES if name.startswith(gone or ("?",))
    ]


def test_without_any_simulation_there_is_no_section(tmp_path: Path) -> None:
    write_json(tmp_path / "results.json", {"provenance": {"data": "scenes"}})
    page = Page(build_page(tmp_path))
    assert "simulator" not in [each.get("id") for each in page.all("section")]
    assert "#simulator" not in [each.get("href") for each in page.all("a")]


def test_the_same_records_give_the_same_bytes(folder: Path) -> None:
    before = (folder / "index.html").read_bytes()
    assert build_page(folder).read_bytes() == before
    assert len(before) < 800_000


def changed(folder: Path, target: Path, table: str, rows: list[dict[str, Any]] | None) -> Any:
    for file in folder.glob("simulated_*.parquet"):
        (target / file.name).write_bytes(file.read_bytes())
    (target / f"{table}.parquet").unlink()
    if rows is not None:
        write_table(target, table, to_table(table, rows))
    write_json(target / "results.json", {"provenance": {"data": "scenes"}})
    return Page(build_page(target))
