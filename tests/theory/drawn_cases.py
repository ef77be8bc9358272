"""For every theorem what a drawn step does and what the theorem says of it, with all its hypotheses or with
one dropped; `test_dropped` searches here for counterexamples.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from attnclust import bounds
from attnclust.attention import attention_weights
from attnclust.geometry import cell_distances, cluster_diameters, diameter, hull_distance
from attnclust.testing import Recipe
from attnclust.testing._draws import draw_attention, draw_tokens

LABELS = np.array([0, 0, 1, 1, -1])
CELLS = np.array([0, 0, 1, 1, 2])
SEEDS = 60


class Drawn(NamedTuple):
    """Steps of five tokens (two clusters of two, an outsider), a further matrix, and maps of tokens.

    `moved` carries the tokens: `a` itself, or what is no attention any more.
    """

    a: np.ndarray
    z: np.ndarray
    other: np.ndarray
    maps: np.ndarray
    moved: np.ndarray

    @property
    def after(self) -> np.ndarray:
        return self.moved @ self.z


@functools.cache
def draws() -> tuple[Drawn, ...]:
    """Generic and nearly one-hot attention, distinct and clustered tokens; the last token is far away."""
    drawn = []
    for seed in range(SEEDS):
        kinds = {"attention": ("generic", "one-hot", "uniform")[seed % 3], "tightness": -1.5}
        recipe = Recipe(
            seed=seed,
            batch=16,
            n=5,
            d=2,
            tokens=("clustered", "distinct")[seed % 2],
            temperature=-0.3,
            **kinds,
        )
        rng = np.random.default_rng(seed)
        z = draw_tokens(rng, recipe, LABELS)
        z[:, 4, :] *= 10.0
        a, other = (draw_attention(rng, recipe, LABELS) for _ in range(2))
        drawn.append(Drawn(a, z, other, rng.normal(size=(16, 2, 2)), a))
    return tuple(drawn)


Case = Callable[[Drawn, bool], tuple[Any, Any]]
"""Measured and claimed, arrays that broadcast, with the hypothesis kept (False) or dropped (True)."""


def apart(z: np.ndarray, ord: float = 2) -> np.ndarray:  # noqa: A002
    """The diameters of both clusters, ``(b, 2)``, pair by pair."""
    return np.linalg.norm(np.stack([z[:, 0] - z[:, 1], z[:, 2] - z[:, 3]], axis=1), ord=ord, axis=-1)


def whole(z: np.ndarray, dropped: bool) -> np.ndarray:
    """D as each cluster has it, ``(b, 2)``: of all tokens, or of the cluster alone."""
    return apart(z) if dropped else np.repeat(diameter(z)[:, None], 2, axis=1)


def sides(s: Drawn, dropped: bool) -> tuple[Any, Any, dict[str, Any]]:
    return apart(s.z), whole(s.z, dropped), bounds.cross_attention(s.a, LABELS)._asdict()


def of_ranges(bound: Callable[..., Any]) -> Case:
    def case(s: Drawn, dropped: bool) -> tuple[Any, Any]:
        d, big, ranges = sides(s, dropped)
        return apart(s.after), bound(d, big, **ranges)

    return case


def certificate(s: Drawn, dropped: bool) -> tuple[Any, Any]:
    d, big, ranges = sides(s, dropped)
    return apart(s.after), np.where(bounds.sharp_certificate(d, big, **ranges), d, np.inf)


def contraction(s: Drawn, dropped: bool) -> tuple[Any, Any]:
    """Its norm is any, but the same before and after."""
    return diameter(s.after, ord=1 if dropped else 2), bounds.contraction_bound(diameter(s.z))


def dobrushin(s: Drawn, dropped: bool) -> tuple[Any, Any]:
    """As the contraction. The package refuses rows of other sums, so the coefficient by itself."""
    tau = np.abs(s.moved[:, :, None, :] - s.moved[:, None, :, :]).sum(axis=-1).max(axis=(1, 2)) / 2
    return diameter(s.after, ord=1 if dropped else 2), tau * diameter(s.z)


def of_pairs(bound: Callable[..., Any]) -> Case:
    def case(s: Drawn, dropped: bool) -> tuple[Any, Any]:
        d = apart(s.z)
        big = d.max(axis=1) if dropped else diameter(s.z)
        return apart(s.after), bound(s.a, LABELS, d_cluster=d, d_all=big)

    return case


def table(s: Drawn, dropped: bool) -> np.ndarray:
    """Largest distances between cells, or (no upper bound) the distances of their centres."""
    if not dropped:
        return cell_distances(s.z, CELLS)
    centres = np.stack([s.z[:, :2].mean(axis=1), s.z[:, 2:4].mean(axis=1), s.z[:, 4]], axis=1)
    return np.linalg.norm(centres[:, :, None] - centres[:, None], axis=-1)


def block_transport(s: Drawn, dropped: bool) -> tuple[Any, Any]:
    claim = bounds.block_transport_bound(s.a, LABELS, cells=CELLS, distances=table(s, dropped))
    return apart(s.after), claim


def block_recursion(s: Drawn, dropped: bool) -> tuple[Any, Any]:
    claim = bounds.block_recursion(s.a, CELLS, distances=table(s, dropped))
    return cell_distances(s.after, CELLS), claim


def block_recursion_linear(s: Drawn, dropped: bool) -> tuple[Any, Any]:
    d = cluster_diameters(s.z, CELLS)
    big = d.max(axis=1) if dropped else diameter(s.z)
    claim = bounds.block_recursion_linear(s.a, CELLS, d_cluster=d, d_all=big)
    return cluster_diameters(s.after, CELLS), claim


def in_one_norm(bound: Callable[..., Any]) -> Case:
    """Prices in the norm that measures, or in a smaller one."""

    def case(s: Drawn, dropped: bool) -> tuple[Any, Any]:
        return apart(s.after), bound(s.a, s.z, LABELS, ord=np.inf if dropped else 2)

    return case


def chi(s: Drawn, dropped: bool) -> tuple[Any, Any]:
    """It is for the Euclidean norm; the sum of coordinates is a greater one."""
    return apart(s.after, ord=1 if dropped else 2), bounds.chi_bound(s.a, s.z, LABELS)


def sharp_total(s: Drawn, dropped: bool) -> tuple[Any, Any]:
    _, big, ranges = sides(s, dropped)
    claim = bounds.sharp_total_bound(big, outside=ranges["outside"], eps_lower=ranges["eps_lower"])
    return apart(s.after), claim


def iteration(s: Drawn, dropped: bool) -> tuple[Any, Any]:
    """Both layers in one range, or only the first in it."""
    d, big, ranges = sides(s, False)
    again = s.other if dropped else s.a
    return apart(again @ s.after), bounds.iteration_bound(d, big, **ranges, steps=2)


def gap(s: Drawn) -> np.ndarray:
    return hull_distance(s.after[:, :2], s.after[:, 2:4])


def separated(s: Drawn, dropped: bool) -> dict[str, Any]:
    """The distance of the hulls, and D of all tokens or of the two clusters alone."""
    big = diameter(s.z[:, :4] if dropped else s.z)
    return {"separation": np.minimum(hull_distance(s.z[:, :2], s.z[:, 2:4]), big), "d_all": big}


def lazy(s: Drawn) -> Drawn:
    """A tenth of the step: little mass leaves, so what is promised of the distance is above 0."""
    return s._replace(a=0.9 * np.eye(5) + 0.1 * s.a, moved=0.9 * np.eye(5) + 0.1 * s.moved)


def separation(s: Drawn, dropped: bool) -> tuple[Any, Any]:
    s = lazy(s)
    leaks = {"mass_g": s.a[:, :2, 2:], "mass_h": s.a[:, 2:4][:, :, [0, 1, 4]]}
    masses = {name: np.minimum(1.0, each.sum(axis=2).max(axis=1)) for name, each in leaks.items()}
    return -gap(s), -bounds.separation_bound(**separated(s, dropped), **masses)


def separation_dobrushin(s: Drawn, dropped: bool) -> tuple[Any, Any]:
    s = lazy(s)
    return -gap(s), -bounds.separation_dobrushin_bound(s.a, LABELS, **separated(s, dropped))


def softmax_step(s: Drawn, dropped: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Softmax rows of the logits z B z', and beta: the norm of B, or its smallest singular value."""
    a = attention_weights(s.z, s.maps, np.broadcast_to(np.eye(2), s.maps.shape), scale=1.0)
    return a, a @ s.z, norms(s.maps, dropped)[:, 0]


def cubic(s: Drawn, dropped: bool) -> tuple[Any, Any]:
    small = s._replace(z=s.z / 4)
    _, after, beta = softmax_step(small, dropped)
    return diameter(after), bounds.cubic_bound(diameter(small.z), beta=beta)


def cluster_cubic(s: Drawn, dropped: bool) -> tuple[Any, Any]:
    _, after, beta = softmax_step(s, dropped)
    return apart(after), bounds.cluster_cubic_bound(apart(s.z), diameter(s.z), beta=beta[:, None])


def softmax_cluster(s: Drawn, dropped: bool) -> tuple[Any, Any]:
    """The outside mass of the row that gives most away, or of the one that gives least."""
    a, after, beta = softmax_step(s, False)
    leaks = np.stack([a[:, :2, 2:].sum(axis=2), a[:, 2:4][:, :, [0, 1, 4]].sum(axis=2)], axis=1)
    mass = np.minimum(1.0, leaks.min(axis=2) if dropped else leaks.max(axis=2))
    big = diameter(s.z)
    return apart(after), bounds.softmax_cluster_bound(apart(s.z), big, beta=beta[:, None], mass=mass)


def norms(maps: np.ndarray, dropped: bool) -> np.ndarray:
    """The operator norm, or the smallest singular value, ``(b, 1)``."""
    values = np.linalg.svd(maps, compute_uv=False)
    return values[:, 1:] if dropped else values[:, :1]


def value_matrix(s: Drawn, dropped: bool) -> tuple[Any, Any]:
    claim = bounds.value_matrix_bound(apart(s.after), norm=norms(s.maps, dropped))
    return apart(s.after @ s.maps), claim


def multi_head(s: Drawn, dropped: bool) -> tuple[Any, Any]:
    """Every head, or all but the last."""
    heads = np.stack([apart(s.after), apart(s.other @ s.z)], axis=1)[:, : 1 if dropped else 2]
    claim = bounds.multi_head_bound(heads, norms=np.array([1.0, 2.0])[: heads.shape[1]])
    return apart(s.after + 2 * (s.other @ s.z)), claim


def residual(s: Drawn, dropped: bool) -> tuple[Any, Any]:
    d, big, ranges = sides(s, False)
    claim = bounds.residual_bound(d, big, **ranges, norm=norms(s.maps, dropped))
    return apart(s.z + s.after @ s.maps), claim


def convex(s: Drawn, dropped: bool) -> tuple[Any, Any]:
    """A share of the step, or more than the whole: the package refuses it, so the formula by itself."""
    d, big, ranges = sides(s, False)
    low = ranges["outside"] * ranges["eps_lower"]
    high = np.minimum(1.0, ranges["outside"] * ranges["eps_upper"])
    alpha = 3.0 if dropped else 0.75
    return apart((1 - alpha) * s.z + alpha * s.after), (1 - alpha * high) * d + alpha * (high - low) * big


CASES: dict[str, Case] = {
    "contraction": contraction,
    "dobrushin": dobrushin,
    "paper_main": of_ranges(bounds.paper_main_bound),
    "paper_appendix": of_ranges(bounds.paper_appendix_bound),
    "linear": of_ranges(bounds.linear_bound),
    "product": of_ranges(bounds.product_bound),
    "sharp": of_ranges(bounds.sharp_bound),
    "overlap": of_pairs(bounds.overlap_bound),
    "cluster_dobrushin": of_pairs(bounds.cluster_dobrushin_bound),
    "block_transport": block_transport,
    "transport": in_one_norm(bounds.transport_bound),
    "independent": in_one_norm(bounds.independent_bound),
    "star": in_one_norm(bounds.star_bound),
    "chi": chi,
    "sharp_total": sharp_total,
    "certificate": certificate,
    "iteration": iteration,
    "block_recursion": block_recursion,
    "block_recursion_linear": block_recursion_linear,
    "separation": separation,
    "separation_dobrushin": separation_dobrushin,
    "cubic": cubic,
    "cluster_cubic": cluster_cubic,
    "softmax_cluster": softmax_cluster,
    "value_matrix": value_matrix,
    "multi_head": multi_head,
    "residual": residual,
    "convex": convex,
}
