"""One layer of the simulator: arguments checked and laid out once, then many cheap steps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import array_api_compat

from attnclust._array import (
    ArgumentError,
    ArgumentTypeError,
    Namespace,
    common_batch,
    flag,
    flatten_batch,
    is_scalar,
    namespace,
    positive,
    real,
    whole,
)
from attnclust.attention._masks import refuse_numbers, refuse_unseeing

NORMS = ("layernorm", "sphere")
"""What may follow a step: zero mean and unit variance over a token's coordinates, or unit length."""

LAYERNORM_EPS = 1e-5
"""Added to the variance, as torch's LayerNorm does by default."""


@dataclass(frozen=True)
class Layer:
    """A stack of checked layers over `runs` flat runs of tokens ``(runs, n, d)``.

    `w_q`, `w_k` and `w_v` hold one entry for all steps, or one a step: ``(rows, d, columns)`` with rows 1
    (shared by all runs) or `runs`, and a head axis after the first with several heads. `mask` is likewise
    ``(rows, n, n)``.
    """

    xp: Namespace
    batch: tuple[int, ...]
    tokens: Any
    w_q: list[Any]
    w_k: list[Any]
    w_v: list[Any] | None
    mask: Any
    heads: int | None
    scale: float
    step_size: float | None
    norm: str | None

    def step(self, x: Any, runs: slice, at: int) -> tuple[Any, Any]:
        """Attention of step `at` and the tokens after it, for the tokens `x` of `runs`."""
        xp = self.xp
        each = x if self.heads is None else x[:, None, :, :]
        queries = _apply(xp, each, _of(self.w_q, at, runs)) * self.scale
        keys = _apply(xp, each, _of(self.w_k, at, runs))
        logits = queries @ xp.matrix_transpose(keys)
        if self.mask is not None:
            seen = self.mask if self.mask.shape[0] == 1 else self.mask[runs, ...]
            seen = seen if self.heads is None else seen[:, None, :, :]
            logits = xp.where(seen, logits, -math.inf * xp.ones_like(logits))
        weights = xp.exp(logits - xp.max(logits, axis=-1, keepdims=True))
        weights = weights / xp.sum(weights, axis=-1, keepdims=True)
        values = each if self.w_v is None else _apply(xp, each, _of(self.w_v, at, runs))
        out = weights @ values
        if self.heads is not None:
            out = xp.mean(out, axis=1) if self.w_v is None else xp.sum(out, axis=1)
        after = out if self.step_size is None else x + self.step_size * out
        return weights, normalised(xp, after, self.norm)


def _of(weights: list[Any], at: int, runs: slice) -> Any:
    one = weights[at % len(weights)]
    return one if one.shape[0] == 1 else one[runs, ...]


def _apply(xp: Namespace, x: Any, w: Any) -> Any:
    """``x @ w``, as one product where one matrix serves all runs."""
    if w.ndim == 3 and w.shape[0] == 1:
        flat = xp.reshape(x, (-1, x.shape[-1])) @ w[0, ...]
        return xp.reshape(flat, (*x.shape[:-1], w.shape[-1]))
    return x @ w


def normalised(xp: Namespace, x: Any, norm: str | None) -> Any:
    """Tokens after a step, by one of :data:`NORMS`; a token at 0 stays there."""
    if norm is None:
        return x
    if norm == "layernorm":
        x = x - xp.mean(x, axis=-1, keepdims=True)
        return x / xp.sqrt(xp.mean(x * x, axis=-1, keepdims=True) + LAYERNORM_EPS)
    length = xp.sqrt(xp.sum(x * x, axis=-1, keepdims=True))
    return x / xp.where(length > 0, length, xp.ones_like(length))


def checked_layer(
    tokens: Any,
    w_q: Any,
    w_k: Any,
    *,
    steps: int,
    w_v: Any,
    residual: Any,
    step_size: Any,
    norm: Any,
    mask: Any,
    scale: Any,
    heads: Any,
) -> Layer:
    """The arguments of :func:`attnclust.attention.simulate`, checked and flattened.

    Raises:
        ArgumentTypeError, ArgumentError: as there.
    """
    stacks = {"w_q": _steps_of("w_q", w_q, steps), "w_k": _steps_of("w_k", w_k, steps)}
    if w_v is not None:
        stacks["w_v"] = _steps_of("w_v", w_v, steps)
    named = {
        f"{name}[{i}]" if len(of) > 1 else name: w for name, of in stacks.items() for i, w in enumerate(of)
    }
    xp = namespace("mask", tokens=tokens, **named, mask=mask)
    tokens = real(xp, "tokens", tokens, ndim=2)
    if 0 in tokens.shape[-2:]:
        shape = tuple(tokens.shape[-2:])
        raise ArgumentError("tokens", "must hold a token of a coordinate", f"shape {shape}", "Add some.")
    if heads is not None:
        heads = whole("heads", heads, least=1)
    for name, w in named.items():
        _check_weight(xp, name, w, tokens, heads)
    _check_queries(stacks["w_q"], stacks["w_k"])
    _check_options(residual, step_size, norm)
    scale = 1 / math.sqrt(stacks["w_q"][0].shape[-1]) if scale is None else positive("scale", scale)
    if mask is not None:
        _check_mask(xp, mask, tokens)
    inner = 2 if heads is None else 3
    shapes = {"tokens": tuple(tokens.shape[:-2])}
    shapes |= {name: tuple(w.shape[:-inner]) for name, w in named.items()}
    if mask is not None:
        shapes["mask"] = tuple(mask.shape[:-2])
    batch = common_batch(xp, **shapes)
    dtype = xp.result_type(tokens, *named.values())
    laid = {
        name: [_rows(xp, xp.astype(w, dtype, copy=False), batch, inner) for w in of]
        for name, of in stacks.items()
    }
    return Layer(
        xp,
        batch,
        flatten_batch(xp, xp.astype(tokens, dtype, copy=False), batch),
        laid["w_q"],
        laid["w_k"],
        laid.get("w_v"),
        None if mask is None else _rows(xp, mask, batch, 2),
        heads,
        float(scale),
        float(step_size) if residual else None,
        norm,
    )


def _steps_of(name: str, w: Any, steps: int) -> list[Any]:
    """One weight for all steps, or one a step where a list or tuple came."""
    if not isinstance(w, list | tuple):
        return [w]
    if len(w) != steps or not w:
        raise ArgumentError(
            name,
            f"a list must hold one weight a step, so {steps}",
            f"{len(w)}",
            "Pass one array if all steps share it.",
        )
    return list(w)


def _check_weight(xp: Namespace, name: str, w: Any, tokens: Any, heads: int | None) -> None:
    if is_scalar(w):
        raise ArgumentTypeError(name, "must be an array", type(w).__name__, "Pass a matrix of d rows.")
    d, inner = tokens.shape[-1], 2 if heads is None else 3
    real(xp, name, w, ndim=inner)
    square = name.startswith("w_v")
    columns = "d" if square else "d_k"
    if w.shape[-2] != d or w.shape[-1] == 0 or (square and w.shape[-1] != d):
        raise ArgumentError(
            name,
            f"must be (d, {columns}) in its last two axes, with d = {d}",
            f"shape {tuple(w.shape)}",
            "Rows are the tokens' coordinates: transpose a weight stored the other way round.",
        )
    if heads is not None and w.shape[-3] != heads:
        raise ArgumentError(
            name,
            f"must be (heads, d, {columns}) in its last three axes, with heads = {heads}",
            f"shape {tuple(w.shape)}",
            "Stack the heads' weights.",
        )
    if array_api_compat.device(w) != array_api_compat.device(tokens):
        raise ArgumentError(
            name, "must be on the device of tokens", str(array_api_compat.device(w)), "Move it."
        )


def _check_queries(w_q: list[Any], w_k: list[Any]) -> None:
    widths = sorted({each.shape[-1] for each in (*w_q, *w_k)})
    if len(widths) > 1:
        raise ArgumentError(
            "w_q and w_k", "must both be (d, d_k)", f"d_k of {widths}", "Queries and keys share d_k."
        )


def _check_options(residual: Any, step_size: Any, norm: Any) -> None:
    positive("step_size", step_size)
    if not flag("residual", residual) and step_size != 1:
        raise ArgumentError(
            "step_size",
            "scales what a residual adds",
            f"{step_size} with residual=False",
            "Set residual=True.",
        )
    if norm is not None and not (isinstance(norm, str) and norm in NORMS):
        raise ArgumentError("norm", f"must be None, {' or '.join(NORMS)}", repr(norm), "Choose one of them.")


def _check_mask(xp: Namespace, mask: Any, tokens: Any) -> None:
    n = tokens.shape[-2]
    refuse_numbers(xp, mask)
    if mask.ndim < 2 or tuple(mask.shape[-2:]) != (n, n):
        raise ArgumentError(
            "mask",
            f"must be (n, n) in its last two axes, with n = {n}",
            f"shape {tuple(mask.shape)}",
            "Row = query, column = key; all heads share it.",
        )
    if array_api_compat.device(mask) != array_api_compat.device(tokens):
        raise ArgumentError(
            "mask", "must be on the device of tokens", str(array_api_compat.device(mask)), "Move it."
        )
    refuse_unseeing(xp, mask)


def _rows(xp: Namespace, x: Any, batch: tuple[int, ...], inner: int) -> Any:
    """`x` with one axis before its last `inner`: of length 1 where all runs share it, else one a run."""
    tail = tuple(x.shape[x.ndim - inner :])
    if math.prod(x.shape[: x.ndim - inner]) == 1:
        return xp.reshape(x, (1, *tail))
    return xp.reshape(xp.broadcast_to(x, (*batch, *tail)), (math.prod(batch), *tail))
