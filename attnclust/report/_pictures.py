"""Section "pictures of clustering": t-SNE of one image under every condition, and of a mosaic."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from attnclust.plots import Cloud, draw_embedding
from attnclust.report._figures import Gallery, PageFigure, Table, as_csv
from attnclust.report._study import Study
from attnclust.report._text import number

FAMILIES = {
    "clean": ("One image as it is", "figure 6a"),
    "mosaic": ("Four images in one", "figure 6b"),
    "shuffle": ("Shuffled cells", "figure 9"),
    "random": ("Random drop", "figure 11"),
    "salient": ("Salient drop", "figure 12 of appendix B.3"),
    "non-salient": ("Non-salient drop", "figure 14"),
    "noise": ("Background of noise", "figure 16"),
}
"""Kind of picture -> what it is called here, and which of the paper's figures it remakes."""

_UNKNOWN = ("Other conditions", "")


@dataclass(frozen=True)
class Pictures:
    """The pictures; what is the same for all of them in words."""

    figures: list[PageFigure]
    settings: str
    attention: bool


def pictures(study: Study, gallery: Gallery) -> Pictures | None:
    """The section, or None if the records hold no embedding."""
    points, inputs = study.table("embedding"), study.table("embedding_pictures")
    if points is None or inputs is None:
        return None
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in points.to_pylist():
        rows.setdefault(row["picture"], []).append(row)
    figures = [
        _figure(shown, rows[shown["picture"]], gallery)
        for shown in inputs.to_pylist()
        if shown["picture"] in rows
    ]
    if not figures:
        return None
    one = next(iter(rows.values()))[0]
    settings = (
        f"perplexity {number(one['perplexity'], 0)}, {one['iterations']:,} iterations, started from the "
        f"principal components, seed {one['seed']}"
    )
    return Pictures(figures, settings, one["attention"] is not None)


def _family(picture: str) -> tuple[str, str]:
    return FAMILIES.get(picture) or FAMILIES.get(picture.rpartition("-")[0]) or _UNKNOWN


def _figure(shown: Mapping[str, Any], rows: list[dict[str, Any]], gallery: Gallery) -> PageFigure:
    heading, source = _family(shown["picture"])
    levels: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        levels.setdefault(row["level"], []).append(row)
    for points in levels.values():
        points.sort(key=lambda row: row["patch"])
    first = next(iter(levels.values()))
    names = {row["object"]: row["name"] for row in first if row["object"]}
    order = {object_: place for place, object_ in enumerate(sorted(names), start=1)}
    labels = np.array([order.get(row["object"], 0) for row in first]).reshape(shown["grid"])
    clouds = [
        Cloud(
            f"block {level}",
            np.array([(row["x"], row["y"]) for row in points]),
            None
            if points[0]["attention"] is None
            else np.array([row["attention"] for row in points], dtype=float),
        )
        for level, points in sorted(levels.items())
    ]
    figure = draw_embedding(
        np.asarray(Image.open(io.BytesIO(shown["jpeg"])).convert("RGB")),
        labels,
        [names[object_] for object_ in sorted(names)],
        clouds,
    )
    sizes = [(sum(row["object"] == object_ for row in first), names[object_]) for object_ in sorted(names)]
    counts = ", ".join(f"{size} of {name}" for size, name in sizes)
    told = f"{len(first)} patches" + (f", {counts}" if counts else ", none of an object")
    blocks = ", ".join(map(str, sorted(levels)))
    head = ["block", "tokens drawn", "perplexity", "iterations", "seed", "KL divergence"]
    table = [
        [
            str(level),
            str(len(points)),
            number(points[0]["perplexity"], 0),
            str(points[0]["iterations"]),
            str(points[0]["seed"]),
            number(points[0]["kl_divergence"]),
        ]
        for level, points in sorted(levels.items())
    ]
    like = f" As in the paper’s {source}." if source else ""
    return gallery.drawing(
        f"embedding-{shown['picture'].replace('.', '_')}",
        figure,
        title=f"{heading} ({shown['picture']})",
        caption=f"Image {shown['image']}: {told}.{like}",
        alt=f"t-SNE of {shown['picture']}, image {shown['image']}, blocks {blocks}: {told}.",
        table=Table(head, table, as_csv(head, table)),
    )
