"""How far each part of a real block can spread two tokens: operator norms and Lipschitz factors.

The matrices of values and projection are read off the attention module itself, by what it makes of unit
vectors, so that no knowledge of its insides is needed; all that is read is checked on real tokens, and what
fails the check (a gated MLP, a normalisation before the projection) has no factor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attnclust.vit._adapters import Adapter, HeadsAdapter, Parts
from attnclust.vit._heads import Heads
from attnclust.vit._plan import evaluating, make_plan
from attnclust.vit._sdpa import SdpaTap
from attnclust.vit._stages import StageRecord, record_stages, side_by_side
from attnclust.vit._stream import check_arguments

# The largest slope of an activation, rounded up; by the name of its class, as torch and timm have it.
_SLOPES = {
    "GELU": 1.1290,
    "GELUTanh": 1.1291,
    "QuickGELU": 1.0999,
    "SiLU": 1.0999,
    "Swish": 1.0999,
    "ReLU": 1.0,
}


@dataclass(frozen=True)
class NormFactor:
    """What LayerNorm (or RMSNorm, which does not centre) can do to the distance of two tokens.

    With s(z) = sqrt(|z - mean z|^2 / D + eps), the norm's own divisor, two normalised tokens x and y are no
    farther apart than max|gain| |x - y| / sqrt(s(x) s(y)). (Append sqrt(D eps) to the centred token: the norm
    becomes the projection onto a sphere, and |u/|u| - v/|v||^2 = (|u - v|^2 - (|u| - |v|)^2) / (|u| |v|).)
    The global factor, max|gain| / sqrt(eps), is a thousand times larger and says nothing.
    """

    gain: float
    eps: float
    centred: bool

    def of(self, tokens: Float[Tensor, "*batch t d"]) -> Float[Tensor, "*batch t"]:
        """max|gain| / s(z) for each token, in float64; a cluster's factor is the geometric mean of its two
        largest.
        """
        tokens = tokens.double()
        if self.centred:
            tokens = tokens - tokens.mean(dim=-1, keepdim=True)
        return self.gain / (tokens.square().mean(dim=-1) + self.eps).sqrt()


@dataclass(frozen=True)
class BlockFactors:
    """The factors of one block; None where a part is of a kind that has none.

    Attributes:
        values: W_V of each head, float64: values are ``norm1 @ W_V.T`` and a constant.
        projection: W_O of each head, float64: the attention's output is the sum over the heads of
            ``mixed @ W_O.T`` and a constant.
        mlp: a Lipschitz constant of the MLP: the operator norms of its two matrices, times the largest slope
            of its activation.
        norm1, norm2: of the normalisations.
    """

    values: Float[Tensor, "h d_h width"] | None
    projection: Float[Tensor, "h width d_h"] | None
    mlp: float | None
    norm1: NormFactor | None
    norm2: NormFactor | None

    @cached_property
    def values_norms(self) -> tuple[Tensor, Tensor]:
        """The operator norms of all heads' W_V above one another, and of each head's, ``(h,)``."""
        assert self.values is not None
        return _operator_norm(self.values.flatten(0, 1)), _operator_norm(self.values)

    @cached_property
    def projection_norms(self) -> tuple[Tensor, Tensor]:
        """The operator norms of all heads' W_O side by side, and of each head's, ``(h,)``."""
        assert self.projection is not None
        return _operator_norm(self.projection.transpose(0, 1).flatten(1)), _operator_norm(self.projection)


def block_factors(model: Any, images: Any, *, adapter: Adapter | None = None) -> tuple[BlockFactors, ...]:
    """Operator norms and Lipschitz factors of every block of a vision transformer, for the stage ledger.

    Args:
        model: a model that :func:`attnclust.vit.stage_ledger` can take.
        images: a batch, of which the first is used: what is read off the model is checked on its tokens.
        adapter: for models that are not timm's.

    Returns:
        L entries, for blocks 1..L.

    Raises:
        UntraceableError, ArgumentError, ArgumentTypeError: as :func:`attnclust.vit.stage_ledger`.

    Source: proved here; the sphere's inequality is elementary.

    Examples:
        >>> import timm, torch
        >>> model = timm.create_model("vit_tiny_patch16_224", img_size=32, depth=1).eval()
        >>> (factors,) = block_factors(model, torch.rand(1, 3, 32, 32))
        >>> tuple(factors.values.shape), tuple(factors.projection.shape), factors.norm1.centred
        ((3, 64, 192), (3, 192, 64), True)
        >>> torch.allclose(factors.values.flatten(0, 1), model.blocks[0].attn.qkv.weight[384:].double())
        True
    """
    images, adapter = check_arguments(model, images, adapter)
    plan = make_plan(model, images[:1], adapter)
    tokens, found = plan.tokens, []
    for call in plan.calls:
        parts = adapter.parts(call.block)
        record = record_stages(call, tokens, adapter, parts)
        with evaluating(call.block):
            found.append(_of_block(parts, record, adapter))
        tokens = record.out["block"]
    return tuple(found)


def _of_block(parts: Parts, record: StageRecord, adapter: Adapter) -> BlockFactors:
    heads: Heads = record.out["heads"]

    def values(tokens: Tensor) -> Tensor:
        return side_by_side(_heads_for(parts.attention, record, adapter, tokens).value)

    def project(mixed: Tensor) -> Tensor:
        return _project(parts.attention, record, adapter, mixed.unflatten(-1, (h, -1)).transpose(1, 2))

    h = heads.value.shape[1]
    w_v = _matrix(values, record.into["attention"], side_by_side(heads.value))
    mixed = side_by_side(heads.mixed().to(heads.value.dtype))
    w_o = _matrix(project, mixed, record.out["attention"])
    return BlockFactors(
        None if w_v is None else w_v.unflatten(0, (h, -1)),
        None if w_o is None else w_o.unflatten(1, (h, -1)).transpose(0, 1),
        _mlp(parts.mlp, record.into["mlp"], record.out["mlp"]),
        _norm(parts.norm1),
        _norm(parts.norm2),
    )


def _heads_for(attention: nn.Module, record: StageRecord, adapter: Adapter, tokens: Tensor) -> Heads:
    """The heads of the attention module for other tokens."""
    args = (tokens, *record.args[1:])
    if isinstance(adapter, HeadsAdapter):
        return adapter.heads(attention, args, record.kwargs)
    seen: list[Heads] = []

    def keep(heads: Heads, output: Tensor) -> Tensor:
        seen.append(heads)
        return output

    with SdpaTap("the attention", keep):
        attention(*args, **record.kwargs)
    return seen[0]


def _project(attention: nn.Module, record: StageRecord, adapter: Adapter, mixed: Tensor) -> Tensor:
    """What the attention module makes of other outputs of its heads."""
    if isinstance(adapter, HeadsAdapter):
        return adapter.project(attention, mixed)
    with SdpaTap("the attention", lambda _heads, _output: mixed):
        output = attention(*record.args, **record.kwargs)
    return output[0] if isinstance(output, tuple) else output


def _matrix(function: Callable[[Tensor], Tensor], tokens: Tensor, truth: Tensor) -> Tensor | None:
    """The matrix of an affine function of single tokens, (out, in), from unit vectors, in float64.

    None if it is not such a function: then the tokens' own outputs are not what the matrix says.
    """
    width, count = tokens.shape[2], tokens.shape[1]
    zero = function(torch.zeros_like(tokens))[0].double()
    columns: list[Tensor] = []
    for units in torch.eye(width, dtype=tokens.dtype, device=tokens.device).split(count):
        padded = torch.zeros_like(tokens)
        padded[0, : len(units)] = units
        columns.append(function(padded)[0, : len(units)].double() - zero[: len(units)])
    matrix = torch.cat(columns).T
    said = tokens[0].double() @ matrix.T + zero
    unit = torch.finfo(truth.dtype).eps / 2
    # A sum of `width` products, whose matrix is itself rounded against the constant.
    size = tokens[0].double().abs() @ matrix.abs().T + zero.abs() * (
        1 + float(tokens.double().abs().sum(-1).max())
    )
    off = (said - truth[0].double()).abs()
    return matrix if bool((off <= 4 * (width + 8) * unit * size).all()) else None


def _mlp(mlp: nn.Module, tokens: Tensor, truth: Tensor) -> float | None:
    """The Lipschitz constant of linear, activation, linear, if the MLP is their chain on these tokens."""
    chain = list(_leaves(mlp))
    kinds = [isinstance(module, nn.Linear) for module in chain]
    if kinds != [True, False, True] or type(chain[1]).__name__ not in _SLOPES:
        return None
    result = tokens
    for module in chain:
        result = module(result)
    if not torch.allclose(result, truth, rtol=1e-3, atol=1e-3 * float(truth.abs().max())):
        return None
    norms = [float(_operator_norm(module.weight.double())) for module in (chain[0], chain[2])]
    return norms[0] * _SLOPES[type(chain[1]).__name__] * norms[1]


def _leaves(module: nn.Module) -> Iterator[Any]:
    for child in module.children():
        if next(child.children(), None) is not None:
            yield from _leaves(child)
        elif not isinstance(child, (nn.Identity, nn.Dropout)):
            yield child


def _norm(norm: Any) -> NormFactor | None:
    centred = isinstance(norm, nn.LayerNorm)
    if not centred and type(norm).__name__ not in ("RmsNorm", "RMSNorm"):
        return None
    if norm.eps is None:  # RMSNorm's own default, which depends on what it is given
        return None
    gain = 1.0 if norm.weight is None else float(norm.weight.abs().max())
    return NormFactor(gain, float(norm.eps), centred)


def _operator_norm(matrix: Float[Tensor, "*h a b"]) -> Float[Tensor, "*h"]:
    return torch.linalg.matrix_norm(matrix, 2)
