"""Tokens as they come: NumPy arrays or torch tensors, checked."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

from attnclust._array import ArgumentError, ArgumentTypeError


def as_levels(name: str, tokens: Any, *, ndims: tuple[int, ...]) -> Float[np.ndarray, ...]:
    """The tokens as a NumPy array of their own floats, with one of these numbers of axes, finite."""
    if hasattr(tokens, "detach"):
        # torch, whose bfloat16 NumPy does not know.
        tokens = tokens.detach().cpu()
        narrow = tokens.is_floating_point() and tokens.element_size() < 4
        tokens = (tokens.float() if narrow else tokens).numpy()
    tokens = np.asarray(tokens)
    if tokens.dtype.kind != "f":
        raise ArgumentTypeError(
            name, "must have a real floating dtype", str(tokens.dtype), "Convert it, for example to float64."
        )
    if tokens.ndim not in ndims or not tokens.size:
        shapes = " or ".join({2: "(tokens, dimensions)", 3: "(levels, tokens, dimensions)"}[n] for n in ndims)
        raise ArgumentError(
            name,
            f"must have shape {shapes}, none of them 0",
            str(tokens.shape),
            "Pick one image's patch tokens.",
        )
    # NaN or infinity anywhere shows in the sum, which is quicker to get.
    with np.errstate(over="ignore", invalid="ignore"):
        total = tokens.sum()
    if not np.isfinite(total) and not np.isfinite(tokens).all():
        wrong = int((~np.isfinite(tokens)).sum())
        raise ArgumentError(
            name,
            "must be finite",
            f"{wrong} NaN or infinite of {tokens.size}",
            "Look at the model that made them.",
        )
    return tokens
