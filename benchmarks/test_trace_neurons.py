"""The closed-form views against the literal recursion with one matrix product a level, in one run, one
thread.

ViT-B/16's shape: 196 patches of 16 x 16 x 3, a class token, 12 levels, one filter (overlay: 768). Both sides
take turns, and their medians are compared. A test fails below half of what it aims at. `python -m pytest -s
benchmarks/test_trace_neurons.py -o addopts=--import-mode=importlib`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import pytest
import torch

from attnclust.neurons import embedding_view, neuron_view, rollout

LEVELS, TOKENS, PATCHES, FILTERS = 12, 197, 196, 768
ROUNDS, OURS_A_ROUND = 5, 20


@pytest.fixture(scope="module")
def setting() -> dict[str, Any]:
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    maps = torch.randn(LEVELS, TOKENS, TOKENS, generator=generator).softmax(dim=-1)
    image = torch.randn(3, 224, 224, generator=generator)
    filters = torch.randn(FILTERS, 3, 16, 16, generator=generator)
    return {"maps": maps, "image": image, "filters": filters, "rollout": rollout(maps)}


def arrays(setting: dict[str, Any]) -> list[torch.Tensor]:
    return [setting[name] for name in ("image", "filters", "rollout")]


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


def seconds(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def race(name: str, ours: Callable[[], object], theirs: Callable[[], object], *, aim: int) -> None:
    """Let both run in turns; print how many times faster ours is, and fail below half the aim."""
    ours(), theirs()
    fast, slow = [], []
    for _ in range(ROUNDS):
        slow.append(seconds(theirs))
        fast += [seconds(ours) for _ in range(OURS_A_ROUND)]
    ratio = median(slow) / median(fast)
    print(
        f"\n{name}: {ratio:,.0f} times faster (aim {aim:,}), {median(fast) * 1e3:.3f} ms against "
        f"{median(slow):.3f} s"
    )
    assert ratio >= aim / 2


def test_all_rollouts(setting: dict[str, Any]) -> None:
    race("all roll-outs", lambda: rollout(setting["maps"]), lambda: literal(setting), aim=400)


def test_last_level_of_all_tokens(setting: dict[str, Any]) -> None:
    out = torch.zeros(TOKENS, 3, 224, 224)

    def ours() -> None:
        neuron_view(*arrays(setting), level=12, token=None, neuron=0, out=out)

    ours()
    expected = literal(setting)
    assert float((out.flatten(1) - expected.reshape(TOKENS, -1)).abs().max()) < 1e-5
    # Writing these 118 MB takes most of the time: no program can be faster than filling them with zeros.
    zeros = median(seconds(out.zero_) for _ in range(OURS_A_ROUND))
    print(f"\nfilling the same array with zeros: {zeros * 1e3:.3f} ms")
    race("last level of all tokens", ours, lambda: literal(setting), aim=150)


def test_one_view(setting: dict[str, Any]) -> None:
    def ours() -> None:
        neuron_view(*arrays(setting), level=12, token=5, neuron=0)

    race("one view", ours, lambda: literal(setting), aim=5000)


@pytest.mark.parametrize("overlay", ["sum", "mean", "max", "l2"])
def test_overlay_of_all_filters(setting: dict[str, Any], overlay: str) -> None:
    """Against stacking the 768 views, each from the roll-out too, and overlaying the stack."""

    def stacked() -> torch.Tensor:
        options: dict[str, Any] = {"level": 12, "token": 5}
        stack = torch.stack(
            [neuron_view(*arrays(setting), **options, neuron=neuron) for neuron in range(FILTERS)]
        )
        if overlay == "l2":
            return stack.square().sum(dim=0).sqrt()
        return stack.amax(dim=0) if overlay == "max" else getattr(stack, overlay)(dim=0)

    def ours() -> torch.Tensor:
        return embedding_view(*arrays(setting), level=12, token=5, overlay=overlay)

    assert float((ours() - stacked()).abs().max()) < 1e-3
    race(f"overlay by {overlay}", ours, stacked, aim=1500)
