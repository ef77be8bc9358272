"""What claims 11 to 13 say of every ratio of a drop: one part a metric, averaged, and each ratio beside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from attnclust.claims import CLAIMS, Claim
from attnclust.claims._evidence import MARGIN, Sampled
from attnclust.claims._measured import measure
from attnclust.claims._metrics import non_salient_drop, random_drop, salient_drop
from attnclust.claims._ratios import OverRatios
from attnclust.claims._separation import barely_separate, separate_earlier
from attnclust.claims._tables import Records
from attnclust.claims._verdict import settle
from attnclust.records import MODEL
from attnclust.statistics import CONFIDENCE

from .planted import LEVELS, Rows, curves, table, trend

METRICS = ("purity", "silhouette", "in_cluster_cosine", "in_object_cosine", "unique_label_ratio")
FEW = 21
"""As many images as pass the selection in the sample of real ones."""
UP = trend(0.02, images=FEW)
RATIOS = {
    11: ("random", ("0.2", "0.4", "0.6", "0.8")),
    12: ("salient", ("0.2", "0.4", "0.6", "0.8")),
    13: ("non-salient", ("0.2", "0.4", "0.6", "0.8", "1.0")),
}
CODE = {
    11: (random_drop, barely_separate),
    12: (salient_drop,),
    13: (non_salient_drop, separate_earlier),
}
NAN = np.nan


class TestAverage:
    NUMBERS = OverRatios(
        "random",
        {
            "random-0.2": np.array([1.0, 3.0, NAN, NAN]),
            "random-0.8": np.array([-2.0, NAN, -4.0, NAN]),
        },
    )

    def test_an_image_counts_with_the_ratios_that_it_has(self):
        assert self.NUMBERS.mean().tolist() == [-0.5, 3.0, -4.0]

    def test_opposite_numbers_cancel(self):
        numbers = OverRatios("d", {"d-1": np.array([5.0, -1.0, 0.0]), "d-2": np.array([-5.0, 2.0, 8.0])})
        assert numbers.mean().tolist() == [0.0, 0.5, 4.0]

    def test_says_which_ratios_were_measured(self):
        assert "r = 0.2, 0.8, where measured" in self.NUMBERS.words
        some = replace(self.NUMBERS, numbers={**self.NUMBERS.numbers, "random-1.0": np.full(4, NAN)})
        assert some.words == self.NUMBERS.words
        assert some.mean().tolist() == self.NUMBERS.mean().tolist()

    def test_nothing_at_all(self):
        assert OverRatios("salient", {}).mean().size == 0
        none = OverRatios("salient", {"salient-0.2": np.full(3, NAN)})
        assert none.mean().size == 0
        assert "r = 0.2," in none.words


def clean() -> list[Rows]:
    reached = np.minimum(np.arange(LEVELS) / 8, 1) + np.zeros((FEW, 1))
    return [*(curves(metric, UP) for metric in METRICS), curves("object_silhouette", reached)]


def under(claim: int, metric: str, values: Callable[[int], np.ndarray | float]) -> list[Rows]:
    """A metric's curves at each ratio of the claim's drop, from the ratio's place among them."""
    drop, ratios = RATIOS[claim]
    return [
        curves(metric, values(place) + np.zeros((FEW, LEVELS)), condition=f"{drop}-{ratio}")
        for place, ratio in enumerate(ratios)
    ]


def faint(slope: float) -> Callable[[int], np.ndarray]:
    """Curves with a slope under much noise, anew at every ratio; they fall with the ratio."""
    rng = np.random.default_rng(3)
    rise = slope * np.arange(LEVELS)
    return lambda place: 0.3 - 0.1 * place + rise + 0.05 * rng.normal(size=(FEW, LEVELS))


def scattered(change: float) -> Callable[[int], np.ndarray]:
    """The clean curves moved, an image by its own at every ratio: about `change`."""
    rng = np.random.default_rng(4)
    return lambda _: UP + change + rng.normal(0, 0.08, size=(FEW, 1))


def later(levels: int) -> Callable[[int], np.ndarray]:
    """Objects separate by so many levels later than in clean, give or take four."""
    rng = np.random.default_rng(6)
    return lambda _: (np.arange(LEVELS) >= 4 + levels + rng.integers(-4, 5, size=(FEW, 1))) * 1.0


def eleven(slope: float) -> list[Rows]:
    depth = faint(slope)
    rows = [row for metric in METRICS for row in under(11, metric, depth)]
    apart = trend(0.0, start=0.0, images=FEW)
    return [*clean(), *rows, curves("object_background_silhouette", apart, condition="random-0.8")]


def twelve(slope: float, change: float) -> list[Rows]:
    return [
        *clean(),
        *under(12, "purity", lambda place: UP - 0.1 * (place + 1)),
        *under(12, "in_object_cosine", faint(slope)),
        *under(12, "unique_label_ratio", scattered(change)),
    ]


def thirteen(change: float, levels: int) -> list[Rows]:
    near = scattered(change)
    return [
        *clean(),
        *(row for metric in METRICS[:-1] for row in under(13, metric, near)),
        *under(13, "unique_label_ratio", lambda place: UP + 0.1 * (place + 1)),
        *under(13, "object_silhouette", later(levels)),
    ]


RECORDS: list[tuple[int, list[Rows], str]] = [
    (11, eleven(0.003), "supported"),
    (11, eleven(-0.003), "contradicted"),
    (12, twelve(0.003, 0.0), "supported"),
    (12, twelve(-0.002, 0.0), "contradicted"),
    (12, twelve(0.003, 0.09), "contradicted"),
    (12, twelve(0.003, -0.09), "contradicted"),
    (13, thirteen(0.0, -2), "supported"),
    (13, thirteen(0.1, -2), "contradicted"),
    (13, thirteen(0.0, 2), "contradicted"),
]


def evidence(claim: int, rows: list[Rows]) -> list[Sampled]:
    records = Records(MODEL, {"measurements": table("measurements", *rows)})
    parts = [part for code in CODE[claim] for part in code(records) if part.claim == claim]
    return [part for part in parts if isinstance(part, Sampled)]


def judged(parts: list[Sampled]) -> dict[str, Claim]:
    """Beside the other 21 claims of a run, none of which is decided."""
    number, lots = parts[0].claim, np.array([-1.0, 1.0] * 10)
    others = [Sampled(f"{n}", n, "It rises.", "The lots", lots, low=0) for n in CLAIMS if n != number]
    return {row.id: row for row in settle([*parts, *others], subject=MODEL)}


@pytest.mark.parametrize(("number", "rows", "verdict"), RECORDS)
def test_21_images_decide_by_averages_what_they_leave_open_ratio_by_ratio(
    number: int, rows: list[Rows], verdict: str
):
    parts = evidence(number, rows)
    assert judged(parts)[str(number)].verdict == verdict
    # The same claim as one part for each ratio, in place of the averages.
    averages = {part.id for part in parts if "where measured" in part.statistic}
    ratios = {part.id for part in parts if not part.primary and "among" not in part.id} - averages
    apart = [
        replace(part, primary=part.id in ratios or (part.primary and part.id not in averages))
        for part in parts
    ]
    assert len(averages & {part.id for part in parts if part.primary}) == {11: 5, 12: 2, 13: 5}[number]
    assert judged(apart)[str(number)].verdict == "undecided"


class TestParts:
    def test_one_a_metric_and_every_ratio_beside(self):
        for number, rows, parts in (
            (11, eleven(0.003), [f"{m}.{what}" for m in METRICS for what in ("ratio", "depth")]),
            (12, twelve(0.003, 0.0), ["purity.ratio", "in_object_cosine.depth", "unique_label_ratio.change"]),
            (13, thirteen(0.0, -2), ["unique_label_ratio.ratio", *(f"{m}.change" for m in METRICS[:-1])]),
        ):
            last = [] if number == 12 else ["separation"]
            claims = [row for row in judged(evidence(number, rows)).values() if row.claim == number]
            by_role = {
                role: [row.id.partition(".")[2] for row in claims if row.role == role]
                for role in ("part", "beside")
            }
            assert by_role["part"] == [*parts, *last]
            drop, ratios = RATIOS[number]
            for ratio in ratios:
                beside = [name for name in by_role["beside"] if name.endswith(f"{drop}-{ratio}")]
                assert len(beside) == {11: 5, 12: 2, 13: 6}[number]

    def test_depth_is_the_mean_of_each_ratios_rho(self):
        levels = np.arange(LEVELS)
        up, down = levels + np.zeros((FEW, 1)), -levels + np.zeros((FEW, 1))
        some = np.where(np.arange(FEW)[:, None] < 6, down, up)
        some[20] = np.nan  # the last image was not measured under random-0.8
        parts = evidence(11, [curves("purity", up, condition="random-0.2"),
                              curves("purity", up, condition="random-0.4"),
                              curves("purity", some, condition="random-0.8")])  # fmt: skip
        row = judged(parts)["11.purity.depth"]
        assert (row.n, row.value) == (FEW, pytest.approx((6 / 3 + 15) / FEW))
        assert "r = 0.2, 0.4, 0.8" in row.statistic
        assert judged(parts)["11.purity.depth.random-0.8"].n == FEW - 1

    def test_depth_says_what_it_could_have_found(self):
        levels = np.arange(LEVELS)
        up = levels + np.zeros((20, 1))
        half = np.where(np.arange(20)[:, None] < 10, levels, -levels)
        rows = [curves("purity", up), *(curves("purity", v, condition=c) for c, v in
                                        (("random-0.2", up), ("random-0.8", half)))]  # fmt: skip
        claims = judged(evidence(11, rows))
        # Averages 1 and 0, ten each; level 0.05 / 2 beside the part about the ratio.
        spread = np.sqrt(20 * 0.25 / 19)
        expected = (2.241403 + 0.841621) * spread / np.sqrt(20)
        assert claims["11.purity.depth"].detectable == pytest.approx(expected, rel=1e-6)

    def test_separation_is_the_mean_over_ratios_of_levels(self):
        def reaching(steps: int) -> np.ndarray:
            return np.minimum(np.arange(LEVELS) / steps, 1) + np.zeros((FEW, 1))

        ratios = {
            "non-salient-0.2": reaching(4),
            "non-salient-0.6": reaching(2),
            "non-salient-1.0": reaching(12),
        }
        ratios["non-salient-1.0"][3, 5] = np.nan  # a hole in one image at one ratio
        rows = [curves("object_silhouette", curve, condition=c) for c, curve in ratios.items()]
        claims = judged(evidence(13, [curves("object_silhouette", reaching(8)), *rows]))
        # Half of clean's rise is reached at level 4, here at 2, 1 and 6; without the last, 2.5 earlier.
        assert claims["13.separation"].value == pytest.approx((20 * (-2 - 3 + 2) / 3 - 2.5) / FEW)
        assert (claims["13.separation"].n, claims["13.separation.non-salient-1.0"].n) == (FEW, FEW - 1)


class TestWhatAnAverageHides:
    """It shows in the rows beside, and the claim's sentence counts them."""

    def test_a_metric_that_falls_at_one_ratio_of_four(self):
        down = trend(-0.02, images=FEW)
        rows = [
            *clean(),
            *under(12, "purity", lambda place: UP - 0.1 * (place + 1)),
            *under(12, "in_object_cosine", lambda place: down if place == 3 else UP),
            *under(12, "unique_label_ratio", lambda _: UP),
        ]
        claims = judged(evidence(12, rows))
        assert claims["12"].verdict == "supported"
        assert claims["12.in_object_cosine.depth"].verdict == "supported"
        assert claims["12.in_object_cosine.depth.salient-0.8"].verdict == "contradicted"
        assert "Beside it: 7 supported, 1 contradicted." in claims["12"].sentence

    def test_up_at_two_ratios_and_down_at_two(self):
        rows = [
            *clean(),
            *under(12, "purity", lambda place: UP - 0.1 * (place + 1)),
            *under(12, "in_object_cosine", lambda _: UP),
            *under(12, "unique_label_ratio", lambda place: UP + (0.1 if place < 2 else -0.1)),
        ]
        claims = judged(evidence(12, rows))
        row = claims["12.unique_label_ratio.change"]
        assert (row.verdict, row.value) == ("supported", pytest.approx(0, abs=1e-12))
        assert "averaged over its ratios" in row.statement
        beside = [claims[f"12.unique_label_ratio.salient-{ratio}"] for ratio in RATIOS[12][1]]
        assert [row.verdict for row in beside] == ["contradicted"] * 4
        assert [row.value for row in beside] == pytest.approx([0.1, 0.1, -0.1, -0.1])
        assert claims["12"].verdict == "supported"
        assert "Beside it: 4 supported, 4 contradicted." in claims["12"].sentence

    def test_images_that_scatter_about_no_change_are_none(self):
        either_way = np.resize([-0.06, 0.06], (20, 1))
        clean_ = [curves(metric, UP[:20]) for metric in METRICS]
        rows = under(12, "unique_label_ratio", lambda _: np.vstack([UP[:20] + either_way, UP[20:] * np.nan]))
        row = judged(evidence(12, [*clean_, *rows]))["12.unique_label_ratio.change"]
        assert (row.verdict, row.value, row.n) == ("supported", pytest.approx(0, abs=1e-12), 20)


@pytest.mark.parametrize("noise", [0.05, 0.15])
def test_a_change_of_just_the_margin_is_decided_no_oftener_than_it_may(noise: float):
    """Images that are moved alike at every ratio, so that chance moves all ratios together, in 400 runs.

    Of the true changes, 0.05 on average, half are so small that chance may turn their direction.
    """
    rng, runs = np.random.default_rng(8), 400
    level = 1 - CONFIDENCE
    parts: list[Sampled] = []
    for run in range(runs):
        shared = rng.normal(0, noise, size=FEW)
        changes = {f"d-{r}": change + shared for r, change in enumerate((0.02, 0.08, 0.02, 0.08))}
        values = OverRatios("d", changes).mean()
        parts.append(Sampled(f"{run}", 12, "It hardly changes.", "", values, low=-MARGIN, high=MARGIN))
    measured = measure(parts, seed=0).values()
    most = runs * level + 3 * np.sqrt(runs * level * (1 - level))
    assert sum(part.inside <= level for part in measured) <= most
    assert sum(part.outside <= level for part in measured) <= most
