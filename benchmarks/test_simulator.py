"""Speed of the simulator: 10,000 trajectories of 32 tokens x 16 dimensions x 12 steps with diameters, ranges
and the sharp bound, against loops over single runs.

``OMP_NUM_THREADS=1 pytest -s -o addopts= --import-mode=importlib benchmarks/test_simulator.py``: without the
shape checks of the tests, which cost the loops most. Processor time of one process and one thread, the sides
alternating. Every run costs the same, so the loops are timed on a sample of the runs and scaled to all; the
batch is timed whole. Ratios are printed and kept in ``extra_info``; nothing here is asserted about time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from attnclust.attention import attend, attention_weights, draw_weights, simulate
from attnclust.bounds import cross_attention, sharp_bound
from attnclust.geometry import cluster_diameters, diameter
from attnclust.watch import watch

RUNS, TOKENS, DIMENSIONS, STEPS = 10_000, 32, 16, 12
SAMPLE, ROUNDS, CHUNK = 100, 3, 100
LABELS = np.repeat(np.arange(4), TOKENS // 4)


def batched(z: np.ndarray, w_q: np.ndarray, w_k: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Diameters at every level, and the sharp bound at every step, of all runs."""
    parts = []
    for first in range(0, len(z), CHUNK):  # what is kept of a run is a few numbers; its attention need not be
        got = simulate(z[first : first + CHUNK], w_q, w_k, steps=STEPS)
        seen = watch(got, LABELS, rungs="sharp", angles=False, radius=None)
        parts.append((seen.raw, seen.bounds["sharp"]))
    raw, sharp = zip(*parts, strict=True)
    return np.concatenate(raw, axis=1), np.concatenate(sharp, axis=1)


def step_by_step(z: np.ndarray, w_q: np.ndarray, w_k: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same of one run at a time, one step at a time: what a user writes without the simulator."""
    raw = np.empty((STEPS + 1, len(z), 4))
    sharp = np.empty((STEPS, len(z), 4))
    for run, tokens in enumerate(z):
        raw[0, run] = cluster_diameters(tokens, LABELS)
        for step in range(STEPS):
            weights = attention_weights(tokens, w_q, w_k)
            ranges = cross_attention(weights, LABELS)
            sharp[step, run] = sharp_bound(raw[step, run], diameter(tokens), **ranges._asdict())
            tokens = attend(weights, tokens)
            raw[step + 1, run] = cluster_diameters(tokens, LABELS)
    return raw, sharp


def run_by_run(z: np.ndarray, w_q: np.ndarray, w_k: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The simulator itself, one run at a time."""
    seen = [batched(tokens[None], w_q, w_k) for tokens in z]
    return tuple(np.concatenate(each, axis=1) for each in zip(*seen, strict=True))


def test_ten_thousand_trajectories(benchmark: Any) -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=(RUNS, TOKENS, DIMENSIONS))
    w_q, w_k, _ = draw_weights("gaussian", DIMENSIONS, generator=rng)
    loops: dict[str, Callable[..., Any]] = {"step by step": step_by_step, "run by run": run_by_run}
    whole = batched(z, w_q, w_k)
    for loop in loops.values():
        for ours, theirs in zip(whole, loop(z[:SAMPLE], w_q, w_k), strict=True):
            np.testing.assert_allclose(ours[:, :SAMPLE], theirs, rtol=1e-8, atol=1e-12)
    seconds: dict[str, list[float]] = {"batched": [], **{name: [] for name in loops}}
    for _ in range(ROUNDS):
        for name, function, runs in [("batched", batched, RUNS)] + [(n, f, SAMPLE) for n, f in loops.items()]:
            start = time.process_time()
            function(z[:runs], w_q, w_k)
            seconds[name].append((time.process_time() - start) * RUNS / runs)
    median = {name: float(np.median(times)) for name, times in seconds.items()}
    benchmark.extra_info.update(median)
    benchmark.pedantic(batched, args=(z[:SAMPLE], w_q, w_k), rounds=1)
    print()
    for name, value in median.items():
        print(f"{name}: {value:.1f} s for {RUNS:,} runs, {value / median['batched']:.1f} times the batch")
