"""The theorem's steps inside a model: every rung of the ladder, per image, block, head and cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from attnclust.attention import attend
from attnclust.bounds import (
    linear_bound,
    paper_appendix_bound,
    paper_main_bound,
    product_bound,
    sharp_bound,
)
from attnclust.geometry import diameter
from attnclust.records import OBJECTS, PER_HEAD, SIMPLIFIED
from attnclust.study.partitions import Partition, control_partitions, of_objects
from attnclust.study.prepare import View
from attnclust.verify import Verification, verify
from attnclust.vit import Level

# The rungs that know a step by its range alone, and so have a pooled form.
FROM_RANGES = {
    "paper_main": paper_main_bound,
    "paper_appendix": paper_appendix_bound,
    "linear": linear_bound,
    "product": product_bound,
    "sharp": sharp_bound,
}


def theorem_rows(
    subject: str, view: View, level: Level, before: Float[Tensor, "t d"], at: int, *, controls: bool
) -> Iterator[dict[str, Any]]:
    """The theorem on one image and block: the simplified layer, and every head on its own values.

    Args:
        subject: who is measured.
        view: the image and its objects.
        level: the block's output, with the attention of every head, and values.
        before: the block's input for this image, float64.
        at: the image's place in the batch.
        controls: whether to test partitions by DBSCAN and at random too.
    """
    assert level.attention is not None
    assert level.values is not None
    heads = level.attention[at].double()
    # The model's rows sum to 1 up to the rounding of its own dtype; a theorem about stochastic matrices is
    # tested on one.
    heads = heads / heads.sum(dim=-1, keepdim=True)
    partitions = {OBJECTS: of_objects(view, level.grid, level.prefix_tokens)}
    if controls:
        patches = before.cpu().numpy()
        partitions |= control_partitions(view, patches, level.grid, level.prefix_tokens, block=level.index)
    for form, first, attention, tokens in (
        (SIMPLIFIED, -1, heads.mean(dim=0, keepdim=True), before[None]),
        (PER_HEAD, 0, heads, level.values[at].double()),
    ):
        key = {"subject": subject, "form": form, "image": view.image, "block": level.index}
        yield from _rows(key, on_host(attention), on_host(tokens), partitions, first)


def on_host(tensor: Tensor) -> Any:
    """The tensor where its arithmetic is done: on its own GPU; else in NumPy, whose small products are faster
    than torch's.
    """
    return tensor if tensor.is_cuda else tensor.numpy()


def _rows(
    key: dict[str, Any],
    attention: Any,
    tokens: Any,
    partitions: Mapping[str, Partition],
    first: int,
) -> Iterator[dict[str, Any]]:
    """A row a partition, head, cluster and rung, of attention ``(h, t, t)`` on tokens ``(h, t, d)``.

    Heads are counted from `first`. Of the objects: also with one pooled range, and a row for all tokens.
    """
    labels = np.stack([partition.labels for partition in partitions.values()])[:, None]
    if isinstance(attention, Tensor):
        labels = torch.as_tensor(labels, device=attention.device)
    most = max(len(partition.names) for partition in partitions.values())
    # All partitions at once: what does not depend on them is measured once.
    verified = _on_host(verify(attention, tokens, labels, clusters=most))
    after = _numpy(diameter(attend(attention, tokens)))
    n = labels.shape[-1]
    for place, (name, partition) in enumerate(partitions.items()):
        found, whole = _at(verified, place), name == OBJECTS
        one_range = _pooled(found, n) if whole else {}
        for index in range(len(tokens)):
            here = key | {
                "partition": name,
                "head": first + index,
                "diameter_all": float(found["diameter"][index]),
                "pooled": False,
            }
            if whole:
                yield _contraction(here, float(after[index]), float(found["tolerance"][index]), n)
            for cluster, cluster_name in enumerate(partition.names):
                if found["counted"][index, cluster]:
                    of_cluster = here | {"cluster": cluster, "cluster_name": cluster_name}
                    yield from _rungs(of_cluster, found, found, index, n)
                    if whole:
                        yield from _rungs(of_cluster | {"pooled": True}, found, one_range, index, n)


def _at(found: dict[str, Any], place: int) -> dict[str, Any]:
    """The arrays of one partition."""
    return {
        name: _at(value, place) if isinstance(value, dict) else value[place] for name, value in found.items()
    }


def _pooled(step: dict[str, Any], tokens: int) -> dict[str, Any]:
    """The rungs from ranges with the paper's one range for all clusters, as ``verify(pooled=True)`` has them,
    without measuring the step again: the range of all weights that leave a cluster.
    """
    leaves = (step["outside"] > 0) & (step["outside"] < tokens)
    least = np.where(leaves, step["eps_lower"], np.inf).min(axis=-1, keepdims=True)
    greatest = np.where(leaves, step["eps_upper"], 0.0).max(axis=-1, keepdims=True)
    ranges = {"eps_lower": np.where(leaves, least, 0.0), "eps_upper": np.where(leaves, greatest, 0.0)}
    border, current = step["tolerance"][..., None], step["current"]
    bounds = {
        rung: bound(current, step["diameter"][..., None], outside=step["outside"], **ranges)
        for rung, bound in FROM_RANGES.items()
    }
    return {
        **ranges,
        "bounds": bounds,
        "holds": {rung: step["measured"] <= bound + border for rung, bound in bounds.items()},
        "certified": {rung: bound < current - border for rung, bound in bounds.items()},
    }


def _on_host(verified: Verification) -> dict[str, Any]:
    """All arrays in NumPy, those of dictionaries too."""
    return {
        name: {rung: _numpy(each) for rung, each in value.items()}
        if isinstance(value, Mapping)
        else _numpy(value)
        for name, value in vars(verified).items()
    }


def _numpy(array: Any) -> np.ndarray:
    return array.cpu().numpy() if isinstance(array, Tensor) else np.asarray(array)


def _rungs(
    key: dict[str, Any], step: dict[str, Any], ladder: dict[str, Any], index: int, tokens: int
) -> Iterator[dict[str, Any]]:
    here = (index, key["cluster"])
    outside = int(step["outside"][here])
    measured = {
        "tokens": tokens - outside,
        "outside": outside,
        "eps_lower": float(ladder["eps_lower"][here]),
        "eps_upper": float(ladder["eps_upper"][here]),
        "diameter_before": float(step["current"][here]),
        "diameter_after": float(step["measured"][here]),
        "shrinks": bool(step["shrinks"][here]),
    }
    for rung, bound in ladder["bounds"].items():
        yield (
            key
            | measured
            | {
                "rung": rung,
                "bound": float(bound[here]),
                "holds": bool(ladder["holds"][rung][here]),
                "certified": bool(ladder["certified"][rung][here]),
            }
        )


def _contraction(key: dict[str, Any], after: float, tolerance: float, tokens: int) -> dict[str, Any]:
    """Theorem 3.1(i): the diameter of all tokens does not grow."""
    before = key["diameter_all"]
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
