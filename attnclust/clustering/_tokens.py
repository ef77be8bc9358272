"""Tokens as they come: NumPy arrays or torch tensors, checked, and kept where they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import array_api_compat
import numpy as np
from jaxtyping import Float

from attnclust._array import ArgumentError, ArgumentTypeError, to_numpy

# So many bytes stay in a processor's cache while they are worked on.
CACHED = 1 << 20


def as_levels(name: str, tokens: Any, *, ndims: tuple[int, ...]) -> Float[Any, ...]:
    """The tokens in float32 or float64, with one of these numbers of axes, finite.

    Tensors of the host become NumPy arrays, without a copy; those of another device stay there.
    """
    if array_api_compat.is_torch_array(tokens):
        tokens = tokens.detach()
        if tokens.is_floating_point() and tokens.element_size() < 4:
            tokens = tokens.float()
        if tokens.device.type == "cpu":
            tokens = tokens.numpy()
    else:
        tokens = np.asarray(tokens)
    xp = array_api_compat.array_namespace(tokens)
    if not xp.isdtype(tokens.dtype, "real floating"):
        raise ArgumentTypeError(
            name, "must have a real floating dtype", str(tokens.dtype), "Convert it, for example to float64."
        )
    shape = tuple(tokens.shape)
    if len(shape) not in ndims or 0 in shape:
        shapes = " or ".join({2: "(tokens, dimensions)", 3: "(levels, tokens, dimensions)"}[n] for n in ndims)
        raise ArgumentError(
            name, f"must have shape {shapes}, none of them 0", str(shape), "Pick one image's patch tokens."
        )
    # NaN or infinity anywhere shows in the sum, which is quicker to get.
    with np.errstate(over="ignore", invalid="ignore"):
        total = float(xp.sum(tokens))
    if not np.isfinite(total) and not bool(xp.all(xp.isfinite(tokens))):
        wrong = int(xp.sum(xp.astype(~xp.isfinite(tokens), xp.int64)))
        raise ArgumentError(
            name,
            "must be finite",
            f"{wrong} NaN or infinite of {tokens.size if isinstance(tokens, np.ndarray) else tokens.numel()}",
            "Look at the model that made them.",
        )
    return tokens


def float_name(tokens: Float[Any, ...]) -> str:
    """``float32`` or ``float64``, in NumPy's and torch's own words."""
    return str(tokens.dtype).removeprefix("torch.")


def consecutive(tokens: Float[Any, "b n d"]) -> Float[np.ndarray, "b n-1"]:
    """The Euclidean distances of each token to the next, from their differences in float64; on the host."""
    xp = array_api_compat.array_namespace(tokens)
    if not isinstance(tokens, np.ndarray):
        wide = xp.astype(tokens, xp.float64)
        difference = wide[:, 1:] - wide[:, :-1]
        return to_numpy(xp.linalg.vecdot(difference, difference) ** 0.5)
    levels, n, d = tokens.shape
    # All levels as one: the step from a level's last token to the next level's first is left out at the end.
    rows = tokens.reshape(levels * n, d)
    squares = np.empty(levels * n)
    size = max(1, CACHED // (2 * d * squares.itemsize))
    wide, difference = np.empty((size + 1, d)), np.empty((size, d))
    with np.errstate(over="ignore"):
        for start in range(0, len(rows) - 1, size):
            some = rows[start : start + size + 1]
            x, step = wide[: len(some)], difference[: len(some) - 1]
            np.copyto(x, some)
            np.subtract(x[1:], x[:-1], out=step)
            squares[start : start + len(step)] = np.linalg.vecdot(step, step)
    return np.sqrt(squares.reshape(levels, n)[:, :-1])


def blocks(tokens: Float[Any, "b n d"], dtype: str) -> Iterator[Float[Any, "some n d"]]:
    """The levels in this dtype: a few at a time on the host, so that they stay in its cache; elsewhere all.

    A block is good until the next is asked for: NumPy's share their memory.
    """
    xp = array_api_compat.array_namespace(tokens)
    levels, n, d = tokens.shape
    if not isinstance(tokens, np.ndarray):
        yield xp.astype(tokens, getattr(xp, dtype))
        return
    step = max(1, CACHED // (n * d * np.dtype(dtype).itemsize))
    shared = np.empty((min(step, levels), n, d), dtype)
    for start in range(0, levels, step):
        block = shared[: levels - start]
        np.copyto(block, tokens[start : start + step])
        yield block
