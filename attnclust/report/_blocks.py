"""Inside the ViT, block by block: three partitions, tightness, heads, and which stage contracts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from attnclust.plots import Curve, Fall, Grid, Panel, draw_grids, draw_waterfall, rung_style
from attnclust.records import DBSCAN, OBJECTS, PER_HEAD, RANDOM
from attnclust.report._figures import Gallery, PageFigure, Table, as_csv
from attnclust.report._study import Study
from attnclust.report._text import join, number

_PARTITIONS = {OBJECTS: "objects", DBSCAN: "DBSCAN", RANDOM: "random"}
_CERTIFIED = ("sharp", "cluster_dobrushin", "block_transport")
_QUANTITIES = {
    "raw": "raw diameter",
    "relative": "share of diam(Z)",
    "angular": "angle (degrees)",
}
_STREAM = {"residual": "adding attention", "output": "adding the MLP"}
"""The two sums of a block by which the residual stream moves."""


@dataclass(frozen=True)
class Blocks:
    """What the part shows; `images` of the partitions by DBSCAN and at random, and of the ledger."""

    steps: list[PageFigure]
    stages: list[PageFigure]
    controls: int
    ledger: int


def blocks(study: Study, gallery: Gallery) -> Blocks | None:
    """The part, or None where the records are without it."""
    steps = study.steps(PER_HEAD) or {}
    stages = study.stages or {}
    found = [_partitions(steps, gallery), _tightness(steps, gallery), _heads(steps, gallery)]
    falls = [_waterfall(stages, gallery), _factors(stages, gallery), _looseness(stages, gallery)]
    shown, fallen = ([figure for figure in each if figure is not None] for each in (found, falls))
    if not shown and not fallen:
        return None
    controls = ((steps.get("by_partition") or {}).get(DBSCAN) or {}).get("images", 0)
    return Blocks(shown, fallen, controls, stages.get("images", 0))


def curve_by_block(
    label: str, summary: Mapping[str, Any], style: int, *, scale: float = 1.0, dashed: bool = False
) -> Curve:
    """A summary with its interval, block by block from 1."""

    def scaled(name: str) -> list[float | None] | None:
        values = summary.get(name)
        return values and [None if value is None else scale * value for value in values]

    mean = scaled("mean") or []
    return Curve(label, range(1, len(mean) + 1), mean, scaled("ci_low"), scaled("ci_high"), style, dashed)


def _partitions(steps: Mapping[str, Any], gallery: Gallery) -> PageFigure | None:
    known = steps.get("by_partition") or {}
    panels = [
        Panel(
            title,
            [curve_by_block("clusters that shrink", known[name]["shrinks"], 0, scale=100.0)]
            + [
                curve_by_block(rung, known[name]["certified"][rung], rung_style(rung), scale=100.0)
                for rung in _CERTIFIED
                if rung in known[name]["certified"]
            ],
            "share of steps (%)",
        )
        for name, title in _PARTITIONS.items()
        if name in known
    ]
    if not panels:
        return None
    return gallery.curves(
        "partitions",
        panels,
        title="Shrinking and certified, by what counts as a cluster",
        caption="One head on its values. Objects and background from the masks; DBSCAN clusters of the tokens"
        " that enter the block; the objects' sizes dealt out to patches at random. Bands: 95 % "
        "intervals over images.",
        x_label="block",
        digits=1,
        y_limits=(-3, 103),
        columns=2,
        height=300,
    )


def _tightness(steps: Mapping[str, Any], gallery: Gallery) -> PageFigure | None:
    tight = ((steps.get("by_partition") or {}).get(OBJECTS) or {}).get("tightness") or {}
    if not tight:
        return None
    return gallery.curves(
        "tightness",
        [
            Panel(
                "",
                [curve_by_block(rung, each, rung_style(rung)) for rung, each in tight.items()],
                "measured / bound",
            )
        ],
        title="How tight each rung is",
        caption="The cluster's diameter after a step as a share of what the rung allows (one head on its "
        f"values, objects); 1 is attained.{_coincide(tight)} Bands: 95 % intervals over images.",
        x_label="block",
        y_limits=(0, 1.03),
        columns=2,
        height=330,
    )


def _coincide(tight: Mapping[str, Any]) -> str:
    """Which curves hide each other: those that nowhere differ by a hundredth of the axis."""
    groups: list[list[str]] = []
    for rung, each in tight.items():
        here = np.array(each["mean"], dtype=float)
        for group in groups:
            if not (np.abs(here - np.array(tight[group[0]]["mean"], dtype=float)) >= 0.01).any():
                group.append(rung)
                break
        else:
            groups.append([rung])
    hidden = [join(group) for group in groups if len(group) > 1]
    return f" Curves that cannot be told apart: {'; '.join(hidden)}." if hidden else ""


def _grid_table(first: str, grids: Sequence[Grid]) -> Table:
    blocks_ = range(1, grids[0].values.shape[1] + 1)
    head = [first, *(f"block {block}" for block in blocks_)]
    rows = [
        (f"{grid.title}, {name}", values)
        for grid in grids
        for name, values in zip(grid.rows, grid.values, strict=True)
    ]
    return Table(
        head,
        [[name, *(number(float(value), 2) for value in values)] for name, values in rows],
        as_csv(head, [[name, *map(float, values)] for name, values in rows]),
    )


def _extremes(grid: Grid) -> str:
    low, high = float(np.nanmin(grid.values)), float(np.nanmax(grid.values))
    return f"{grid.title}: from {number(low, 2)} to {number(high, 2)}"


def _heads(steps: Mapping[str, Any], gallery: Gallery) -> PageFigure | None:
    heads = steps.get("heads") or {}
    certified = (heads.get("certified") or {}).get("cluster_dobrushin")
    if certified is None:
        return None
    tables = {"certified by cluster_dobrushin": certified, "after / before": heads["ratio"]}
    grids = [
        Grid(title, values, [str(head) for head in range(len(values))], factor=False)
        for title, each in tables.items()
        for values in [np.array(each, dtype=float).T]
    ]
    return gallery.drawing(
        "heads",
        draw_grids(grids, y_label="head", bar="share, or factor"),
        title="Head by head",
        caption="Above: share of steps that cluster_dobrushin certifies. Below: the mean diameter after a "
        "step over the one before; the paler, the stronger the head contracts.",
        alt="; ".join(map(_extremes, grids)) + ".",
        table=_grid_table("head", grids),
    )


def _waterfall(stages: Mapping[str, Any], gallery: Gallery) -> PageFigure | None:
    diameters = stages.get("diameters") or {}
    falls = [
        Fall(
            title,
            float(diameters[name]["input"]["mean"][0]),
            {
                words: np.array(diameters[name][stage]["mean"], dtype=float)
                for stage, words in _STREAM.items()
            },
        )
        for name, title in _QUANTITIES.items()
        if {"input", *_STREAM} <= (diameters.get(name) or {}).keys()
    ]
    if not falls:
        return None
    words = [
        f"{fall.title}: {number(fall.start, 2)} before block 1, "
        f"{number(float(fall.after['adding the MLP'][-1]), 2)} after the last"
        for fall in falls
    ]
    head = ["quantity", "block", *_STREAM.values()]
    rows = [
        [fall.title, block + 1, *(float(values[block]) for values in fall.after.values())]
        for fall in falls
        for block in range(len(fall.after["adding the MLP"]))
    ]
    return gallery.drawing(
        "ledger",
        draw_waterfall(falls, y_label="diameter"),
        title="The ledger of the residual stream",
        caption="A cluster's diameter in the residual stream, from before to after each sum of a block: mean "
        "over clusters and images.",
        alt="; ".join(words) + ".",
        table=Table(
            head, [[str(cell) if i < 2 else number(cell, 2) for i, cell in enumerate(row)] for row in rows],
            as_csv(head, rows),
        ),
    )  # fmt: skip


def _factors(stages: Mapping[str, Any], gallery: Gallery) -> PageFigure | None:
    factors = stages.get("factors") or {}
    grids = [
        Grid(
            title,
            np.array([each["mean"] for each in factors[name].values()], dtype=float),
            list(factors[name]),
            factor=True,
        )
        for name, title in _QUANTITIES.items()
        if factors.get(name)
    ]
    if not grids:
        return None
    return gallery.drawing(
        "stages",
        draw_grids(grids, y_label="stage", bar="diameter after / before"),
        title="Which stage contracts, which expands",
        caption="The diameter after a stage over the one before it: blue contracts, vermilion expands; "
        "geometric mean over clusters and images. The sums are compared with the stream that they add"
        " to.",
        alt="; ".join(map(_extremes, grids)) + ".",
        table=_grid_table("stage", grids),
    )


def _looseness(stages: Mapping[str, Any], gallery: Gallery) -> PageFigure | None:
    loose = stages.get("looseness") or {}
    if not loose:
        return None
    return gallery.curves(
        "looseness",
        [
            Panel(
                "",
                [curve_by_block(stage, each, i) for i, (stage, each) in enumerate(loose.items())],
                "bound / measured",
            )
        ],
        title="How loose the bounds of a real block are",
        caption="Bound on the raw diameter after a stage over the measured one: operator norms for values, "
        "projection and MLP, the local factor for LayerNorm, the triangle inequality for the sums, "
        "cluster_dobrushin for attention. Bands: 95 % intervals over images.",
        x_label="block",
        log=True,
        columns=2,
        height=330,
    )
