"""Claims 10 to 13 and 21 as wholes: planted records that support them, contradict them, leave them undecided.

Claims 1 to 3, 4 to 8, 9, 14, 18 and 22 have the same in the files of their parts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from .planted import IMAGES, LEVELS, Rows, curves, either, predictions, trend, verdicts

METRICS = ("purity", "silhouette", "in_cluster_cosine", "in_object_cosine", "unique_label_ratio")
UP = trend(0.02)
MIXED = either(0.5, -0.1, 0.1)
EARLY, MIDDLE, LATE = (
    np.minimum(np.arange(LEVELS) / steps, 1) + np.zeros((IMAGES, 1)) for steps in (4, 8, 12)
)
CLEAN = [curves(metric, UP) for metric in METRICS]


def shuffled(near: Any, hurt: Any) -> list[Rows]:
    return CLEAN + [
        curves(metric, UP + change, condition=condition)
        for metric in METRICS
        for condition, change in (("shuffle-2", near), ("shuffle-8", hurt))
    ]


def random_drop(last: Any, separation: Any) -> list[Rows]:
    under = [
        curves(metric, UP + change, condition=condition)
        for metric in METRICS
        for condition, change in (("random-0.4", -0.1), ("random-0.8", last))
    ]
    apart = trend(0.0, start=0.0) + separation
    return [*CLEAN, *under, curves("object_background_silhouette", apart, condition="random-0.8")]


def salient_drop(purity: Any, ratio: Any) -> list[Rows]:
    condition = "salient-0.4"
    return [
        *CLEAN,
        curves("purity", UP + purity, condition=condition),
        curves("in_object_cosine", UP - 0.2, condition=condition),
        curves("unique_label_ratio", UP + ratio, condition=condition),
    ]


def non_salient_drop(ratio: Any, separates: np.ndarray) -> list[Rows]:
    condition = "non-salient-1.0"
    changes = dict.fromkeys(METRICS, 0.0) | {"unique_label_ratio": ratio}
    return [
        *CLEAN,
        *(curves(metric, UP + change, condition=condition) for metric, change in changes.items()),
        curves("object_silhouette", MIDDLE),
        curves("object_silhouette", separates, condition=condition),
    ]


CASES: list[tuple[str, Callable[..., list[Rows]], tuple[Any, ...], str]] = [
    ("10", shuffled, (-0.01, -0.2), "supported"),
    ("10", shuffled, (-0.2, -0.2), "contradicted"),
    ("10", shuffled, (-0.01, -0.01), "contradicted"),
    ("10", shuffled, (either(0.5, 0.0, -0.1), -0.2), "undecided"),
    ("11", random_drop, (-0.2, 0.0), "supported"),
    ("11", random_drop, (-0.2, 0.3), "contradicted"),
    ("11", random_drop, (0.3, 0.0), "contradicted"),
    ("11", random_drop, (-0.2, 5 * MIXED), "undecided"),
    ("12", salient_drop, (-0.1, -0.01), "supported"),
    ("12", salient_drop, (0.1, -0.01), "contradicted"),
    ("12", salient_drop, (-0.1, -0.2), "contradicted"),
    ("12", salient_drop, (MIXED, -0.01), "undecided"),
    ("13", non_salient_drop, (0.1, EARLY), "supported"),
    ("13", non_salient_drop, (-0.1, EARLY), "contradicted"),
    ("13", non_salient_drop, (0.1, LATE), "contradicted"),
    ("13", non_salient_drop, (0.1, either(0.5, EARLY, LATE)), "undecided"),
]


@pytest.mark.parametrize(("number", "make", "changes", "verdict"), CASES)
def test_metrics(number: str, make: Callable[..., list[Rows]], changes: tuple[Any, ...], verdict: str):
    claims = verdicts(make(*changes))
    assert claims[number].verdict == verdict
    assert {claims[other].verdict for other in ("9", "14", "22")} == {"not measured"}


@pytest.mark.parametrize(("kept", "verdict"), [(27, "supported"), (2, "contradicted"), (15, "undecided")])
def test_predictions(kept: int, verdict: str):
    clean = predictions("clean", range(IMAGES))
    held = predictions("shuffle-2", range(IMAGES))
    lost = predictions("salient-0.8", [image if image < kept else 999 for image in range(IMAGES)])
    assert verdicts(predicted=[clean, held, lost])["21"].verdict == verdict
