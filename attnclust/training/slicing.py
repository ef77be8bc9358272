"""A narrower copy of a vision transformer: the point from which the student is distilled.

The residual stream is projected onto its leading principal directions. The constant direction, which
LayerNorm removes, is kept as the constant direction of the narrower stream, so LayerNorm commutes with the
projection up to one scale. Each head's queries, keys and values are cut to the rank that loses least of
the logits, and of the head's output, on sample images. Hidden units of the MLPs are all kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

Module = Any
"""A timm model or a part of one, whose attributes torch leaves untyped."""


def slice_into(student: Module, teacher: Module, batches: Iterable[Tensor]) -> Tensor:
    """Fill ``student`` with the projection of ``teacher`` that the sample images call for.

    Args:
        student: a model of the teacher's depth, heads, patches and hidden width, and narrower embedding;
            changed in place.
        teacher: plain blocks with LayerNorm, biases and no layer scale.
        batches: normalised images, each (B, 3, S, S) float32; a few hundred images do.

    Returns:
        The projection (teacher width, student width), with orthonormal columns: a teacher token z has the
        student token ``z @ projection``.
    """
    moments = _Moments(teacher)
    with torch.no_grad():
        for batch in batches:
            moments.add(batch)
        projection = _projection(moments.stream, student.embed_dim)
        _slice(student, teacher, moments, projection)
    return projection.float()


class _Moments:
    """Second moments of a model's residual stream, and of every head's queries, keys and values."""

    def __init__(self, model: Module) -> None:
        self.model = model
        width, heads = model.embed_dim, model.blocks[0].attn.num_heads
        self.stream = torch.zeros(width, width, dtype=torch.float64)
        # (block, q/k/v, head, d_h, d_h)
        self.heads = torch.zeros(
            len(model.blocks), 3, heads, width // heads, width // heads, dtype=torch.float64
        )

    def add(self, images: Tensor) -> None:
        handles = [self.model.blocks[0].register_forward_pre_hook(lambda _, args: self._add_stream(args[0]))]
        for index, block in enumerate(self.model.blocks):
            handles.append(block.register_forward_hook(lambda *call: self._add_stream(call[2])))
            handles.append(block.attn.qkv.register_forward_hook(self._head_hook(index)))
        try:
            self.model(images)
        finally:
            for handle in handles:
                handle.remove()

    def _add_stream(self, tokens: Tensor) -> None:
        rows = tokens.flatten(0, 1).double()
        # Levels differ in scale by an order of magnitude: each counts alike. Their means stay in, since
        # LayerNorm sees them.
        rows = rows / (rows - rows.mean(0)).square().mean().sqrt()
        self.stream += rows.T @ rows

    def _head_hook(self, index: int):
        def add(_module: Module, _args: object, qkv: Tensor) -> None:
            heads = self.heads.shape[2]
            parts = qkv.double().unflatten(-1, (3, heads, -1)).flatten(0, 1).permute(1, 2, 0, 3)
            # Softmax ignores what all keys share.
            parts = torch.stack([parts[0], parts[1] - parts[1].mean(-2, keepdim=True), parts[2]])
            self.heads[index] += parts.transpose(-1, -2) @ parts

        return add


def _projection(stream: Float[Tensor, "d d"], width: int) -> Float[Tensor, "d w"]:
    """Orthonormal columns that span the constant vector and the principal directions orthogonal to it."""
    full = stream.shape[0]
    constant = torch.full((full, 1), full**-0.5, dtype=stream.dtype)
    centring = torch.eye(full, dtype=stream.dtype) - constant @ constant.T
    principal = torch.linalg.eigh(centring @ stream @ centring).eigenvectors[:, -(width - 1) :]
    basis = torch.cat([constant, principal], dim=1)
    # A Householder reflection swaps the first axis and the student's own constant direction.
    axis = torch.full((width, 1), width**-0.5, dtype=stream.dtype)
    axis[0] -= 1
    reflection = torch.eye(width, dtype=stream.dtype) - 2 * axis @ axis.T / axis.square().sum()
    return basis @ reflection


def _slice(student: Module, teacher: Module, moments: _Moments, projection: Tensor) -> None:
    wide, narrow = projection.shape

    def into(norm: Module, linear: Module) -> tuple[Tensor, Tensor]:
        """Weight and bias of a linear map, and of the LayerNorm before it, seen from the narrower stream."""
        weight = linear.weight.double()
        return (weight * norm.weight.double()) @ projection * (wide / narrow) ** 0.5, (
            linear.bias.double() + weight @ norm.bias.double()
        )

    student.cls_token.copy_(teacher.cls_token.double() @ projection)
    student.pos_embed.copy_(teacher.pos_embed.double() @ projection)
    patch = teacher.patch_embed.proj
    student.patch_embed.proj.weight.copy_(torch.einsum("dchw,dn->nchw", patch.weight.double(), projection))
    student.patch_embed.proj.bias.copy_(patch.bias.double() @ projection)
    # The teacher's gains and offsets go into the linear maps that follow.
    for norm in (module for module in student.modules() if isinstance(module, torch.nn.LayerNorm)):
        norm.reset_parameters()
    for index, (thin, thick) in enumerate(zip(student.blocks, teacher.blocks, strict=True)):
        _slice_attention(
            thin.attn, thick.attn, into(thick.norm1, thick.attn.qkv), moments.heads[index], projection
        )
        weight, bias = into(thick.norm2, thick.mlp.fc1)
        thin.mlp.fc1.weight.copy_(weight)
        thin.mlp.fc1.bias.copy_(bias)
        thin.mlp.fc2.weight.copy_(projection.T @ thick.mlp.fc2.weight.double())
        thin.mlp.fc2.bias.copy_(thick.mlp.fc2.bias.double() @ projection)
    weight, bias = into(teacher.norm, teacher.head)
    student.head.weight.copy_(weight)
    student.head.bias.copy_(bias)


def _slice_attention(
    thin: Module, thick: Module, qkv: tuple[Tensor, Tensor], moments: Tensor, projection: Tensor
) -> None:
    heads, full, rank = thick.num_heads, thick.head_dim, thin.head_dim
    weight = qkv[0].unflatten(0, (3, heads, full))
    bias = qkv[1].unflatten(0, (3, heads, full))
    out = thick.proj.weight.double().unflatten(1, (heads, full))
    new_weight, new_bias, new_out = [], [], []
    for head in range(heads):
        cut_q, cut_k = _cut_logits(moments[0, head], moments[1, head], rank)
        cut_q = cut_q * (rank / full) ** 0.5
        cut_v, mixed = _cut_output(out[:, head], moments[2, head], rank)
        cuts = torch.stack([cut_q, cut_k, cut_v])
        new_weight.append(cuts @ weight[:, head])
        new_bias.append((cuts @ bias[:, head, :, None])[..., 0])
        new_out.append(projection.T @ mixed)
    thin.qkv.weight.copy_(torch.stack(new_weight, dim=1).flatten(0, 2))
    thin.qkv.bias.copy_(torch.stack(new_bias, dim=1).flatten(0, 2))
    thin.proj.weight.copy_(torch.cat(new_out, dim=1))
    thin.proj.bias.copy_(thick.proj.bias.double() @ projection)


def _roots(moment: Float[Tensor, "h h"]) -> tuple[Float[Tensor, "h h"], Float[Tensor, "h h"]]:
    """Square root of a moment matrix, and the root's pseudo-inverse."""
    values, vectors = torch.linalg.eigh(moment)
    root = values.clamp_min(0).sqrt()
    inverse = torch.where(root > 1e-6 * root.max(), 1 / root, 0.0)
    return vectors * root @ vectors.T, vectors * inverse @ vectors.T


def _cut_logits(query: Tensor, key: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """Two (rank, h) maps whose product loses least of E (q . k)^2 (Eckart and Young)."""
    query_root, query_inverse = _roots(query)
    key_root, key_inverse = _roots(key)
    left, values, right = torch.linalg.svd(query_root @ key_root)
    scale = values[:rank].sqrt()[:, None]
    return scale * left.T[:rank] @ query_inverse, scale * right[:rank] @ key_inverse


def _cut_output(out: Tensor, value: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """A (rank, h) map of values and a (d, rank) map of outputs that lose least of E |W_O v|^2."""
    root, inverse = _roots(value)
    left, values, right = torch.linalg.svd(out @ root, full_matrices=False)
    scale = values[:rank].sqrt()
    return scale[:, None] * right[:rank] @ inverse, left[:, :rank] * scale
