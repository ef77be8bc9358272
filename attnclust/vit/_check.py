"""The proof of the pudding: does what was read off a model reproduce what the model gave?"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from attnclust.vit._adapters import Adapter, HeadsAdapter
from attnclust.vit._block import run_block
from attnclust.vit._errors import UntraceableError
from attnclust.vit._heads import Heads
from attnclust.vit._plan import Call, check_finite, check_tokens, evaluating, make_plan
from attnclust.vit._sdpa import SdpaTap

_checked: WeakKeyDictionary[nn.Module, set[tuple[torch.dtype, torch.device, type[Adapter]]]] = (
    WeakKeyDictionary()
)


def check_once(model: nn.Module, image: Tensor, adapter: Adapter) -> None:
    """Run :func:`check_model` if this model has not passed it in this dtype and on this device."""
    key = (image.dtype, image.device, type(adapter))
    if key not in _checked.setdefault(model, set()):
        check_model(model, image, adapter)
        _checked[model].add(key)


def check_model(model: nn.Module, image: Tensor, adapter: Adapter) -> None:
    """Refuse a model whose plain forward is not reproduced, on one image (1, C, H, W).

    Level by level the blocks, run one by one, must give what they give in the model's plain forward; and in
    each block the weights times the values must be what the fused attention gave and, through the module's
    own projection, what the attention module gave.
    """
    plan = make_plan(model, image, adapter)
    plain = _plain_levels(model, image, [call.block for call in plan.calls])
    tokens = plan.tokens
    for index, (call, truth) in enumerate(zip(plan.calls, plain, strict=True), start=1):
        check_tokens(truth, (tokens.shape[0], tokens.shape[1]), call.name, plan.layout)
        check_finite(truth, f"level {index} (the output of {call.name})", call.block)
        with evaluating(model):
            tokens = _check_block(call, tokens, adapter)
        # The same operations on the same numbers: all but equal, whatever the kernels.
        allowed = 64 * _unit(truth.dtype) * float(truth.abs().max())
        if float((tokens - truth).abs().max()) > allowed:
            raise UntraceableError(
                "model",
                f"level {index} must depend on level {index - 1} alone",
                f"{call.name}, whose output in {type(model).__name__} is another (the model changes tokens "
                "between its blocks, or hands more than tokens from block to block)",
                "Trace a plain stack of blocks.",
            )


def _plain_levels(model: nn.Module, image: Tensor, blocks: list[nn.Module]) -> list[Any]:
    outputs: list[Any] = []
    handles = [
        b.register_forward_hook(lambda _m, _a, out: outputs.append(out)) for b in dict.fromkeys(blocks)
    ]
    try:
        with evaluating(model):
            model(image)
    finally:
        for handle in handles:
            handle.remove()
    return outputs


def _check_block(call: Call, tokens: Tensor, adapter: Adapter) -> Tensor:
    """Run a block, reproduce its attention's output from weights and values, and refuse a difference."""
    module = adapter.attention(call.block)
    seen: dict[str, Any] = {}

    def note(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        seen.update(args=args, kwargs=kwargs, output=_tokens_of(output))

    def keep(heads: Heads) -> None:
        seen["heads"] = heads

    handle = module.register_forward_hook(note, with_kwargs=True)
    try:
        output = run_block(call, tokens, adapter, keep)
    finally:
        handle.remove()
    if "output" not in seen:
        raise UntraceableError(
            "model",
            f"the attention of {call.name} must run inside the module that attention() names",
            f"{type(module).__name__}, which did not run",
            "Name the module that runs, or the block itself.",
        )
    heads: Heads = seen["heads"]
    check_finite(heads.weights(), f"the attention of {call.name}", call.block)
    mixed = heads.mixed()
    tolerance = rounding(heads)
    rebuild = _rest_of(module, call, adapter, seen, mixed, tolerance)
    rebuilt = rebuild(mixed)
    signs = torch.randint(0, 2, mixed.shape, generator=torch.Generator().manual_seed(0)).to(mixed) * 2 - 1
    # By Cauchy-Schwarz no error of this size moves a linear map's output much further than sqrt(width) times
    # what random signs of this size move it; and the output itself is rounded.
    moved = float((rebuild(mixed + tolerance * signs) - rebuilt).abs().max())
    width = mixed.shape[1] * mixed.shape[3]
    truth: Tensor = seen["output"]
    allowed = math.sqrt(width) * moved + 8 * _unit(truth.dtype) * float(truth.abs().max())
    _refuse_beyond(float((rebuilt - truth).abs().max()), allowed, f"through the projection of {call.name}")
    return output


def _rest_of(
    module: nn.Module, call: Call, adapter: Adapter, seen: dict[str, Any], mixed: Tensor, tolerance: float
) -> Callable[[Tensor], Tensor]:
    """What the attention module does after its softmax: itself, with other numbers put in there."""
    if isinstance(adapter, HeadsAdapter):
        value: Tensor = seen["heads"].value
        return lambda replaced: adapter.project(module, replaced.to(value.dtype))

    def compare(_heads: Heads, fused: Tensor) -> Tensor:
        difference = float((mixed - fused).abs().max())
        _refuse_beyond(difference, tolerance, f"out of the fused attention of {call.name}")
        return fused

    with SdpaTap(call.name, compare):
        module(*seen["args"], **seen["kwargs"])

    def rest(replaced: Tensor) -> Tensor:
        with SdpaTap(call.name, lambda _heads, fused: replaced.to(fused.dtype)):
            return _tokens_of(module(*seen["args"], **seen["kwargs"]))

    return rest


def _tokens_of(output: Any) -> Tensor:
    return output[0] if isinstance(output, tuple) else output


def _refuse_beyond(difference: float, allowed: float, where: str) -> None:
    if not difference <= allowed:
        raise UntraceableError(
            "model",
            f"recomputed weights times values must come {where} to within {allowed:.3g}",
            f"a difference of {difference:.3g}",
            "It is not softmax(scale q k^T + bias) v: trace another model, or correct the adapter.",
        )


def rounding(heads: Heads) -> float:
    """How far rounding may part weights @ value from a fused kernel's output.

    A logit of d products is off by at most (d + 8) u scale |q| |k|, which changes a weight by twice that,
    relatively; the sums over T keys add (T + 8) u; each holds for both sides. A kernel in half precision
    rounds its weights, and its output, to that precision.
    """
    query, key, value = heads.query, heads.key, heads.value
    inner = _accumulation(query)
    logit = abs(heads.scale) * float(query.norm(dim=-1).max()) * float(key.norm(dim=-1).max())
    if heads.bias is not None and heads.bias.dtype != torch.bool:
        logit += float(heads.bias.masked_fill(heads.bias.isinf(), 0).abs().max())
    weight = (
        4 * (query.shape[-1] + 8) * inner * logit + 2 * (query.shape[-2] + 8) * inner + 6 * _unit(value.dtype)
    )
    return weight * float(value.abs().max())


def _unit(dtype: torch.dtype) -> float:
    return torch.finfo(dtype).eps / 2


def _accumulation(query: Tensor) -> float:
    if query.is_cuda and query.dtype == torch.float32 and torch.get_float32_matmul_precision() != "highest":
        return 2.0**-11  # TF32
    return _unit(torch.promote_types(query.dtype, torch.float32))
