"""Attention weights from tokens, and one step of the simplified layer."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from jaxtyping import Float

from attnclust._array import (
    ArgumentError,
    Attention,
    Number,
    Tokens,
    checked_step,
    common_batch,
    common_shape,
    namespace,
    positive,
    real,
)
from attnclust.attention._masks import refuse_numbers, refuse_unseeing


def attention_weights(
    tokens: Tokens, w_q: Any, w_k: Any, *, scale: Number = None, mask: Any = None
) -> Float[Any, "*batch n n"]:
    r"""Single-head softmax attention, :math:`A = \mathrm{softmax}(s \, Z W_Q (Z W_K)^\top)`; row = query.

    Source: paper, section 2.

    Args:
        tokens: ``(*batch, n, d)``, real floating.
        w_q: ``(d, d_k)`` (or ``(*batch, d, d_k)``), queries are ``tokens @ w_q``.
        w_k: the same shape, keys are ``tokens @ w_k``.
        scale: s, a number > 0; ``1 / sqrt(d_k)`` if None.
        mask: boolean, broadcasts to ``(*batch, n, n)``: True where the query may see the key; None sees all.

    Returns:
        ``(*batch, n, n)``, rows sum to 1 to rounding, in the dtype that the arguments promote to.

    Raises:
        ArgumentTypeError: arguments of mixed kinds, not of real floating dtype, or a mask that is not
            boolean.
        ArgumentError: shapes that do not fit, NaN, logits that overflow, a scale that is not a positive
            number, a query that sees no key.

    >>> import numpy as np
    >>> attention_weights(np.array([[0.0], [np.log(3.0)]]), np.eye(1), np.eye(1))[0]
    array([0.5, 0.5])
    """
    xp = namespace("mask", tokens=tokens, w_q=w_q, w_k=w_k, mask=mask)
    tokens = real(xp, "tokens", tokens, ndim=2)
    w_q, w_k = real(xp, "w_q", w_q, ndim=2), real(xp, "w_k", w_k, ndim=2)
    if (
        tuple(w_q.shape[-2:]) != tuple(w_k.shape[-2:])
        or w_q.shape[-2] != tokens.shape[-1]
        or w_q.shape[-1] == 0
    ):
        raise ArgumentError(
            "w_q and w_k",
            f"must both be (d, d_k) with d = {tokens.shape[-1]}",
            f"shapes {tuple(w_q.shape)} and {tuple(w_k.shape)}",
            "Queries are tokens @ w_q: transpose a weight stored as (d_k, d).",
        )
    if tokens.shape[-2] == 0:
        raise ArgumentError("tokens", "must hold a token", f"shape {tuple(tokens.shape)}", "Add some.")
    common_batch(xp, tokens=tokens.shape[:-2], w_q=w_q.shape[:-2], w_k=w_k.shape[:-2])
    scale = 1 / math.sqrt(w_q.shape[-1]) if scale is None else positive("scale", scale)
    with np.errstate(over="ignore", invalid="ignore"):
        logits = (tokens @ w_q * scale) @ xp.matrix_transpose(tokens @ w_k)
    if not bool(xp.all(xp.isfinite(logits))):
        raise ArgumentError(
            "tokens, w_q and w_k",
            f"logits must be finite in {logits.dtype}",
            "products that overflow",
            "Take a wider dtype, or smaller tokens, weights or scale.",
        )
    if mask is not None:
        logits = xp.where(_checked_mask(xp, mask, logits), logits, -xp.ones_like(logits) * math.inf)
    # Less the row's maximum nothing overflows but what is 0 anyway.
    with np.errstate(over="ignore"):
        weights = xp.exp(logits - xp.max(logits, axis=-1, keepdims=True))
    return weights / xp.sum(weights, axis=-1, keepdims=True)


def _checked_mask(xp: Any, mask: Any, logits: Any) -> Any:
    refuse_numbers(xp, mask)
    if common_shape(attention=logits, mask=mask) != tuple(logits.shape):
        raise ArgumentError(
            "mask",
            f"must broadcast to {tuple(logits.shape)}",
            f"shape {tuple(mask.shape)}",
            "It is (n, n), row = query.",
        )
    mask = xp.broadcast_to(mask, logits.shape)
    refuse_unseeing(xp, mask)
    return mask


def attend(attention: Attention, tokens: Tokens, *, w_v: Any = None) -> Float[Any, "*batch n d"]:
    r"""One step of the simplified layer, :math:`Z' = A Z W_V` (:math:`W_V = I` if left out).

    Source: paper, section 3.2 and appendix A.

    Args:
        attention: ``(*batch, n, n)``, row-stochastic.
        tokens: ``(*batch, n, d)``, of the same kind.
        w_v: ``(*batch, d, d_v)`` or None.

    Returns:
        ``(*batch, n, d)`` (or d_v).

    Raises:
        ArgumentTypeError: mixed kinds, no real floating dtype.
        ArgumentError: rows that do not sum to 1, negative weights, NaN, shapes that do not fit.

    >>> import numpy as np
    >>> attend(np.array([[0.5, 0.5], [0.0, 1.0]]), np.array([[0.0], [4.0]]))
    array([[2.],
           [4.]])
    """
    xp = namespace("w_v", attention=attention, tokens=tokens, w_v=w_v)
    attention, tokens = checked_step(xp, attention, tokens)
    if w_v is None:
        return attention @ tokens
    w_v = real(xp, "w_v", w_v, ndim=2)
    if w_v.shape[-2] != tokens.shape[-1]:
        raise ArgumentError(
            "w_v",
            f"must be (d, d_v) with d = {tokens.shape[-1]}",
            f"shape {tuple(w_v.shape)}",
            "Transpose it.",
        )
    common_batch(xp, attention=attention.shape[:-2], tokens=tokens.shape[:-2], w_v=w_v.shape[:-2])
    return attention @ (tokens @ w_v)
