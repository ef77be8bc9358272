"""Which keys a query may see: masks as boolean arrays, True where it may."""

from __future__ import annotations

from typing import Any

import array_api_compat
import numpy as np
from jaxtyping import Bool

from attnclust._array import ArgumentError, ArgumentTypeError, Labels, Number, namespace
from attnclust._labels import label_batch


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
    place = np.arange(checked_count("n", n, least=1))
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
    place = np.arange(checked_count("n", n, least=1))
    apart = np.abs(place[:, None] - place[None, :])
    return _as(like, np.minimum(apart, len(place) - apart) <= checked_count("width", width, least=0))


def block_mask(labels: Labels) -> Bool[Any, "*batch n n"]:
    """Each token sees its own cluster; one in no cluster (-1) sees itself alone.

    Args:
        labels: ``(n,)`` or ``(*batch, n)`` integers: clusters 0..M-1, -1 for an outsider.

    Returns:
        ``(*batch, n, n)``, of the kind and on the device of `labels`.

    Raises:
        ArgumentTypeError: `labels` is no array of integers.
        ArgumentError: no axis.

    >>> block_mask(np.array([0, 0, -1, -1])).astype(int)
    array([[1, 1, 0, 0],
           [1, 1, 0, 0],
           [0, 0, 1, 0],
           [0, 0, 0, 1]])
    """
    xp = namespace(labels=labels)
    label_batch(xp, labels)
    device = array_api_compat.device(labels)
    place = xp.arange(labels.shape[-1], device=device)
    same = (labels[..., :, None] == labels[..., None, :]) & (labels >= 0)[..., None, :]
    return same | (place[:, None] == place[None, :])


def checked_count(name: str, value: Any, *, least: int) -> int:
    """`value` as a whole number of at least `least`.

    Raises:
        ArgumentTypeError, ArgumentError: it is none, or smaller.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ArgumentTypeError(name, "must be a whole number", type(value).__name__, "Pass an int.")
    if value < least:
        raise ArgumentError(name, f"must be at least {least}", value, "Pass a larger one.")
    return int(value)


def _as(like: Any, mask: np.ndarray) -> Any:
    if like is None:
        return mask
    return namespace(like=like).asarray(mask, device=array_api_compat.device(like))
