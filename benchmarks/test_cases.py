"""How many drawn steps a second the property checks go through, the drawing included.

`OMP_NUM_THREADS=1 pytest benchmarks/test_cases.py -s -o addopts=--import-mode=importlib` (without the type
checks that tests add). Processor time, all kinds of attention and tokens in turn.
"""

from __future__ import annotations

import itertools
import time
from typing import Any

import pytest

from attnclust.testing import ATTENTION_KINDS, CHECKS, SLOW, TOKEN_KINDS, Recipe, draw_steps

KINDS = list(itertools.product(ATTENTION_KINDS, TOKEN_KINDS))


@pytest.mark.parametrize("label", CHECKS)
def test_cases_a_second(benchmark: Any, label: str) -> None:
    """A cheap check takes at least 800 drawn cases a second; seven times as many were measured."""

    def volume() -> int:
        cases = 0
        for seed, (attention, tokens) in enumerate(KINDS):
            steps = draw_steps(Recipe(seed=seed, attention=attention, tokens=tokens, outsider=True))
            CHECKS[label](steps)
            cases += len(steps.attention)
        return cases

    volume()
    start = time.process_time()
    cases = benchmark.pedantic(volume, rounds=1)
    rate = cases / (time.process_time() - start)
    benchmark.extra_info.update(cases_a_second=rate)
    print(f"\n{label}: {rate:,.0f} cases a second{' (dear)' if label in SLOW else ''}")
    assert label in SLOW or rate > 800
