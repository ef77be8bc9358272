"""Read images, measure them, and hand over one shard of rows after another."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tqdm import tqdm

from attnclust.data import UnreadableImageError
from attnclust.records import CONVERTED, NO_MASK
from attnclust.study.embedding import embedding_rows
from attnclust.study.ledger import ledger_rows
from attnclust.study.measure import Rows, measure
from attnclust.study.photographs import Photograph
from attnclust.study.prepare import CLEAN, View, views_of
from attnclust.study.settings import Images, Settings
from attnclust.study.shards import Progress
from attnclust.study.subject import Subject
from attnclust.study.views import view_rows
from attnclust.study.views_drawn import drawn_rows
from attnclust.study.views_faithful import faithfulness_rows

log = logging.getLogger("attnclust")

# Selected images in a shard: what is lost at most when a study is killed.
SHARD = 8


@dataclass
class _Batch:
    """Images gathered for the next shard."""

    views: list[View]
    rows: Rows
    selected: int = 0


def collect(
    settings: Settings,
    data: Images,
    photographs: Sequence[Photograph],
    subjects: list[Subject],
    grid: tuple[int, int],
    done: Progress,
) -> Iterator[tuple[Rows, Progress]]:
    """Measure what is left of a study, shard by shard; each comes with how far the study is once it is kept.

    The neurons of ``photographs`` are drawn with those of the first selected image.
    """
    most = settings.most
    total = most if most is not None else len(data)
    kept = min(done.selected if most else done.next_index, total)
    under = len({CLEAN, *settings.conditions}) * len(subjects)
    rows: Rows = {"notes": _left_out(data)} if not done.shards else {}
    with (
        tqdm(total=total, initial=kept, unit="image", desc="images", file=sys.stderr) as bar,
        # An image under a condition, seen by one of the models. Those that the selection refuses go at once.
        tqdm(
            total=total * under, initial=kept * under, unit="view", desc="conditions", file=sys.stderr
        ) as fine,
    ):
        while done.next_index < len(data) and (most is None or done.selected < most):
            room = SHARD if most is None else min(SHARD, most - done.selected)
            batch, after = _gather(settings, data, subjects[0], grid, done.next_index, room)
            rows = {name: [*rows.get(name, []), *found] for name, found in batch.rows.items()}
            for subject in subjects:
                for part in (
                    measure(
                        subject,
                        batch.views,
                        protocol=settings.protocol,
                        # Each costs as much again as the objects, so the model alone has them.
                        controls=subject is subjects[0],
                        done=fine.update,
                    ),
                    view_rows(subject, batch.views),
                    faithfulness_rows(subject, batch.views),
                ):
                    _extend(rows, part)
            rows["stages"] = list(ledger_rows(subjects[0].loaded, subjects[0].device, batch.views))
            drawn = done.drawn or batch.selected > 0
            if drawn and not done.drawn:
                _extend(rows, drawn_rows(subjects[0], batch.views, photographs))
                _extend(rows, embedding_rows(subjects[0], batch.views, grid, seed=settings.seed))
            bar.update(batch.selected if most is not None else after - done.next_index)
            fine.update(bar.n * under - fine.n)
            done = Progress(done.shards + 1, after, done.selected + batch.selected, drawn)
            yield rows, done
            rows = {}


def _extend(rows: Rows, more: Rows) -> None:
    for name, found in more.items():
        rows.setdefault(name, []).extend(found)


def _left_out(data: Images) -> list[dict[str, Any]]:
    """Notes on pictures without masks, of which VOC has many: they are no part of the data."""
    return [
        {"image": name, "kind": NO_MASK, "note": "it has a picture and no mask"}
        for name in getattr(data, "unlabelled", ())
    ]


def _gather(
    settings: Settings,
    data: Images,
    subject: Subject,
    grid: tuple[int, int],
    first: int,
    room: int,
) -> tuple[_Batch, int]:
    """Read images until ``room`` of them pass the selection, or none is left."""
    batch = _Batch([], {"images": [], "notes": []})
    index = first
    while index < len(data) and batch.selected < room:
        try:
            sample = data[index]
        except UnreadableImageError as error:
            log.warning("skipped %s: %s", error.name, error.reason)
            batch.rows["images"].append(
                {
                    "image": error.name,
                    "condition": CLEAN,
                    "selected": False,
                    "reason": error.reason,
                    "readable": False,
                    "objects": 0,
                    "patches": 0,
                    "contested": 0,
                }
            )
        else:
            views = views_of(
                sample, settings.conditions, size=subject.loaded.size, grid=grid, seed=settings.seed
            )
            batch.views += views
            batch.rows["images"] += [view.row for view in views]
            if sample.mode != "RGB":
                note = f"its picture is {sample.mode}, and was converted to RGB"
                batch.rows["notes"].append({"image": sample.name, "kind": CONVERTED, "note": note})
            batch.selected += views[0].selection.reason is None
        index += 1
    return batch, index
