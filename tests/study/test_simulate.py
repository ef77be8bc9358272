"""Simulations of the study: reproducible, complete, true to what theory says of each experiment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attnclust.command import violations
from attnclust.records import read_results, read_table, to_table
from attnclust.study.simulate import (
    PHASE_RUNS,
    RUNS,
    SPREADS,
    TEMPERATURES,
    VARIANTS,
    simulation_rows,
    write_simulations,
)

Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def rows() -> Rows:
    return simulation_rows(0)


def curve(rows: Rows, experiment: str, series: str, quantity: str, what: str = "median") -> np.ndarray:
    chosen = [
        row
        for row in rows["simulated_curves"]
        if (row["experiment"], row["series"], row["quantity"]) == (experiment, series, quantity)
    ]
    assert [row["level"] for row in chosen] == list(range(len(chosen)))
    assert chosen
    return np.array([row[what] for row in chosen])


def test_the_seed_decides_everything(rows: Rows, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        simulation_rows.cache_clear()
        write_simulations(tmp_path / folder, seed=0)
    write_simulations(tmp_path / "b", seed=0)  # a second try writes over the first
    for name in rows:
        assert (tmp_path / "a" / f"{name}.parquet").read_bytes() == (
            tmp_path / "b" / f"{name}.parquet"
        ).read_bytes()
        assert read_table(tmp_path / "a", name).equals(to_table(name, rows[name]))
    other = simulation_rows.__wrapped__(1)
    assert all(
        rows[f"simulated_{name}"] != other[f"simulated_{name}"] for name in ("curves", "tokens", "phases")
    )


def test_no_bound_is_broken(rows: Rows) -> None:
    checks = rows["simulated_checks"]
    assert sum(row["checked"] for row in checks) > 100_000
    assert not any(row["violations"] for row in checks)
    assert {row["form"] for row in checks} == {"step", "composed"}


def test_bands_hold_their_medians(rows: Rows) -> None:
    for row in rows["simulated_curves"]:
        assert row["low"] <= row["median"] <= row["high"]
        assert row["runs"] == RUNS


def test_collapse_has_two_stages(rows: Rows) -> None:
    within = curve(rows, "stages", "within clusters", "diameter")
    between = curve(rows, "stages", "between clusters", "diameter")
    assert within[4] < 1e-2 * within[0]
    assert between[4] > between[0]
    assert (curve(rows, "stages", "number of clusters", "count")[3:9] == 3).all()


def test_kinds_of_layer_differ_as_theory_says(rows: Rows) -> None:
    raw = {name: curve(rows, "variants", name, "raw_diameter") for name in VARIANTS}
    relative = {name: curve(rows, "variants", name, "relative_diameter") for name in VARIANTS}
    starts = {name: curves[0] for name, curves in raw.items()}
    assert len(set(starts.values())) == 1
    assert (raw["residual"][1:] > raw["residual"][0]).all()
    assert relative["residual"][-1] < 1e-2 * relative["residual"][0]
    assert relative["causal mask"][-1] > 0.5 * relative["causal mask"][0]
    assert relative["simplified layer"][6] < 1e-6
    tokens = [row for row in rows["simulated_tokens"] if row["series"] == "causal mask" and row["token"] == 0]
    assert len({(row["x"], row["y"]) for row in tokens}) == 1
    circle = [row for row in rows["simulated_tokens"] if row["series"] == "LayerNorm" and row["level"] > 2]
    np.testing.assert_allclose([row["x"] ** 2 + row["y"] ** 2 for row in circle], 3, rtol=1e-4)


def test_the_ladder_stands_in_order_over_depth(rows: Rows) -> None:
    order = ("measured", "block_transport", "cluster_dobrushin", "overlap", "sharp", "product", "linear")
    for what in ("median", "low", "high"):
        curves = [curve(rows, "ladder", name, "share_of_start", what) for name in order]
        for better, worse in zip(curves, curves[1:], strict=False):  # noqa: RUF007
            assert (better <= worse + 1e-9).all()
    assert (curve(rows, "ladder", "paper_main", "share_of_start") >= 1).all()
    assert curve(rows, "ladder", "cluster_dobrushin", "share_of_start")[-1] < 1e-6


def test_sharp_attention_keeps_more_clusters(rows: Rows) -> None:
    last = [curve(rows, "emergence", f"β = {beta}", "count")[-1] for beta in (1, 4, 16)]
    assert last[0] == 1
    assert sorted(last) == last
    assert last[2] > last[0]


def test_the_phase_picture(rows: Rows) -> None:
    share = {
        (row["quantity"], round(np.log10(row["temperature"]), 6), round(np.log10(row["spread"]), 6)): row[
            "share"
        ]
        for row in rows["simulated_phases"]
    }
    assert len(share) == 3 * len(TEMPERATURES) * len(SPREADS)
    assert {row["clusters"] for row in rows["simulated_phases"]} == {2 * PHASE_RUNS}
    for (quantity, heat, spread), value in share.items():
        if quantity == "shrinks":
            assert heat > np.log10(4) or value == 1  # cluster_cubic
            assert value >= share["cluster_dobrushin", heat, spread] >= share["sharp", heat, spread]
    assert min(value for (quantity, *_), value in share.items() if quantity == "shrinks") < 0.5


def test_a_study_holds_them_and_their_summary(finished: Path) -> None:
    for name in ("curves", "tokens", "phases", "checks"):
        assert read_table(finished, f"simulated_{name}").num_rows
    results = read_results(finished)
    assert results["simulator"]["composed"]["sharp"]["checked"] > 0
    assert violations(results) == 0
    results["simulator"]["composed"]["sharp"]["violations"] = 2
    assert violations(results) == 2
