"""The simulator: a layer of attention applied again and again, all levels and weights kept."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import array_api_compat
import numpy as np

from attnclust._array import ArgumentError, Namespace, Number, Tokens, whole
from attnclust.attention._layer import Layer, checked_layer

HOST_ENTRIES, DEVICE_ENTRIES = 1 << 17, 1 << 26
"""Attention weights that one pass holds: what a core's caches hold; what keeps an accelerator busy."""


class Trajectory(NamedTuple):
    """What a simulation passed through, depth first.

    Attributes:
        tokens: ``(steps + 1, *batch, n, d)``: entry l is level l, entry 0 the tokens that came.
        attention: ``(steps, *batch, n, n)``, or ``(steps, *batch, heads, n, n)`` with several heads: entry l
            leads from level l to level l + 1; row = query.
    """

    tokens: Any
    attention: Any


def simulate(
    tokens: Tokens,
    w_q: Any,
    w_k: Any,
    *,
    steps: Number,
    w_v: Any = None,
    residual: Any = False,
    step_size: Number = 1,
    norm: Any = None,
    mask: Any = None,
    scale: Number = None,
    heads: Number = None,
) -> Trajectory:
    r"""Tokens under the same attention layer, step by step.

    Setting: one step is :math:`Z' = N(A Z W_V)` or, with a residual, :math:`Z' = N(Z + h \, A Z W_V)`, with
    :math:`A = \mathrm{softmax}(s \, Z W_Q (Z W_K)^\top)` computed from the present tokens as by
    :func:`attention_weights`, and N the identity, LayerNorm or the projection to the unit sphere. The default
    is the paper's simplified layer Z' = A Z. Deterministic; on a CPU no run depends on the others beside it
    but in the rounding of products.

    Source: paper, section 3.2 and appendix A, and its usual relatives.

    Args:
        tokens: ``(*batch, n, d)``, real floating; they are level 0 as they are, not normalised.
        w_q: ``(*batch, d, d_k)``, or ``(*batch, heads, d, d_k)``; or a list of such, one a step.
        w_k: the same.
        steps: how many, at least 0.
        w_v: ``(*batch, d, d)``, or ``(*batch, heads, d, d)``, or a list; None is the identity.
        residual: add what attention gives to the tokens instead of replacing them.
        step_size: h > 0, with `residual` only.
        norm: ``"layernorm"`` (over a token's coordinates, epsilon 1e-5, no gain), ``"sphere"`` (unit
            length), or None; applied to the tokens after every step.
        mask: boolean ``(*batch, n, n)``, True where the query may see the key; see :func:`causal_mask`,
            :func:`ring_mask`, :func:`block_mask`.
        scale: s > 0, the inverse temperature; ``1 / sqrt(d_k)`` if None.
        heads: how many; None for weights without a head axis. Outputs of heads are summed, `w_v` of a head
            standing for its values and its part of the output projection; without `w_v` they are averaged.

    Leading axes broadcast, so one set of weights can drive many runs, and many sets of weights one.

    Returns:
        :class:`Trajectory`, of the kind and on the device of the arguments, in the dtype they promote to.

    Raises:
        ArgumentTypeError: arguments of mixed kinds, no real floating dtype, a mask that is not boolean, a
            count that is no whole number.
        ArgumentError: shapes that do not fit, NaN, numbers out of range, a list of another length than
            `steps`, a query that sees no key, mixed devices, tokens that overflow on the way.

    >>> two = simulate(np.array([[1.0], [-1.0]]), np.eye(1), np.eye(1), steps=3)
    >>> two.tokens[:, 0, 0].round(4)  # r' = r tanh(r^2)
    array([1.    , 0.7616, 0.3981, 0.0626])
    >>> two.tokens.shape, two.attention.shape
    ((4, 2, 1), (3, 2, 2))
    """
    count = whole("steps", steps, least=0)
    layer = checked_layer(
        tokens,
        w_q,
        w_k,
        steps=count,
        w_v=w_v,
        residual=residual,
        step_size=step_size,
        norm=norm,
        mask=mask,
        scale=scale,
        heads=heads,
    )
    xp, start = layer.xp, layer.tokens
    runs, n, d = start.shape
    device = array_api_compat.device(start)
    maps = (n, n) if layer.heads is None else (layer.heads, n, n)
    levels = xp.empty((count + 1, runs, n, d), dtype=start.dtype, device=device)
    attention = xp.empty((count, runs, *maps), dtype=start.dtype, device=device)
    at_once = max(1, _entries(start) // math.prod(maps))
    with np.errstate(over="ignore", invalid="ignore"):  # an overflow is told below, with its step
        for first in range(0, runs, at_once):
            _run(layer, slice(first, min(first + at_once, runs)), levels, attention)
    _refuse_overflow(xp, levels)
    return Trajectory(
        xp.reshape(levels, (count + 1, *layer.batch, n, d)),
        xp.reshape(attention, (count, *layer.batch, *maps)),
    )


def _run(layer: Layer, runs: slice, levels: Any, attention: Any) -> None:
    x = layer.tokens[runs, ...]
    levels[0, runs, ...] = x
    for at in range(attention.shape[0]):
        attention[at, runs, ...], x = layer.step(x, runs, at)
        levels[at + 1, runs, ...] = x


def _entries(tokens: Any) -> int:
    on_host = str(array_api_compat.device(tokens)).partition(":")[0].lower() in ("cpu", "cpu_device")
    return HOST_ENTRIES if on_host else DEVICE_ENTRIES


def _refuse_overflow(xp: Namespace, levels: Any) -> None:
    if bool(xp.all(xp.isfinite(levels))):
        return
    finite = xp.all(xp.isfinite(xp.reshape(levels, (levels.shape[0], -1))), axis=-1)
    first = int(xp.sum(xp.cumulative_sum(xp.astype(~finite, xp.int64)) == 0))
    raise ArgumentError(
        "steps",
        "tokens must stay finite",
        f"an overflow in step {first}",
        "Take fewer steps, smaller w_v or step_size, or a norm.",
    )
