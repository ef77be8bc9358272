"""From a labelled image to what the model sees under each condition, and which objects count there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Int, UInt8
from torch import Tensor

from attnclust.data import LabelledImage, Selection, apply_condition, select_objects, squash
from attnclust.models import LoadedModel
from attnclust.records import BACKGROUND

CLEAN = "clean"


@dataclass(frozen=True)
class View:
    """One image under one condition, at the model's input size."""

    image: str
    condition: str
    pixels: UInt8[np.ndarray, "h w 3"]
    mask: UInt8[np.ndarray, "h w"]  # object numbers, after the condition
    selection: Selection

    @property
    def row(self) -> dict[str, Any]:
        """The view's row of the table ``images``."""
        return {
            "image": self.image,
            "condition": self.condition,
            "selected": self.selection.reason is None,
            "reason": self.selection.reason,
            "readable": True,
            "objects": len(self.selection.objects),
            "patches": sum(patches.size for patches in self.selection.objects.values()),
            "contested": self.selection.contested,
        }

    def labels(self, grid: tuple[int, int], prefix_tokens: int) -> tuple[Int[np.ndarray, " t"], list[str]]:
        """Each token's cluster (objects, then background; -1 for prefix tokens), and the clusters' names."""
        labels = np.full(prefix_tokens + grid[0] * grid[1], -1)
        labels[prefix_tokens:] = len(self.selection.objects)
        for index, patches in enumerate(self.selection.objects.values()):
            labels[prefix_tokens + patches] = index
        return labels, [*self.selection.class_names.values(), BACKGROUND]


def views_of(
    sample: LabelledImage,
    conditions: Sequence[str],
    *,
    size: tuple[int, int],
    grid: tuple[int, int],
    seed: int,
) -> list[View]:
    """An image under each condition, ``clean`` always first, decoded and squashed once."""
    small = squash(sample, size)
    views = []
    for condition in dict.fromkeys([CLEAN, *conditions]):
        pixels, mask = apply_condition(
            condition, small.image, small.instances, grid=grid, seed=seed, name=sample.name
        )
        selection = select_objects(mask, sample.classes, grid=grid)
        views.append(View(sample.name, condition, pixels, mask, selection))
    return views


def to_input(
    pixels: Sequence[UInt8[np.ndarray, "h w 3"]], loaded: LoadedModel, device: torch.device
) -> Float32[Tensor, "b 3 h w"]:
    """Pixels as the model was trained to see them: in [0, 1], then normalised with its own mean and std."""
    batch = torch.from_numpy(np.stack(pixels)).to(device).permute(0, 3, 1, 2).float() / 255
    mean, std = (batch.new_tensor(values).reshape(1, 3, 1, 1) for values in (loaded.mean, loaded.std))
    return (batch - mean) / std
