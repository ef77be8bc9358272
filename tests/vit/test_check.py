"""The check against the module's own output fires on every way of being wrong, and only then."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention
from torchvision.models import VisionTransformer as TorchvisionViT

from attnclust.vit import Adapter, Heads, Layout, TorchvisionAdapter, UntraceableError, trace
from attnclust.vit import _check as check

from .small_models import FAMILIES, disturb

BY_NAME = {family.name: family for family in FAMILIES}


def torchvision_model(dtype: torch.dtype = torch.float32) -> nn.Module:
    model = TorchvisionViT(32, 16, num_layers=2, num_heads=3, hidden_dim=24, mlp_dim=40, num_classes=5)
    return disturb(model).to(dtype).eval()


class Changed(TorchvisionAdapter):
    """An adapter with a mistake."""

    def __init__(self, change: Callable[[Heads], Heads]) -> None:
        self.change = change

    def heads(self, attention: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Heads:
        return self.change(super().heads(attention, args, kwargs))


MISTAKES: dict[str, Callable[[Heads], Heads]] = {
    "no scale": lambda h: dataclasses.replace(h, scale=1.0),
    "scale of the model's width": lambda h: dataclasses.replace(h, scale=24**-0.5),
    "scale 1 % off": lambda h: dataclasses.replace(h, scale=h.scale * 1.01),
    "queries and keys swapped": lambda h: dataclasses.replace(h, query=h.key, key=h.query),
    "keys for values": lambda h: dataclasses.replace(h, value=h.key),
    "heads rolled": lambda h: dataclasses.replace(h, query=h.query.roll(1, 1), key=h.key.roll(1, 1)),
    "tokens rolled": lambda h: dataclasses.replace(h, value=h.value.roll(1, 2)),
    "a bias too many": lambda h: dataclasses.replace(h, bias=torch.eye(5)),
    "a mask too many": lambda h: dataclasses.replace(h, bias=torch.ones(5, 5, dtype=torch.bool).tril()),
    "query bias forgotten": lambda h: dataclasses.replace(h, query=h.query - h.query.mean()),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_an_adapter_with_a_mistake_is_refused(mistake: str) -> None:
    model, images = torchvision_model(), torch.randn(2, 3, 32, 32)
    with pytest.raises(UntraceableError, match=r"through the projection of block 1 \(EncoderBlock\)"):
        trace(model, images, adapter=Changed(MISTAKES[mistake]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16], ids=str)
def test_torchvisions_model_is_traced(dtype: torch.dtype) -> None:
    model, images = torchvision_model(dtype), torch.randn(2, 3, 32, 32).to(dtype)
    seen = trace(model, images, attention="heads", values=True, adapter=TorchvisionAdapter())
    inputs: list[Tensor] = []
    block = model.get_submodule("encoder.layers.encoder_layer_1")
    block.get_submodule("self_attention").register_forward_pre_hook(lambda _m, args: inputs.append(args[0]))
    with torch.no_grad():
        model(images)
        attention: Any = block.get_submodule("self_attention")
        _, theirs = attention(inputs[0], inputs[0], inputs[0], need_weights=True, average_attn_weights=False)
    assert seen.attention is not None
    assert seen.prefix_tokens == 1
    assert seen.attention[1].shape == theirs.shape == (2, 3, 5, 5)
    unit = torch.finfo(dtype).eps
    assert float((seen.attention[1] - theirs).abs().max()) < 64 * unit


def test_torchvisions_images_are_checked() -> None:
    with pytest.raises(ValueError, match=r"shape \(batch, 3, 32, 32\); got shape \(1, 3, 32, 48\)"):
        trace(torchvision_model(), torch.zeros(1, 3, 32, 48), adapter=TorchvisionAdapter())


class Block(nn.Module):
    """A block of one's own, whose attention can be bent in `how` ways no map can follow."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how, self.qkv, self.out = how, nn.Linear(6, 18), nn.Linear(6, 6)

    def forward(self, tokens: Tensor) -> Any:
        q, k, v = (x.unflatten(-1, (2, 3)).transpose(1, 2) for x in self.qkv(tokens).chunk(3, dim=-1))
        options: dict[str, Any] = {
            "causal": {"is_causal": True},
            "scaled": {"scale": 0.3},
            "grouped": {"enable_gqa": True},
            "always drops": {"dropout_p": 0.5},
        }.get(self.how, {})
        if self.how == "grouped":
            k, v = k[:, :1], v[:, :1]
        if self.how == "pooled":
            k, v = k[:, :, :2], v[:, :, :2]
        if self.how == "windowed":
            q, k, v = (x.unflatten(2, (2, 3)).transpose(1, 2).flatten(0, 1) for x in (q, k, v))
        if self.how == "heads folded into the batch":
            q, k, v = (x.flatten(0, 1).unsqueeze(1) for x in (q, k, v))
        mixed = scaled_dot_product_attention(q, k, v, **options)
        if self.how == "heads folded into the batch":
            mixed = mixed.squeeze(1).unflatten(0, (-1, 2))
        if self.how == "windowed":
            mixed = mixed.unflatten(0, (-1, 2)).transpose(1, 2).flatten(2, 3)
        output = tokens + self.out(mixed.transpose(1, 2).flatten(2))
        return (output, 1) if self.how == "tuple" else output


class Own(nn.Module):
    def __init__(self, how: str = "") -> None:
        super().__init__()
        self.how = how
        self.patches, self.layers = nn.Conv2d(3, 6, 4, 4), nn.ModuleList(Block(how) for _ in range(3))

    def forward(self, images: Tensor) -> Tensor:
        tokens = self.patches(images).flatten(2).transpose(1, 2)
        first = tokens
        for number, layer in enumerate(self.layers):
            if self.how == "skips" and number == 1:
                continue
            tokens = layer(tokens)
            tokens = tokens[0] if isinstance(tokens, tuple) else tokens
            if self.how == "between" and number == 1:
                tokens = tokens * 1.5
            if self.how == "skip connection" and number == 1:
                tokens = tokens + first
        return tokens.mean(dim=1)


class OwnAdapter(Adapter):
    def blocks(self, model: Any) -> list[nn.Module]:
        return list(model.layers)

    def layout(self, model: nn.Module, images: Tensor) -> Layout:
        return Layout(0, (images.shape[2] // 4, images.shape[3] // 4))


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        (
            "always drops",
            r"block 1 \(Block\) must not drop attention weights in evaluation mode; got dropout_p=0.5",
        ),
        ("pooled", "keys of shape"),
        ("heads folded into the batch", r"queries of shape \(2, 1, 6, 3\)"),
        ("windowed", r"queries of shape \(2, 2, 3, 3\) \(windowed"),
        ("skips", r"blocks 1..3 once each, in order; got Own, which runs \[1, 3\]"),
        ("between", "level 3 must depend on level 2 alone"),
        ("skip connection", "level 3 must depend on level 2 alone"),
        ("tuple", "got tuple in block 1"),
    ],
)
def test_models_of_ones_own_that_no_trace_tells_truly(how: str, reason: str) -> None:
    with pytest.raises(UntraceableError, match=reason):
        trace(disturb(Own(how)), torch.randn(2, 3, 8, 12), adapter=OwnAdapter())


@pytest.mark.parametrize("how", ["", "causal", "scaled", "grouped"])
def test_models_of_ones_own_that_can_be_traced(how: str) -> None:
    model, images = disturb(Own(how)), torch.randn(2, 3, 8, 12)
    seen = trace(model, images, attention="heads", values=True, adapter=OwnAdapter())
    assert seen.attention is not None
    assert seen.values is not None
    block: Any = model.get_submodule("layers.0")
    mixed = (seen.attention[0] @ seen.values[0]).transpose(1, 2).flatten(2)
    torch.testing.assert_close(seen.levels[0] + block.out(mixed), seen.levels[1], rtol=0, atol=2e-5)
    if how == "causal":
        assert float(seen.attention[0].triu(1).abs().max()) == 0


def test_a_wrong_layout_is_refused() -> None:
    class Wrong(OwnAdapter):
        def layout(self, model: nn.Module, images: Tensor) -> Layout:
            return Layout(1, (2, 3))

    with pytest.raises(
        UntraceableError, match=r"7 tokens \(1 prefix, 2 x 3 patches\); got shape \(2, 6, 6\)"
    ):
        trace(Own(), torch.randn(2, 3, 8, 12), adapter=Wrong())


def test_an_attention_module_that_does_not_run_is_refused() -> None:
    class Wrong(OwnAdapter):
        def attention(self, block: nn.Module) -> nn.Module:
            return nn.Identity()

    with pytest.raises(UntraceableError, match="Identity, which did not run"):
        trace(Own(), torch.randn(2, 3, 8, 12), adapter=Wrong())


def test_the_check_runs_once_for_a_model_and_dtype(monkeypatch: pytest.MonkeyPatch) -> None:
    family, runs = BY_NAME["vit"], []
    real = check.check_model
    monkeypatch.setattr(check, "check_model", lambda *args: (runs.append(args[1].dtype), real(*args)))
    model = family.build()
    for dtype in (torch.float32, torch.float32, torch.float64, torch.float32):
        trace(model.to(dtype), family.images(2, dtype))
    assert runs == [torch.float32, torch.float64]
    trace(family.build(), family.images(2))
    assert len(runs) == 3


def test_a_tap_that_misreads_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were the fused function's arguments read wrongly, the fused kernel's own output would give it away."""
    from attnclust.vit import _sdpa

    family = BY_NAME["beit"]
    real = _sdpa.SdpaTap._read
    monkeypatch.setattr(
        _sdpa.SdpaTap, "_read", lambda self, *a, **k: dataclasses.replace(real(self, *a, **k), bias=None)
    )
    with pytest.raises(UntraceableError, match="out of the fused attention of block 1"):
        trace(family.build(), family.images(2))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("size", [0.1, 1.0, 10.0])
def test_the_tolerance_covers_the_fused_kernels_rounding_but_no_mistake(
    dtype: torch.dtype, size: float
) -> None:
    generator = torch.Generator().manual_seed(1)
    query, key = (torch.randn(2, 3, 61, 16, generator=generator).mul(size**0.5).to(dtype) for _ in range(2))
    value = torch.randn(2, 3, 61, 11, generator=generator).to(dtype)
    heads = Heads(query, key, value, 0.25)
    fused = scaled_dot_product_attention(query, key, value)
    mixed = heads.weights() @ value.to(heads.weights().dtype)
    difference, allowed = float((mixed - fused).abs().max()), check.rounding(heads)
    assert difference <= allowed
    narrow = {torch.float64: 1e-9, torch.float32: 1e-2}.get(dtype, 0.5)
    wrong = dataclasses.replace(heads, scale=0.25 * (1 + narrow)).weights() @ value.to(mixed.dtype)
    assert size < 1 or float((wrong - fused).abs().max()) > allowed
