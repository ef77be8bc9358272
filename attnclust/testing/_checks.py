"""For every theorem: a batch of drawn steps in, what was measured, what it may be, and the rounding
allowed, out.

The property tests, the search for the worst ratio and anyone's own tests share these. Values that a
theorem bounds from below are entered the other way round, so that everywhere measured <= bound.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from attnclust import bounds
from attnclust.attention import attend, attention_weights
from attnclust.geometry import cell_distances, cluster_diameters, diameter, hull_distance
from attnclust.testing._draws import Steps, draw_steps
from attnclust.verify import Verification, verify


class Check(NamedTuple):
    """Arrays that broadcast: measured <= bound + tolerance."""

    measured: Any
    bound: Any
    tolerance: Any


def _verified(steps: Steps) -> Verification:
    return verify(steps.attention, steps.tokens, steps.labels, ord=steps.recipe.order)


def _rung(label: str) -> Callable[[Steps], Check]:
    def check(steps: Steps) -> Check:
        step = _verified(steps)
        return Check(step.measured, step.bounds[label], step.tolerance[:, None])

    return check


LINEAR_PROGRAM = 1e-8
"""What HiGHS's tolerance may take off an optimal cost, in units of the diameter."""


def _with_tokens(function: Callable[..., Any]) -> Callable[[Steps], Check]:
    def check(steps: Steps) -> Check:
        step = _verified(steps)
        bound = function(steps.attention, steps.tokens, steps.labels, ord=steps.recipe.order)
        return Check(step.measured, bound, step.tolerance[:, None])

    return check


def _euclidean(steps: Steps) -> Steps:
    return Steps(steps.attention, steps.tokens, steps.labels, _replaced(steps, order=2.0))


def _replaced(steps: Steps, **changes: Any) -> Any:
    return type(steps.recipe)(**{**vars(steps.recipe), **changes})


def _chi(steps: Steps) -> Check:
    steps = _euclidean(steps)
    step = _verified(steps)
    bound = bounds.chi_bound(steps.attention, steps.tokens, steps.labels)
    return Check(step.measured, bound, step.tolerance[:, None])


def _whole(steps: Steps, factor: Any) -> Check:
    step = _verified(steps)
    tokens = _centred(steps.tokens)
    after = diameter(attend(steps.attention, tokens), ord=steps.recipe.order)
    return Check(after, factor * step.diameter, _rounding(tokens, step))


def _centred(tokens: np.ndarray) -> np.ndarray:
    return tokens - tokens.mean(axis=-2, keepdims=True)


def _rounding(tokens: np.ndarray, step: Verification) -> np.ndarray:
    """The step's tolerance, for tokens that are centred only to rounding."""
    n, d = tokens.shape[-2:]
    largest = np.abs(tokens).sum(axis=-1).max(axis=-1)
    return step.tolerance + 4 * (n + d + 8) * np.finfo(np.float64).eps / 2 * largest


def _ranges(step: Verification) -> dict[str, Any]:
    return {"outside": step.outside, "eps_lower": step.eps_lower, "eps_upper": step.eps_upper}


def _sharp_total(steps: Steps) -> Check:
    step = _verified(steps)
    bound = bounds.sharp_total_bound(step.diameter[:, None], outside=step.outside, eps_lower=step.eps_lower)
    return Check(step.measured, np.where(step.counted, bound, 0.0), step.tolerance[:, None])


def _certificate(steps: Steps) -> Check:
    step = _verified(steps)
    certain = bounds.sharp_certificate(step.current, step.diameter, **_ranges(step))
    return Check(np.where(certain, step.measured, 0.0), step.current, step.tolerance[:, None])


def _iteration(steps: Steps) -> Check:
    """Three layers, with the range that holds in all of them."""
    tokens, lowest, highest, border = _centred(steps.tokens), 1.0, 0.0, 0.0
    start = _verified(steps)
    attention = steps.attention
    for layer in range(3):
        step = verify(attention, tokens, steps.labels, ord=steps.recipe.order)
        lowest, highest = np.minimum(lowest, step.eps_lower), np.maximum(highest, step.eps_upper)
        border = border + _rounding(tokens, step)[:, None]
        tokens = attend(attention, tokens)
        attention = draw_steps(steps.recipe.again(layer)).attention
    after = cluster_diameters(tokens, steps.labels, ord=steps.recipe.order)
    known = {"outside": start.outside, "eps_lower": lowest, "eps_upper": highest}
    return Check(after, bounds.iteration_bound(start.current, start.diameter, **known, steps=3), border)


def _cells(labels: np.ndarray) -> np.ndarray:
    """Every cluster and the outsiders as cells 0..K-1, none empty."""
    return np.unique(labels, return_inverse=True)[1].reshape(-1)


def _block_recursion(steps: Steps) -> Check:
    """Two layers, the table after the second against the recursion applied twice."""
    cells, order = _cells(steps.labels), steps.recipe.order
    second = draw_steps(steps.recipe.again(1)).attention
    tokens = _centred(steps.tokens)
    table = cell_distances(tokens, cells, ord=order)
    for attention in (steps.attention, second):
        table = bounds.block_recursion(attention, cells, distances=table)
    after = cell_distances(attend(second, attend(steps.attention, tokens)), cells, ord=order)
    border = 2 * _rounding(tokens, _verified(steps))
    return Check(after, table, border[:, None, None])


def _block_recursion_linear(steps: Steps) -> Check:
    cells, order = _cells(steps.labels), steps.recipe.order
    step = verify(steps.attention, steps.tokens, cells, ord=order)
    bound = bounds.block_recursion_linear(steps.attention, cells, d_cluster=step.current, d_all=step.diameter)
    return Check(step.measured, bound, step.tolerance[:, None])


def _two_hulls(steps: Steps) -> tuple[np.ndarray, np.ndarray, np.ndarray, Verification]:
    """Labels with clusters 0 and 1 both present, and the distance between their hulls before and after.

    Cluster 0 is lifted off the others along the first coordinate: random hulls would always overlap.
    """
    labels = steps.labels.copy()
    labels[0], labels[-1] = 0, 1
    lifted = _centred(steps.tokens)
    lifted[..., 0] += np.where(labels == 0, 2 * np.ptp(lifted[..., 0], axis=-1)[:, None], 0.0)
    tokens = _centred(lifted)
    after = attend(steps.attention, tokens)
    order = steps.recipe.order
    gaps = [hull_distance(z[:, labels == 0], z[:, labels == 1], ord=order) for z in (tokens, after)]
    return labels, gaps[0], gaps[1], verify(steps.attention, tokens, labels, ord=order)


def _separation(steps: Steps) -> Check:
    labels, before, after, step = _two_hulls(steps)
    masses = [steps.attention[:, labels == g][:, :, labels != g].sum(-1).max(-1, initial=0.0) for g in (0, 1)]
    promise = bounds.separation_bound(before, step.diameter, mass_g=masses[0], mass_h=masses[1])
    return Check(promise, after, _hull_tolerance(step))


def _hull_tolerance(step: Verification) -> Any:
    return step.tolerance + LINEAR_PROGRAM * step.diameter


def _separation_dobrushin(steps: Steps) -> Check:
    labels, before, after, step = _two_hulls(steps)
    promise = bounds.separation_dobrushin_bound(
        steps.attention, labels, separation=before, d_all=step.diameter
    )
    return Check(promise, after, _hull_tolerance(step))


class _Softmax(NamedTuple):
    step: Verification
    beta: Any


def _softmax(steps: Steps) -> _Softmax:
    """The recipe's tokens under softmax attention with drawn weights, at a logit scale that the
    temperature sets.
    """
    recipe = steps.recipe
    rng = np.random.default_rng(recipe.seed + 1)
    spread = diameter(steps.tokens)[:, None, None]
    tokens = _centred(steps.tokens) / np.where(spread > 0, spread, 1.0)
    w_q, w_k = (rng.normal(size=(recipe.batch, recipe.d, 2)) for _ in range(2))
    w_q = w_q * 10.0**-recipe.temperature
    attention = attention_weights(tokens, w_q, w_k)
    return _Softmax(verify(attention, tokens, steps.labels), bounds.softmax_beta(w_q, w_k))


def _logit_tolerance(softmax: _Softmax) -> Any:
    """Logits of size beta D^2 carry their rounding into the weights, on top of the step's own tolerance."""
    roundoff = 64 * np.finfo(np.float64).eps * (1 + softmax.beta * softmax.step.diameter**2)
    return softmax.step.tolerance + roundoff * softmax.step.diameter


def _cubic(steps: Steps) -> Check:
    softmax = _softmax(Steps(steps.attention, steps.tokens, np.zeros_like(steps.labels), steps.recipe))
    bound = bounds.cubic_bound(softmax.step.diameter, beta=softmax.beta)
    return Check(softmax.step.measured[:, 0], bound, _logit_tolerance(softmax))


def _cluster_cubic(steps: Steps) -> Check:
    softmax = _softmax(steps)
    bound = bounds.cluster_cubic_bound(
        softmax.step.current, softmax.step.diameter, beta=softmax.beta[:, None]
    )
    return Check(softmax.step.measured, bound, _logit_tolerance(softmax)[:, None])


def _softmax_cluster(steps: Steps) -> Check:
    softmax = _softmax(steps)
    mass = np.minimum(1.0, softmax.step.outside * softmax.step.eps_upper)
    bound = bounds.softmax_cluster_bound(
        softmax.step.current, softmax.step.diameter, beta=softmax.beta[:, None], mass=mass
    )
    return Check(softmax.step.measured, bound, _logit_tolerance(softmax)[:, None])


def _value_matrix(steps: Steps) -> Check:
    steps = _euclidean(steps)
    step = _verified(steps)
    w = np.random.default_rng(steps.recipe.seed + 2).normal(size=(steps.recipe.d, steps.recipe.d))
    tokens = _centred(steps.tokens)
    after = cluster_diameters(attend(steps.attention, tokens, w_v=w), steps.labels)
    norm = float(np.linalg.norm(w, 2))
    bound = bounds.value_matrix_bound(step.bounds["cluster_dobrushin"], norm=norm)
    return Check(after, bound, (1 + norm) * _rounding(tokens, step)[:, None])


def _multi_head(steps: Steps) -> Check:
    """The batch as the heads of one layer."""
    steps = _euclidean(steps)
    step = _verified(steps)
    rng = np.random.default_rng(steps.recipe.seed + 3)
    maps = rng.normal(size=(steps.recipe.batch, steps.recipe.d, steps.recipe.d))
    norms = np.linalg.norm(maps, 2, axis=(1, 2))
    tokens = _centred(steps.tokens)
    after = (attend(steps.attention, tokens) @ maps).sum(axis=0)
    bound = bounds.multi_head_bound(step.bounds["cluster_dobrushin"], norms=norms)
    measured = cluster_diameters(after, steps.labels, clusters=bound.shape[-1])
    return Check(measured, bound, float(((1 + norms) * _rounding(tokens, step)).sum()))


def _residual(steps: Steps) -> Check:
    step, tokens = _verified(steps), _centred(steps.tokens)
    after = cluster_diameters(
        tokens + 1.5 * attend(steps.attention, tokens), steps.labels, ord=steps.recipe.order
    )
    bound = bounds.residual_bound(step.current, step.diameter, **_ranges(step), norm=1.5)
    return Check(after, bound, 3 * _rounding(tokens, step)[:, None])


def _convex(steps: Steps) -> Check:
    step, tokens, alpha = _verified(steps), _centred(steps.tokens), 0.375
    after = cluster_diameters(
        (1 - alpha) * tokens + alpha * attend(steps.attention, tokens), steps.labels, ord=steps.recipe.order
    )
    bound = bounds.convex_bound(step.current, step.diameter, **_ranges(step), alpha=alpha)
    return Check(after, bound, 2 * _rounding(tokens, step)[:, None])


CHECKS: Mapping[str, Callable[[Steps], Check]] = MappingProxyType(
    {
        "contraction": lambda steps: _whole(steps, 1.0),
        "dobrushin": lambda steps: _whole(steps, bounds.dobrushin_coefficient(steps.attention)),
        **{
            label: _rung(label)
            for label in (
                "paper_main",
                "paper_appendix",
                "linear",
                "product",
                "sharp",
                "overlap",
                "cluster_dobrushin",
                "block_transport",
            )
        },
        "transport": _with_tokens(bounds.transport_bound),
        "independent": _with_tokens(bounds.independent_bound),
        "star": _with_tokens(bounds.star_bound),
        "chi": _chi,
        "sharp_total": _sharp_total,
        "certificate": _certificate,
        "iteration": _iteration,
        "block_recursion": _block_recursion,
        "block_recursion_linear": _block_recursion_linear,
        "separation": _separation,
        "separation_dobrushin": _separation_dobrushin,
        "cubic": _cubic,
        "cluster_cubic": _cluster_cubic,
        "softmax_cluster": _softmax_cluster,
        "value_matrix": _value_matrix,
        "multi_head": _multi_head,
        "residual": _residual,
        "convex": _convex,
    }
)
"""Label of each theorem -> what drawn steps say of it."""

SLOW = frozenset({"transport", "separation", "separation_dobrushin", "block_recursion"})
"""Checks that solve linear programs or many small problems: draw fewer and smaller steps for them."""
