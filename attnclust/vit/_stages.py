"""The stage ledger: what each stage of a block does to its tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import torch
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
    images, adapter = check_arguments(model, images, adapter)
    plan = make_plan(model, images, adapter)
    check_once(model, images[:1], adapter)
    tokens, ledger = plan.tokens, []
    for call in plan.calls:
        measured: dict[str, Any] = {}
        for stage, staged in _stages(call, tokens, adapter):
            check_finite(staged, f"stage {stage} of {call.name}", call.block)
            measured[stage] = measure(staged)
            tokens = staged  # in the end the output, the next block's input
        ledger.append(measured)
    return tuple(ledger)


def _stages(call: Call, tokens: Tensor, adapter: Adapter) -> Iterator[tuple[str, Tensor]]:
    """The block's stages in order, each let go when the next is asked for."""
    parts = adapter.parts(call.block)
    into, out = _record(call, tokens, adapter, parts)
    heads: Heads = out.pop("heads")
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
    yield "input", tokens
    yield "norm1", out.pop("norm1")
    yield "values", _side_by_side(heads.value)
    yield "attention", _side_by_side(heads.mixed().to(heads.value.dtype))
    del heads
    yield "projection", out.pop("attention")
    yield "residual", into.pop("norm2")
    yield "norm2", out.pop("norm2")
    yield "mlp", out.pop("mlp")
    yield "output", out.pop("block")


def _record(
    call: Call, tokens: Tensor, adapter: Adapter, parts: Parts
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Run the block; what went into its parts, and what came out of them and of the block."""
    into: dict[str, Tensor] = {}
    out: dict[str, Any] = {}

    def keep(heads: Heads) -> None:
        out["heads"] = heads

    with ExitStack() as stack:
        for name in ("norm1", "attention", "norm2", "mlp"):

            def hook(_module: nn.Module, args: Any, output: Any, name: str = name) -> None:
                into[name], out[name] = args[0], output[0] if isinstance(output, tuple) else output

            stack.callback(getattr(parts, name).register_forward_hook(hook).remove)
        with evaluating(call.block):
            out["block"] = run_block(call, tokens, adapter, keep)
    return into, out


def _side_by_side(heads: Tensor) -> Tensor:
    return heads.transpose(1, 2).flatten(2)
