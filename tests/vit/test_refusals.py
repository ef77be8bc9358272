"""What cannot be traced truthfully is refused by name, and wrong images are told what is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import timm
import torch
from timm.models import vision_transformer
from torch import nn

from attnclust._array import ArgumentError, ArgumentTypeError
from attnclust.vit import UntraceableError, stream, trace

from .small_models import FAMILIES, SMALL, Family


def vit(**options: Any) -> nn.Module:
    return Family("vit", "vit_tiny_patch16_224", 1, options=options).build()


def images(batch: int = 2) -> torch.Tensor:
    return FAMILIES[0].images(batch)


@pytest.mark.parametrize(
    ("name", "options", "reason"),
    [
        (
            "swin_tiny_patch4_window7_224",
            {"embed_dim": 12, "depths": (1, 1), "num_heads": (1, 2)},
            "windowed",
        ),
        ("vit_dlittle_patch16_reg1_gap_256", {"depth": 1, "embed_dim": 24, "num_heads": 3}, "differential"),
        ("cait_xxs24_224", {"depth": 1, "embed_dim": 24, "num_heads": 3}, "talking heads"),
        ("xcit_nano_12_p16_224", {"depth": 1, "embed_dim": 24, "num_heads": 3}, "cross-covariance"),
        ("convit_tiny", {"depth": 1}, "gated positional"),
        (
            "samvit_base_patch16",
            {"depth": 1, "embed_dim": 24, "num_heads": 3, "img_size": 224},
            "VisionTransformerSAM",
        ),
        ("pit_ti_224", {}, r"PoolingVisionTransformer without"),
        ("resnet10t", {}, r"\.blocks; got ResNet without"),
    ],
)
def test_other_architectures(name: str, options: dict[str, Any], reason: str) -> None:
    model = timm.create_model(name, num_classes=0, **options)
    with pytest.raises(UntraceableError, match=reason):
        trace(model, torch.rand(1, 3, 224, 224))


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        (vision_transformer.DiffParallelScalingBlock, "differential"),
        (
            vision_transformer.ParallelThingsBlock,
            r"block 1 \(ParallelThingsBlock\) must have one attention; .* 2 in one",
        ),
    ],
)
def test_blocks_with_two_maps(block: type[nn.Module], reason: str) -> None:
    with pytest.raises(UntraceableError, match=reason):
        trace(vit(block_fn=block), images())


def test_a_parallel_block_with_one_attention_is_traced() -> None:
    seen = trace(vit(block_fn=vision_transformer.ParallelScalingBlock), images(), attention="heads")
    assert seen.attention is not None
    assert seen.attention[0].shape == (2, 3, 7, 7)


def test_attention_that_is_not_fused_is_refused_with_the_remedy() -> None:
    model: Any = vit()
    model.blocks[1].attn.fused_attn = False
    with pytest.raises(UntraceableError, match=r"block 2 \(Block\) must call .* switch, set it to True"):
        trace(model, images())


def test_a_compiled_model_is_refused() -> None:
    with pytest.raises(UntraceableError, match="compiled"):
        trace(torch.compile(vit()), images())  # pyright: ignore[reportArgumentType]


def test_a_model_without_blocks_is_refused() -> None:
    with pytest.raises(UntraceableError, match="must have a block; got VisionTransformer with none"):
        trace(vit(depth=0), images())


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        (np.zeros((1, 3, 32, 48), np.float32), ArgumentTypeError, "torch tensor; got ndarray"),
        (torch.zeros(3, 32, 48), ArgumentError, r"shape \(3, 32, 48\)"),
        (torch.zeros(0, 3, 32, 48), ArgumentError, "batch of at least 1"),
        (torch.zeros(1, 1, 32, 48), ArgumentError, "takes 3 channels; got 1"),
        (torch.zeros(1, 3, 48, 32), ArgumentError, "32 x 48 pixels; got 48 x 32"),
        (torch.zeros(1, 3, 32, 48, dtype=torch.uint8), ArgumentTypeError, r"torch.float32; got torch.uint8"),
        (
            torch.zeros(1, 3, 32, 48, dtype=torch.float16),
            ArgumentTypeError,
            r"Use images.to\(torch.float32\)",
        ),
        (torch.zeros(1, 3, 32, 48, device="meta"), ArgumentError, "model's device, cpu; got meta"),
    ],
)
def test_wrong_images(wrong: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        trace(vit(), wrong)


def test_sizes_that_no_grid_fits() -> None:
    model = vit(dynamic_img_size=True)
    with pytest.raises(ArgumentError, match="multiples of the patch, 16 x 16 pixels; got 32 x 40"):
        trace(model, torch.zeros(1, 3, 32, 40))


def test_not_a_number_in_pixels_names_the_image() -> None:
    batch = images(3)
    batch[1, 0, 0, 0] = torch.nan
    with pytest.raises(ArgumentError, match="NaN or infinity in image 1"):
        trace(vit(), batch)


@pytest.mark.parametrize(
    ("weight", "place"),
    [
        ("patch_embed.proj.weight", r"level 0 \(the input of block 1\)"),
        ("blocks.0.attn.qkv.weight", r"the attention of block 1 \(Block\)"),
        ("blocks.0.attn.proj.weight", r"level 1 \(the output of block 1 \(Block\)\)"),
        ("blocks.1.mlp.fc2.bias", r"level 2 \(the output of block 2 \(Block\)\)"),
    ],
)
def test_not_a_number_in_weights_names_level_and_weight(weight: str, place: str) -> None:
    model = vit()
    trace(model, images())
    with torch.no_grad():
        model.get_parameter(weight).view(-1)[0] = torch.nan
    own_name = weight.removeprefix("blocks.0.").removeprefix("blocks.1.")
    with pytest.raises(ArgumentError, match=rf"{place}; .*'{own_name}'"):
        trace(model, images())
    fresh = vit()
    fresh.load_state_dict(model.state_dict())
    with pytest.raises(ArgumentError, match=place):
        trace(fresh, images())


def test_overflow_of_half_precision_names_the_level() -> None:
    model: Any = vit().half()
    with torch.no_grad():
        for block in model.blocks:
            block.mlp.fc2.bias.fill_(6e4)
    with pytest.raises(ArgumentError, match=r"level 2 .*NaN or infinity in torch.float16. Scale"):
        trace(model, images().half())


@pytest.mark.parametrize("wrong", ["head", "", 1, True])
def test_unknown_kind_of_attention(wrong: Any) -> None:
    with pytest.raises(ArgumentError, match="attention: one of 'mean', 'heads', None"):
        trace(vit(), images(), attention=wrong)


def test_wrong_arguments_are_refused_before_the_first_level_is_asked_for() -> None:
    with pytest.raises(ArgumentTypeError, match="model: must be a torch module; got str"):
        stream("vit_tiny_patch16_224", images())  # pyright: ignore[reportArgumentType]
    with pytest.raises(ArgumentTypeError, match="images"):
        stream(vit(), "photo.jpg")


def test_small_models_have_distinct_axes() -> None:
    assert len({SMALL["embed_dim"], SMALL["num_heads"], 8, 7, 5}) == 5
