"""Claim 9: object patches draw more of the class token's attention than background does.

An image's number is log2 of how many times as much a patch on an object draws as one of the background, at
the last level: of the residual roll-out, as in the authors' pictures; the last block's own attention stands
beside.
"""

from __future__ import annotations

from collections.abc import Iterator

from ._evidence import Evidence, Sampled
from ._tables import Records, complete, last_level

DROPS = ("random", "salient", "non-salient")
READINGS = {
    "rollout": "attention (rolled out to the last level)",
    "attention": "attention in the last block alone",
}


def objects_attended(records: Records) -> Iterator[Evidence]:
    """Clean, at 8 x 8, and under every drop; 2 x 2 and noise beside."""
    curves = records.curves
    drops = [condition for drop in DROPS for condition in curves.ratios(drop)]
    primary = ["clean", "shuffle-8", *(drops or ["random-0.4"])]
    for reading, words in READINGS.items():
        for condition in [*primary, "shuffle-2", "noise-1.0"]:
            mine = reading == "rollout" and condition in primary
            if not mine and condition not in curves.conditions:
                continue
            metric = f"class_{reading}_contrast"
            yield Sampled(
                id=f"9.{condition}" if reading == "rollout" else f"9.{reading}.{condition}",
                claim=9,
                statement=f"{condition}: objects draw more of the class token's {words} than background.",
                statistic=f"log2 of the class token's {words} to object patches over that to background",
                values=complete(last_level(curves.of(condition, metric))),
                low=0,
                absent=curves.absent(metric, condition),
                primary=mine,
            )
