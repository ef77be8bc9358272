"""Claims 4 to 8 and 10 to 13 on planted curves."""

from __future__ import annotations

import numpy as np
import pytest

from .planted import IMAGES, LEVELS, curves, either, trend, verdicts

METRICS = ("purity", "silhouette", "in_cluster_cosine", "in_object_cosine", "unique_label_ratio")
EACH_METRIC = pytest.mark.parametrize("metric", METRICS)

UP, DOWN = trend(0.02), trend(-0.02)
MIXED = either(0.5, UP, DOWN)


class TestDepth:
    @pytest.mark.parametrize(("number", "metric"), list(enumerate(METRICS, start=4)))
    @pytest.mark.parametrize(
        ("values", "verdict"), [(UP, "supported"), (DOWN, "contradicted"), (MIXED, "undecided")]
    )
    def test_verdicts(self, number: int, metric: str, values: np.ndarray, verdict: str):
        claims = verdicts([curves(metric, values)])
        claim = claims[str(number)]
        assert (claim.claim, claim.verdict, claim.n) == (number, verdict, IMAGES)
        others = {str(other) for other in range(4, 9)} - {str(number)}
        assert {claims[other].verdict for other in others} == {"not measured"}

    def test_rho_and_interval_by_hand(self):
        # 28 curves rise all the way and one falls, which is drawn 0 to 3 times in 95 % of resamples.
        values = either(28 / 29, np.arange(LEVELS), -np.arange(LEVELS))
        claim = verdicts([curves("purity", values)])["4"]
        assert claim.value == pytest.approx(27 / 29)
        assert claim.ci_low == pytest.approx(1 - 2 * 3 / 29)
        assert claim.ci_high == pytest.approx(1)

    def test_only_the_subject_that_was_asked_for_counts(self):
        claim = verdicts([curves("purity", UP, subject="random_twin")])["4"]
        assert claim.verdict == "not measured"
        assert "no purity under clean" in claim.sentence

    def test_images_without_a_whole_curve_are_left_out(self):
        holed = UP.copy()
        holed[[3, 8], [0, 12]] = np.nan
        short = [row for row in curves("purity", UP) if (row["image"], row["level"]) != ("image-5", 4)]
        assert verdicts([curves("purity", holed)])["4"].n == IMAGES - 2
        assert verdicts([short])["4"].n == IMAGES - 1

    def test_one_level_makes_no_trend(self):
        assert verdicts([curves("purity", UP[:, :1])])["4"].verdict == "not measured"


class TestShuffling:
    @EACH_METRIC
    @pytest.mark.parametrize(
        ("change", "near", "hurt"),
        [
            (0.0, "supported", "contradicted"),
            (-0.03, "supported", "contradicted"),
            (-0.2, "contradicted", "supported"),
            (0.2, "contradicted", "contradicted"),
            (either(0.5, -0.02, -0.08), "undecided", "undecided"),
        ],
        ids=["same", "slightly worse", "worse", "better", "mixed"],
    )
    def test_verdicts(self, metric: str, change: np.ndarray, near: str, hurt: str):
        noise = trend(0.0, start=0.0)
        claims = verdicts(
            [
                curves(metric, UP),
                curves(metric, UP + change + noise, condition="shuffle-2"),
                curves(metric, UP + change + noise, condition="shuffle-8"),
            ]
        )
        assert claims[f"10.{metric}.shuffle-2"].verdict == near
        assert claims[f"10.{metric}.shuffle-8"].verdict == hurt

    def test_images_are_paired(self):
        # Images differ by far more than the condition does; only pairing shows the condition.
        spread = np.linspace(0, 0.6, IMAGES)[:, None]
        shuffled = curves("purity", UP + spread - 0.07, condition="shuffle-8")
        claim = verdicts([curves("purity", UP + spread), shuffled[::-1]])["10.purity.shuffle-8"]
        assert claim.verdict == "supported"
        assert (claim.value, claim.ci_low, claim.ci_high) == (pytest.approx(-0.07),) * 3

    def test_only_images_in_both_count(self):
        some = [
            row for row in curves("purity", UP, condition="shuffle-2") if int(row["image"].split("-")[1]) % 4
        ]
        assert verdicts([curves("purity", UP), some])["10.purity.shuffle-2"].n == 21

    def test_not_measured_says_what_is_missing(self):
        claims = verdicts([curves("purity", UP), curves("purity", UP, condition="shuffle-2")])
        assert "shuffle-8 was not run" in claims["10.purity.shuffle-8"].sentence
        apart = [row for row in curves("purity", UP, condition="shuffle-8") if row["image"] == "image-1"]
        rest = [row for row in curves("purity", UP) if row["image"] != "image-1"]
        claim = verdicts([rest, apart])["10.purity.shuffle-8"]
        assert claim.verdict == "not measured"
        assert "no image has purity at every level under clean and shuffle-8" in claim.sentence


class TestRandomDrop:
    @EACH_METRIC
    def test_falls_with_the_ratio_and_rises_with_depth(self, metric: str):
        claims = verdicts(
            [
                curves(metric, UP),
                curves(metric, UP - 0.1, condition="random-0.4"),
                curves(metric, DOWN - 0.1, condition="random-0.8"),
            ]
        )
        assert claims[f"11.{metric}.ratio"].verdict == "supported"
        assert claims[f"11.{metric}.ratio"].value == pytest.approx(-1)
        assert claims[f"11.{metric}.depth.random-0.4"].verdict == "supported"
        assert claims[f"11.{metric}.depth.random-0.8"].verdict == "contradicted"
        # The average over the ratios is of one that rises and one that falls.
        assert claims[f"11.{metric}.depth"].value == pytest.approx(0, abs=0.02)
        assert "r = 0, 0.4, 0.8" in claims[f"11.{metric}.ratio"].sentence

    @pytest.mark.parametrize(
        ("dropped", "verdict"),
        [(UP - 0.1, "supported"), (UP + 0.1, "contradicted"), (UP + either(0.5, -0.1, 0.1), "undecided")],
        ids=["falls", "rises", "mixed"],
    )
    def test_one_ratio_beside_clean_decides_its_part(self, dropped: np.ndarray, verdict: str):
        claims = verdicts([curves("purity", UP), curves("purity", dropped, condition="random-0.4")])
        assert claims["11.purity.ratio"].verdict == verdict

    def test_ratios_go_by_size_and_not_by_name(self):
        claims = verdicts(
            [
                curves("purity", UP),
                curves("purity", UP - 0.3, condition="random-1.0"),
                curves("purity", UP - 0.2, condition="random-0.75"),
                curves("purity", UP - 0.1, condition="random-0.5"),
            ]
        )
        assert claims["11.purity.ratio"].value == pytest.approx(-1)

    def test_the_same_images_at_every_ratio(self):
        few = [row for row in curves("purity", UP, condition="random-0.8") if row["image"] < "image-2"]
        claims = verdicts([curves("purity", UP), curves("purity", UP, condition="random-0.4"), few])
        assert claims["11.purity.depth.random-0.4"].n == IMAGES
        assert claims["11.purity.ratio"].n == len({row["image"] for row in few})
        assert claims["11.purity.depth"].n == IMAGES

    def test_not_measured(self):
        claims = verdicts([curves("purity", UP)])
        for part in ("ratio", "depth"):
            assert "no condition of random drop" in claims[f"11.purity.{part}"].sentence
        assert claims["11.separation"].verdict == "not measured"


class TestSalientDrop:
    def test_all_as_claimed(self):
        claims = verdicts(
            [
                *(curves(metric, UP) for metric in METRICS),
                curves("purity", UP - 0.1, condition="salient-0.4"),
                curves("in_object_cosine", UP - 0.2, condition="salient-0.4"),
                curves("unique_label_ratio", UP - 0.01, condition="salient-0.4"),
            ]
        )
        parts = [claim for claim in claims.values() if claim.claim == 12 and claim.role != "claim"]
        assert [claim.id for claim in parts] == [
            "12.purity.ratio",
            "12.in_object_cosine.depth",
            "12.in_object_cosine.depth.salient-0.4",
            "12.unique_label_ratio.change",
            "12.unique_label_ratio.salient-0.4",
        ]
        assert {claim.verdict for claim in parts} == {"supported"}

    def test_none_as_claimed(self):
        claims = verdicts(
            [
                *(curves(metric, UP) for metric in METRICS),
                curves("purity", UP + 0.1, condition="salient-0.4"),
                curves("in_object_cosine", DOWN, condition="salient-0.4"),
                curves("unique_label_ratio", UP - 0.1, condition="salient-0.4"),
            ]
        )
        assert {claim.verdict for claim in claims.values() if claim.claim == 12} == {"contradicted"}

    def test_undecided(self):
        claims = verdicts(
            [
                *(curves(metric, UP) for metric in METRICS),
                curves("purity", UP + either(0.5, -0.1, 0.1), condition="salient-0.4"),
                curves("in_object_cosine", MIXED, condition="salient-0.4"),
                curves("unique_label_ratio", UP + either(0.5, 0.0, 0.1), condition="salient-0.4"),
            ]
        )
        assert {claim.verdict for claim in claims.values() if claim.claim == 12} == {"undecided"}

    def test_non_salient_is_not_salient(self):
        claims = verdicts([curves("purity", UP), curves("purity", UP - 0.1, condition="non-salient-0.4")])
        assert claims["12.purity.ratio"].verdict == "not measured"


class TestNonSalientDrop:
    def claims(self, change: float | np.ndarray, ratio: float | np.ndarray):
        rows = [curves(metric, UP) for metric in METRICS]
        for metric in METRICS[:-1]:
            rows.append(curves(metric, UP + change, condition="non-salient-1.0"))
        rows.append(curves("unique_label_ratio", UP + ratio, condition="non-salient-1.0"))
        claims = verdicts(rows)
        near = {
            claims[f"13.{metric}.{part}"].verdict
            for metric in METRICS[:-1]
            for part in ("change", "non-salient-1.0")
        }
        return near, claims["13.unique_label_ratio.ratio"].verdict

    def test_verdicts(self):
        assert self.claims(0.01, 0.1) == ({"supported"}, "supported")
        assert self.claims(-0.1, -0.1) == ({"contradicted"}, "contradicted")
        assert self.claims(either(0.5, 0.0, 0.1), either(0.5, -0.1, 0.1)) == ({"undecided"}, "undecided")

    def test_not_measured(self):
        claims = verdicts([curves("silhouette", UP), curves("purity", UP, condition="non-salient-1.0")])
        for part in ("change", "non-salient-1.0"):
            assert "no silhouette under non-salient-1.0" in claims[f"13.silhouette.{part}"].sentence
        assert "no purity under clean" in claims["13.purity.change"].sentence
        assert "no condition of salient drop" in claims["12.unique_label_ratio.change"].sentence
        assert claims["13.unique_label_ratio.ratio"].verdict == "not measured"
