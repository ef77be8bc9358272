"""Every theorem holds on drawn steps, steered towards its worst case; the worst ratio goes to the JUnit
properties.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings, target

from attnclust.bounds import THEOREMS
from attnclust.testing import CHECKS, SLOW, Recipe, assert_bound, draw_steps, recipes

FAST = sorted(set(CHECKS) - SLOW)


def run(label: str, *, batch: int, max_n: int, share: float, record: Callable[[str, object], None]) -> None:
    """`share` of the profile's examples, each a batch of cases."""
    worst, cases = 0.0, 0

    @settings(max_examples=round(share * settings().max_examples))
    @given(recipes(batch=batch, max_n=max_n))
    def holds(recipe: Recipe) -> None:
        nonlocal worst, cases
        check = CHECKS[label](draw_steps(recipe))
        ratios = assert_bound(check.measured, check.bound, tolerance=check.tolerance, label=label)
        ratio = float(ratios.max(initial=0.0))
        target(ratio, label="measured / bound")
        worst, cases = max(worst, ratio), cases + recipe.batch

    holds()
    assert 0 < worst <= 1 + 1e-6, "nothing was resolved, or a violation slipped through the tolerance"
    record("worst_ratio", worst)
    record("cases", cases)


@pytest.mark.parametrize("label", FAST)
def test_it_holds(label: str, record_property: Callable[[str, object], None]) -> None:
    run(label, batch=64, max_n=11, share=0.4, record=record_property)


@pytest.mark.parametrize("label", sorted(SLOW))
def test_it_holds_where_problems_are_solved_one_by_one(
    label: str, record_property: Callable[[str, object], None]
) -> None:
    run(label, batch=3, max_n=6, share=0.3, record=record_property)


def test_every_theorem_is_checked() -> None:
    assert set(CHECKS) == set(THEOREMS)
