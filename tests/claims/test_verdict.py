"""The rule itself: correction, few images, order, determinism, rows and refusals."""

from __future__ import annotations

import numpy as np
import pytest

from attnclust._array import ArgumentError, ArgumentTypeError
from attnclust.claims import VERDICTS, judge
from attnclust.claims._verdict import Sampled, settle
from attnclust.records import TABLES, to_table
from attnclust.statistics import bootstrap_means, holm, mean_interval, region_p_values

from .planted import curves, either, predictions, steps, table, trend, verdicts, whole


def evidence(values: np.ndarray, *, row: str = "4", low: float = 0) -> Sampled:
    return Sampled(row, 4, "It rises.", "The trend", values, low=low)


@pytest.fixture
def weak() -> np.ndarray:
    """Twenty images whose mean lies above 0 by itself, though not in company."""
    values = np.random.default_rng(2).normal(size=20)
    return (values - values.mean()) / values.std() + 0.6


class TestRule:
    def test_alone_and_in_company(self, weak: np.ndarray):
        alone = settle([evidence(weak)], subject="model")[0]
        company = [evidence(weak - weak.mean(), row=str(row)) for row in range(5, 14)]
        beside = settle([evidence(weak), *company], subject="model")[0]
        assert (alone.verdict, beside.verdict) == ("supported", "undecided")
        assert (beside.value, beside.ci_low) == (alone.value, pytest.approx(alone.ci_low, rel=1e-12))
        assert "corrected for the 10 rows of this run" in beside.sentence

    def test_the_effect_that_could_be_found_is_that_of_the_corrected_level(self, weak: np.ndarray):
        # s = sqrt(20 / 19) over 20 images; level 0.05 / 10: z = 2.807034 and 0.841621.
        company = [evidence(weak - weak.mean(), row=str(row)) for row in range(5, 14)]
        beside = settle([evidence(weak), *company], subject="model")[0]
        assert f"a mean {(2.807034 + 0.841621) / np.sqrt(19):.3g} beyond the limit" in beside.sentence

    def test_what_is_not_measured_costs_the_others_nothing(self, weak: np.ndarray):
        empty = [evidence(np.empty(0), row=str(row)) for row in range(5, 14)]
        claims = settle([*empty, evidence(weak)], subject="model")
        assert [claim.verdict for claim in claims] == ["not measured"] * 9 + ["supported"]

    def test_p_values_and_intervals_are_those_of_the_statistics(self):
        rng = np.random.default_rng(6)
        values = [rng.normal(mean, 1, size=n) for mean, n in ((0.5, 21), (-0.4, 32), (0.1, 21))]
        claims = settle([evidence(value) for value in values], subject="model", seed=3)
        p = holm([min(region_p_values(bootstrap_means(v, seed=3), images=v.size, low=0)) for v in values])
        assert [claim.p_value for claim in claims] == pytest.approx(p.tolist(), rel=1e-12)
        for claim, value in zip(claims, values, strict=True):
            expected = [float(part) for part in mean_interval(value, seed=3)]
            assert [claim.value, claim.ci_low, claim.ci_high] == pytest.approx(expected, rel=1e-12)

    def test_a_decided_row_has_its_interval_on_that_side(self):
        rng = np.random.default_rng(1)
        rows = [evidence(rng.normal(rng.uniform(-1, 1), 1, size=25), row=str(row)) for row in range(60)]
        claims = settle(rows, subject="model")
        assert {claim.verdict for claim in claims} == {"supported", "contradicted", "undecided"}
        for claim in claims:
            assert claim.ci_low is not None
            assert claim.ci_high is not None
            assert claim.verdict != "supported" or claim.ci_low > 0
            assert claim.verdict != "contradicted" or claim.ci_high < 0

    @pytest.mark.parametrize(("n", "verdict"), [(1, "undecided"), (5, "undecided"), (6, "supported")])
    def test_too_few_images_decide_nothing(self, n: int, verdict: str):
        claim = settle([evidence(np.full(n, 0.9))], subject="model")[0]
        assert (claim.verdict, claim.n) == (verdict, n)
        assert ("too few" in claim.sentence) == (verdict == "undecided")

    def test_false_verdicts_of_a_run_stay_within_the_error_level(self):
        rng = np.random.default_rng(12)
        wrong = 0
        for _ in range(60):
            null = [evidence(rng.normal(size=40), row=str(row)) for row in range(12)]
            wrong += any(claim.verdict != "undecided" for claim in settle(null, subject="model"))
        # 5 % of 60 is 3; the percentile interval of 40 images is a little short.
        assert wrong <= 9


class TestSentences:
    def test_supported(self):
        claim = settle([evidence(np.full(20, 0.8))], subject="model")[0]
        assert claim.sentence == (
            "Supported: The trend is 0.8 on average over 20 images (95 % interval 0.8 to 0.8), "
            "above 0 as claimed."
        )

    def test_contradicted(self):
        claim = settle([evidence(np.full(20, -0.8))], subject="model")[0]
        assert claim.sentence == (
            "Contradicted: The trend is −0.8 on average over 20 images (95 % interval −0.8 to −0.8); "
            "above 0 was claimed."
        )

    def test_each_begins_with_its_verdict(self):
        measured = [curves("purity", trend(0.02)), curves("silhouette", either(0.5, trend(0.1), trend(-0.1)))]
        for claim in verdicts(measured, [steps(), whole(holds=False)]).values():
            assert claim.sentence.startswith(claim.verdict.capitalize() + ": ")
            assert claim.sentence.endswith(".")
            assert claim.verdict in VERDICTS


class TestRun:
    def everything(self):
        measured = [
            curves(metric, trend(0.02), condition=condition)
            for metric in ("purity", "silhouette", "raw_diameter")
            for condition in (
                "clean",
                "shuffle-2",
                "shuffle-8",
                "random-0.4",
                "salient-0.4",
                "non-salient-1.0",
            )
        ]
        stepped = [steps(), whole(), steps("per_head")]
        predicted = [predictions("clean", range(9)), predictions("random-0.4", range(9))]
        return table("measurements", *measured), table("steps", *stepped), table("predictions", *predicted)

    def test_rows_fit_the_table_of_claims(self):
        claims = judge(*self.everything())
        written = to_table("claims", [claim.row() for claim in claims])
        assert written.schema == TABLES["claims"]
        assert written.column("id").to_pylist() == [claim.id for claim in claims]
        numbers = [claim.claim for claim in claims]
        assert numbers == sorted(numbers)
        assert set(numbers) == {1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 18, 21}
        assert all(claim.id.split(".")[0] == str(claim.claim) for claim in claims)

    def test_is_deterministic_whatever_the_order_of_records(self):
        tables = self.everything()
        shuffled = []
        for rows in tables:
            order = np.random.default_rng(0).permutation(rows.num_rows)
            shuffled.append(rows.take(order))
        first = judge(*tables)
        assert first == judge(*tables)
        for claim, other in zip(first, judge(*shuffled), strict=True):
            assert (claim.id, claim.verdict, claim.n) == (other.id, other.verdict, other.n)
            assert claim.value == pytest.approx(other.value, abs=1e-12)

    def test_subjects_are_runs_of_their_own(self):
        both = table(
            "measurements",
            curves("purity", trend(0.02)),
            curves("purity", trend(-0.02), subject="random_twin"),
        )
        model, twin = (
            {claim.id: claim for claim in judge(both, None, subject=subject)}
            for subject in ("model", "random_twin")
        )
        assert (model["4"].verdict, twin["4"].verdict) == ("supported", "contradicted")
        assert (model["4"].subject, twin["4"].subject) == ("model", "random_twin")

    def test_no_records_at_all(self):
        claims = judge(None, None)
        assert {claim.verdict for claim in claims} == {"not measured"}
        assert {(claim.value, claim.ci_low, claim.ci_high, claim.n) for claim in claims} == {
            (None, None, None, 0)
        }
        assert claims == judge(*(TABLES[name].empty_table() for name in ("measurements", "steps")))

    def test_refuses_what_are_no_records(self):
        with pytest.raises(ArgumentTypeError, match="measurements: must be a pyarrow table"):
            judge([], None)
        with pytest.raises(ArgumentError, match=r"steps: .* no \['holds'\]"):
            judge(None, table("steps", steps()).drop_columns("holds"))

    def test_refuses_two_rows_for_one_measurement(self):
        twice = curves("purity", trend(0.02))
        with pytest.raises(ArgumentError, match="measurements: must have one row"):
            judge(table("measurements", twice, twice[4:5]), None)
        stepped = steps(images=3)
        with pytest.raises(ArgumentError, match="steps: must have one row"):
            judge(None, table("steps", stepped, stepped[9:10]))
        predicted = predictions("clean", range(4))
        with pytest.raises(ArgumentError, match="predictions: must have one row"):
            judge(None, None, table("predictions", predicted, predicted[:1]))
