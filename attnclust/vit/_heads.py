"""What a softmax attention is given, and the weights that follow from it.

The weights are recomputed from the very queries and keys that the module hands to its fused kernel, so that
whatever it did to them before (normalisation, rotation, scale, biases, masks) is in them already.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

# How much memory the weights of all heads may take at a time: on a CPU what stays in the cache.
_CPU_CHUNK_BYTES = 2**19
_CUDA_CHUNK_BYTES = 256 * 2**20


@dataclass(frozen=True)
class Heads:
    """The inputs of one multi-head softmax attention.

    Its weights are softmax(scale q k^T + bias), its output weights v.

    Attributes:
        query, key: ``(B, H, T, d)``, after every normalisation and rotation, before the scale.
        value: ``(B, H, T, d_h)``, what the weights average.
        scale: the factor of the logits, often 1/sqrt(d).
        bias: broadcastable to ``(B, H, T, T)``, added to the logits (relative positions, masks); boolean:
            True where a key may be seen; None for none.
    """

    query: Tensor
    key: Tensor
    value: Tensor
    scale: float
    bias: Tensor | None = None

    def weights(self) -> Float[Tensor, "batch heads tokens tokens"]:
        """The attention of every head, (B, H, T, T), in float32, or float64 if the queries are."""
        with self._full_precision():
            return self._logits(slice(None)).softmax(dim=-1)

    def mixed(self) -> Float[Tensor, "batch heads tokens d_h"]:
        """Weights times values, in the dtype of :meth:`weights`."""
        with self._full_precision():
            weights = self.weights()
            return weights @ self.value.to(weights.dtype)

    def mean_weights(self) -> Float[Tensor, "batch tokens tokens"]:
        """The attention averaged over the heads, (B, T, T), in the dtype of :meth:`weights`.

        A few images are done at a time, in the same memory, so that the maps of all heads never exist
        together.
        """
        batch, heads, tokens, _ = self.query.shape
        dtype = _at_least_float32(self.query.dtype)
        budget = _CUDA_CHUNK_BYTES if self.query.is_cuda else _CPU_CHUNK_BYTES
        chunk = min(batch, max(1, budget // (heads * tokens * tokens * dtype.itemsize)))
        mean = torch.empty(batch, tokens, tokens, dtype=dtype, device=self.query.device)
        logits, weights = mean.new_empty(2, chunk, heads, tokens, tokens)
        with self._full_precision():
            for start in range(0, batch, chunk):
                images = slice(start, min(start + chunk, batch))
                size = images.stop - start
                self._logits(images, out=logits[:size])
                torch.softmax(logits[:size], dim=-1, out=weights[:size])
                torch.mean(weights[:size], dim=1, out=mean[images])
        return mean

    def _full_precision(self) -> torch.autocast:
        """A caller's autocast shall reach the model, not the arithmetic that watches it."""
        return torch.autocast(self.query.device.type, enabled=False)

    def _logits(self, images: slice, out: Tensor | None = None) -> Tensor:
        dtype = _at_least_float32(self.query.dtype)
        query, key = self.query[images].to(dtype) * self.scale, self.key[images].to(dtype)
        logits = torch.matmul(query, key.transpose(-2, -1), out=out)
        if self.bias is not None:
            bias = self.bias.expand(self.query.shape[0], *logits.shape[1:])[images]
            if bias.dtype == torch.bool:
                logits.masked_fill_(~bias, -torch.inf)
            else:
                logits += bias
        return logits


def _at_least_float32(dtype: torch.dtype) -> torch.dtype:
    """Half precision would round logits of size 20 by 1 %: weights are computed, and given, in float32."""
    return torch.promote_types(dtype, torch.float32)
