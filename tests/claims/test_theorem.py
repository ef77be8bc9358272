"""Claims 1 to 3 on planted steps and diameters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import beta

from .planted import BLOCKS, CLUSTERS, HEADS, IMAGES, RUNGS, curves, either, steps, trend, verdicts, whole

FORMS = pytest.mark.parametrize(("form", "suffix"), [("simplified", ""), ("per_head", ".per_head")])


class TestWhole:
    @pytest.mark.parametrize("form", ["simplified", "per_head"])
    def test_supported(self, form: str):
        claim = verdicts(stepped=[whole(form)])[f"1.{form}"]
        heads = HEADS if form == "per_head" else 1
        assert (claim.verdict, claim.value, claim.ci_low, claim.n) == ("supported", 0, 0, IMAGES)
        # None of n: the exact upper limit is 1 - 0.025^(1/n).
        assert claim.ci_high == pytest.approx(1 - 0.025 ** (1 / IMAGES))
        assert f"{IMAGES * BLOCKS * heads} steps" in claim.sentence

    @pytest.mark.parametrize("form", ["simplified", "per_head"])
    def test_one_violation_contradicts(self, form: str):
        head = 1 if form == "per_head" else -1
        held = whole(form, holds=lambda row: (row["image"], row["block"], row["head"]) != (3, 2, head))
        claim = verdicts(stepped=[held])[f"1.{form}"]
        assert (claim.verdict, claim.value) == ("contradicted", pytest.approx(1 / IMAGES))
        assert claim.sentence.startswith("Contradicted: 1 of ")
        assert claim.ci_low == pytest.approx(beta.ppf(0.025, 1, IMAGES))
        assert claim.ci_high == pytest.approx(beta.ppf(0.975, 2, IMAGES - 1))

    def test_two_violations_on_one_image_are_one_image(self):
        held = whole(holds=lambda row: row["image"] != 3 or row["block"] > 2)
        claim = verdicts(stepped=[held])["1.simplified"]
        assert claim.value == pytest.approx(1 / IMAGES)
        assert f"2 of {IMAGES * BLOCKS} steps" in claim.sentence

    def test_clusters_and_the_other_form_say_nothing(self):
        claims = verdicts(stepped=[whole("per_head"), steps(holds=False)])
        assert (claims["1.simplified"].verdict, claims["1.simplified"].value) == ("not measured", None)
        assert "all tokens" in claims["1.simplified"].sentence
        assert claims["1.per_head"].verdict == "supported"


class TestTheorem:
    @FORMS
    def test_each_equation_by_itself(self, form: str, suffix: str):
        held = steps(form, holds=lambda row: row["rung"] != "paper_appendix" or row["image"] != 5)
        claims = verdicts(stepped=[held])
        assert claims[f"2.paper_main{suffix}"].verdict == "supported"
        assert claims[f"2.paper_appendix{suffix}"].verdict == "contradicted"
        assert claims[f"2.paper_appendix{suffix}"].value == pytest.approx(1 / IMAGES)

    def test_not_measured(self):
        claims = verdicts(stepped=[steps(rungs=["sharp"])])
        assert {claims[f"2.paper_{name}"].verdict for name in ("main", "appendix")} == {"not measured"}
        assert "paper_main" in claims["2.paper_main"].sentence


class TestMechanism:
    @FORMS
    def test_both_fall(self, form: str, suffix: str):
        claims = verdicts(stepped=[steps(form, eps_upper=lambda row: 0.1 / row["block"])])
        for name in ("eps_upper", "m_eps_upper"):
            claim = claims[f"2.{name}{suffix}"]
            assert (claim.verdict, claim.value, claim.n) == ("supported", pytest.approx(-1), IMAGES)

    @FORMS
    def test_the_mass_can_rise_where_the_weight_falls(self, form: str, suffix: str):
        stepped = steps(
            form, eps_upper=lambda row: 0.1 / row["block"], outside=lambda row: 2 * row["block"] ** 2
        )
        claims = verdicts(stepped=[stepped])
        assert claims[f"2.eps_upper{suffix}"].verdict == "supported"
        assert claims[f"2.m_eps_upper{suffix}"].verdict == "contradicted"

    def test_undecided(self):
        rise_or_fall = steps(eps_upper=lambda row: 0.1 + 0.01 * row["block"] * (-1) ** row["image"])
        claim = verdicts(stepped=[rise_or_fall])["2.eps_upper"]
        assert claim.verdict == "undecided"
        assert claim.value == pytest.approx(1 / IMAGES)
        assert "four times in five" in claim.sentence

    def test_a_constant_has_no_trend(self):
        claim = verdicts(stepped=[steps()])["2.eps_upper"]
        assert (claim.verdict, claim.value) == ("undecided", 0)

    def test_lone_tokens_and_whole_clusters_do_not_count(self):
        stepped = steps(
            eps_upper=lambda row: (
                (0.1, 0.9, 0.0)[row["cluster"]] * (1, row["block"], 1)[row["cluster"]]
                if row["cluster"]
                else 0.1 / row["block"]
            ),
            tokens=lambda row: (5, 1, 17)[row["cluster"]],
            outside=lambda row: (12, 16, 0)[row["cluster"]],
        )
        claim = verdicts(stepped=[stepped])["2.eps_upper"]
        assert (claim.verdict, claim.value) == ("supported", pytest.approx(-1))

    def test_clusters_without_an_outside_have_no_weight_across(self):
        claims = verdicts(stepped=[steps(outside=0, eps_upper=0.0)])
        assert {claims[f"2.{name}"].verdict for name in ("eps_upper", "m_eps_upper")} == {"not measured"}

    def test_images_that_miss_a_block_are_left_out(self):
        rows = [row for row in steps() if row["image"] != "image-4" or row["block"] != 2]
        assert verdicts(stepped=[rows])["2.eps_upper"].n == IMAGES - 1
        one_block = [row for row in rows if row["block"] == 1]
        assert verdicts(stepped=[one_block])["2.eps_upper"].verdict == "not measured"


class TestShrinking:
    @pytest.mark.parametrize("name", ["raw", "relative", "angular"])
    @pytest.mark.parametrize(
        ("values", "verdict", "value"),
        [
            (trend(-1.0, start=50), "supported", 1.0),
            (trend(1.0, start=50), "contradicted", 0.0),
            (either(0.5, trend(-1.0, start=50), trend(1.0, start=50)), "undecided", 14 / 29),
        ],
        ids=["shrink", "grow", "mixed"],
    )
    def test_levels(self, name: str, values: np.ndarray, verdict: str, value: float):
        claim = verdicts([curves(f"{name}_diameter", values)])[f"3.{name}"]
        assert (claim.verdict, claim.value, claim.n) == (verdict, pytest.approx(value), IMAGES)

    def test_the_share_of_blocks_by_hand(self):
        # Falls, falls, stays, rises: 2 of 4.
        values = np.tile([9.0, 8.0, 7.0, 7.0, 8.0], (IMAGES, 1))
        claim = verdicts([curves("raw_diameter", values)])["3.raw"]
        assert (claim.value, claim.verdict) == (0.5, "undecided")

    @pytest.mark.parametrize("form", ["simplified", "per_head"])
    @pytest.mark.parametrize(
        ("shrinks", "verdict", "value"),
        [
            (lambda row: row["cluster"] != 1, "supported", 2 / 3),
            (lambda row: row["cluster"] == 1, "contradicted", 1 / 3),
            (lambda row: row["image"] % 2 == 0, "undecided", 15 / 29),
        ],
        ids=["most", "few", "mixed"],
    )
    def test_steps(self, form: str, shrinks: Any, verdict: str, value: float):
        # Rows of different steps outnumber each other by rung; a step still counts once.
        few = [
            row
            for row in steps(form, shrinks=shrinks)
            if row["cluster"] != 1 or row["rung"] in ("sharp", "linear")
        ]
        claim = verdicts(stepped=[few, whole(form)])[f"3.{form}"]
        assert (claim.verdict, claim.value) == (verdict, pytest.approx(value))

    def test_every_head_counts(self):
        stepped = steps("per_head", shrinks=lambda row: row["head"] == 0 or row["cluster"] == 0)
        assert verdicts(stepped=[stepped])["3.per_head"].value == pytest.approx(2 / 3)

    def test_images_weigh_alike_however_many_steps_they_have(self):
        many = steps(shrinks=lambda row: row["image"] < 20)
        lean = [row for row in many if int(row["image"].split("-")[1]) < 20 or row["block"] == 1]
        assert verdicts(stepped=[lean])["3.simplified"].value == pytest.approx(20 / 29)

    def test_not_measured(self):
        claims = verdicts()
        for name in ("raw", "relative", "angular", "simplified", "per_head"):
            assert claims[f"3.{name}"].verdict == "not measured"
        assert "raw_diameter" in claims["3.raw"].sentence
        one_level = verdicts([curves("raw_diameter", np.ones((IMAGES, 1)))])["3.raw"]
        assert one_level.verdict == "not measured"


class TestCertified:
    @FORMS
    def test_each_rung_by_itself(self, form: str, suffix: str):
        shares = {"sharp": 1 / 3, "overlap": 2 / 3, "cluster_dobrushin": 1.0}
        stepped = steps(
            form, certified=lambda row: row["cluster"] < round(shares.get(row["rung"], 0) * CLUSTERS)
        )
        claims = verdicts(stepped=[stepped, whole(form)])
        assert not any("contraction" in name for name in claims)
        for rung in RUNGS:
            claim = claims[f"3.certified.{rung}{suffix}"]
            assert claim.value == pytest.approx(shares.get(rung, 0))
            assert claim.verdict == ("supported" if shares.get(rung, 0) > 0.5 else "contradicted")

    def test_undecided(self):
        stepped = steps(certified=lambda row: row["image"] % 2 == 0)
        assert verdicts(stepped=[stepped])["3.certified.sharp"].verdict == "undecided"

    def test_lone_tokens_do_not_count(self):
        stepped = steps(
            certified=lambda row: row["cluster"] == 0, tokens=lambda row: 5 if row["cluster"] == 0 else 1
        )
        assert verdicts(stepped=[stepped])["3.certified.sharp"].value == 1

    def test_not_measured(self):
        claims = verdicts()
        assert {claims[f"3.certified.paper_{name}"].verdict for name in ("main", "appendix")} == {
            "not measured"
        }


class TestClaims:
    """What the parts make of claims 1 to 3."""

    BOTH = ("simplified", "per_head")

    def of(self, *, holds: bool = True, falls: bool = True, shrinks: Any = True, levels: float = -1.0):
        stepped = [
            steps(
                form,
                holds=lambda row: holds or row["image"] != 3,
                shrinks=shrinks,
                eps_upper=lambda row: 0.1 / row["block"] if falls else 0.1 * row["block"],
            )
            for form in self.BOTH
        ]
        stepped += [whole(form, holds=lambda row: holds or row["image"] != 3) for form in self.BOTH]
        claims = verdicts([curves("relative_diameter", trend(levels, start=50))], stepped)
        return [claims[id_].verdict for id_ in "123"]

    def test_supported(self):
        assert self.of() == ["supported"] * 3

    def test_contradicted(self):
        assert self.of(holds=False) == ["contradicted", "contradicted", "supported"]
        assert self.of(falls=False) == ["supported", "contradicted", "supported"]
        assert self.of(shrinks=False) == ["supported", "supported", "contradicted"]
        assert self.of(levels=1.0) == ["supported", "supported", "contradicted"]

    def test_undecided(self):
        assert self.of(shrinks=lambda row: row["image"] % 2 == 0) == ["supported", "supported", "undecided"]

    def test_raw_diameters_that_grow_do_not_contradict(self):
        measured = [
            curves("relative_diameter", trend(-1.0, start=50)),
            curves("raw_diameter", trend(1.0, start=50)),
        ]
        claims = verdicts(measured, [steps(form) for form in self.BOTH])
        assert (claims["3"].verdict, claims["3.raw"].verdict) == ("supported", "contradicted")
        assert claims["3.raw"].role == "beside"
