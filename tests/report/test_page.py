from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attnclust._array import ArgumentError
from attnclust.plots import ROLES, diverging_colours
from attnclust.records import write_json
from attnclust.report import build_page

from .conftest import FAMILIES, seventeen, write_study
from .reading import Page, csv_of

Study = Callable[..., Path]


def read(folder: Path) -> Page:
    return Page(build_page(folder))


def test_planted_numbers_stand_where_they_belong(whole: Path) -> None:
    page = Page(whole / "index.html")
    opening = page.section("opening")
    for words in (
        "attnclust_student on procedural scenes",
        "Clusters shrink in 99.9 % of steps (one head on its values; 5,021 steps)",
        "the paper's own bounds certify 0 % of them, the sharp bound 14 % and cluster Dobrushin 75 %",
        "In the random twin 99.9 % shrink",
        "4.70-fold raw, 0.62-fold relative to all tokens and 0.58-fold as an angle",
        "Purity rises from 0.43 [0.39, 0.47] at level 0 to 0.74 [0.70, 0.78] at level 12",
        "above its random twin in purity (0.74 [0.70, 0.78] against 0.39 [0.35, 0.43])",
        "2 supported, 1 contradicted, 1 undecided and 1 not measured",
        "32 selected of 47 seen, 1 skipped",
        "distilled from a trained ViT",
        "2026-11-21",
    ):
        assert words in opening
    assert "d′ ≤ (1 − x u ) d + (x u − x l ) D" in page.section("theory")
    assert "12,345" in page.section("theory")
    inside = page.section("inside")
    for words in (
        "No violation",
        "5,021 steps (one head on its values) and 1,674 steps (simplified layer)",
        "15.09 [14.34, 15.84]",  # raw diameter at the last level
        "47.25 [44.89, 49.61]",  # and as an angle
        "cluster_dobrushin 59.8 ",  # certified in block 1, per cent
        "model, one head on its values 11.875 ",  # m eps_upper in block 1
    ):
        assert words in inside
    behaviour = page.section("behaviour")
    for words in ("0.74 [0.70, 0.78]", "n = 19 to 32 images", "clean (n = 32)", "salient-0.4 (n = 19)"):
        assert words in behaviour
    claims = page.section("claims")
    for words in (
        "✓ supported",
        "✗ contradicted",
        "? undecided",
        "0.812 [0.710, 0.890]",
        "Sentence of claim 8.",
    ):
        assert words in claims
    methods = page.section("methods")
    for words in (
        "python -m attnclust.report --model attnclust_student --data scenes",
        "--limit 32 --device cpu --seed 7",
        "2007_000042 mask is 10 x 20, image 20 x 10",
        "5eed" * 16,
        "versions · torch 2.15.0",
    ):
        assert words in methods


def test_numbers_behind_a_figure_are_complete(whole: Path) -> None:
    page = Page(whole / "index.html")
    lines = csv_of(page, "purity.csv")
    assert lines[0] == "curve,level,mean,ci_low,ci_high"
    assert len(lines) == 1 + 2 * 6 * 13 + 3 * 12  # with the authors' curves
    label, level, *numbers = lines[13].split(",")
    assert (label, level) == ("clean (n = 32) (model)", "12")
    assert np.allclose([float(n) for n in numbers], [0.7351, 0.6951, 0.7751])


def test_only_the_records_are_shown(study: Study) -> None:
    def strip(summary: dict[str, Any]) -> None:
        for key in ("theory", "layers", "metrics", "random_twin", "images", "claims", "skipped"):
            del summary[key]

    folder = study(strip, tables=())
    page = read(folder)
    assert [a["id"] for a in page.all("section")] == ["theory", "methods"]
    assert "worst ratio" not in page.text
    assert not page.all("svg")
    assert {a["href"].lstrip("#") for a in page.all("a") if a["href"].startswith("#")} == {
        "contents",
        "opening",
        "theory",
        "methods",
    }
    assert not list((folder / "figures").iterdir())


@pytest.mark.parametrize(
    "missing", ["layers", "metrics", "images", "claims", "theory", "provenance", "skipped"]
)
def test_any_part_may_be_absent(study: Study, missing: str) -> None:
    def remove(summary: dict[str, Any]) -> None:
        del summary[missing]
        summary["random_twin"].pop(missing, None)

    page = read(study(remove, tables=("views", "pictures")))
    present = {a["id"] for a in page.all("section")}
    assert ("inside" in present) is (missing != "layers")
    assert ("behaviour" in present) is (missing != "metrics")
    assert "claims" not in present
    assert "neurons" in present
    assert "None" not in page.text
    assert "nan" not in page.text.split()


@pytest.mark.parametrize("table", ["views", "pictures"])
def test_half_of_the_views_is_none(study: Study, table: str) -> None:
    assert "neurons" not in [a["id"] for a in read(study(tables=(table,))).all("section")]


@pytest.mark.parametrize("twin", [None, {}])
def test_without_a_twin_nothing_speaks_of_one(study: Study, twin: dict[str, Any] | None) -> None:
    def random_weights(summary: dict[str, Any]) -> None:
        summary["random_twin"] = twin
        summary["provenance"]["model"]["weights"] = "random"
        summary["provenance"]["settings"]["weights"] = "random"

    page = read(study(random_weights, tables=("views", "pictures")))
    assert "twin" not in page.text
    assert "random: an untrained model" in page.section("opening")
    assert "--random-weights" in page.section("methods")


def test_claims_come_from_the_summary_where_there_is_no_table(study: Study) -> None:
    entry = {
        "id": "4",
        "statement": "Purity rises.",
        "verdict": "supported",
        "statistic": 0.8127,
        "ci": [0.7, 0.9],
        "n": 31,
    }
    page = read(study(lambda summary: summary.update(claims=[entry]), tables=()))
    assert "✓ supported 4 Purity rises. 0.813 [0.700, 0.900] 31" in page.section("claims")


def test_a_violation_is_seen_at_once(study: Study) -> None:
    def violate(summary: dict[str, Any]) -> None:
        summary["layers"]["steps"]["per_head"]["violations"]["sharp"] = 3

    page = read(study(violate))
    assert "A bound is violated 3 times" in page.section("opening")
    assert "No violation" not in page.text
    assert "✗ 3" in page.section("inside")
    assert any(a.get("class") == "alarm" for a in page.all("li"))
    assert any(a.get("class") == "bad" for a in page.all("td"))


def test_missing_numbers_are_gaps_not_zeros(study: Study) -> None:
    def gap(summary: dict[str, Any]) -> None:
        summary["metrics"]["clean"]["purity"] = {
            "mean": [None, 0.5] + [0.6] * 11,
            "ci_low": [None, 0.4] + [0.5] * 11,
            "ci_high": [None, 0.6] + [0.7] * 11,
            "n": 5,
        }

    page = read(study(gap))
    lines = [line for line in csv_of(page, "purity.csv") if line.startswith("clean (n = 5)")]
    assert lines[0] == "clean (n = 5) (model),0,,,"
    assert "Purity rises" not in page.section("opening")
    assert not re.search(r"\bnan\b", re.sub(r'"data:[^"]*"', "", page.source))


def test_the_same_records_give_the_same_bytes(whole: Path, tmp_path: Path) -> None:
    second = write_study(tmp_path / "elsewhere")
    build_page(second)
    made = [path for path in whole.rglob("*") if path.suffix in (".html", ".svg", ".png")]
    assert len(made) == 1 + 15 + 4
    for path in made:
        assert (second / path.relative_to(whole)).read_bytes() == path.read_bytes()


def test_no_script_no_address_and_few_bytes(whole: Path) -> None:
    page = Page(whole / "index.html")
    assert not page.all("script")
    assert not re.search(r"https?:|@import|url\((?!#)", page.source)
    for _, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href"):
            if name in attributes:
                assert attributes[name].startswith(("#", "data:"))
    assert sum(path.stat().st_size for path in whole.rglob("*") if path.suffix != ".parquet") < 2_000_000


def test_elements_are_balanced_and_ids_are_unique(whole: Path) -> None:
    page = Page(whole / "index.html")
    assert page.unbalanced == []
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    referred = re.findall(r'(?:href="#|url\(#)([^")]+)', page.source)
    assert set(referred) <= set(ids)


def test_every_figure_speaks(whole: Path) -> None:
    page = Page(whole / "index.html")
    assert len(page.all("svg")) == 3 + 3 + 2 + 7
    for picture in page.all("svg"):
        assert picture["role"] == "img"
        assert len(picture["aria-label"]) > 40
    assert (
        "Purity. clean (n = 32) (model): 0.43 at level 0, 0.74 at level 12"
        in page.all("svg")[8]["aria-label"]
    )
    assert page.all("img")
    for picture in page.all("img"):
        assert picture["alt"]
    assert "Filter of neuron 4" in [picture["alt"] for picture in page.all("img")]


def test_headings_descend_one_level_at_a_time(whole: Path) -> None:
    levels = [int(tag[1]) for tag, _ in Page(whole / "index.html").elements if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_figures_lie_beside_the_page_and_stale_ones_go(study: Study) -> None:
    folder = study()
    build_page(folder)
    (folder / "figures" / "notes.txt").write_text("mine")
    (folder / "figures" / "of-another-day.svg").write_text("<svg/>")
    build_page(folder)
    names = {path.name for path in (folder / "figures").iterdir()}
    assert {"purity.svg", "certified-per_head.svg", "views-attention.png", "notes.txt"} <= names
    assert "of-another-day.svg" not in names
    assert not [name for name in names if name.endswith(".partial")]


def test_seventeen_conditions_are_split_by_family(study: Study) -> None:
    page = read(study(seventeen, tables=()))
    assert len([a for a in page.all("svg") if a["aria-label"].startswith("Purity")]) == len(FAMILIES)
    for family in FAMILIES:
        assert f"Conditions {family}" in page.section("behaviour")
        assert f"Purity, {family} " in page.section("behaviour")
    assert len(page.source) < 3_000_000


def test_a_folder_without_records_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"results\.json"):
        build_page(tmp_path)


def test_colours_of_figures_are_defined_for_light_and_dark() -> None:
    style = files("attnclust.report").joinpath("templates", "style.css").read_text("utf-8")
    for role, colour in ROLES.items():
        assert len(re.findall(rf"--fig-{role}: #", style)) == 2
        assert f"--fig-{role}: {colour}" in style
    ramp = re.search(r"linear-gradient\(90deg, ([^)]*)\)", style)
    assert ramp
    colours = ramp[1].split(", ")
    palette = diverging_colours().astype(int)
    for place, colour in enumerate(colours):
        rgb = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
        assert np.abs(palette[round(254 * place / (len(colours) - 1))] - rgb).max() <= 2


def test_the_page_needs_no_torch(study: Study) -> None:
    folder = study()
    code = (
        "import sys; sys.modules['torch'] = None; sys.modules['timm'] = None\n"
        "from pathlib import Path; from attnclust.report import build_page\n"
        f"print(build_page(Path({str(folder)!r})).name)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "index.html\n", done.stderr


def test_an_interrupted_write_leaves_the_old_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path
    write_json(folder / "results.json", {})
    before = build_page(folder).read_bytes()

    def refuse(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("os.replace", refuse)
    with pytest.raises(OSError, match="no space left"):
        build_page(folder)
    assert (folder / "index.html").read_bytes() == before
