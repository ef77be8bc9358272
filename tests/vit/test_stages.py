"""The stages of a block, against the block's modules called one by one."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from timm.models import vision_transformer
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention
from torchvision.models import VisionTransformer as TorchvisionViT

from attnclust.geometry import cluster_diameters
from attnclust.vit import STAGES, TorchvisionAdapter, UntraceableError, stage_ledger, trace

from .small_models import FAMILIES, Family, disturb


def by_hand(block: Any, tokens: Tensor) -> dict[str, Tensor]:
    """A plain timm block, taken apart."""
    stages = {"input": tokens, "norm1": block.norm1(tokens)}
    query, key, value = block.attn.qkv(stages["norm1"]).unflatten(-1, (3, 3, 8)).permute(2, 0, 3, 1, 4)
    stages["values"] = value.transpose(1, 2).flatten(2)
    mixed = scaled_dot_product_attention(query, key, value)
    stages["attention"] = mixed.transpose(1, 2).flatten(2)
    stages["projection"] = block.attn.proj(stages["attention"])
    stages["residual"] = tokens + block.ls1(stages["projection"])
    stages["norm2"] = block.norm2(stages["residual"])
    stages["mlp"] = block.mlp(stages["norm2"])
    stages["output"] = stages["residual"] + block.ls2(stages["mlp"])
    return stages


@pytest.mark.parametrize("options", [{}, {"init_values": 0.1}], ids=["plain", "LayerScale"])
def test_stages_are_those_of_the_block_taken_apart(options: dict[str, Any]) -> None:
    family = Family("vit", "vit_tiny_patch16_224", 1, options=options)
    model: Any = family.build()
    images = family.images(2)
    ledger = stage_ledger(model.train(), images, lambda tokens: tokens)
    assert model.training
    levels = trace(model, images, attention=None).levels
    with torch.no_grad():
        for index, (block, measured) in enumerate(zip(model.eval().blocks, ledger, strict=True)):
            assert tuple(measured) == STAGES
            assert torch.equal(measured["input"], levels[index])
            assert torch.equal(measured["output"], levels[index + 1])
            for stage, tokens in by_hand(block, levels[index]).items():
                # Fused attention against the product with recomputed weights: a few units of float32.
                torch.testing.assert_close(measured[stage], tokens, rtol=1e-4, atol=2e-5, msg=stage)


@pytest.mark.parametrize("family", FAMILIES, ids=[f.name for f in FAMILIES])
def test_every_pre_norm_family_has_a_ledger(family: Family) -> None:
    model, images = family.build(), family.images(2)
    levels = trace(model, images, attention=None).levels
    ledger = stage_ledger(model, images, lambda tokens: tokens)
    for index, measured in enumerate(ledger):
        assert tuple(measured) == STAGES
        assert torch.equal(measured["output"], levels[index + 1])
        branch = measured["residual"] - measured["input"]
        # The branch is the projection, times a LayerScale that is the same for all tokens.
        scale = branch.flatten(0, 1).norm(dim=0) / measured["projection"].flatten(0, 1).norm(dim=0)
        gap = (branch.abs() - scale * measured["projection"].abs()).abs().max()
        assert float(gap) < 1e-4 * max(1.0, float(branch.abs().max()))


def test_torchvisions_stages() -> None:
    model = disturb(TorchvisionViT(32, 16, num_layers=2, num_heads=3, hidden_dim=24, mlp_dim=40)).eval()
    images = torch.randn(2, 3, 32, 32)
    levels = trace(model, images, attention=None, adapter=TorchvisionAdapter()).levels
    ledger = stage_ledger(model, images, lambda tokens: tokens, adapter=TorchvisionAdapter())
    assert torch.equal(ledger[1]["output"], levels[2])
    torch.testing.assert_close(ledger[0]["input"] + ledger[0]["projection"], ledger[0]["residual"])


def test_diameters_of_clusters_through_a_block() -> None:
    family = FAMILIES[0]
    model, images = family.build(), family.images(3)
    labels = torch.tensor([-1, 0, 0, 0, 1, 1, 2])
    ledger = stage_ledger(model, images, lambda tokens: cluster_diameters(tokens, labels))
    level = trace(model, images, attention=None).levels[1]
    for cluster in range(3):
        members = level[:, labels == cluster].double()
        widest = (members[:, :, None] - members[:, None]).norm(dim=-1).amax(dim=(1, 2)).float()
        torch.testing.assert_close(ledger[0]["output"][:, cluster], widest)
        torch.testing.assert_close(ledger[1]["input"][:, cluster], widest)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (
            {"block_fn": vision_transformer.ResPostBlock},
            "must be pre-norm: .* where norm1 takes other tokens",
        ),
        ({"block_fn": vision_transformer.ParallelScalingBlock}, "norm1, attn, norm2 and mlp"),
    ],
)
def test_blocks_of_another_order_are_refused(options: dict[str, Any], reason: str) -> None:
    family = Family("vit", "vit_tiny_patch16_224", 1, options=options)
    with pytest.raises(UntraceableError, match=reason):
        stage_ledger(family.build(), family.images(1), lambda tokens: tokens)


def test_hooks_are_removed_even_if_measuring_fails() -> None:
    family = FAMILIES[0]
    model = family.build()

    def fails(_tokens: Tensor) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stage_ledger(model, family.images(1), fails)
    assert not any(module._forward_hooks for module in model.modules() if isinstance(module, nn.Module))


def test_an_adapter_without_parts_is_told_so() -> None:
    from .test_check import Own, OwnAdapter

    with pytest.raises(UntraceableError, match=r"OwnAdapter without parts\(\)"):
        stage_ledger(Own(), torch.randn(1, 3, 8, 12), lambda tokens: tokens, adapter=OwnAdapter())
