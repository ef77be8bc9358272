"""Claims 18 and 22, and what 11 and 13 say about separation: how far the objects of the masks lie apart.

Separation is a silhouette by cosine distance with the masks' own partition (``attnclust.study.separation``):
0 is no separation, whatever clusters an algorithm would find.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import comb, log2

import numpy as np
from jaxtyping import Float

from ._evidence import MARGIN, Evidence, Sampled
from ._ratios import OverRatios
from ._tables import Records, complete, last_level

HEAVIEST_DROP = "random-0.8"
LEAST_IN_A_GROUP = 2
"""Images that each side of a comparison between different images needs."""


def barely_separate(records: Records) -> Iterator[Evidence]:
    """Claim 11, last part: at r = 0.8 objects hardly separate from the rest."""
    metric = "object_background_silhouette"
    yield Sampled(
        id="11.separation",
        claim=11,
        statement=f"{HEAVIEST_DROP}: objects hardly separate from the background, even at the last level.",
        statistic="The silhouette of object patches against the background at the last level",
        values=complete(last_level(records.curves.of(HEAVIEST_DROP, metric))),
        low=-MARGIN,
        high=MARGIN,
        absent=records.curves.absent(metric, HEAVIEST_DROP),
    )


def separate_earlier(records: Records) -> Iterator[Evidence]:
    """Claim 13, last part: objects separate at an earlier level than in clean.

    Separated is what has come half-way from clean's silhouette at level 0 to clean's best. Black surroundings
    alone set an object apart from the background, so the objects among themselves stand beside. The verdict
    rests on the mean over the drop's ratios; each of them stands beside.
    """
    kinds = {
        "object_silhouette": "from each other and the background",
        "object_silhouette_among": "from each other",
    }
    curves, drop = records.curves, "non-salient"
    for metric, words in kinds.items():
        name = "separation" if metric == "object_silhouette" else "among"
        clean = curves.of("clean", metric)
        ratios = OverRatios(drop, {c: _earlier(clean, curves.of(c, metric)) for c in curves.ratios(drop)})
        first = (
            f"the first level whose silhouette of objects ({words}) is half-way from clean's at level 0 to "
        )
        yield Sampled(
            id=f"13.{name}",
            claim=13,
            statement=f"Under {drop} drop objects separate {words} at an earlier level than in clean, "
            "averaged over its ratios.",
            statistic=f"The change from clean to {drop} drop in {first}clean's best ({ratios.words})",
            values=ratios.mean(),
            high=0,
            absent=ratios.absent(curves, metric, "clean"),
            primary=name == "separation",
        )
        for condition, levels in ratios.numbers.items():
            yield Sampled(
                id=f"13.{name}.{condition}",
                claim=13,
                statement=f"Under {condition} objects separate {words} at an earlier level than in clean.",
                statistic=f"The change from clean to {condition} in {first}clean's best",
                values=complete(levels),
                high=0,
                absent=curves.absent(metric, "clean", condition),
                primary=False,
            )


def level_zero(records: Records) -> Iterator[Evidence]:
    """Claim 18: at level 0 patches of one object are closer than others, by a small margin.

    Beside it: the same among pairs equally far apart on the grid, since neighbours are alike by their
    positions; and whether the clusters of level 0 agree with the objects.
    """
    curves = records.curves
    closer = "patches of one object are closer than a patch of it and one outside"
    relative = "(share of the distance to outside patches)"
    margin = "object_margin"
    parts = (
        ("closer", margin, f"At level 0 {closer}.", f"The margin {relative}", 0, np.inf, True),
        ("small", margin, f"It is small: below {MARGIN}.", f"The margin {relative}", -np.inf, MARGIN, True),
        (
            "matched",
            f"{margin}_matched",
            f"At level 0 {closer}, equally far apart on the grid.",
            f"The margin at equal grid distance {relative}",
            0,
            np.inf,
            False,
        ),
        (
            "agreement",
            "adjusted_mutual_info",
            "The clusters of level 0 agree with the objects beyond chance.",
            "Adjusted mutual information (0 by chance) of the clusters of level 0 with the objects",
            0,
            np.inf,
            False,
        ),
    )
    for name, metric, statement, statistic, low, high, primary in parts:
        yield Sampled(
            id=f"18.{name}",
            claim=18,
            statement=statement,
            statistic=statistic,
            values=complete(curves.of("clean", metric)[:, :1].ravel()),
            low=low,
            high=high,
            absent=curves.absent(metric, "clean"),
            primary=primary,
        )


def classes(records: Records) -> Iterator[Evidence]:
    """Claim 22: objects of different classes separate better than two objects of one class.

    Few images hold both kinds of pairs, so the two means are over different images, where they must be.
    """
    curves = records.curves
    for condition in ("clean", *curves.ratios("salient")):
        kinds = [
            last_level(curves.of(condition, f"silhouette_{kind}_class")) for kind in ("different", "same")
        ]
        values, coins = _contrast(*kinds)
        counts = [int((~np.isnan(kind)).sum()) for kind in kinds]
        yield Sampled(
            id="22" if condition == "clean" and not curves.ratios("salient") else f"22.{condition}",
            claim=22,
            statement=f"Objects of different classes separate better than two of one class ({condition}).",
            statistic=(
                f"The silhouette of pairs of objects at the last level under {condition}, different classes "
                f"({counts[0]} images) minus one class ({counts[1]} images),"
            ),
            values=values,
            low=0,
            absent=(
                f"{LEAST_IN_A_GROUP} images with pairs of either kind are needed under {condition}; "
                f"the records hold {counts[0]} with different classes and {counts[1]} with one class"
            ),
            primary=condition == "clean",
            coins=coins,
        )


def _earlier(clean: np.ndarray, other: np.ndarray) -> Float[np.ndarray, " images"]:
    """By how many levels later `other` first reaches the middle of clean's rise; L + 1 if it never does."""
    holed = np.isnan(clean + other).any(axis=1)
    if holed.all():
        return np.full(len(clean), np.nan)
    middle = (clean[:, :1] + clean.max(axis=1, keepdims=True)) / 2

    def first(curve: np.ndarray) -> np.ndarray:
        reached = curve >= middle
        return np.where(reached.any(axis=1), reached.argmax(axis=1), curve.shape[1])

    return np.where(holed, np.nan, first(other) - first(clean))


def _contrast(
    a: Float[np.ndarray, " images"], b: Float[np.ndarray, " images"]
) -> tuple[Float[np.ndarray, " some"], float]:
    """mean(a) - mean(b), NaN left out, as the mean of one number an image; and what evidence it can carry.

    An image's number is the difference plus its influence on it (an infinitesimal jackknife), so that images
    with both kinds count as pairs, those with one as members of two samples, and the spread over images gives
    the right standard error. Relabelling could swap a and b in every image with both, and draw anew which of
    the others belong to a: so many outcomes are as strong as the logarithm's number of coins.
    """
    in_a, in_b = ~np.isnan(a), ~np.isnan(b)
    sizes = int(in_a.sum()), int(in_b.sum())
    if min(sizes) < LEAST_IN_A_GROUP:
        return np.empty(0), 0.0
    either = in_a | in_b
    n = int(either.sum())
    means = a[in_a].mean(), b[in_b].mean()
    influence = (
        np.where(in_a, a - means[0], 0) * n / sizes[0] - np.where(in_b, b - means[1], 0) * n / sizes[1]
    )
    both = int((in_a & in_b).sum())
    return means[0] - means[1] + influence[either], both + log2(comb(n - both, sizes[0] - both))
