"""Listening to a block's own call of PyTorch's fused attention."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from attnclust.vit._errors import UntraceableError
from attnclust.vit._heads import Heads


class SdpaTap(TorchFunctionMode):
    """While active, hands every call of ``scaled_dot_product_attention`` to ``on_call(heads, output)``.

    ``on_call`` gets the fused kernel's own output and returns what the module shall go on with, so that a
    check can put another in its place. ``calls`` counts.
    """

    def __init__(self, where: str, on_call: Callable[[Heads, Tensor], Tensor]) -> None:
        super().__init__()
        self.where = where
        self.calls = 0
        self._on_call = on_call

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Pass everything through, and listen to the one function."""
        output = func(*args, **(kwargs or {}))
        if func is not functional.scaled_dot_product_attention:
            return output
        self.calls += 1
        return self._on_call(self._read(*args, **(kwargs or {})), output)

    def _read(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attn_mask: Tensor | None = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        *,
        scale: float | None = None,
        enable_gqa: bool = False,
    ) -> Heads:
        if dropout_p:
            raise UntraceableError(
                "model",
                f"{self.where} must not drop attention weights in evaluation mode",
                f"dropout_p={dropout_p}",
                "Set its attention dropout to 0 outside training.",
            )
        if enable_gqa:
            groups = query.shape[-3] // key.shape[-3]
            key, value = (x.repeat_interleave(groups, dim=-3) for x in (key, value))
        if is_causal:
            attn_mask = torch.ones(
                query.shape[-2], key.shape[-2], dtype=torch.bool, device=query.device
            ).tril()
        return Heads(query, key, value, query.shape[-1] ** -0.5 if scale is None else float(scale), attn_mask)
