"""What the bounds from ranges of weights share: two diameters and (m, eps_lower, eps_upper), checked once."""

from __future__ import annotations

from typing import Any, NamedTuple

from attnclust._array import (
    ArgumentError,
    Namespace,
    at_most,
    common_shape,
    is_scalar,
    namespace,
    real,
    unit_roundoff,
)


class Ranges(NamedTuple):
    """Checked arguments, broadcast-ready: x_lower = m eps_lower, x_upper = min(1, m eps_upper), uncapped
    m eps_upper.
    """

    xp: Namespace
    d: Any
    diameter: Any
    x_lower: Any
    x_upper: Any
    uncapped: Any


def checked_diameters(xp: Namespace, d_cluster: Any, d_all: Any, like: Any) -> tuple[Any, Any]:
    """Both diameters in one dtype; `d_all` with one axis fewer is one a batch element and gains the
    cluster axis.

    Raises:
        ArgumentError: negative, d > D, or shapes that do not fit.
    """
    d = real(xp, "d_cluster", d_cluster, like=like)
    everything = real(xp, "d_all", d_all, like=like)
    for name, value in (("d_cluster", d), ("d_all", everything)):
        if bool(xp.any(value < 0)):
            raise ArgumentError(name, "must not be negative", float(xp.min(value)), "Pass a diameter.")
    if everything.ndim == d.ndim - 1:
        everything = everything[..., None]
    common_shape(d_cluster=d, d_all=everything)
    return at_most(xp, "d_cluster", d, "d_all", everything), everything


def _counts(xp: Namespace, outside: Any, like: Any) -> Any:
    if not is_scalar(outside) and xp.isdtype(outside.dtype, "integral"):
        outside = xp.astype(outside, like.dtype)
    m = real(xp, "outside", outside, like=like)
    if bool(xp.any((m < 0) | (m != xp.floor(m)))):
        raise ArgumentError(
            "outside",
            "must count the tokens outside the cluster",
            float(xp.min(m)),
            "Pass a whole number >= 0.",
        )
    return m


def checked_ranges(d_cluster: Any, d_all: Any, outside: Any, eps_lower: Any, eps_upper: Any) -> Ranges:
    """The arguments of a bound from ranges, with slack at the borders clipped.

    Raises:
        ArgumentTypeError: mixed kinds, no real floating dtype.
        ArgumentError: negative or non-finite numbers, d_cluster > d_all, eps_lower > eps_upper,
            m eps_lower > 1, a count that is not whole, shapes that do not broadcast.
    """
    xp = namespace(
        d_cluster=d_cluster, d_all=d_all, outside=outside, eps_lower=eps_lower, eps_upper=eps_upper
    )
    floats = [each for each in (d_cluster, d_all, eps_lower, eps_upper) if not is_scalar(each)]
    like = floats[0] if floats else (None if is_scalar(outside) else xp.empty_like(outside, dtype=xp.float64))
    d, everything = checked_diameters(xp, d_cluster, d_all, like)
    lower, upper = real(xp, "eps_lower", eps_lower, like=like), real(xp, "eps_upper", eps_upper, like=like)
    m = _counts(xp, outside, d)
    common_shape(d_cluster=d, d_all=everything, outside=m, eps_lower=lower, eps_upper=upper)
    for name, value in (("eps_lower", lower), ("eps_upper", upper)):
        if bool(xp.any(value < 0)):
            raise ArgumentError(name, "must not be negative", float(xp.min(value)), "Weights lie in [0, 1].")
    upper = at_most(xp, "eps_upper", upper, "1, a row's whole mass", xp.ones_like(upper))
    lower = at_most(xp, "eps_lower", lower, "eps_upper", upper)
    slack = 4 * (float(xp.max(m)) + 8) * unit_roundoff(xp, lower) if m.ndim == 0 or 0 not in m.shape else 0.0
    x_lower = at_most(
        xp, "outside * eps_lower", m * lower, "1, a row's whole mass", xp.ones_like(m * lower), slack=slack
    )
    uncapped = m * upper
    return Ranges(xp, d, everything, x_lower, xp.minimum(uncapped, xp.ones_like(uncapped)), uncapped)
