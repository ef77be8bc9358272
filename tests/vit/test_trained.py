"""The trained DeiT-Tiny on real photographs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from torch import Tensor, nn

from attnclust.data import VOCObjects, select_objects, squash
from attnclust.geometry import cluster_diameters, diameter
from attnclust.vit import stage_ledger, stream, trace

from .small_models import plain, unfused_weights


@pytest.fixture(scope="module")
def model(real_data: Path) -> nn.Module:
    checkpoint = real_data / "weights" / "deit_tiny_patch16_224.safetensors"
    return timm.create_model("deit_tiny_patch16_224", checkpoint_path=str(checkpoint)).eval()


@pytest.fixture(scope="module")
def photos(real_data: Path) -> Tensor:
    files = sorted((real_data / "photos").glob("*.jp*g"))[:3]
    assert len(files) == 3
    return normalise(np.stack([np.asarray(Image.open(f).convert("RGB").resize((224, 224))) for f in files]))


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
            assert float(diameter(after[0, head])) <= float(diameter(before[0, head])) + slack


def test_the_residual_stream_contracts_and_expands_as_measured_before(
    real_data: Path, model: nn.Module
) -> None:
    """Once measured on 21 images: the objects' raw diameters fall to a third by the middle and grow back by
    the end; relative to all tokens they fall from about 0.81 to 0.64; angular ones stay nearly flat."""
    images, labels = (torch.stack(each) for each in zip(*_selected(real_data), strict=True))
    assert len(images) == 21
    raw, relative, chords = [], [], []
    for level in stream(model, images, attention=None):
        tokens = level.tokens
        counted = torch.stack([torch.bincount(row[row >= 0], minlength=9) > 0 for row in labels])
        widest = cluster_diameters(tokens, labels, clusters=9)
        unit = cluster_diameters(tokens / tokens.norm(dim=-1, keepdim=True), labels, clusters=9)
        share = widest / diameter(tokens)[:, None]
        for curve, each in zip((raw, relative, chords), (widest, share, unit), strict=True):
            curve.append(float(((each * counted).sum(dim=1) / counted.sum(dim=1)).mean()))
    assert len(raw) == 13
    assert 0.25 < raw[5] / raw[0] < 0.4
    assert 2 < raw[12] / raw[5] < 3
    assert abs(relative[0] - 0.81) < 0.01
    assert abs(relative[12] - 0.64) < 0.01
    assert max(chords) - min(chords) < 0.15 * max(chords)


def test_attention_contracts_what_the_values_spread_in_every_block(real_data: Path, model: nn.Module) -> None:
    image, labels = next(_selected(real_data))
    ledger = stage_ledger(model, image[None], lambda tokens: float(cluster_diameters(tokens, labels).mean()))
    assert all(block["attention"] < block["values"] for block in ledger)


def _selected(real_data: Path) -> Iterator[tuple[Tensor, Tensor]]:
    """Images that pass the official selection, with their objects' tokens labelled."""
    for sample in VOCObjects(real_data / "VOCdevkit" / "VOC2007"):
        small = squash(sample, size=224)
        chosen = select_objects(small.instances, small.classes, grid=(14, 14))
        if chosen.reason is None:
            labels = torch.full((197,), -1)
            for cluster, patches in enumerate(chosen.objects.values()):
                labels[1 + torch.as_tensor(patches)] = cluster
            yield normalise(small.image[None])[0], labels


def normalise(pixels: np.ndarray) -> Tensor:
    """(B, H, W, 3) of 0..255, as DeiT sees them."""
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return ((torch.from_numpy(pixels.astype(np.float32)) / 255 - mean) / std).permute(0, 3, 1, 2)
