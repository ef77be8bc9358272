"""On models: the sum of a level-0 view, plus bias and position, is the neuron; views of a traced model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import timm
import torch

from attnclust.neurons import column_view, embedding_view, neuron_view, patch_views, rollout
from attnclust.vit import trace


def check_sums(model: Any, image: torch.Tensor, position: torch.Tensor) -> None:
    """At every patch, for a few neurons: sum(V_0) + bias + position = z_0, to rounding."""
    seen = trace(model, image[None])
    assert seen.attention is not None
    filters, bias = model.patch_embed.proj.weight.detach(), model.patch_embed.proj.bias.detach()
    weights = rollout(
        [m[0].double() / m[0].double().sum(-1, keepdim=True) for m in seen.attention],
        prefix_tokens=seen.prefix_tokens,
    )
    level0 = seen.levels[0][0].double()
    products = filters[0].numel()
    for neuron in (0, 1, filters.shape[0] - 1):
        size = float(filters[neuron].abs().max() * image.abs().max())
        for token in range(seen.prefix_tokens, len(level0)):
            view = neuron_view(image.double(), filters.double(), weights, level=0, token=token, neuron=neuron)
            value = view.sum() + bias[neuron] + position[token, neuron]
            # A float32 convolution over C P P products against a float64 sum.
            assert abs(float(value - level0[token, neuron])) <= products * 2.0**-24 * size
    for token in (seen.prefix_tokens, len(level0) - 1):
        sheet = patch_views(image.double(), filters.double(), patch=token - seen.prefix_tokens)
        values = sheet.sum(dim=(1, 2, 3)) + bias + position[token]
        size = filters.abs().amax(dim=(1, 2, 3)) * image.abs().max()
        assert bool(((values - level0[token]).abs() <= products * 2.0**-24 * size).all())
    laid = embedding_view(image.double(), filters.double(), weights, level=0, token=len(level0) - 1)
    total = laid.sum() + bias.sum() + position[-1].sum()
    assert abs(float(total - level0[-1].sum())) <= len(bias) * products * 2.0**-24 * float(
        filters.abs().max() * image.abs().max()
    )


@pytest.mark.parametrize("no_embed_class", [False, True])
def test_a_view_and_its_bias_and_position_make_the_neuron(no_embed_class: bool) -> None:
    torch.manual_seed(0)
    options: dict[str, Any] = {"img_size": (32, 48), "depth": 2, "embed_dim": 24, "num_heads": 3}
    model: Any = timm.create_model("vit_tiny_patch16_224", no_embed_class=no_embed_class, **options)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    position = model.pos_embed.detach()[0]
    if no_embed_class:
        position = torch.cat([torch.zeros(1, 24), position])
    check_sums(model, torch.randn(3, 32, 48), position)


def test_a_models_own_parameters_may_be_given_and_leave_no_graph() -> None:
    filters = torch.nn.Parameter(torch.randn(5, 3, 4, 4))
    image, weights = torch.randn(3, 8, 4), torch.full((1, 2, 2), 0.5)
    for view in (
        neuron_view(image, filters, weights, level=1, token=0, neuron=2),
        embedding_view(image, filters, weights, level=0, token=1, overlay="max"),
        column_view(image, filters, neuron=4, out=torch.empty(3, 8, 4)),
    ):
        assert not view.requires_grad


def test_on_the_trained_model(real_data: Path) -> None:
    checkpoint = str(real_data / "weights" / "deit_tiny_patch16_224.safetensors")
    model: Any = timm.create_model("deit_tiny_patch16_224", checkpoint_path=checkpoint)
    image = torch.rand(3, 224, 224, generator=torch.Generator().manual_seed(0)) * 4 - 2
    seen = trace(model, image[None])
    assert seen.attention is not None
    filters = model.patch_embed.proj.weight.detach()
    weights = rollout([m[0] for m in seen.attention], prefix_tokens=seen.prefix_tokens)
    assert weights.shape == (12, 197, 196)
    position = model.pos_embed.detach()[0]
    bias = model.patch_embed.proj.bias.detach()
    for token, neuron in [(1, 0), (100, 50), (196, 191)]:
        view = neuron_view(image, filters, weights, level=0, token=token, neuron=neuron)
        value = float(view.double().sum()) + float(bias[neuron] + position[token, neuron])
        bound = 768 * 2.0**-24 * float(filters[neuron].abs().max() * image.abs().max())
        assert abs(value - float(seen.levels[0][0, token, neuron])) <= bound
    # Level 12 by the recursion with one matrix product a level, in float64.
    pictures = torch.zeros(196, 3, 224, 224, dtype=torch.float64)
    for patch in range(196):
        pictures[patch] = neuron_view(image, filters, weights, level=0, token=1 + patch, neuron=7)
    flat = pictures.flatten(1)[:, :: 224 * 7 + 1]  # every 1,569th pixel will do
    literal = seen.attention[0][0, :, 1:].double() @ flat
    for attention in seen.attention[1:]:
        literal = attention[0].double() @ literal
    ours = neuron_view(image, filters, weights, level=12, token=None, neuron=7).flatten(1)[:, :: 224 * 7 + 1]
    # Twelve float32 sums of 197 non-negative products.
    assert float((ours - literal).abs().max()) <= 12 * 199 * 2.0**-24 * float(literal.abs().max())
