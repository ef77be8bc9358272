"""Claims 15, 16, 17, 19 and 20 on planted views and filters: supported, contradicted and left undecided."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from attnclust._array import ArgumentError
from attnclust.claims import judge

from .planted import IMAGES, LEVELS, curves, either, filtered, table, trend, verdicts

PARTS = pytest.mark.parametrize(("part", "suffix"), [("attention", ""), ("residual", "_residual")])


def from_level_one(values: np.ndarray) -> np.ndarray:
    """Curves without level 0, where most numbers on views do not exist."""
    holed = values.copy()
    holed[:, 0] = np.nan
    return holed


def flat(value: float | np.ndarray, *, noise: float = 0.01) -> np.ndarray:
    return trend(0.0, start=0.0, noise=noise) + value


@PARTS
class TestLikeness:
    @pytest.mark.parametrize(
        ("gap", "verdict"),
        [(0.1, "supported"), (-0.1, "contradicted"), (either(0.5, 0.1, -0.1), "undecided")],
    )
    def test_verdicts(self, part: str, suffix: str, gap: np.ndarray, verdict: str) -> None:
        claim = verdicts(
            [
                curves(f"view_same_object_cosine{suffix}", flat(0.5) + gap),
                curves(f"view_elsewhere_cosine{suffix}", flat(0.5)),
            ]
        )[f"15.{part}"]
        assert (claim.claim, claim.verdict, claim.n) == (15, verdict, IMAGES)

    def test_level_zero_takes_no_part(self, part: str, suffix: str) -> None:
        same, elsewhere = flat(0.6, noise=0), flat(0.5, noise=0)
        elsewhere[:, 0] = 100
        claim = verdicts(
            [
                curves(f"view_same_object_cosine{suffix}", same),
                curves(f"view_elsewhere_cosine{suffix}", elsewhere),
            ]
        )[f"15.{part}"]
        assert claim.value == pytest.approx(0.1)

    def test_one_form_says_nothing_of_the_other(self, part: str, suffix: str) -> None:
        claims = verdicts(
            [
                curves(f"view_same_object_cosine{suffix}", flat(0.6)),
                curves(f"view_elsewhere_cosine{suffix}", flat(0.5)),
            ]
        )
        (other,) = {"15.attention", "15.residual"} - {f"15.{part}"}
        assert claims[other].verdict == "not measured"
        assert "the records hold no view_same_object_cosine" in claims[other].sentence


@PARTS
class TestObjects:
    @pytest.mark.parametrize(
        ("late", "verdict"),
        [(0.2, "supported"), (-0.2, "contradicted"), (either(0.5, 0.2, -0.2), "undecided")],
    )
    def test_the_class_token_by_its_upper_levels_alone(
        self, part: str, suffix: str, late: np.ndarray, verdict: str
    ) -> None:
        # 12 levels above 0: the last four count, the others say the opposite.
        lift = flat(0.0)
        lift += np.where(np.arange(LEVELS) >= LEVELS - 4, 1, -3) * late
        claim = verdicts([curves(f"view_lift_class{suffix}", from_level_one(lift))])[f"16.class.{part}"]
        assert (claim.claim, claim.verdict, claim.n) == (16, verdict, IMAGES)

    @pytest.mark.parametrize(
        ("gap", "verdict"),
        [(0.1, "supported"), (-0.1, "contradicted"), (either(0.5, 0.1, -0.1), "undecided")],
    )
    def test_foreground_against_background(
        self, part: str, suffix: str, gap: np.ndarray, verdict: str
    ) -> None:
        claim = verdicts(
            [
                curves(f"view_lift_foreground{suffix}", flat(0.3) + gap),
                curves(f"view_lift_background{suffix}", flat(0.3)),
            ]
        )[f"16.foreground.{part}"]
        assert claim.verdict == verdict

    @pytest.mark.parametrize(
        ("slope", "verdict"),
        [(0.02, "supported"), (-0.02, "contradicted"), (either(0.5, 1, -1), "undecided")],
    )
    def test_strengthens_from_level_one_on(
        self, part: str, suffix: str, slope: np.ndarray, verdict: str
    ) -> None:
        lift = flat(0.1, noise=0) + slope * np.arange(LEVELS)
        lift[:, 0] = 1  # at level 0 an object patch shows itself alone
        claim = verdicts([curves(f"view_lift_foreground{suffix}", lift)])[f"16.depth.{part}"]
        assert claim.verdict == verdict
        if verdict == "supported":
            assert claim.value == pytest.approx(1)


@PARTS
class TestOcclusion:
    @pytest.mark.parametrize(
        ("condition", "kept", "verdict"),
        [
            ("salient-0.4", 0.2, "supported"),
            ("salient-0.4", 0.8, "contradicted"),
            ("salient-0.4", either(0.5, 0.3, 0.7), "undecided"),
            ("random-0.4", 0.7, "supported"),
            ("random-0.4", 0.2, "contradicted"),
            ("random-0.4", either(0.5, 0.3, 0.7), "undecided"),
            ("non-salient-1.0", 0.99, "supported"),
            ("non-salient-1.0", 0.8, "contradicted"),
            ("non-salient-1.0", either(0.5, 0.92, 0.98), "undecided"),
        ],
    )
    def test_verdicts(self, part: str, suffix: str, condition: str, kept: np.ndarray, verdict: str) -> None:
        rows = curves(f"view_retained{suffix}", from_level_one(flat(kept, noise=0.001)), condition=condition)
        claims = verdicts([rows])
        assert claims[f"17.{condition}.{part}"].verdict == verdict
        # A drop that is not in the records is said to be missing, and no other takes its place.
        missing = {"salient", "random", "non-salient"} - {condition.rpartition("-")[0]}
        for drop in missing:
            claim = claims[f"17.{drop}.{part}"]
            assert claim.verdict == "not measured"
            assert f"no condition of {drop} drop" in claim.sentence

    @pytest.mark.parametrize(
        ("gap", "verdict"),
        [(-0.1, "supported"), (0.1, "contradicted"), (either(0.5, 0.1, -0.1), "undecided")],
    )
    def test_salient_against_random_at_one_ratio(
        self, part: str, suffix: str, gap: np.ndarray, verdict: str
    ) -> None:
        kept, metric = flat(0.5), f"view_retained{suffix}"
        claims = verdicts(
            [
                curves(metric, from_level_one(kept), condition="random-0.4"),
                curves(metric, from_level_one(kept + gap), condition="salient-0.4"),
                curves(metric, from_level_one(kept - 0.3), condition="salient-0.8"),
                curves(metric, from_level_one(kept - 0.3), condition="non-salient-0.4"),
            ]
        )
        assert claims[f"17.order.0.4.{part}"].verdict == verdict
        assert f"17.order.0.8.{part}" not in claims


def test_the_claim_on_drops_rests_on_the_ratio_nearest_to_one_half() -> None:
    ratios = ("0.2", "0.4", "0.8")
    rows = [
        curves("view_retained", from_level_one(flat(1 - float(r), noise=0.001)), condition=f"{drop}-{r}")
        for r in ratios
        for drop in ("salient", "random", "non-salient")
    ]
    claims = verdicts(rows)
    roles = {id_: claim.role for id_, claim in claims.items() if claim.claim == 17}
    for drop in ("salient", "random", "non-salient", "order"):
        joined = "." if drop == "order" else "-"
        found = [roles[f"17.{drop}{joined}{r}.attention"] for r in ratios]
        assert found == ["beside", "part", "beside"], drop
    assert {role for id_, role in roles.items() if id_.endswith("residual")} == {"beside"}


class TestPosition:
    @pytest.mark.parametrize(
        ("part", "metric"),
        [
            ("tokens", "position_r2_tokens"),
            ("views.attention", "position_r2_views"),
            ("views.residual", "position_r2_views_residual"),
        ],
    )
    @pytest.mark.parametrize(
        ("last", "verdict"),
        [(0.8, "supported"), (0.2, "contradicted"), (either(0.5, 0.8, 0.2), "undecided")],
    )
    def test_the_worst_level_decides(self, part: str, metric: str, last: np.ndarray, verdict: str) -> None:
        values = flat(0.95)
        values[:, 5] = (last * np.ones((IMAGES, LEVELS)))[:, 5]
        claim = verdicts([curves(metric, from_level_one(values))])[f"19.{part}"]
        assert (claim.claim, claim.verdict) == (19, verdict)


# Five filters, of which one answers to nothing.
BOTH = {"cat1": [0.9, -0.6, 0.7, 0.8, 0.1], "dog2": [0.8, 0.5, -0.9, 0.6, -0.2]}
ONE = {"cat1": [0.9, 0.2, 0.1, 0.2, 0.1], "dog2": [0.1, 0.2, -0.9, 0.1, 0.0]}


class TestFilters:
    @pytest.mark.parametrize(
        ("share", "many", "complement"),
        [
            (1.0, "supported", "contradicted"),
            (0.0, "contradicted", "supported"),
            (0.5, "undecided", "undecided"),
        ],
    )
    def test_verdicts(self, share: float, many: str, complement: str) -> None:
        images = [BOTH if n < round(share * IMAGES) else ONE for n in range(IMAGES)]
        claims = verdicts(filters=[filtered(images)])
        assert (claims["20.many"].verdict, claims["20.complement"].verdict) == (many, complement)
        assert claims["20.many"].n == claims["20.complement"].n == IMAGES

    def test_by_hand(self) -> None:
        rng = np.random.default_rng(4)
        images: list[dict[str, list[float]]] = [
            dict(zip(("a1", "b2", "a3", "c4"), rng.uniform(-1, 1, (4, 7)).tolist(), strict=True))
            for _ in range(5)
        ]
        many, overlap = [], []
        for image in images:
            sets = [{name[0] for name, values in image.items() if abs(values[j]) >= 0.5} for j in range(7)]
            sets = [each for each in sets if each]
            many.append(np.mean([len(each) > 1 for each in sets]))
            overlap.append(np.mean([len(a & b) / len(a | b) for a, b in itertools.combinations(sets, 2)]))
        claims = verdicts(filters=[filtered(images)])
        assert claims["20.many"].value == pytest.approx(np.mean(many))
        assert claims["20.complement"].value == pytest.approx(np.mean(overlap))

    def test_two_objects_of_one_class_are_one_type(self) -> None:
        images = [{"cat1": [0.9, 0.9], "cat2": [0.9, 0.9]}] * IMAGES
        assert verdicts(filters=[filtered(images)])["20.many"].verdict == "not measured"

    def test_only_the_subject_that_was_asked_for_counts(self) -> None:
        rows = filtered([BOTH] * IMAGES, subject="random_twin")
        assert verdicts(filters=[rows])["20.many"].verdict == "not measured"
        judged = judge({"filters": table("filters", rows)}, subject="random_twin")
        assert {claim.n for claim in judged if claim.id == "20.many"} == {IMAGES}

    def test_repeated_rows_are_refused(self) -> None:
        rows = filtered([BOTH])
        with pytest.raises(ArgumentError, match="filters: must have one row for each image and object"):
            judge({"filters": table("filters", rows, rows[:1])})
