"""Pictures of single neurons, of whole embeddings, and of one filter over the image."""

from __future__ import annotations

from typing import Any

from jaxtyping import Float

from attnclust._array import ArgumentError
from attnclust.neurons._patches import Filters, Image, Index, Out, PatchedImage, Rollout

_OVERLAYS = ("sum", "mean", "max", "l2")
_BLOCK = 64


def neuron_view(
    image: Image,
    filters: Filters,
    rollout: Rollout,
    *,
    level: Index,
    token: Index | None,
    neuron: Index,
    out: Out = None,
) -> Float[Any, "*tokens channels height width"]:
    """The view V_l^{i,j} of one neuron: on patch p the filter times the patch, times R_l[i, p].

    At level 0 a neuron sees its own patch alone: a picture of zeros but for that patch, whose sum, plus the
    filter's bias and the position embedding, is the neuron's value. Prefix tokens have no patch and no view
    there.

    Source: the paper, section 3.1; the closed form of :mod:`attnclust.neurons`.

    Args:
        image: ``(C, H, W)``, as the model sees it (normalised).
        filters: ``(D, C, P, P)``.
        rollout: ``(L, T, N)``.
        level: 0..L.
        token: 0..T-1, the prefix tokens first; None for all tokens at once, ``(T, C, H, W)``.
        neuron: 0..D-1, the filter.
        out: where to write; without it a new array is made.

    Returns:
        ``(C, H, W)``, or ``(T, C, H, W)`` for all tokens, in the three arrays' common dtype.

    Raises:
        ArgumentTypeError: arrays of different kinds or not floating; an index that is no int.
        ArgumentError: shapes that do not fit, an index out of range, a prefix token at level 0, a wrong
            ``out``.

    Examples:
        >>> import numpy as np
        >>> image = np.arange(8.0).reshape(1, 2, 4)  # two patches of 2 x 2
        >>> filters = np.array([[[[1.0, 0.0], [0.0, -1.0]]]])
        >>> weights = np.array([[[0.5, 0.25], [1.0, 0.0], [0.0, 1.0]]])  # a class token and the two patches
        >>> neuron_view(image, filters, weights, level=0, token=2, neuron=0)[0]
        array([[ 0.,  0.,  2.,  0.],
               [ 0., -0.,  0., -7.]])
        >>> neuron_view(image, filters, weights, level=1, token=0, neuron=0)[0]
        array([[ 0.  ,  0.  ,  0.5 ,  0.  ],
               [ 0.  , -2.5 ,  0.  , -1.75]])
    """
    cut = PatchedImage(image, filters, rollout)
    return cut.spread(cut.kernel(neuron), cut.weights(level, token), out)


def embedding_view(
    image: Image,
    filters: Filters,
    rollout: Rollout,
    *,
    level: Index,
    token: Index | None,
    overlay: Any = "sum",
    out: Out = None,
) -> Float[Any, "*tokens channels height width"]:
    """The views of all D neurons of one embedding, laid over one another, without ever making D pictures.

    For every pixel the overlay over j of R_l[i, p] f_j x is R_l[i, p] times the overlay of f_j x, since R is
    not negative; and that needs no more than the sum, the extremes or the norm of the filters.

    Source: the paper, section 3.1; the overlays' closed forms proved here.

    Args:
        image: ``(C, H, W)``, as the model sees it (normalised).
        filters: ``(D, C, P, P)``.
        rollout: ``(L, T, N)``.
        level: 0..L.
        token: 0..T-1, the prefix tokens first; None for all tokens at once.
        overlay: ``"sum"``, ``"mean"`` or ``"max"`` (the largest, with its sign) of the D views, or ``"l2"``,
            the root of their summed squares.
        out: where to write; without it a new array is made.

    Returns:
        ``(C, H, W)``, or ``(T, C, H, W)`` for all tokens, in the three arrays' common dtype.

    Raises:
        ArgumentTypeError, ArgumentError: as :func:`neuron_view`; an unknown overlay.

    Examples:
        >>> import numpy as np
        >>> image, weights = np.array([[[2.0, -1.0]]]), np.array([[[0.5, 0.5], [0.5, 0.5]]])
        >>> filters = np.array([3.0, -4.0]).reshape(2, 1, 1, 1)
        >>> [embedding_view(image, filters, weights, level=1, token=0, overlay=o).tolist()
        ...  for o in ("sum", "mean", "max", "l2")]
        [[[[-1.0, 0.5]]], [[[-0.5, 0.25]]], [[[3.0, 2.0]]], [[[5.0, 2.5]]]]
    """
    cut = PatchedImage(image, filters, rollout)
    xp, filters = cut.xp, cut.filters
    if overlay not in _OVERLAYS:
        raise ArgumentError(
            "overlay", f"must be one of {', '.join(_OVERLAYS)}", repr(overlay), "Choose one of them."
        )
    weights = cut.weights(level, token)
    if overlay == "sum":
        return cut.spread(xp.sum(filters, axis=0), weights, out)
    if overlay == "mean":
        return cut.spread(xp.mean(filters, axis=0), weights, out)
    if overlay == "l2":
        # In blocks that a processor's cache holds.
        blocks = [filters[first : first + _BLOCK] for first in range(0, filters.shape[0], _BLOCK)]
        norm = xp.sqrt(sum(xp.sum(block * block, axis=0) for block in blocks))
        return cut.spread(norm, weights, out, pixels=xp.abs(cut.image))
    return cut.spread(xp.max(filters, axis=0), weights, out, other=xp.min(filters, axis=0))


def patch_views(
    image: Image, filters: Filters, *, patch: Index
) -> Float[Any, "neurons channels patch_height patch_width"]:
    """All D neurons of one patch embedding at level 0: every filter times the patch, elementwise.

    The sheet of the paper's Figure 2. Entry j, summed, is neuron j of the patch (up to the filter's bias and
    the position embedding).

    Source: the paper, section 3.1.1.

    Args:
        image: ``(C, H, W)``, as the model sees it (normalised), or in another :func:`pixel_space`.
        filters: ``(D, C, P, P)``.
        patch: 0..N-1, row by row.

    Returns:
        ``(D, C, P, P)``, in the two arrays' common dtype.

    Raises:
        ArgumentTypeError, ArgumentError: as :func:`neuron_view`; a patch out of range.

    Examples:
        >>> import numpy as np
        >>> image = np.arange(8.0).reshape(1, 2, 4)  # two patches of 2 x 2
        >>> patch_views(image, np.array([[[[1.0, 0.0], [0.0, -1.0]]]]), patch=1)[0, 0]
        array([[ 2.,  0.],
               [ 0., -7.]])
    """
    cut = PatchedImage(image, filters)
    return cut.filters * cut.pixels(patch)


def column_view(
    image: Image, filters: Filters, *, neuron: Index, out: Out = None
) -> Float[Any, "channels height width"]:
    """One filter over the whole image: the level-0 views of neuron j of all patches, side by side.

    Source: the paper, section 3.1.1 and its Figure 3.

    Args:
        image: ``(C, H, W)``, as the model sees it (normalised).
        filters: ``(D, C, P, P)``.
        neuron: 0..D-1, the filter.
        out: where to write; without it a new array is made.

    Returns:
        ``(C, H, W)``.

    Raises:
        ArgumentTypeError, ArgumentError: as :func:`neuron_view`.

    Examples:
        >>> import numpy as np
        >>> column_view(np.ones((1, 2, 4)), np.array([[[[1.0, 2.0], [3.0, 4.0]]]]), neuron=0)[0]
        array([[1., 2., 1., 2.],
               [3., 4., 3., 4.]])
    """
    cut = PatchedImage(image, filters)
    return cut.spread(cut.kernel(neuron), None, out)
