"""What the report draws neurons from: one neuron's column, and the roll-out's rows of a few tokens."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8

from attnclust.neurons import column_view, rollout
from attnclust.study.measure import Rows, Subject
from attnclust.study.prepare import View, to_input
from attnclust.vit import UntraceableError, patch_filters, trace

log = logging.getLogger("attnclust")


def neuron_rows(
    subject: Subject, name: str, pixels: UInt8[np.ndarray, "h w 3"], tokens: Mapping[str, int]
) -> Rows:
    """Rows for the tables ``pictures`` and ``views`` of one image.

    The neuron drawn is the one whose column at level 0 varies most over the patches of this image.

    Args:
        subject: the model.
        name: the image's name.
        pixels: the image at the model's input size.
        tokens: role -> patch index; the class token is added where the model has one.
    """
    try:
        filters = patch_filters(subject.loaded.model).float().cpu()
    except UntraceableError as error:
        log.warning("no views of neurons: %s", error)
        return {"pictures": [], "views": []}
    image = to_input([pixels], subject.loaded, subject.device)
    traced = trace(subject.loaded.model, image, attention="mean")
    prefix = traced.prefix_tokens
    assert traced.attention is not None
    rows = rollout([maps[0] for maps in traced.attention], prefix_tokens=prefix).cpu().numpy()
    neuron = _most_varied(image[0].cpu(), filters)
    column = column_view(image[0].cpu(), filters, neuron=neuron).numpy()
    roles = ({"class token": 0} if prefix else {}) | {role: prefix + patch for role, patch in tokens.items()}
    return {
        "pictures": [
            _picture(name, "input", -1, pixels),
            _picture(name, "filter", neuron, filters[neuron].numpy().astype("<f2")),
            _picture(name, "column", neuron, column.astype("<f2")),
        ],
        "views": [
            {
                "image": name,
                "token": token,
                "role": role,
                "level": level,
                "weights": rows[level - 1, token].tolist(),
            }
            for role, token in roles.items()
            for level in range(1, len(rows) + 1)
        ],
    }


def tokens_of(view: View, grid: tuple[int, int]) -> dict[str, int]:
    """One patch an object (the nearest to its middle), and the background patch farthest from all objects."""
    place = np.stack(np.divmod(np.arange(grid[0] * grid[1]), grid[1]), axis=1).astype(float)
    chosen: dict[str, int] = {}
    for identifier, patches in view.selection.objects.items():
        middle = place[patches].mean(axis=0)
        nearest = patches[np.square(place[patches] - middle).sum(axis=1).argmin()]
        chosen[f"object {identifier}: {view.selection.class_names[identifier]}"] = int(nearest)
    covered = place[np.concatenate(list(view.selection.objects.values()))]
    distance = np.square(place[:, None] - covered[None]).sum(axis=2).min(axis=1)
    return chosen | {"background": int(distance.argmax())}


def corner_and_middle(grid: tuple[int, int]) -> dict[str, int]:
    """Two patches of a picture without masks."""
    return {"middle patch": grid[0] // 2 * grid[1] + grid[1] // 2, "corner patch": 0}


def _most_varied(image: Float[torch.Tensor, "c h w"], filters: Float[torch.Tensor, "d c p p"]) -> int:
    """The filter whose answers differ most from patch to patch."""
    answers = torch.nn.functional.conv2d(image[None], filters, stride=filters.shape[2:])
    return int(answers.flatten(2).std(dim=2).argmax())


def _picture(image: str, kind: str, neuron: int, array: np.ndarray) -> dict[str, Any]:
    return {
        "image": image,
        "kind": kind,
        "neuron": neuron,
        "shape": list(array.shape),
        "dtype": array.dtype.str,
        "data": np.ascontiguousarray(array).tobytes(),
    }
