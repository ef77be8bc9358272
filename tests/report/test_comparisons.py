"""Tables of comparisons: each number of the records in its place, and nothing where nothing was measured."""

from __future__ import annotations

from attnclust.data import ALL_CONDITIONS
from attnclust.records import to_table
from attnclust.report._behaviour import behaviour
from attnclust.report._comparisons import PAPER_COUNTS, contested, controls, notes, protocols, survivors
from attnclust.report._figures import Gallery
from attnclust.report._study import Study


def curve(mean: list[float], n: int) -> dict:
    return {"mean": mean, "ci_low": [m - 0.125 for m in mean], "ci_high": [m + 0.125 for m in mean], "n": n}


def study(year: str = "VOC2009", common: int = 5, **changes) -> Study:
    share = {"mean": 0.75, "ci_low": 0.5, "ci_high": 1.0, "n": 7}
    metrics = {
        "clean": {"purity": curve([0.25, 0.5], 9)},
        "random-0.8": {"purity": curve([0.375, 0.625], common + 2)},
    }
    results = {
        "provenance": {"settings": {"data": {"kind": "voc", "year": year}}},
        "images": {
            "clean": {"seen": 11, "selected": 9, "reasons": {"too few objects": 2}},
            "random-0.8": {"seen": 11, "selected": 7, "reasons": {}},
        },
        "agreement": {"model": {"random-0.8": share}},
        "metrics": metrics,
        "common": {
            "all": {
                "conditions": ["clean", "random-0.8"],
                "n": common,
                "metrics": {"clean": {"purity": curve([0.75, 0.875], common)}},
            }
        },
        "controls": {"raw_pixels": {"clean": {"purity": curve([0.3125], 9)}}},
        "protocols": {
            "differences": [
                {
                    "metric": "purity",
                    "difference": "<b>all</b>",
                    "from": "official",
                    "to": "paper",
                    "before": 0.5,
                }
                | {"after": 0.25, "mean": -0.25, "ci_low": -0.5, "ci_high": -0.125, "n": 9}
            ]
        },
        "notes": {"converted": {"n": 31, "first": ["a: its picture is L, and was converted to RGB"]}},
    }
    return Study(results | changes, {})


def test_survivors_stand_beside_the_papers_where_voc_2009_was_measured():
    table = survivors(study())
    assert table is not None
    row = dict(zip(table.head, table.rows[1], strict=True))
    assert row["the paper's images"] == "177"
    assert row["selected"] == "7"
    assert row["top 1 as on the clean image"] == "0.75 [0.50, 1.00]"
    assert dict(zip(table.head, table.rows[0], strict=True))["why the others are out"] == "too few objects: 2"
    elsewhere = survivors(study("VOC2007"))
    assert elsewhere is not None
    assert "the paper's images" not in elsewhere.head
    assert survivors(study(images={})) is None


def test_the_papers_counts_are_of_conditions_that_there_are():
    assert set(PAPER_COUNTS) < set(ALL_CONDITIONS)
    assert sorted(PAPER_COUNTS.values()) == sorted([530] * 5 + [494, 438, 337, 177] + [494, 441, 355, 194])


def test_each_difference_between_protocols_is_a_row():
    table = protocols(study())
    assert table is not None
    assert table.rows == [
        ["purity", "<b>all</b>", "official", "paper", "0.50", "0.25", "−0.250 [−0.500, −0.125]", "9"]
    ]
    assert protocols(study(protocols={})) is None


def test_controls_stand_beside_the_model():
    table = controls(study())
    assert table is not None
    assert table.rows == [
        ["purity", "0.25 [0.12, 0.38]", "0.50 [0.38, 0.62]", "0.31 [0.19, 0.44]", "–"],
    ]
    assert controls(study(controls={})) is None


def test_notes_count_and_name():
    assert notes(study()) == [("31 pictures not in RGB", ["a: its picture is L, and was converted to RGB"])]
    assert notes(study(notes={})) == []


def test_contested_patches_are_counted_on_selected_clean_images():
    row = {"image": "a", "condition": "clean", "selected": True, "reason": None, "readable": True}
    row |= {"objects": 2, "patches": 50, "contested": 3}
    others = [row | {"condition": "shuffle-2"}, row | {"selected": False}]
    told = contested(Study({}, {"images": to_table("images", [row, *others])}))
    assert "in 3 of 50 object patches" in told
    assert contested(Study({}, {})) == ""


def test_curves_on_common_images_are_drawn_where_they_are_others():
    section = behaviour(study(), Gallery())
    assert section is not None
    figure = section.groups[0][1][0]
    assert "common n = 5" in figure.alt
    assert "0.88" in figure.alt or any(
        "0.88" in cell or "0.875" in cell for r in figure.table.rows for cell in r
    )
    same = study()
    same.results["images"]["random-0.8"]["selected"] = 9
    same.results["metrics"]["random-0.8"]["purity"]["n"] = same.results["common"]["all"]["n"] = 9
    again = behaviour(same, Gallery())
    assert again is not None
    assert "common" not in again.groups[0][1][0].alt
