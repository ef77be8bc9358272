"""Claims 4 to 8 and 10 to 13: what the clustering metrics do with depth, and under each condition.

"With depth" is Spearman's rho against the level, an image at a time. Conditions are compared on the same
images: the value of an image is the difference of its means over all levels. An image that misses a level is
left out. What is said of every ratio of a drop is judged on its mean over the ratios
(:mod:`attnclust.claims._ratios`); each ratio stands beside.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from ._evidence import MARGIN, Evidence, Sampled
from ._ratios import OverRatios
from ._tables import Curves, Records, complete, trends

METRICS = {
    "purity": "purity",
    "silhouette": "the silhouette",
    "in_cluster_cosine": "the cosine inside clusters",
    "in_object_cosine": "the cosine inside objects",
    "unique_label_ratio": "the unique-label ratio",
}
"""The paper's five metrics, in words; more is better in all of them."""


def rise_with_depth(records: Records) -> Iterator[Evidence]:
    """Claims 4 to 8."""
    curves = records.curves
    for claim, metric in enumerate(METRICS, start=4):
        yield _rises(curves, metric, "clean", row_id=str(claim), claim=claim)


def shuffling(records: Records) -> Iterator[Evidence]:
    """Claim 10: near clean at 2 x 2, hurt at 8 x 8."""
    curves = records.curves
    for metric, words in METRICS.items():
        yield _near(curves, metric, "shuffle-2", claim=10)
        yield Sampled(
            id=f"10.{metric}.shuffle-8",
            claim=10,
            statement=f"Shuffling 8 x 8 cells hurts: it lowers {words} by more than {MARGIN}.",
            statistic=f"The change in {words} from clean to shuffle-8 (mean over levels)",
            values=complete(_change(curves, metric, "shuffle-8")),
            high=-MARGIN,
            absent=curves.absent(metric, "clean", "shuffle-8"),
        )


def random_drop(records: Records) -> Iterator[Evidence]:
    """Claim 11: metrics fall with r, yet rise with depth at every r."""
    curves = records.curves
    for metric in METRICS:
        yield _trend(curves, metric, "random", claim=11, rises=False)
        yield from _rises_under(curves, metric, "random", claim=11)


def salient_drop(records: Records) -> Iterator[Evidence]:
    """Claim 12: purity falls with r, in-object cosine rises with depth, label ratio hardly changes."""
    curves = records.curves
    yield _trend(curves, "purity", "salient", claim=12, rises=False)
    yield from _rises_under(curves, "in_object_cosine", "salient", claim=12)
    yield from _near_under(curves, "unique_label_ratio", "salient", claim=12)


def non_salient_drop(records: Records) -> Iterator[Evidence]:
    """Claim 13: metrics hardly change, the label ratio rises with r."""
    curves = records.curves
    yield _trend(curves, "unique_label_ratio", "non-salient", claim=13, rises=True)
    for metric in METRICS:
        if metric != "unique_label_ratio":
            yield from _near_under(curves, metric, "non-salient", claim=13)


def _rises(curves: Curves, metric: str, condition: str, *, row_id: str, claim: int) -> Sampled:
    words = METRICS[metric]
    under = "" if condition == "clean" else f" under {condition}"
    return Sampled(
        id=row_id,
        claim=claim,
        statement=f"{_sentence(words)} rises with depth{under}.",
        statistic=f"Spearman's rho of {words} against the level{under}",
        values=complete(_depth(curves, metric, condition)),
        low=0,
        absent=curves.absent(metric, condition),
    )


def _rises_under(curves: Curves, metric: str, drop: str, *, claim: int) -> Iterator[Sampled]:
    """Whether a metric rises with depth under a drop: averaged over its ratios, and beside it at each."""
    words = METRICS[metric]
    ratios = OverRatios(drop, {name: _depth(curves, metric, name) for name in curves.ratios(drop)})
    yield Sampled(
        id=f"{claim}.{metric}.depth",
        claim=claim,
        statement=f"{_sentence(words)} rises with depth under {drop} drop, averaged over its ratios.",
        statistic=f"Spearman's rho of {words} against the level under {drop} drop ({ratios.words})",
        values=ratios.mean(),
        low=0,
        absent=ratios.absent(curves, metric),
    )
    for condition in ratios.numbers:
        row = _rises(curves, metric, condition, row_id=f"{claim}.{metric}.depth.{condition}", claim=claim)
        yield replace(row, primary=False)


def _depth(curves: Curves, metric: str, condition: str) -> Float[np.ndarray, " images"]:
    return trends(curves.of(condition, metric), curves.levels)


def _trend(curves: Curves, metric: str, drop: str, *, claim: int, rises: bool) -> Sampled:
    """How a metric moves with a drop's ratio, clean being r = 0, on the images present at every one."""
    words = METRICS[metric]
    ratios = {"clean": 0.0} | curves.ratios(drop)
    values = np.stack([curves.means(condition, metric) for condition in ratios], axis=1)
    listed = ", ".join(f"{ratio:g}" for ratio in ratios.values())
    return Sampled(
        id=f"{claim}.{metric}.ratio",
        claim=claim,
        statement=f"{_sentence(words)} {'rises' if rises else 'falls'} with r, the ratio of {drop} drop.",
        statistic=f"Spearman's rho of {words} (mean over levels) against r = {listed}",
        values=complete(trends(values, np.array(list(ratios.values())))),
        low=0 if rises else -np.inf,
        high=np.inf if rises else 0,
        absent=curves.absent(metric, *ratios)
        if len(ratios) > 1
        else f"the records hold no condition of {drop} drop",
    )


def _near_under(curves: Curves, metric: str, drop: str, *, claim: int) -> Iterator[Sampled]:
    """Whether a metric hardly changes under a drop: averaged over its ratios, and beside it at each.

    Changes of opposite directions at two ratios cancel in the average; the rows beside show them.
    """
    words = METRICS[metric]
    ratios = OverRatios(drop, {name: _change(curves, metric, name) for name in curves.ratios(drop)})
    yield Sampled(
        id=f"{claim}.{metric}.change",
        claim=claim,
        statement=f"{_sentence(words)} hardly changes under {drop} drop, averaged over its ratios: "
        f"by less than {MARGIN}.",
        statistic=f"The change in {words} from clean to {drop} drop (mean over levels; {ratios.words})",
        values=ratios.mean(),
        low=-MARGIN,
        high=MARGIN,
        absent=ratios.absent(curves, metric, "clean"),
    )
    for condition in ratios.numbers:
        yield replace(_near(curves, metric, condition, claim=claim), primary=False)


def _near(curves: Curves, metric: str, condition: str, *, claim: int) -> Sampled:
    words = METRICS[metric]
    return Sampled(
        id=f"{claim}.{metric}.{condition}",
        claim=claim,
        statement=f"{_sentence(words)} hardly changes under {condition}: by less than {MARGIN}.",
        statistic=f"The change in {words} from clean to {condition} (mean over levels)",
        values=complete(_change(curves, metric, condition)),
        low=-MARGIN,
        high=MARGIN,
        absent=curves.absent(metric, "clean", condition),
    )


def _change(curves: Curves, metric: str, condition: str) -> Float[np.ndarray, " images"]:
    return curves.means(condition, metric) - curves.means("clean", metric)


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:]
