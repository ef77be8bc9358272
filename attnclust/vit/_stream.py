"""One level at a time: a block runs, its tokens and its attention are handed over, nothing is kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from attnclust._array import ArgumentError, ArgumentTypeError
from attnclust.vit._adapters import Adapter, adapter_for
from attnclust.vit._block import run_block
from attnclust.vit._check import check_once
from attnclust.vit._heads import Heads
from attnclust.vit._plan import (
    check_finite,
    check_images,
    check_tokens,
    evaluating,
    keep_freed_memory,
    make_plan,
)

AttentionKind = Any
"""``"mean"``, ``"heads"`` or None; loose, so that a wrong one meets this package's own error."""


@dataclass(frozen=True)
class Level:
    """One level of a traced model.

    Attributes:
        index: 0 for the input of block 1, l for the output of block l.
        tokens: in the model's dtype; position embedding and prefix tokens included, before any final
            normalisation.
        attention: of block `index`, which leads here: ``[..., j, k]`` is the weight that token j gives to
            token k; float32 (float64 for a float64 model). None at level 0, and where it was not asked for.
        values: what the heads of block `index` average with it, in the model's dtype; None likewise.
        prefix_tokens: how many tokens stand before the patches.
        grid: rows and columns of patches: tokens = prefix_tokens + rows * columns.
    """

    index: int
    tokens: Float[Tensor, "batch tokens width"]
    attention: Float[Tensor, "batch *maps tokens tokens"] | None
    values: Float[Tensor, "batch heads tokens d_h"] | None
    prefix_tokens: int
    grid: tuple[int, int]


def stream(
    model: Any,
    images: Any,
    *,
    attention: AttentionKind = "mean",
    values: bool = False,
    adapter: Adapter | None = None,
) -> Iterator[Level]:
    """Trace a vision transformer and hand over levels 0..L one by one, keeping none.

    Takes what :func:`attnclust.vit.trace` takes, refuses what it refuses, and gives the same numbers, which
    it collects from here. Each block runs when its level is asked for. Between levels the model is as it was:
    its modes, hooks and gradients are untouched, and an iteration may be left off at any point.

    Returns:
        An iterator over levels, level 0 first.

    Examples:
        >>> import timm, torch
        >>> model = timm.create_model("vit_tiny_patch16_224", img_size=32, depth=2)
        >>> for level in stream(model, torch.rand(1, 3, 32, 32)):
        ...     print(level.index, tuple(level.tokens.shape), level.attention is not None)
        0 (1, 5, 192) False
        1 (1, 5, 192) True
        2 (1, 5, 192) True
    """
    if attention not in ("mean", "heads", None):
        raise ArgumentError(
            "attention", "one of 'mean', 'heads', None", repr(attention), "Choose one of them."
        )
    images, adapter = check_arguments(model, images, adapter)
    return _levels(model, images, adapter, attention, values)


def check_arguments(model: Any, images: Any, adapter: Adapter | None) -> tuple[Tensor, Adapter]:
    """The images, and the adapter for the model, if both can be taken."""
    if not isinstance(model, nn.Module):
        raise ArgumentTypeError(
            "model",
            "must be a torch module",
            type(model).__name__,
            "Give a model, such as timm.create_model(...).",
        )
    return check_images(model, images), adapter_for(model) if adapter is None else adapter


def _levels(
    model: nn.Module, images: Tensor, adapter: Adapter, attention: AttentionKind, values: bool
) -> Iterator[Level]:
    keep_freed_memory()
    plan = make_plan(model, images, adapter)
    check_once(model, images[:1], adapter)
    tokens, layout, calls = plan.tokens, plan.layout, plan.calls
    shape = (tokens.shape[0], tokens.shape[1])
    del plan, images
    yield Level(0, tokens, None, None, layout.prefix_tokens, layout.grid)
    for index, call in enumerate(calls, start=1):
        kept: dict[str, Tensor] = {}

        def keep(heads: Heads, kept: dict[str, Tensor] = kept) -> None:
            if attention is not None:
                kept["attention"] = heads.weights() if attention == "heads" else heads.mean_weights()
            if values:
                # A copy: the values are a view into queries, keys and values together.
                kept["values"] = heads.value.clone()

        with evaluating(call.block):
            tokens = run_block(call, tokens, adapter, keep) if attention or values else call(tokens)
        check_tokens(tokens, shape, call.name, layout)
        check_finite(tokens, f"level {index} (the output of {call.name})", call.block)
        if "attention" in kept:
            # A fused kernel may turn NaN logits into finite outputs: the tokens alone would not show them.
            check_finite(kept["attention"], f"the attention of {call.name}", call.block)
        yield Level(
            index, tokens, kept.get("attention"), kept.get("values"), layout.prefix_tokens, layout.grid
        )
