"""How far apart two clusters stay: lower bounds on the distance between their hulls."""

from __future__ import annotations

from typing import Any

import array_api_compat
import numpy as np
from jaxtyping import Float

from attnclust._array import (
    ArgumentError,
    Attention,
    Labels,
    Scalars,
    at_most,
    common_batch,
    common_shape,
    flatten_batch,
    is_scalar,
    namespace,
    real,
    stochastic,
    two_of,
)
from attnclust._labels import Labelling, label_batch, partition, per_labelling, take
from attnclust.bounds._pairs import pair_masses
from attnclust.bounds._theorem import Theorem


def separation_bound(
    separation: Scalars, d_all: Scalars, *, mass_g: Scalars, mass_h: Scalars
) -> Float[Any, "*shape"]:
    r"""A lower bound on the next distance between two clusters' hulls, from the masses that they give away.

    Setting: one step Z' = A Z; any norm; s the distance between the hulls of G and H, x_G and x_H the
        largest outside mass
    of a row of each (or min(1, m eps_upper)).

    Statement: s' >= (1 - min(x_G, x_H)) s - max(x_G, x_H) D.

    Tight in (s, D, x_G, x_H): :func:`attnclust.attention.separation_configuration` attains it.

    Source: proved here.

    Args:
        separation: s, a number or an array.
        d_all: D >= s, the diameter of all tokens.
        mass_g: x_G in [0, 1].
        mass_h: x_H in [0, 1].

    Returns:
        An array of the common shape; a value that is not positive promises nothing.

    Raises:
        ArgumentTypeError: mixed kinds, no real floating dtype.
        ArgumentError: negative or non-finite numbers, s > D, a mass above 1, shapes that do not broadcast.

    >>> float(separation_bound(2.0, 4.0, mass_g=0.25, mass_h=0.125))
    0.75
    """
    named = {"separation": separation, "d_all": d_all, "mass_g": mass_g, "mass_h": mass_h}
    xp = namespace(**named)
    like = next((each for each in named.values() if not is_scalar(each)), None)
    s, diameter, x_g, x_h = (real(xp, name, value, like=like) for name, value in named.items())
    common_shape(separation=s, d_all=diameter, mass_g=x_g, mass_h=x_h)
    for name, each in zip(named, (s, diameter, x_g, x_h), strict=True):
        if bool(xp.any(each < 0)):
            raise ArgumentError(
                name, "must not be negative", float(xp.min(each)), "Pass distances and masses."
            )
    s = at_most(xp, "separation", s, "d_all", diameter)
    x_g, x_h = (
        at_most(xp, name, each, "1, a row's whole mass", xp.ones_like(each))
        for name, each in (("mass_g", x_g), ("mass_h", x_h))
    )
    return (1 - xp.minimum(x_g, x_h)) * s - xp.maximum(x_g, x_h) * diameter


def separation_dobrushin_bound(
    attention: Attention,
    labels: Labels,
    *,
    separation: Scalars,
    d_all: Scalars,
    pair: tuple[int, int] = (0, 1),
) -> Float[Any, "*batch"]:
    r"""The best possible lower bound on the next distance between two hulls, given the attention, s and D.

    Setting: one step Z' = A Z; any norm; for j in G and i in H, g is the sum over G of (A[j] - A[i])^+
        and h the sum over H
    of (A[i] - A[j])^+.

    Statement: s' >= min over j in G, i in H of s max(g, h) + D min(g, h) - D tau.

    Tight for every row-stochastic matrix: :func:`attnclust.attention.separation_dobrushin_configuration`
    attains it.

    Source: proved here.

    Args:
        attention: ``(*batch, n, n)``, row-stochastic.
        labels: ``(n,)`` or ``(*batch, n)`` integers: clusters 0..M-1, -1 for an outsider.
        separation: s, ``(*batch)`` or a number: the distance between the two hulls.
        d_all: D >= s, ``(*batch)`` or a number.
        pair: which clusters are G and H.

    Returns:
        ``(*batch,)``; a value that is not positive promises nothing.

    Raises:
        ArgumentTypeError, ArgumentError: as :func:`cluster_dobrushin_bound`; s > D, an empty or unknown
            cluster.

    >>> import numpy as np
    >>> attention = np.array([[0.75, 0.0, 0.25], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    >>> float(separation_dobrushin_bound(attention, np.array([0, 1, -1]), separation=2.0, d_all=4.0))
    1.0
    """
    xp = namespace(attention=attention, labels=labels, separation=separation, d_all=d_all)
    attention = stochastic(xp, "attention", attention)
    s = real(xp, "separation", separation, like=attention)
    diameter = real(xp, "d_all", d_all, like=attention)
    if bool(xp.any(s < 0)):
        raise ArgumentError("separation", "must not be negative", float(xp.min(s)), "Pass a distance.")
    batch = common_batch(
        xp,
        attention=tuple(attention.shape[:-2]),
        labels=label_batch(xp, labels),
        separation=tuple(s.shape),
        d_all=tuple(diameter.shape),
    )
    s = at_most(xp, "separation", s, "d_all", diameter)
    part = partition(xp, labels, batch=batch, n=attention.shape[-1], clusters=None)
    pair = two_of("pair", pair, part.clusters, "clusters")
    dtype = xp.result_type(attention, s, diameter)
    rows = flatten_batch(xp, xp.astype(attention, dtype, copy=False), batch)
    sides = [
        xp.reshape(xp.broadcast_to(xp.astype(each, dtype, copy=False), batch), (rows.shape[0],))
        for each in (s, diameter)
    ]

    def evaluate(labelling: Labelling) -> Any:
        here, s_here, diameter_here = (labelling.select(xp, each) for each in (rows, *sides))
        g, h = (labelling.members[cluster] for cluster in pair)
        if not len(g) or not len(h):
            raise ArgumentError(
                "labels", f"clusters {pair} must have tokens", "an empty one", "Check the pair."
            )
        return _least_gap(xp, here, g, h, s_here, diameter_here)

    none = xp.zeros((0,), dtype=dtype, device=array_api_compat.device(attention))
    return per_labelling(xp, part, batch, evaluate, empty=none)


def _least_gap(xp: Any, rows: Any, g: np.ndarray, h: np.ndarray, s: Any, diameter: Any) -> Any:
    """The least promised gap over the pairs of a row of G and one of H, ``(b,)``."""
    of_g, of_h = take(xp, rows, g, axis=1), take(xp, rows, h, axis=1)
    rest = np.setdiff1d(np.arange(rows.shape[2]), np.concatenate([g, h]))
    positive, negative = pair_masses(xp, of_g, [g, h, rest], others=of_h)
    gained, lost = positive[..., 0], negative[..., 1]
    tau = xp.sum(positive + negative, axis=-1) / 2
    gap = s[:, None] * xp.maximum(gained, lost)
    return xp.min(gap - diameter[:, None] * (tau - xp.minimum(gained, lost)), axis=1)


SEPARATION = Theorem(
    label="separation",
    kind="tight",
    statement="s' >= (1 - min(x_G, x_H)) s - max(x_G, x_H) D",
    source="proved here",
    proof="separation",
    function=separation_bound,
)

SEPARATION_DOBRUSHIN = Theorem(
    label="separation_dobrushin",
    kind="tight",
    statement="s' >= min over j in G, i in H of s max(g, h) + D min(g, h) - D tau_ji",
    source="proved here",
    proof="separation_dobrushin",
    function=separation_dobrushin_bound,
)
