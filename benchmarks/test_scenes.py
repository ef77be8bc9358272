"""Scenes per second on one core (the generator is single-threaded): 1000 / the mean time in ms x 8."""

from __future__ import annotations

import pytest

from attnclust.data import make_scenes


@pytest.mark.parametrize("size", [224, 384])
def test_scenes(benchmark, size):
    scenes = make_scenes(8, seed=1, size=size)
    scenes[0]  # the noise fields are built once
    benchmark.extra_info["scenes a round"] = len(scenes)
    benchmark(list, scenes)
