"""Claim 14: a blacked-out background is one cluster at low levels, two at high ones; a noise-filled one, one.

Whether patches are two clusters is read off the silhouette of their best split into two: above 0.5 they are,
by Kaufman and Rousseeuw's reading. The paper's pictures show blocks 1, 7 and 12: low is level 1, high the
last.
"""

from __future__ import annotations

from collections.abc import Iterator

from ._evidence import Evidence, Sampled
from ._tables import Records, complete, last_level

TWO_CLUSTERS = 0.5
LEAST_SHARE = 0.1
"""A side of a split with fewer of the patches is a handful of outliers."""

BLACK, NOISE = "non-salient-1.0", "noise-1.0"


def background_clusters(records: Records) -> Iterator[Evidence]:
    """The parts of claim 14."""
    curves = records.curves

    def low(condition: str, metric: str):
        return curves.of(condition, metric)[:, 1:2].ravel()

    def high(condition: str, metric: str):
        return last_level(curves.of(condition, metric))

    split = "The silhouette of the best split of the {} patches in two, at {},"
    parts = (
        ("one", BLACK, low, "background_split", split.format("black", "level 1"), None, TWO_CLUSTERS,
         "At level 1 a blacked-out background is one cluster"),
        ("two", BLACK, high, "background_split", split.format("black", "the last level"), TWO_CLUSTERS, None,
         "At the last level a blacked-out background is two clusters"),
        ("near", BLACK, high, "background_split_near",
         "The chance that black patches on the side more like the objects lie nearer to them than those on "
         "the other, less that they lie farther, at the last level,", 0, None,
         "The two clusters split by their distance to the objects"),
        ("noise", NOISE, high, "background_split", split.format("noise", "the last level"), None,
         TWO_CLUSTERS, "At the last level a noise-filled background is one cluster"),
        ("share", BLACK, high, "background_split_share",
         "The share of black patches on the smaller side of the split at the last level", LEAST_SHARE, None,
         "Neither of the two clusters is a handful of outliers"),
    )  # fmt: skip
    for name, condition, level, metric, statistic, least, most, statement in parts:
        yield Sampled(
            id=f"14.{name}",
            claim=14,
            statement=f"{statement}.",
            statistic=statistic,
            values=complete(level(condition, metric)),
            low=-float("inf") if least is None else least,
            high=float("inf") if most is None else most,
            absent=curves.absent(metric, condition),
            primary=name != "share",
        )
