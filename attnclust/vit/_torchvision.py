"""The worked example of a HeadsAdapter: torchvision's VisionTransformer with torch's own attention module."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from attnclust._array import ArgumentError
from attnclust.vit._adapters import HeadsAdapter, Layout, Parts
from attnclust.vit._heads import Heads


class TorchvisionAdapter(HeadsAdapter):
    """For ``torchvision.models.vit_b_16`` and its kin.

    ``torch.nn.MultiheadAttention`` may run as one native kernel, which no one can listen to; so queries,
    keys and values are computed once more from its packed projection, and checked against its output.

    Examples
    --------
    >>> import torch
    >>> from torchvision.models import VisionTransformer
    >>> from attnclust.vit import trace
    >>> model = VisionTransformer(32, 16, num_layers=2, num_heads=3, hidden_dim=12, mlp_dim=24)
    >>> seen = trace(model, torch.rand(1, 3, 32, 32), adapter=TorchvisionAdapter())
    >>> len(seen.levels), tuple(seen.attention[0].shape), seen.prefix_tokens, seen.grid
    (3, (1, 5, 5), 1, (2, 2))
    """

    def blocks(self, model: nn.Module) -> Sequence[nn.Module]:
        """The encoder's layers."""
        return list(model.get_submodule("encoder.layers").children())

    def attention(self, block: nn.Module) -> nn.Module:
        """The layer's MultiheadAttention."""
        return block.get_submodule("self_attention")

    def parts(self, block: nn.Module) -> Parts:
        """``ln_1``, ``self_attention``, ``ln_2`` and ``mlp``."""
        return Parts(*(block.get_submodule(name) for name in ("ln_1", "self_attention", "ln_2", "mlp")))

    def layout(self, model: nn.Module, images: Tensor) -> Layout:
        """One class token, then the patches of a square image."""
        size, patch = int(getattr(model, "image_size", 0)), int(getattr(model, "patch_size", 1))
        if tuple(images.shape[1:]) != (3, size, size):
            raise ArgumentError(
                "images",
                f"this {type(model).__name__} takes images of shape (batch, 3, {size}, {size})",
                f"shape {tuple(images.shape)}",
                "Resize them.",
            )
        return Layout(prefix_tokens=1, grid=(size // patch, size // patch))

    def heads(self, attention: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Heads:
        """Split the packed projection of the tokens into heads."""
        assert isinstance(attention, nn.MultiheadAttention)
        packed = functional.linear(args[0], attention.in_proj_weight, attention.in_proj_bias)
        query, key, value = packed.unflatten(-1, (3, attention.num_heads, attention.head_dim)).permute(
            2, 0, 3, 1, 4
        )
        return Heads(query, key, value, scale=attention.head_dim**-0.5)

    def project(self, attention: nn.Module, mixed: Tensor) -> Tensor:
        """Join the heads and apply the output projection."""
        assert isinstance(attention, nn.MultiheadAttention)
        return attention.out_proj(mixed.transpose(1, 2).flatten(2))
