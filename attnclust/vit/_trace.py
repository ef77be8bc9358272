"""All levels of a vision transformer, kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor

from attnclust.vit._adapters import Adapter
from attnclust.vit._stream import AttentionKind, stream


@dataclass(frozen=True)
class Trace:
    """What :func:`trace` saw.

    Attributes:
        levels: L + 1 tensors, in the model's dtype. Level 0 is the input of block 1, position embedding and
            prefix tokens included; level l is the output of block l, before any final normalisation.
        attention: L tensors, float32 (float64 for a float64 model); entry l - 1 leads from level l - 1 to
            level l. Rows are queries and sum to 1. One map an image, or one a head. None if not asked for.
        values: L tensors, in the model's dtype: what each head averages. None if not asked for.
        prefix_tokens: how many tokens (class, distillation, registers) stand before the patches.
        grid: rows and columns of patches, which lie row by row: tokens = prefix_tokens + rows * columns.
    """

    levels: tuple[Float[Tensor, "batch tokens width"], ...]
    attention: tuple[Float[Tensor, "batch *maps tokens tokens"], ...] | None
    values: tuple[Float[Tensor, "batch heads tokens d_h"], ...] | None
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

    Args:
        model: a timm vision transformer (VisionTransformer and its DeiT, DINOv2, CLIP and SigLIP variants,
            Eva, Beit, ...), or any other with an `adapter`. Its training mode is suspended, not changed.
        images: a tensor ``(B, C, H, W)`` of the model's dtype, on its device, normalised as it expects.
        attention: ``"mean"`` for the average over the heads, ``"heads"`` for every head, None for none.
        values: whether to record the value vectors of each head.
        adapter: for models that are not timm's.

    Raises:
        UntraceableError: a model that cannot be traced truthfully (windowed, differential, talking-heads
            attention, ...), or whose attention does not reproduce its output. A ValueError.
        ArgumentError, ArgumentTypeError: images of the wrong shape, size, channels, dtype or device; NaN in
            pixels, weights or activations (the level is named).

    Examples:
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
