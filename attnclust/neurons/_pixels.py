"""The pixels that a view multiplies: as they are, as the model sees them, or about their own mean."""

from __future__ import annotations

from typing import Any

import array_api_compat
from jaxtyping import Float

from attnclust._array import ArgumentError, namespace, real
from attnclust.neurons._patches import Image

SPACES = ("raw", "normalised", "centred")
Space = Any
"""``"raw"``, ``"normalised"`` or ``"centred"``."""
Channels = Any
"""C numbers, one a channel."""


def pixel_space(
    image: Image, space: Space, *, mean: Channels, std: Channels
) -> Float[Any, "channels height width"]:
    """An image in the space in which its views are to be drawn.

    - ``"normalised"``: (x - mean) / std, what the model sees. Only here does a level-0 view, summed, give the
      neuron (with bias and position). Black pixels are not 0, so they have views.
    - ``"raw"``: x. Black patches have empty views: what an occlusion takes away shows as nothing.
    - ``"centred"``: the normalised image less its own mean in each channel: what differs from the image's
      average. A view's sum then misses the neuron by one number for all patches, the filter times that mean.

    The roll-out is the same in all three: the model has seen the normalised image.

    Source: the paper, section 3.1.1, leaves the space open; the spaces and what they imply: this module.

    Args:
        image: ``(C, H, W)``, in [0, 1].
        space: one of the three.
        mean: the model's, for pixels in [0, 1], ``(C,)``.
        std: likewise.

    Returns:
        ``(C, H, W)``, of the image's kind, dtype and device.

    Raises:
        ArgumentTypeError: the image is no floating array.
        ArgumentError: an unknown space; an image that is not (C, H, W); not C numbers, or no positive std.

    Examples:
        >>> import numpy as np
        >>> image = np.array([[[0.0, 1.0]]])
        >>> [pixel_space(image, s, mean=[0.5], std=[0.25]).tolist() for s in ("raw", "normalised")]
        [[[[0.0, 1.0]]], [[[-2.0, 2.0]]]]
        >>> pixel_space(image + 0.5, "centred", mean=[0.5], std=[0.25]).tolist()
        [[[-2.0, 2.0]]]
    """
    if space not in SPACES:
        raise ArgumentError("space", f"must be one of {', '.join(SPACES)}", repr(space), "Choose one.")
    xp = namespace(image=image)
    image = real(xp, "image", image, ndim=3)
    if image.ndim != 3:
        raise ArgumentError(
            "image", "must have shape (C, H, W)", f"shape {tuple(image.shape)}", "Pass one image."
        )
    statistics = {}
    for name, value in {"mean": mean, "std": std}.items():
        numbers = xp.asarray(
            [float(v) for v in value], dtype=image.dtype, device=array_api_compat.device(image)
        )
        if numbers.shape != image.shape[:1] or (name == "std" and not bool(xp.all(numbers > 0))):
            raise ArgumentError(
                name,
                f"must hold {image.shape[0]} numbers, one a channel" + ", above 0" * (name == "std"),
                list(value),
                "Pass the model's.",
            )
        statistics[name] = xp.reshape(numbers, (-1, 1, 1))
    if space == "raw":
        return image
    normalised = (image - statistics["mean"]) / statistics["std"]
    return (
        normalised if space == "normalised" else normalised - xp.mean(normalised, axis=(1, 2), keepdims=True)
    )
