"""The stage ledger of a study: which stage of a block contracts each cluster, and what its bound allows."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from attnclust.geometry import cluster_diameters, diameter
from attnclust.models import LoadedModel
from attnclust.study.partitions import Partition, of_objects
from attnclust.study.prepare import CLEAN, View, to_input
from attnclust.study.theorem import on_host
from attnclust.vit import (
    STAGES,
    BlockFactors,
    NormFactor,
    UntraceableError,
    block_factors,
    stream,
    stream_stages,
)

# Images that go through the model together: all stages of a block are held at once.
BATCH = 4

log = logging.getLogger("attnclust")

Diameters = dict[str, Any]


def ledger_rows(loaded: LoadedModel, device: torch.device, views: Sequence[View]) -> Iterator[dict[str, Any]]:
    """Rows of the table ``stages`` for the clean views: a row a block, stage and cluster of two tokens or
    more.

    A model whose blocks are not pre-norm has no ledger.
    """
    clean = [view for view in views if view.condition == CLEAN and view.selection.reason is None]
    try:
        yield from _rows(loaded, device, clean)
    except UntraceableError as error:
        log.warning("no stage ledger: %s", error)


def _rows(loaded: LoadedModel, device: torch.device, views: Sequence[View]) -> Iterator[dict[str, Any]]:
    factors: Sequence[BlockFactors] = ()
    for start in range(0, len(views), BATCH):
        some = views[start : start + BATCH]
        images = to_input([view.pixels for view in some], loaded, device)
        layout = next(iter(stream(loaded.model, images, attention=None)))
        factors = factors or block_factors(loaded.model, images)
        partitions = [of_objects(view, layout.grid, layout.prefix_tokens) for view in some]
        blocks = zip(stream_stages(loaded.model, images), factors, strict=True)
        for block, (staged, factor) in enumerate(blocks, start=1):
            for at, (view, partition) in enumerate(zip(some, partitions, strict=True)):
                here = {stage: tokens[at].double() for stage, tokens in staged.items()}
                for row in _of_block(here, factor, partition):
                    yield {"image": view.image, "block": block} | row


def _of_block(
    staged: dict[str, Tensor], factors: BlockFactors, partition: Partition
) -> Iterator[dict[str, Any]]:
    raw, relative, angular = _diameters(staged, partition)
    heads = _of_heads(staged, factors, partition)
    bounds = _bounds(staged, factors, partition, raw, heads)
    everything = [
        (stage, -1, raw[stage], relative[stage], angular[stage], bounds.get(stage)) for stage in STAGES
    ]
    unmeasured = np.full(len(partition.names), np.nan)
    for stage, of_heads in heads.items():
        allowed = bounds.get(f"{stage} of heads")
        everything += [
            (stage, head, diameters, unmeasured, unmeasured, None if allowed is None else allowed[head])
            for head, diameters in enumerate(of_heads)
        ]
    counted = np.bincount(partition.labels[partition.labels >= 0], minlength=len(partition.names)) >= 2
    for stage, head, *columns, bound in everything:
        for cluster in np.flatnonzero(counted):
            yield {
                "stage": stage,
                "head": head,
                "cluster": int(cluster),
                "cluster_name": partition.names[cluster],
                "raw_diameter": float(columns[0][cluster]),
                "relative_diameter": float(columns[1][cluster]),
                "angular_diameter": float(columns[2][cluster]),
                "bound": float("nan") if bound is None else float(bound[cluster]),
            }


def _diameters(staged: dict[str, Tensor], partition: Partition) -> tuple[Diameters, Diameters, Diameters]:
    """By stage, ``(M,)``: raw, relative to all tokens, and in degrees."""
    raw, relative, angular = {}, {}, {}
    for width in dict.fromkeys(tokens.shape[-1] for tokens in staged.values()):
        stages = [stage for stage, tokens in staged.items() if tokens.shape[-1] == width]
        tokens = torch.stack([staged[stage] for stage in stages])
        lengths = tokens.norm(dim=-1, keepdim=True)
        units = tokens / torch.where(lengths > 0, lengths, 1)
        widest, chords = _clusters(tokens, partition), _clusters(units, partition)
        whole = _host(diameter(on_host(tokens)))[:, None]
        for stage, *each in zip(
            stages,
            widest,
            widest / np.where(whole > 0, whole, 1),
            np.degrees(2 * np.arcsin(np.minimum(chords / 2, 1))),
            strict=True,
        ):
            raw[stage], relative[stage], angular[stage] = each
    return raw, relative, angular


def _of_heads(
    staged: dict[str, Tensor], factors: BlockFactors, partition: Partition
) -> dict[str, Float[np.ndarray, "h M"]]:
    """Raw diameters of each head's values, of what it makes of them, and of its part of the projection."""
    if factors.projection is None:
        return {}
    count = len(factors.projection)
    values, mixed = (
        staged[stage].unflatten(-1, (count, -1)).transpose(0, 1) for stage in ("values", "attention")
    )
    parts = mixed @ factors.projection.transpose(1, 2)
    return {
        stage: _clusters(tokens, partition)
        for stage, tokens in (("values", values), ("attention", mixed), ("projection", parts))
    }


def _bounds(
    staged: dict[str, Tensor],
    factors: BlockFactors,
    partition: Partition,
    raw: Diameters,
    heads: dict[str, Float[np.ndarray, "h M"]],
) -> Diameters:
    """On raw diameters, each from the measured diameters of the stage before it.

    Attention has its own bounds, the theorem's; see the table ``steps``.
    """
    bounds: Diameters = {
        # What the branch adds is the difference, so that LayerScale is in it.
        "residual": raw["input"] + _one(staged["residual"] - staged["input"], partition),
        "output": raw["residual"] + _one(staged["output"] - staged["residual"], partition),
    }
    for stage, before, norm in (("norm1", "input", factors.norm1), ("norm2", "residual", factors.norm2)):
        if norm is not None:
            bounds[stage] = raw[before] * _local(norm, staged[before], partition)
    if factors.values is not None:
        whole, each = (_host(norm) for norm in factors.values_norms)
        bounds["values"] = whole * raw["norm1"]
        bounds["values of heads"] = each[:, None] * raw["norm1"]
    if factors.projection is not None:
        whole, each = (_host(norm) for norm in factors.projection_norms)
        allowed = bounds["projection of heads"] = each[:, None] * heads["attention"]
        bounds["projection"] = np.minimum(whole * raw["attention"], allowed.sum(axis=0))
    if factors.mlp is not None:
        bounds["mlp"] = factors.mlp * raw["norm2"]
    return bounds


def _local(norm: NormFactor, tokens: Float[Tensor, "t d"], partition: Partition) -> Float[np.ndarray, " M"]:
    """The normalisation's factor for each cluster: the geometric mean of its tokens' two largest."""
    each = _host(norm.of(tokens))
    largest = [np.sort(each[partition.labels == cluster])[-2:] for cluster in range(len(partition.names))]
    return np.array([np.sqrt(pair.prod()) if len(pair) == 2 else np.nan for pair in largest])


def _one(tokens: Float[Tensor, "t d"], partition: Partition) -> Float[np.ndarray, " M"]:
    return _clusters(tokens[None], partition)[0]


def _clusters(tokens: Float[Tensor, "b t d"], partition: Partition) -> Float[np.ndarray, "b M"]:
    labels = torch.as_tensor(partition.labels, device=tokens.device)
    return _host(cluster_diameters(on_host(tokens), on_host(labels), clusters=len(partition.names)))


def _host(array: Any) -> np.ndarray:
    return array.cpu().numpy() if isinstance(array, Tensor) else np.asarray(array)
