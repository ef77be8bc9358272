"""Weights of an attention layer, drawn from an explicit generator, or chosen to do harm."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import array_api_compat
import numpy as np

from attnclust._array import (
    ArgumentError,
    ArgumentTypeError,
    Labels,
    Namespace,
    Number,
    Tokens,
    namespace,
    positive,
    real,
    to_numpy,
    whole,
)
from attnclust._labels import partition, take

WEIGHT_KINDS = ("gaussian", "orthogonal", "tied")
"""Independent normal entries; orthonormal columns; normal entries with W_K = W_Q, so that every token
draws those like it."""


class Weights(NamedTuple):
    """Weights of a layer: `w_q` and `w_k` ``(*batch, d, d_k)``, `w_v` ``(*batch, d, d)``."""

    w_q: Any
    w_k: Any
    w_v: Any


def draw_weights(
    kind: Any,
    d: Number,
    d_k: Number = None,
    *,
    generator: Any,
    scale: Number = 1,
    batch: Any = (),
) -> Weights:
    r"""Weights :math:`W_Q, W_K, W_V` drawn from `generator`.

    ``gaussian``: entries of mean 0 and variance scale^2 / d, so tokens with coordinates of variance 1 have
    queries, keys and values with coordinates of variance scale^2. ``orthogonal``: scale times a matrix
    with orthonormal columns (rows where d_k > d), uniform among them. ``tied``: as gaussian, with W_K = W_Q.

    Source: settings of the simulator; see :func:`simulate`.

    Args:
        kind: one of :data:`WEIGHT_KINDS`.
        d: the tokens' coordinates, at least 1.
        d_k: coordinates of a query; d if None.
        generator: a ``numpy.random.Generator``, which gives NumPy arrays in float64, or a
            ``torch.Generator``, which gives float64 tensors on its device. It is advanced; the same state
            gives the same weights.
        scale: a positive number.
        batch: leading axes, for example ``(runs,)``, or ``(runs, heads)`` for several heads.

    Returns:
        :class:`Weights`.

    Raises:
        ArgumentTypeError: a generator of another kind, sizes that are no whole numbers.
        ArgumentError: another kind, sizes below 1, a scale that is not a positive number.

    >>> w_q, w_k, w_v = draw_weights("orthogonal", 5, 3, generator=np.random.default_rng(0), batch=(2,))
    >>> w_q.shape, w_v.shape, bool(np.allclose(np.swapaxes(w_q, 1, 2) @ w_q, np.eye(3)))
    ((2, 5, 3), (2, 5, 5), True)
    """
    if not isinstance(kind, str) or kind not in WEIGHT_KINDS:
        raise ArgumentError("kind", f"must be one of {', '.join(WEIGHT_KINDS)}", repr(kind), "Choose one.")
    d = whole("d", d, least=1)
    d_k = d if d_k is None else whole("d_k", d_k, least=1)
    scale = positive("scale", scale)
    if not isinstance(batch, tuple):
        raise ArgumentTypeError("batch", "must be a tuple of axes", type(batch).__name__, "Pass (runs,).")
    shape = tuple(whole("batch", each, least=0) for each in batch)
    draw = _orthogonal if kind == "orthogonal" else _gaussian
    w_q = draw(generator, (*shape, d, d_k), scale)
    w_k = w_q if kind == "tied" else draw(generator, (*shape, d, d_k), scale)
    return Weights(w_q, w_k, draw(generator, (*shape, d, d), scale))


def adversarial_weights(
    tokens: Tokens, labels: Labels, *, cluster: Number = 0, scale: Number = 1, clusters: Number = None
) -> Weights:
    r"""Weights that tear a cluster apart: of its farthest pair, one token looks outside and one inside.

    Queries read v with v z = 1 at one token of the pair and -1 at the other; keys read u, the least-squares
    fit of 1 at the tokens outside and -1 at those inside. As `scale` grows the two rows of attention go
    to opposite ends of u, as in :func:`sharp_configuration`. :math:`W_V = I`.

    Source: the extremal rows of `sharp` (proved here), approached by softmax.

    Args:
        tokens: ``(*batch, n, d)``, real floating.
        labels: ``(n,)`` integers: clusters 0..M-1, -1 for an outsider.
        cluster: which cluster; it needs two tokens, and one outside it.
        scale: a positive number: the logits of the pair run to about +-scale.
        clusters: M, if more than the largest label + 1.

    Returns:
        :class:`Weights` with d_k = 1: `w_q` and `w_k` ``(*batch, d, 1)``, `w_v` ``(d, d)``, of the kind of
        `tokens`.

    Raises:
        ArgumentTypeError: mixed kinds, no real floating dtype, labels that are no integers.
        ArgumentError: NaN, labels of the wrong length, a cluster that is too small or holds all tokens.

    >>> tokens = np.array([[0.0, 1.0], [0.5, 1.0], [4.0, 1.0]])
    >>> w_q, w_k, _ = adversarial_weights(tokens, np.array([0, 0, -1]), scale=50)
    >>> bool(np.ptp((tokens @ w_q)[:2]) > 99)
    True
    """
    xp = namespace(tokens=tokens, labels=labels)
    tokens = real(xp, "tokens", tokens, ndim=2)
    scale = positive("scale", scale)
    n, d = tokens.shape[-2:]
    part = partition(xp, labels, batch=(), n=n, clusters=clusters)
    chosen = whole("cluster", cluster, least=0)
    inside = part.labellings[0].members[chosen] if chosen < part.clusters else np.empty(0, np.int64)
    if not 2 <= len(inside) < n:
        raise ArgumentError(
            "cluster",
            "must hold two tokens or more, and not all",
            f"{len(inside)} of {n} in cluster {chosen}",
            "Choose another cluster.",
        )
    device = array_api_compat.device(tokens)
    side = np.ones((n, 1))
    side[inside] = -1
    w_k = xp.linalg.pinv(tokens) @ xp.asarray(side, dtype=tokens.dtype, device=device)
    pair = _farthest_pair(xp, take(xp, tokens, inside, axis=-2))
    ends = xp.asarray([[1.0], [-1.0]], dtype=tokens.dtype, device=device)
    w_q = xp.linalg.pinv(pair) @ ends
    return Weights(scale * w_q, w_k, xp.eye(d, dtype=tokens.dtype, device=device))


def _farthest_pair(xp: Namespace, x: Any) -> Any:
    """The two farthest tokens of each set ``(*batch, k, d)``, ``(*batch, 2, d)``."""
    k = x.shape[-2]
    centred = to_numpy(x - xp.mean(x, axis=-2, keepdims=True)).astype(np.float64)
    squares = (centred**2).sum(-1)
    apart = squares[..., :, None] + squares[..., None, :] - 2 * centred @ np.swapaxes(centred, -1, -2)
    flat = apart.reshape(*apart.shape[:-2], k * k).argmax(-1)
    ends = np.stack(np.divmod(flat, k), axis=-1)
    index = xp.asarray(ends[..., None] + np.zeros(x.shape[-1], np.int64), device=array_api_compat.device(x))
    return xp.take_along_axis(x, index, axis=-2)


def _gaussian(generator: Any, shape: tuple[int, ...], scale: float | int) -> Any:
    return _normal(generator, shape) * (scale / math.sqrt(shape[-2]))


def _orthogonal(generator: Any, shape: tuple[int, ...], scale: float | int) -> Any:
    """Q of a normal matrix, the signs of R moved into it, so that it is uniform."""
    *batch, d, d_k = shape
    if d_k > d:
        turned = _orthogonal(generator, (*batch, d_k, d), scale)
        return array_api_compat.array_namespace(turned).matrix_transpose(turned)
    normal = _normal(generator, shape)
    xp = array_api_compat.array_namespace(normal)
    q, r = xp.linalg.qr(normal)
    return scale * q * xp.sign(xp.linalg.diagonal(r))[..., None, :]


def _normal(generator: Any, shape: tuple[int, ...]) -> Any:
    if isinstance(generator, np.random.Generator):
        return generator.normal(size=shape)
    if type(generator).__module__.partition(".")[0] == "torch" and hasattr(generator, "device"):
        import torch  # loaded already: the generator is torch's

        return torch.randn(shape, generator=generator, dtype=torch.float64, device=generator.device)
    raise ArgumentTypeError(
        "generator",
        "must be a numpy.random.Generator or a torch.Generator",
        type(generator).__name__,
        "Pass numpy.random.default_rng(seed), or torch.Generator(device).manual_seed(seed).",
    )
