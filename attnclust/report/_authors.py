"""The authors' own curves, to be drawn behind those of a study that follows the same protocol."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from attnclust.plots import Curve
from attnclust.report._study import Study

NAME = "ViT-B/16 on VOC 2009 (authors)"
PROTOCOL = "official"
"""The protocol that their notebook computes."""


def authors_curve(study: Study, metric: str, condition: str, style: int, *, levels: int) -> Curve | None:
    """The authors' curve of a metric under a condition; None where it cannot be compared with the study's.

    They measured the outputs of the 12 blocks, never the input of the first: other protocols and models of
    another depth have nothing to stand beside it.
    """
    published = _published()
    mean = (published["metrics"].get(condition) or {}).get(metric)
    same = study.settings.get("protocol") == PROTOCOL and levels == published["levels"][-1] + 1
    if not same or not mean:
        return None
    return Curve(f"{NAME}, {condition}", published["levels"], mean, style=style, reference=NAME)


def source() -> str:
    """Where the numbers come from, in a sentence."""
    published = _published()
    return f"{published['about']} {published['images']} images."


@cache
def _published() -> dict[str, Any]:
    return json.loads((files("attnclust.report") / "authors.json").read_text("utf-8"))
