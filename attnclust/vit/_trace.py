"""All levels of a vision transformer, kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from attnclust.vit._adapters import Adapter
from attnclust.vit._stream import AttentionKind, stream


@dataclass(frozen=True)
class Trace:
    """What :func:`trace` saw.

    Attributes
    ----------
    levels : tuple of L + 1 Tensors, (B, T, D), in the model's dtype
        Level 0 is the input of block 1, level l the output of block l.
    attention : tuple of L Tensors, (B, T, T) or (B, H, T, T), float32 or float64; None if not asked for
        Entry l - 1 leads from level l - 1 to level l; rows are queries and sum to 1.
    values : tuple of L Tensors, (B, H, T, d_h), in the model's dtype; None if not asked for
    prefix_tokens : int
        How many tokens (class, distillation, registers) stand before the patches.
    grid : (int, int)
        Rows and columns of patches, which lie row by row: T = prefix_tokens + rows * columns.
    """

    levels: tuple[Tensor, ...]
    attention: tuple[Tensor, ...] | None
    values: tuple[Tensor, ...] | None
    prefix_tokens: int
    grid: tuple[int, int]


def trace(
    model: Any,
    images: Any,
    *,
    attention: AttentionKind = "mean",
    values: bool = False,
    adapter: Adapter | None = None,
) -> Trace:
    """Record every level, and the attention between them, of a vision transformer's own forward.

    The model runs with its own fused attention. The weights are recomputed from the queries and keys that its
    blocks give to that attention. When a model is first seen in a dtype and on a device, its first image is
    checked: the levels equal those of the model's plain forward, and weights times values, taken through the
    module's own projection, equal what the module gave, to a tolerance from the dtype's rounding.

    Parameters
    ----------
    model : nn.Module
        A timm vision transformer (VisionTransformer, its DeiT, DINOv2, CLIP, SigLIP variants, Eva, Beit,
        ...), or any other with an ``adapter``. Training mode is suspended, not changed.
    images : Tensor, shape (B, C, H, W), the model's dtype and device
        Normalised as the model expects.
    attention : "mean", "heads" or None
        The average over the heads, every head, or none.
    values : bool
        Whether to record the value vectors of each head.
    adapter : Adapter, optional
        For models that are not timm's.

    Raises
    ------
    UntraceableError
        For a model that cannot be traced truthfully (windowed, differential, talking-heads attention, ...),
        or whose attention does not reproduce its output. A ValueError.
    ArgumentError, ArgumentTypeError
        For images of the wrong shape, size, channels, dtype or device, and for NaN in pixels, weights or
        activations (the level is named).

    Examples
    --------
    >>> import timm, torch
    >>> model = timm.create_model("vit_tiny_patch16_224", img_size=(32, 48), depth=3)
    >>> seen = trace(model, torch.rand(2, 3, 32, 48), attention="heads", values=True)
    >>> len(seen.levels), tuple(seen.levels[0].shape), seen.prefix_tokens, seen.grid
    (4, (2, 7, 192), 1, (2, 3))
    >>> len(seen.attention), tuple(seen.attention[0].shape), tuple(seen.values[0].shape)
    (3, (2, 3, 7, 7), (2, 3, 7, 64))
    """
    found = list(stream(model, images, attention=attention, values=values, adapter=adapter))
    blocks = found[1:]
    return Trace(
        levels=tuple(level.tokens for level in found),
        attention=tuple(b.attention for b in blocks if b.attention is not None) if attention else None,
        values=tuple(b.values for b in blocks if b.values is not None) if values else None,
        prefix_tokens=found[0].prefix_tokens,
        grid=found[0].grid,
    )
