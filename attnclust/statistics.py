"""The statistics behind every interval and verdict: bootstrap over images, rank trends, Holm's correction.

One image gives one value (or one curve of values); images are the sampling unit everywhere. All functions are
deterministic: the same values and seed give the same answer.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.stats import norm, rankdata

from attnclust._array import SLACK, ArgumentError, ArgumentTypeError, Number

RESAMPLES = 10_000
"""Bootstrap resamples behind every interval and p-value."""

CONFIDENCE = 0.95
"""Coverage that an interval aims at."""

Values = Any
"""Real array whose first axis runs over images; NaN where an image has no value."""

Seed = Any
"""An integer seed or a ``numpy.random.Generator``."""

_CHUNK = 1 << 21  # numbers of a block of resampling counts: 16 MiB


def mean_interval(
    values: Values, *, seed: Seed = 0, resamples: int = RESAMPLES
) -> tuple[Float[np.ndarray, "*shape"], Float[np.ndarray, "*shape"], Float[np.ndarray, "*shape"]]:
    """The mean over images and its 95 % percentile bootstrap interval.

    Whole images are resampled, so all entries of one image stay together. A NaN marks an image without a
    value
    in that entry: the entry's mean is over the images that have one, resampled among themselves; without any
    it is NaN, and so are its limits.

    Args:
        values: ``(n, *shape)``, one row an image.
        seed: an integer, or a generator to draw from.
        resamples: the number of bootstrap resamples.

    Returns:
        Mean, lower and upper limit, each ``(*shape)``, float64, in the unit of `values`.

    Raises:
        ArgumentTypeError: no real numbers.
        ArgumentError: no image, an infinite value, or fewer than 40 resamples (which leave no 2.5 % tail).

    Source: Efron (1979), the percentile interval.

    >>> mean, low, high = mean_interval([0.2, 0.4, 0.9])
    >>> round(float(mean), 3), round(float(low), 3), round(float(high), 3)
    (0.5, 0.2, 0.9)
    """
    array = _checked(values, resamples)
    flat = array.reshape(array.shape[0], -1)
    mean, low, high = np.full((3, flat.shape[1]), np.nan)
    present = ~np.isnan(flat)
    for pattern in np.unique(present, axis=1).T:
        columns = (present == pattern[:, None]).all(axis=0)
        if not pattern.any():
            continue
        means = bootstrap_means(flat[pattern][:, columns], seed=seed, resamples=resamples)
        mean[columns] = flat[pattern][:, columns].mean(axis=0)
        low[columns], high[columns] = np.quantile(means, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], axis=0)
    shape = array.shape[1:]
    return mean.reshape(shape), low.reshape(shape), high.reshape(shape)


def bootstrap_means(
    values: Values, *, seed: Seed = 0, resamples: int = RESAMPLES
) -> Float[np.ndarray, " resamples *shape"]:
    """The means of resamples: n images drawn from the n with replacement, one draw for all entries.

    Args:
        values: ``(n, *shape)``, one row an image, no NaN.
        seed: an integer, or a generator to draw from.
        resamples: the number of resamples.

    Returns:
        ``(resamples, *shape)``, float64.

    Raises:
        ArgumentTypeError, ArgumentError: as :func:`mean_interval`; and a NaN is refused.

    >>> bootstrap_means([[1.0, 5.0], [1.0, 7.0]], resamples=40)[:, 0].tolist() == [1.0] * 40
    True
    """
    array = _checked(values, resamples)
    if np.isnan(array).any():
        raise ArgumentError("values", "must hold no NaN here", "NaN", "Leave images without a value out.")
    n = array.shape[0]
    flat = array.reshape(n, -1)
    centre = flat.mean(axis=0)
    centred = flat - centre  # so that equal values give exactly their own mean
    generator = np.random.default_rng(seed)
    means = np.empty((resamples, flat.shape[1]))
    step = max(1, _CHUNK // n)
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        drawn = generator.integers(0, n, size=(rows, n)) + n * np.arange(rows)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n)
        means[start : start + rows] = centre + counts.astype(np.float64) @ centred / n
    return means.reshape(resamples, *array.shape[1:])


def spearman(curves: Values, against: Values) -> Float[np.ndarray, " n"]:
    """Spearman's rank correlation of each row with one sequence.

    Ties get their mean rank. A constant curve has no trend: 0 by convention. A curve with a NaN gives NaN.

    Args:
        curves: ``(n, k)``, one row an image, k >= 2.
        against: ``(k,)``, not constant: levels or ratios.

    Returns:
        ``(n,)``, in [-1, 1].

    Raises:
        ArgumentError: shapes that do not fit, or `against` constant.

    >>> spearman([[0.1, 0.5, 0.3], [2.0, 2.0, 2.0]], [0, 1, 2]).tolist()
    [0.5, 0.0]
    """
    rows, order = np.asarray(curves, dtype=np.float64), np.asarray(against, dtype=np.float64)
    if rows.ndim != 2 or order.shape != rows.shape[1:]:
        raise ArgumentError(
            "curves",
            "must be (n, k) beside against of shape (k,)",
            f"{rows.shape} beside {order.shape}",
            "Pass one row an image.",
        )
    if np.unique(order).size < 2:
        raise ArgumentError(
            "against", "must hold two different numbers", order.tolist(), "There is no trend over one point."
        )
    missing = np.asarray(np.isnan(rows).any(axis=1))
    ranks = np.asarray(rankdata(np.where(missing[:, None], 0.0, rows), axis=1))
    ranks = ranks - ranks.mean(axis=1, keepdims=True)
    steps = np.asarray(rankdata(order))
    steps = steps - steps.mean()
    spread = np.sqrt((ranks**2).sum(axis=1) * (steps**2).sum())
    rho = np.divide(ranks @ steps, spread, out=np.zeros(len(rows)), where=spread > 0)
    return np.where(missing, np.nan, np.clip(rho, -1, 1))


def holm(p_values: Values) -> Float[np.ndarray, " k"]:
    """Holm's step-down correction: rejecting where the result is at most a keeps the family-wise error at a.

    The i-th smallest of k p-values is multiplied by k - i + 1, then each is raised to the largest before it,
    and capped at 1.

    Args:
        p_values: ``(k,)``, in [0, 1].

    Returns:
        ``(k,)``, in the order they came.

    Raises:
        ArgumentError: not one axis, or outside [0, 1].

    Source: Holm (1979).

    >>> holm([0.01, 0.04, 0.03]).round(6).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise ArgumentError(
            "p_values", "must be (k,) numbers in [0, 1]", p.tolist(), "Pass one p-value a claim."
        )
    order = np.argsort(p, kind="stable")
    raised = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(raised, 1)
    return adjusted


def region_p_values(
    means: Values, *, images: Number, low: Number = -np.inf, high: Number = np.inf
) -> tuple[float, float]:
    """Bootstrap p-values for "the mean lies inside (low, high)" and for "it lies outside [low, high]".

    One form for all claims: "above 0" is the region (0, inf), "hurt by more than 0.05" is (-inf, -0.05), and
    equivalence is (-0.05, 0.05). Each p-value is twice the share of resampled means on the wrong side of a
    limit (the worse of the two limits for "inside"; the better for "outside"), with one resample added on
    that side. So where it is at most a, the percentile interval of level 1 - a lies wholly inside (outside)
    the region. It is never less than 2^(1-n), the least that a two-sided test on the signs of n images can
    give: resampling cannot make evidence out of too few images. A mean within rounding of a limit is on it,
    so on neither side.

    Args:
        means: ``(resamples,)``, from :func:`bootstrap_means`.
        images: n, the number of images behind them; of two samples, log2 of the ways to draw them apart.
        low: the open region's lower limit.
        high: its upper limit, above `low`.

    Returns:
        ``(p_inside, p_outside)``.

    Raises:
        ArgumentError: low >= high, or no image.

    >>> inside, outside = region_p_values(bootstrap_means(np.linspace(0.1, 0.3, 20)), images=20, low=0)
    >>> inside < 0.001, outside
    (True, 1.0)
    """
    if not low < high:
        raise ArgumentError("low", "must be less than high", f"low = {low}, high = {high}", "Swap them.")
    if images < 1:
        raise ArgumentError(
            "images", "must be at least 1", images, "Pass the number of images behind the means."
        )
    means = np.asarray(means, dtype=np.float64)
    rounding = SLACK * np.finfo(np.float64).eps * np.abs(means).max()

    def tail(against: np.ndarray) -> float:
        return 2 * (int(against.sum()) + 1) / (means.size + 1)

    inside = max(tail(means <= low + rounding), tail(means >= high - rounding))
    outside = 1.0
    if low > -np.inf:
        outside = min(outside, tail(means >= low - rounding))
    if high < np.inf:
        outside = min(outside, tail(means <= high + rounding))
    floor = 2.0 ** (1 - images)
    return min(1.0, max(inside, floor)), min(1.0, max(outside, floor))


def detectable_effect(values: Values, *, level: Number = 1 - CONFIDENCE, power: Number = 0.8) -> float:
    """How far beyond a limit a mean must lie for this many images to show it with the given power.

    The normal approximation (z(1 - level / 2) + z(power)) s / sqrt(n), s the standard deviation over images.
    NaN for fewer than two images.

    Args:
        values: ``(n,)``, one value an image.
        level: two-sided error level, after any correction.
        power: the probability of finding the effect.

    Returns:
        The distance, in the unit of `values`.

    Raises:
        ArgumentError: `level` or `power` outside (0, 1).

    >>> round(detectable_effect([0.0, 1.0] * 50), 3)
    0.141
    """
    for name, number in (("level", level), ("power", power)):
        if not 0 < number < 1:
            raise ArgumentError(name, "must lie between 0 and 1", number, "Use 0.05 and 0.8, say.")
    array = np.asarray(values, dtype=np.float64)
    if array.size < 2:
        return float("nan")
    factor = norm.ppf(1 - level / 2) + norm.ppf(power)
    return float(factor * array.std(ddof=1) / np.sqrt(array.size))


def _checked(values: Values, resamples: int) -> np.ndarray:
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ArgumentTypeError(
            "values", "must be an array of real numbers", type(values).__name__, "Convert it to float64."
        ) from None
    if array.ndim == 0 or array.shape[0] == 0:
        raise ArgumentError(
            "values", "must hold at least one image on its first axis", array.shape, "Pass one row an image."
        )
    if np.isinf(array).any():
        raise ArgumentError("values", "must not be infinite", "an infinite value", "Remove that image.")
    if resamples < 40:
        raise ArgumentError("resamples", "must be at least 40", resamples, "Use 10,000.")
    return array
