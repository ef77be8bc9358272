"""The theorem and the stage ledger inside a really trained model, row by row."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn import cluster

from attnclust.data import VOCObjects
from attnclust.geometry import cluster_diameters
from attnclust.models import open_model
from attnclust.records import (
    DBSCAN,
    MODEL,
    OBJECTS,
    PER_HEAD,
    RANDOM,
    SIMPLIFIED,
    read_results,
    read_table,
)
from attnclust.study.collect import SHARD, collect
from attnclust.study.ledger import ledger_rows
from attnclust.study.partitions import control_partitions, of_objects
from attnclust.study.prepare import View, to_input, views_of
from attnclust.study.settings import open_data
from attnclust.study.shards import Progress
from attnclust.study.subject import Subject
from attnclust.study.theorem import theorem_rows
from attnclust.verify import verify
from attnclust.vit import Trace, stream, trace
from tests.study.conftest import SMALL, small

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def real(real_data: Path) -> tuple[Any, View, Trace]:
    """DeiT-Tiny, the first real image that passes the selection, and its trace."""
    weights = real_data / "weights" / "deit_tiny_patch16_224.safetensors"
    loaded = open_model("deit_tiny_patch16_224", checkpoint=weights)
    samples = VOCObjects(real_data / "VOCdevkit" / "VOC2007")
    every = (views_of(sample, ("clean",), size=loaded.size, grid=(14, 14), seed=0)[0] for sample in samples)
    view = next(view for view in every if view.selection.reason is None)
    traced = trace(loaded.model, to_input([view.pixels], loaded, CPU), attention="heads", values=True)
    return loaded, view, traced


def _step(traced: Trace, block: int) -> tuple[np.ndarray, np.ndarray]:
    assert traced.attention is not None
    assert traced.values is not None
    heads = traced.attention[block - 1][0].double().numpy()
    return heads / heads.sum(axis=-1, keepdims=True), traced.values[block - 1][0].double().numpy()


def test_random_partitions_have_the_objects_sizes_and_dbscans_are_scikit_learns(real: Any) -> None:
    _, view, traced = real
    objects = of_objects(view, (14, 14), 1)
    seen = set()
    for block in (1, 2):
        tokens = traced.levels[block - 1][0].double().numpy()
        found = control_partitions(view, tokens, (14, 14), 1, block=block)
        again = control_partitions(view, tokens, (14, 14), 1, block=block)
        np.testing.assert_array_equal(found[RANDOM].labels, again[RANDOM].labels)
        assert sorted(found[RANDOM].labels) == sorted(objects.labels)
        assert (found[RANDOM].labels != objects.labels).sum() > 20
        assert found[RANDOM].labels[0] == -1
        seen.add(found[RANDOM].labels.tobytes())
        patches = tokens[1:]
        eps = np.mean(
            [
                np.mean([np.linalg.norm(patches[a] - patches[b]) for a, b in pairwise(own)])
                for own in view.selection.objects.values()
            ]
        )
        expected = cluster.DBSCAN(eps=float(eps), min_samples=3).fit_predict(patches)
        np.testing.assert_array_equal(found[DBSCAN].labels[1:], expected)
    assert len(seen) == 2, "dealt anew for every block"


def test_every_image_is_tested_on_all_partitions_beyond_the_first_shard_too() -> None:
    settings = small(limit=SHARD + 1, conditions=("clean",))
    subject = Subject(MODEL, open_model(SMALL, random_weights=True), CPU)
    data, grid = open_data(settings), subject.layout().grid
    measured: dict[tuple[str, str], set[str]] = {}
    for rows, _ in collect(settings, data, [], [subject], grid, Progress()):
        for row in rows["steps"]:
            assert row["holds"]
            if row["cluster"] >= 0:
                measured.setdefault((row["form"], row["partition"]), set()).add(row["image"])
    assert set(measured) == {
        (form, partition) for form in (PER_HEAD, SIMPLIFIED) for partition in (OBJECTS, DBSCAN, RANDOM)
    }
    images = measured[PER_HEAD, OBJECTS]
    assert len(images) == SHARD + 1
    assert all(found == images for found in measured.values())


def test_pooled_rows_are_verifys_own(real: Any) -> None:
    """One range for all clusters, as the paper has it."""
    loaded, view, traced = real
    images = to_input([view.pixels], loaded, CPU)
    level = next(
        each for each in stream(loaded.model, images, attention="heads", values=True) if each.index == 5
    )
    before = traced.levels[4][0].double()
    rows = [
        row
        for row in theorem_rows(MODEL, view, level, before, 0, controls=False)
        if row["form"] == "per_head" and row["partition"] == OBJECTS and row["pooled"]
    ]
    labels, names = view.labels((14, 14), 1)
    expected = verify(*_step(traced, 5), labels, pooled=True, clusters=len(names))
    assert {row["rung"] for row in rows} == {"paper_main", "paper_appendix", "linear", "product", "sharp"}
    for row in rows:
        place = row["head"], row["cluster"]
        assert row["bound"] == pytest.approx(expected.bounds[row["rung"]][place], rel=1e-12)
        assert row["eps_upper"] == expected.eps_upper[place]
        assert (row["holds"], row["certified"]) == (True, expected.certified[row["rung"]][place])


@pytest.fixture(scope="module")
def ledger(real: Any) -> list[dict[str, Any]]:
    loaded, view, _ = real
    return list(ledger_rows(loaded, CPU, [view]))


def test_the_ledgers_outputs_are_the_levels_and_its_values_the_heads(ledger: Any, real: Any) -> None:
    _, view, traced = real
    labels, names = view.labels((14, 14), 1)
    for block in range(1, 13):
        for stage, level in (("input", block - 1), ("output", block)):
            expected = cluster_diameters(traced.levels[level][0].double().numpy(), labels)
            found = [
                _only(ledger, block, stage, -1, cluster)["raw_diameter"] for cluster in range(len(names))
            ]
            np.testing.assert_allclose(found, expected, rtol=1e-5)
        for head in range(3):
            expected = cluster_diameters(_step(traced, block)[1][head], labels)
            found = [
                _only(ledger, block, "values", head, cluster)["raw_diameter"] for cluster in range(len(names))
            ]
            np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_every_stage_obeys_its_bound_and_no_bound_is_vast(ledger: Any) -> None:
    """The stages are the model's own float32; 1e-4 is far above what its sums of 768 products may lose."""
    bounded = [row for row in ledger if not np.isnan(row["bound"])]
    assert {row["stage"] for row in bounded} == {
        "norm1", "values", "projection", "residual", "norm2", "mlp", "output"
    }  # fmt: skip
    ratios = np.array([row["raw_diameter"] / row["bound"] for row in bounded])
    assert ratios.max() <= 1 + 1e-4
    for stage, most in (("residual", 4), ("norm1", 4), ("values", 8), ("projection", 8)):
        own = [row["bound"] / row["raw_diameter"] for row in bounded if row["stage"] == stage]
        assert np.median(own) < most, stage


def test_the_summary_of_objects_alone_leaves_the_background_out(finished: Path) -> None:
    rows = read_table(finished, "stages").to_pylist()
    found = read_results(finished)["layers"]["stages"]["objects"]
    last = max(row["block"] for row in rows)
    for quantity in ("raw", "relative", "angular"):
        assert len(found[quantity]["mean"]) == last + 1
        for level in range(last + 1):
            place = (level or 1, "output" if level else "input")
            of_image: dict[str, list[float]] = {}
            for row in rows:
                if (row["block"], row["stage"]) == place and row["cluster_name"] != "background":
                    of_image.setdefault(row["image"], []).append(row[f"{quantity}_diameter"])
            expected = np.mean([np.mean(each) for each in of_image.values()])
            assert found[quantity]["mean"][level] == pytest.approx(expected, rel=1e-5)


def _only(rows: list[dict[str, Any]], block: int, stage: str, head: int, cluster: int) -> dict[str, Any]:
    (row,) = [
        row
        for row in rows
        if (row["block"], row["stage"], row["head"], row["cluster"]) == (block, stage, head, cluster)
    ]
    return row
