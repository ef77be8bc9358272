"""The findings of the opening card say what the intervals allow, and no more."""

from __future__ import annotations

from typing import Any

import pytest

from attnclust.report._claims import ledger
from attnclust.report._figures import Gallery
from attnclust.report._inside import inside
from attnclust.report._opening import Opening, opening
from attnclust.report._study import Study


def card(**results: Any) -> Opening:
    study = Study(results, {})
    return opening(study, inside(study, Gallery()), ledger(study))


def curve(*mean: float | None, width: float = 0.125) -> dict[str, Any]:
    def off(by: float) -> list[float | None]:
        return [None if number is None else number + by for number in mean]

    return {"mean": list(mean), "ci_low": off(-width), "ci_high": off(width), "n": 11}


def clean(**metrics: Any) -> dict[str, Any]:
    return {"clean": metrics}


def steps(shrinks: list[float | None], **certified: list[float | None]) -> dict[str, Any]:
    return {"steps": {"per_head": {"shrinks": shrinks, "certified": certified, "n": 24}}}


@pytest.mark.parametrize(
    ("mean", "finding"),
    [
        ((0.25, 0.75), "Purity rises from 0.25 [0.12, 0.38] at level 0 to 0.75 [0.62, 0.88] at level 1."),
        ((0.75, 0.25), "Purity falls from 0.75 [0.62, 0.88] at level 0 to 0.25 [0.12, 0.38] at level 1."),
        (
            (0.5, 0.625),
            "Purity is 0.50 [0.38, 0.62] at level 0 and 0.62 [0.50, 0.75] at level 1: the intervals overlap, "
            "so no change is shown.",
        ),
        (
            (0.25, 0.875, 0.75),
            "Purity rises from 0.25 [0.12, 0.38] at level 0 to 0.75 [0.62, 0.88] at level 2. Its highest "
            "mean is 0.88, at level 1.",
        ),
    ],
)
def test_a_change_is_claimed_only_where_intervals_are_apart(mean: tuple[float, ...], finding: str) -> None:
    assert card(metrics=clean(purity=curve(*mean))).findings == [finding]


@pytest.mark.parametrize("mean", [(None, 0.75), (0.25, None)])
def test_no_change_is_claimed_from_a_gap(mean: tuple[float | None, ...]) -> None:
    assert card(metrics=clean(purity=curve(*mean))).findings == []


@pytest.mark.parametrize(
    ("mine", "twins", "words"),
    [
        (0.75, 0.25, "the model is above its random twin in purity"),
        (0.25, 0.75, "the model is below its random twin in purity"),
        (0.5, 0.625, "the model is not told apart from its random twin in purity"),
    ],
)
def test_the_model_is_compared_with_its_twin_at_the_last_level(mine: float, twins: float, words: str) -> None:
    found = card(
        metrics=clean(purity=curve(0.0, mine)),
        random_twin={"metrics": clean(purity=curve(mine, twins))},
    ).findings
    assert words in found[0]


def test_shares_are_means_over_blocks_and_the_better_bound_of_the_paper_counts() -> None:
    found = card(
        layers=steps([1.0, 0.75], paper_main=[0.0, 0.0], paper_appendix=[0.0, 0.5], sharp=[0.5, 0.25]),
        random_twin={"layers": steps([0.25, 0.25])},
    )
    assert found.findings == [
        "Clusters shrink in 88 % of steps (one head on its values; 24 steps); the paper's own bounds certify "
        "25 % of them and the sharp bound 38 %. In the random twin 25 % shrink."
    ]
    assert [(tile.value, tile.alarm) for tile in found.tiles] == [
        ("88 %", False),
        ("25 %", False),
        ("38 %", False),
    ]


@pytest.mark.parametrize(("selected", "words"), [(9, "Only 9 images"), (10, ""), (1, "Only 1 image passed")])
def test_few_images_are_called_few(selected: int, words: str) -> None:
    caution = card(images={"clean": {"seen": 40, "selected": selected, "reasons": {}}}).caution
    assert words in caution
    assert bool(words) == bool(caution)


def test_at_most_five_findings_and_the_weightiest_are_kept() -> None:
    kinds = ("raw_diameter", "relative_diameter", "angular_diameter")
    heads = {"shrinks": [1.0], "certified": {"sharp": [0.5]}, "violations": {"sharp": 2}, "n": 4}
    found = card(
        metrics=clean(purity=curve(0.0, 0.75), silhouette=curve(0.0, 0.5)),
        random_twin={"metrics": clean(purity=curve(0.0, 0.25))},
        layers={"levels": {kind: curve(1.0, 0.5) for kind in kinds}, "steps": {"per_head": heads}},
    ).findings
    assert len(found) == 5
    assert "violat" in found[0]
    assert not any("silhouette rises" in finding for finding in found)
