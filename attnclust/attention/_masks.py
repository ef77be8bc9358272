"""Which keys a query may see: masks as boolean arrays, True where it may."""

from __future__ import annotations

import math
from typing import Any

import array_api_compat
import numpy as np
from jaxtyping import Bool

from attnclust._array import (
    ArgumentError,
    ArgumentTypeError,
    Labels,
    Namespace,
    Number,
    is_scalar,
    namespace,
    whole,
)
from attnclust._labels import label_batch, refuse_below


def causal_mask(n: Number, *, like: Any = None) -> Bool[Any, "n n"]:
    """Each token sees itself and those before it.

    Args:
        n: tokens, at least 1.
        like: an array whose kind and device the mask takes; NumPy if None.

    Returns:
        ``(n, n)``, row = query; for `mask` of :func:`attention_weights` and :func:`simulate`.

    Raises:
        ArgumentTypeError: n is no whole number; `like` is no array.
        ArgumentError: n below 1.

    >>> causal_mask(3).astype(int)
    array([[1, 0, 0],
           [1, 1, 0],
           [1, 1, 1]])
    """
    place = np.arange(whole("n", n, least=1))
    return _as(like, place[:, None] >= place[None, :])


def ring_mask(n: Number, *, width: Number = 1, like: Any = None) -> Bool[Any, "n n"]:
    """The tokens stand on a ring, and each sees those at most `width` places away on either side.

    Args:
        n: tokens, at least 1.
        width: at least 0, where each token sees itself alone.
        like: an array whose kind and device the mask takes; NumPy if None.

    Returns:
        ``(n, n)``, symmetric; every row has ``min(n, 2 width + 1)`` keys.

    Raises:
        ArgumentTypeError: n or width is no whole number; `like` is no array.
        ArgumentError: n below 1, or width below 0.

    >>> ring_mask(5, width=1).astype(int)
    array([[1, 1, 0, 0, 1],
           [1, 1, 1, 0, 0],
           [0, 1, 1, 1, 0],
           [0, 0, 1, 1, 1],
           [1, 0, 0, 1, 1]])
    """
    place = np.arange(whole("n", n, least=1))
    apart = np.abs(place[:, None] - place[None, :])
    return _as(like, np.minimum(apart, len(place) - apart) <= whole("width", width, least=0))


def block_mask(labels: Labels) -> Bool[Any, "*batch n n"]:
    """Each token sees its own cluster; one in no cluster (-1) sees itself alone.

    Args:
        labels: ``(n,)`` or ``(*batch, n)`` integers: clusters 0..M-1, -1 for an outsider.

    Returns:
        ``(*batch, n, n)``, of the kind and on the device of `labels`.

    Raises:
        ArgumentTypeError: `labels` is no array of integers.
        ArgumentError: no axis, a label below -1.

    >>> block_mask(np.array([0, 0, -1, -1])).astype(int)
    array([[1, 1, 0, 0],
           [1, 1, 0, 0],
           [0, 0, 1, 0],
           [0, 0, 0, 1]])
    """
    xp = namespace(labels=labels)
    label_batch(xp, labels)
    if math.prod(labels.shape):
        refuse_below("labels", int(xp.min(labels)))
    device = array_api_compat.device(labels)
    place = xp.arange(labels.shape[-1], device=device)
    same = (labels[..., :, None] == labels[..., None, :]) & (labels >= 0)[..., None, :]
    return same | (place[:, None] == place[None, :])


def refuse_numbers(xp: Namespace, mask: Any) -> None:
    """Raise :class:`ArgumentTypeError` where a mask is not boolean."""
    if is_scalar(mask) or not xp.isdtype(mask.dtype, "bool"):
        got = getattr(mask, "dtype", type(mask).__name__)
        raise ArgumentTypeError("mask", "must be boolean", got, "True where a query may see a key.")


def refuse_unseeing(xp: Namespace, mask: Any) -> None:
    """Raise :class:`ArgumentError` where a query sees no key."""
    if not bool(xp.all(xp.any(mask, axis=-1))):
        raise ArgumentError(
            "mask", "every query must see a key", "a row without any", "Let each token see itself."
        )


def _as(like: Any, mask: np.ndarray) -> Any:
    if like is None:
        return mask
    if not array_api_compat.is_array_api_obj(like):
        raise ArgumentTypeError(
            "like",
            "must be a NumPy array or a torch tensor",
            type(like).__name__,
            "Pass one, or None for NumPy.",
        )
    return namespace(like=like).asarray(mask, device=array_api_compat.device(like))
