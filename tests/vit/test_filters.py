"""Filters of plain patch embeddings, and refusal of others by name."""

from __future__ import annotations

from typing import Any

import pytest
import timm
import torch
from torch import nn

from attnclust.vit import UntraceableError, patch_filters

from .small_models import FAMILIES, Family


@pytest.mark.parametrize("family", FAMILIES, ids=[f.name for f in FAMILIES])
def test_a_filter_times_a_patch_is_what_the_embedding_gives(family: Family) -> None:
    model: Any = family.build()
    image = family.images(1)
    filters, bias = patch_filters(model), model.patch_embed.proj.bias
    assert filters.shape == (24, 3, family.patch, family.patch)
    assert not filters.requires_grad
    size = family.patch
    patch = image[0, :, :size, size : 2 * size].double()  # row 0, column 1
    expected = (filters.double() * patch).sum(dim=(1, 2, 3)) + (0 if bias is None else bias.detach().double())
    with torch.no_grad():
        embedded = model.patch_embed(image)
    token = embedded[0, 0, 1] if embedded.ndim == 4 else embedded[0, 1]
    torch.testing.assert_close(token.double(), expected, rtol=1e-4, atol=1e-4)


class Embedding(nn.Module):
    def __init__(self, convolution: nn.Module, norm: nn.Module | None = None) -> None:
        super().__init__()
        self.proj, self.norm = convolution, norm


class Model(nn.Module):
    def __init__(self, *parts: nn.Module) -> None:
        super().__init__()
        self.patch_embed = Embedding(*parts)


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (lambda: Model(nn.Conv2d(3, 8, 16, 8)), r"Model, .*stride \(8, 8\): its patches overlap"),
        (lambda: Model(nn.Conv2d(3, 8, 16, 16, padding=1)), "padded, dilated or grouped"),
        (lambda: Model(nn.Conv2d(3, 9, 16, 16, groups=3)), "padded, dilated or grouped"),
        (lambda: Model(nn.Conv2d(3, 8, 4, 4, dilation=2)), "padded, dilated or grouped"),
        (lambda: Model(nn.Conv2d(3, 8, 4, 4), nn.LayerNorm(8)), "followed by a LayerNorm"),
        (lambda: Model(nn.Linear(768, 8)), "no single convolution"),
        (lambda: nn.Linear(2, 2), r"Linear, whose patch_embed \(NoneType\) is no single convolution"),
        (
            lambda: timm.create_model("vit_tiny_r_s16_p8_224", depth=1),
            "VisionTransformer, .*HybridEmbed.* no single",
        ),
    ],
)
def test_other_embeddings_are_refused_by_name(model: Any, reason: str) -> None:
    with pytest.raises(UntraceableError, match=reason):
        patch_filters(model())
