"""The theorem's steps inside a model: every rung of the ladder, per image, block, head and cluster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jaxtyping import Float
from torch import Tensor

from attnclust.attention import attend
from attnclust.geometry import diameter
from attnclust.records import PER_HEAD, SIMPLIFIED
from attnclust.study.prepare import View
from attnclust.verify import Verification, verify
from attnclust.vit import Level


def theorem_rows(
    subject: str, view: View, level: Level, before: Float[Tensor, "t d"], at: int
) -> Iterator[dict[str, Any]]:
    """The theorem on one image and block: the simplified layer, and every head on its own values."""
    labels, names = view.labels(level.grid, level.prefix_tokens)
    assert level.attention is not None
    assert level.values is not None
    heads = level.attention[at].double().cpu().numpy()
    # The model's rows sum to 1 up to the rounding of its own dtype; a theorem about stochastic matrices is
    # tested on one.
    heads /= heads.sum(axis=-1, keepdims=True)
    steps = (
        (SIMPLIFIED, -1, heads.mean(axis=0, keepdims=True), before.numpy()[None]),
        (PER_HEAD, 0, heads, level.values[at].double().cpu().numpy()),
    )
    for form, first, attention, tokens in steps:
        verified = verify(attention, tokens, labels, clusters=len(names))
        after = diameter(attend(attention, tokens))
        for index in range(len(tokens)):
            key = {
                "subject": subject,
                "form": form,
                "image": view.image,
                "block": level.index,
                "head": first + index,
                "diameter_all": float(verified.diameter[index]),
            }
            yield _contraction(key, verified, index, float(after[index]), len(labels))
            for cluster, name in enumerate(names):
                if verified.counted[index, cluster]:
                    yield from _rungs(
                        key | {"cluster": cluster, "cluster_name": name}, verified, index, len(labels)
                    )


def _rungs(key: dict[str, Any], verified: Verification, index: int, tokens: int) -> Iterator[dict[str, Any]]:
    here = (index, key["cluster"])
    outside = int(verified.outside[here])
    for rung, bound in verified.bounds.items():
        yield key | {
            "tokens": tokens - outside,
            "outside": outside,
            "eps_lower": float(verified.eps_lower[here]),
            "eps_upper": float(verified.eps_upper[here]),
            "diameter_before": float(verified.current[here]),
            "diameter_after": float(verified.measured[here]),
            "shrinks": bool(verified.shrinks[here]),
            "rung": rung,
            "bound": float(bound[here]),
            "holds": bool(verified.holds[rung][here]),
            "certified": bool(verified.certified[rung][here]),
        }


def _contraction(
    key: dict[str, Any], verified: Verification, index: int, after: float, tokens: int
) -> dict[str, Any]:
    """Theorem 3.1(i): the diameter of all tokens does not grow."""
    before, tolerance = key["diameter_all"], float(verified.tolerance[index])
    return key | {
        "cluster": -1,
        "cluster_name": "all tokens",
        "tokens": tokens,
        "outside": 0,
        "eps_lower": 0.0,
        "eps_upper": 0.0,
        "diameter_before": before,
        "diameter_after": after,
        "shrinks": after < before - tolerance,
        "rung": "contraction",
        "bound": before,
        "holds": after <= before + tolerance,
        "certified": False,
    }
