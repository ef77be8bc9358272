"""Time of a trace against the same model's plain forward, the two taking turns in one run.

`python -m pytest benchmarks/test_trace.py -o addopts=--import-mode=importlib` (without the type checks that
tests add). `ratio` under extra_info in the JSON, and on standard output with -s, is fastest trace over
fastest plain forward.
"""

from __future__ import annotations

import time
from typing import Any

import pytest
import timm
import torch

from attnclust.vit import stream, trace

KINDS: dict[str, dict[str, Any]] = {
    "levels": {"attention": None},
    "mean maps and levels": {"attention": "mean"},
    "maps of all heads and levels": {"attention": "heads"},
    "streamed mean maps": {"attention": "mean", "stream": True},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["vit_tiny_patch16_224", "vit_base_patch16_224"])
def test_trace(benchmark: Any, name: str, kind: str) -> None:
    model = timm.create_model(name).eval()
    images = torch.randn(8, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    trace(model, images[:1])  # the check of a new model is done once
    options = dict(KINDS[kind])
    streamed = options.pop("stream", False)
    plain: list[float] = []

    def traced() -> None:
        if streamed:
            for _ in stream(model, images, **options):
                pass
        else:
            trace(model, images, **options)

    def before_each_round() -> None:
        start = time.perf_counter()
        with torch.no_grad():
            model(images)
        plain.append(time.perf_counter() - start)

    benchmark.pedantic(traced, setup=before_each_round, rounds=7, warmup_rounds=1)
    benchmark.extra_info["plain_s"] = min(plain)
    benchmark.extra_info["ratio"] = benchmark.stats.stats.min / min(plain)
    benchmark.extra_info["threads"] = torch.get_num_threads()
    print(f"\n{name}, {kind}: {benchmark.extra_info['ratio']:.3f} of plain {min(plain):.3f} s")
