"""The trained DeiT-Tiny on real photographs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from torch import Tensor, nn

from attnclust.vit import trace

from .small_models import plain, unfused_weights


@pytest.fixture(scope="module")
def model(real_data: Path) -> nn.Module:
    checkpoint = real_data / "weights" / "deit_tiny_patch16_224.safetensors"
    return timm.create_model("deit_tiny_patch16_224", checkpoint_path=str(checkpoint)).eval()


@pytest.fixture(scope="module")
def photos(real_data: Path) -> Tensor:
    files = sorted((real_data / "photos").glob("*.jp*g"))[:3]
    assert len(files) == 3
    pixels = [
        np.asarray(Image.open(file).convert("RGB").resize((224, 224)), np.float32) / 255 for file in files
    ]
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return ((torch.from_numpy(np.stack(pixels)) - mean) / std).permute(0, 3, 1, 2)


def test_trace_of_a_trained_model(model: nn.Module, photos: Tensor) -> None:
    seen = trace(model, photos, attention="heads", values=True)
    levels, output = plain(model, photos)
    assert seen.attention is not None
    assert len(seen.levels) == 13
    assert all(torch.equal(a, b) for a, b in zip(seen.levels, levels, strict=True))
    theirs = unfused_weights(model, photos)
    for ours, reference in zip(seen.attention, theirs, strict=True):
        assert ours.shape == (3, 3, 197, 197)
        assert float((ours - reference).abs().max()) < 1e-4
    vit: Any = model
    assert torch.equal(vit.forward_head(vit.norm(seen.levels[-1])), output)


def test_value_diameters_shrink_in_every_head(model: nn.Module, photos: Tensor) -> None:
    """Theorem 3.1(i) holds for each head's values, whatever the block does; a wrong map would break it."""
    seen = trace(model, photos[:1], attention="heads", values=True)
    assert seen.attention is not None
    assert seen.values is not None
    for weights, values in zip(seen.attention, seen.values, strict=True):
        before, after = (
            values.double(),
            (weights.double() / weights.double().sum(-1, keepdim=True)) @ values.double(),
        )
        for head in range(3):
            slack = 1e-12 * float(before.abs().max())
            assert diameter(after[0, head]) <= diameter(before[0, head]) + slack


def diameter(points: Tensor) -> float:
    return float((points[:, None] - points[None]).norm(dim=-1).max())
