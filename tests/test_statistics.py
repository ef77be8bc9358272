"""The statistics against SciPy, slow versions of their own, hand-worked examples and simulation."""

from __future__ import annotations

import random
import statistics as stdlib
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from attnclust._array import ArgumentError, ArgumentTypeError
from attnclust.statistics import (
    bootstrap_means,
    detectable_effect,
    holm,
    mean_interval,
    region_p_values,
    spearman,
)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20)


def slow_interval(values: list[float], resamples: int) -> tuple[float, float]:
    """The percentile interval by plain Python: draw, average, sort, cut."""
    draw = random.Random(5)
    means = sorted(stdlib.fmean(draw.choices(values, k=len(values))) for _ in range(resamples))
    return means[round(0.025 * resamples)], means[round(0.975 * resamples)]


def scipy_rho(curve: np.ndarray, order: np.ndarray) -> float:
    result: Any = stats.spearmanr(curve, order)
    return result.statistic


class TestInterval:
    def test_agrees_with_scipy(self, rng: np.random.Generator):
        values = rng.gamma(2.0, size=(31, 5))
        mean, low, high = mean_interval(values)
        theirs = stats.bootstrap(
            (values,), np.mean, n_resamples=10_000, axis=0, method="percentile", rng=np.random.default_rng(1)
        ).confidence_interval
        monte_carlo = 0.06 * values.std(axis=0) / np.sqrt(31) * 2
        assert_allclose(mean, values.mean(axis=0), rtol=1e-12)
        assert (np.abs(low - theirs.low) < monte_carlo).all()
        assert (np.abs(high - theirs.high) < monte_carlo).all()

    def test_agrees_with_a_slow_version(self):
        values = [0.0, 0.1, 0.1, 0.4, 0.7, 0.7, 2.0]
        _, low, high = mean_interval(values)
        slow_low, slow_high = slow_interval(values, 20_000)
        assert float(low) == pytest.approx(slow_low, abs=0.02)
        assert float(high) == pytest.approx(slow_high, abs=0.03)

    def test_two_images_by_hand(self):
        # Half of all resamples hold both, a quarter each holds one twice.
        means = bootstrap_means([0.0, 1.0])
        assert set(means.tolist()) == {0.0, 0.5, 1.0}
        assert (means == 0.5).mean() == pytest.approx(0.5, abs=0.02)
        assert [float(x) for x in mean_interval([0.0, 1.0])] == [0.5, 0.0, 1.0]

    def test_keeps_the_trailing_shape_and_each_entry_apart(self, rng: np.random.Generator):
        values = rng.normal(size=(7, 3, 5))
        together = mean_interval(values)
        assert [part.shape for part in together] == [(3, 5)] * 3
        alone = mean_interval(values[:, 2, 3])
        assert_allclose([part[2, 3] for part in together], alone, rtol=1e-12)

    def test_whole_images_are_resampled(self, rng: np.random.Generator):
        share = rng.random(11)
        means = bootstrap_means(np.stack([share, 1 - share], axis=1))
        assert_allclose(means.sum(axis=1), 1, rtol=1e-12)

    def test_moves_and_stretches_with_its_values(self, rng: np.random.Generator):
        values = rng.normal(size=13)
        base = np.array(mean_interval(values))
        assert_allclose(np.array(mean_interval(3 * values + 7)), 3 * base + 7, rtol=1e-12)

    def test_equal_values_have_exactly_their_own_mean(self):
        assert [float(x) for x in mean_interval([0.1] * 17)] == [pytest.approx(0.1, rel=1e-15)] * 3
        assert len(set(bootstrap_means([0.1] * 17).tolist())) == 1

    @pytest.mark.parametrize(
        ("name", "n", "truth"), [("normal", 32, 0.0), ("exponential", 200, 1.0), ("coin", 100, 0.3)]
    )
    def test_covers_the_truth_as_often_as_it_says(self, name: str, n: int, truth: float):
        rng = np.random.default_rng(3)
        draws = {
            "normal": lambda: rng.normal(size=(n, 1000)),
            "exponential": lambda: rng.exponential(size=(n, 1000)),
            "coin": lambda: (rng.random((n, 1000)) < truth).astype(float),
        }
        _, low, high = mean_interval(draws[name](), resamples=2000)
        # 1000 experiments tell 95 % to about +-1.4 %; the percentile interval is known to be a little short.
        assert 0.92 <= ((low <= truth) & (truth <= high)).mean() <= 0.965

    def test_is_as_wide_as_the_standard_error_says_in_many_blocks_of_draws(self, rng: np.random.Generator):
        values = rng.normal(size=2003)
        _, low, high = mean_interval(values, resamples=4000)
        width = 2 * 1.96 * values.std() / np.sqrt(2003)
        assert float(high - low) == pytest.approx(width, rel=0.06)

    def test_is_deterministic_and_its_seed_matters(self, rng: np.random.Generator):
        values = rng.normal(size=(19, 2))
        first, again, other = (np.array(mean_interval(values, seed=seed)) for seed in (4, 4, 5))
        assert_array_equal(first, again)
        assert (first[1:] != other[1:]).all()
        assert_array_equal(first, np.array(mean_interval(values, seed=np.random.default_rng(4))))

    def test_leaves_missing_images_out_of_that_entry(self, rng: np.random.Generator):
        values = rng.normal(size=(11, 4))
        holed = values.copy()
        holed[[2, 5], 1] = np.nan
        holed[:, 3] = np.nan
        answer = mean_interval(holed)
        assert_array_equal([part[0] for part in answer], [part[0] for part in mean_interval(values)])
        kept = np.delete(values[:, 1], [2, 5])
        assert_array_equal([part[1] for part in answer], np.array(mean_interval(kept)))
        assert np.isnan([part[3] for part in answer]).all()

    @pytest.mark.parametrize(
        ("values", "error", "words"),
        [
            (np.empty((0, 3)), ArgumentError, "at least one image"),
            (0.5, ArgumentError, "at least one image"),
            ([1.0, np.inf], ArgumentError, "infinite"),
            (["a", "b"], ArgumentTypeError, "real numbers"),
            ([[1.0], [1.0, 2.0]], ArgumentTypeError, "real numbers"),
        ],
    )
    def test_refuses(self, values: object, error: type[Exception], words: str):
        with pytest.raises(error, match=words):
            mean_interval(values)

    def test_refuses_too_few_resamples_and_hidden_nans(self):
        with pytest.raises(ArgumentError, match="resamples"):
            mean_interval([1.0, 2.0], resamples=39)
        with pytest.raises(ArgumentError, match="NaN"):
            bootstrap_means([1.0, np.nan])


class TestSpearman:
    def test_agrees_with_scipy_ties_included(self, rng: np.random.Generator):
        curves = rng.integers(0, 5, size=(23, 13)).astype(float)
        order = np.arange(13)
        theirs = [scipy_rho(curve, order) for curve in curves]
        assert_allclose(spearman(curves, order), theirs, rtol=1e-12, atol=1e-12)

    def test_ties_in_the_order(self, rng: np.random.Generator):
        curves = rng.normal(size=(5, 7))
        order = np.array([3, 1, 1, 2, 5, 5, 9])
        assert_allclose(spearman(curves, order), [scipy_rho(curve, order) for curve in curves], rtol=1e-12)

    def test_by_hand(self):
        # Ranks 1 3 2 4 against 1 2 3 4: rho = 1 - 6 (0 + 1 + 1 + 0) / (4 * 15).
        assert_allclose(spearman([[1.0, 30.0, 2.0, 400.0]], [0, 1, 2, 3]), [0.8], rtol=1e-15)

    def test_only_order_matters_and_its_sign(self):
        rises = np.exp(np.arange(13.0))[None]
        assert spearman(np.concatenate([rises, -rises]), np.arange(13)).tolist() == [1.0, -1.0]

    def test_conventions(self):
        answer = spearman([[0.3, 0.3, 0.3], [0.1, np.nan, 0.3], [1.0, 2.0, 3.0]], [0, 1, 2])
        assert_array_equal(answer, [0.0, np.nan, 1.0])
        assert spearman(np.empty((0, 3)), [0, 1, 2]).shape == (0,)

    @pytest.mark.parametrize(
        ("curves", "against"),
        [([1.0, 2.0], [0, 1]), ([[1.0, 2.0]], [0, 1, 2]), ([[1.0, 2.0]], [1, 1]), ([[1.0]], [0])],
    )
    def test_refuses(self, curves: object, against: object):
        with pytest.raises(ArgumentError):
            spearman(curves, against)


class TestHolm:
    def test_by_hand(self):
        # Sorted 0.005 0.01 0.03 0.04, times 4 3 2 1: 0.02 0.03 0.06 0.04, and 0.04 is raised to 0.06.
        assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02], rtol=1e-12)

    def test_is_capped_and_takes_none_and_one(self):
        assert holm([0.6, 0.7]).tolist() == [1.0, 1.0]
        assert holm([0.04]).tolist() == [0.04]
        assert holm([]).tolist() == []

    def test_decides_as_the_step_down_procedure_does(self, rng: np.random.Generator):
        for _ in range(200):
            p = rng.random(6) ** 3
            rejected = np.zeros(6, dtype=bool)
            for position, index in enumerate(np.argsort(p)):
                if p[index] > 0.05 / (6 - position):
                    break
                rejected[index] = True
            assert_array_equal(holm(p) <= 0.05, rejected)

    def test_keeps_the_family_wise_error(self, rng: np.random.Generator):
        false_alarms = [bool((holm(rng.random(17)) <= 0.05).any()) for _ in range(4000)]
        assert np.mean(false_alarms) == pytest.approx(0.05, abs=0.012)

    @pytest.mark.parametrize("p_values", [[0.1, 1.2], [-0.1], [np.nan], [[0.1]]])
    def test_refuses(self, p_values: object):
        with pytest.raises(ArgumentError, match="p_values"):
            holm(p_values)


class TestRegion:
    def test_by_hand(self):
        means = np.arange(1.0, 100.0)  # 99 resamples; three of them at most 3, one of them at least 99
        assert region_p_values(means, images=30, low=3) == (pytest.approx(2 * 4 / 100), 1.0)
        assert region_p_values(means, images=30, high=99) == (pytest.approx(2 * 2 / 100), 1.0)
        assert region_p_values(means, images=30, low=3, high=99) == (pytest.approx(2 * 4 / 100), 1.0)
        assert region_p_values(means, images=30, low=98) == (1.0, pytest.approx(2 * 3 / 100))
        assert region_p_values(means, images=30, low=-9, high=1.5) == (1.0, pytest.approx(2 * 2 / 100))
        assert region_p_values(means, images=30, low=200, high=300) == (1.0, pytest.approx(2 * 1 / 100))

    def test_a_small_p_value_keeps_the_interval_on_its_side(self, rng: np.random.Generator):
        decided = 0
        for _ in range(300):
            means = bootstrap_means(
                rng.normal(rng.uniform(-0.1, 0.2), 0.05, size=20), seed=rng, resamples=400
            )
            low, high = np.quantile(means, [0.025, 0.975])
            inside, outside = region_p_values(means, images=20, low=0, high=0.1)
            decided += (inside <= 0.05) + (outside <= 0.05)
            assert inside > 0.05 or (low > 0 and high < 0.1)
            assert outside > 0.05 or low > 0.1 or high < 0
        assert 200 < decided < 300

    def test_a_mean_on_the_limit_is_on_neither_side(self):
        assert region_p_values(bootstrap_means(np.zeros(20)), images=20, low=0) == (1.0, 1.0)

    def test_rounding_puts_no_mean_past_a_limit(self):
        # Means of 0.1 and 0.3 are 0.2 wherever both are drawn alike, whatever the last bit says.
        means = bootstrap_means([0.1, 0.3] * 15)
        inside, _ = region_p_values(means, images=30, low=0.2)
        _, outside = region_p_values(means, images=30, high=0.2)
        above, tied = (means > 0.2 + 1e-9).sum(), (np.abs(means - 0.2) < 1e-9).sum()
        assert tied > 1000
        assert inside == min(1, 2 * (10_001 - above) / 10_001)
        assert outside == min(1, 2 * (above + tied + 1) / 10_001)

    def test_a_mean_one_bit_past_a_limit_is_on_it(self):
        above, below = (np.full(99, np.nextafter(0.2, side)) for side in (1, 0))
        assert region_p_values(above, images=30, low=0.2) == (1.0, 1.0)
        assert region_p_values(below, images=30, low=0.2) == (1.0, 1.0)
        assert region_p_values(above, images=30, high=0.2) == (1.0, 1.0)
        assert region_p_values(below, images=30, high=0.2) == (1.0, 1.0)

    @pytest.mark.parametrize(("n", "least"), [(1, 1.0), (2, 0.5), (5, 0.0625), (8, 0.0078125)])
    def test_few_images_carry_little_evidence(self, n: int, least: float):
        inside, _ = region_p_values(bootstrap_means(np.full(n, 0.9)), images=n, low=0)
        assert inside == least

    def test_seldom_decides_where_the_truth_lies_on_the_limit(self):
        values = np.random.default_rng(8).normal(size=(32, 1000))
        means = bootstrap_means(values, resamples=2000)
        wrong = [min(region_p_values(mean, images=32, low=0)) <= 0.05 for mean in means.T]
        assert 0.03 <= np.mean(wrong) <= 0.08

    def test_refuses(self):
        with pytest.raises(ArgumentError, match="low"):
            region_p_values(np.zeros(9), images=9, low=1, high=1)
        with pytest.raises(ArgumentError, match="images"):
            region_p_values(np.zeros(9), images=0, low=0)


class TestPower:
    def test_by_hand(self):
        # s = 2 sqrt(16 / 15) over 16 images; 1.959964 + 0.841621.
        assert detectable_effect([-2.0, 2.0] * 8) == pytest.approx(2.801585 * 2 / np.sqrt(15), rel=1e-6)
        assert np.isnan(detectable_effect([1.0]))
        assert detectable_effect([3.0, 3.0]) == 0

    def test_the_effect_it_names_is_found_as_often_as_it_says(self):
        rng = np.random.default_rng(9)
        effect = detectable_effect(rng.normal(size=100_000)) * np.sqrt(100_000 / 50)
        means = bootstrap_means(rng.normal(effect, 1, size=(50, 1000)), resamples=2000)
        found = [region_p_values(mean, images=50, low=0)[0] <= 0.05 for mean in means.T]
        assert np.mean(found) == pytest.approx(0.8, abs=0.04)

    @pytest.mark.parametrize("options", [{"level": 0}, {"level": 1.0}, {"power": 1}])
    def test_refuses(self, options: dict[str, float]):
        with pytest.raises(ArgumentError):
            detectable_effect([1.0, 2.0], **options)
