"""Claim 21 on planted predictions."""

from __future__ import annotations

import pytest

from .planted import IMAGES, predictions, verdicts


@pytest.mark.parametrize(("kept", "verdict"), [(27, "supported"), (2, "contradicted"), (14, "undecided")])
def test_verdicts(kept: int, verdict: str):
    clean = predictions("clean", range(IMAGES))
    other = predictions("random-0.4", [image if image < kept else 999 for image in range(IMAGES)])
    claims = verdicts(predicted=[clean, other[::-1]])
    claim = claims["21.random-0.4"]
    assert (claim.verdict, claim.value, claim.n) == (verdict, pytest.approx(kept / IMAGES), IMAGES)


def test_every_condition_has_its_row_and_only_shared_images_count():
    claims = verdicts(
        predicted=[
            predictions("clean", range(IMAGES)),
            predictions("shuffle-2", range(IMAGES)),
            predictions("shuffle-8", range(1, 12)),
        ]
    )
    assert [claim.id for claim in claims.values() if claim.claim == 21] == [
        "21",
        "21.variety",
        "21.shuffle-2",
        "21.shuffle-8",
    ]
    assert (claims["21.shuffle-8"].n, claims["21.shuffle-8"].value) == (11, 0)


@pytest.mark.parametrize("condition", ["clean", "shuffle-2"])
def test_not_measured(condition: str):
    assert verdicts(predicted=[predictions(condition, range(IMAGES))])["21"].verdict == "not measured"
    assert verdicts()["21"].verdict == "not measured"


def test_images_apart():
    clean = predictions("clean", range(4))
    apart = [row | {"image": f"other {row['image']}"} for row in predictions("shuffle-2", range(4))]
    claim = verdicts(predicted=[clean, apart])["21.shuffle-2"]
    assert claim.verdict == "not measured"
    assert "no image has a prediction under clean and shuffle-2" in claim.sentence


def test_a_model_that_always_names_one_class_agrees_with_itself_and_is_told_so():
    same = [predictions("clean", [7] * IMAGES), predictions("shuffle-2", [7] * IMAGES)]
    claims = verdicts(predicted=same)
    assert (claims["21"].verdict, claims["21.variety"].verdict) == ("supported", "contradicted")
    assert (claims["21.variety"].role, claims["21.variety"].value) == ("beside", 0)


def test_variety_is_the_chance_of_another_class():
    """Ten of one class, nineteen of another: 2 x 10 x 19 of 29 x 28 ordered pairs differ."""
    mixed = [7] * 10 + [8] * 19
    claim = verdicts(predicted=[predictions("clean", mixed), predictions("shuffle-2", mixed)])["21.variety"]
    assert claim.value == pytest.approx(2 * 10 * 19 / (29 * 28))


def test_the_claim_is_all_conditions():
    clean = predictions("clean", range(IMAGES))
    lost = predictions("shuffle-8", [999] * IMAGES)
    claims = verdicts(predicted=[clean, predictions("shuffle-2", range(IMAGES)), lost])
    assert (claims["21"].verdict, claims["21.shuffle-2"].verdict) == ("contradicted", "supported")
