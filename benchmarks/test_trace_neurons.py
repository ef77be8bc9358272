"""The closed-form views against the literal recursion with one matrix product a level, in one run, one
thread.

ViT-B/16's shape: 196 patches of 16 x 16 x 3, a class token, 12 levels, one filter (overlay: 768). `python -m
pytest -s benchmarks/test_trace_neurons.py -o addopts=--import-mode=importlib`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import torch

from attnclust.neurons import embedding_view, neuron_view, rollout

LEVELS, TOKENS, PATCHES, FILTERS = 12, 197, 196, 768


@pytest.fixture(scope="module")
def setting() -> dict[str, Any]:
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    maps = torch.randn(LEVELS, TOKENS, TOKENS, generator=generator).softmax(dim=-1)
    image = torch.randn(3, 224, 224, generator=generator)
    filters = torch.randn(FILTERS, 3, 16, 16, generator=generator)
    return {"maps": maps, "image": image, "filters": filters, "rollout": rollout(maps)}


def literal(setting: dict[str, Any]) -> torch.Tensor:
    """All tokens' pictures of one filter, level after level."""
    zero = torch.zeros(PATCHES, 3, 14, 16, 14, 16)
    products = setting["image"].reshape(3, 14, 16, 14, 16) * setting["filters"][0][:, None, :, None, :]
    for patch in range(PATCHES):
        row, column = divmod(patch, 14)
        zero[patch, :, row, :, column] = products[:, row, :, column]
    pictures = setting["maps"][0][:, 1:] @ zero.flatten(1)
    for attention in setting["maps"][1:]:
        pictures = attention @ pictures
    return pictures


def fastest(function: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


@pytest.fixture(scope="module")
def recursion_s(setting: dict[str, Any]) -> float:
    return fastest(lambda: literal(setting), 3)


def record(benchmark: Any, other: float) -> None:
    benchmark.extra_info["other_s"] = other
    benchmark.extra_info["times_faster"] = other / benchmark.stats.stats.min
    ours = benchmark.stats.stats.min
    print(f"\n{benchmark.name}: {other / ours:,.0f} times faster, {ours * 1e3:.3f} ms against {other:.3f} s")


def test_all_rollouts(benchmark: Any, setting: dict[str, Any], recursion_s: float) -> None:
    benchmark(rollout, setting["maps"])
    record(benchmark, recursion_s)


def test_last_level_of_all_tokens(benchmark: Any, setting: dict[str, Any], recursion_s: float) -> None:
    out = torch.zeros(TOKENS, 3, 224, 224)
    arrays = [setting[name] for name in ("image", "filters", "rollout")]
    benchmark(neuron_view, *arrays, level=12, token=None, neuron=0, out=out)
    expected = literal(setting)
    assert float((out.flatten(1) - expected.reshape(TOKENS, -1)).abs().max()) < 1e-5
    record(benchmark, recursion_s)


def test_one_view(benchmark: Any, setting: dict[str, Any], recursion_s: float) -> None:
    arrays = [setting[name] for name in ("image", "filters", "rollout")]
    benchmark(neuron_view, *arrays, level=12, token=5, neuron=0)
    record(benchmark, recursion_s)


@pytest.mark.parametrize("overlay", ["sum", "mean", "max", "l2"])
def test_overlay_of_all_filters(benchmark: Any, setting: dict[str, Any], overlay: str) -> None:
    """Against stacking the 768 views, each from the roll-out too, and overlaying the stack."""
    arrays = [setting[name] for name in ("image", "filters", "rollout")]

    def stacked() -> torch.Tensor:
        views = [neuron_view(*arrays, level=12, token=5, neuron=neuron) for neuron in range(FILTERS)]
        stack = torch.stack(views)
        if overlay == "l2":
            return stack.square().sum(dim=0).sqrt()
        return stack.amax(dim=0) if overlay == "max" else getattr(stack, overlay)(dim=0)

    benchmark(embedding_view, *arrays, level=12, token=5, overlay=overlay)
    record(benchmark, fastest(stacked, 3))
