"""Levels of the trained DeiT-Tiny on the real images that pass the selection."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
import timm
import torch

from attnclust.data import VOCObjects, select_objects, squash


class RealImage(NamedTuple):
    levels: np.ndarray  # (13, 196, 192) float32, patch tokens
    objects: dict[int, np.ndarray]
    class_names: dict[int, str]


@pytest.fixture(scope="session")
def real_levels(real_data) -> list[RealImage]:
    weights = real_data / "weights" / "deit_tiny_patch16_224.safetensors"
    model = timm.create_model("deit_tiny_patch16_224", checkpoint_path=str(weights)).eval()
    images = []
    for sample in VOCObjects(real_data / "VOCdevkit"):
        small = squash(sample, 224)
        selection = select_objects(small.instances, small.classes, grid=14)
        if selection.reason is None:
            pixels = (small.image / 255 - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)
            levels = _levels(model, torch.from_numpy(pixels))
            images.append(RealImage(levels, selection.objects, selection.class_names))
    return images


def _levels(model, pixels: torch.Tensor) -> np.ndarray:
    with torch.no_grad():
        tokens = model._pos_embed(model.patch_embed(pixels.float().permute(2, 0, 1)[None]))
        levels = [tokens]
        for block in model.blocks:
            levels.append(block(levels[-1]))
    return torch.cat(levels)[:, 1:].numpy()
