"""Run a study: images in, tables and results.json out; resumable."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch
from threadpoolctl import threadpool_limits

from attnclust._array import ArgumentError
from attnclust.models import open_model, random_twin
from attnclust.records import MODEL, TABLES, TWIN, write_json
from attnclust.study.collect import collect
from attnclust.study.photographs import fit, open_photographs
from attnclust.study.provenance import provenance
from attnclust.study.settings import Settings, folder_name, identity, open_data
from attnclust.study.shards import Shards
from attnclust.study.simulate import write_simulations
from attnclust.study.subject import Subject
from attnclust.study.summary import summarise

log = logging.getLogger("attnclust")

# Parameters. ViT-S has 22 million, ViT-B 86 million.
SMALL_MODEL = 30_000_000


def run_study(settings: Settings, *, output: Path | None = None, reports: Path = Path("reports")) -> Path:
    """Run a study, or what is left of it, and return its folder.

    Args:
        settings: what to measure.
        output: the folder to write; default: one under ``reports`` named after model, data and a hash of the
            settings.
        reports: where default folders lie.

    Raises:
        ArgumentError: settings that cannot be met, an output that cannot be written or holds another study's
            records, or no image that can be measured. Records already written stay as they are.
    """
    device = _device(settings.device)
    data, pictures = open_data(settings), open_photographs(settings)
    loaded = open_model(
        settings.model,
        checkpoint=settings.checkpoint,
        pretrained=settings.pretrained,
        random_weights=settings.random_weights,
        seed=settings.seed,
    )
    who = identity(settings, loaded, data)
    subjects = [Subject(MODEL, loaded, device)]
    if not settings.random_weights:
        subjects.append(Subject(TWIN, random_twin(settings.model, seed=settings.seed), device))
    for subject in subjects:
        subject.loaded.model.to(device)
    grid = subjects[0].layout().grid
    photographs = fit(pictures, size=loaded.size, grid=grid, join=settings.mosaic)
    folder = output or reports / folder_name(settings, who)
    if _claim(folder, who):
        log.info("the study in %s is complete: nothing to measure", folder)
        return folder
    started = time.monotonic()
    shards = Shards(folder)
    with _threads(loaded.parameters):
        for rows, progress in collect(settings, data, photographs, subjects, grid, shards.progress()):
            shards.add(rows, progress)
        origin = provenance(
            settings, who, loaded, twin=len(subjects) == 2, seconds=time.monotonic() - started
        )
    done = shards.progress()
    if not done.selected:
        reasons = _reasons(shards.table("images"))
        shards.remove()  # so that the folder is free for other data
        raise ArgumentError(
            "--data",
            "at least one image must pass the selection (two big objects with three patches each)",
            f"none of {done.next_index} in {settings.data} ({reasons})",
            "Give more images, or images with larger objects.",
        )
    shards.merge(folder)
    with _threads(loaded.parameters):
        write_simulations(folder, seed=settings.seed)
    write_json(folder / "results.json", summarise(folder, origin, seed=settings.seed))
    shards.remove()
    return folder


@contextmanager
def _threads(parameters: int) -> Iterator[None]:
    """One thread for NumPy's small products, and for a small model too.

    Their steps are so short that sharing them gains little, and on a busy machine two threads that wait for
    each other take many times as long as one.
    """
    before = torch.get_num_threads()
    with threadpool_limits(1, user_api="blas"):
        torch.set_num_threads(1 if parameters < SMALL_MODEL else before)
        try:
            yield
        finally:
            torch.set_num_threads(before)


def _device(name: str) -> torch.device:
    if name == "cuda" and not torch.cuda.is_available():
        raise ArgumentError(
            "--device", "cuda needs a GPU that torch can use", "none was found", "Use --device cpu, or auto."
        )
    return torch.device(name)


def _claim(folder: Path, who: dict[str, Any]) -> bool:
    """Make the folder this study's own, or refuse it; True if the study in it is complete."""
    file = folder / "study.json"
    holdings = ["shards", "results.json", "index.html", *(f"{name}.parquet" for name in TABLES)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not file.exists() or json.loads(file.read_text("utf-8")) != json.loads(json.dumps(who)):
            if any((folder / name).exists() for name in holdings):
                raise ArgumentError(
                    "--output",
                    "must be empty, or hold records of this very study",
                    f"{folder}, which holds another study's records",
                    "Choose another folder; nothing in this one was changed.",
                )
            write_json(file, who)
    except OSError as error:
        raise ArgumentError(
            "--output", "must be a folder that can be written", f"{folder}: {error}", "Choose another."
        ) from error
    return (folder / "results.json").exists()


def _reasons(images: pa.Table | None) -> str:
    """Why no image was left, in a few words."""
    rows = [] if images is None else images.to_pylist()
    reasons = list(dict.fromkeys(f"{row['image']}: {row['reason']}" for row in rows if row["reason"]))
    return "; ".join(reasons[:3]) or "there was none"
