"""Running one block and reading its attention."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from attnclust.vit._adapters import Adapter, HeadsAdapter
from attnclust.vit._errors import UntraceableError
from attnclust.vit._heads import Heads
from attnclust.vit._plan import Call
from attnclust.vit._sdpa import SdpaTap


def run_block(call: Call, tokens: Tensor, adapter: Adapter, on_heads: Callable[[Heads], None]) -> Tensor:
    """Run one block and hand over its heads; refuse it if it has not one attention over all tokens."""

    def once(heads: Heads) -> None:
        nonlocal count
        count += 1
        if count == 1:
            check_heads(heads, tokens, call.name)
            on_heads(heads)

    count = 0
    with listening(call, adapter, once):
        output = call(tokens)
    if count == 0:
        raise UntraceableError(
            "model",
            f"{call.name} must call torch's scaled_dot_product_attention",
            f"{type(adapter.attention(call.block)).__name__}, which does not (fused attention switched off, "
            "or another attention)",
            "If it has a fused_attn switch, set it to True; else pass a HeadsAdapter that names its heads.",
        )
    if count > 1:
        raise UntraceableError(
            "model",
            f"{call.name} must have one attention",
            f"{type(adapter.attention(call.block)).__name__}, which has {count} in one block (differential "
            "or parallel attention), so that no one stochastic matrix leads to its output",
            "Trace a model with one softmax attention in a block.",
        )
    return output


@contextmanager
def listening(call: Call, adapter: Adapter, on_heads: Callable[[Heads], None]) -> Iterator[None]:
    """Hand over the heads of every attention that runs inside."""
    if not isinstance(adapter, HeadsAdapter):

        def pass_on(heads: Heads, output: Tensor) -> Tensor:
            on_heads(heads)
            return output

        with SdpaTap(call.name, pass_on):
            yield
        return

    def hook(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        on_heads(adapter.heads(module, args, kwargs))

    handle = adapter.attention(call.block).register_forward_hook(hook, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()


def check_heads(heads: Heads, tokens: Tensor, where: str) -> None:
    """Refuse an attention that is not one of all tokens to all tokens of each image."""
    batch, count = tokens.shape[:2]
    for name, tensor in (("queries", heads.query), ("keys", heads.key), ("values", heads.value)):
        if tensor.ndim != 4 or tensor.shape[0] != batch or tensor.shape[2] != count:
            raise UntraceableError(
                "model",
                f"in {where} all {count} tokens of each of {batch} images must attend to each other: "
                f"{name} of shape ({batch}, heads, {count}, width)",
                f"{name} of shape {tuple(tensor.shape)} (windowed, pooled or sparse attention)",
                "Trace a model with global self-attention.",
            )
