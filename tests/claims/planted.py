"""Records with a truth planted in them: each piece is a few rows, and a test joins the pieces it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from attnclust.claims import Claim, judge
from attnclust.records import TABLES, to_table

IMAGES, LEVELS = 29, 13
BLOCKS, HEADS, CLUSTERS = 5, 2, 3
RUNGS = ("paper_main", "paper_appendix", "linear", "product", "sharp", "overlap", "cluster_dobrushin")

Rows = list[dict[str, Any]]


def curves(metric: str, values: Any, *, condition: str = "clean", subject: str = "model") -> Rows:
    """Rows of ``measurements`` from ``(images, levels)`` values."""
    return [
        {
            "subject": subject,
            "image": f"image-{image}",
            "condition": condition,
            "level": level,
            "metric": metric,
            "value": float(value),
        }
        for image, curve in enumerate(values)
        for level, value in enumerate(curve)
    ]


def trend(slope: float, *, noise: float = 0.01, start: float = 0.3, images: int = IMAGES) -> np.ndarray:
    """Straight curves with noise, ``(images, LEVELS)``."""
    rng = np.random.default_rng(7)
    return start + slope * np.arange(LEVELS) + noise * rng.normal(size=(images, LEVELS))


def either(share: float, a: Any, b: Any, *, images: int = IMAGES) -> np.ndarray:
    """``a`` for the first `share` of images, ``b`` for the others; both broadcast to ``(images, LEVELS)``."""
    first = np.arange(images)[:, None] < round(share * images)
    return np.where(first, a, b) * np.ones((images, LEVELS))


def steps(
    form: str = "simplified",
    *,
    rungs: Sequence[str] = RUNGS,
    images: int = IMAGES,
    subject: str = "model",
    **columns: Any,
) -> Rows:
    """Rows of ``steps``; a column is a value, or a function of the row with its image's number."""
    heads = range(HEADS) if form == "per_head" else (-1,)
    rows = []
    for image in range(images):
        for block in range(1, BLOCKS + 1):
            for head in heads:
                for cluster in range(CLUSTERS):
                    for rung in rungs:
                        row = _step(subject, form, image, block, head, cluster, rung)
                        rows.append(row | _filled(columns, row | {"image": image}))
    return rows


def whole(form: str = "simplified", *, images: int = IMAGES, **columns: Any) -> Rows:
    """The same of the whole token set, with its one rung."""
    heads = range(HEADS) if form == "per_head" else (-1,)
    rows = []
    for image in range(images):
        for block in range(1, BLOCKS + 1):
            for head in heads:
                row = _step("model", form, image, block, head, -1, "contraction")
                rows.append(row | {"outside": 0, "tokens": 17} | _filled(columns, row | {"image": image}))
    return rows


def _step(
    subject: str, form: str, image: int, block: int, head: int, cluster: int, rung: str
) -> dict[str, Any]:
    return {
        "subject": subject,
        "form": form,
        "partition": "objects",
        "image": f"image-{image}",
        "block": block,
        "head": head,
        "cluster": cluster,
        "cluster_name": "cat",
        "tokens": 5,
        "outside": 12,
        "eps_lower": 0.0,
        "eps_upper": 0.05,
        "diameter_all": 2.0,
        "diameter_before": 1.0,
        "diameter_after": 0.9,
        "shrinks": True,
        "rung": rung,
        "pooled": False,
        "bound": 1.5,
        "holds": True,
        "certified": False,
    }


def _filled(
    columns: Mapping[str, Any | Callable[[dict[str, Any]], Any]], row: dict[str, Any]
) -> dict[str, Any]:
    return {name: value(row) if callable(value) else value for name, value in columns.items()}


def predictions(condition: str, top1: Iterable[int]) -> Rows:
    """Rows of ``predictions``."""
    return [
        {
            "subject": "model",
            "image": f"image-{image}",
            "condition": condition,
            "top1": number,
            "score": 0.5,
        }
        for image, number in enumerate(top1)
    ]


def filtered(images: Iterable[Mapping[str, Sequence[float]]], *, subject: str = "model") -> Rows:
    """Rows of ``filters``: for each image, class of an object (a number after it) -> a value a filter."""
    return [
        {
            "subject": subject,
            "image": f"image-{image}",
            "object": number,
            "class": name.rstrip("0123456789"),
            "selectivity": list(values),
        }
        for image, objects in enumerate(images)
        for number, (name, values) in enumerate(objects.items(), start=1)
    ]


def table(name: str, *parts: Rows) -> pa.Table:
    return to_table(name, [row for part in parts for row in part]) if parts else TABLES[name].empty_table()


def verdicts(
    measured: Sequence[Rows] = (),
    stepped: Sequence[Rows] = (),
    predicted: Sequence[Rows] = (),
    filters: Sequence[Rows] = (),
) -> dict[str, Claim]:
    """Judge the joined pieces: id -> claim."""
    claims = judge(
        {
            "measurements": table("measurements", *measured),
            "steps": table("steps", *stepped),
            "predictions": table("predictions", *predicted),
            "filters": table("filters", *filters),
        }
    )
    assert len({claim.id for claim in claims}) == len(claims)
    return {claim.id: claim for claim in claims}
