"""What a softmax attention is given, and the weights that follow from it.

The weights are recomputed from the very queries and keys that the module hands to its fused kernel, so that
whatever it did to them before (normalisation, rotation, scale, biases, masks) is in them already.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

# How much memory the weights of all heads may take at a time: on a CPU what stays in a core's cache.
_CPU_CHUNK_BYTES = 2**19
_CUDA_CHUNK_BYTES = 256 * 2**20
_MODERATE = 1e19
"""Sums of exponentials from 1 / this to this keep every weight above 1e-19 to full precision in float32."""


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
        together. A map is first taken as exponentials over their sums, which saves the passes by which a
        softmax stays in range; where sums leave the range all the same (logits beyond 43), softmaxes are
        taken.
        """
        batch, heads, tokens, _ = self.query.shape
        dtype = _at_least_float32(self.query.dtype)
        budget = _CUDA_CHUNK_BYTES if self.query.is_cuda else _CPU_CHUNK_BYTES * torch.get_num_threads()
        at_once = min(batch, max(1, budget // (heads * tokens**2 * dtype.itemsize)))
        chunks = [slice(start, min(start + at_once, batch)) for start in range(0, batch, at_once)]
        mean = torch.empty(batch, tokens, tokens, dtype=dtype, device=self.query.device)
        sums = mean.new_empty(batch, heads, tokens, 1)
        scratch = mean.new_empty(at_once, heads, tokens, tokens)
        with self._full_precision():
            for images in chunks:
                powers = self._logits(images, out=scratch[: images.stop - images.start]).exp_()
                of_rows = torch.sum(powers, dim=-1, keepdim=True, out=sums[images])
                first, *others = zip(powers.unbind(1), (heads * of_rows).reciprocal_().unbind(1), strict=True)
                average = torch.mul(*first, out=mean[images])
                for maps, shares in others:
                    average.addcmul_(maps, shares)
            least, largest = sums.aminmax()
            if not (least > 1 / _MODERATE and largest < _MODERATE):
                for images in chunks:
                    torch.mean(self._logits(images).softmax(dim=-1), dim=1, out=mean[images])
        return mean

    def _full_precision(self) -> torch.autocast:
        """A caller's autocast shall reach the model, not the arithmetic that watches it."""
        return torch.autocast(self.query.device.type, enabled=False)

    def _logits(self, images: slice, out: Tensor | None = None) -> Tensor:
        dtype = _at_least_float32(self.query.dtype)
        query, key = (each[images].to(dtype) for each in (self.query, self.key))
        flat = None if out is None else out.flatten(0, 1)
        # Scaled inside the product, which reads one image's queries and keys where they lie.
        product = torch.baddbmm(
            query.new_zeros(()), query.flatten(0, 1), key.flatten(0, 1).mT, beta=0, alpha=self.scale, out=flat
        )
        logits = product.unflatten(0, query.shape[:2])
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
