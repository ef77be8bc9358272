"""Small models of every family, with weights that leave nothing at zero, and timm's own unfused attention."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import timm
import torch
from torch import Tensor, nn

# Width 24 in 3 heads of 8, images of 2 x 3 patches: no two axes alike.
SMALL: dict[str, Any] = {"depth": 2, "embed_dim": 24, "num_heads": 3, "num_classes": 5}


@dataclass(frozen=True)
class Family:
    """A model of timm's, at a small size, and what its tokens must look like."""

    name: str
    model: str
    prefix: int
    patch: int = 16
    grid: tuple[int, int] = (2, 3)
    options: dict[str, Any] = field(default_factory=dict)

    def build(self, dtype: torch.dtype = torch.float32) -> nn.Module:
        size = (self.grid[0] * self.patch, self.grid[1] * self.patch)
        options = {"img_size": size, **SMALL, **self.options}
        return disturb(timm.create_model(self.model, **options)).to(dtype).eval()

    def images(self, batch: int = 5, dtype: torch.dtype = torch.float32) -> Tensor:
        generator = torch.Generator().manual_seed(7)
        size = (self.grid[0] * self.patch, self.grid[1] * self.patch)
        return torch.randn(batch, 3, *size, generator=generator).to(dtype)


FAMILIES = [
    Family("vit", "vit_tiny_patch16_224", 1),
    Family("no-class-token", "vit_tiny_patch16_224", 0, options={"class_token": False, "global_pool": "avg"}),
    Family("global-pool", "vit_tiny_patch16_224", 1, options={"global_pool": "avg"}),
    Family("deit", "deit_tiny_patch16_224", 1),
    Family("deit-distilled", "deit_tiny_distilled_patch16_224", 2),
    Family("deit3", "deit3_small_patch16_224", 1),
    Family("dinov2-registers", "vit_small_patch14_reg4_dinov2", 5, patch=14),
    Family("dinov3", "vit_small_patch16_dinov3", 5, options={"use_fc_norm": False}),
    Family("eva02", "eva02_tiny_patch14_224", 1, patch=14),
    Family("eva02-norm", "eva02_base_patch14_224", 1, patch=14),
    Family("eva-rope-mixed", "vit_base_patch16_rope_mixed_224", 1),
    Family("siglip", "vit_base_patch16_siglip_224", 0),
    Family("clip", "vit_base_patch32_clip_224", 1, patch=32),
    Family("beit", "beit_base_patch16_224", 1),
    Family("layer-scale", "vit_tiny_patch16_224", 1, options={"init_values": 0.1}),
    Family("qk-norm", "vit_tiny_patch16_224", 1, options={"qk_norm": True}),
    Family("scale-norm", "vit_tiny_patch16_224", 1, options={"scale_attn_norm": True}),
    Family("patch-8", "vit_small_patch8_224", 1, patch=8),
    Family("patch-14", "vit_small_patch14_dinov2", 1, patch=14),
    Family("patch-32", "vit_small_patch32_224", 1, patch=32),
    Family("tall", "vit_tiny_patch16_224", 1, grid=(5, 2)),
    Family(
        "dynamic", "vit_tiny_patch16_224", 1, grid=(3, 4), options={"dynamic_img_size": True, "img_size": 32}
    ),
    Family("relpos", "vit_relpos_small_patch16_224", 0),
]


def disturb(model: nn.Module, seed: int = 3) -> nn.Module:
    """Add noise to every parameter: zero-initialised biases and tables must count too."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.3)
    return model


def plain(model: nn.Module, images: Tensor) -> tuple[list[Tensor], Tensor]:
    """Input of block 1, outputs of all blocks, and the output of the model, from its own fused forward."""
    levels: list[Tensor] = []
    blocks = list(model.get_submodule("blocks").children())

    def first(_module: nn.Module, args: Any) -> None:
        levels.append(args[0])

    def after(_module: nn.Module, _args: Any, output: Tensor) -> None:
        levels.append(output)

    handles: list[Any] = [blocks[0].register_forward_pre_hook(first)]
    handles += [block.register_forward_hook(after) for block in blocks]
    with torch.no_grad():
        output = model(images)
    for handle in handles:
        handle.remove()
    return levels, output


def unfused_weights(model: nn.Module, images: Tensor) -> list[Tensor]:
    """Each head's attention as timm computes it itself when fused attention is off: what enters attn_drop."""
    maps: list[Tensor] = []
    attentions: list[Any] = [
        block.get_submodule("attn") for block in model.get_submodule("blocks").children()
    ]
    handles = [
        a.attn_drop.register_forward_hook(lambda _m, args, _o: maps.append(args[0])) for a in attentions
    ]
    for attention in attentions:
        attention.fused_attn = False
    with torch.no_grad():
        model(images)
    for attention, handle in zip(attentions, handles, strict=True):
        attention.fused_attn = True
        handle.remove()
    return maps
