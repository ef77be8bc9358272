"""The stage ledger: what each stage of a block does to its tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attnclust.vit._adapters import Adapter, Parts
from attnclust.vit._block import run_block
from attnclust.vit._check import check_once
from attnclust.vit._errors import UntraceableError
from attnclust.vit._heads import Heads
from attnclust.vit._plan import Call, check_finite, evaluating, make_plan
from attnclust.vit._stream import check_arguments

STAGES = ("input", "norm1", "values", "attention", "projection", "residual", "norm2", "mlp", "output")
"""The stages of a pre-norm block, in order: its input, the first normalisation, the values of all heads side
by side, what attention makes of them, the attention module's output, its sum with the input, the second
normalisation, the MLP's output, and the block's output. LayerScale acts between projection and residual, and
mlp and output."""


def stage_ledger(
    model: Any, images: Any, measure: Callable[[Tensor], Any], *, adapter: Adapter | None = None
) -> tuple[dict[str, Any], ...]:
    """Measure the tokens at every stage of every block, keeping none.

    Which stage contracts a cluster and which expands it shows when `measure` gives its diameter, raw,
    relative to that of all tokens, or as an angle.

    Args:
        model: a model that :func:`attnclust.vit.trace` can trace, with pre-norm blocks.
        images: as for :func:`attnclust.vit.trace`.
        measure: called with the tokens ``(B, T, width)`` of one stage at a time, in the model's dtype;
            the width is the model's, but the heads' together at ``values`` and ``attention``.
        adapter: for models that are not timm's; it must name the parts of a block.

    Returns:
        L dicts, entry l - 1 for block l: stage (of :data:`STAGES`, in order) -> what `measure` gave.

    Raises:
        UntraceableError: a block that is not pre-norm, and whatever :func:`attnclust.vit.trace` refuses.
        ArgumentError, ArgumentTypeError: as :func:`attnclust.vit.trace`.

    Examples:
        >>> import timm, torch
        >>> from attnclust.geometry import cluster_diameters
        >>> model = timm.create_model("vit_tiny_patch16_224", img_size=32, depth=2)
        >>> labels = torch.tensor([-1, 0, 0, 1, 1])  # the class token in no cluster
        >>> ledger = stage_ledger(model, torch.rand(1, 3, 32, 32), lambda z: cluster_diameters(z, labels))
        >>> len(ledger), list(ledger[0])[:5], tuple(ledger[0]["values"].shape)
        (2, ['input', 'norm1', 'values', 'attention', 'projection'], (1, 2))
        >>> torch.equal(ledger[0]["output"], ledger[1]["input"])
        True
    """
    return tuple(
        {stage: measure(tokens) for stage, tokens in block.items()}
        for block in stream_stages(model, images, adapter=adapter)
    )


def stream_stages(model: Any, images: Any, *, adapter: Adapter | None = None) -> Iterator[dict[str, Tensor]]:
    """The tokens at every stage, one block at a time, keeping none; see :func:`stage_ledger`.

    Returns:
        An iterator over blocks 1..L: stage (of :data:`STAGES`, in order) -> tokens ``(B, T, width)``.

    Raises:
        UntraceableError, ArgumentError, ArgumentTypeError: as :func:`stage_ledger`.

    Examples:
        >>> import timm, torch
        >>> model = timm.create_model("vit_tiny_patch16_224", img_size=32, depth=2)
        >>> [tuple(block["mlp"].shape) for block in stream_stages(model, torch.rand(1, 3, 32, 32))]
        [(1, 5, 192), (1, 5, 192)]
    """
    images, adapter = check_arguments(model, images, adapter)
    return _blocks(model, images, adapter)


def _blocks(model: nn.Module, images: Tensor, adapter: Adapter) -> Iterator[dict[str, Tensor]]:
    plan = make_plan(model, images, adapter)
    check_once(model, images[:1], adapter)
    tokens = plan.tokens
    for call in plan.calls:
        staged = _stages(call, tokens, adapter)
        for stage, each in staged.items():
            check_finite(each, f"stage {stage} of {call.name}", call.block)
        tokens = staged["output"]
        yield staged


def _stages(call: Call, tokens: Tensor, adapter: Adapter) -> dict[str, Tensor]:
    parts = adapter.parts(call.block)
    record = record_stages(call, tokens, adapter, parts)
    into, out = record.into, record.out
    chain = [
        ("norm1", into["norm1"], tokens),
        ("the attention", into["attention"], out["norm1"]),
        ("mlp", into["mlp"], out["norm2"]),
    ]
    for name, came, expected in chain:
        if not torch.equal(came, expected):
            raise UntraceableError(
                "model",
                f"{call.name} must be pre-norm: norm1, attention, residual, norm2, mlp, residual",
                f"{type(call.block).__name__}, where {name} takes other tokens (post-norm or parallel)",
                "Measure the levels with trace; stages are those of pre-norm blocks.",
            )
    heads: Heads = out["heads"]
    return {
        "input": tokens,
        "norm1": out["norm1"],
        "values": side_by_side(heads.value),
        "attention": side_by_side(heads.mixed().to(heads.value.dtype)),
        "projection": out["attention"],
        "residual": into["norm2"],
        "norm2": out["norm2"],
        "mlp": out["mlp"],
        "output": out["block"],
    }


@dataclass
class StageRecord:
    """One run of a block: what went into its parts and what came out (of the block too), its heads, and
    what the attention was called with.
    """

    into: dict[str, Tensor] = field(default_factory=dict)
    out: dict[str, Any] = field(default_factory=dict)
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)


def record_stages(call: Call, tokens: Tensor, adapter: Adapter, parts: Parts) -> StageRecord:
    """Run the block and keep its parts' tokens."""
    record = StageRecord()

    def keep(heads: Heads) -> None:
        record.out["heads"] = heads

    with ExitStack() as stack:
        for name in ("norm1", "attention", "norm2", "mlp"):

            def hook(_module: nn.Module, args: Any, kwargs: Any, output: Any, name: str = name) -> None:
                record.into[name] = args[0]
                record.out[name] = output[0] if isinstance(output, tuple) else output
                if name == "attention":
                    record.args, record.kwargs = args, kwargs

            stack.callback(getattr(parts, name).register_forward_hook(hook, with_kwargs=True).remove)
        with evaluating(call.block):
            record.out["block"] = run_block(call, tokens, adapter, keep)
    return record


def side_by_side(heads: Float[Tensor, "b h t d_h"]) -> Float[Tensor, "b t width"]:
    """The heads of each token one after another."""
    return heads.transpose(1, 2).flatten(2)
