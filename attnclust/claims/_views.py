"""Claims 15, 16, 17, 19 and 20: what views show, and which objects filters answer to.

Each claim on views rests on the roll-out of the paper's text (parts ``attention``); the same with the
residual path (parts ``residual``) stands beside it. Level 0 takes no part: a view shows its own patch alone
there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
from jaxtyping import Float

from ._evidence import MAJORITY, MARGIN, Evidence, Sampled
from ._tables import Curves, Records, complete, read_filters, trends

FORMS = {"attention": "", "residual": "_residual"}
"""Part of a claim -> suffix of its metrics."""

ANSWERS = 0.5
"""A filter answers to an object if |2 AUC - 1| against the background reaches this: an AUC of 3/4, or 1/4."""


def likeness(records: Records) -> Iterator[Evidence]:
    """Claim 15: views of two patches on one object are more alike than views across."""
    curves = records.curves
    for part, suffix in FORMS.items():
        same, elsewhere = f"view_same_object_cosine{suffix}", f"view_elsewhere_cosine{suffix}"
        yield Sampled(
            id=f"15.{part}",
            primary=not suffix,
            claim=15,
            statement=f"Views of patches on one object are more alike than views across{_with(part)}.",
            statistic=f"The cosine of views on one object less that across{_with(part)}, mean over levels",
            values=_mean(_above(curves, same) - _above(curves, elsewhere)),
            low=0,
            absent=_absent(curves, same, "clean"),
        )


def objects(records: Records) -> Iterator[Evidence]:
    """Claim 16: the class token's view concentrates on objects; foreground views hold more, rising."""
    curves = records.curves
    for part, suffix in FORMS.items():
        lift = {who: f"view_lift_{who}{suffix}" for who in ("class", "foreground", "background")}
        high = _above(curves, lift["class"])
        # The upper third of the levels.
        high = high[:, high.shape[1] - high.shape[1] // 3 :]
        yield Sampled(
            id=f"16.class.{part}",
            primary=not suffix,
            claim=16,
            statement=f"The class token's view at high levels concentrates on objects{_with(part)}.",
            statistic=(
                "The share of the class token's view on object patches less their share of the image"
                f"{_with(part)} (mean over the upper third of levels)"
            ),
            values=_mean(high),
            low=0,
            absent=_absent(curves, lift["class"], "clean"),
        )
        foreground = _above(curves, lift["foreground"])
        yield Sampled(
            id=f"16.foreground.{part}",
            primary=not suffix,
            claim=16,
            statement=f"Views of object patches show more of the objects than background views{_with(part)}.",
            statistic=(
                "The share on object patches of object patches' views less that of background views"
                f"{_with(part)} (mean over levels 1..L)"
            ),
            values=_mean(foreground - _above(curves, lift["background"])),
            low=0,
            absent=_absent(curves, lift["background"], "clean"),
        )
        yield Sampled(
            id=f"16.depth.{part}",
            primary=not suffix,
            claim=16,
            statement=f"What object patches' views show of the objects strengthens with depth{_with(part)}.",
            statistic=(
                "Spearman's rho against the level (1..L) of the share on object patches of their views"
                f"{_with(part)}"
            ),
            values=complete(trends(foreground, np.arange(foreground.shape[1]))),
            low=0,
            absent=_absent(curves, lift["foreground"], "clean"),
        )


def occlusion(records: Records) -> Iterator[Evidence]:
    """Claim 17: salient drop retains little of the objects in views, random much, non-salient nearly all.

    The paper names no ratio: the claim rests on the measured one nearest to one half, others stand beside.
    """
    curves = records.curves
    claimed = {
        "salient": ("little: less than half", -np.inf, MAJORITY),
        "random": ("much: more than half", MAJORITY, np.inf),
        "non-salient": (f"nearly all: more than {1 - MARGIN:g}", 1 - MARGIN, np.inf),
    }
    for part, suffix in FORMS.items():
        metric = f"view_retained{suffix}"
        for drop, (words, low, high) in claimed.items():
            conditions = sorted(_conditions(curves, drop), key=_from_half)
            for place, condition in enumerate(conditions or [drop]):
                yield Sampled(
                    id=f"17.{condition}.{part}",
                    primary=not suffix and not place,
                    claim=17,
                    statement=f"The class token's view under {condition} drop retains {words} of the "
                    f"objects{_with(part)}.",
                    statistic=(
                        f"The part of the objects in the clean view that is still shown under {condition}"
                        f"{_with(part)} (mean over levels 1..L)"
                    ),
                    values=_mean(_above(curves, metric, condition)),
                    low=low,
                    high=high,
                    absent=_absent(curves, metric, condition)
                    if conditions
                    else f"the records hold no condition of {drop} drop",
                )
        for place, ratio in enumerate(_shared_ratios(curves, "salient", "random")):
            salient, random = (_above(curves, metric, f"{drop}-{ratio}") for drop in ("salient", "random"))
            yield Sampled(
                id=f"17.order.{ratio}.{part}",
                primary=not suffix and not place,
                claim=17,
                statement=f"Salient drop retains less of the objects than random drop at r = {ratio}"
                f"{_with(part)}.",
                statistic=f"What salient drop retains less what random drop does, r = {ratio}{_with(part)}",
                values=_mean(salient - random),
                high=0,
                absent=_absent(curves, metric, f"salient-{ratio}", f"random-{ratio}"),
            )


def position(records: Records) -> Iterator[Evidence]:
    """Claim 19: position can be read from tokens and from views, at every level."""
    curves = records.curves
    metrics = {"tokens": ("tokens", "position_r2_tokens")} | {
        f"views.{part}": (f"views{_with(part)}", f"position_r2_views{suffix}")
        for part, suffix in FORMS.items()
    }
    for part, (words, metric) in metrics.items():
        worst = _above(curves, metric)
        yield Sampled(
            id=f"19.{part}",
            claim=19,
            statement=f"Position is retained in {words} at every level: more than half its variance.",
            statistic=f"The cross-validated R^2 of patch coordinates from {words}, least over levels",
            values=complete(worst.min(axis=1)) if worst.shape[1] else np.empty(0),
            low=MAJORITY,
            absent=_absent(curves, metric, "clean"),
            primary=part != "views.residual",
        )


def filter_sets(records: Records) -> Iterator[Evidence]:
    """Claim 20: one filter answers to many object types, and filters complement each other.

    On images with objects of two classes or more. A filter's set are the classes of the image that it answers
    to (:data:`ANSWERS`).
    """
    sets = [_class_sets(*image) for image in read_filters(records.table("filters")) if len(set(image[0])) > 1]
    answering = [found[found.any(axis=1)] for found in sets]
    many = [float((found.sum(axis=1) > 1).mean()) for found in answering if len(found)]
    overlap = [_overlap(found) for found in answering if len(found) > 1]
    absent = "the records hold no filters on images with objects of two classes"
    yield Sampled(
        id="20.many",
        claim=20,
        statement="One filter answers to many object types: most that answer to one class of an image answer "
        "to another.",
        statistic=(
            f"The share of filters with |2 AUC - 1| >= {ANSWERS:g} for two classes of an image, of those "
            "with it for one"
        ),
        values=np.array(many),
        low=MAJORITY,
        absent=absent,
    )
    yield Sampled(
        id="20.complement",
        claim=20,
        statement="Filters complement each other: the class sets of two filters share less than half.",
        statistic="The Jaccard overlap of two filters' class sets (mean over pairs of filters that answer)",
        values=np.array(overlap),
        high=MAJORITY,
        absent=absent,
    )


def _class_sets(classes: Sequence[str], selectivity: np.ndarray) -> np.ndarray:
    """Which of an image's classes each filter answers to: (filters, classes)."""
    answers = np.abs(selectivity) >= ANSWERS
    names = sorted(set(classes))
    return np.stack([answers[[name == each for each in classes]].any(axis=0) for name in names], axis=1)


def _overlap(sets: np.ndarray) -> float:
    """The mean Jaccard overlap of pairs of rows; equal rows are counted, not paired one by one."""
    kinds, counts = np.unique(sets, axis=0, return_counts=True)
    total = sum(count * (count - 1) / 2 for count in counts)  # equal sets overlap wholly
    for (a, n), (b, m) in combinations(zip(kinds, counts, strict=True), 2):
        total += n * m * (a & b).sum() / (a | b).sum()
    return float(total / (len(sets) * (len(sets) - 1) / 2))


def _above(curves: Curves, metric: str, condition: str = "clean") -> Float[np.ndarray, "images blocks"]:
    """A metric at levels 1..L."""
    return curves.of(condition, metric)[:, 1:]


def _mean(values: np.ndarray) -> Float[np.ndarray, " some"]:
    return complete(values.mean(axis=1)) if values.shape[1] else np.empty(0)


def _absent(curves: Curves, metric: str, *conditions: str) -> str:
    """Why no image has `metric`; that level 0 has none is no reason."""
    missing = [name for name in conditions if np.isnan(curves.of(name, metric)).all()]
    if missing:
        return f"the records hold no {metric} under {' or '.join(missing)}"
    return f"no image has {metric} at every level from 1 on under {' and '.join(conditions)}"


def _conditions(curves: Curves, drop: str) -> list[str]:
    return [name for name in curves.conditions if name.rpartition("-")[0] == drop]


def _shared_ratios(curves: Curves, one: str, other: str) -> list[str]:
    found = [{name.rpartition("-")[2] for name in _conditions(curves, drop)} for drop in (one, other)]
    return sorted(found[0] & found[1], key=_from_half)


def _from_half(condition: str) -> tuple[float, str]:
    """How far a condition's ratio lies from one half; the smaller of two first."""
    ratio = condition.rpartition("-")[2]
    return abs(float(ratio) - 0.5), ratio


def _with(part: str) -> str:
    return " (attention alone)" if part == "attention" else " (with the residual path)"
