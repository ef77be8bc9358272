"""Claim 21: the model's top-1 class survives every condition."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ._evidence import MAJORITY, Evidence, Sampled
from ._tables import Records, read_predictions


def robustness(records: Records) -> Iterator[Evidence]:
    """Claim 21, a part a condition: the prediction is that of the clean image, for most images."""
    conditions, top1 = read_predictions(records.table("predictions"))
    others = [name for name in conditions if name != "clean"]
    if "clean" not in conditions or not others:
        yield _agreement("", np.empty(0), "the records hold no predictions under clean and another condition")
        return
    clean = top1[conditions.index("clean")]
    yield _variety(clean[clean >= 0])
    for name in others:
        condition = top1[conditions.index(name)]
        both = (clean >= 0) & (condition >= 0)
        agrees = (clean == condition)[both].astype(np.float64)
        yield _agreement(name, agrees, f"no image has a prediction under clean and {name}")


def _variety(top1: np.ndarray) -> Sampled:
    """Beside: a model that always names one class agrees with itself, and shows nothing by it."""
    _, place, counts = np.unique(top1, return_inverse=True, return_counts=True)
    return Sampled(
        id="21.variety",
        claim=21,
        statement="The clean predictions vary, so that agreement with them means something.",
        statistic="The chance that another clean image, drawn at random, has another predicted class",
        values=1 - (counts[place] - 1) / max(top1.size - 1, 1),
        low=MAJORITY,
        absent="no image has a clean prediction",
        primary=False,
    )


def _agreement(condition: str, agrees: np.ndarray, absent: str) -> Sampled:
    return Sampled(
        id=f"21.{condition}" if condition else "21",
        claim=21,
        statement=f"The prediction survives {condition or 'every condition'}: top-1 stays the clean image's.",
        statistic=f"Top-1 agreement of {condition or 'every condition'} with clean",
        values=agrees,
        low=MAJORITY,
        absent=absent,
    )
