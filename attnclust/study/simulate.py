"""What the theory looks like: simulated layers, measured. Depends on the seed alone, not on the images."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from attnclust.attention import causal_mask, draw_weights, simulate
from attnclust.bounds import softmax_beta
from attnclust.geometry import cluster_diameters, diameter
from attnclust.records import to_table, write_table
from attnclust.watch import Watch, watch

Rows = dict[str, list[dict[str, Any]]]

RUNS = 32
"""Drawn starts of every curve."""
CLUSTERS, MEMBERS = 3, 8
LABELS = np.repeat(np.arange(CLUSTERS), MEMBERS)
STEPS, SLOW_STEPS = 12, 24
EMERGENCE_STEPS = 128

PLANE = np.array([[1, -1, 0], [1, 1, -2]]) / np.sqrt([[2], [6]])
"""Rows span the plane of sum 0 in three coordinates, where LayerNorm is the projection to a circle."""

VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "simplified layer": {},
    "W_V = 2I": {"w_v": 2 * np.eye(3)},
    "residual": {"residual": True},
    "LayerNorm": {"norm": "layernorm"},
    "residual + LayerNorm": {"residual": True, "norm": "layernorm"},
    "causal mask": {"mask": causal_mask(len(LABELS))},
}
"""What is changed about the layer, one thing at a time, and both halves of a transformer's block."""

TEMPERATURES = np.linspace(-1, 3, 21)
"""Decimal logarithm of beta D^2."""
SPREADS = np.linspace(-2, 0.5, 16)
"""Decimal logarithm of a cluster's diameter over the distance between the centres of two."""
PHASE_RUNS = 24
CERTIFYING = ("sharp", "cluster_dobrushin")


def write_simulations(folder: Path, *, seed: int) -> None:
    """Simulate, and write the tables to `folder`, over those of an earlier try."""
    for name, rows in simulation_rows(seed).items():
        write_table(folder, name, to_table(name, rows))


@functools.lru_cache(maxsize=1)  # studies of one process mostly share their seed
def simulation_rows(seed: int) -> Rows:
    """All tables of simulations: ``simulated_curves``, ``_tokens``, ``_phases`` and ``_checks``.

    The same seed gives the same rows, which are not to be changed.
    """
    parts = (_variants, _ladder, _stages, _emergence, _phases)
    rows: Rows = {f"simulated_{name}": [] for name in ("curves", "tokens", "phases", "checks")}
    for index, part in enumerate(parts):
        for name, found in part(np.random.default_rng([seed, index])).items():
            rows[f"simulated_{name}"] += found
    return rows


def _variants(rng: np.random.Generator) -> Rows:
    """The same starts and queries under every kind of layer."""
    start = _triangle(rng, spread=0.25) @ PLANE
    rows: Rows = {"curves": [], "tokens": []}
    for name, options in VARIANTS.items():
        got = simulate(start, np.eye(3), np.eye(3), steps=STEPS, scale=4, **options)
        seen = watch(got, LABELS, rungs=(), angles=False, radius=None)
        rows["curves"] += _curve("variants", name, "raw_diameter", seen.raw.mean(axis=-1))
        rows["curves"] += _curve("variants", name, "relative_diameter", seen.relative.mean(axis=-1))
        rows["tokens"] += _places("variants", name, got.tokens[:9, 0] @ PLANE.T)
    return rows


def _ladder(rng: np.random.Generator) -> Rows:
    """Every rung composed over depth, beside what happens."""
    got = simulate(_triangle(rng, spread=0.25), np.eye(2), np.eye(2), steps=STEPS, scale=2.3)
    seen = watch(got, LABELS, angles=False, radius=None)
    rows: Rows = {"curves": [], "checks": _checks("ladder", seen)}
    for name, diameters in ({"measured": seen.raw} | dict(seen.composed)).items():
        share = (diameters / seen.raw[0]).mean(axis=-1)
        rows["curves"] += _curve("ladder", name, "share_of_start", share)
    return rows


def _stages(rng: np.random.Generator) -> Rows:
    """Collapse within clusters and between them, of the simplified layer."""
    start = _triangle(rng, spread=0.2)
    got = simulate(start, np.eye(2), np.eye(2), steps=SLOW_STEPS, scale=3.5)
    seen = watch(got, LABELS, rungs=("cluster_dobrushin",), angles=False, radius=0.05, hulls=True)
    least = seen.separation.min(axis=(-1, -2))
    rows: Rows = {"curves": [], "tokens": [], "checks": _checks("stages", seen)}
    for name, quantity, values in (
        ("within clusters", "diameter", seen.raw.max(axis=-1)),
        ("between clusters", "diameter", least),
        ("number of clusters", "count", seen.clusters_found),
        ("Dunn ratio", "dunn", seen.dunn),
    ):
        rows["curves"] += _curve("stages", name, quantity, values)
    rows["tokens"] += _places("stages", "simplified layer", got.tokens[:, 0])
    return rows


def _emergence(rng: np.random.Generator) -> Rows:
    """Random tokens on the sphere, with a residual: how many clusters chains of tokens form."""
    points = rng.normal(size=(RUNS, 32, 3))
    points /= np.linalg.norm(points, axis=-1, keepdims=True)
    rows: Rows = {"curves": []}
    for beta in (1, 4, 16):
        got = simulate(
            points,
            np.eye(3),
            np.eye(3),
            steps=EMERGENCE_STEPS,
            scale=beta,
            residual=True,
            step_size=0.5,
            norm="sphere",
        )
        found = watch(got, np.zeros(32, int), rungs=(), angles=False, radius=0.05).clusters_found
        rows["curves"] += _curve("emergence", f"β = {beta}", "count", found)
    return rows


def _phases(rng: np.random.Generator) -> Rows:
    """One step of drawn weights, for clusters of every spread at every temperature: which shrink, and which
    are certain to.
    """
    runs, d = len(TEMPERATURES) * PHASE_RUNS, 8
    labels = np.repeat([0, 1], MEMBERS)
    rows: Rows = {"phases": [], "checks": []}
    for spread in SPREADS:
        centres = rng.normal(size=(runs, 2, d))
        centres /= np.linalg.norm(centres[:, 0] - centres[:, 1], axis=-1)[:, None, None]
        noise = rng.normal(size=(runs, len(labels), d))
        noise /= cluster_diameters(noise, labels)[:, labels, None]
        tokens = centres[:, labels] + 10**spread * noise
        w_q, w_k, _ = draw_weights("gaussian", d, generator=rng, batch=(runs,))
        wanted = 10 ** np.repeat(TEMPERATURES, PHASE_RUNS)
        w_q = w_q * (wanted / (softmax_beta(w_q, w_k) * diameter(tokens) ** 2))[:, None, None]
        got = simulate(tokens, w_q, w_k, steps=1)
        seen = watch(got, labels, rungs=CERTIFYING, angles=False, radius=None)
        shrinks = seen.stepped < seen.raw[:-1] - seen.tolerance[..., None]
        for quantity, verdicts in ({"shrinks": shrinks} | dict(seen.certified)).items():
            shares = verdicts[0].reshape(len(TEMPERATURES), -1)
            rows["phases"] += [
                {
                    "temperature": float(10**at),
                    "spread": float(10**spread),
                    "quantity": quantity,
                    "share": float(share.mean()),
                    "clusters": len(share),
                }
                for at, share in zip(TEMPERATURES, shares, strict=True)
            ]
        rows["checks"] += _checks("phases", seen)
    return rows


def _triangle(rng: np.random.Generator, *, spread: float) -> Float[np.ndarray, "runs n 2"]:
    """Three clusters in the plane around the corners of a triangle."""
    angle = 2 * np.pi * np.arange(CLUSTERS) / CLUSTERS + np.pi / 2
    corners = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return corners[LABELS] + spread * rng.normal(size=(RUNS, len(LABELS), 2))


def _curve(
    experiment: str,
    series: str,
    quantity: str,
    values: Float[np.ndarray, "levels runs"] | Int[np.ndarray, "levels runs"],
) -> list[dict[str, Any]]:
    """Median and middle 80 % over runs, level by level."""
    low, middle, high = np.quantile(values, (0.1, 0.5, 0.9), axis=1, method="inverted_cdf")
    return [
        {
            "experiment": experiment,
            "series": series,
            "quantity": quantity,
            "level": level,
            "median": float(middle[level]),
            "low": float(low[level]),
            "high": float(high[level]),
            "runs": values.shape[1],
        }
        for level in range(len(values))
    ]


def _places(experiment: str, series: str, tokens: Float[np.ndarray, "levels n 2"]) -> list[dict[str, Any]]:
    """Where the tokens of one run stand, level by level."""
    return [
        {
            "experiment": experiment,
            "series": series,
            "level": level,
            "token": token,
            "cluster": int(LABELS[token]),
            "x": float(x),
            "y": float(y),
        }
        for level, places in enumerate(tokens)
        for token, (x, y) in enumerate(places)
    ]


def _checks(experiment: str, seen: Watch) -> list[dict[str, Any]]:
    """How often each rung was held against what happened, by step and composed, and how often it failed."""
    return [
        {
            "experiment": experiment,
            "rung": rung,
            "form": form,
            "checked": int(held[rung].size),
            "violations": int((~held[rung]).sum()),
        }
        for rung in seen.bounds
        for form, held in (("step", seen.holds), ("composed", seen.composed_holds))
    ]
