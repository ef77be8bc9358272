"""The one way to assert a bound: with a tolerance that is derived, and a message that shows the worst
case.
"""

from __future__ import annotations

import numpy as np

from attnclust._array import ArgumentError, Scalars, namespace, real, to_numpy

RESOLVED = 1e6
"""By how much a bound must exceed its tolerance before its ratio to the measured value means anything."""


def assert_bound(
    measured: Scalars, bound: Scalars, *, tolerance: Scalars = 0.0, label: str = "bound"
) -> np.ndarray:
    """Assert measured <= bound + tolerance everywhere; return the ratios measured / bound.

    Args:
        measured: a number or an array of what was measured.
        bound: a number or an array that broadcasts against it.
        tolerance: what rounding may do, absolute; see :class:`attnclust.verify.Verification`. Never one
            relative to the
            measured value: a collapsed cluster would raise false alarms.
        label: named in the message.

    Returns:
        The ratios where the bound exceeds the tolerance, as a flat NumPy array: what `hypothesis.target`
            wants.

    Raises:
        AssertionError: the bound is violated; with the worst case and by how many tolerances.
        ArgumentTypeError, ArgumentError: no numbers; NaN or infinity, which no bound may hide behind.

    >>> assert_bound(1.0, 2.0)
    array([0.5])
    """
    xp = namespace(measured=measured, bound=bound, tolerance=tolerance)
    arrays = []
    for name, value in (("measured", measured), ("bound", bound), ("tolerance", tolerance)):
        arrays.append(to_numpy(real(xp, name, value)).astype(np.float64))
    if (arrays[2] < 0).any():
        raise ArgumentError(
            "tolerance", "must not be negative", arrays[2].min(), "Pass what rounding may do."
        )
    got, limit, border = np.broadcast_arrays(*arrays)
    excess = got - limit - border
    if (excess > 0).any():
        worst = np.unravel_index(np.argmax(excess), excess.shape)
        raise AssertionError(
            f"{label} is violated at {tuple(map(int, worst))}: measured {got[worst]:.17g} > "
            f"bound {limit[worst]:.17g} + tolerance {border[worst]:.3g}; "
            f"{int((excess > 0).sum())} of {excess.size}"
        )
    counted = limit > RESOLVED * border
    return (got[counted] / limit[counted]).ravel()
