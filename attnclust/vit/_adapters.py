"""What the tracer must know about a model, and what it knows about timm's."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from attnclust._array import ArgumentError
from attnclust.vit._errors import UntraceableError
from attnclust.vit._heads import Heads

# Attentions that have no map to show, by what their classes are called in timm.
_OTHER_ATTENTION = {
    "window": "windowed attention sees a part of the image at a time",
    "locallygrouped": "windowed attention sees a part of the image at a time",
    "diffattention": "differential attention is the difference of two maps, with negative weights",
    "diffparallel": "differential attention is the difference of two maps, with negative weights",
    "talkinghead": "talking heads mix the maps of the heads after the softmax",
    "xca": "cross-covariance attention mixes channels, not tokens",
    "gpsa": "gated positional attention blends the softmax with another map",
    "classattn": "class attention updates the class token alone",
}


@dataclass(frozen=True)
class Layout:
    """How the tokens lie: prefix tokens (class, distillation, registers), then a grid, row by row."""

    prefix_tokens: int
    grid: tuple[int, int]


@dataclass(frozen=True)
class Parts:
    """The modules of a pre-norm block: z + attention(norm1(z)), then that + mlp(norm2(that))."""

    norm1: nn.Module
    attention: nn.Module
    norm2: nn.Module
    mlp: nn.Module


class Adapter(abc.ABC):
    """Tells the tracer where a model's blocks are. For models whose blocks call PyTorch's fused attention.

    The tokens must be the first argument and the only result of a block, (B, T, D), and each block must call
    ``torch.nn.functional.scaled_dot_product_attention`` once on all of them; the tracer listens to that call.
    All this is checked when a model is first traced: an adapter cannot make it lie. A model whose attention
    is computed in another way takes a :class:`HeadsAdapter`.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> from torch.nn.functional import scaled_dot_product_attention
    >>> class Block(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.qkv, self.out = nn.Linear(6, 18), nn.Linear(6, 6)
    ...     def forward(self, tokens):
    ...         q, k, v = (x.unflatten(-1, (2, 3)).transpose(1, 2) for x in self.qkv(tokens).chunk(3, dim=-1))
    ...         return tokens + self.out(scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))
    >>> class Own(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.patches, self.layers = nn.Conv2d(3, 6, 4, 4), nn.Sequential(Block(), Block())
    ...     def forward(self, images):
    ...         return self.layers(self.patches(images).flatten(2).transpose(1, 2)).mean(dim=1)
    >>> class OwnAdapter(Adapter):
    ...     def blocks(self, model):
    ...         return list(model.layers)
    ...     def layout(self, model, images):
    ...         return Layout(prefix_tokens=0, grid=(images.shape[2] // 4, images.shape[3] // 4))
    >>> from attnclust.vit import trace
    >>> seen = trace(Own(), torch.rand(2, 3, 8, 12), adapter=OwnAdapter())
    >>> [tuple(level.shape) for level in seen.levels], tuple(seen.attention[0].shape), seen.grid
    ([(2, 6, 6), (2, 6, 6), (2, 6, 6)], (2, 6, 6), (2, 3))
    """

    @abc.abstractmethod
    def blocks(self, model: nn.Module) -> Sequence[nn.Module]:
        """The blocks in the order in which they run."""

    @abc.abstractmethod
    def layout(self, model: nn.Module, images: Tensor) -> Layout:
        """Where the tokens of these images lie; raise ArgumentError for images the model cannot take."""

    def attention(self, block: nn.Module) -> nn.Module:
        """The smallest module of a block that holds all of its attention: its output is what is checked."""
        return block

    def parts(self, block: nn.Module) -> Parts:
        """The modules between which a pre-norm block's stages lie; only the stage ledger asks."""
        raise UntraceableError(
            "adapter",
            "must name the parts of a block for its stages to be measured",
            f"{type(self).__name__} without parts()",
            "Override Adapter.parts.",
        )


class HeadsAdapter(Adapter):
    """For models whose attention does not go through PyTorch's fused function: it says what the heads are."""

    @abc.abstractmethod
    def attention(self, block: nn.Module) -> nn.Module:
        """The attention module of a block."""

    @abc.abstractmethod
    def heads(self, attention: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Heads:
        """Queries, keys, values, scale and bias for the arguments the attention module was called with."""

    @abc.abstractmethod
    def project(self, attention: nn.Module, mixed: Tensor) -> Tensor:
        """What the module makes of the heads' outputs ``weights @ value``, (B, H, T, d_h): its own output."""


class TimmAdapter(Adapter):
    """timm's vision transformers: models with ``blocks``, ``patch_embed`` and ``num_prefix_tokens``."""

    def blocks(self, model: nn.Module) -> Sequence[nn.Module]:
        """The model's ``blocks``."""
        blocks: Any = model.get_submodule("blocks")
        return list(blocks)

    def attention(self, block: nn.Module) -> nn.Module:
        """The block's ``attn``; the block itself where attention and MLP run in parallel inside it."""
        attention = getattr(block, "attn", None)
        return attention if isinstance(attention, nn.Module) else block

    def parts(self, block: nn.Module) -> Parts:
        """``norm1``, ``attn``, ``norm2`` and ``mlp``, as timm's pre-norm blocks call them."""
        named = [getattr(block, name, None) for name in ("norm1", "attn", "norm2", "mlp")]
        modules = [each for each in named if isinstance(each, nn.Module)]
        if len(modules) < 4:
            raise UntraceableError(
                "model",
                "a block must have norm1, attn, norm2 and mlp for its stages to be measured",
                f"{type(block).__name__} without",
                "Pass an adapter with parts().",
            )
        return Parts(*modules)

    def layout(self, model: nn.Module, images: Tensor) -> Layout:
        """The grid of the patch embedding for these images, and the model's number of prefix tokens."""
        embed: Any = model.get_submodule("patch_embed")
        height, width = int(images.shape[2]), int(images.shape[3])
        convolution = next((m for m in embed.modules() if isinstance(m, nn.Conv2d)), None)
        if convolution is not None and images.shape[1] != convolution.in_channels:
            raise ArgumentError(
                "images",
                f"this {type(model).__name__} takes {convolution.in_channels} channels",
                f"{images.shape[1]} in images of shape {tuple(images.shape)}",
                "Give images as (batch, channels, height, width).",
            )
        size, patch = getattr(embed, "img_size", None), embed.feat_ratio(as_scalar=False)
        if size is not None and embed.strict_img_size and (height, width) != tuple(size):
            raise ArgumentError(
                "images",
                f"this {type(model).__name__} takes images of {size[0]} x {size[1]} pixels",
                f"{height} x {width}",
                "Resize them, or create the model with img_size=(height, width) or dynamic_img_size=True.",
            )
        padded = getattr(embed, "dynamic_img_pad", False)
        if not padded and (height % patch[0] or width % patch[1]):
            raise ArgumentError(
                "images",
                f"sides must be multiples of the patch, {patch[0]} x {patch[1]} pixels",
                f"{height} x {width}",
                "Resize or crop them, or create the model with dynamic_img_pad=True.",
            )
        if min(height, width) == 0:
            raise ArgumentError(
                "images", "sides must be positive", f"{height} x {width}", "Give real images."
            )
        rows, columns = embed.dynamic_feat_size((height, width))
        return Layout(int(getattr(model, "num_prefix_tokens", 0)), (int(rows), int(columns)))


def adapter_for(model: nn.Module) -> Adapter:
    """The adapter for a timm model; refuses others, by the name of their class and the reason."""
    kind = type(model).__name__
    remedy = "Pass adapter=, an attnclust.vit.Adapter that says where its blocks are."
    if hasattr(model, "_orig_mod"):
        raise UntraceableError(
            "model",
            "a compiled model has no blocks to listen to",
            kind,
            "Trace the module it was compiled from.",
        )
    for module in model.modules():
        reason = next(
            (why for part, why in _OTHER_ATTENTION.items() if part in type(module).__name__.lower()), None
        )
        if reason is not None:
            raise UntraceableError(
                "model",
                "each block's output must come from one stochastic matrix over all tokens",
                f"{kind} with {type(module).__name__}: {reason}",
                "Trace a model with plain global attention, such as timm's VisionTransformer, Eva or Beit.",
            )
    if not isinstance(getattr(model, "blocks", None), (nn.Sequential, nn.ModuleList)):
        raise UntraceableError("model", "a timm vision transformer has .blocks", f"{kind} without", remedy)
    if not hasattr(getattr(model, "patch_embed", None), "dynamic_feat_size"):
        raise UntraceableError(
            "model",
            "a timm vision transformer has a .patch_embed that knows its grid",
            f"{kind} without",
            remedy,
        )
    return TimmAdapter()
