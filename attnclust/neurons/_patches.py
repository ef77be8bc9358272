"""An image cut into patches, checked against filters and roll-out; the one formula behind every view."""

from __future__ import annotations

import math
from typing import Any

import array_api_compat

from attnclust._array import ArgumentError, ArgumentTypeError, Namespace, namespace

Image = Any
"""Floating array ``(C, H, W)``: pixels as the model sees them, H and W multiples of the patch."""
Filters = Any
"""Floating array ``(D, C, P, P)``: the kernels of the patch embedding."""
Rollout = Any
"""Floating array ``(L, T, N)`` from :func:`attnclust.neurons.rollout`, for one image."""
Out = Any
"""A C-contiguous array of the result's kind, dtype, device and shape."""
Index = Any
"""An int, counted from 0."""


class PatchedImage:
    """An image cut into patches, with the roll-out of its tokens."""

    def __init__(self, image: Image, filters: Filters, *rollout: Rollout) -> None:
        axes = {"image": "(C, H, W)", "filters": "(D, C, P, P)", "rollout": "(L, T, N)"}
        arrays: dict[str, Any] = dict(zip(axes, (image, filters, *rollout), strict=False))
        for name, value in arrays.items():
            if not hasattr(value, "shape"):
                raise ArgumentTypeError(
                    name, f"must be an array {axes[name]}", type(value).__name__, "Pass an array or a tensor."
                )
        self.xp: Namespace = namespace(**arrays)
        for name, value in arrays.items():
            if not self.xp.isdtype(value.dtype, "real floating"):
                raise ArgumentTypeError(
                    name,
                    "must have a real floating dtype",
                    value.dtype,
                    "Pass pixels as the model sees them.",
                )
            if value.ndim != axes[name].count(",") + 1 or 0 in value.shape:
                raise ArgumentError(
                    name,
                    f"must have shape {axes[name]}, not empty",
                    f"shape {tuple(value.shape)}",
                    "Pass one image's.",
                )
        # Views are pictures: a model's own filters may come in with their gradients, which stay behind.
        arrays = {
            name: value.detach() if hasattr(value, "detach") else value for name, value in arrays.items()
        }
        self.image, self.filters = arrays["image"], arrays["filters"]
        self.rollout: Any = arrays.get("rollout")
        channels, height, width = self.image.shape
        self.patch = (filters.shape[2], filters.shape[3])
        if filters.shape[1] != channels:
            raise ArgumentError(
                "filters",
                f"must have the image's {channels} channels",
                f"{filters.shape[1]}",
                "Pass the filters of the model that sees this image.",
            )
        if height % self.patch[0] or width % self.patch[1]:
            raise ArgumentError(
                "image",
                f"sides must be multiples of the patch, {self.patch[0]} x {self.patch[1]}",
                f"{height} x {width}",
                "Resize or crop it as for the model.",
            )
        self.grid = (height // self.patch[0], width // self.patch[1])
        patches = math.prod(self.grid)
        shape = arrays["rollout"].shape if rollout else None
        if shape and (shape[2] != patches or shape[1] < patches):
            raise ArgumentError(
                "rollout",
                f"must be (L, T, {patches}) with T >= {patches}, for {self.grid[0]} x {self.grid[1]} patches",
                f"shape {tuple(shape)}",
                "Pass the roll-out of this image, with the model's prefix_tokens.",
            )
        self.dtype = self.xp.result_type(*(value.dtype for value in arrays.values()))

    def kernel(self, neuron: Index) -> Any:
        """The filter of a neuron."""
        return self.filters[
            _index("neuron", neuron, self.filters.shape[0], "filters, neurons of an embedding")
        ]

    def pixels(self, patch: Index) -> Any:
        """One patch: (C, P, P)."""
        row, column = divmod(_index("patch", patch, math.prod(self.grid), "patches"), self.grid[1])
        top, left = row * self.patch[0], column * self.patch[1]
        return self.image[:, top : top + self.patch[0], left : left + self.patch[1]]

    def weights(self, level: Index, token: Index | None) -> Any:
        """What each patch weighs for the token(s) at a level: (N,) or (T, N)."""
        levels, tokens, patches = self.rollout.shape
        level = _index("level", level, levels + 1, "levels")
        if token is not None:
            token = _index("token", token, tokens, "tokens, prefix tokens first")
        if level:
            weights = self.rollout[level - 1] if token is None else self.rollout[level - 1, token]
            if not bool(self.xp.all(weights >= 0)):  # NaN is refused too
                raise ArgumentError(
                    "rollout",
                    "weights must be numbers from 0 on",
                    f"{float(self.xp.min(weights)):.3g} at level {level}",
                    "Pass what attnclust.neurons.rollout gave.",
                )
            return weights
        prefix = tokens - patches
        if prefix and (token is None or token < prefix):
            raise ArgumentError(
                "token",
                f"a prefix token has no patch, hence no view at level 0: {prefix}..{tokens - 1}",
                "None (all tokens)" if token is None else token,
                "Choose a patch token, or a level from 1 on.",
            )
        one = self.xp.eye(patches, dtype=self.dtype, device=array_api_compat.device(self.rollout))
        return one if token is None else one[token - prefix]

    def spread(self, kernel: Any, weights: Any, out: Out, *, pixels: Any = None, other: Any = None) -> Any:
        """Kernel times pixels, patch by patch, times the weights; with `other`, the larger of two kernels'
        products.
        """
        xp, (rows, columns), (high, wide) = self.xp, self.grid, self.patch
        channels, height, width = self.image.shape
        cut = (channels, rows, high, width)
        pixels = xp.reshape(self.image if pixels is None else pixels, cut)
        lead = () if weights is None else tuple(weights.shape[:-1])
        shape = (*lead, channels, height, width)
        out = self._result(shape) if out is None else self._checked(out, shape)
        target = xp.reshape(out, (*lead, *cut))
        # One token's picture is made where it is to lie: fresh memory costs more than the product.
        product = target if not lead else self._result(cut)
        xp.multiply(pixels, self._tile(kernel), out=product)
        if other is not None:
            xp.maximum(product, pixels * self._tile(other), out=product)
        if weights is None:
            return out
        # One number a patch and pixel column, so that the innermost axis is long and dense.
        per_column = xp.repeat(xp.reshape(weights, (*lead, 1, rows, 1, columns)), wide, axis=-1)
        xp.multiply(product, per_column, out=target)
        return out

    def _tile(self, kernel: Any) -> Any:
        """(C, P, P) over the width of the image: (C, 1, P, W)."""
        return self.xp.tile(kernel, (1, 1, self.grid[1]))[:, None]

    def _result(self, shape: tuple[int, ...]) -> Any:
        return self.xp.empty(shape, dtype=self.dtype, device=array_api_compat.device(self.image))

    def _checked(self, out: Any, shape: tuple[int, ...]) -> Any:
        namespace(image=self.image, out=out)
        dense = out.flags.c_contiguous if hasattr(out, "flags") else out.is_contiguous()
        if tuple(out.shape) != shape or out.dtype != self.dtype or not dense:
            raise ArgumentError(
                "out",
                f"must be a C-contiguous {self.dtype} array of shape {shape}",
                f"{out.dtype}, shape {tuple(out.shape)}" + ("" if dense else ", not contiguous"),
                "Allocate it anew.",
            )
        return out


def _index(name: str, value: Any, count: int, what: str) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise ArgumentTypeError(name, "must be an int", type(value).__name__, "Count from 0.")
    index = value.__index__()
    if not 0 <= index < count:
        raise ArgumentError(name, f"must be in 0..{count - 1} ({count} {what})", index, "Count from 0.")
    return index
