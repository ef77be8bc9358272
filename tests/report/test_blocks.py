"""Inside the ViT, block by block: planted numbers come out in the figures' tables, and gaps stay gaps."""

from __future__ import annotations

from typing import Any

from attnclust.report._blocks import blocks
from attnclust.report._figures import Gallery
from attnclust.report._study import Study


def curve(*mean: float | None) -> dict[str, Any]:
    return {"mean": list(mean), "ci_low": list(mean), "ci_high": list(mean)}


def partition(share: float, images: int) -> dict[str, Any]:
    return {
        "shrinks": curve(1.0, 1.0),
        "certified": {"sharp": curve(0.0, 0.125), "cluster_dobrushin": curve(share, share)},
        "tightness": {"sharp": curve(0.25, 0.375)},
        "images": images,
    }


STEPS = {
    "shrinks": [1.0, 1.0],
    "certified": {},
    "by_partition": {
        "objects": partition(0.5, 21),
        "dbscan": partition(0.75, 8),
        "random": partition(0.25, 8),
    },
    "heads": {
        "certified": {"cluster_dobrushin": [[0.0, 1.0], [0.5, 0.625]]},
        "ratio": [[0.5, 0.25], [0.75, 0.5]],
    },
}
STAGES = {
    "diameters": {
        "raw": {"input": curve(8.0, 4.0), "residual": curve(5.0, 4.5), "output": curve(4.0, 6.0)},
    },
    "factors": {"raw": {"values": curve(0.0625, 0.125), "residual": curve(0.625, 1.125)}},
    "looseness": {"mlp": curve(32.0, None)},
    "images": 21,
}


def made(**layers: Any) -> tuple[Any, Gallery]:
    gallery = Gallery()
    return blocks(Study({"layers": layers}, {}), gallery), gallery


def rows(figure: Any) -> dict[str, list[str]]:
    return {row[0]: list(row[1:]) for row in figure.table.rows}


def test_planted_numbers_come_out() -> None:
    part, gallery = made(steps={"per_head": STEPS}, stages=STAGES)
    assert (part.controls, part.ledger) == (8, 21)
    partitions, tightness, heads = part.steps
    shares = rows(partitions)
    assert shares["cluster_dobrushin (objects)"][0].startswith("50.0")
    assert shares["cluster_dobrushin (DBSCAN)"][0].startswith("75.0")
    assert shares["cluster_dobrushin (random)"][0].startswith("25.0")
    assert rows(tightness)["sharp"][1].startswith("0.38")
    # Heads are rows, blocks columns: no transpose may hide.
    assert rows(heads)["certified by cluster_dobrushin, 1"] == ["1.00", "0.62"]
    assert rows(heads)["after / before, 0"] == ["0.50", "0.75"]
    fall, stages, loose = part.stages
    assert fall.alt == "raw diameter: 8.00 before block 1, 6.00 after the last."
    assert [row[1:] for row in fall.table.rows] == [["1", "5.00", "4.00"], ["2", "4.50", "6.00"]]
    assert rows(stages)["raw diameter, values"] == ["0.06", "0.12"]
    assert rows(loose)["mlp"][1] == "–"
    bars = list(gallery.drawn["ledger"].axes[0].patches)
    heights = [(bar.get_y(), bar.get_height()) for bar in bars]  # pyright: ignore[reportAttributeAccessIssue]
    assert heights == [(8.0, -3.0), (5.0, -1.0), (4.0, 0.5), (4.5, 1.5)]


def test_records_without_the_part_show_nothing() -> None:
    assert made(steps={"per_head": {"shrinks": [1.0], "certified": {"sharp": [0.0]}}})[0] is None
    part, _ = made(stages=STAGES)
    assert (part.steps, len(part.stages)) == ([], 3)
