"""What a study measures of one model on a few images: rows for the tables, nothing kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import array_api_compat
import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from attnclust._array import to_numpy
from attnclust.clustering import measure_levels
from attnclust.data import parse_condition, salient_patches
from attnclust.geometry import cluster_diameters, diameter
from attnclust.records import MODEL
from attnclust.study.background import background
from attnclust.study.class_attention import ClassAttention, contrasts
from attnclust.study.controls import control_rows, position_tokens, protocol_rows
from attnclust.study.prepare import CLEAN, View, to_input
from attnclust.study.separation import margins, separation
from attnclust.study.subject import Subject
from attnclust.study.theorem import on_host, theorem_rows
from attnclust.vit import stream

__all__ = ["BATCH", "Rows", "Subject", "measure"]

# Images that go through the model together. Fixed, so that a resumed study makes the same batches.
BATCH = 16

# Conditions that replace the background.
BACKDROPS = ("non-salient", "noise")

Rows = dict[str, list[dict[str, Any]]]


def measure(
    subject: Subject,
    views: Sequence[View],
    *,
    protocol: str,
    steps: bool = True,
    controls: bool = False,
    done: Callable[[int], object] = lambda views: None,
) -> Rows:
    """Everything measured of a subject on these views; those that the selection rule refused are left out.

    ``steps=False`` leaves out the theorem, which costs the most; with ``controls`` it is tested on partitions
    by DBSCAN and at random too. ``done`` is told how many views more are through.
    """
    selected = [view for view in views if view.selection.reason is None]
    rows: Rows = {"measurements": [], "steps": [], "predictions": [], "protocols": []}
    clean = [view for view in selected if view.condition == CLEAN]
    others = [view for view in selected if view.condition != CLEAN]
    for batch, traced in ((clean, steps), (others, False)):
        for start in range(0, len(batch), BATCH):
            part = batch[start : start + BATCH]
            _measure_batch(subject, part, protocol, rows, steps=traced, controls=controls)
            done(len(part))
    if subject.name == MODEL and selected:
        positions, grid = position_tokens(subject), subject.layout().grid
        for view in selected:
            rows["measurements"] += control_rows(view, positions, grid, protocol)
    return rows


def _measure_batch(
    subject: Subject, views: Sequence[View], protocol: str, rows: Rows, *, steps: bool, controls: bool
) -> None:
    model = subject.loaded.model
    images = to_input([view.pixels for view in views], subject.loaded, subject.device)
    levels: list[Tensor] = []
    layout = before = None
    attended = ClassAttention()
    for layout in stream(model, images, attention="heads" if steps else "mean", values=steps):
        attended.add(layout)
        if steps and before is not None:
            for at, view in enumerate(views):
                rows["steps"] += theorem_rows(
                    subject.name, view, layout, before[at].double(), at, controls=controls
                )
        before = layout.tokens.detach()
        levels.append(before)
    assert layout is not None
    rows["predictions"] += _predictions(subject, views, layout.tokens)
    for at, view in enumerate(views):
        # The metrics take the model's own numbers, what follows float64; a GPU's stay there, but for margins
        # and backgrounds.
        own = torch.stack([level[at] for level in levels])
        tokens = on_host(own.double())
        selection = view.selection
        patches = tokens[:, layout.prefix_tokens :]
        own = own[:, layout.prefix_tokens :]
        curves = measure_levels(own, selection.objects, selection.class_names, protocol=protocol)
        if view.condition == CLEAN:
            if subject.name == MODEL:
                rows["protocols"] += protocol_rows(subject.name, view, own, protocol, curves)
            labels, _ = view.labels(layout.grid, layout.prefix_tokens)
            curves |= _diameters(tokens, labels)
            curves |= margins(to_numpy(patches), selection.objects, layout.grid)
        curves |= separation(patches, selection.objects, selection.class_names)
        if (rows_of_class := attended.rows(at)) is not None:
            curves |= contrasts(*rows_of_class, selection.objects)
        if (condition := parse_condition(view.condition)).amount == 1 and condition.kind in BACKDROPS:
            dropped = np.flatnonzero(~salient_patches(view.mask, grid=layout.grid))
            curves |= background(to_numpy(patches), dropped, selection.objects, layout.grid)
        for metric, curve in curves.items():
            for level, value in enumerate(curve):
                rows["measurements"].append(
                    {
                        "subject": subject.name,
                        "image": view.image,
                        "condition": view.condition,
                        "level": level,
                        "metric": metric,
                        "value": float(value),
                    }
                )


def _diameters(
    tokens: Float[Any, "levels t d"], labels: Int[np.ndarray, " t"]
) -> dict[str, Float[np.ndarray, " levels"]]:
    """Mean diameter of the clusters of two tokens or more: raw, relative to all, angular (degrees).

    One number a level and cluster comes to the host.
    """
    xp = array_api_compat.array_namespace(tokens)
    there = xp.asarray(labels, device=array_api_compat.device(tokens))
    counted = np.bincount(labels[labels >= 0]) >= 2
    raw = to_numpy(cluster_diameters(tokens, there))[:, counted].mean(axis=1)
    lengths = xp.linalg.vector_norm(tokens, axis=-1, keepdims=True)
    chords = to_numpy(cluster_diameters(tokens / xp.where(lengths > 0, lengths, 1), there))[:, counted]
    angles = np.degrees(2 * np.arcsin(np.minimum(chords / 2, 1)))
    whole = to_numpy(diameter(tokens))
    return {
        "raw_diameter": raw,
        "relative_diameter": raw / np.where(whole > 0, whole, 1),
        "angular_diameter": angles.mean(axis=1),
    }


def _predictions(subject: Subject, views: Sequence[View], tokens: Tensor) -> Iterator[dict[str, Any]]:
    """The class that the model names, where it is a classifier: its own norm and head on the last level."""
    model: Any = subject.loaded.model
    if not getattr(model, "num_classes", 0):
        return
    with torch.inference_mode():
        scores = model.forward_head(model.norm(tokens)).float().softmax(dim=-1)
    best = scores.max(dim=-1)
    for view, top1, score in zip(views, best.indices.tolist(), best.values.tolist(), strict=True):
        yield {
            "subject": subject.name,
            "image": view.image,
            "condition": view.condition,
            "top1": top1,
            "score": score,
        }
