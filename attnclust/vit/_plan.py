"""Running a model block by block: the tokens that enter block 1, and how each block is called.

A model's own forward runs once with stand-ins in its blocks' places. They hand the tokens on untouched and
note what else they were called with (rotary embeddings, shared biases, masks), so that afterwards each block
can be run alone, in turn, with nothing of the others kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from attnclust._array import ArgumentError, ArgumentTypeError
from attnclust.vit._adapters import Adapter, Layout
from attnclust.vit._errors import UntraceableError


@dataclass(frozen=True)
class Call:
    """One block and what it is called with besides the tokens."""

    name: str
    block: nn.Module
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def __call__(self, tokens: Tensor) -> Tensor:
        """The block's output for these tokens."""
        return self.block(tokens, *self.args, **self.kwargs)


@dataclass(frozen=True)
class Plan:
    """Level 0, the calls of blocks 1..L, and how the tokens lie."""

    tokens: Tensor
    calls: tuple[Call, ...]
    layout: Layout


def keep_freed_memory() -> None:
    """Let the C library keep what blocks free for the next block.

    glibc gives larger pieces back to the system, which faults them in again page by page (a tenth of a small
    model's time on a CPU), until it has seen one of nearly 32 MB freed. This one is never touched.
    """
    torch.empty(2**25 - 2**16, dtype=torch.uint8)


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """No gradients and evaluation mode inside; afterwards every module is in the mode it was found in."""
    training = [module for module in model.modules() if module.training]
    try:
        for module in training:
            module.training = False
        with torch.no_grad():
            yield
    finally:
        for module in training:
            module.training = True


def make_plan(model: nn.Module, images: Tensor, adapter: Adapter) -> Plan:
    """Embed the images with the model's own code and note how it calls its blocks."""
    layout = adapter.layout(model, images)
    blocks = list(adapter.blocks(model))
    if not blocks:
        raise UntraceableError(
            "model", "it must have a block", f"{type(model).__name__} with none", "Give it one."
        )
    seen: list[tuple[nn.Module, Tensor, tuple[Any, ...], dict[str, Any]]] = []
    with _stand_ins(model, blocks, seen), evaluating(model):
        model(images)
    ran = [block for block, *_ in seen]
    if len(ran) != len(blocks) or any(a is not b for a, b in zip(ran, blocks, strict=True)):
        order = [blocks.index(block) + 1 for block in ran]
        raise UntraceableError(
            "model",
            f"its forward must run blocks 1..{len(blocks)} once each, in order",
            f"{type(model).__name__}, which runs {order or 'none'}",
            "Pass an adapter whose blocks() names what runs.",
        )
    tokens = seen[0][1]
    kind = type(model).__name__
    check_tokens(tokens, (len(images), layout.prefix_tokens + layout.grid[0] * layout.grid[1]), kind, layout)
    check_finite(tokens, "level 0 (the input of block 1)", model)
    calls = tuple(
        Call(f"block {number} ({type(block).__name__})", block, args, kwargs)
        for number, (block, _, args, kwargs) in enumerate(seen, start=1)
    )
    return Plan(tokens, calls, layout)


@contextmanager
def _stand_ins(
    model: nn.Module,
    blocks: Sequence[nn.Module],
    seen: list[tuple[nn.Module, Tensor, tuple[Any, ...], dict[str, Any]]],
) -> Iterator[None]:
    wanted = {id(block) for block in blocks}
    places = [
        (parent, name, child)
        for parent in model.modules()
        for name, child in parent._modules.items()  # named_children() would skip a block's second place
        if child is not None and id(child) in wanted
    ]
    try:
        for parent, name, child in places:
            parent.register_module(name, _StandIn(child, seen))
        yield
    finally:
        for parent, name, child in places:
            parent.register_module(name, child)


class _StandIn(nn.Module):
    """Takes a block's place without becoming the block's parent: the block's own hooks stay silent."""

    def __init__(
        self, block: nn.Module, seen: list[tuple[nn.Module, Tensor, tuple[Any, ...], dict[str, Any]]]
    ) -> None:
        super().__init__()
        self._note = lambda tokens, args, kwargs: seen.append((block, tokens, args, kwargs))

    def forward(self, tokens: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        self._note(tokens, args, kwargs)
        return tokens


def check_images(model: nn.Module, images: object) -> Tensor:
    """The images, if they are finite numbers of the model's dtype, on its device, (B, C, H, W)."""
    if not isinstance(images, Tensor):
        raise ArgumentTypeError(
            "images",
            "must be a torch tensor",
            type(images).__name__,
            "Use torch.from_numpy or the model's transform.",
        )
    if images.ndim != 4 or len(images) == 0:
        raise ArgumentError(
            "images",
            "shape must be (batch, channels, height, width) with a batch of at least 1",
            f"shape {tuple(images.shape)}",
            "Give one image as image[None].",
        )
    weight = next((p for p in model.parameters() if p.is_floating_point()), None)
    if weight is not None and images.dtype != weight.dtype:
        raise ArgumentTypeError(
            "images",
            f"dtype must be the model's, {weight.dtype}",
            images.dtype,
            f"Use images.to({weight.dtype}).",
        )
    if weight is not None and images.device != weight.device:
        raise ArgumentError(
            "images",
            f"must be on the model's device, {weight.device}",
            images.device,
            "Move the one to the other.",
        )
    if not all_finite(images):
        bad = int((~images.isfinite()).flatten(1).any(dim=1).nonzero()[0])
        raise ArgumentError(
            "images", "pixels must be finite", f"NaN or infinity in image {bad}", "Leave it out."
        )
    return images


def check_tokens(tokens: object, shape: tuple[int, int], kind: str, layout: Layout) -> None:
    """Refuse tokens that are not (B, prefix + rows x columns, D)."""
    if not isinstance(tokens, Tensor) or tokens.ndim != 3 or tuple(tokens.shape[:2]) != shape:
        came = f"shape {tuple(tokens.shape)}" if isinstance(tokens, Tensor) else type(tokens).__name__
        raise UntraceableError(
            "model",
            f"tokens must be (batch, tokens, width) with {shape[0]} images of {shape[1]} tokens "
            f"({layout.prefix_tokens} prefix, {layout.grid[0]} x {layout.grid[1]} patches)",
            f"{came} in {kind}",
            "Trace a model whose blocks pass tokens on, or pass an adapter with the right layout().",
        )


def all_finite(tensor: Tensor) -> bool:
    """Whether it has no NaN and no infinity: its sum shows that at once, unless the sum itself overflows."""
    wide = torch.promote_types(tensor.dtype, torch.float32)
    return bool(tensor.sum(dtype=wide).isfinite()) or bool(tensor.isfinite().all())


def check_finite(tokens: Tensor, where: str, module: nn.Module) -> None:
    """Refuse NaN and infinity, naming the level and, if one is to blame, the parameter."""
    if all_finite(tokens):
        return
    named = (name for name, value in module.named_parameters() if not bool(value.isfinite().all()))
    blame = next(named, None)
    raise ArgumentError(
        "model" if blame else "images",
        f"activations must be finite at {where}",
        f"NaN or infinity, as in the weight {blame!r}" if blame else f"NaN or infinity in {tokens.dtype}",
        "Load sound weights." if blame else "Scale the images as the model expects, or use a wider dtype.",
    )
