"""Time of 8 scenes on one core; the generator has one thread.

Run it without the type checks that the tests add, which more than double the time:
`python -m pytest benchmarks/test_scenes.py -o addopts=--import-mode=importlib`.
"""

from __future__ import annotations

import pytest

from attnclust.data import make_scenes


@pytest.mark.parametrize("size", [224, 384])
def test_scenes(benchmark, size):
    scenes = make_scenes(8, seed=1, size=size)
    scenes[0]  # the noise fields are built once
    benchmark(list, scenes)
