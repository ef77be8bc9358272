"""The rule itself: correction, few images, order, determinism, rows and refusals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from attnclust._array import ArgumentError, ArgumentTypeError
from attnclust.claims import CLAIMS, VERDICTS, Claim, judge
from attnclust.claims._evidence import Exact, Sampled
from attnclust.claims._verdict import settle
from attnclust.records import TABLES, to_table
from attnclust.statistics import bootstrap_means, holm, mean_interval, region_p_values

from .planted import curves, either, predictions, steps, table, trend, verdicts, whole


def evidence(values: np.ndarray, *, row: str = "4", low: float = 0, primary: bool = True) -> Sampled:
    """A part of the claim that its id begins with."""
    number = int(row.partition(".")[0])
    return Sampled(row, number, "It rises.", "The trend", values, low=low, primary=primary)


def settled(*rows: Sampled | Exact, seed: int = 0) -> dict[str, Claim]:
    """Judge these rows as a run: id -> claim."""
    return {claim.id: claim for claim in settle(rows, subject="model", seed=seed)}


def centred(mean: float, *, n: int = 20, seed: int = 2) -> np.ndarray:
    """Values with exactly this mean and a standard deviation (of all n) of 1."""
    values = np.random.default_rng(seed).normal(size=n)
    return (values - values.mean()) / values.std() + mean


WEAK = centred(0.6)
"""Twenty images whose mean lies above 0 by itself, though not in company."""
NULL = centred(0.0)


class TestRule:
    def test_alone_and_beside_other_claims(self):
        alone = settled(evidence(WEAK))["4"]
        company = [evidence(NULL, row=str(number)) for number in range(5, 14)]
        beside = settled(evidence(WEAK), *company)["4"]
        assert (alone.verdict, beside.verdict) == ("supported", "undecided")
        assert (beside.value, beside.ci_low) == (alone.value, pytest.approx(alone.ci_low, rel=1e-12))
        assert "beside the other claims of this run (10 are tested)" in beside.sentence

    def test_parts_of_other_claims_cost_nothing(self):
        """Holm runs over claims: one more claim is one more test, however many parts it has."""
        many = [evidence(NULL, row=f"11.{part}") for part in range(40)]
        assert settled(evidence(WEAK), *many)["4"].verdict == settled(evidence(WEAK), many[0])["4"].verdict
        assert settled(evidence(WEAK), *many)["4"].p_value == settled(evidence(WEAK), many[0])["4"].p_value

    def test_what_is_not_measured_or_stands_beside_costs_the_others_nothing(self):
        empty = [evidence(np.empty(0), row=str(number)) for number in range(5, 14)]
        beside = [evidence(NULL, row=f"{number}.x", primary=False) for number in range(14, 20)]
        claims = settled(evidence(WEAK), *empty, *beside)
        assert claims["4"].p_value == settled(evidence(WEAK))["4"].p_value
        assert {claims[str(number)].verdict for number in range(5, 20)} == {"not measured"}

    def test_p_values_and_intervals_are_those_of_the_statistics(self):
        rng = np.random.default_rng(6)
        values = [rng.normal(mean, 1, size=n) for mean, n in ((0.5, 21), (-0.4, 32), (0.1, 21))]
        claims = settled(*(evidence(each, row=str(row)) for row, each in enumerate(values, start=4)), seed=3)
        p = holm([min(region_p_values(bootstrap_means(v, seed=3), images=v.size, low=0)) for v in values])
        assert [claims[id_].p_value for id_ in "456"] == pytest.approx(p.tolist(), rel=1e-12)
        for id_, value in zip("456", values, strict=True):
            expected = [float(part) for part in mean_interval(value, seed=3)]
            claim = claims[id_]
            assert [claim.value, claim.ci_low, claim.ci_high] == pytest.approx(expected, rel=1e-12)

    @pytest.mark.parametrize(("n", "verdict"), [(1, "undecided"), (5, "undecided"), (6, "supported")])
    def test_too_few_images_decide_nothing(self, n: int, verdict: str):
        claim = settled(evidence(np.full(n, 0.9)))["4"]
        assert (claim.verdict, claim.n) == (verdict, n)
        assert ("too few" in claim.sentence) == (verdict == "undecided")

    def test_all_22_claims_can_be_decided_by_ten_images(self):
        """Twice 22 times 2^-10 is below 0.05; nine images are one too few."""
        for n, verdict in ((9, "undecided"), (10, "supported")):
            rows = [evidence(np.full(n, 0.9), row=str(number)) for number in CLAIMS]
            assert {claim.verdict for claim in settled(*rows).values()} == {verdict}

    def test_coins_limit_what_the_images_can_show(self):
        row = evidence(np.full(20, 0.9))
        assert settled(replace(row, coins=5))["4"].verdict == "undecided"
        assert settled(replace(row, coins=6))["4"].verdict == "supported"

    def test_false_verdicts_of_a_run_stay_within_the_error_level(self):
        """Twelve claims of which none is true nor false, each of one to three parts."""
        rng = np.random.default_rng(12)
        wrong = 0
        for _ in range(60):
            null = [
                evidence(rng.normal(size=40), row=f"{number}.{part}")
                for number in range(1, 13)
                for part in range(1 + number % 3)
            ]
            heads = [claim for claim in settle(null, subject="model") if claim.role == "claim"]
            wrong += any(claim.verdict in ("supported", "contradicted") for claim in heads)
        # 5 % of 60 is 3; the percentile interval of 40 images is a little short.
        assert wrong <= 9


class TestParts:
    """A claim is as strong as its weakest part, and falls with any one of them."""

    GOOD, BAD = np.full(20, 0.9), np.full(20, -0.9)

    @pytest.mark.parametrize(
        ("parts", "verdict"),
        [
            ((GOOD, GOOD, GOOD), "supported"),
            ((GOOD, NULL, GOOD), "undecided"),
            ((GOOD, BAD, NULL), "contradicted"),
            ((GOOD, np.empty(0), GOOD), "not measured"),
            ((np.empty(0), BAD, GOOD), "contradicted"),
            ((np.empty(0), np.empty(0)), "not measured"),
        ],
    )
    def test_the_whole(self, parts: Sequence[np.ndarray], verdict: str):
        claims = settled(*(evidence(values, row=f"10.{name}") for name, values in enumerate(parts)))
        assert claims["10"].verdict == verdict
        assert [claims[f"10.{name}"].role for name in range(len(parts))] == ["part"] * len(parts)

    def test_what_stands_beside_has_no_say(self):
        claims = settled(evidence(self.GOOD, row="3.a"), evidence(self.BAD, row="3.b", primary=False))
        assert [claims[id_].verdict for id_ in ("3", "3.a", "3.b")] == [
            "supported",
            "supported",
            "contradicted",
        ]
        assert [claims[id_].role for id_ in ("3", "3.a", "3.b")] == ["claim", "part", "beside"]

    def test_what_stands_beside_costs_the_parts_nothing(self):
        part = evidence(WEAK, row="3.a")
        other = evidence(NULL, row="3.b")
        beside = [evidence(NULL, row=f"3.x{name}", primary=False) for name in range(30)]
        assert settled(part, other, *beside)["3.a"].p_value == settled(part, other)["3.a"].p_value

    def test_to_support_no_part_is_corrected_for_the_others(self):
        """All have to pass, so that many weak ones are no easier to support by chance than one."""
        parts = [evidence(WEAK, row=f"10.{name}") for name in range(30)]
        claims = settled(*parts)
        assert {claim.verdict for claim in claims.values() if claim.claim == 10} == {"supported"}

    def test_to_contradict_they_are(self):
        against = [evidence(-WEAK, row="10.0"), *(evidence(NULL, row=f"10.{name}") for name in range(1, 30))]
        assert settled(against[0])["10"].verdict == "contradicted"
        assert settled(*against)["10"].verdict == "undecided"

    def test_the_part_that_decides_lends_its_numbers(self):
        weaker, strong = centred(3, seed=5), centred(9, seed=6)
        claims = settled(evidence(strong, row="10.a"), evidence(weaker, row="10.b"))
        assert claims["10"].value == claims["10.b"].value == pytest.approx(3)
        claims = settled(evidence(strong, row="10.a"), evidence(-weaker, row="10.b"))
        assert (claims["10"].verdict, claims["10"].value) == ("contradicted", pytest.approx(-3))
        assert "1 supported, 1 contradicted; the plainest, 10.b:" in claims["10"].sentence

    def test_one_exception_contradicts_whatever_was_sampled(self):
        sampled = evidence(self.GOOD, row="2.b")
        for exceptions, verdict in ((0, "supported"), (1, "contradicted")):
            exact = Exact("2.a", 2, "It holds.", np.array([0, exceptions]), np.array([9, 9]))
            claims = settled(exact, sampled)
            assert (claims["2"].verdict, claims["2.a"].verdict) == (verdict, verdict)
            assert claims["2.b"].verdict == "supported"

    def test_not_measured_in_part_says_what_is_missing_and_how_the_rest_fared(self):
        absent = replace(evidence(np.empty(0), row="11.b"), absent="random-0.8 was not run")
        claim = settled(evidence(self.GOOD, row="11.a"), absent)["11"]
        assert claim.verdict == "not measured"
        assert "since random-0.8 was not run; of its 2 parts, 1 supported, 1 not measured" in claim.sentence
        assert (claim.value, claim.n) == (pytest.approx(0.9), 20)

    def test_a_part_of_a_supported_claim_is_supported(self):
        rng = np.random.default_rng(3)
        for _ in range(30):
            parts = [
                evidence(rng.normal(rng.uniform(-0.2, 1.5), 1, 25), row=f"10.{name}") for name in range(4)
            ]
            claims = settled(*parts)
            verdicts_ = {claim.verdict for claim in claims.values() if claim.role == "part"}
            assert claims["10"].verdict != "supported" or verdicts_ == {"supported"}
            assert claims["10"].verdict != "contradicted" or "contradicted" in verdicts_

    def test_a_decided_part_has_its_interval_on_that_side(self):
        rng = np.random.default_rng(1)
        rows = [evidence(rng.normal(rng.uniform(-1, 1), 1, size=25), row=f"10.{row}") for row in range(60)]
        parts = [claim for claim in settled(*rows).values() if claim.role == "part"]
        assert {claim.verdict for claim in parts} == {"supported", "contradicted", "undecided"}
        for claim in parts:
            assert claim.ci_low is not None
            assert claim.ci_high is not None
            assert claim.verdict != "supported" or claim.ci_low > 0
            assert claim.verdict != "contradicted" or claim.ci_high < 0


class TestPower:
    def test_of_a_claim_at_the_hardest_step_of_the_run(self):
        # s = sqrt(20 / 19) over 20 images; level 0.05 / 10: z = 2.807034 and 0.841621.
        expected = (2.807034 + 0.841621) / np.sqrt(19)
        company = [evidence(NULL, row=str(number)) for number in range(5, 14)]
        claim = settled(evidence(WEAK), *company)["4"]
        assert claim.detectable == pytest.approx(expected, rel=1e-6)
        assert f"a mean {expected:.3g} beyond the limit" in claim.sentence

    def test_of_a_part_within_its_claim(self):
        claims = settled(*(evidence(WEAK, row=f"10.{name}") for name in range(5)))
        # Level 0.05 / 5 for a part (z = 2.575829), 0.05 for the claim (z = 1.959964).
        assert claims["10.0"].detectable == pytest.approx((2.575829 + 0.841621) / np.sqrt(19), rel=1e-6)
        assert claims["10"].detectable == pytest.approx((1.959964 + 0.841621) / np.sqrt(19), rel=1e-6)

    def test_of_exact_evidence(self):
        claims = settled(Exact("1", 1, "It holds.", np.zeros(20), np.ones(20)))
        # A violation on a share x of images is seen with probability 1 - (1 - x)^20.
        assert claims["1"].detectable is not None
        assert 1 - (1 - claims["1"].detectable) ** 20 == pytest.approx(0.8)

    def test_of_what_was_not_measured_and_of_one_image(self):
        claims = settled(evidence(np.empty(0)), evidence(np.array([1.0]), row="5"))
        assert (claims["4"].detectable, claims["5"].detectable) == (None, None)

    def test_an_effect_of_that_size_is_found_as_often_as_it_says(self):
        rng = np.random.default_rng(4)
        effect = settled(evidence(centred(0, n=60)))["4"].detectable
        assert effect is not None
        found = [settled(evidence(rng.normal(effect, 1, 60)))["4"].verdict == "supported" for _ in range(200)]
        assert 0.7 < np.mean(found) < 0.9


class TestSentences:
    def test_supported(self):
        claim = settled(evidence(np.full(20, 0.8)))["4"]
        assert claim.sentence == (
            "Supported: The trend is 0.8 on average over 20 images (95 % interval 0.8 to 0.8), "
            "above 0 as claimed."
        )

    def test_contradicted(self):
        claim = settled(evidence(np.full(20, -0.8)))["4"]
        assert claim.sentence == (
            "Contradicted: The trend is −0.8 on average over 20 images (95 % interval −0.8 to −0.8); "
            "above 0 was claimed."
        )

    def test_a_claim_counts_what_stands_beside(self):
        beside = [evidence(np.full(20, value), row=f"4.{value}", primary=False) for value in (-1.0, 1.0, 2.0)]
        claims = settled(evidence(np.full(20, 0.8), row="4.a"), *beside)
        assert claims["4"].sentence == f"{claims['4.a'].sentence} Beside it: 2 supported, 1 contradicted."
        assert "Beside" not in settled(evidence(np.full(20, 0.8), row="4.a"))["4"].sentence

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
        return {
            "measurements": table("measurements", *measured),
            "steps": table("steps", *stepped),
            "predictions": table("predictions", *predicted),
        }

    def test_rows_fit_the_table_of_claims(self):
        claims = judge(self.everything())
        written = to_table("claims", [claim.row() for claim in claims])
        assert written.schema == TABLES["claims"]
        assert written.column("id").to_pylist() == [claim.id for claim in claims]
        numbers = [claim.claim for claim in claims]
        assert numbers == sorted(numbers)
        assert [claim.claim for claim in claims if claim.role == "claim"] == list(range(1, 23))
        assert all(claim.id.split(".")[0] == str(claim.claim) for claim in claims)

    def test_is_deterministic_whatever_the_order_of_records(self):
        tables = self.everything()
        shuffled = {
            name: rows.take(np.random.default_rng(0).permutation(rows.num_rows))
            for name, rows in tables.items()
        }
        first = judge(tables)
        assert first == judge(tables)
        for claim, other in zip(first, judge(shuffled), strict=True):
            assert (claim.id, claim.verdict, claim.n) == (other.id, other.verdict, other.n)
            assert claim.value == pytest.approx(other.value, abs=1e-12)

    def test_subjects_are_runs_of_their_own(self):
        both = table(
            "measurements",
            curves("purity", trend(0.02)),
            curves("purity", trend(-0.02), subject="random_twin"),
        )
        model, twin = (
            {claim.id: claim for claim in judge({"measurements": both}, subject=subject)}
            for subject in ("model", "random_twin")
        )
        assert (model["4"].verdict, twin["4"].verdict) == ("supported", "contradicted")
        assert (model["4"].subject, twin["4"].subject) == ("model", "random_twin")

    def test_no_records_at_all(self):
        claims = judge({})
        assert {claim.verdict for claim in claims} == {"not measured"}
        assert {(claim.value, claim.ci_low, claim.ci_high, claim.n) for claim in claims} == {
            (None, None, None, 0)
        }
        assert claims == judge({"measurements": TABLES["measurements"].empty_table(), "steps": None})

    def test_refuses_what_are_no_records(self):
        with pytest.raises(ArgumentTypeError, match="measurements: must be a pyarrow table"):
            judge({"measurements": []})
        with pytest.raises(ArgumentError, match=r"steps: .* no \['holds'\]"):
            judge({"steps": table("steps", steps()).drop_columns("holds")})

    def test_refuses_two_rows_for_one_measurement(self):
        twice = curves("purity", trend(0.02))
        with pytest.raises(ArgumentError, match="measurements: must have one row"):
            judge({"measurements": table("measurements", twice, twice[4:5])})
        stepped = steps(images=3)
        with pytest.raises(ArgumentError, match="steps: must have one row"):
            judge({"steps": table("steps", stepped, stepped[9:10])})
        predicted = predictions("clean", range(4))
        with pytest.raises(ArgumentError, match="predictions: must have one row"):
            judge({"predictions": table("predictions", predicted, predicted[:1])})
