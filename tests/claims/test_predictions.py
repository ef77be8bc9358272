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
