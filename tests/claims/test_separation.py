"""Claims 9, 11, 13, 14, 18 and 22 on planted curves: attention, separation, the background's clusters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import bootstrap

from attnclust.claims import Claim

from .planted import IMAGES, LEVELS, Rows, curves, either, trend, verdicts

EARLY = np.minimum(np.arange(LEVELS) / 4, 1)
MIDDLE = np.minimum(np.arange(LEVELS) / 8, 1)
LATE = np.minimum(np.arange(LEVELS) / 12, 1)
FLAT = np.zeros((IMAGES, LEVELS))
NOISE = trend(0.0, start=0.0)


def last(value: Any, *, before: float = -9.0) -> np.ndarray:
    """Curves that are `value` (a number, or one an image) at the last level, and `before` at all others."""
    values = np.full((IMAGES, LEVELS), before)
    values[:, -1] = value
    return values + NOISE


class TestAttention:
    METRIC = "class_rollout_contrast"
    CONDITIONS = ("clean", "shuffle-8", "random-0.2", "salient-0.4", "non-salient-1.0")

    def judged(self, **values: Any) -> dict[str, Claim]:
        """One value a condition (1 unless it is given), at the last level."""
        return verdicts(
            [
                curves(self.METRIC, last(values.get(condition, 1.0)), condition=condition)
                for condition in self.CONDITIONS
            ]
        )

    def test_supported(self):
        claims = self.judged()
        assert claims["9"].verdict == "supported"
        parts = [claim.id for claim in claims.values() if claim.claim == 9 and claim.role == "part"]
        assert parts == [f"9.{condition}" for condition in self.CONDITIONS]
        assert claims["9.clean"].value == pytest.approx(1, abs=0.01)  # the last level alone

    def test_contradicted_by_one_condition(self):
        claims = self.judged(**{"salient-0.4": -1.0})
        assert (claims["9"].verdict, claims["9.salient-0.4"].verdict) == ("contradicted", "contradicted")
        assert claims["9.clean"].verdict == "supported"

    def test_undecided(self):
        claims = self.judged(**{"shuffle-8": np.resize([-1.0, 1.0], IMAGES)})
        assert (claims["9"].verdict, claims["9.clean"].verdict) == ("undecided", "supported")
        assert claims["9.shuffle-8"].verdict == "undecided"

    def test_level_0_may_be_nan(self):
        holed = last(1.0)
        holed[:, 0] = np.nan
        assert verdicts([curves(self.METRIC, holed)])["9.clean"].n == IMAGES

    def test_conditions_that_were_not_run(self):
        claims = verdicts([curves(self.METRIC, last(1.0))])
        assert claims["9"].verdict == "not measured"
        assert "shuffle-8 was not run; random-0.4 was not run" in claims["9"].sentence

    def test_each_blocks_own_attention_stands_beside(self):
        claims = verdicts([curves("class_attention_contrast", last(-1.0))])
        row = claims["9.attention.clean"]
        assert (row.role, row.verdict, claims["9"].verdict) == ("beside", "contradicted", "not measured")


class TestRandomDrop:
    @pytest.mark.parametrize(
        ("value", "verdict"),
        [(0.0, "supported"), (0.2, "contradicted"), (-0.2, "contradicted"), (0.05, "undecided")],
    )
    def test_hardly_separate(self, value: float, verdict: str):
        measured = curves("object_background_silhouette", last(value), condition="random-0.8")
        claim = verdicts([measured])["11.separation"]
        assert (claim.verdict, claim.n) == (verdict, IMAGES)

    def test_only_the_heaviest_drop_counts(self):
        measured = curves("object_background_silhouette", last(0.0), condition="random-0.6")
        assert "random-0.8 was not run" in verdicts([measured])["11.separation"].sentence


class TestNonSalientDrop:
    def judged(
        self, under: np.ndarray, metric: str = "object_silhouette", ratio: str = ".non-salient-0.6"
    ) -> Claim:
        rows = [
            curves(metric, either(1, MIDDLE, 0)),
            curves(metric, either(1, under, 0), condition="non-salient-0.6"),
        ]
        name = "among" if metric.endswith("among") else "separation"
        return verdicts(rows)[f"13.{name}{ratio}"]

    def average(self, under: np.ndarray, metric: str) -> Claim:
        return self.judged(under, metric, "")

    @pytest.mark.parametrize("metric", ["object_silhouette", "object_silhouette_among"])
    def test_verdicts(self, metric: str):
        # Half of clean's rise is reached at level 4 in clean, at level 2 or 6 here.
        assert (self.judged(EARLY, metric).verdict, self.judged(EARLY, metric).value) == ("supported", -2)
        assert (self.judged(LATE, metric).verdict, self.judged(LATE, metric).value) == ("contradicted", 2)
        assert self.judged(either(0.5, EARLY, LATE), metric).verdict == "undecided"

    def test_what_never_separates_counts_as_past_the_last_level(self):
        assert self.judged(FLAT).value == LEVELS - 4

    def test_the_average_is_the_part_and_all_else_stands_beside(self):
        for metric, role in (("object_silhouette", "part"), ("object_silhouette_among", "beside")):
            row, ratio = self.average(EARLY, metric), self.judged(EARLY, metric)
            assert (row.role, ratio.role) == (role, "beside")
            assert (row.verdict, row.value) == (ratio.verdict, ratio.value)

    def test_not_measured(self):
        assert "no condition of non-salient drop" in verdicts()["13.separation"].sentence
        dropped = curves("object_silhouette", either(1, EARLY, 0), condition="non-salient-0.6")
        assert "no object_silhouette under clean" in verdicts([dropped])["13.separation"].sentence


class TestBackground:
    def judged(
        self, *, low: Any = 0.2, high: Any = 0.8, near: Any = 0.5, noise: Any = 0.2, share: Any = 0.3
    ) -> dict[str, Claim]:
        split = last(high)
        split[:, 1] = low + NOISE[:, 1]
        black = "non-salient-1.0"
        return verdicts(
            [
                curves("background_split", split, condition=black),
                curves("background_split_near", last(near), condition=black),
                curves("background_split_share", last(share), condition=black),
                curves("background_split", last(noise), condition="noise-1.0"),
            ]
        )

    MIXED = np.resize([-9.0, 10.0], IMAGES)

    def test_supported(self):
        claims = self.judged()
        parts = [claim for claim in claims.values() if claim.claim == 14]
        assert [claim.id for claim in parts] == ["14", "14.one", "14.two", "14.near", "14.noise", "14.share"]
        assert {claim.verdict for claim in parts} == {"supported"}

    @pytest.mark.parametrize(
        ("name", "wrong"),
        [("one", {"low": 0.8}), ("two", {"high": 0.2}), ("near", {"near": -0.5}), ("noise", {"noise": 0.8})],
    )
    def test_contradicted_by_any_part(self, name: str, wrong: dict[str, float]):
        claims = self.judged(**wrong)
        mine = [claim for claim in claims.values() if claim.claim == 14]
        parts = {claim.id for claim in mine if claim.verdict == "contradicted"}
        assert parts == {"14", f"14.{name}"}

    def test_undecided(self):
        claims = self.judged(near=self.MIXED, high=self.MIXED, noise=self.MIXED, low=self.MIXED)
        parts = {claim.id: claim.verdict for claim in claims.values() if claim.claim == 14}
        assert parts.pop("14.share") == "supported"
        assert set(parts.values()) == {"undecided"}

    def test_a_handful_of_outliers_is_told_beside(self):
        claims = self.judged(share=0.02)
        assert (claims["14"].verdict, claims["14.share"].verdict) == ("supported", "contradicted")

    def test_not_measured(self):
        assert "non-salient-1.0 was not run; noise-1.0 was not run" in verdicts()["14"].sentence


class TestLevelZero:
    def judged(self, margin: Any) -> dict[str, Claim]:
        values = trend(0.0, start=0.0)
        values[:, 0] += margin
        values[:, 1:] -= 9
        return verdicts([curves(metric, values) for metric in ("object_margin", "object_margin_matched")])

    def test_verdicts(self):
        assert self.judged(0.02)["18"].verdict == "supported"
        assert self.judged(-0.02)["18"].verdict == "contradicted"  # not closer
        assert self.judged(0.2)["18"].verdict == "contradicted"  # by no small margin
        assert self.judged(np.resize([-0.5, 0.5], IMAGES))["18"].verdict == "undecided"

    def test_what_stands_beside(self):
        claims = self.judged(0.2)
        assert (claims["18.closer"].verdict, claims["18.small"].verdict) == ("supported", "contradicted")
        assert (claims["18.matched"].role, claims["18.matched"].verdict) == ("beside", "supported")

    @pytest.mark.parametrize(
        ("start", "verdict"),
        [(0.1, "supported"), (-0.1, "contradicted"), (either(0.5, -0.1, 0.1), "undecided")],
    )
    def test_agreement(self, start: float | np.ndarray, verdict: str):
        values = trend(0.0, start=0.0) + start
        values[:, 1:] *= -1
        assert verdicts([curves("adjusted_mutual_info", values)])["18.agreement"].verdict == verdict

    def test_not_measured(self):
        assert "no object_margin under clean" in verdicts()["18"].sentence


class TestClasses:
    """Some images hold pairs of both kinds, most of one."""

    def rows(self, gap: float, *, both: int = 0, spread: float = 0.1, n: int = IMAGES) -> list[Rows]:
        rng = np.random.default_rng(8)
        base = rng.normal(0, spread, (n, 1))
        names = ("different", "same")
        kept = {"different": np.arange(n) < n // 2 + both, "same": np.arange(n) >= n // 2}
        return [
            [
                row
                for row in curves(
                    f"silhouette_{name}_class",
                    base + (gap if name == "different" else 0) + np.zeros((n, LEVELS)),
                )
                if kept[name][int(row["image"].split("-")[1])]
            ]
            for name in names
        ]

    @pytest.mark.parametrize(
        ("gap", "verdict"), [(0.5, "supported"), (-0.5, "contradicted"), (0.0, "undecided")]
    )
    @pytest.mark.parametrize("both", [0, 10])
    def test_verdicts(self, gap: float, verdict: str, both: int):
        claim = verdicts(self.rows(gap, both=both))["22"]
        assert (claim.verdict, claim.n) == (verdict, IMAGES)

    @pytest.mark.parametrize("different", [5, 14, 24])
    def test_value_and_interval_are_those_of_two_samples(self, different: int):
        """The bootstrap of two independent samples, which SciPy gives by itself."""
        rng = np.random.default_rng(4)
        a, b = rng.normal(0.2, 0.3, different), rng.normal(0, 0.1, IMAGES - different)
        values = np.concatenate([a, b])[:, None] + np.zeros((IMAGES, LEVELS))
        rows = {name: curves(f"silhouette_{name}_class", values) for name in ("different", "same")}
        apart = [
            [row for row in rows["different"] if int(row["image"].split("-")[1]) < different],
            [row for row in rows["same"] if int(row["image"].split("-")[1]) >= different],
        ]
        claim = verdicts(apart)["22"]
        assert claim.value == pytest.approx(a.mean() - b.mean())
        theirs = bootstrap(
            (a, b),
            lambda x, y, axis: np.mean(x, axis=axis) - np.mean(y, axis=axis),
            method="percentile",
            rng=np.random.default_rng(0),
        ).confidence_interval
        assert claim.ci_high is not None
        assert claim.ci_low is not None
        assert claim.ci_high - claim.ci_low == pytest.approx(theirs.high - theirs.low, rel=0.08)

    def test_pairs_in_one_image_are_compared_there(self):
        """A gap that drowns between images shows within them."""
        apart = verdicts(self.rows(0.05, spread=1.0))["22"]
        within = verdicts(self.rows(0.05, both=IMAGES, spread=1.0))
        rng = np.random.default_rng(8)
        base = rng.normal(0, 1, (IMAGES, 1)) + np.zeros((IMAGES, LEVELS))
        paired = verdicts(
            [
                curves("silhouette_different_class", base + 0.05),
                curves("silhouette_same_class", base),
            ]
        )["22"]
        assert (apart.verdict, paired.verdict) == ("undecided", "supported")
        assert within["22"].n == IMAGES

    def test_few_images_of_one_kind_cannot_decide(self):
        """Three against three can be drawn in 20 ways: 2 / 20 is the least p-value."""
        claim = verdicts(self.rows(5.0, n=6, spread=0.001))["22"]
        assert claim.verdict == "undecided"
        assert "too few" in claim.sentence

    def test_one_image_of_a_kind_is_none(self):
        different, same = self.rows(0.5)
        claim = verdicts([different, [row for row in same if row["image"] == "image-20"]])["22"]
        assert claim.verdict == "not measured"
        assert "the records hold 14 with different classes and 1 with one class" in claim.sentence

    def test_salient_drop_stands_beside(self):
        rows = self.rows(0.5)
        dropped = [[row | {"condition": "salient-0.4"} for row in part] for part in self.rows(-0.5)]
        claims = verdicts([*rows, *dropped])
        assert (claims["22"].verdict, claims["22.salient-0.4"].verdict) == ("supported", "contradicted")
        assert claims["22.salient-0.4"].role == "beside"
