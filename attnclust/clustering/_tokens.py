"""Tokens as they come: NumPy arrays or torch tensors, checked and in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

from attnclust._array import ArgumentError, ArgumentTypeError


def as_levels(name: str, tokens: Any, *, ndims: tuple[int, ...]) -> Float[np.ndarray, ...]:
    """The tokens as a float64 NumPy array with one of the given numbers of axes, finite and not empty."""
    if hasattr(tokens, "detach"):
        # torch: NumPy knows no bfloat16, and every other float fits into a double.
        tokens = tokens.detach().cpu()
        tokens = (tokens.double() if tokens.is_floating_point() else tokens).numpy()
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
    tokens = tokens.astype(np.float64, copy=False)
    if not np.isfinite(tokens).all():
        wrong = int((~np.isfinite(tokens)).sum())
        raise ArgumentError(
            name,
            "must be finite",
            f"{wrong} NaN or infinite of {tokens.size}",
            "Look at the model that made them.",
        )
    return tokens
